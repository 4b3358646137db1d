#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "learn/torch.h"

namespace signet {

// The network after airbench (K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024), with a hash layer in front of
// the classifier:
//   whiten 2x2 (frozen), GELU, three blocks, global max-pool -> features z (F numbers)
//   stage "features":  logits = W1 z / 9
//   with the hash layer: v = BN(W2 z) (no scale, no shift), u = tanh(v), logits = W3 u + b3: the classifier sees only the soft
//   code
// Block: conv 3x3, max-pool 2, BN, GELU, then one more conv, BN, GELU (depth 2) or two with a skip around them (depth 3).
struct NetworkShape {
  std::uint32_t channels = 1, height = 28, width = 28;  // of the input
  std::array<std::uint32_t, 3> widths{32, 64, 128};     // of the blocks; the last is the feature size F
  std::uint32_t depth = 2;                              // convolutions a block, 2 or 3
  std::uint32_t classes = 10, bits = 12;
};

// small, medium, wide, large; throws kUsage for another name, kInvalidArgument for an input below 16 x 16 that three poolings
// would leave empty.
NetworkShape network_shape(const std::string& arch, std::uint32_t channels, std::uint32_t height, std::uint32_t width,
                           std::uint32_t classes, std::uint32_t bits);

enum class Role {
  kFrozen,     // never trained
  kWeight,     // trained
  kFilter,     // of a convolution in front of a batch normalisation, which makes its scale meaningless: trained
  kNormShift,  // shift of a batch normalisation: trained with a larger rate
  kStatistic,  // running mean or variance
};

constexpr bool is_trained(Role role) { return role == Role::kWeight || role == Role::kFilter || role == Role::kNormShift; }

struct Parameter {
  std::string name;  // "block1.conv2.weight"
  Role role = Role::kWeight;
  at::Tensor value;  // float32
};

// Whether 3 x 3 convolutions are our own (learn/convolution.h) or libtorch's on this machine: their last digits differ.
bool convolves_by_winograd(const at::Device& device);

class HashNetwork {
 public:
  HashNetwork(const NetworkShape& shape, std::uint64_t seed, const at::Device& device);  // identity (dirac) convolutions
  HashNetwork(const HashNetwork&) = delete;
  HashNetwork& operator=(const HashNetwork&) = delete;

  // Fits the frozen first layer: eigenvectors of the 2x2 patches' covariance, scaled to unit variance, and their negatives.
  // images: n x channels x height x width, normalised as in training.
  void fit_whitening(const at::Tensor& images);

  enum class Mode { kTrain, kEvaluate };  // kTrain: batch statistics, and the running ones move
  struct Result {
    at::Tensor features, hash, code,
        logits;  // n x F, n x K (v), n x K (u = tanh v), n x classes; hash and code undefined without hash layer
  };
  // hash_layer: whether the logits come from the soft code or from the features. bfloat16: the feature layers run in it.
  Result forward(const at::Tensor& images, Mode mode, bool hash_layer, bool bfloat16);

  // Share of the batch in the running statistics: 0.4 while training; 1 / (i + 1) over i = 0, 1, ... averages them (statistics of
  // averaged weights).
  void set_statistics_rate(double rate) { statistics_rate_ = rate; }

  // Everything that makes the network, in a fixed order: what checkpoints, averaging and the optimiser go through.
  std::vector<Parameter>& parameters() { return parameters_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  const at::Tensor& value(const std::string& name) const;  // throws std::out_of_range
  const NetworkShape& shape() const { return shape_; }

 private:
  at::Tensor& add(const std::string& name, Role role, at::Tensor value);
  void add_norm(const std::string& name, std::int64_t width, bool shift);
  at::Tensor convolve(const at::Tensor& x, const std::string& name, std::int64_t pad) const;
  at::Tensor normalise(const at::Tensor& x, const std::string& name, Mode mode);
  at::Tensor block(at::Tensor x, std::size_t index, Mode mode);
  at::Tensor features(const at::Tensor& images, Mode mode, bool bfloat16);

  NetworkShape shape_;
  std::vector<Parameter> parameters_;
  double statistics_rate_ = 0.4;
};

inline constexpr double kNormEpsilon = 1e-5;         // added to every variance before its root
inline constexpr double kClassifierScale = 1.0 / 9;  // of the features' classifier

}  // namespace signet
