#include "signet/eval/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

using Labels = std::vector<std::vector<std::int32_t>>;

struct Set {
  CodeMatrix codes;
  Labels labels;
};

// Codes that cluster by class with flipped bits; `most_labels` > 1 gives some images several labels, or none.
Set make_set(std::size_t n, std::uint32_t bits, std::int32_t classes, std::size_t most_labels, double flips, std::uint64_t seed) {
  Set set{CodeMatrix(n, bits), Labels(n)};
  Random random(seed);
  for (std::size_t i = 0; i < n; ++i) {
    const auto label = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(classes)));
    set.labels[i].push_back(label);
    while (most_labels > 1 && set.labels[i].size() < most_labels && random.below(2) == 0) {
      set.labels[i].push_back(static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(classes))));
    }
    if (most_labels > 1 && random.below(10) == 0) set.labels[i].clear();
    Random centre(static_cast<std::uint64_t>(label) + 100);
    for (std::uint32_t k = 0; k < bits; ++k) {
      const bool bit = (centre.below(2) == 1) != (random.uniform() < flips);
      if (bit) set.codes.row(i)[k / 8] |= static_cast<std::uint8_t>(1u << (k % 8));
    }
  }
  return set;
}

bool related(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  return std::any_of(a.begin(), a.end(), [&](std::int32_t x) { return std::find(b.begin(), b.end(), x) != b.end(); });
}

EvalInput input_of(const Set& queries, const Set& database) {
  EvalInput in;
  in.queries = &queries.codes;
  in.database = &database.codes;
  in.query_labels = queries.labels;
  in.database_labels = database.labels;
  in.threads = 2;
  return in;
}

// Everything from the definitions, one pair at a time; ties by many random orders.
struct Naive {
  double map = 0, p2 = 0, r2 = 0, empty = 0, counted = 0;
  std::vector<double> precision_at;  // [n - 1]

  Naive(const EvalInput& in, int shuffles, std::uint64_t seed) {
    Random random(seed);
    precision_at.resize(in.database->size());
    for (std::size_t q = 0; q < in.queries->size(); ++q) {
      std::vector<std::pair<std::uint32_t, int>> items;
      for (std::size_t i = 0; i < in.database->size(); ++i) {
        if (in.leave_one_out && i == q) continue;
        items.emplace_back(hamming_distance(in.queries->row(q), in.database->row(i)),
                           related(in.query_labels[q], in.database_labels[i]));
      }
      const double total = std::accumulate(items.begin(), items.end(), 0.0, [](double s, const auto& x) { return s + x.second; });
      if (total == 0) continue;
      counted += 1;
      double ball = 0, hits = 0;
      for (const auto& [d, r] : items) ball += d <= 2, hits += d <= 2 && r != 0;
      p2 += ball > 0 ? hits / ball : 0;
      r2 += hits / total;
      empty += ball == 0;
      for (int s = 0; s < shuffles; ++s) rank(items, total, shuffles, random);
    }
    map /= counted, p2 /= counted, r2 /= counted, empty /= counted;
    for (double& p : precision_at) p /= counted;
  }

  void rank(std::vector<std::pair<std::uint32_t, int>>& items, double total, int shuffles, Random& random) {
    random.shuffle(std::span(items));
    std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    double found = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      found += items[i].second;
      if (items[i].second != 0) map += found / static_cast<double>(i + 1) / total / shuffles;
      precision_at[i] += found / static_cast<double>(i + 1) / shuffles;
    }
  }
};

void compare(const EvalInput& in) {
  const Naive naive(in, 300, 5);
  const Metrics m = evaluate(in);
  EXPECT_EQ(m.queries, in.queries->size());
  EXPECT_EQ(m.database, in.database->size());
  EXPECT_EQ(m.queries - m.queries_without_relevant, static_cast<std::size_t>(naive.counted));
  EXPECT_EQ(m.ap.size(), static_cast<std::size_t>(naive.counted));
  EXPECT_NEAR(m.map, naive.map, 0.003);
  EXPECT_LE(m.map_pessimistic, m.map);
  EXPECT_GE(m.map_optimistic, m.map);
  EXPECT_NEAR(m.precision_at_radius_2, naive.p2, 1e-12);
  EXPECT_NEAR(m.recall_at_radius_2, naive.r2, 1e-12);
  EXPECT_NEAR(m.empty_ball_share, naive.empty, 1e-12);
  const std::size_t neighbours = in.database->size() - (in.leave_one_out ? 1 : 0);
  EXPECT_EQ(m.precision_at_n.back().x, static_cast<double>(neighbours));
  for (const CurvePoint& p : m.precision_at_n)
    EXPECT_NEAR(p.y, naive.precision_at[static_cast<std::size_t>(p.x) - 1], 0.02) << p.x;
}

