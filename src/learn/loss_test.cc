#include "learn/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

using at::Tensor;

constexpr double kNoCap = std::numeric_limits<double>::infinity();
constexpr HashLoss kReadings[] = {HashLoss::kExpInner, HashLoss::kExpProduct, HashLoss::kExpBitwise};

// Values in (-1, 1), none nearer to 0 than 0.05: R3 changes its sign there.
Tensor random_codes(std::int64_t n, std::int64_t bits, std::uint64_t seed, bool binary) {
  Random random(seed);
  Tensor u = at::empty({n, bits}, at::kDouble);
  double* data = u.data_ptr<double>();
  for (std::int64_t i = 0; i < u.numel(); ++i) {
    const double magnitude = binary ? 1 : 0.05 + 0.9 * random.uniform();
    data[i] = random.below(2) == 0 ? magnitude : -magnitude;
  }
  return u;
}

Tensor random_similarity(std::int64_t n, std::uint64_t seed, bool graded) {
  Random random(seed);
  Tensor y = at::zeros({n, n}, at::kDouble);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j <= i; ++j) {
      const double value = graded ? 2 * random.uniform() - 1 : (random.below(3) == 0 ? 1 : -1);
      y[i][j] = value;
      y[j][i] = value;
    }
  return y;
}

TEST(PairLoss, EqualsTheExactLossAtBinaryCodes) {
  for (const bool graded : {false, true}) {
    for (const std::int64_t bits : {1, 7, 64}) {
      const std::int64_t n = 12;
      const double alpha = 6, b = alpha / static_cast<double>(bits);
      const Tensor h = random_codes(n, bits, 1, true), y = random_similarity(n, 2, graded);
      const Tensor exact = (-b * y * at::matmul(h, h.t())).exp();
      for (const HashLoss reading : kReadings) {
        const PairLossOptions options{reading, alpha, kNoCap, true};
        EXPECT_LT(((pair_log_loss(h, y, options).exp() - exact) / exact).abs().max().item<double>(), 1e-6);
        const double expected = (exact * pair_weights(y, true)).sum().item<double>();
        EXPECT_NEAR(pair_loss(h, y, options).item<double>(), expected, 1e-6 * expected);
      }
    }
  }
}

TEST(PairLoss, GradientMatchesCentralDifferences) {
  const std::int64_t n = 7, bits = 5;
  const Tensor y = random_similarity(n, 4, true);
  for (const HashLoss reading : kReadings) {
    for (const double cap : {kNoCap, 0.3}) {
      for (const bool equal_mass : {true, false}) {
        const PairLossOptions options{reading, 4, cap, equal_mass};
        Tensor u = random_codes(n, bits, 3, false).set_requires_grad(true);
        pair_loss(u, y, options).backward();
        const Tensor gradient = u.grad();
        const at::NoGradGuard no_gradient;
        for (std::int64_t i = 0; i < n; ++i) {
          for (std::int64_t k = 0; k < bits; ++k) {
            const double step = 1e-6;
            Tensor above = u.detach().clone(), below = u.detach().clone();
            above[i][k] += step;
            below[i][k] -= step;
            const double slope = (pair_loss(above, y, options) - pair_loss(below, y, options)).item<double>() / (2 * step);
            ASSERT_NEAR(gradient[i][k].item<double>(), slope, 1e-7 + 1e-5 * std::abs(slope)) << "cap " << cap << " bit " << k;
          }
        }
      }
    }
  }
}

TEST(PairLoss, SingleFloatsAgreeWithDoubles) {  // the kernel for floats against the tensor version
  for (const std::int64_t bits : {1, 12, 100}) {
    const std::int64_t n = 301;  // no multiple of any block
    const Tensor y = random_similarity(n, 5, true);
    const PairLossOptions options;
    Tensor exact = random_codes(n, bits, 6, false).set_requires_grad(true);
    Tensor single = exact.detach().to(at::kFloat).set_requires_grad(true);
    const Tensor expected = pair_loss(exact, y, options), got = pair_loss(single, y.to(at::kFloat), options);
    EXPECT_NEAR(got.item<double>(), expected.item<double>(), 1e-5 * expected.item<double>());
    expected.backward();
    got.backward();
    const double scale = exact.grad().abs().max().item<double>();
    EXPECT_LT((exact.grad() - single.grad().to(at::kDouble)).abs().max().item<double>(), 2e-5 * scale);
  }
}

