#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/signet/data.h"
#include "apps/signet/terminal.h"
#include "signet/base/container.h"
#include "signet/base/error.h"
#include "signet/code/code_set.h"
#include "signet/code/npy.h"
#include "signet/encode/model.h"
#include "signet/index/index_file.h"
#include "signet/store/collection.h"

namespace signet::cli {
namespace {

using Json = nlohmann::ordered_json;

Json inspect_model(const std::string& path) {
  const Model model = read_model(real_file_system(), path);
  const ModelInfo& info = model.info;
  const Preprocessing& input = info.preprocessing;
  std::uint64_t weights = 0;
  for (const Layer& layer : model.network.layers) weights += layer.weight.size() + layer.bias.size();
  Json object = {{"what", "model"},
                 {"bits", info.bits},
                 {"input", concat(input.width, "x", input.height, "x", input.channels)},
                 {"layers", model.network.layers.size()},
                 {"weights", weights},
                 {"multiply_adds", multiply_adds(model.network)},
                 {"classes", info.class_names},
                 {"fingerprint", info.fingerprint},
                 {"bytes", real_file_system().size(path)}};
  const Json record = Json::parse(info.training_record, nullptr, false);
  if (record.is_object()) object["training"] = record;
  return object;
}

Json inspect_index(const std::string& path, bool verify) {
  BuildOptions options;
  options.kind = "flat";
  const auto file = IndexFile::open(real_file_system(), path, options);
  Json object = {{"what", "index file"},
                 {"codes", file->index().size()},
                 {"bits", file->index().bits()},
                 {"classes", file->class_names()},
                 {"model", file->model()},
                 {"keys_relative_to", file->root()},
                 {"bytes", real_file_system().size(path)}};
  if (verify) {
    file->verify();
    object["intact"] = true;
  }
  return object;
}

Json inspect_codes(const std::string& path) {
  const CodeSet set = read_code_set(real_file_system(), path);
  Json object = {{"what", "codes folder"},       {"codes", set.codes.size()},
                 {"bits", set.codes.bits()},     {"labels", set.labels.empty() ? "none" : "one list a code"},
                 {"classes", set.class_names},   {"model", set.model},
                 {"keys_relative_to", set.root}, {"outputs", real_file_system().exists(join_path(path, "outputs.npy"))}};
  if (!set.keys.empty()) object["first_key"] = set.keys.front();
  return object;
}

Json inspect_npy(const std::string& path) {
  constexpr const char* kTypes[] = {"uint8", "int32", "int64", "float32"};
  const NpyArray array = read_npy(real_file_system(), path);
  Json object = {{"what", "NumPy array"},
                 {"type", kTypes[static_cast<std::size_t>(array.type)]},
                 {"shape", array.shape},
                 {"bytes", array.data.size()}};
  if (array.type == NpyType::kUint8 && array.shape.size() == 2)
    object["as_codes"] = concat("up to ", array.shape[1] * 8, " bits each");
  return object;
}

Json inspect_collection(const std::string& path) {
  const CollectionInfo info = Collection::open(real_file_system(), path)->view()->info();
  return {{"what", "collection"},
          {"images", info.images},
          {"removed", info.removed},
          {"bits", info.bits},
          {"segments", info.segments},
          {"code_bytes", info.code_bytes},
          {"catalog_bytes", info.catalog_bytes},
          {"picture_bytes", info.picture_bytes},
          {"classes", info.class_names},
          {"model", info.model},
          {"model_path", info.model_path}};
}

Json inspect_picture(const std::string& path, const std::vector<std::byte>& head) {
  const ImageHeader header = read_image_header(head, path);
  return {{"what", "picture"},
          {"format", header.format},
          {"size", concat(header.width, "x", header.height)},
          {"megapixels", static_cast<double>(std::uint64_t{header.width} * header.height) / 1e6},
          {"bytes", real_file_system().size(path)}};
}

Json inspect_data(const std::string& path) {
  const DatasetSummary summary = summarise_dataset(path);
  const bool one_picture = summary.format == "folder" && !std::filesystem::is_directory(path);
  if (one_picture && !summary.problems.empty()) fail(ErrorCode::kCorrupt, summary.problems.front());
  Json splits = Json::object(), classes = Json::object();
  for (std::size_t i = 0; i < summary.splits.size(); ++i) splits[summary.splits[i]] = summary.split_sizes[i];
  for (std::size_t i = 0; i < summary.class_names.size(); ++i) classes[summary.class_names[i]] = summary.class_counts[i];
  const auto range = [](std::uint32_t least, std::uint32_t most) {
    return least == most ? std::to_string(least) : concat(least, " to ", most);
  };
  Json object = {{"what", "data set"},           {"format", summary.format},         {"description", summary.description},
                 {"images", summary.images},     {"unlabelled", summary.unlabelled}, {"splits", std::move(splits)},
                 {"classes", std::move(classes)}};
  if (summary.grey || summary.colour) {  // a picture could be read
    object["width"] = range(summary.min_width, summary.max_width);
    object["height"] = range(summary.min_height, summary.max_height);
    object["colours"] = summary.grey && summary.colour ? "grey and colour" : summary.grey ? "grey" : "colour";
  }
  object["problems"] = summary.problems;
  return object;
}

std::vector<std::byte> head_of(const std::string& path) {
  const auto mapped = real_file_system().map(path);
  const auto bytes = mapped->data().first(std::min<std::size_t>(mapped->data().size(), std::size_t{1} << 20));
  return {bytes.begin(), bytes.end()};
}

bool is_picture(const std::vector<std::byte>& head, const std::string& path) {
  try {
    read_image_header(head, path);
    return true;
  } catch (const Error&) {
    return false;
  }
}

Json inspect(const std::string& path, bool verify) {
  if (!real_file_system().exists(path)) fail(ErrorCode::kNotFound, path, " does not exist");
  if (std::filesystem::is_directory(path)) {
    if (is_collection(real_file_system(), path)) return inspect_collection(path);
    if (real_file_system().exists(join_path(path, "codes.json"))) return inspect_codes(path);
    return inspect_data(path);
  }
  if (path.ends_with(".onnx")) return inspect_model(path);
  if (path.ends_with(".npy")) return inspect_npy(path);
  const auto head = head_of(path);
  if (starts_as_container(head)) return inspect_index(path, verify);
  if (is_picture(head, path)) return inspect_picture(path, head);
  return inspect_data(path);
}

// One line a value; lists are cut so that everything fits on about ten lines.
std::string cell(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_unsigned()) return with_commas(value.get<std::uint64_t>());
  if (value.is_array()) {
    std::string text;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (text.size() > 90) return concat(text, ", ... (", value.size(), " in all)");
      text += (i > 0 ? ", " : "") + cell(value[i]);
    }
    return text.empty() ? "none" : text;
  }
  if (value.is_object()) {
    std::string text;
    for (const auto& [key, one] : value.items()) {
      if (one.is_structured()) continue;
      if (text.size() > 300) return text + ", ...";
      text += (text.empty() ? "" : ", ") + key + " " + cell(one);
    }
    return text.empty() ? "none" : text;
  }
  if (value.is_number_float()) return concat(value.get<double>());
  return value.dump();
}

