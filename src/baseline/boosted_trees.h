#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "signet/encode/network.h"

namespace signet::baseline {

// Features cut into at most 256 bins at their quantiles, so that a split is one pass of counting.
class BinnedFeatures {
 public:
  BinnedFeatures(std::span<const float> values, std::size_t size);
  std::size_t count() const noexcept { return count_; }
  std::size_t size() const noexcept { return edges_.size(); }
  const std::uint8_t* column(std::size_t feature) const noexcept { return bins_.data() + feature * count_; }
  // Values at or above this belong to bins above `bin`.
  float threshold(std::size_t feature, std::uint8_t bin) const noexcept { return edges_[feature][bin]; }
  std::size_t bins(std::size_t feature) const noexcept { return edges_[feature].size() + 1; }

 private:
  std::size_t count_;
  std::vector<std::vector<float>> edges_;
  std::vector<std::uint8_t> bins_;
};

// Discrete AdaBoost (Freund & Schapire 1997) over decision trees of depth 4.
class BoostedTrees {
 public:
  static constexpr std::size_t kDepth = kTreeDepth, kNodes = kTreeNodes, kLeaves = kTreeLeaves;
  // target: +1 or -1, one a vector. Ends early where a tree makes no mistake or none is better than chance.
  BoostedTrees(const BinnedFeatures& features, std::span<const int> target, std::size_t trees);
  float operator()(const float* x) const noexcept;  // sum of weighted votes; its sign is the prediction
  std::size_t trees() const noexcept { return trees_.size(); }
  // Adds these trees to a layer of kind kTrees, `count` of them: after the last one come trees that vote 0.
  void append_to(Layer& layer, std::size_t count) const;

 private:
  struct Tree {
    std::uint32_t feature[kNodes];  // node i has children 2i + 1 (below the threshold) and 2i + 2
    float threshold[kNodes];
    float vote[kLeaves];
  };
  std::vector<Tree> trees_;
};

}  // namespace signet::baseline
