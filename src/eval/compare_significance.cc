#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "eval/compare_parts.h"
#include "eval/interval.h"
#include "eval/quantile.h"
#include "signet/base/error.h"

namespace signet {
namespace eval {
namespace {

std::string names(const std::vector<const ResultRecord*>& records) {
  std::string all;
  for (const ResultRecord* r : records) all += concat(all.empty() ? "" : ", ", r->seed);
  return all;
}

bool has_values(const ResultRecord& r) { return !r.query_ap.empty() && !r.query_set.empty(); }
std::string set_of(const ResultRecord& r) { return concat(r.query_set, ' ', r.query_ap.size()); }

// The records of one side by the queries that they were measured on.
std::map<std::string, std::vector<const ResultRecord*>> by_queries(const std::vector<const ResultRecord*>& records) {
  std::map<std::string, std::vector<const ResultRecord*>> sets;
  for (const ResultRecord* r : records)
    if (has_values(*r)) sets[set_of(*r)].push_back(r);
  return sets;
}

// Differences of two rows to one reference share its trainings: they correlate by 1/2 where trainings vary alike, and their
// squares by 1/4. So m rows are worth m / (1 + (m - 1) / 4) that share nothing.
constexpr double kSharedReference = 0.25;

double variance(const std::vector<double>& values) {
  const double deviation = spread_of(values).deviation;
  return deviation * deviation;
}

// Variance of the mean of these seeds' values: by what all seeds of the group say, and by their own where they differ more.
double of_mean(const std::vector<double>& values, const SeedSpread& seeds) {
  return std::max(seeds.variance, variance(values)) / static_cast<double>(values.size());
}

// Squares about the mean of a group that differs in its seeds alone, and what they are worth.
void pool(SeedSpread& spread, const std::vector<double>& values) {
  if (values.size() < 2) return;
  const double freedom = static_cast<double>(values.size() - 1);
  const double squares = spread.variance * spread.freedom + variance(values) * freedom;
  spread.freedom += freedom;
  spread.variance = squares / spread.freedom;
}

// Wider where trainings differ: mean +- t * sqrt(queries + seeds), two variances of which the second alone is an estimate from
// few values; degrees of freedom of the sum by Satterthwaite (1946).
void widen(PairedDifference& d, double queries, double seeds, double freedom, double confidence) {
  const double both = queries + seeds;
  if (seeds <= 0) return;  // all seeds gave the same
  const double half = student_quantile((1 - confidence) / 2, freedom * (both / seeds) * (both / seeds)) * std::sqrt(both);
  d.low = std::min(d.low, d.mean - half);
  d.high = std::max(d.high, d.mean + half);
  d.significant = d.low > 0 || d.high < 0;
}

}  // namespace

void Resampler::add(const std::vector<const ResultRecord*>& records) {
  std::map<std::string, std::vector<const ResultRecord*>> wanted;
  for (const ResultRecord* r : records)
    if (has_values(*r) && !means_.contains(r)) wanted[set_of(*r)].push_back(r);
  for (const auto& [set, some] : wanted) {
    std::vector<std::span<const float>> values;
    for (const ResultRecord* r : some) values.emplace_back(r->query_ap);
    // Every record of a set sees the same draws, whichever call adds it: the stream depends on the options' seed alone.
    const std::vector<std::vector<float>> drawn = resampled_means(values, options_);
    for (std::size_t i = 0; i < some.size(); ++i) {
      double mean = 0;
      for (const float ap : some[i]->query_ap) mean += ap;
      means_[some[i]] = {mean / static_cast<double>(some[i]->query_ap.size()), drawn[i]};
    }
  }
}

std::vector<Resampler::Common> Resampler::common_queries(const Pair& pair) const {
  const auto& [row, reference] = pair;
  const auto ours = by_queries(*row), theirs = by_queries(*reference);
  if (ours.empty() || theirs.empty())
    fail(ErrorCode::kMismatch, "there are no values by query in the records of ",
         ours.empty() ? row->front()->method : reference->front()->method, ", so nothing can be paired");
  std::vector<Common> common;
  for (const auto& [set, some] : ours)
    if (const auto other = theirs.find(set); other != theirs.end()) common.push_back({some, other->second});
  if (common.empty())
    fail(ErrorCode::kMismatch, row->front()->method, " and ", reference->front()->method,
         " were measured on different queries (seeds ", names(*row), " and ", names(*reference), "), so nothing can be paired");
  return common;
}

std::vector<double> Resampler::means(const Records& side) const {
  std::vector<double> all;
  all.reserve(side.size());
  for (const ResultRecord* r : side) all.push_back(means_.at(r).mean);
  return all;
}

double Resampler::mean_difference(const Common& c) const {
  return spread_of(means(c.row)).mean - spread_of(means(c.reference)).mean;
}

std::vector<double> Resampler::differences_of(const std::vector<Common>& common) const {
  std::vector<double> all;
  all.reserve(common.size());
  for (const Common& c : common) all.push_back(mean_difference(c));
  return all;
}

double Resampler::drawn_mean(const Records& side, std::size_t round) const {
  double sum = 0;
  for (const ResultRecord* r : side) sum += double{means_.at(r).rounds[round]};
  return sum / static_cast<double>(side.size());
}

SeedSpread Resampler::seed_spread(const std::vector<Pair>& pairs) const {
  SeedSpread spread;
  std::vector<std::vector<double>> differences;
  std::vector<Records> sides;  // once each: the reference stands in every pair
  for (const Pair& pair : pairs) {
    const std::vector<Common> common = common_queries(pair);
    spread.own_queries = spread.own_queries || common.size() > 1;
    differences.push_back(differences_of(common));
    for (const Common& c : common)
      for (const Records& side : {c.row, c.reference})
        if (std::find(sides.begin(), sides.end(), side) == sides.end()) sides.push_back(side);
  }
  if (spread.own_queries) {
    for (const std::vector<double>& of_row : differences) pool(spread, of_row);
    const auto rows = std::count_if(differences.begin(), differences.end(), [](const auto& of_row) { return of_row.size() > 1; });
    if (rows > 1) spread.freedom /= 1 + kSharedReference * static_cast<double>(rows - 1);
  } else {
    for (const Records& side : sides) pool(spread, means(side));
  }
  return spread;
}

PairedDifference Resampler::difference(const Pair& pair, const SeedSpread& seeds, double confidence) const {
  const std::vector<Common> common = common_queries(pair);
  const auto count = static_cast<double>(common.size());
  double whole = 0;
  std::vector<double> drawn(options_.rounds);
  for (const Common& c : common) {
    whole += mean_difference(c) / count;
    for (std::size_t round = 0; round < drawn.size(); ++round)
      drawn[round] += (drawn_mean(c.row, round) - drawn_mean(c.reference, round)) / count;
  }
  const double queries = variance(drawn);
  PairedDifference d = interval_of(whole, std::move(drawn), confidence);
  if (!seeds.is_known()) return d;
  // Of seeds with their own queries the variance holds that of the queries.
  if (seeds.own_queries)
    widen(d, 0, of_mean(differences_of(common), seeds), seeds.freedom, confidence);
  else
    widen(d, queries, of_mean(means(common.front().row), seeds) + of_mean(means(common.front().reference), seeds), seeds.freedom,
          confidence);
  return d;
}

}  // namespace eval

PairedDifference compare_rows(const std::vector<const ResultRecord*>& row, const std::vector<const ResultRecord*>& reference,
                              const BootstrapOptions& options) {
  eval::Resampler resampler(options);
  if (row.empty() || reference.empty()) fail(ErrorCode::kInvalidArgument, "a comparison needs a record on both sides");
  std::vector<const ResultRecord*> all = row;
  all.insert(all.end(), reference.begin(), reference.end());
  resampler.add(all);
  const eval::Resampler::Pair pair{&row, &reference};
  return resampler.difference(pair, resampler.seed_spread({pair}), options.confidence);
}

}  // namespace signet
