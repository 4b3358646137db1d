#include "baseline/boosted_trees.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace signet::baseline {
namespace {

constexpr std::size_t kMaxBins = 256;

// Weight of +1 and of -1.
using Masses = std::array<double, 2>;

struct Split {
  std::uint32_t feature = 0;
  std::uint8_t bin = 0;
  double error = std::numeric_limits<double>::infinity();
};

// Grows one tree level by level: for each feature one pass fills the histograms of all nodes of the level.
class Grower {
 public:
  Grower(const BinnedFeatures& x, std::span<const int> target, const std::vector<double>& weight)
      : x_(x), target_(target), weight_(weight), node_(x.count(), 0) {}

  std::vector<Split> level(std::size_t nodes) {
    std::vector<Split> best(nodes);
    std::vector<Masses> masses(nodes * kMaxBins);
    for (std::size_t f = 0; f < x_.size(); ++f) {
      std::fill(masses.begin(), masses.end(), Masses{});
      const std::uint8_t* bin = x_.column(f);
      for (std::size_t i = 0; i < x_.count(); ++i) masses[node_[i] * kMaxBins + bin[i]][target_[i] < 0] += weight_[i];
      for (std::size_t n = 0; n < nodes; ++n) consider(f, masses.data() + n * kMaxBins, best[n]);
    }
    for (std::size_t i = 0; i < x_.count(); ++i) {
      const Split& s = best[node_[i]];
      node_[i] = node_[i] * 2 + (x_.column(s.feature)[i] > s.bin ? 1 : 0);
    }
    return best;
  }
  const std::vector<std::size_t>& leaves() const { return node_; }

 private:
  // A split's cost is the Gini impurity of its two sides: unlike the error it also prefers purer sides of the same majority.
  void consider(std::size_t f, const Masses* masses, Split& best) const {
    Masses all{}, low{};
    for (std::size_t b = 0; b < x_.bins(f); ++b) all[0] += masses[b][0], all[1] += masses[b][1];
    const auto impurity = [](double p, double q) { return p + q > 0 ? p * q / (p + q) : 0; };
    for (std::size_t b = 0; b + 1 < x_.bins(f); ++b) {
      low[0] += masses[b][0], low[1] += masses[b][1];
      const double cost = impurity(low[0], low[1]) + impurity(std::max(0.0, all[0] - low[0]), std::max(0.0, all[1] - low[1]));
      if (cost < best.error) best = {static_cast<std::uint32_t>(f), static_cast<std::uint8_t>(b), cost};
    }
  }

  const BinnedFeatures& x_;
  std::span<const int> target_;
  const std::vector<double>& weight_;
  std::vector<std::size_t> node_;
};

}  // namespace

BinnedFeatures::BinnedFeatures(std::span<const float> values, std::size_t size)
    : count_(values.size() / size), edges_(size), bins_(values.size()) {
  std::vector<float> sorted(count_);
  for (std::size_t f = 0; f < size; ++f) {
    for (std::size_t i = 0; i < count_; ++i) sorted[i] = values[i * size + f];
    std::sort(sorted.begin(), sorted.end());
    std::vector<float>& edges = edges_[f];
    for (std::size_t b = 1; b < kMaxBins; ++b) {
      const float edge = sorted[std::min(count_ - 1, b * count_ / kMaxBins)];
      if (edge > sorted[0] && (edges.empty() || edge > edges.back())) edges.push_back(edge);
    }
    for (std::size_t i = 0; i < count_; ++i) {
      bins_[f * count_ + i] =
          static_cast<std::uint8_t>(std::upper_bound(edges.begin(), edges.end(), values[i * size + f]) - edges.begin());
    }
  }
}

BoostedTrees::BoostedTrees(const BinnedFeatures& x, std::span<const int> target, std::size_t trees) {
  const std::size_t n = x.count();
  std::vector<double> weight(n, 1.0 / static_cast<double>(n));
  while (trees_.size() < trees) {
    Grower grower(x, target, weight);
    Tree tree{};
    for (std::size_t depth = 0, first = 0; depth < kDepth; first = 2 * first + 1, ++depth) {
      const std::vector<Split> splits = grower.level(std::size_t{1} << depth);
      for (std::size_t i = 0; i < splits.size(); ++i) {
        const Split& s = splits[i];
        const bool useless =
            std::isinf(s.error);  // no feature has two values: everything goes down the left side, as in the grower
        tree.feature[first + i] = s.feature;
        tree.threshold[first + i] = useless ? std::numeric_limits<float>::infinity() : x.threshold(s.feature, s.bin);
      }
    }
    std::array<Masses, kLeaves> masses{};
    for (std::size_t i = 0; i < n; ++i) masses[grower.leaves()[i]][target[i] < 0] += weight[i];
    double error = 0;
    for (const Masses& m : masses) error += std::min(m[0], m[1]);
    if (error >= 0.5 - 1e-9) break;
    const double alpha = 0.5 * std::log((1 - error) / std::max(error, 1e-6));
    for (std::size_t l = 0; l < kLeaves; ++l) tree.vote[l] = static_cast<float>(masses[l][0] >= masses[l][1] ? alpha : -alpha);
    trees_.push_back(tree);
    if (error <= 1e-9) break;
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      weight[i] *= std::exp(-static_cast<double>(tree.vote[grower.leaves()[i]]) * target[i]);
      sum += weight[i];
    }
    for (double& w : weight) w /= sum;
  }
}

void BoostedTrees::append_to(Layer& layer, std::size_t count) const {
  for (std::size_t t = 0; t < count; ++t) {
    const Tree tree = t < trees_.size() ? trees_[t] : Tree{};
    layer.picks.insert(layer.picks.end(), tree.feature, tree.feature + kNodes);
    // A node without a split sends everything to the left; a layer's thresholds are finite.
    for (const float threshold : tree.threshold) layer.weight.push_back(std::min(threshold, std::numeric_limits<float>::max()));
    layer.bias.insert(layer.bias.end(), tree.vote, tree.vote + kLeaves);
  }
}

float BoostedTrees::operator()(const float* x) const noexcept {
  float sum = 0;
  for (const Tree& tree : trees_) {
    std::size_t node = 0;
    while (node < kNodes) node = 2 * node + (x[tree.feature[node]] >= tree.threshold[node] ? 2 : 1);
    sum += tree.vote[node - kNodes];
  }
  return sum;
}

}  // namespace signet::baseline