TEST(Evaluate, EqualsNaiveAverageOverShuffles) {
  for (const std::uint32_t bits : {1u, 5u, 12u, 64u, 100u}) {
    const Set queries = make_set(15, bits, 4, 1, 0.2, 1), database = make_set(60, bits, 4, 1, 0.2, 2);
    SCOPED_TRACE(bits);
    compare(input_of(queries, database));
  }
}

TEST(Evaluate, EqualsNaiveLeavingOneOut) {
  const Set set = make_set(50, 6, 4, 1, 0.2, 3);
  EvalInput in = input_of(set, set);
  in.leave_one_out = true;
  compare(in);
}

TEST(Evaluate, EqualsNaiveForSeveralLabels) {
  const Set queries = make_set(20, 8, 6, 4, 0.15, 4), database = make_set(70, 8, 6, 4, 0.15, 5);
  compare(input_of(queries, database));
  EvalInput alone = input_of(database, database);
  alone.leave_one_out = true;
  compare(alone);
}

TEST(Evaluate, LongCodesAndManyItemsEqualTheHistogramDefinition) {
  const Set queries = make_set(40, 256, 5, 1, 0.4, 6),
            database = make_set(9001, 256, 5, 1, 0.4, 7);  // more than two blocks of a scan
  const Metrics m = evaluate(input_of(queries, database));
  double sum = 0;
  for (std::size_t q = 0; q < 40; ++q) {
    std::vector<std::uint64_t> items(257), relevant(257);
    for (std::size_t i = 0; i < 9001; ++i) {
      const std::uint32_t d = hamming_distance(queries.codes.row(q), database.codes.row(i));
      ++items[d];
      relevant[d] += related(queries.labels[q], database.labels[i]);
    }
    sum += average_precision(items, relevant).expected;
    EXPECT_NEAR(m.ap[q], average_precision(items, relevant).expected, 1e-14);
  }
  EXPECT_NEAR(m.map, sum / 40, 1e-14);
}

TEST(Evaluate, OrderOfTheDatabaseChangesNothing) {
  Set queries = make_set(30, 4, 3, 1, 0.2, 8), database = make_set(300, 4, 3, 1, 0.2, 9);
  const Metrics before = evaluate(input_of(queries, database));
  std::vector<std::size_t> order(300);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return database.labels[a] < database.labels[b]; });
  Set sorted{database.codes.rows(order), {}};
  for (const std::size_t i : order) sorted.labels.push_back(database.labels[i]);
  const Metrics after = evaluate(input_of(queries, sorted));
  EXPECT_EQ(before.map, after.map);
  EXPECT_EQ(before.ap, after.ap);
}

TEST(Evaluate, ThreadsChangeNoBit) {
  const Set queries = make_set(333, 24, 7, 3, 0.3, 10), database = make_set(1000, 24, 7, 3, 0.3, 11);
  EvalInput in = input_of(queries, database);
  in.threads = 1;
  const Metrics one = evaluate(in);
  for (const std::size_t threads : {2u, 3u, 5u}) {
    in.threads = threads;
    const Metrics many = evaluate(in);
    EXPECT_EQ(one.map, many.map);
    EXPECT_EQ(one.precision_at_radius_2, many.precision_at_radius_2);
    EXPECT_EQ(one.recall_at_radius_2, many.recall_at_radius_2);
    for (std::size_t i = 0; i < one.precision_at_n.size(); ++i) EXPECT_EQ(one.precision_at_n[i].y, many.precision_at_n[i].y);
    for (std::size_t i = 0; i < one.precision_recall.size(); ++i)
      EXPECT_EQ(one.precision_recall[i].y, many.precision_recall[i].y);
  }
}

