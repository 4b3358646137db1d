// FastHash: bits inferred by block graph cuts, then learned by boosted trees.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "baseline/boosted_trees.h"
#include "baseline/kernel_map.h"
#include "baseline/max_flow.h"
#include "signet/base/error.h"
#include "signet/baseline/methods.h"

namespace signet {
using namespace baseline;

namespace {

constexpr std::size_t kBlock = 128;  // points of one class whose bits one graph cut decides together
constexpr int kSweeps = 2;           // over all blocks, as published

class TreeHasher final : public Hasher {
 public:
  TreeHasher(std::vector<BoostedTrees> bits, std::size_t size, std::vector<double> objective)
      : bits_(std::move(bits)), size_(size) {
    objective_ = std::move(objective);
  }
  const std::string& method() const noexcept override { return method_; }
  std::uint32_t bits() const noexcept override { return static_cast<std::uint32_t>(bits_.size()); }
  std::size_t input_size() const noexcept override { return size_; }
  int append_to(Network& network, int input) const override {
    std::size_t most = 1;
    for (const BoostedTrees& bit : bits_) most = std::max(most, bit.trees());
    Layer layer;
    layer.kind = LayerKind::kTrees;
    layer.input = input;
    layer.out = bits();
    for (const BoostedTrees& bit : bits_) bit.append_to(layer, most);
    network.layers.push_back(std::move(layer));
    return static_cast<int>(network.layers.size()) - 1;
  }
  std::vector<float> outputs(std::span<const float> values) const override {
    const Features x = checked_values(method_, values, size_);
    std::vector<float> out;
    out.reserve(static_cast<std::size_t>(x.rows()) * bits_.size());
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
      for (const BoostedTrees& bit : bits_) out.push_back(bit(x.row(i).data()));
    }
    return out;
  }

 private:
  std::string method_ = "fasthash";
  std::vector<BoostedTrees> bits_;
  std::size_t size_;
};

// The pair loss and its minimisation over one bit at a time. With D the Hamming distance of the r bits so far: D^2 for a pair
// that shares a label, max(r/2 - D, 0)^2 for another; all times 4, so that everything is a whole number.
class PairInference {
 public:
  PairInference(const MatrixXd& indicators, const std::vector<Eigen::Index>& which)
      : n_(which.size()), similar_(n_ * n_), distance_(n_ * n_) {
    std::map<std::vector<double>, std::vector<std::size_t>>
        by_labels;  // points that agree in all labels: pairs inside a block are similar
    for (std::size_t i = 0; i < n_; ++i) {
      const Eigen::RowVectorXd y = indicators.row(which[i]);
      by_labels[{y.data(), y.data() + y.size()}].push_back(i);
      for (std::size_t j = 0; j < n_; ++j) similar_[i * n_ + j] = y.dot(indicators.row(which[j])) > 0;
    }
    for (const auto& group : by_labels) {
      for (std::size_t begin = 0; begin < group.second.size(); begin += kBlock) {
        const auto first = group.second.begin() + static_cast<std::ptrdiff_t>(begin);
        blocks_.emplace_back(first, first + static_cast<std::ptrdiff_t>(std::min(kBlock, group.second.size() - begin)));
      }
    }
  }

  // Signs of the next bit that lower the loss: from a spectral start, block after block exactly.
  std::vector<int> infer(int bit, Random& random) {
    std::vector<std::int64_t> a(n_ *
                                n_);  // loss of equal signs - loss of different signs; the energy is sum over pairs of a z z' / 2
    for (std::size_t i = 0; i < a.size(); ++i)
      a[i] = loss(similar_[i], distance_[i], bit + 1) - loss(similar_[i], distance_[i] + 1, bit + 1);
    std::vector<int> z = spectral(a, random);
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      for (const auto& block : blocks_) cut(a, block, z);
    }
    return z;
  }

