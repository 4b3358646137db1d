#include <algorithm>
#include <limits>
#include <vector>

#include "eval/average_precision.h"
#include "eval/grouping.h"
#include "eval/input_check.h"
#include "eval/label_sets.h"
#include "signet/base/error.h"
#include "signet/base/thread_pool.h"
#include "signet/eval/metrics.h"

namespace signet {
namespace eval {
namespace {

constexpr std::size_t kChunk =
    32;  // query groups whose sums are added together before any other: fixed, so that threads change no bit
constexpr std::uint32_t kBall = 2;

// 1, 2, ..., 9, 10, 20, ..., and the size of the database itself.
std::vector<std::uint64_t> curve_ranks(std::uint64_t database) {
  std::vector<std::uint64_t> ranks;
  for (std::uint64_t step = 1; step <= database; step *= 10) {
    for (std::uint64_t i = 1; i <= 9 && i * step <= database; ++i) ranks.push_back(i * step);
    if (step > std::numeric_limits<std::uint64_t>::max() / 100) break;
  }
  if (ranks.empty() || ranks.back() != database) ranks.push_back(database);
  return ranks;
}

struct QueryGroupResult {
  AveragePrecision ap;
  bool counts = false;  // it has relevant items
};

// Sums over queries. Numbers of items are exact; sums of fractions are kept a chunk, in a fixed order.
struct Sums {
  std::vector<std::uint64_t> items, relevant;  // by distance
  std::uint64_t total_relevant = 0, counted = 0, empty_balls = 0;
  double ball_precision = 0, ball_recall = 0;
  std::vector<double> precision_at_n;

  Sums(std::uint32_t bits, std::size_t ranks) : items(bits + 1), relevant(bits + 1), precision_at_n(ranks) {}
  void add(const Sums& other) {
    std::transform(items.begin(), items.end(), other.items.begin(), items.begin(), std::plus<>());
    std::transform(relevant.begin(), relevant.end(), other.relevant.begin(), relevant.begin(), std::plus<>());
    std::transform(precision_at_n.begin(), precision_at_n.end(), other.precision_at_n.begin(), precision_at_n.begin(),
                   std::plus<>());
    total_relevant += other.total_relevant;
    counted += other.counted;
    empty_balls += other.empty_balls;
    ball_precision += other.ball_precision;
    ball_recall += other.ball_recall;
  }
};

class Evaluation {
 public:
  explicit Evaluation(const EvalInput& in)
      : in_(in),
        bits_(in.queries->bits()),
        query_sets_(number_labels(in.query_labels, sets_)),
        queries_(group_codes(*in.queries, query_sets_)),
        database_(group_codes(*in.database, number_labels(in.database_labels, sets_))),
        neighbours_(in.database->size() - (in.leave_one_out ? 1 : 0)),
        ranks_(curve_ranks(std::max<std::uint64_t>(neighbours_, 1))),
        results_(queries_.size()) {}

  Metrics run() {
    const std::size_t chunks = (queries_.size() + kChunk - 1) / kChunk;
    std::vector<Sums> sums(chunks, Sums(0, ranks_.size()));
    ThreadPool pool(in_.threads);
    std::vector<Sums> exact(pool.size(), Sums(bits_, 0));  // whole numbers add up the same in any order
    pool.parallel_for(chunks, 1, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t c = begin; c < end; ++c) run_chunk(c, sums[c], exact[worker]);
    });
    Sums total(0, ranks_.size());
    for (const Sums& s : sums) total.add(s);
    Sums whole(bits_, 0);
    for (const Sums& s : exact) whole.add(s);
    return finish(total, whole);
  }

 private:
  void run_chunk(std::size_t chunk, Sums& sums, Sums& exact) {
    HistogramScan scan(database_, bits_);
    Histogram histogram;
    std::vector<std::uint8_t> relevant_set;
    const std::size_t end = std::min(queries_.size(), (chunk + 1) * kChunk);
    for (std::size_t g = chunk * kChunk; g < end; ++g) {
      const std::uint32_t set = queries_.label_set[g];
      if (sets_.set(set).empty()) continue;  // unknown labels: nothing is relevant
      if (relevant_set.empty() || set != queries_.label_set[g - 1]) {
        sets_.relevant_to(set, relevant_set);
        scan.set_relevance(relevant_set);
      }
      scan.scan(queries_.code(g), histogram);
      if (in_.leave_one_out) {  // the query itself: at distance 0, relevant to itself
        --histogram.items[0];
        --histogram.relevant[0];
        --histogram.total_relevant;
      }
      if (histogram.total_relevant > 0) score(histogram, queries_.count[g], results_[g], sums, exact);
    }
  }