TEST(Evaluate, PerfectAndConstantCodes) {
  const Set queries = make_set(20, 16, 5, 1, 0, 12), database = make_set(100, 16, 5, 1, 0, 13);
  const Metrics perfect = evaluate(input_of(queries, database));
  EXPECT_DOUBLE_EQ(perfect.map, 1);
  EXPECT_DOUBLE_EQ(perfect.map_pessimistic, 1);
  Set flat = database;
  flat.codes = CodeMatrix(100, 16);
  EvalInput in = input_of(queries, flat);
  const CodeMatrix zero(20, 16);
  in.queries = &zero;
  const Metrics collapsed = evaluate(in);
  EXPECT_DOUBLE_EQ(collapsed.map_optimistic, 1);
  EXPECT_LT(collapsed.map, 0.35);
  EXPECT_LT(collapsed.map_pessimistic, collapsed.map);
  EXPECT_EQ(collapsed.health.distinct_codes, 1u);
  EXPECT_DOUBLE_EQ(collapsed.health.largest_bucket, 1);
  EXPECT_EQ(collapsed.by_radius.size(), 1u);
  EXPECT_DOUBLE_EQ(collapsed.by_radius[0].recall, 1);
}

TEST(Evaluate, QueriesWithoutRelevantItemsAreCountedAndLeftOut) {
  Set queries = make_set(3, 8, 1, 1, 0, 1);
  const Set database = make_set(9, 8, 1, 1, 0, 2);
  queries.labels[1] = {77};
  queries.labels[2] = {};
  const Metrics m = evaluate(input_of(queries, database));
  EXPECT_EQ(m.queries_without_relevant, 2u);
  EXPECT_DOUBLE_EQ(m.map, 1);
  queries.labels[0] = {78};
  const Metrics none = evaluate(input_of(queries, database));
  EXPECT_EQ(none.queries_without_relevant, 3u);
  EXPECT_EQ(none.map, 0);
  EXPECT_TRUE(none.ap.empty());
}

TEST(Evaluate, LeaveOneOutOfASingleImageHasNoNeighbour) {
  const Set set = make_set(1, 8, 1, 1, 0, 1);
  EvalInput in = input_of(set, set);
  in.leave_one_out = true;
  EXPECT_EQ(evaluate(in).queries_without_relevant, 1u);
}

TEST(Evaluate, CutoffUsesTheSmallerDivisor) {
  Set queries{CodeMatrix(1, 8), {{1}}}, database{CodeMatrix(3, 8), {{1}, {2}, {1}}};
  database.codes.row(1)[0] = 1;
  database.codes.row(2)[0] = 3;
  EvalInput in = input_of(queries, database);
  EXPECT_DOUBLE_EQ(evaluate(in).map, (1 + 2.0 / 3) / 2);
  in.cutoff = 2;
  EXPECT_DOUBLE_EQ(evaluate(in).map, 0.5);
  in.cutoff = 1;
  EXPECT_DOUBLE_EQ(evaluate(in).map, 1);
}

TEST(Evaluate, BadInputIsNamed) {
  const Set set = make_set(5, 8, 2, 1, 0.1, 1), longer = make_set(5, 16, 2, 1, 0.1, 1);
  EvalInput in = input_of(set, set);
  const auto code = [](const EvalInput& bad) {
    try {
      evaluate(bad);
    } catch (const Error& e) {
      return e.code();
    }
    return ErrorCode::kInternal;
  };
  EvalInput bad = in;
  bad.queries = nullptr;
  EXPECT_EQ(code(bad), ErrorCode::kInvalidArgument);
  bad = in;
  bad.database = &longer.codes;
  EXPECT_EQ(code(bad), ErrorCode::kMismatch);
  bad = in;
  bad.query_labels = bad.query_labels.first(4);
  EXPECT_EQ(code(bad), ErrorCode::kInvalidArgument);
  const CodeMatrix empty(0, 8);
  bad = in;
  bad.queries = &empty;
  EXPECT_EQ(code(bad), ErrorCode::kInvalidArgument);
  const Set other = make_set(5, 8, 2, 1, 0.5, 2);
  bad = input_of(set, other);
  bad.leave_one_out = true;
  EXPECT_EQ(code(bad), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace signet
