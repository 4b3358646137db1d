#include "eval/quantile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace signet::eval {
namespace {

TEST(Quantile, NormalOnesAreThoseOfTheTables) {
  EXPECT_NEAR(normal_quantile(0.5), 0, 1e-9);
  EXPECT_NEAR(normal_quantile(0.025), 1.959964, 1e-6);
  EXPECT_NEAR(normal_quantile(0.025 / 76), 3.406, 1e-3);
}

TEST(Quantile, StudentOnesAreThoseOfTheTables) {
  // Two closed forms, then printed tables (Abramowitz & Stegun 1964, table 26.10).
  EXPECT_NEAR(student_quantile(0.0005, 1), std::tan(std::numbers::pi * 0.4995), 1e-3);
  EXPECT_NEAR(student_quantile(0.005, 2), 0.99 * std::sqrt(2 / (1 - 0.99 * 0.99)), 1e-5);
  EXPECT_NEAR(student_quantile(0.025, 4), 2.776, 1e-3);
  EXPECT_NEAR(student_quantile(0.0005, 4), 8.610, 1e-3);
  EXPECT_NEAR(student_quantile(0.0005, 10), 4.587, 1e-3);
  EXPECT_NEAR(student_quantile(0.025, 30), 2.042, 1e-3);
  EXPECT_NEAR(student_quantile(0.005, 120), 2.617, 1e-3);
}

TEST(Quantile, DegreesOfFreedomBetweenWholeOnesLieBetween) {
  EXPECT_NEAR(student_quantile(0.0005, 1.5), 82.8474, 1e-3);  // by the incomplete beta function
  for (const double whole : {1.0, 2.0, 5.0, 40.0}) {
    EXPECT_LT(student_quantile(0.001, whole + 0.5), student_quantile(0.001, whole));
    EXPECT_GT(student_quantile(0.001, whole + 0.5), student_quantile(0.001, whole + 1));
  }
}

TEST(Quantile, ManyDegreesOfFreedomAreTheNormalDistribution) {
  EXPECT_NEAR(student_quantile(0.0005, 9.9e4), normal_quantile(0.0005), 1e-3);
  EXPECT_EQ(student_quantile(0.0005, 1e6), normal_quantile(0.0005));
}

}  // namespace
}  // namespace signet::eval
