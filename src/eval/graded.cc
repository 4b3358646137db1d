#include "signet/eval/graded.h"

#include <algorithm>
#include <cmath>

#include "eval/average_precision.h"
#include "eval/grouping.h"
#include "eval/input_check.h"
#include "eval/label_sets.h"
#include "signet/base/thread_pool.h"
#include "signet/kernel/hamming.h"

namespace signet {
namespace eval {
namespace {

double boosted(double gain) { return std::exp2(gain) - 1; }

// One distance of a query's histogram.
struct Level {
  std::uint64_t items = 0, relevant = 0;
  double gain = 0, boost = 0;  // sums of g and of 2^g - 1
  void add(std::uint64_t count, double g) {
    items += count;
    if (g <= 0) return;
    relevant += count;
    gain += static_cast<double>(count) * g;
    boost += static_cast<double>(count) * boosted(g);
  }
};

struct Score {
  double ndcg = -1, weighted = -1;  // -1: nothing relevant
};

class GradedEvaluation {
 public:
  explicit GradedEvaluation(const EvalInput& in)
      : in_(in),
        bits_(in.queries->bits()),
        query_sets_(number_labels(in.query_labels, sets_)),
        database_sets_(number_labels(in.database_labels, sets_)),
        queries_(group_codes(*in.queries, query_sets_)),
        database_(group_codes(*in.database, database_sets_)),
        set_size_(sets_.size()),
        discount_(1, 0.0) {
    for (const std::uint32_t set : database_sets_) ++set_size_[set];
    const std::size_t ranks = in.cutoff == 0 ? in.database->size() : std::min(in.cutoff, in.database->size());
    for (std::size_t i = 1; i <= ranks; ++i) discount_.push_back(discount_.back() + 1 / std::log2(static_cast<double>(i) + 1));
  }

  GradedMetrics run() {
    std::vector<Score> scores(queries_.size());
    ThreadPool pool(in_.threads);
    pool.parallel_for(queries_.size(), 16, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t g = begin; g < end; ++g) scores[g] = score(g);
    });
    GradedMetrics m;
    m.queries = in_.queries->size();
    m.cutoff = in_.cutoff;
    for (const std::uint32_t group : queries_.group_of) {
      if (scores[group].ndcg < 0) continue;
      m.ndcg_by_query.push_back(scores[group].ndcg);
      m.weighted_ap.push_back(scores[group].weighted);
      m.ndcg += scores[group].ndcg;
      m.weighted_map += scores[group].weighted;
    }
    m.queries_without_relevant = m.queries - m.weighted_ap.size();
    if (m.weighted_ap.empty()) return m;
    m.ndcg /= static_cast<double>(m.weighted_ap.size());
    m.weighted_map /= static_cast<double>(m.weighted_ap.size());
    return m;
  }

 private:
  Score score(std::size_t group) const {
    std::vector<double> gain;
    sets_.gains_of(queries_.label_set[group], gain);
    std::vector<Level> levels(std::size_t{bits_} + 1);
    std::vector<std::uint16_t> distances(database_.size());
    hamming_kernel().scan(queries_.code(group), database_.codes.data(), database_.size(), database_.row_bytes, distances.data());
    const std::uint32_t own_set = queries_.label_set[group];
    // The query itself is one of its own group of the database: same code, same labels.
    bool skip_self = in_.leave_one_out;
    for (std::size_t i = 0; i < database_.size(); ++i) {
      const bool self = skip_self && distances[i] == 0 && database_.label_set[i] == own_set;
      if (self) skip_self = false;
      levels[distances[i]].add(database_.count[i] - (self ? 1 : 0), gain[database_.label_set[i]]);
    }
    std::uint64_t relevant = 0;
    for (const Level& level : levels) relevant += level.relevant;
    if (relevant == 0) return {};
    return {dcg(levels) / best_dcg(gain, own_set), weighted(levels) / static_cast<double>(relevant)};
  }

  // Sum of 1 / log2(i + 1) over ranks (from, to], as far as the cutoff.
  double discounts(std::uint64_t from, std::uint64_t to) const {
    const std::uint64_t last = discount_.size() - 1;
    return discount_[std::min(to, last)] - discount_[std::min(from, last)];
  }

  // Each rank of a level holds its mean boosted gain, in expectation.
  double dcg(const std::vector<Level>& levels) const {
    double sum = 0;
    std::uint64_t before = 0;
    for (const Level& level : levels) {
      if (level.relevant > 0) sum += level.boost / static_cast<double>(level.items) * discounts(before, before + level.items);
      before += level.items;
    }
    return sum;
  }

  double best_dcg(const std::vector<double>& gain, std::uint32_t own_set) const {
    std::vector<std::pair<double, std::uint64_t>> order;
    for (std::uint32_t s = 0; s < gain.size(); ++s) {
      if (gain[s] > 0) order.emplace_back(gain[s], set_size_[s] - (in_.leave_one_out && s == own_set ? 1 : 0));
    }
    std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    double sum = 0;
    std::uint64_t before = 0;
    for (const auto& [g, count] : order) {
      sum += boosted(g) * discounts(before, before + count);
      before += count;
    }
    return sum;
  }

  // Rank N + t of a level (n items, r relevant, gains summing to G; B: gains before it) is relevant with expected sum of gains so
  // far (r/n) B + G/n + (t-1) G (r-1) / (n (n-1)): items that are not relevant have no gain, and two different places hold any
  // ordered pair of its items with equal probability. The sums over t are those of average_precision.cc.
  static double weighted(const std::vector<Level>& levels) {
    double sum = 0, gain_before = 0;
    std::uint64_t before = 0;
    for (const Level& level : levels) {
      if (level.relevant > 0) {
        const double n = static_cast<double>(level.items), r = static_cast<double>(level.relevant);
        const double dh = harmonic_difference(before, level.items);
        sum += (r * gain_before + level.gain) / n * dh;
        if (level.items > 1) sum += level.gain * (r - 1) / (n * (n - 1)) * (n - static_cast<double>(before + 1) * dh);
      }
      before += level.items;
      gain_before += level.gain;
    }
    return sum;
  }

  const EvalInput& in_;
  std::uint32_t bits_;
  LabelSets sets_;
  std::vector<std::uint32_t> query_sets_, database_sets_;
  CodeGroups queries_, database_;
  std::vector<std::uint64_t> set_size_;  // database items of each label set
  std::vector<double> discount_;         // prefix sums of 1 / log2(i + 1)
};

}  // namespace
}  // namespace eval

GradedMetrics evaluate_graded(const EvalInput& input) {
  eval::check_input(input);
  return eval::GradedEvaluation(input).run();
}

}  // namespace signet