  void score(const Histogram& h, std::uint64_t times, QueryGroupResult& result, Sums& sums, Sums& exact) const {
    PrecisionSum precision(in_.cutoff == 0 ? std::numeric_limits<std::uint64_t>::max() : in_.cutoff);
    std::uint64_t before = 0, relevant_before = 0, ball = 0, relevant_in_ball = 0;
    const double weight = static_cast<double>(times);
    auto rank = ranks_.begin();
    for (std::size_t d = 0; d <= bits_; ++d) {
      const std::uint64_t n = h.items[d], r = h.relevant[d];
      exact.items[d] += n * times;
      exact.relevant[d] += r * times;
      if (d <= kBall) ball += n, relevant_in_ball += r;
      if (n == 0) continue;
      precision.add_group(n, r);
      for (; rank != ranks_.end() && *rank <= before + n; ++rank) {
        const double within = static_cast<double>(*rank - before) * static_cast<double>(r) / static_cast<double>(n);
        sums.precision_at_n[rank - ranks_.begin()] +=
            weight * (static_cast<double>(relevant_before) + within) / static_cast<double>(*rank);
      }
      before += n;
      relevant_before += r;
    }
    exact.total_relevant += h.total_relevant * times;
    exact.counted += times;
    if (ball == 0) exact.empty_balls += times;
    if (ball > 0) sums.ball_precision += weight * static_cast<double>(relevant_in_ball) / static_cast<double>(ball);
    sums.ball_recall += weight * static_cast<double>(relevant_in_ball) / static_cast<double>(h.total_relevant);
    result = {precision.over(h.total_relevant), true};
  }

  Metrics finish(const Sums& sums, const Sums& exact) const {
    Metrics m;
    m.queries = in_.queries->size();
    m.database = in_.database->size();
    m.queries_without_relevant = m.queries - exact.counted;
    m.health = code_health(*in_.database);
    if (exact.counted == 0) return m;
    const double n = static_cast<double>(exact.counted);
    for (const std::uint32_t group : queries_.group_of) {
      const QueryGroupResult& r = results_[group];
      if (!r.counts) continue;
      m.ap.push_back(r.ap.expected);
      m.map += r.ap.expected;
      m.map_optimistic += r.ap.optimistic;
      m.map_pessimistic += r.ap.pessimistic;
    }
    m.map /= n, m.map_optimistic /= n, m.map_pessimistic /= n;
    m.precision_at_radius_2 = sums.ball_precision / n;
    m.recall_at_radius_2 = sums.ball_recall / n;
    m.empty_ball_share = static_cast<double>(exact.empty_balls) / n;
    for (std::size_t i = 0; i < ranks_.size(); ++i)
      m.precision_at_n.push_back({static_cast<double>(ranks_[i]), sums.precision_at_n[i] / n});
    add_radii(exact, m);
    return m;
  }

  void add_radii(const Sums& exact, Metrics& m) const {
    std::uint64_t items = 0, relevant = 0;
    const double n = static_cast<double>(exact.counted);
    const std::uint64_t all = exact.counted * neighbours_;
    for (std::uint32_t d = 0; d <= bits_; ++d) {
      items += exact.items[d];
      relevant += exact.relevant[d];
      const double precision = items == 0 ? 0 : static_cast<double>(relevant) / static_cast<double>(items);
      const double recall = static_cast<double>(relevant) / static_cast<double>(exact.total_relevant);
      m.by_radius.push_back({d, static_cast<double>(items) / n, precision, recall});
      if (exact.items[d] > 0) m.precision_recall.push_back({recall, precision});
      if (items == all) break;
    }
  }

  const EvalInput& in_;
  std::uint32_t bits_;
  LabelSets sets_;
  std::vector<std::uint32_t> query_sets_;
  CodeGroups queries_, database_;
  std::uint64_t neighbours_;  // of a query
  std::vector<std::uint64_t> ranks_;
  std::vector<QueryGroupResult> results_;
};

}  // namespace
}  // namespace eval

Metrics evaluate(const EvalInput& input) {
  eval::check_input(input);
  return eval::Evaluation(input).run();
}

}  // namespace signet
