#include "signet/encode/model.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "encode/layer_kinds.h"
#include "encode/onnx_file.h"
#include "signet/base/error.h"
#include "signet/base/sha256.h"
#include "signet/base/text.h"
#include "signet/code/code_matrix.h"
#include "signet/encode/features_file.h"

namespace signet {
namespace {

using nlohmann::json;

constexpr std::string_view kFormats[] = {"1", "2"};
constexpr const char* kGistName = "gist-512";
constexpr std::uint64_t kLargestFile = std::numeric_limits<std::int32_t>::max();  // protobuf's limit for one message

// --- fingerprint: the byte string of docs/format/model.md

class CanonicalHash {
 public:
  void number(std::uint32_t v) {
    const unsigned char bytes[4] = {static_cast<unsigned char>(v), static_cast<unsigned char>(v >> 8),
                                    static_cast<unsigned char>(v >> 16), static_cast<unsigned char>(v >> 24)};
    hash_.update(std::as_bytes(std::span(bytes)));
  }
  void index(int v) { number(static_cast<std::uint32_t>(v)); }
  void list(const std::vector<float>& values) {
    number(static_cast<std::uint32_t>(values.size()));
    hash_.update(std::as_bytes(std::span(values)));  // little-endian: asserted in onnx_write.cc
  }
  void text(std::string_view v) { hash_.update(std::as_bytes(std::span(v.data(), v.size()))); }
  std::string hex() { return hash_.hex(); }

