#include "signet/eval/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "eval/interval.h"
#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

TEST(Bootstrap, IntervalEqualsTheNormalOneForManyQueries) {
  // For 2,000 differences of N(0.01, 0.1^2) the interval is the mean +- 1.96 standard errors.
  Random random(3);
  std::vector<double> a, b;
  double mean = 0, square = 0;
  for (int i = 0; i < 2000; ++i) {
    b.push_back(random.uniform());  // shared difficulty: cancels in the pair
    const double d = 0.01 + 0.1 * random.normal();
    a.push_back(b.back() + d);
    mean += d / 2000, square += d * d / 2000;
  }
  const double error = std::sqrt((square - mean * mean) / 2000);
  const PairedDifference diff = paired_bootstrap(a, b, {4000, 0.95, 1});
  EXPECT_NEAR(diff.mean, mean, 1e-12);
  EXPECT_NEAR(diff.low, mean - 1.96 * error, 0.1 * error);
  EXPECT_NEAR(diff.high, mean + 1.96 * error, 0.1 * error);
  EXPECT_EQ(diff.significant, diff.low > 0);
}

TEST(Bootstrap, CoversZeroAsOftenAsItSays) {
  int misses = 0;
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    Random random(trial + 1000);
    std::vector<double> a, b;
    for (int i = 0; i < 100; ++i) a.push_back(random.normal()), b.push_back(random.normal());
    misses += paired_bootstrap(a, b, {400, 0.9, trial}).significant;
  }
  EXPECT_GE(misses, 8);  // 20 expected
  EXPECT_LE(misses, 36);
}

TEST(Bootstrap, FewDrawsInATailNeverNarrowTheInterval) {
  std::vector<double> drawn;  // evenly from 0.01 to 1.99: standard deviation 0.58023
  for (int i = 0; i < 100; ++i) drawn.push_back(0.01 + 0.02 * i);
  const PairedDifference wide = eval::interval_of(1, drawn, 1 - 0.05 / 76);  // 0.03 draws a tail; z = 3.4062
  EXPECT_NEAR(wide.low, 1 - 3.4062 * 0.58023, 1e-3);
  EXPECT_NEAR(wide.high, 1 + 3.4062 * 0.58023, 1e-3);
  EXPECT_FALSE(wide.significant);                                    // no draw is below zero, and yet nothing is shown
  const PairedDifference enough = eval::interval_of(1, drawn, 0.8);  // 10 draws a tail: the percentiles
  EXPECT_NEAR(enough.low, 0.208, 1e-9);
  EXPECT_NEAR(enough.high, 1.792, 1e-9);
}

TEST(Bootstrap, SignAndSeed) {
  const std::vector<double> high{0.9, 0.8, 0.95, 0.85}, low{0.1, 0.2, 0.15, 0.05};
  EXPECT_TRUE(paired_bootstrap(high, low).significant);
  EXPECT_LT(paired_bootstrap(low, high).high, 0);
  EXPECT_TRUE(paired_bootstrap(low, high).significant);
  EXPECT_FALSE(paired_bootstrap(low, low).significant);
  EXPECT_EQ(paired_bootstrap(high, low, {500, 0.95, 9}).low, paired_bootstrap(high, low, {500, 0.95, 9}).low);
}

TEST(Bootstrap, BadInputIsRefused) {
  const std::vector<double> two{1, 2}, three{1, 2, 3}, one{1}, bad{1, std::numeric_limits<double>::quiet_NaN()};
  EXPECT_THROW(paired_bootstrap(two, three), Error);
  EXPECT_THROW(paired_bootstrap(one, one), Error);
  EXPECT_THROW(paired_bootstrap(two, bad), Error);
  EXPECT_THROW(paired_bootstrap(two, two, {10, 0.95, 1}), Error);
  EXPECT_THROW(paired_bootstrap(two, two, {1000, 1, 1}), Error);
}

}  // namespace
}  // namespace signet
