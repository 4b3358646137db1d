#include "learn/target_codes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "signet/base/error.h"

namespace signet {
namespace {

using LabelSets = std::vector<std::vector<std::int32_t>>;

std::size_t distance(const SignRows& rows, std::size_t i, std::size_t j) {
  std::size_t different = 0;
  for (std::size_t k = 0; k < rows.bits; ++k) different += rows.row(i)[k] != rows.row(j)[k] ? 1u : 0u;
  return different;
}
std::size_t ones(const SignRows& rows, std::size_t i) { return static_cast<std::size_t>(std::ranges::count(rows.row(i), 1)); }

std::size_t constant_bits(const SignRows& rows) {
  std::size_t constant = 0;
  for (std::size_t k = 0; k < rows.bits; ++k) {
    std::set<int> values;
    for (std::size_t i = 0; i < rows.size(); ++i) values.insert(rows.row(i)[k]);
    constant += values.size() == 1 ? 1u : 0u;
  }
  return constant;
}

std::size_t different(const SignRows& rows) {
  std::set<std::vector<std::int8_t>> seen;
  for (std::size_t i = 0; i < rows.size(); ++i) seen.emplace(rows.row(i).begin(), rows.row(i).end());
  return seen.size();
}

TEST(ClassCentres, RowsOfHadamardDifferInHalfOfTheBitsOrInAll) {
  for (const std::size_t classes : {2u, 10u, 32u}) {
    const SignRows rows = class_centres(CentreKind::kHadamard, classes, 16, 1, "csq");
    ASSERT_EQ(rows.size(), classes);
    for (std::size_t i = 0; i < classes; ++i)
      for (std::size_t j = 0; j < i; ++j) EXPECT_TRUE(distance(rows, i, j) == 8 || distance(rows, i, j) == 16);
    EXPECT_EQ(constant_bits(rows), 0u) << classes;
  }
}

TEST(ClassCentres, WhereThereIsNoHadamardMatrixTheyAreBalanced) {
  for (const auto& [classes, bits] : {std::pair{10u, 12u}, {33u, 16u}, {10u, 48u}, {6u, 3u}}) {
    const SignRows rows = class_centres(CentreKind::kHadamard, classes, bits, 1, "csq");
    ASSERT_EQ(rows.size(), classes);
    EXPECT_EQ(different(rows), classes);
    for (std::size_t i = 0; i < classes; ++i)
      EXPECT_LE(std::abs(2 * static_cast<int>(ones(rows, i)) - static_cast<int>(bits)), 1);
    EXPECT_EQ(rows.values, class_centres(CentreKind::kBalanced, classes, bits, 1, "dpn").values);
  }
}

TEST(ClassCentres, AreFarApartAndFollowTheSeed) {
  const SignRows twelve = class_centres(CentreKind::kBalanced, 10, 12, 1, "dpn");
  const SignRows many = class_centres(CentreKind::kBernoulli, 10, 48, 1, "orthohash");
  std::size_t least_twelve = 12, least_many = 48;
  for (std::size_t i = 0; i < 10; ++i)
    for (std::size_t j = 0; j < i; ++j)
      least_twelve = std::min(least_twelve, distance(twelve, i, j)), least_many = std::min(least_many, distance(many, i, j));
  EXPECT_GE(least_twelve, 4u);
  EXPECT_GE(least_many, 17u);  // 24 +- 3.5 for one pair: the least of 45 of one draw is about 16
  EXPECT_EQ(twelve.values, class_centres(CentreKind::kBalanced, 10, 12, 1, "dpn").values);
  EXPECT_NE(twelve.values, class_centres(CentreKind::kBalanced, 10, 12, 2, "dpn").values);
}

TEST(ClassCentres, AllCodesOfALengthCanBeTakenAndNotOneMore) {
  EXPECT_EQ(different(class_centres(CentreKind::kBernoulli, 8, 3, 1, "orthohash")), 8u);
  EXPECT_EQ(different(class_centres(CentreKind::kBalanced, 6, 4, 1, "dpn")), 6u);
  for (const auto& [kind, classes, bits] : {std::tuple{CentreKind::kBernoulli, 9u, 3u},
                                            {CentreKind::kBalanced, 7u, 4u},
                                            {CentreKind::kHadamard, 5u, 2u},
                                            {CentreKind::kHadamard, 3u, 1u}}) {
    try {
      class_centres(kind, classes, bits, 1, "csq");
      ADD_FAILURE() << classes << " centres of " << bits << " bits";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      for (const std::string& part : {std::string("--loss csq"), concat("--bits ", bits), concat(classes, " classes")})
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
}

TEST(MajorityCodes, OfOneClassIsItsCentreAndOfSeveralWhatMostSay) {
  const SignRows centres{3, {1, 1, 1, /**/ 1, -1, 1, /**/ -1, -1, 1}};
  const SignRows codes = majority_codes(centres, LabelSets{{1}, {0, 1, 2}, {0, 1}}, 1);
  EXPECT_TRUE(std::ranges::equal(codes.row(0), centres.row(1)));
  EXPECT_TRUE(std::ranges::equal(codes.row(1), std::vector<std::int8_t>{1, -1, 1}));
  EXPECT_EQ(codes.row(2)[0], 1);
  std::set<int> even;  // the middle bit is thrown
  for (std::uint64_t seed = 1; seed < 20; ++seed) even.insert(majority_codes(centres, LabelSets{{0, 1}}, seed).row(0)[1]);
  EXPECT_EQ(even, (std::set<int>{-1, 1}));
}

// sum_ij n_i n_j (S_ij - h_i.h_j / K)^2, as it is written.
double objective(const SignRows& codes, const LabelSets& sets, const std::vector<std::size_t>& counts) {
  double sum = 0;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    for (std::size_t j = 0; j < sets.size(); ++j) {
      double product = 0;
      for (std::size_t k = 0; k < codes.bits; ++k) product += codes.row(i)[k] * codes.row(j)[k];
      bool shared = false;
      for (const std::int32_t label : sets[i]) shared = shared || std::ranges::count(sets[j], label) > 0;
      sum +=
          static_cast<double>(counts[i] * counts[j]) * std::pow((shared ? 1 : -1) - product / static_cast<double>(codes.bits), 2);
    }
  }
  return sum;
}

TEST(DescentCodes, NoFlipOfABitIsAnyBetter) {
  LabelSets sets;
  std::vector<std::size_t> counts;
  for (std::int32_t c = 0; c < 10; ++c) sets.push_back({c}), counts.push_back(static_cast<std::size_t>(50 + 10 * c));
  sets.push_back({2, 5}), counts.push_back(40);
  for (const std::size_t bits : {1u, 12u, 48u}) {
    const SignRows codes = descent_codes(sets, counts, bits, 1);
    const double reached = objective(codes, sets, counts);
    for (std::size_t at = 0; at < codes.values.size(); ++at) {
      SignRows other = codes;
      other.values[at] = static_cast<std::int8_t>(-other.values[at]);
      EXPECT_GE(objective(other, sets, counts), reached * (1 - 1e-9)) << bits << " bits, value " << at;
    }
    EXPECT_EQ(codes.values, descent_codes(sets, counts, bits, 1).values);
    EXPECT_NE(codes.values, descent_codes(sets, counts, bits, 2).values);
  }
  EXPECT_EQ(different(descent_codes(sets, counts, 12, 1)), 11u);
}

TEST(DescentCodes, TwoClassesGetOppositeCodes) {
  const SignRows codes = descent_codes(LabelSets{{0}, {1}}, std::vector<std::size_t>{30, 20}, 9, 3);
  EXPECT_EQ(distance(codes, 0, 1), 9u);
}

TEST(DescentCodes, TooManySetsOfLabelsAreRefused) {
  const LabelSets sets(kMostLabelSets + 1, {0});
  EXPECT_THROW(descent_codes(sets, std::vector<std::size_t>(sets.size(), 1), 8, 1), Error);
}

}  // namespace
}  // namespace signet