 private:
  Sha256 hash_;
};

// Numbers of the format, not of the enum: they never change.
std::uint32_t kind_number(LayerKind kind) {
  switch (kind) {
    case LayerKind::kConv:
      return 1;
    case LayerKind::kLinear:
      return 2;
    case LayerKind::kMaxPool:
      return 3;
    case LayerKind::kGlobalMaxPool:
      return 4;
    case LayerKind::kGlobalAvgPool:
      return 5;
    case LayerKind::kGelu:
      return 6;
    case LayerKind::kRelu:
      return 7;
    case LayerKind::kTanh:
      return 8;
    case LayerKind::kAdd:
      return 9;
    case LayerKind::kSine:
      return 10;
    case LayerKind::kRadial:
      return 11;
    case LayerKind::kTrees:
      return 12;
  }
  fail(ErrorCode::kInternal, "layer kind ", static_cast<int>(kind), " has no number in the model format");
}

void hash_layer(CanonicalHash& hash, const Layer& layer) {
  hash.number(kind_number(layer.kind));
  hash.index(layer.input);
  if (layer.kind == LayerKind::kAdd) hash.index(layer.other);
  if (has_weights(layer.kind)) hash.number(layer.out);
  if (has_window(layer.kind)) {
    hash.number(layer.kernel);
    hash.number(layer.stride);
  }
  if (layer.kind == LayerKind::kConv) hash.number(layer.pad);
  if (has_weights(layer.kind)) {
    hash.list(layer.weight);
    hash.list(layer.bias);
  }
  if (layer.kind == LayerKind::kTrees) {
    hash.number(static_cast<std::uint32_t>(layer.picks.size()));
    for (const std::uint32_t pick : layer.picks) hash.number(pick);
  }
}

// A model that format 1 can say is written in format 1, so that programs of that time read it and its fingerprint stays.
bool needs_format_2(const Network& network, const Preprocessing& how) {
  return how.descriptor != Descriptor::kPixels ||
         std::any_of(network.layers.begin(), network.layers.end(), [](const Layer& layer) { return is_of_format_2(layer.kind); });
}

// 0: pixels, 1: GIST, 2 to 5: perceptual hashes in the order of PictureHash.
std::uint32_t descriptor_number(const Preprocessing& how) {
  if (how.descriptor == Descriptor::kHash) return 2 + static_cast<std::uint32_t>(how.hash);
  return how.descriptor == Descriptor::kGist ? 1 : 0;
}

// --- metadata

std::string descriptor_name(const Preprocessing& how) {
  return how.descriptor == Descriptor::kGist ? kGistName : picture_hash_name(how.hash);
}

std::optional<PictureHash> hash_called(const std::string& name) {
  for (const auto kind : {PictureHash::kAverage, PictureHash::kDifference, PictureHash::kDct, PictureHash::kBlockMean})
    if (name == picture_hash_name(kind)) return kind;
  return std::nullopt;
}

std::string preprocessing_text(const Preprocessing& how) {
  json j{{"width", how.width}, {"height", how.height}, {"channels", how.channels},
         {"mean", how.mean},   {"std", how.std},       {"mirror_view", how.mirror_view}};
  if (how.descriptor != Descriptor::kPixels) j["descriptor"] = descriptor_name(how);
  return j.dump();
}

Preprocessing parse_preprocessing(const std::string& text) {
  const json j = json::parse(text);
  Preprocessing how;
  how.width = j.at("width").get<std::uint32_t>();
  how.height = j.at("height").get<std::uint32_t>();
  how.channels = j.at("channels").get<std::uint32_t>();
  how.mean = j.at("mean").get<std::vector<float>>();
  how.std = j.at("std").get<std::vector<float>>();
  how.mirror_view = j.at("mirror_view").get<bool>();
  if (j.contains("descriptor")) {
    const std::string name = j.at("descriptor").get<std::string>();
    if (name == kGistName)
      how.descriptor = Descriptor::kGist;
    else if (const auto hash = hash_called(name))
      how.descriptor = Descriptor::kHash, how.hash = *hash;
    else
      fail(ErrorCode::kUnsupported, "its descriptor is \"", name, "\", this build of signet knows ", kGistName,
           " and the perceptual hashes");
  }
  return how;
}

// File names are bytes and JSON is UTF-8: what is no UTF-8 becomes U+FFFD rather than an error after hours of training.
std::string class_names_text(const std::vector<std::string>& names) {
  return json(names).dump(-1, ' ', false, json::error_handler_t::replace);
}

// And no deeper than any record is: what prints it goes as deep into the stack.
bool is_json_object(const std::string& text) {
  constexpr int kMostDepth = 64;
  return !nests_deeper_than(kMostDepth, text) && json::parse(text, nullptr, false).is_object();
}

OnnxMetadata to_metadata(const Network& network, const ModelInfo& info, const std::string& fingerprint) {
  return {{"signet.format", std::string(kFormats[needs_format_2(network, info.preprocessing) ? 1 : 0])},
          {"signet.bits", std::to_string(info.bits)},
          {"signet.preprocessing", preprocessing_text(info.preprocessing)},
          {"signet.classes", class_names_text(info.class_names)},
          {"signet.record", info.training_record.empty() ? "{}" : info.training_record},
          {"signet.fingerprint", fingerprint}};
}

const std::string* find_entry(const OnnxMetadata& metadata, std::string_view key) {
  for (const auto& [name, value] : metadata) {
    if (name == key) return &value;
  }
  return nullptr;
}

const std::string& entry(const OnnxMetadata& metadata, std::string_view key) {
  const std::string* value = find_entry(metadata, key);
  if (value == nullptr) fail(ErrorCode::kCorrupt, "the metadata entry ", key, " is missing");
  return *value;
}

ModelInfo parse_info(const OnnxMetadata& metadata) {
  ModelInfo info;
  try {
    info.bits = json::parse(entry(metadata, "signet.bits")).get<std::uint32_t>();
    info.preprocessing = parse_preprocessing(entry(metadata, "signet.preprocessing"));
    info.class_names = json::parse(entry(metadata, "signet.classes")).get<std::vector<std::string>>();
  } catch (const json::exception& e) {
    fail(ErrorCode::kCorrupt, "the metadata is not as signet writes it: ", e.what());
  }
  info.training_record = entry(metadata, "signet.record");
  info.fingerprint = entry(metadata, "signet.fingerprint");
  return info;
}

// --- what must fit together

void check_info(const Model& model, const std::vector<LayerShape>& shapes) {
  const auto& [network, info] = model;
  const std::uint32_t hash = shapes[static_cast<std::size_t>(network.hash)].c;
  if (info.bits != hash) fail(ErrorCode::kInvalidArgument, "the model says ", info.bits, " bits, its hash layer gives ", hash);
  check_preprocessing(info.preprocessing, "the model");
  const Preprocessing& how = info.preprocessing;
  check_input(how, network);
  if (network.logits >= 0 && !info.class_names.empty() &&
      shapes[static_cast<std::size_t>(network.logits)].size() != info.class_names.size()) {
    fail(ErrorCode::kInvalidArgument, "the model has ", info.class_names.size(), " class names and ",
         shapes[static_cast<std::size_t>(network.logits)].size(), " logits");
  }
  if (!info.training_record.empty() && !is_json_object(info.training_record)) {
    fail(ErrorCode::kInvalidArgument, "the training record is no JSON object");
  }
}

void check_ours(std::string_view bytes) {
  if (bytes.size() > kLargestFile) fail(ErrorCode::kUnsupported, "it has ", bytes.size(), " bytes, more than ", kLargestFile);
  if (bytes.empty()) fail(ErrorCode::kCorrupt, "it is empty");
  const ClosingCrc crc = check_closing_crc(bytes);
  if (crc == ClosingCrc::kWrong) fail(ErrorCode::kCorrupt, "its CRC-32C does not match: the file is damaged");
  const OnnxMetadata metadata = decode_onnx_metadata(bytes);
  const std::string* format = find_entry(metadata, "signet.format");
  if (format == nullptr) fail(ErrorCode::kUnsupported, "it is not a model that signet wrote (it has no signet.format entry)");
  if (std::find(std::begin(kFormats), std::end(kFormats), *format) == std::end(kFormats))
    fail(ErrorCode::kUnsupported, "it has format ", *format, ", this build of signet reads 1 and 2");
  if (crc == ClosingCrc::kAbsent)
    fail(ErrorCode::kCorrupt, "its closing CRC-32C is missing: the file is truncated or was rewritten");
}

void check_same_bytes(std::string_view bytes, const WireWriter& expected) {
  std::size_t at = 0;
  expected.for_each_piece([&](std::string_view piece) {
    const std::string_view here = bytes.substr(at, piece.size());
    if (here != piece) {
      const auto same = std::mismatch(here.begin(), here.end(), piece.begin(), piece.end()).first - here.begin();
      fail(ErrorCode::kCorrupt, "offset ", at + static_cast<std::size_t>(same), ": signet would not have written this byte");
    }
    at += piece.size();
  });
  if (at != bytes.size()) fail(ErrorCode::kCorrupt, "offset ", at, ": the file goes on after what signet would have written");
}

Model parse_bytes(std::string_view bytes) {
  check_ours(bytes);
  OnnxFile file = decode_onnx(bytes);
  Model model{std::move(file.network), parse_info(file.metadata)};
  check_info(model, check_network(model.network));
  const std::string expected = model_fingerprint(model.network, model.info.preprocessing);
  if (model.info.fingerprint != expected) {
    fail(ErrorCode::kCorrupt, "its fingerprint is ", model.info.fingerprint, ", its content gives ", expected);
  }
  check_same_bytes(bytes, encode_onnx(model.network, to_metadata(model.network, model.info, expected)));
  return model;
}

}  // namespace

std::string trained_supervision(const std::string& training_record) {
  const json record = json::parse(training_record, nullptr, false);
  if (!record.is_object() || !record.contains("options") || !record["options"].is_object()) return {};
  const json& options = record["options"];
  if (!options.contains("supervision")) return "class";  // older records do not name what was the only kind
  return options["supervision"].is_string() ? options["supervision"].get<std::string>() : std::string();
}

std::vector<std::string> written_class_names(const std::vector<std::string>& names) {
  return json::parse(class_names_text(names)).get<std::vector<std::string>>();
}

std::string model_fingerprint(const Network& network, const Preprocessing& how) {
  CanonicalHash hash;
  const bool second = needs_format_2(network, how);
  hash.text(std::string_view(second ? "signet-model-2\0" : "signet-model-1\0", 15));
  hash.number(how.width);
  hash.number(how.height);
  hash.number(how.channels);
  hash.list(how.mean);
  hash.list(how.std);
  hash.number(how.mirror_view ? 1 : 0);
  if (second) hash.number(descriptor_number(how));
  hash.number(network.channels);
  hash.number(network.height);
  hash.number(network.width);
  hash.index(network.hash);
  hash.index(network.features);
  hash.index(network.logits);
  hash.number(static_cast<std::uint32_t>(network.layers.size()));
  for (const Layer& layer : network.layers) hash_layer(hash, layer);
  return hash.hex();
}

namespace {

WireWriter checked_onnx(const Model& model, const std::string& name) {
  check_info(model, check_network(model.network));
  const std::string fingerprint = model_fingerprint(model.network, model.info.preprocessing);
  WireWriter bytes = encode_onnx(model.network, to_metadata(model.network, model.info, fingerprint));
  if (bytes.size() > kLargestFile) {
    fail(ErrorCode::kInvalidArgument, name, ": the model takes ", bytes.size(), " bytes, a model file holds at most ",
         kLargestFile);
  }
  return bytes;
}

std::span<const std::byte> as_span(std::string_view piece) { return std::as_bytes(std::span(piece.data(), piece.size())); }

}  // namespace

void write_model(FileSystem& fs, const std::string& path, const Model& model) {
  const WireWriter bytes = checked_onnx(model, path);
  write_file_atomically(
      fs, path, [&](WritableFile& file) { bytes.for_each_piece([&](std::string_view piece) { file.append(as_span(piece)); }); });
}

std::vector<std::byte> model_bytes(const Model& model, const std::string& name) {
  const WireWriter written = checked_onnx(model, name);
  std::vector<std::byte> bytes;
  bytes.reserve(written.size());
  written.for_each_piece([&](std::string_view piece) {
    const auto part = as_span(piece);
    bytes.insert(bytes.end(), part.begin(), part.end());
  });
  return bytes;
}

Model parse_model(std::span<const std::byte> bytes, const std::string& name) {
  try {
    return parse_bytes(as_text(bytes));
  } catch (const Error& e) {
    // What check_info calls an invalid argument of the writer is corruption of a file.
    const ErrorCode code = e.code() == ErrorCode::kInvalidArgument ? ErrorCode::kCorrupt : e.code();
    fail(code, name, ": not a readable model: ", e.what());
  }
}

Model read_model(FileSystem& fs, const std::string& path) {
  const std::unique_ptr<MappedFile> file = fs.map(path);
  return parse_model(file->data(), path);
}

}  // namespace signet