TEST(PairLoss, ProductIsNeverBelowInnerAndPressesOutwards) {
  const Tensor u = random_codes(20, 9, 8, false), y = random_similarity(20, 9, false);
  const Tensor product = pair_log_loss(u, y, {HashLoss::kExpProduct, 6, kNoCap, true});
  const Tensor inner = pair_log_loss(u, y, {HashLoss::kExpInner, 6, kNoCap, true});
  EXPECT_GE((product - inner).min().item<double>(), -1e-12);
  const Tensor centre = at::zeros({2, 9}, at::kDouble);
  EXPECT_NEAR(pair_log_loss(centre, at::ones({2, 2}, at::kDouble), {HashLoss::kExpProduct, 6, kNoCap, true})[0][1].item<double>(),
              9 * std::log(std::cosh(6.0 / 9)), 1e-12);
}

TEST(PairLoss, ExtremeInputsStayFinite) {
  for (const HashLoss reading : kReadings) {
    for (const double alpha : {1e-6, 40.0}) {
      for (const std::int64_t bits : {1, 12, 4096}) {
        for (const double value : {0.0, 1.0, -1.0}) {
          Tensor u = at::full({6, bits}, value, at::kFloat);
          u[0].neg_();
          u.set_requires_grad(true);
          const Tensor y = random_similarity(6, 10, true).to(at::kFloat);
          for (const double cap : {3.0, kNoCap}) {
            const Tensor loss = pair_loss(u, y, {reading, alpha, cap, true});
            loss.backward();
            EXPECT_TRUE(std::isfinite(loss.item<double>())) << alpha << " " << bits << " " << value;
            EXPECT_TRUE(u.grad().isfinite().all().item<bool>()) << alpha << " " << bits << " " << value;
          }
        }
      }
    }
  }
}

TEST(PairLoss, NoPairsGiveNothing) {
  Tensor one = at::full({1, 4}, 0.5, at::kFloat).set_requires_grad(true);
  const Tensor loss = pair_loss(one, at::ones({1, 1}, at::kFloat), {});
  loss.backward();
  EXPECT_EQ(loss.item<double>(), 0);
  EXPECT_EQ(one.grad().abs().sum().item<double>(), 0);
}

TEST(PairLoss, AboveTheCapTheLossIsItsTangent) {
  const Tensor u = at::ones({2, 4}, at::kDouble).set_requires_grad(true),
               y = at::full({2, 2}, -1.0, at::kDouble);  // log L = alpha
  for (const HashLoss reading : {HashLoss::kExpInner, HashLoss::kExpProduct}) {
    u.mutable_grad() = Tensor();
    const Tensor loss = pair_loss(u, y, {reading, 10, 2, true});
    EXPECT_NEAR(loss.item<double>(), std::exp(2.0) * (1 + 10 - 2), 1e-9);
    loss.backward();
    // d log L / d u_k is -y b u' = 2.5 for R1, and larger by 1 + ... for the chord of R2, whose slope at the corner is sinh b
    // e^b.
    const double slope = reading == HashLoss::kExpInner ? 2.5 : std::sinh(2.5) / std::exp(2.5);
    EXPECT_NEAR(u.grad()[0][0].item<double>(), std::exp(2.0) * slope, 1e-9);
  }
}

TEST(PairLoss, SimilarAndDissimilarPairsWeighTheSame) {
  const Tensor y = random_similarity(9, 11, false), weights = pair_weights(y, true);
  const Tensor off_diagonal = 1 - at::eye(9, at::kDouble);
  EXPECT_NEAR((weights * y.gt(0)).sum().item<double>(), 0.5, 1e-12);
  EXPECT_NEAR((weights * y.lt(0)).sum().item<double>(), 0.5, 1e-12);
  EXPECT_EQ(weights.diagonal().abs().sum().item<double>(), 0);
  EXPECT_NEAR((pair_weights(y, false) - off_diagonal / 72).abs().max().item<double>(), 0, 1e-15);
  EXPECT_NEAR(pair_weights(at::ones({3, 3}, at::kDouble), true).sum().item<double>(), 1, 1e-12);  // one kind only
}

