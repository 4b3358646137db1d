#include <map>
#include <utility>

#include "eval/compare_parts.h"
#include "eval/interval.h"
#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace eval {
namespace {

constexpr std::uint64_t kSeedStream = 0x7365656473;

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

// Draws n - 1 of n with replacement, which makes the variance of the drawn mean that of the mean of n (McCarthy & Snowden 1985);
// one alone is always drawn.
double mean_of_drawn(const std::vector<double>& values, Random& random) {
  const std::size_t n = values.size(), draws = n > 1 ? n - 1 : 1;
  double sum = 0;
  for (std::size_t i = 0; i < draws; ++i) sum += values[n > 1 ? random.below(n) : 0];
  return sum / static_cast<double>(draws);
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
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

std::vector<Resampler::Common> Resampler::common_queries(const Records& row, const Records& reference) const {
  const auto ours = by_queries(row), theirs = by_queries(reference);
  if (ours.empty() || theirs.empty())
    fail(ErrorCode::kMismatch, "there are no values by query in the records of ",
         ours.empty() ? row.front()->method : reference.front()->method, ", so nothing can be paired");
  std::vector<Common> common;
  for (const auto& [set, some] : ours)
    if (const auto other = theirs.find(set); other != theirs.end()) common.push_back({some, other->second});
  if (common.empty())
    fail(ErrorCode::kMismatch, row.front()->method, " and ", reference.front()->method,
         " were measured on different queries (seeds ", names(row), " and ", names(reference), "), so nothing can be paired");
  return common;
}

std::vector<double> Resampler::drawn_means(const Records& side, std::size_t round) const {
  std::vector<double> means;
  for (const ResultRecord* r : side) means.push_back(double{means_.at(r).rounds[round]});
  return means;
}

PairedDifference Resampler::difference(const Records& row, const Records& reference, double confidence) const {
  const std::vector<Common> common = common_queries(row, reference);
  const auto whole = [&](const Records& side) {
    double sum = 0;
    for (const ResultRecord* r : side) sum += means_.at(r).mean;
    return sum / static_cast<double>(side.size());
  };
  double mean = 0;
  for (const Common& c : common) mean += (whole(c.row) - whole(c.reference)) / static_cast<double>(common.size());
  Random random(mix_seed(options_.seed, kSeedStream));
  std::vector<double> drawn(options_.rounds), differences(common.size());
  for (std::size_t round = 0; round < options_.rounds; ++round) {
    for (std::size_t c = 0; c < common.size(); ++c) {
      const std::vector<double> a = drawn_means(common[c].row, round), b = drawn_means(common[c].reference, round);
      // Where each seed has its own queries, seeds are drawn with them, below.
      differences[c] = common.size() == 1 ? mean_of_drawn(a, random) - mean_of_drawn(b, random) : mean_of(a) - mean_of(b);
    }
    drawn[round] = mean_of_drawn(differences, random);
  }
  return interval_of(mean, std::move(drawn), confidence);
}

}  // namespace eval

PairedDifference compare_rows(const std::vector<const ResultRecord*>& row, const std::vector<const ResultRecord*>& reference,
                              const BootstrapOptions& options) {
  eval::Resampler resampler(options);
  if (row.empty() || reference.empty()) fail(ErrorCode::kInvalidArgument, "a comparison needs a record on both sides");
  std::vector<const ResultRecord*> all = row;
  all.insert(all.end(), reference.begin(), reference.end());
  resampler.add(all);
  return resampler.difference(row, reference, options.confidence);
}

}  // namespace signet
