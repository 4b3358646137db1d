#include "apps/signet/reproduce_shallow.h"

#include <algorithm>
#include <numeric>

#include "apps/signet/protocol_data.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"

namespace signet::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kSample = 128;          // images whose codes are also made by the model file
constexpr double kRoundingShare = 1.0 / 500;  // of their bits that may differ: outputs next to 0

// Which images these are, as far as one run over one data set can confuse them.
std::string identity_of(const Dataset& data) {
  return data.size() == 0 ? "empty" : concat(data.size(), " ", data.key(0), " ", data.key(data.size() - 1));
}

}  // namespace

const ShallowBench::Features& ShallowBench::features_for(const ShallowRequest& r) {
  const std::string key =
      concat(r.features, "|", r.model, "|", r.side, "|", r.pca_given ? std::to_string(r.pca) : "default", "|",
             r.method.starts_with("bilinear") ? "whole" : "", "|", r.protocol, "|", r.protocol.empty() ? 0 : r.draw_seed);
  if (key == features_.key) return features_;
  features_ = {};
  Meter meter("reproduce", quiet_);
  const double began = now_seconds();
  features_.train = r.protocol.empty() ? r.data.open() : part_of_protocol(r.data, r.protocol, "train", r.draw_seed);
  features_.extractor = make_extractor(r, *features_.train, meter.callback());
  features_.values = features_of(features_.extractor, *features_.train, threads_, meter.callback());
  features_.seconds = now_seconds() - began;
  features_.key = key;
  return features_;
}

json ShallowBench::learn(const std::vector<std::string>& words) {
  ShallowRequest r;
  parse_shallow(words, r);
  r.threads = threads_;
  json numbers = {{"image_passes", 0},        {"train_seconds", 0},           {"shared_image_passes", 0},
                  {"shared_seconds", 0},      {"images_per_second", json()},  {"pflop", json()},
                  {"validation_map", json()}, {"validation_accuracy", json()}};
  hasher_.reset();
  if (is_picture_hash(r.method)) {
    write_model(real_file_system(), r.out, picture_hash_model(r));
    return numbers;
  }
  const Features& features = features_for(r);
  Meter meter("reproduce", quiet_);
  const double began = now_seconds();
  hasher_ = fit_shallow(r, features.extractor, features.values, *features.train, meter.callback());
  const double seconds = now_seconds() - began;
  const Model model = shallow_model(r, features.extractor, *hasher_, *features.train, {features.seconds, seconds});
  write_model(real_file_system(), r.out, model);
  const json record = json::parse(model.info.training_record);
  numbers["image_passes"] = numbers["shared_image_passes"] = record.at("image_passes");
  numbers["train_seconds"] = record.at("seconds");
  numbers["shared_seconds"] = record.value("shared_seconds", 0.0) + features.seconds;
  return numbers;
}

const std::vector<float>& ShallowBench::part_values(const Dataset& data) {
  const auto [found, is_new] = features_.parts.try_emplace(identity_of(data));
  if (!is_new) return found->second;
  Meter meter("reproduce", quiet_);
  const double began = now_seconds();
  found->second = features_of(features_.extractor, data, threads_, meter.callback());
  features_.part_seconds += now_seconds() - began;
  features_.part_images += data.size();
  return found->second;
}

void ShallowBench::compare_with_model(const Encoder& encoder, const Dataset& data, const CodeMatrix& codes) const {
  std::size_t differ = 0, bits = 0;
  const std::size_t count = std::min(kSample, data.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t image = i * data.size() / count;
    const Image picture = data.get(image).image;
    const CodeMatrix own = pack_signs(encoder.run({&picture, 1}).hash, codes.bits());
    differ += hamming_distance(own.row(0), codes.row(image));
    bits += codes.bits();
  }
  if (static_cast<double>(differ) > kRoundingShare * static_cast<double>(bits))
    fail(ErrorCode::kInternal, "the model file gives ", differ, " of ", bits,
         " other bits than the method that it was made from");
}

EncodedData ShallowBench::encode(const Encoder& encoder, const Dataset& data, const std::string& root) {
  if (hasher_ == nullptr) {
    Meter meter("reproduce", quiet_);
    return encode_dataset(encoder, data, root, {}, meter.callback());
  }
  const std::vector<float>& values = part_values(data);
  EncodedData encoded;
  const double began = now_seconds();
  encoded.outputs = hasher_->outputs(values);
  encoded.set.codes = pack_signs(encoded.outputs, hasher_->bits());
  const double seconds = now_seconds() - began;
  compare_with_model(encoder, data, encoded.set.codes);
  encoded.set.class_names = data.class_names();
  encoded.set.model = encoder.info().fingerprint;
  encoded.set.root = root;
  for (std::size_t i = 0; i < data.size(); ++i) encoded.set.keys.push_back(data.key(i));
  encoded.set.labels = labels_of(data);
  encoded.positions.resize(data.size());
  std::iota(encoded.positions.begin(), encoded.positions.end(), std::size_t{0});
  encoded.bulk.encoded = data.size();
  const double per_image = features_.part_seconds / static_cast<double>(std::max<std::size_t>(1, features_.part_images)) +
                           seconds / static_cast<double>(std::max<std::size_t>(1, data.size()));
  encoded.bulk.images_per_second = per_image > 0 ? 1 / per_image : 0;
  return encoded;
}

}  // namespace signet::cli
