#include <gtest/gtest.h>

#include <cmath>

#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/eval/metrics.h"

namespace signet {
namespace {

CodeMatrix random_codes(std::size_t n, std::uint32_t bits, std::uint64_t seed) {
  Random random(seed);
  CodeMatrix codes(n, bits);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::uint32_t k = 0; k < bits; ++k) {
      if (random.uniform() < 0.2 + 0.5 * k / bits) codes.row(i)[k / 8] |= static_cast<std::uint8_t>(1u << (k % 8));
    }
  }
  return codes;
}

TEST(CodeHealth, EqualsTheTextbookCorrelation) {
  const CodeMatrix codes = random_codes(131, 11, 1);
  const CodeHealth health = code_health(codes);
  for (std::uint32_t a = 0; a < 11; ++a) {
    for (std::uint32_t b = 0; b < 11; ++b) {
      double ma = 0, mb = 0, cov = 0, va = 0, vb = 0;
      for (std::size_t i = 0; i < 131; ++i) ma += codes.bit(i, a) / 131.0, mb += codes.bit(i, b) / 131.0;
      for (std::size_t i = 0; i < 131; ++i) {
        cov += (codes.bit(i, a) - ma) * (codes.bit(i, b) - mb);
        va += (codes.bit(i, a) - ma) * (codes.bit(i, a) - ma);
        vb += (codes.bit(i, b) - mb) * (codes.bit(i, b) - mb);
      }
      EXPECT_NEAR(health.correlation[a * 11 + b], cov / std::sqrt(va * vb), 1e-12);
      EXPECT_NEAR(health.bit_mean[a], ma, 1e-12);
    }
  }
}

TEST(CodeHealth, ConstantAndEqualBitsAreSeen) {
  CodeMatrix codes(4, 3);  // bit 0 constant, bits 1 and 2 equal
  codes.row(1)[0] = codes.row(2)[0] = 6;
  const CodeHealth health = code_health(codes);
  EXPECT_EQ(health.bit_mean, (std::vector<double>{0, 0.5, 0.5}));
  EXPECT_NEAR(health.mean_entropy, 2.0 / 3, 1e-12);
  EXPECT_DOUBLE_EQ(health.max_correlation, 1);
  EXPECT_NEAR(health.mean_correlation, 1.0 / 3, 1e-12);
  EXPECT_EQ(health.distinct_codes, 2u);
  EXPECT_DOUBLE_EQ(health.largest_bucket, 0.5);
}

TEST(CodeHealth, NoCodesAndLongCodes) {
  EXPECT_EQ(code_health(CodeMatrix(0, 8)).distinct_codes, 0u);
  const CodeHealth health = code_health(random_codes(20, 600, 3));
  EXPECT_TRUE(health.correlation.empty());
  EXPECT_EQ(health.bit_mean.size(), 600u);
  EXPECT_GT(health.max_correlation, 0.5);
}

TEST(ClassIdCodes, AreTheBinaryNumbersOfTheClasses) {
  const std::vector<std::int32_t> classes{0, 9, 5};
  const CodeMatrix codes = class_id_codes(classes, 10);
  EXPECT_EQ(codes.bits(), 4u);
  EXPECT_EQ(codes.row(1)[0], 9);
  EXPECT_EQ(codes.row(2)[0], 5);
  EXPECT_EQ(class_id_codes(std::vector<std::int32_t>{1}, 2).bits(), 1u);
  EXPECT_EQ(class_id_codes(std::vector<std::int32_t>{15}, 16).bits(), 4u);
  EXPECT_THROW(class_id_codes(classes, 9), Error);
  EXPECT_THROW(class_id_codes(std::vector<std::int32_t>{-1}, 9), Error);
}

}  // namespace
}  // namespace signet