  void append(const std::vector<int>& z) {
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t j = 0; j < n_; ++j) distance_[i * n_ + j] += z[i] != z[j];
    }
  }

  // Mean pair loss, in units of squared bits, per squared bit.
  double mean_loss(int bits) const {
    double sum = 0;
    for (std::size_t i = 0; i < similar_.size(); ++i) sum += static_cast<double>(loss(similar_[i], distance_[i], bits));
    return sum / 4 / static_cast<double>(similar_.size()) / (bits * bits);
  }

 private:
  static std::int64_t loss(bool similar, int distance, int bits) {
    const std::int64_t gap = similar ? 2 * distance : std::max(bits - 2 * distance, 0);
    return gap * gap;
  }

  // Signs of the eigenvector of A's smallest eigenvalue, which is the best vector of real numbers, by power iteration on c I - A.
  // That vector grows fastest where c is above the mean of A's smallest and largest eigenvalue. The largest row sum is so for
  // certain; a quarter of it converges sooner. At the first bit, with C classes of m points each, A is -4 within a class and 1
  // between classes: eigenvalues -5 m (differences between classes) and (C - 5) m (the same sign everywhere), row sums (C + 3) m,
  // so that a quarter of them is enough for C < 23. Of more classes the same sign everywhere grows fastest, and the cuts that
  // follow do without a good start.
  std::vector<int> spectral(const std::vector<std::int64_t>& a, Random& random) const {
    std::vector<double> v(n_), next(n_);
    double shift = 0;
    for (std::size_t i = 0; i < n_; ++i) {
      v[i] = random.normal();
      double row = 0;
      for (std::size_t j = 0; j < n_; ++j) row += std::abs(static_cast<double>(a[i * n_ + j]));
      shift = std::max(shift, row);
    }
    for (int round = 0; round < 30; ++round) {
      double norm = 0;
      for (std::size_t i = 0; i < n_; ++i) {
        double sum = shift * v[i] * 0.25;
        for (std::size_t j = 0; j < n_; ++j) sum -= static_cast<double>(a[i * n_ + j]) * v[j];
        next[i] = sum;
        norm += sum * sum;
      }
      if (!(norm > 0)) break;
      for (std::size_t i = 0; i < n_; ++i) v[i] = next[i] / std::sqrt(norm);
    }
    std::vector<int> z(n_);
    for (std::size_t i = 0; i < n_; ++i) z[i] = v[i] >= 0 ? 1 : -1;
    return z;
  }

  void cut(const std::vector<std::int64_t>& a, const std::vector<std::size_t>& block, std::vector<int>& z) const {
    BinaryEnergy energy(block.size());
    for (std::size_t i = 0; i < block.size(); ++i) {
      const std::int64_t* row = a.data() + block[i] * n_;
      std::int64_t outside = 0;
      for (std::size_t j = 0; j < n_; ++j) outside += row[j] * z[j];
      for (const std::size_t j : block) outside -= row[j] * z[j];
      energy.add_unary(i, outside);
      for (std::size_t j = i + 1; j < block.size(); ++j) energy.add_pair(i, j, row[block[j]]);  // similar: D^2 - (D + 1)^2 < 0
    }
    const std::vector<int> best = energy.minimise();
    for (std::size_t i = 0; i < block.size(); ++i) z[block[i]] = best[i];
  }

  std::size_t n_;
  std::vector<std::uint8_t> similar_;
  std::vector<int> distance_;
  std::vector<std::vector<std::size_t>> blocks_;
};

}  // namespace

std::unique_ptr<Hasher> fit_fasthash(const FeatureSet& set, const BaselineOptions& options) {
  const Features x = checked("fasthash", set, options);
  const MatrixXd y = indicators("fasthash", set);
  if (options.labelled < 2 || options.labelled > 20000) {
    fail(ErrorCode::kInvalidArgument, "fasthash forms all pairs of 2 to 20000 labelled vectors, not of ", options.labelled);
  }
  Random random(options.seed);
  const std::vector<Eigen::Index> which = draw(options.labelled, set.count(), random);
  std::vector<float> chosen;
  for (const Eigen::Index i : which) chosen.insert(chosen.end(), x.row(i).data(), x.row(i).data() + x.cols());
  const BinnedFeatures binned(chosen, set.size);
  PairInference pairs(y, which);
  std::vector<BoostedTrees> bits;
  std::vector<double> objective;
  for (std::uint32_t bit = 0; bit < options.bits; ++bit) {
    report(options, "fasthash", bit, options.bits);
    const std::vector<int> target = pairs.infer(static_cast<int>(bit), random);
    bits.emplace_back(binned, target, options.rounds);
    std::vector<int> learned(options.labelled);  // later bits mend what the trees got wrong
    for (std::size_t i = 0; i < options.labelled; ++i) learned[i] = bits.back()(chosen.data() + i * set.size) >= 0 ? 1 : -1;
    pairs.append(learned);
    objective.push_back(pairs.mean_loss(static_cast<int>(bit) + 1));
  }
  return std::make_unique<TreeHasher>(std::move(bits), set.size, std::move(objective));
}

}  // namespace signet
