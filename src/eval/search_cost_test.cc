#include "signet/eval/search_cost.h"

#include <gtest/gtest.h>

#include <set>

#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

CodeMatrix drawn_codes(std::size_t count, std::uint32_t bits, std::uint64_t seed) {
  Random random(seed);
  CodeMatrix codes(0, bits);
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::uint8_t> code(bytes_per_code(bits));
    for (std::uint8_t& byte : code) byte = static_cast<std::uint8_t>(random.below(256));
    if (bits % 8 != 0) code.back() &= static_cast<std::uint8_t>((1u << bits % 8) - 1);
    codes.append(code);
  }
  return codes;
}

std::vector<RadiusPoint> radii(std::uint32_t last, double recall_a_step) {
  std::vector<RadiusPoint> points;
  for (std::uint32_t r = 0; r <= last; ++r) points.push_back({r, 1.0 + r, 0.5, std::min(1.0, recall_a_step * (r + 1))});
  return points;
}

std::set<std::string> kinds(const std::vector<SearchCost>& costs) {
  std::set<std::string> all;
  for (const SearchCost& c : costs) all.insert(c.index);
  return all;
}

TEST(SearchCost, EveryKindAtEveryRadiusUpToEnoughRecall) {
  const auto costs = measure_search(drawn_codes(25, 12, 1), drawn_codes(300, 12, 2), radii(12, 0.25));
  EXPECT_EQ(kinds(costs), (std::set<std::string>{"flat", "mih", "table"}));
  EXPECT_EQ(costs.size(), 3u * 4);  // radius 3 finds everything
  for (const SearchCost& c : costs) EXPECT_GT(c.microseconds, 0) << c.index;
  EXPECT_EQ(costs[3].radius, 3u);
}

TEST(SearchCost, TheRadiusOfTheTablesIsTimedWhereNothingIsLeftToFind) {
  const auto costs = measure_search(drawn_codes(25, 12, 1), drawn_codes(300, 12, 2), radii(12, 1));  // radius 0 finds everything
  ASSERT_EQ(costs.size(), 3u * 3);
  EXPECT_EQ(costs[2].radius, kTableRadius);
}

TEST(SearchCost, LongCodesHaveNoTableAndFewPoints) {
  SearchCostOptions options;
  options.most_points = 5;
  const auto costs = measure_search(drawn_codes(3, 64, 1), drawn_codes(50, 64, 2), radii(64, 0.01), options);
  EXPECT_EQ(kinds(costs), (std::set<std::string>{"flat", "mih"}));
  ASSERT_EQ(costs.size(), 2u * 6);  // five, and radius 2, which the tables of results show
  EXPECT_EQ(costs[1].radius, 2u);
  EXPECT_EQ(costs[5].radius, 64u);
}

TEST(SearchCost, AnIndexThatIsTooSlowIsNotAskedOn) {
  SearchCostOptions options;
  options.slowest = 0;
  EXPECT_EQ(measure_search(drawn_codes(3, 12, 1), drawn_codes(50, 12, 2), radii(12, 0.1), options).size(), 3u);
}

TEST(SearchCost, BadInputIsRefused) {
  EXPECT_THROW(measure_search(CodeMatrix(0, 12), drawn_codes(5, 12, 1), radii(3, 0.5)), Error);
  EXPECT_THROW(measure_search(drawn_codes(5, 12, 1), CodeMatrix(0, 12), radii(3, 0.5)), Error);
  EXPECT_THROW(measure_search(drawn_codes(5, 16, 1), drawn_codes(5, 12, 1), radii(3, 0.5)), Error);
}

}  // namespace
}  // namespace signet
