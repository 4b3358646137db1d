#include "index/calibrate.h"

#include <time.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

#include "index/flat_index.h"
#include "index/query_run.h"
#include "signet/base/random.h"

namespace signet {
namespace {

// Many for small sets: the branch predictor learns by heart how 64 queries go through 20,000 codes.
constexpr std::size_t kMostQueries = 512, kTogether = 64, kAlone = 128;
constexpr std::uint32_t kBitsOfAFlip = 16;
constexpr std::size_t kComparisons = 100'000'000;  // of queries with codes that a scan should make at least
constexpr double kSecondsInAll = 0.75;             // for the questions of each sort, beyond the first
constexpr double kLongScan = 0.02;                 // seconds of a call
constexpr std::size_t kFewHits = 1000;             // that a long scan keeps and sorts in no time beside its reading
constexpr double kDear = 1.5;                      // times the scan: what comes after is dearer still

using Indexes = std::array<const Index*, kKinds>;
using Nanoseconds = std::array<double, kKinds>;

// A turn is so long that the scan of the turn before, which has swept the caches, is not what is measured.
constexpr double kTurnSeconds = 0.003;
constexpr int kMostTimes = 16;
constexpr double kScanSeconds = 0.01;  // of a turn of the scan; beyond, fewer calls are made

// Of this thread alone: where other programs take turns on the CPU, their time is not in it.
double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// As many of the calls as the scan answers in a turn, at least one.
std::span<const CodeMatrix> affordable(const Index& scan, std::span<const CodeMatrix> calls, const SearchOptions& ask) {
  const double began = thread_seconds();
  scan.search(calls.front(), ask);
  const double count = std::clamp(kScanSeconds / (thread_seconds() - began), 1.0, static_cast<double>(calls.size()));
  return calls.first(static_cast<std::size_t>(count));
}

// ns a query of every index that is not null, for queries that come in the given calls. The indexes take turns and the least time
// counts: other work on the machine then falls on all of them, and on the best turn of each least. scan_ns: what the scan is
// known to take, with calls so long that one of them is enough; it then takes no turn.
Nanoseconds take_turns(const Indexes& indexes, std::span<const CodeMatrix> all_calls, const SearchOptions& ask,
                       std::optional<double> scan_ns = {}) {
  const std::span<const CodeMatrix> calls = scan_ns ? all_calls.first(1) : affordable(*indexes[0], all_calls, ask);
  Nanoseconds best;
  best.fill(std::numeric_limits<double>::infinity());
  if (scan_ns) best[0] = *scan_ns;
  std::size_t queries = 0;
  for (const CodeMatrix& call : calls) queries += call.size();
  double spent = 0;
  for (int round = 0; round < 2 || (round < 4 && spent < 0.02); ++round) {
    for (std::size_t i = 0; i < kKinds; ++i) {
      if (indexes[i] == nullptr || (i == 0 && scan_ns)) continue;
      const double began = thread_seconds();
      int times = 0;
      do
        for (const CodeMatrix& call : calls) indexes[i]->search(call, ask);
      while (++times < kMostTimes && thread_seconds() - began < kTurnSeconds);
      const double seconds = thread_seconds() - began;
      best[i] = std::min(best[i], seconds * 1e9 / static_cast<double>(times) / static_cast<double>(queries));
      spent += seconds;
    }
  }
  return best;
}

// A scan reads all codes whatever is asked. Where one call takes long, asking it again about other small k or radii would use up
// the time for the kinds whose cost does depend on them: what it took the first time is taken for those too.
std::optional<double> long_scan(double ns, const CodeMatrix& call) {
  if (ns * 1e-9 * static_cast<double>(call.size()) < kLongScan) return std::nullopt;
  return ns;
}

// What costs much more than the scan is not asked about harder questions.
void leave_out_dear(Indexes& indexes, const Nanoseconds& ns) {
  for (std::size_t i = 1; i < kKinds; ++i) {
    if (ns[i] > kDear * ns[0]) indexes[i] = nullptr;
  }
}

// The first `count` queries, `together` of them a call.
std::vector<CodeMatrix> cut(const CodeMatrix& queries, std::size_t count, std::size_t together) {
  std::vector<CodeMatrix> calls;
  for (std::size_t first = 0; first < count; first += together) {
    std::vector<std::size_t> which(std::min(together, count - first));
    std::iota(which.begin(), which.end(), first);
    calls.push_back(queries.rows(which));
  }
  return calls;
}

void insert(CostCurve& curve, double at, double ns) {
  const auto place =
      std::lower_bound(curve.points.begin(), curve.points.end(), at, [](const auto& p, double x) { return p.at < x; });
  curve.points.insert(place, {at, ns});
}

}  // namespace

CalibrationQueries calibration_queries(const Rows& rows, std::uint64_t seed) {
  Random random(mix_seed(seed, 0x706c616e));
  const std::size_t wanted = std::clamp(kComparisons / std::max<std::size_t>(rows.size(), 1), kTogether, kMostQueries);
  std::vector<std::uint64_t> positions(std::min(wanted, rows.size()));
  for (auto& position : positions) position = random.below(rows.size());
  CalibrationQueries queries{sample_queries(rows, positions), sample_queries(rows, positions)};
  for (std::size_t q = 0; q < queries.changed.size(); ++q) {
    for (std::uint32_t i = 0; i < rows.bits() / kBitsOfAFlip + 1; ++i) {
      const std::uint64_t bit = random.below(rows.bits());
      queries.changed.row(q)[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    }
  }
  return queries;
}

namespace {

using AllCosts = std::array<std::optional<KindCosts>, kKinds>;

void ask_by_k(Indexes asked, const CodeMatrix& queries, AllCosts& costs) {
  const std::vector<CodeMatrix> calls = cut(queries, queries.size(), kTogether),
                                alone = cut(queries, std::min(kAlone, queries.size()), 1);
  const std::size_t count = asked[0]->size();
  std::optional<double> scan_ns;
  double began = thread_seconds();
  for (const std::size_t k : {10u, 1u, 100u, 1000u, 10000u, 100000u}) {
    if (k > 10 && (k * 4 > count || thread_seconds() - began > kSecondsInAll)) break;
    SearchOptions ask;
    ask.k = k + 1;
    const Nanoseconds ns = take_turns(asked, calls, ask, k <= kFewHits ? scan_ns : std::nullopt),
                      one = k == 10 ? take_turns(asked, alone, ask) : Nanoseconds{};
    for (std::size_t i = 0; i < kKinds; ++i) {
      if (asked[i] == nullptr) continue;
      insert(costs[i]->k, static_cast<double>(k), ns[i]);
      if (k == 10) costs[i]->alone_ns = std::max(0.0, one[i] - ns[i]);
    }
    if (k >= 100) leave_out_dear(asked, ns);
    if (k != 10) continue;
    scan_ns = long_scan(ns[0], calls.front());
    began = thread_seconds();
  }
}

// Where the scan is not asked about larger radii, the planner takes what it costs at as many hits.
void ask_by_radius(Indexes asked, const CodeMatrix& queries, AllCosts& costs) {
  const std::vector<CodeMatrix> calls = cut(queries, queries.size(), kTogether);
  const std::uint32_t most = asked[0]->bits() / 2;
  std::optional<double> scan_ns;
  double began = thread_seconds();
  for (const std::uint32_t radius : {2u, 0u, 1u, 3u, 4u, 5u, 6u, 7u, 8u, 10u, 12u, 16u, 20u, 24u, 32u, 48u}) {
    if (radius > 2 && (radius > most || thread_seconds() - began > kSecondsInAll)) break;
    SearchOptions ask;
    ask.k = kAllHits;
    ask.radius = radius;
    const Nanoseconds ns = take_turns(asked, calls, ask, scan_ns);
    for (std::size_t i = scan_ns ? 1 : 0; i < kKinds; ++i) {
      if (asked[i] != nullptr) insert(costs[i]->radius, radius, ns[i]);
    }
    if (radius > 2) leave_out_dear(asked, ns);
    if (radius != 2) continue;
    scan_ns = long_scan(ns[0], calls.front());
    began = thread_seconds();
  }
}

}  // namespace

std::array<std::optional<KindCosts>, kKinds> measure_kinds(const Indexes& indexes, const CalibrationQueries& queries) {
  AllCosts costs;
  for (std::size_t i = 0; i < kKinds; ++i) {
    if (indexes[i] != nullptr) costs[i].emplace();
  }
  ask_by_k(indexes, queries.stored, costs);
  ask_by_radius(indexes, queries.changed, costs);
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
