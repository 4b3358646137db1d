#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "signet/base/progress.h"
#include "signet/code/code_matrix.h"
#include "signet/encode/network.h"

namespace signet {

// Real feature vectors, n x size, row-major, and their labels: what a shallow method learns from.
struct FeatureSet {
  std::span<const float> values;
  std::size_t size = 0;                               // numbers a vector
  std::span<const std::vector<std::int32_t>> labels;  // one list a vector; may be empty for methods that do not look at labels
  std::size_t count() const noexcept { return size == 0 ? 0 : values.size() / size; }
};

// A learned map from feature vectors to K bits: bit k = 1 where output k >= 0. Immutable; safe from many threads.
class Hasher {
 public:
  virtual ~Hasher() = default;
  virtual const std::string& method() const noexcept = 0;  // "itq"
  virtual std::uint32_t bits() const noexcept = 0;
  virtual std::size_t input_size() const noexcept = 0;
  // Outputs before the sign, n x bits, row-major. Throws kInvalidArgument where `values` is no whole number of vectors or not
  // finite.
  virtual std::vector<float> outputs(std::span<const float> values) const = 0;
  CodeMatrix encode(std::span<const float> values) const { return pack_signs(outputs(values), bits()); }

  // Adds layers to `network` that compute the outputs from the flattened output of layer `input` (-1: the network's input), and
  // returns the last one's number.
  virtual int append_to(Network& network, int input) const = 0;

  // Where the outputs are weight * x + bias (weight: bits x input_size, row-major). nullptr for other maps.
  struct Affine {
    std::vector<float> weight, bias;
  };
  virtual const Affine* affine() const noexcept { return nullptr; }

  // The method's own objective after each round of its learning, where it has one (each method's comment says which way it
  // moves).
  const std::vector<double>& objective() const noexcept { return objective_; }

 protected:
  std::vector<double> objective_;
};

// Fields that a method does not use are ignored; a method's comment in methods.h names those that it uses.
struct BaselineOptions {
  std::uint32_t bits = 12;       // K, 1 to 4096; a method may be able to give fewer
  std::uint64_t seed = 1;        // of everything random
  std::size_t rounds = 0;        // outer iterations; 0: as published
  std::size_t anchors = 0;       // of kernel methods; 0: as published (KSH 300, SDH 1000)
  std::size_t labelled = 1000;   // KSH, FastHash: training points that form pairs
  double ridge = 1e-4;           // ITQ-CCA, bilinear-lda: added to covariances, relative to their mean variance
  double lambda = 1, nu = 1e-5;  // SDH: weight of ||W||^2 and of the fit to the features
  std::size_t rows = 0;  // bilinear: a vector is a matrix of this many rows; 0: the divisor of size nearest to its square root
  ProgressFn progress;   // called between rounds or bits; false stops with Error{kCancelled}
};

// Learns `method` (one of baseline_names()). Deterministic by seed. Throws kUsage for an unknown name; kInvalidArgument for
// features that are none, not finite, all equal or lose their differences in single precision, vectors too long for a covariance,
// labels that do not fit or are missing, the same labels everywhere, and more bits than the method can give, saying how many it
// can.
std::unique_ptr<Hasher> fit_baseline(const std::string& method, const FeatureSet& features, const BaselineOptions& options);
std::vector<std::string> baseline_names();

// Whether a method can do nothing without labels. Throws kUsage for an unknown method.
bool learns_from_labels(const std::string& method);

// Whether a method computes the covariance of all features, numbers a vector squared, which it does for vectors of at most
// kMostCovarianceSize numbers: 2 GB. Throws kUsage for an unknown method.
bool needs_covariance(const std::string& method);
inline constexpr std::size_t kMostCovarianceSize = 16'384;

// The fields of BaselineOptions that a method reads beside bits and seed, by name: "rounds", "anchors", "labelled", "ridge",
// "lambda", "nu", "rows". Throws kUsage for an unknown method.
std::vector<std::string> baseline_parameters(const std::string& method);

// What fit_baseline makes of `options` for so many vectors: the published rounds and anchors where they are 0, and no more
// labelled vectors than there are (nor anchors of a published number). Throws kUsage for an unknown method.
BaselineOptions effective_options(const std::string& method, const BaselineOptions& options, std::size_t vectors);

}  // namespace signet