// Of a training record, what a person asks first; --json shows all of it.
std::string training_line(const Json& record) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  for (const char* key :
       {"method", "features", "parameters", "dataset", "protocol", "seed", "loss", "alpha", "epochs", "version"}) {
    if (!record.contains(key)) continue;
    const Json& value = record[key];
    if (!value.is_structured())
      add(concat(key, " ", cell(value)));
    else if (value.is_object() && !value.empty())  // of a shallow method: a name and a number each
      add(cell(value));
  }
  return text;
}

}  // namespace

int run_inspect(Arguments words) {
  std::string path;
  bool json = false, verify = false;
  Options options("inspect",
                  "Say what a file or folder is: a model, an index, codes, an array, a collection, a data set or a picture.",
                  "signet inspect model.onnx");
  options->text("FILE", path, "the file or folder", "", Need::kRequired);
  options->flag("--verify", verify,
                "read every byte of an index file, also of what is too large to be checked when it is opened");
  options->json(json);
  if (!options.parse(words)) return 0;
  const Json object = inspect(path, verify);
  if (verify && !object.contains("intact")) {
    fail(ErrorCode::kUsage, "--verify checks index files, and ", path, " is a ", object["what"].get<std::string>(),
         object["what"] == "collection" ? "; signet collection verify checks it" : "");
  }
  if (json) {
    print_json(object);
    return 0;
  }
  std::cout << printable(path) << ": " << object["what"].get<std::string>() << '\n';
  for (const auto& [key, value] : object.items()) {
    if (key == "what") continue;
    std::string name = key;
    std::replace(name.begin(), name.end(), '_', ' ');
    std::cout << "  " << name << std::string(name.size() < 18 ? 18 - name.size() : 1, ' ')
              << printable(key == "training" ? training_line(value) : cell(value)) << '\n';
  }
  return 0;
}

}  // namespace signet::cli
