#include "signet/eval/graded.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

using Labels = std::vector<std::vector<std::int32_t>>;

struct GradedSet {
  CodeMatrix codes;
  Labels labels;
};

GradedSet make_graded(std::size_t n, std::uint32_t bits, std::size_t most, std::uint64_t seed) {
  Random random(seed);
  GradedSet s{CodeMatrix(n, bits), Labels(n)};
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0, count = most == 1 ? 1 : random.below(most + 1); k < count; ++k) {
      s.labels[i].push_back(static_cast<std::int32_t>(random.below(5)));
    }
    for (std::uint32_t k = 0; k < bits; ++k) {
      const bool hint = !s.labels[i].empty() && static_cast<std::uint32_t>(s.labels[i][0]) % bits == k;
      if (random.uniform() < (hint ? 0.8 : 0.3)) s.codes.row(i)[k / 8] |= static_cast<std::uint8_t>(1u << (k % 8));
    }
  }
  return s;
}

EvalInput input_of(const GradedSet& q, const GradedSet& d, bool leave_one_out, std::size_t cutoff) {
  EvalInput in;
  in.queries = &q.codes, in.database = &d.codes;
  in.query_labels = q.labels, in.database_labels = d.labels;
  in.leave_one_out = leave_one_out, in.cutoff = cutoff, in.threads = 2;
  return in;
}

double jaccard(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  std::set<std::int32_t> x(a.begin(), a.end()), y(b.begin(), b.end()), all = x;
  all.insert(y.begin(), y.end());
  const double shared = static_cast<double>(x.size() + y.size() - all.size());
  return shared == 0 ? 0 : shared / static_cast<double>(all.size());
}

double plain_dcg(const std::vector<double>& gains, std::size_t cutoff) {
  double sum = 0;
  for (std::size_t i = 0; i < gains.size() && (cutoff == 0 || i < cutoff); ++i) {
    sum += (std::exp2(gains[i]) - 1) / std::log2(static_cast<double>(i) + 2);
  }
  return sum;
}

double plain_weighted(const std::vector<double>& gains) {
  double sum = 0, so_far = 0, relevant = 0;
  for (std::size_t i = 0; i < gains.size(); ++i) {
    so_far += gains[i];
    if (gains[i] > 0) sum += so_far / static_cast<double>(i + 1), relevant += 1;
  }
  return sum / relevant;
}

void compare_graded(const EvalInput& in) {
  constexpr int kShuffles = 400;
  Random random(9);
  double ndcg = 0, weighted = 0;
  std::size_t counted = 0;
  for (std::size_t q = 0; q < in.queries->size(); ++q) {
    std::vector<std::pair<std::uint32_t, double>> items;
    for (std::size_t i = 0; i < in.database->size(); ++i) {
      if (in.leave_one_out && i == q) continue;
      items.emplace_back(hamming_distance(in.queries->row(q), in.database->row(i)),
                         jaccard(in.query_labels[q], in.database_labels[i]));
    }
    std::vector<double> best;
    for (const auto& item : items) best.push_back(item.second);
    std::sort(best.rbegin(), best.rend());
    if (best.empty() || best[0] == 0) continue;
    ++counted;
    for (int s = 0; s < kShuffles; ++s) {
      random.shuffle(std::span(items));
      std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
      std::vector<double> gains;
      for (const auto& item : items) gains.push_back(item.second);
      ndcg += plain_dcg(gains, in.cutoff) / plain_dcg(best, in.cutoff) / kShuffles;
      weighted += plain_weighted(gains) / kShuffles;
    }
  }
  const GradedMetrics m = evaluate_graded(in);
  EXPECT_EQ(m.queries - m.queries_without_relevant, counted);
  EXPECT_NEAR(m.ndcg, ndcg / static_cast<double>(counted), 0.003);
  EXPECT_NEAR(m.weighted_map, weighted / static_cast<double>(counted), 0.003);
}

TEST(Graded, EqualsNaiveAverageOverShuffles) {
  const GradedSet queries = make_graded(20, 4, 3, 1), database = make_graded(60, 4, 3, 2);
  for (const std::size_t cutoff : {0, 1, 10}) compare_graded(input_of(queries, database, false, cutoff));
  compare_graded(input_of(database, database, true, 5));
}

TEST(Graded, OneLabelGivesThePlainMap) {
  const GradedSet queries = make_graded(30, 6, 1, 3), database = make_graded(100, 6, 1, 4);
  const EvalInput in = input_of(queries, database, false, 0);
  EXPECT_NEAR(evaluate_graded(in).weighted_map, evaluate(in).map, 1e-13);
}

TEST(Graded, ThreadsChangeNoBitAndBadInputIsRefused) {
  const GradedSet set = make_graded(100, 6, 3, 5);
  EvalInput in = input_of(set, set, true, 0);
  const GradedMetrics two = evaluate_graded(in);
  in.threads = 1;
  EXPECT_EQ(evaluate_graded(in).ndcg, two.ndcg);
  EXPECT_EQ(evaluate_graded(in).weighted_ap, two.weighted_ap);
  in.query_labels = in.query_labels.first(3);
  EXPECT_THROW(evaluate_graded(in), Error);
}

}  // namespace
}  // namespace signet
