#include <gtest/gtest.h>

#include <algorithm>

#include "baseline/boosted_trees.h"
#include "baseline/max_flow.h"
#include "signet/base/random.h"

namespace signet::baseline {
namespace {

TEST(BinaryEnergy, FindsTheMinimumOfEverySmallEnergy) {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    const std::size_t n = 1 + random.below(9);
    std::vector<std::int64_t> unary(n), pair(n * n);
    BinaryEnergy energy(n);
    for (std::size_t i = 0; i < n; ++i) {
      unary[i] = static_cast<std::int64_t>(random.below(41)) - 20;
      energy.add_unary(i, unary[i]);
      for (std::size_t j = 0; j < i; ++j) {
        pair[i * n + j] = random.below(3) == 0 ? 0 : -static_cast<std::int64_t>(random.below(15));
        energy.add_pair(i, j, pair[i * n + j]);
      }
    }
    const auto value = [&](const std::vector<int>& z) {
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < n; ++i) {
        sum += unary[i] * z[i];
        for (std::size_t j = 0; j < i; ++j) sum += pair[i * n + j] * z[i] * z[j];
      }
      return sum;
    };
    std::int64_t best = value(std::vector<int>(n, 1));
    for (std::size_t mask = 0; mask < (std::size_t{1} << n); ++mask) {
      std::vector<int> z(n);
      for (std::size_t i = 0; i < n; ++i) z[i] = (mask >> i & 1) != 0 ? 1 : -1;
      best = std::min(best, value(z));
    }
    EXPECT_EQ(value(energy.minimise()), best) << "round " << round;
  }
}

TEST(BinaryEnergy, WithoutPreferencesEverythingIsPlus) {
  BinaryEnergy energy(3);
  energy.add_pair(0, 1, -5);
  EXPECT_EQ(energy.minimise(), (std::vector<int>{1, 1, 1}));
}

TEST(BinnedFeatures, KeepTheOrderOfValues) {
  const std::vector<float> values{3, 7, 1, 7, 2, 7, 3, 7};  // the second feature is constant
  const BinnedFeatures binned(values, 2);
  EXPECT_EQ(binned.bins(1), 1u);
  const std::uint8_t* c = binned.column(0);
  EXPECT_LT(c[1], c[2]);
  EXPECT_LT(c[2], c[0]);
  EXPECT_EQ(c[0], c[3]);
}

TEST(BoostedTrees, LearnACheckerboard) {
  Random random(2);
  std::vector<float> x;
  std::vector<int> target;
  for (int i = 0; i < 1200; ++i) {
    const float a = static_cast<float>(random.uniform()), b = static_cast<float>(random.uniform());
    x.insert(x.end(), {a, b, static_cast<float>(random.uniform())});
    target.push_back((a > 0.5f) == (b > 0.3f) ? 1 : -1);
  }
  const BinnedFeatures binned(std::span<const float>(x).first(1800), 3);
  const BoostedTrees trees(binned, std::span<const int>(target).first(600), 50);
  int right = 0;
  for (std::size_t i = 600; i < 1200; ++i) right += (trees(x.data() + i * 3) >= 0 ? 1 : -1) == target[i];
  EXPECT_GT(right, 570);
}

TEST(BoostedTrees, OneClassAndNothingToSplit) {
  const std::vector<float> same{1, 1, 1, 1};
  const BinnedFeatures binned(same, 1);
  const std::vector<int> plus{1, 1, 1, 1}, half{1, -1, 1, -1};
  EXPECT_GE(BoostedTrees(binned, plus, 10)(same.data()), 0);
  EXPECT_EQ(BoostedTrees(binned, half, 10).trees(), 0u);
}

}  // namespace
}  // namespace signet::baseline
