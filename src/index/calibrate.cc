#include "index/calibrate.h"

#include <algorithm>
#include <limits>

#include "index/query_run.h"
#include "signet/base/random.h"

namespace signet {
namespace {

constexpr std::size_t kQueries = 64;
constexpr double kSecondsEach = 0.5;
constexpr double kDear = 1.5;  // times the scan: what comes after is dearer still

// Seconds of the quickest of a few runs; one where it takes long.
double time_search(const Index& index, const CodeMatrix& queries, const SearchOptions& options) {
  double best = std::numeric_limits<double>::infinity(), total = 0;
  for (int round = 0; round < 2 || (round < 6 && total < 3e-3); ++round) {
    const Stopwatch watch;
    index.search(queries, options);
    const double seconds = watch.seconds();
    best = std::min(best, seconds);
    total += seconds;
    if (seconds > 0.05) break;
  }
  return best;
}

// How much more a query costs alone than among many, for the ten nearest; the mean over some of the queries.
double measure_alone(const Index& index, const CodeMatrix& queries, double together_ns) {
  constexpr std::size_t kSome = 32;
  SearchOptions ask;
  ask.k = 11;
  double seconds = 0, spent = 0;
  std::size_t asked = 0;
  for (; asked < std::min(kSome, queries.size()) && spent < kSecondsEach; ++asked) {
    const std::size_t which[] = {asked};
    const Stopwatch watch;
    seconds += time_search(index, queries.rows(which), ask);
    spent += watch.seconds();
  }
  return std::max(0.0, seconds * 1e9 / static_cast<double>(std::max<std::size_t>(asked, 1)) - together_ns);
}

void insert(CostCurve& curve, double at, double ns) {
  const auto place =
      std::lower_bound(curve.points.begin(), curve.points.end(), at, [](const auto& p, double x) { return p.at < x; });
  curve.points.insert(place, {at, ns});
}

}  // namespace

std::vector<std::uint64_t> calibration_queries(const Rows& rows, std::uint64_t seed) {
  Random random(mix_seed(seed, 0x706c616e));
  std::vector<std::uint64_t> positions(std::min(kQueries, rows.size()));
  for (auto& position : positions) position = random.below(rows.size());
  return positions;
}

KindCosts measure_kind(const Index& index, const CodeMatrix& queries, const KindCosts* scan) {
  KindCosts costs;
  const auto time = [&](const SearchOptions& ask) {
    return time_search(index, queries, ask) * 1e9 / static_cast<double>(queries.size());
  };
  bool dear = false;
  const Stopwatch watch;
  for (const std::size_t k : {10u, 1u, 100u, 1000u, 10000u, 100000u}) {
    if (k > 10 && (dear || k * 4 > index.size() || watch.seconds() > kSecondsEach)) break;
    SearchOptions ask;
    ask.k = k + 1;
    const double ns = time(ask);
    insert(costs.k, static_cast<double>(k), ns);
    if (k == 10) costs.alone_ns = measure_alone(index, queries, ns);
    if (k >= 10) dear = scan != nullptr && ns > kDear * (scan->k.for_k(static_cast<double>(k)) + scan->alone_ns);
  }
  dear = false;
  const Stopwatch again;
  for (const std::uint32_t radius : {2u, 0u, 1u, 3u, 4u, 5u, 6u, 7u, 8u, 10u, 12u, 16u, 20u, 24u, 32u, 48u}) {
    if (radius > 2 && (dear || radius > index.bits() / 2 || again.seconds() > kSecondsEach)) break;
    SearchOptions ask;
    ask.k = kAllHits;
    ask.radius = radius;
    const double ns = time(ask);
    insert(costs.radius, radius, ns);
    if (radius >= 2) dear = scan != nullptr && ns > kDear * (scan->radius.for_radius(radius) + scan->alone_ns);
  }
  return costs;
}

std::vector<double> measure_within(const Rows& rows, const CodeMatrix& queries, std::uint64_t seed) {
  Random random(mix_seed(seed, 0x77697468));
  const std::size_t sampled = std::min<std::size_t>(rows.size(), 4096);
  std::vector<std::uint64_t> positions(sampled);
  for (auto& position : positions) position = random.below(rows.size());
  std::vector<std::uint16_t> distances(sampled);
  std::vector<double> within(rows.largest_distance() + 1);
  const QueryRows wide(queries, rows.bits());
  for (std::size_t q = 0; q < queries.size(); ++q) {
    hamming_kernel().gather(wide.at(q), rows.data(), positions.data(), sampled, rows.row(), distances.data());
    for (const std::uint16_t distance : distances) within[distance] += 1.0 / static_cast<double>(sampled * queries.size());
  }
  for (std::size_t d = 1; d < within.size(); ++d) within[d] += within[d - 1];
  return within;
}

}  // namespace signet
