#include "index/mih_plan.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "index/bucket_table.h"
#include "index/flat_index.h"
#include "signet/base/random.h"

namespace signet {
namespace {

constexpr std::size_t kLeastCodes = 1024, kMostCodes = 8192, kSampleQueries = 32;

double binomial(unsigned n, unsigned k) {
  double value = 1;
  for (unsigned i = 1; i <= k; ++i) value = value * (n - k + i) / i;
  return value;
}

// Memory for tables, in bytes a code: 12 for a code of one word, in proportion for longer ones; small collections may take more.
double memory_budget(const Rows& rows) {
  const double words = static_cast<double>(row_words(rows.row()));
  return (rows.size() < 4'000'000 ? 20.0 : 12.0) * words;
}

// How many stored codes a query like them meets in each shell of each table: counted over pairs of the sample; where that saw too
// few, never less than codes spread evenly would give.
std::vector<std::vector<double>> expected_candidates(const Rows& rows, const MihSample& sample,
                                                     const std::vector<Substring>& substrings) {
  std::vector<std::vector<double>> shells;
  for (const Substring& substring : substrings) {
    std::vector<std::uint32_t> keys;
    for (const std::uint64_t p : sample.positions) keys.push_back(substring.key(rows.at(p)));
    std::vector<double> shell(substring.bits() + 1);
    for (const std::uint64_t q : sample.queries) {
      const std::uint32_t key = substring.key(rows.at(q));
      for (std::size_t i = 0; i < keys.size(); ++i) {
        if (sample.positions[i] != q) shell[static_cast<std::size_t>(std::popcount(key ^ keys[i]))] += 1;
      }
    }
    const double pairs = std::max(1.0, static_cast<double>(sample.queries.size() * sample.positions.size()));
    const double count = static_cast<double>(rows.size());
    for (unsigned a = 0; a <= substring.bits(); ++a) {
      shell[a] =
          std::max(shell[a] / pairs, std::ldexp(binomial(substring.bits(), a), -static_cast<int>(substring.bits()))) * count;
    }
    shells.push_back(std::move(shell));
  }
  return shells;
}

}  // namespace

void MihPlan::schedule(const UnitCosts& costs) {
  steps.clear();
  std::vector<std::uint32_t> next(substrings.size());
  const auto cost = [&](std::size_t t) {
    return binomial(substrings[t].bits(), next[t]) * costs.bucket + shell_candidates[t][next[t]] * costs.candidate;
  };
  double so_far = 0;
  while (!substrings.empty()) {
    std::size_t best = 0;
    for (std::size_t t = 1; t < substrings.size(); ++t) {
      if (cost(t) < cost(best)) best = t;
    }
    so_far += cost(best);
    steps.push_back({static_cast<std::uint32_t>(best), next[best], binomial(substrings[best].bits(), next[best]),
                     shell_candidates[best][next[best]], so_far});
    if (++next[best] > substrings[best].bits()) return;
  }
}

double MihPlan::cost_within(std::uint32_t radius) const noexcept {
  return radius < steps.size() ? steps[radius].cost_so_far : std::numeric_limits<double>::infinity();
}

double MihPlan::cost_for(const MihSample& sample, double scan_ns) const noexcept {
  double sum = 0;
  for (const std::uint32_t distance : sample.tenth) sum += std::min(cost_within(distance), scan_ns);
  return sum / static_cast<double>(std::max<std::size_t>(sample.tenth.size(), 1));
}

MihSample sample_codes(const Rows& rows, std::uint64_t seed, std::size_t threads) {
  MihSample sample;
  if (rows.size() == 0) return sample;
  Random random(mix_seed(seed, 0x6d6968));
  const std::size_t codes = std::min(rows.size(), std::clamp(rows.size() / 64, kLeastCodes, kMostCodes)),
                    queries = std::min(rows.size(), kSampleQueries);
  for (std::size_t i = 0; i < codes; ++i) sample.positions.push_back(codes == rows.size() ? i : random.below(rows.size()));
  for (std::size_t i = 0; i < queries; ++i) sample.queries.push_back(random.below(rows.size()));
  SearchOptions options;
  options.k = 11;  // the nearest is the query itself, or its equal
  options.threads = threads;
  const FlatIndex flat(std::shared_ptr<const Rows>(std::shared_ptr<const Rows>(), &rows));
  for (const auto& hits : flat.search(sample_queries(rows, sample.queries), options).hits)
    sample.tenth.push_back(hits.empty() ? rows.bits() : hits.back().distance);
  return sample;
}

std::uint64_t mih_bytes(std::uint64_t count, const std::vector<Substring>& substrings) noexcept {
  std::uint64_t words = 0;
  for (const Substring& substring : substrings) {
    words += packed_words((std::uint64_t{1} << substring.bits()) + 1, BucketTable::offset_width(count));
    words += packed_words(count, position_width(count));
  }
  return 8 * words;
}

MihPlan plan_mih(const Rows& rows, const MihSample& sample, const UnitCosts& costs, std::size_t tables, unsigned bits) {
  const BitStatistics statistics = measure_bits(rows, sample.positions);
  const auto varying = static_cast<std::size_t>(
      std::count_if(statistics.entropy.begin(), statistics.entropy.end(), [](double e) { return e > 0.02; }));
  const double count = static_cast<double>(std::max<std::size_t>(rows.size(), 1));
  const auto useful = static_cast<unsigned>(std::clamp(std::ceil(std::log2(count)) + 1, 1.0, static_cast<double>(kMaxKeyBits)));
  const double budget = memory_budget(rows) * count + 4096, scan = count * costs.scan;
  MihPlan best;
  double best_cost = std::numeric_limits<double>::infinity();
  const std::size_t all = std::max<std::size_t>(varying, 1);
  const std::size_t from = tables != 0 ? tables : 1,
                    to = tables != 0 ? tables : std::min({kMaxTables, all, all / std::max(1u, useful / 2) + 2});
  for (std::size_t m = from; m <= to; ++m) {
    const std::size_t share = (std::max<std::size_t>(all, m) + m - 1) / m;
    const unsigned length = bits != 0 ? bits : static_cast<unsigned>(std::clamp<std::size_t>(share, 1, useful));
    MihPlan plan;
    plan.substrings = choose_substrings(rows, statistics, m, std::min(length, kMaxKeyBits));
    if (tables == 0 && m > 1 && static_cast<double>(mih_bytes(rows.size(), plan.substrings)) > budget) continue;
    plan.shell_candidates = expected_candidates(rows, sample, plan.substrings);
    plan.schedule(costs);
    const double cost = plan.cost_for(sample, scan);
    if (best.substrings.empty() || cost < best_cost) {
      best = std::move(plan);
      best_cost = cost;
    }
  }
  return best;
}

}  // namespace signet
