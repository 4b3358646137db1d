#include "eval/average_precision.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

// AP of one order, straight from the definition: mean over the relevant items, within the cutoff, of the precision at their rank.
double plain_ap(const std::vector<int>& relevant, std::size_t cutoff) {
  double sum = 0;
  std::size_t found = 0;
  const std::size_t end = cutoff == 0 ? relevant.size() : std::min(cutoff, relevant.size());
  for (std::size_t i = 0; i < end; ++i) {
    if (relevant[i] != 0) sum += static_cast<double>(++found) / static_cast<double>(i + 1);
  }
  const auto total = static_cast<std::size_t>(std::accumulate(relevant.begin(), relevant.end(), 0));
  const std::size_t divisor = cutoff == 0 ? total : std::min(total, cutoff);
  return divisor == 0 ? 0 : sum / static_cast<double>(divisor);
}

struct Group {
  std::uint64_t items, relevant;
};

AveragePrecision ours(const std::vector<Group>& groups, std::size_t cutoff) {
  std::vector<std::uint64_t> items, relevant;
  for (const Group& g : groups) {
    items.push_back(g.items);
    relevant.push_back(g.relevant);
  }
  return average_precision(items, relevant, cutoff);
}

// Mean, best and worst over every order inside the groups (each arrangement of relevant and other items is equally likely).
struct Enumerated {
  double sum = 0, best = 0, worst = 2, count = 0;

  void extend(const std::vector<Group>& groups, std::size_t g, std::vector<int>& order, std::size_t cutoff) {
    if (g == groups.size()) {
      const double ap = plain_ap(order, cutoff);
      sum += ap;
      best = std::max(best, ap);
      worst = std::min(worst, ap);
      count += 1;
      return;
    }
    std::vector<int> group(groups[g].items, 0);
    std::fill(group.end() - static_cast<std::ptrdiff_t>(groups[g].relevant), group.end(), 1);
    const std::size_t before = order.size();
    do {
      order.insert(order.end(), group.begin(), group.end());
      extend(groups, g + 1, order, cutoff);
      order.resize(before);
    } while (std::next_permutation(group.begin(), group.end()));
  }
};

TEST(AveragePrecision, EqualsTheMeanOverEveryOrder) {
  const std::vector<std::vector<Group>> cases = {{{1, 1}},
                                                 {{1, 0}, {1, 1}},
                                                 {{4, 2}},
                                                 {{5, 5}},
                                                 {{2, 1}, {0, 0}, {5, 2}, {1, 1}},
                                                 {{6, 1}, {3, 3}},
                                                 {{7, 3}, {4, 1}},
                                                 {{1, 0}, {8, 4}, {2, 1}},
                                                 {{3, 0}, {5, 1}, {4, 4}},
                                                 {{2, 2}, {6, 2}, {6, 3}}};
  for (std::size_t c = 0; c < cases.size(); ++c) {
    for (std::size_t cutoff : {0, 1, 2, 3, 5, 8, 11, 100}) {
      Enumerated all;
      std::vector<int> order;
      all.extend(cases[c], 0, order, cutoff);
      const AveragePrecision ap = ours(cases[c], cutoff);
      EXPECT_NEAR(ap.expected, all.sum / all.count, 1e-13) << "case " << c << " cutoff " << cutoff;
      EXPECT_NEAR(ap.optimistic, all.best, 1e-13) << "case " << c << " cutoff " << cutoff;
      EXPECT_NEAR(ap.pessimistic, all.worst, 1e-13) << "case " << c << " cutoff " << cutoff;
    }
  }
}

// The sum as method and papers print it, term by term, for groups too large to enumerate.
double printed_formula(const std::vector<Group>& groups) {
  double sum = 0, n = 0, p = 0;
  for (const Group& g : groups) {
    const double items = static_cast<double>(g.items), relevant = static_cast<double>(g.relevant);
    for (double t = 1; t <= items && g.relevant > 0; ++t) {
      sum += relevant / items * (p + 1 + (items > 1 ? (t - 1) * (relevant - 1) / (items - 1) : 0)) / (n + t);
    }
    n += items;
    p += relevant;
  }
  return sum / p;
}

TEST(AveragePrecision, ClosedFormEqualsThePrintedSum) {
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<Group> groups;
    for (std::uint64_t g = 0, n = 1 + random.below(30); g < n; ++g) {
      const std::uint64_t items = random.below(random.below(2) == 0 ? 8 : 3000);
      groups.push_back({items, random.below(items + 1)});
    }
    groups.push_back({40, 7});
    EXPECT_NEAR(ours(groups, 0).expected, printed_formula(groups), 1e-12) << "round " << round;
  }
}

TEST(AveragePrecision, HarmonicDifferencesKeepTheirDigits) {
  for (const std::uint64_t first : {0u, 1u, 5u, 63u, 64u, 65u, 1000u, 999999u}) {
    for (const std::uint64_t count : {1u, 2u, 16u, 17u, 63u, 64u, 100u, 5000u}) {
      long double sum = 0;
      for (std::uint64_t i = first + count; i > first; --i) sum += 1.0L / static_cast<long double>(i);
      EXPECT_NEAR(eval::harmonic_difference(first, count) / static_cast<double>(sum), 1, 1e-14) << first << " " << count;
    }
  }
}

TEST(AveragePrecision, NothingRelevantIsZero) {
  EXPECT_EQ(ours({{5, 0}, {3, 0}}, 0).expected, 0);
  EXPECT_EQ(average_precision({}, {}).expected, 0);
}

TEST(AveragePrecision, RefusesImpossibleHistograms) {
  const std::vector<std::uint64_t> two{1, 2}, one{1}, more{2, 0};
  EXPECT_THROW(average_precision(two, one), Error);
  EXPECT_THROW(average_precision(two, more), Error);
}

}  // namespace
}  // namespace signet
