#include "signet/baseline/hash_model.h"

#include <algorithm>
#include <utility>

#include "baseline/linear_algebra.h"
#include "signet/base/error.h"
#include "signet/image/gist.h"

namespace signet {
using namespace baseline;

namespace {

FeatureExtractor of_pictures(std::string name, std::uint32_t width, std::uint32_t height, std::uint32_t channels) {
  FeatureExtractor extractor;
  extractor.name = std::move(name);
  Preprocessing& how = extractor.preprocessing;
  how.width = width, how.height = height, how.channels = channels;
  how.mean.assign(channels, 0.0f);
  how.std.assign(channels, 1.0f);
  check_preprocessing(how, extractor.name);
  return extractor;
}

void mark_needed(const Network& network, int index, std::vector<bool>& needed) {
  for (; index >= 0 && !needed[static_cast<std::size_t>(index)]; index = network.layers[static_cast<std::size_t>(index)].input) {
    needed[static_cast<std::size_t>(index)] = true;
    const Layer& layer = network.layers[static_cast<std::size_t>(index)];
    if (layer.kind == LayerKind::kAdd) mark_needed(network, layer.other, needed);
  }
}

// The layers that `last` depends on, renumbered; `last` becomes the number of the copy.
Network cut_after(const Network& whole, int& last) {
  std::vector<bool> needed(whole.layers.size(), false);
  mark_needed(whole, last, needed);
  Network part;
  part.channels = whole.channels, part.height = whole.height, part.width = whole.width;
  std::vector<int> number(whole.layers.size(), -1);
  const auto renumber = [&](int index) { return index < 0 ? -1 : number[static_cast<std::size_t>(index)]; };
  for (std::size_t i = 0; i < whole.layers.size(); ++i) {
    if (!needed[i]) continue;
    number[i] = static_cast<int>(part.layers.size());
    part.layers.push_back(whole.layers[i]);
    Layer& layer = part.layers.back();
    layer.input = renumber(layer.input);
    if (layer.kind == LayerKind::kAdd) layer.other = renumber(layer.other);
  }
  last = renumber(last);
  return part;
}

// The extractor as a model whose features are its vectors; the hash of one bit that a model must have says nothing.
Model probe(const FeatureExtractor& extractor) {
  Model model{extractor.network, {}};
  model.info.preprocessing = extractor.preprocessing;
  model.info.bits = 1;
  model.network.features = extractor.last;
  model.network.hash = append_linear(model.network, extractor.last, std::vector<float>(extractor.size(), 0.0f), {0.0f});
  return model;
}

// hasher(projection(x)) as one linear layer: a picture has many more numbers than the projection leaves, and two layers would
// keep all of the projection's weights in the file.
int append_folded(Network& network, const Layer& projection, const Hasher& hasher) {
  const auto bits = static_cast<Eigen::Index>(hasher.bits()), middle = static_cast<Eigen::Index>(hasher.input_size());
  const auto inputs = static_cast<Eigen::Index>(projection.weight.size()) / middle;
  const Hasher::Affine& affine = *hasher.affine();
  const Features outer(affine.weight.data(), bits, middle), inner(projection.weight.data(), middle, inputs);
  const RowMatrix weight = (outer.cast<double>() * inner.cast<double>()).cast<float>();
  const Eigen::Map<const VectorXf> shift(projection.bias.data(), middle), own(affine.bias.data(), bits);
  const VectorXf bias = (outer.cast<double>() * shift.cast<double>() + own.cast<double>()).cast<float>();
  return append_linear(network, projection.input, {weight.data(), weight.data() + weight.size()},
                       {bias.data(), bias.data() + bias.size()});
}

bool ends_in_projection(const FeatureExtractor& extractor) {
  return extractor.last >= 0 && extractor.network.layers.size() == static_cast<std::size_t>(extractor.last) + 1 &&
         extractor.network.layers.back().kind == LayerKind::kLinear;
}

}  // namespace

LayerShape FeatureExtractor::shape() const {
  if (last < 0) return {network.channels, network.height, network.width};
  Network ended = network;
  ended.hash =
      append_linear(ended, -1, std::vector<float>(std::size_t{network.channels} * network.height * network.width), {0.0f});
  return check_network(ended)[static_cast<std::size_t>(last)];
}

std::size_t FeatureExtractor::matrix_rows() const {
  constexpr std::size_t kGistFilters = 32;
  const LayerShape s = shape();
  if (last >= 0) return s.h * s.w > 1 ? s.c : 0;
  return preprocessing.descriptor == Descriptor::kGist ? kGistFilters : std::size_t{s.c} * s.h;
}

FeatureExtractor gist_features(std::uint32_t channels) {
  FeatureExtractor extractor = of_pictures("gist", kGistSide, kGistSide, channels);
  extractor.preprocessing.descriptor = Descriptor::kGist;
  extractor.network.channels = kGistSize, extractor.network.height = extractor.network.width = 1;
  return extractor;
}

FeatureExtractor pixel_features(std::uint32_t width, std::uint32_t height, std::uint32_t channels) {
  FeatureExtractor extractor = of_pictures("pixels", width, height, channels);
  extractor.network.channels = channels, extractor.network.height = height, extractor.network.width = width;
  return extractor;
}

FeatureExtractor network_features(const Model& model, bool map, const std::string& name) {
  int last = model.network.features;
  if (last < 0) fail(ErrorCode::kInvalidArgument, name, ": this model's network gives no features, only codes");
  if (map) {
    const Layer& pooled = model.network.layers[static_cast<std::size_t>(last)];
    if ((pooled.kind != LayerKind::kGlobalMaxPool && pooled.kind != LayerKind::kGlobalAvgPool) || pooled.input < 0)
      fail(ErrorCode::kInvalidArgument, name, ": this model's features are no pooled maps; a network of signet train has such");
    last = pooled.input;
  }
  FeatureExtractor extractor;
  extractor.name = map ? "network-map" : "network";
  extractor.preprocessing = model.info.preprocessing;
  extractor.network = cut_after(model.network, last);
  extractor.last = last;
  return extractor;
}

FeatureReader::FeatureReader(const FeatureExtractor& extractor) : preprocessing_(extractor.preprocessing) {
  EncoderOptions options;
  options.threads = 1;  // the callers' threads are the threads
  if (extractor.last >= 0) encoder_ = std::make_unique<Encoder>(probe(extractor), options);
}

FeatureReader::~FeatureReader() = default;

void FeatureReader::read(const Image& image, std::span<float> target) const {
  if (encoder_ == nullptr) {
    preprocess(image, preprocessing_, target.data());
    return;
  }
  const Outputs outputs = encoder_->run({&image, 1}, Encoder::kFeatures);
  std::copy(outputs.features.begin(), outputs.features.end(), target.begin());
}

std::vector<float> Projection::apply(std::span<const float> values) const {
  const Features x = checked_values("pca", values, input_size);
  const Features w(weight.data(), static_cast<Eigen::Index>(size), static_cast<Eigen::Index>(input_size));
  const Eigen::Map<const VectorXf> shift(bias.data(), static_cast<Eigen::Index>(size));
  std::vector<float> out(static_cast<std::size_t>(x.rows()) * size);
  Eigen::Map<RowMatrix> result(out.data(), x.rows(), w.rows());
  result.noalias() = x * w.transpose();
  result.rowwise() += shift.transpose();
  return out;
}

Projection fit_pca(const FeatureSet& set, std::size_t dimensions) {
  const Principal p = principal("pca", checked("pca", set, {}));
  if (dimensions < 1) fail(ErrorCode::kInvalidArgument, "pca: it must keep one direction or more");
  Projection projection;
  projection.input_size = set.size;
  projection.size = std::min(dimensions, static_cast<std::size_t>(p.variance.size()));
  const MatrixXd kept = p.directions.leftCols(static_cast<Eigen::Index>(projection.size));
  const RowMatrix weight = kept.transpose().cast<float>();
  const VectorXf bias = (-(kept.transpose() * p.mean)).cast<float>();
  projection.weight.assign(weight.data(), weight.data() + weight.size());
  projection.bias.assign(bias.data(), bias.data() + bias.size());
  return projection;
}

FeatureExtractor project(FeatureExtractor extractor, const Projection& projection) {
  if (projection.input_size != extractor.size())
    fail(ErrorCode::kInvalidArgument, "a projection of ", projection.input_size, " numbers cannot follow features of ",
         extractor.size());
  extractor.last = append_linear(extractor.network, extractor.last, projection.weight, projection.bias);
  return extractor;
}

Model picture_hash_model(PictureHash kind, std::string training_record) {
  constexpr std::uint32_t kEnough = 256;  // pixels a side that a large JPEG is decoded to at least
  FeatureExtractor extractor = of_pictures(picture_hash_name(kind), kEnough, kEnough, 3);
  Model model{{}, {}};
  model.info.preprocessing = extractor.preprocessing;
  model.info.preprocessing.descriptor = Descriptor::kHash;
  model.info.preprocessing.hash = kind;
  model.info.bits = kPictureHashBits;
  model.info.training_record = std::move(training_record);
  model.network.channels = kPictureHashBits, model.network.height = model.network.width = 1;
  std::vector<float> identity(std::size_t{kPictureHashBits} * kPictureHashBits);  // a code is what a layer gives
  for (std::size_t k = 0; k < kPictureHashBits; ++k) identity[k * kPictureHashBits + k] = 1;
  model.network.hash = append_linear(model.network, -1, std::move(identity), std::vector<float>(kPictureHashBits, 0.0f));
  model.info.fingerprint = model_fingerprint(model.network, model.info.preprocessing);
  return model;
}

Model make_hash_model(const FeatureExtractor& extractor, const Hasher& hasher, std::vector<std::string> class_names,
                      std::string training_record) {
  if (hasher.input_size() != extractor.size())
    fail(ErrorCode::kInvalidArgument, hasher.method(), " was learned on vectors of ", hasher.input_size(), " numbers, ",
         extractor.name, " gives ", extractor.size());
  Model model{extractor.network, {}};
  if (hasher.affine() != nullptr && ends_in_projection(extractor)) {
    const Layer projection = std::move(model.network.layers.back());
    model.network.layers.pop_back();
    model.network.hash = append_folded(model.network, projection, hasher);
  } else {
    model.network.features = extractor.last;
    model.network.hash = hasher.append_to(model.network, extractor.last);
  }
  model.info.bits = hasher.bits();
  model.info.preprocessing = extractor.preprocessing;
  model.info.class_names = std::move(class_names);
  model.info.training_record = std::move(training_record);
  model.info.fingerprint = model_fingerprint(model.network, model.info.preprocessing);
  return model;
}

}  // namespace signet
