#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "signet/baseline/hasher.h"
#include "signet/encode/encoder.h"
#include "signet/encode/model.h"

namespace signet {

// What stands before a shallow method: preprocessing and the layers that turn a picture into its feature vector. A vector is the
// flattened output (channels, rows, columns) of layer `last`, or of the preprocessing where last is -1.
struct FeatureExtractor {
  Preprocessing preprocessing;
  Network network;  // input and layers; no hash, features or logits output yet
  int last = -1;
  std::string name;  // "pixels"
  LayerShape shape() const;
  std::size_t size() const { return shape().size(); }
  // How bilinear projections read a vector: rows of channels and pictures' rows, maps, filters of GIST; 0: no such reading.
  std::size_t matrix_rows() const;
};

// The pixels themselves, 0 to 1, channel by channel.
FeatureExtractor pixel_features(std::uint32_t width, std::uint32_t height, std::uint32_t channels);

// GIST (image/gist.h) of pictures brought to kGistSide, read as `channels` channels.
FeatureExtractor gist_features(std::uint32_t channels);

// The features of a model's network before its hash layer; with `map` those before the global pooling too, as a picture of
// `channels` maps: what bilinear projections read. The layers that only its hash and its logits need are left out. A model that
// averages a picture and its mirror image goes on doing so. Throws kInvalidArgument, `name` in the message, where the model has
// no such features.
FeatureExtractor network_features(const Model& model, bool map, const std::string& name);

// Computes feature vectors as the model of make_hash_model() will (with mirror_view the mean of both views' vectors, see there).
// Immutable; safe from many threads.
class FeatureReader {
 public:
  explicit FeatureReader(const FeatureExtractor& extractor);
  ~FeatureReader();
  void read(const Image& image, std::span<float> target) const;  // size() numbers

 private:
  Preprocessing preprocessing_;
  std::unique_ptr<Encoder> encoder_;  // null where the preprocessing gives the vector
};

// A linear map y = weight * x + bias of feature vectors (weight: size x input_size, row-major).
struct Projection {
  std::size_t input_size = 0, size = 0;
  std::vector<float> weight, bias;
  std::vector<float> apply(std::span<const float> values) const;
};
// Onto the first `dimensions` principal directions, or as many as the features vary in where these are fewer; y is centred.
// Throws kInvalidArgument for what fit_baseline refuses as features, for more than kMostCovarianceSize numbers a vector, and for
// no dimensions.
Projection fit_pca(const FeatureSet& features, std::size_t dimensions);
// The extractor with the projection as its last layer.
FeatureExtractor project(FeatureExtractor extractor, const Projection& projection);

// The model file of a perceptual hash (64 bits; nothing is learned): its codes are picture_hash() of every picture.
Model picture_hash_model(PictureHash kind, std::string training_record);

// The model file of a learned method: extractor, then hasher. Its codes are hasher.encode() of the features, up to rounding; but
// where the preprocessing has mirror_view, the outputs for a picture and for its mirror image are averaged, and the method
// learned from averaged features, which is the same for affine methods alone. Throws kInvalidArgument where the sizes of the two
// do not fit.
Model make_hash_model(const FeatureExtractor& extractor, const Hasher& hasher, std::vector<std::string> class_names,
                      std::string training_record);

}  // namespace signet
