#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "eval/dot_products.h"
#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/eval/metrics.h"

namespace signet {
namespace {

using Labels = std::vector<std::vector<std::int32_t>>;

struct FeatureRows {
  std::vector<float> values;
  Labels labels;
};

FeatureRows make_set(std::size_t n, std::size_t size, std::uint64_t seed) {
  Random random(seed);
  FeatureRows set;
  for (std::size_t i = 0; i < n; ++i) {
    set.labels.push_back({static_cast<std::int32_t>(random.below(3))});
    for (std::size_t k = 0; k < size; ++k) {
      set.values.push_back(
          static_cast<float>(random.normal() + (static_cast<std::int32_t>(k % 3) == set.labels[i][0] ? 0.7 : 0)));
    }
  }
  return set;
}

double naive(const FeatureRows& q, const FeatureRows& d, std::size_t size, bool leave_one_out) {
  double map = 0;
  for (std::size_t i = 0; i < q.labels.size(); ++i) {
    std::vector<std::pair<double, int>> ranking;
    for (std::size_t j = 0; j < d.labels.size(); ++j) {
      if (leave_one_out && i == j) continue;
      double dot = 0, a = 0, b = 0;
      for (std::size_t k = 0; k < size; ++k) {
        const double x = static_cast<double>(q.values[i * size + k]), y = static_cast<double>(d.values[j * size + k]);
        dot += x * y, a += x * x, b += y * y;
      }
      ranking.emplace_back(-dot / std::sqrt(a * b), q.labels[i] == d.labels[j]);
    }
    std::sort(ranking.begin(), ranking.end());
    double found = 0, ap = 0;
    for (std::size_t r = 0; r < ranking.size(); ++r) {
      found += ranking[r].second;
      if (ranking[r].second != 0) ap += found / static_cast<double>(r + 1);
    }
    map += ap / found / static_cast<double>(q.labels.size());
  }
  return map;
}

TEST(CosineMap, EqualsDoubleSort) {
  const FeatureRows queries = make_set(53, 19, 1), database = make_set(1500, 19, 2);  // enough for the radix sort, odd everywhere
  EXPECT_NEAR(cosine_map(queries.values, database.values, 19, queries.labels, database.labels, false, 2),
              naive(queries, database, 19, false), 1e-5);
  EXPECT_NEAR(cosine_map(database.values, database.values, 19, database.labels, database.labels, true, 2),
              naive(database, database, 19, true), 1e-5);
}

TEST(CosineMap, ThreadsChangeNoBit) {
  const FeatureRows queries = make_set(101, 8, 3), database = make_set(700, 8, 4);
  const double one = cosine_map(queries.values, database.values, 8, queries.labels, database.labels, false, 1);
  EXPECT_EQ(one, cosine_map(queries.values, database.values, 8, queries.labels, database.labels, false, 3));
}

TEST(CosineMap, EqualVectorsAreTiesWhereverTheyStand) {
  // Copies of one vector, all over the panels: every order is equally good, so AP is that of one group.
  const std::size_t size = 7, n = 100;
  const FeatureRows query = make_set(1, size, 5);
  const FeatureRows seen = make_set(1, size, 6);
  FeatureRows database;
  std::uint64_t relevant = 0;
  for (std::size_t i = 0; i < n; ++i) {
    database.values.insert(database.values.end(), seen.values.begin(), seen.values.end());
    database.labels.push_back({i % 3 == 0 ? query.labels[0][0] : 99});
    relevant += i % 3 == 0;
  }
  const std::vector<std::uint64_t> items{n}, hits{relevant};
  EXPECT_NEAR(cosine_map(query.values, database.values, size, query.labels, database.labels, false, 1),
              average_precision(items, hits).expected, 1e-13);
}

TEST(CosineMap, ZeroVectorsAndSignsOfZeroTie) {
  const std::vector<float> query{1, 0}, database{0, 0, 0, 1, 0, -1, -0.0f, 1};
  const Labels q{{1}}, d{{1}, {0}, {0}, {0}};
  const std::vector<std::uint64_t> items{4}, hits{1};
  EXPECT_NEAR(cosine_map(query, database, 2, q, d, false, 1), average_precision(items, hits).expected, 1e-15);
}

TEST(CosineMap, RefusesWhatItCannotRank) {
  const FeatureRows set = make_set(4, 3, 7);
  const auto run = [&](std::vector<float> values, std::size_t size) {
    return cosine_map(values, set.values, size, set.labels, set.labels, false, 1);
  };
  EXPECT_THROW(run(set.values, 0), Error);
  EXPECT_THROW(run(set.values, 5), Error);
  EXPECT_THROW(run({}, 3), Error);
  std::vector<float> bad = set.values;
  bad[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(run(bad, 3), Error);
  bad[5] = std::numeric_limits<float>::infinity();
  EXPECT_THROW(run(bad, 3), Error);
}

}  // namespace
}  // namespace signet
