#include "apps/signet/reproduce_shallow.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "apps/signet/protocol_data.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/eval/protocol.h"

namespace signet::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kSample = 128;  // images whose outputs are also made by the model file
constexpr double kRounding = 0.01;    // how far they may be apart, as a share of what is usual for the bit

// Which images these are, as far as one run over one data set can confuse them.
std::string identity_of(const Dataset& data) {
  return data.size() == 0 ? "empty" : concat(data.size(), " ", data.key(0), " ", data.key(data.size() - 1));
}

// Of both views of a picture the features are averaged here, the outputs by the model file, which is what counts. For linear
// methods that is the same.
bool averages_outputs(const Encoder& encoder) {
  const std::vector<Layer>& layers = encoder.network().layers;
  return encoder.info().preprocessing.mirror_view && std::any_of(layers.begin(), layers.end(), [](const Layer& layer) {
           return layer.kind == LayerKind::kSine || layer.kind == LayerKind::kRadial || layer.kind == LayerKind::kTrees;
         });
}

}  // namespace

std::string features_key(const ShallowRequest& r) {
  const bool draws = !r.protocol.empty() && find_protocol(r.protocol).query == Protocol::Query::kPerClassDraw;
  return concat(r.features, "|", r.model, "|", r.side, "|", r.pca_given ? std::to_string(r.pca) : "default", "|",
                r.method.starts_with("bilinear") ? "whole" : "", "|", r.protocol, "|", draws ? r.draw_seed : 0);
}

const ShallowBench::Features& ShallowBench::features_for(const ShallowRequest& r) {
  const std::string key = features_key(r);
  if (key == features_.key) return features_;
  features_ = {};
  Meter meter("reproduce", quiet_);
  const double began = now_seconds();
  features_.train = r.protocol.empty() ? r.data.open() : part_of_protocol(r.data, r.protocol, "train", r.draw_seed);
  features_.extractor = make_extractor(r, *features_.train, meter.callback());
  FeatureVectors read = features_of(features_.extractor, features_.train, threads_, meter.callback());
  features_.train = std::move(read.images), features_.values = std::move(read.values);
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
  const std::shared_ptr<const Dataset> whole(&data, [](const Dataset*) {});  // borrowed for this call
  FeatureVectors read = features_of(features_.extractor, whole, threads_, meter.callback());
  if (read.unreadable > 0) fail(ErrorCode::kInvalidArgument, read.first_unreadable);
  found->second = std::move(read.values);
  features_.part_seconds += now_seconds() - began;
  features_.part_images += data.size();
  return found->second;
}

// Bit by bit, in units of the bit's own spread: signs of outputs next to 0 differ by rounding, outputs must not.
void ShallowBench::compare_with_model(const Encoder& encoder, const Dataset& data, std::span<const float> outputs) const {
  const std::size_t count = std::min(kSample, data.size()), bits = encoder.info().bits;
  std::vector<double> square(bits), error(bits);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t image = i * data.size() / count;
    const Image picture = data.get(image).image;
    const std::vector<float> own = encoder.run({&picture, 1}).hash;
    for (std::size_t k = 0; k < bits; ++k) {
      const double value = outputs[image * bits + k];
      square[k] += value * value;
      error[k] = std::max(error[k], std::abs(own[k] - value));
    }
  }
  for (std::size_t k = 0; k < bits; ++k) {
    const double spread = std::sqrt(square[k] / static_cast<double>(count));
    if (error[k] > kRounding * spread) {
      fail(ErrorCode::kInternal, "bit ", k, " of the model file is off by ", error[k],
           " from the method that it was made from, where ", spread, " is usual");
    }
  }
}

namespace {

// Of rows of `columns` numbers the first `kept` each.
std::vector<float> first_columns(const std::vector<float>& rows, std::size_t columns, std::size_t kept) {
  std::vector<float> first;
  first.reserve(rows.size() / columns * kept);
  for (std::size_t at = 0; at < rows.size(); at += columns)
    first.insert(first.end(), rows.begin() + static_cast<std::ptrdiff_t>(at),
                 rows.begin() + static_cast<std::ptrdiff_t>(at + kept));
  return first;
}

}  // namespace

EncodedData ShallowBench::encode(const Encoder& encoder, const Dataset& data, const std::string& root) {
  if (hasher_ == nullptr || averages_outputs(encoder)) {
    Meter meter("reproduce", quiet_);
    return encode_dataset(encoder, data, root, {}, meter.callback());
  }
  const std::vector<float>& values = part_values(data);
  EncodedData encoded;
  const double began = now_seconds();
  encoded.outputs = first_columns(hasher_->outputs(values), hasher_->bits(), encoder.info().bits);
  encoded.set.codes = pack_signs(encoded.outputs, encoder.info().bits);
  const double seconds = now_seconds() - began;
  compare_with_model(encoder, data, encoded.outputs);
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
