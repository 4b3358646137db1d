#include "signet/dedup/groups.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

CodeMatrix codes_of(const std::vector<std::uint8_t>& bytes) {
  CodeMatrix codes(0, 8);
  for (const std::uint8_t byte : bytes) codes.append(std::span(&byte, 1));
  return codes;
}

// Clusters of near codes among random ones, with equal codes too.
CodeMatrix clustered(std::size_t count, std::uint32_t bits, std::uint64_t seed) {
  Random random(seed);
  CodeMatrix codes(count, bits);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0 && random.below(2) == 0) {
      const auto from = codes.row(random.below(i));
      std::copy(from.begin(), from.end(), codes.row(i).begin());
      for (std::uint64_t flips = random.below(4); flips > 0; --flips) {
        const std::uint64_t k = random.below(bits);
        codes.row(i)[k / 8] ^= static_cast<std::uint8_t>(1u << (k % 8));
      }
    } else {
      for (std::uint32_t k = 0; k < bits; ++k)
        if (random.below(2) == 1) codes.row(i)[k / 8] |= static_cast<std::uint8_t>(1u << (k % 8));
    }
  }
  return codes;
}

// The definition, one item after another.
std::vector<Star> naive(const CodeMatrix& codes, const StarOptions& o) {
  std::vector<std::size_t> order(o.order.begin(), o.order.end());
  if (order.empty()) {
    order.resize(codes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
  }
  const auto distance = [&](std::size_t keeper, std::size_t item) {
    std::uint32_t d = hamming_distance(codes.row(keeper), codes.row(item));
    for (const CodeMatrix& pose : o.poses) d = std::min(d, hamming_distance(pose.row(keeper), codes.row(item)));
    return d;
  };
  std::vector<char> taken(codes.size(), 0);
  std::vector<Star> stars;
  for (const std::size_t keeper : order) {
    if (taken[keeper]) continue;
    taken[keeper] = 1;
    std::vector<std::tuple<bool, std::uint32_t, std::size_t>> near;
    for (std::size_t place = 0; place < order.size(); ++place) {
      const std::size_t item = order[place];
      if (taken[item]) continue;
      if (distance(keeper, item) <= o.radius)
        near.emplace_back(false, distance(keeper, item), place);
      else if (o.more.codes != nullptr && hamming_distance(o.more.codes->row(keeper), o.more.codes->row(item)) <= o.more.radius)
        near.emplace_back(true, hamming_distance(o.more.codes->row(keeper), o.more.codes->row(item)), place);
    }
    std::sort(near.begin(), near.end());
    Star star{keeper, {}};
    for (const auto& [by_more, d, place] : near) {
      if (o.accept && !o.accept(star, order[place], d)) continue;
      taken[order[place]] = 1;
      star.members.push_back({order[place], d, by_more});
    }
    if (!star.members.empty()) stars.push_back(star);
  }
  return stars;
}

TEST(StarGroups, EqualsTheDefinition) {
  for (const std::uint32_t bits : {8u, 20u, 64u, 100u}) {
    for (const std::size_t count : {0u, 1u, 2u, 700u}) {
      const CodeMatrix codes = clustered(count, bits, bits + count), pose = clustered(count, bits, 99);
      const CodeMatrix other = clustered(count, 24, 7);
      std::vector<std::size_t> order(count);
      std::iota(order.begin(), order.end(), std::size_t{0});
      Random(5).shuffle(std::span(order));
      for (const std::uint32_t radius : {0u, 1u, 3u, 9u}) {
        StarOptions options;
        options.radius = radius;
        options.threads = 2;
        EXPECT_EQ(star_groups(codes, options), naive(codes, options)) << bits << " bits, radius " << radius;
        StarOptions both = options;
        both.more = {&other, 2};
        EXPECT_EQ(star_groups(codes, both), naive(codes, both)) << bits << " bits and 24, radius " << radius;
        options.order = order;
        options.poses = std::span(&pose, 1);
        options.accept = [](const Star& star, std::size_t item, std::uint32_t) { return (star.keeper + item) % 3 != 0; };
        EXPECT_EQ(star_groups(codes, options), naive(codes, options)) << bits << " bits, radius " << radius;
      }
    }
  }
}

TEST(StarGroups, AChainDoesNotGlueStrangers) {
  // 0 - 1 - 3 - 7 - 15: each one bit from the next, four bits from end to end.
  StarOptions options;
  options.radius = 1;
  EXPECT_EQ(star_groups(codes_of({0, 1, 3, 7, 15}), options), (std::vector<Star>{{0, {{1, 1}}}, {2, {{3, 1}}}}));
}

TEST(StarGroups, TheOrderDecidesWhoIsKept) {
  StarOptions options;
  options.radius = 1;
  const std::vector<std::size_t> order = {2, 0, 1};
  options.order = order;
  EXPECT_EQ(star_groups(codes_of({0, 1, 3}), options), (std::vector<Star>{{2, {{1, 1}}}}));
}

TEST(StarGroups, TheReferenceIsNotComparedWithItself) {
  StarOptions options;
  options.radius = 1;
  options.reference = 3;  // 0, 0 and 7 are the reference; 1, 6, 6 and 0xf0, 0xf0 are new
  EXPECT_EQ(star_groups(codes_of({0, 0, 7, 1, 6, 6, 0xf0, 0xf0}), options),
            (std::vector<Star>{{0, {{3, 1}}}, {2, {{4, 1}, {5, 1}}}, {6, {{7, 0}}}}));
}

TEST(StarGroups, ANewItemJoinsTheNearestReferenceThatTakesIt) {
  StarOptions options;
  options.radius = 3;
  options.reference = 2;
  EXPECT_EQ(star_groups(codes_of({7, 1, 3}), options), (std::vector<Star>{{0, {{2, 1}}}}));
  options.accept = [](const Star& star, std::size_t, std::uint32_t) { return star.keeper != 0; };
  EXPECT_EQ(star_groups(codes_of({7, 1, 3}), options), (std::vector<Star>{{1, {{2, 1}}}}));
}

TEST(StarGroups, NearByEitherCodeIsNear) {
  // By the first code 0 and 1 are near, by the second 0 and 2 (and 0 and 1, further away); 3 is near by none.
  const CodeMatrix more = codes_of({0, 7, 1, 0xff});
  StarOptions options;
  options.radius = 2;
  options.more = {&more, 3};
  const CodeMatrix codes = codes_of({0, 3, 0xff, 0xf0});
  EXPECT_EQ(star_groups(codes, options), (std::vector<Star>{{0, {{1, 2, false}, {2, 1, true}}}}));
  options.reference = 1;
  EXPECT_EQ(star_groups(codes, options), (std::vector<Star>{{0, {{1, 2, false}, {2, 1, true}}}}));
  options.reference = 0;
  const CodeMatrix posed = codes_of({0xff, 0, 0, 0});  // number 0, turned
  options.more.poses = std::span(&posed, 1);
  EXPECT_EQ(star_groups(codes, options), (std::vector<Star>{{0, {{1, 2, false}, {3, 0, true}, {2, 1, true}}}}));
}

TEST(StarGroups, RefusesWhatDoesNotFit) {
  StarOptions options;
  const CodeMatrix short_one = codes_of({1});
  options.more.codes = &short_one;
  EXPECT_THROW(star_groups(codes_of({1, 2}), options), Error);
  options.more.codes = nullptr;
  const std::vector<std::size_t> twice = {0, 0};
  options.order = twice;
  EXPECT_THROW(star_groups(codes_of({1, 2}), options), Error);
  options.order = {};
  options.reference = 3;
  EXPECT_THROW(star_groups(codes_of({1, 2}), options), Error);
}

TEST(StarGroups, StopsWhenAsked) {
  StarOptions options;
  options.progress = [](const Progress&) { return false; };
  try {
    star_groups(codes_of({1, 2}), options);
    FAIL() << "was not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
}

}  // namespace
}  // namespace signet