TEST(PairLoss, WrongArgumentsAreRefused) {
  const Tensor u = at::zeros({3, 4}), y = at::zeros({3, 3});
  EXPECT_THROW(pair_loss(u, at::zeros({3, 2}), {}), Error);
  EXPECT_THROW(pair_loss(u, y, {HashLoss::kExpInner, 0, 3, true}), Error);
  EXPECT_THROW(pair_loss(u, y, {HashLoss::kExpInner, 41, 3, true}), Error);
  EXPECT_THROW(pair_loss(u, y, {HashLoss::kExpInner, 6, 0, true}), Error);
  EXPECT_THROW(pair_loss(u, y, {HashLoss::kExpInner, std::nan(""), 3, true}), Error);
}

// Codes themselves as free parameters: all of a class must end nearer to each other than to any other class.
TEST(PairLoss, AToySetReachesZeroRankingError) {
  const std::int64_t n = 24, classes = 3;
  Tensor y = at::full({n, n}, -1.0, at::kDouble);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      if (i % classes == j % classes) y[i][j] = 1;
  for (const HashLoss reading : kReadings) {
    Tensor v = (random_codes(n, 8, 12, false) * 0.3).set_requires_grad(true);
    for (int step = 0; step < 200; ++step) {
      pair_loss(v.tanh(), y, {reading, 6, 3, true}).backward();
      const at::NoGradGuard no_gradient;
      v.sub_(v.grad(), 2.0);
      v.mutable_grad() = Tensor();
    }
    const Tensor h = at::where(v.detach() >= 0, 1.0, -1.0).to(at::kDouble);
    const Tensor product = at::matmul(h, h.t());
    const double worst_same = product.masked_select(y.gt(0)).min().item<double>(),
                 best_other = product.masked_select(y.lt(0)).max().item<double>();
    EXPECT_GT(worst_same, best_other) << static_cast<int>(reading);
  }
}

TEST(NestedPairLoss, IsTheMeanOverTheLengthsEachWithItsOwnScale) {
  const Tensor u = random_codes(9, 12, 5, false), y = random_similarity(9, 6, false);
  for (const HashLoss reading : kReadings) {
    const PairLossOptions options{reading, 6, 3, true};
    const std::vector<std::uint32_t> lengths = {3, 8};
    const Tensor mean = (pair_loss(u, y, options) + pair_loss(u.narrow(1, 0, 3).contiguous(), y, options) +
                         pair_loss(u.narrow(1, 0, 8).contiguous(), y, options)) /
                        3;
    EXPECT_NEAR(nested_pair_loss(u, y, options, lengths).item<double>(), mean.item<double>(), 1e-12);
    EXPECT_EQ(nested_pair_loss(u, y, options, {}).item<double>(), pair_loss(u, y, options).item<double>());
  }
}

TEST(NestedPairLoss, GradientMatchesCentralDifferences) {
  const Tensor y = random_similarity(6, 4, false);
  const PairLossOptions options{HashLoss::kExpProduct, 5, 3, true};
  const std::vector<std::uint32_t> lengths = {2, 3};
  Tensor u = random_codes(6, 5, 3, false).set_requires_grad(true);
  nested_pair_loss(u, y, options, lengths).backward();
  const Tensor gradient = u.grad();
  const at::NoGradGuard no_gradient;
  for (std::int64_t i = 0; i < 6; ++i) {
    for (std::int64_t k = 0; k < 5; ++k) {
      Tensor above = u.detach().clone(), below = u.detach().clone();
      above[i][k] += 1e-6;
      below[i][k] -= 1e-6;
      const Tensor rise = nested_pair_loss(above, y, options, lengths) - nested_pair_loss(below, y, options, lengths);
      const double slope = rise.item<double>() / 2e-6;
      ASSERT_NEAR(gradient[i][k].item<double>(), slope, 1e-7 + 1e-5 * std::abs(slope)) << "bit " << k;
    }
  }
}

TEST(NestedPairLoss, RefusesLengthsThatAreNoBeginning) {
  const Tensor u = random_codes(4, 5, 3, false), y = random_similarity(4, 4, false);
  for (const std::uint32_t length : {0u, 5u, 6u})
    EXPECT_THROW(nested_pair_loss(u, y, {}, std::vector<std::uint32_t>{length}), Error) << length;
}

}  // namespace
}  // namespace signet
