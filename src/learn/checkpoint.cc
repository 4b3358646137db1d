#include "learn/checkpoint.h"

#include <cstring>
#include <nlohmann/json.hpp>

#include "signet/base/container.h"
#include "signet/base/error.h"
#include "signet/encode/features_file.h"

namespace signet {
namespace {

using nlohmann::json;

constexpr const char* kKind = "SCKP";
constexpr std::uint32_t kVersion = 1;

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

// Every tensor of a run in the order of the file.
std::vector<NamedTensor> tensors_of(const HashNetwork& network, const Optimizer& optimizer) {
  std::vector<NamedTensor> all;
  std::size_t momentum = 0, average = 0;
  for (const Parameter& p : network.parameters()) {
    all.push_back({p.name, p.value});
    if (is_trained(p.role)) all.push_back({p.name + "/momentum", optimizer.momentum()[momentum++]});
    if (p.role != Role::kFrozen) all.push_back({p.name + "/average", optimizer.averages()[average++]});
  }
  return all;
}

std::vector<NamedTensor> feature_tensors(const HashNetwork& network) {
  std::vector<NamedTensor> all;
  for (const Parameter& p : network.parameters())
    if (!p.name.starts_with("hash.") && !p.name.starts_with("classify.")) all.push_back({p.name, p.value});
  return all;
}

json meta_of(const std::shared_ptr<const Container>& file) {
  json meta = json::parse(as_text(file->section("meta")), nullptr, false);
  if (!meta.is_object()) fail(ErrorCode::kCorrupt, file->path(), ": section meta is not a JSON object");
  return meta;
}

// What would make a run agree with the file about this: not everything is an option.
const char* remedy(const std::string& key) {
  if (key == "library") return "go on with the same libtorch";
  if (key == "convolution") return "go on with the same kind of processor";
  return key == "version" ? "go on with the same signet" : "give the same options";
}

// what: "this checkpoint was made"; instead: what to do about it.
void check_identity(const std::string& path, const json& meta, const RunIdentity& identity, const char* what,
                    const char* instead) {
  const json mine = json::parse(identity.options), theirs = meta.at("options");
  if (!theirs.is_object()) fail(ErrorCode::kCorrupt, path, ": the options in section meta are no JSON object");
  json both = mine;
  both.update(theirs);
  const auto said = [](const json& options, const std::string& key) {
    return options.contains(key) ? options.at(key) : json("(absent)");
  };
  for (const auto& [key, value] : both.items())
    if (said(mine, key) != said(theirs, key))
      fail(ErrorCode::kMismatch, path, ": ", what, " with ", key, " = ", said(theirs, key).dump(), " and this run has ",
           said(mine, key).dump(), "; ", remedy(key), ", or ", instead);
  if (meta.at("data_hash") != identity.data_hash)
    fail(ErrorCode::kMismatch, path, ": ", what, " from other images, labels or validation split than ", identity.data_name,
         " has now; give the same data, or ", instead);
}

void fill_tensors(const std::shared_ptr<const Container>& file, const json& meta, std::vector<NamedTensor> tensors) {
  const at::NoGradGuard no_gradient;
  const auto data = file->section("tensors");
  std::size_t offset = 0;
  const json& table = meta.at("tensors");
  if (table.size() != tensors.size())
    fail(ErrorCode::kCorrupt, file->path(), ": holds ", table.size(), " tensors instead of ", tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    at::Tensor& target = tensors[i].tensor;
    if (table[i].at("name") != tensors[i].name || table[i].at("shape") != json(target.sizes().vec()))
      fail(ErrorCode::kCorrupt, file->path(), ": tensor ", i, " is not ", tensors[i].name, " of the shape that this network has");
    const std::size_t bytes = static_cast<std::size_t>(target.numel()) * sizeof(float);
    if (bytes > data.size() - offset) fail(ErrorCode::kCorrupt, file->path(), ": section tensors ends inside ", tensors[i].name);
    at::Tensor values = at::empty(target.sizes(), at::kFloat);
    std::memcpy(values.data_ptr<float>(), data.data() + offset, bytes);
    target.copy_(values);
    offset += bytes;
  }
}

// JSON that lacks a key or has another type there is damage, not a bug of ours.
template <typename Body>
auto reading(const std::string& path, const Body& body) {
  try {
    return body();
  } catch (const json::exception& error) {
    fail(ErrorCode::kCorrupt, path, ": ", error.what());
  }
}

void write_tensors(FileSystem& fs, const std::string& path, const char* kind, json meta, const std::vector<NamedTensor>& tensors,
                   std::span<const std::byte> model = {}) {
  meta["tensors"] = json::array();
  for (const NamedTensor& t : tensors) meta["tensors"].push_back({{"name", t.name}, {"shape", t.tensor.sizes().vec()}});
  fs.create_directory(parent_path(path));
  ContainerWriter writer(fs, path, kind, kVersion);
  const std::string text = meta.dump();
  writer.begin_section("meta");
  writer.append(as_bytes(text));
  writer.begin_section("tensors");
  for (const NamedTensor& t : tensors) {
    const at::Tensor values = t.tensor.detach().to(at::kCPU).contiguous();
    writer.append(std::as_bytes(std::span(values.data_ptr<float>(), static_cast<std::size_t>(values.numel()))));
  }
  if (!model.empty()) {
    writer.begin_section(kFeaturesModelSection);
    writer.append(model);
  }
  writer.finish();
}

}  // namespace

std::string checkpoint_path(const std::string& folder) { return join_path(folder, "training.sigckpt"); }

void save_checkpoint(FileSystem& fs, const std::string& path, const RunIdentity& identity, const TrainingState& state,
                     std::size_t stages, const HashNetwork& network, const Optimizer& optimizer) {
  const at::NoGradGuard no_gradient;
  json meta = {{"options", json::parse(identity.options)},
               {"data_hash", identity.data_hash},
               {"data", identity.data_name},
               {"stage", state.stage},
               {"stages", stages},
               {"step", state.step},
               {"image_passes", state.image_passes},
               {"seconds", state.seconds},
               {"validation_map", state.validation_map},
               {"validation_accuracy", state.validation_accuracy}};
  write_tensors(fs, path, kKind, std::move(meta), tensors_of(network, optimizer));
}

std::string not_finite(const HashNetwork& network, const Optimizer& optimizer) {
  for (const NamedTensor& t : tensors_of(network, optimizer))
    if (!t.tensor.isfinite().all().item<bool>()) return t.name;
  return {};
}

void remove_unfinished_checkpoints(FileSystem& fs, const std::string& path) {
  const std::string folder = parent_path(path);
  if (!fs.exists(folder)) return;
  for (const std::string& name : fs.list(folder))
    if (name.starts_with(file_name(path) + kTempMarker)) fs.remove(join_path(folder, name));
}

TrainingState load_checkpoint(FileSystem& fs, const std::string& path, const RunIdentity& identity, HashNetwork& network,
                              Optimizer& optimizer) {
  const auto file = Container::open(fs, path, kKind, kVersion);
  return reading(path, [&] {
    const json meta = meta_of(file);
    check_identity(path, meta, identity, "this checkpoint was made", "another --checkpoint folder");
    fill_tensors(file, meta, tensors_of(network, optimizer));
    return TrainingState{meta.at("stage"),   meta.at("step"),           meta.at("image_passes"),
                         meta.at("seconds"), meta.at("validation_map"), meta.at("validation_accuracy")};
  });
}

void save_features(FileSystem& fs, const std::string& path, const RunIdentity& identity, const TrainedFeatures& features,
                   const HashNetwork& network, std::span<const std::byte> model) {
  const at::NoGradGuard no_gradient;
  json meta = {{"options", json::parse(identity.options)},
               {"data_hash", identity.data_hash},
               {"data", identity.data_name},
               {"image_passes", features.image_passes},
               {"seconds", features.seconds},
               {"validation_accuracy", features.validation_accuracy}};
  write_tensors(fs, path, kFeaturesKind, std::move(meta), feature_tensors(network), model);
}

TrainedFeatures load_features(FileSystem& fs, const std::string& path, const RunIdentity& identity, HashNetwork& network) {
  const auto file = Container::open(fs, path, kFeaturesKind, kFeaturesVersion);
  return reading(path, [&] {
    const json meta = meta_of(file);
    check_identity(path, meta, identity, "these features were trained", "train them anew with --features-out");
    fill_tensors(file, meta, feature_tensors(network));
    return TrainedFeatures{meta.at("image_passes"), meta.at("seconds"), meta.at("validation_accuracy")};
  });
}

bool checkpoint_is_unfinished(FileSystem& fs, const std::string& path) {
  if (!fs.exists(path)) return false;
  const auto file = Container::open(fs, path, kKind, kVersion);
  return reading(path, [&] {
    const json meta = meta_of(file);
    return meta.at("stage").get<std::size_t>() < meta.at("stages").get<std::size_t>();
  });
}

}  // namespace signet
