#include "index/mih_index.h"

#include <algorithm>
#include <array>
#include <limits>

#include "index/mih_search.h"
#include "index/query_run.h"
#include "signet/base/random.h"

namespace signet {

namespace {

constexpr std::size_t kProbeWaves = 16;

// ns a bucket: its boundaries and the first of its positions, a wave of each.
double probe_buckets(const BucketTable& table, unsigned bits, Random& random) {
  std::array<std::uint32_t, MihScratch::kKeys * kProbeWaves> keys;
  for (auto& key : keys) key = static_cast<std::uint32_t>(random.below(std::uint64_t{1} << bits));
  std::array<BucketTable::Range, MihScratch::kKeys> ranges;
  std::uint64_t sink = 0;
  const Stopwatch watch;
  for (std::size_t wave = 0; wave < kProbeWaves; ++wave) {
    const std::uint32_t* first = keys.data() + wave * MihScratch::kKeys;
    for (std::size_t i = 0; i < MihScratch::kKeys; ++i) table.prefetch_bucket(first[i]);
    for (std::size_t i = 0; i < MihScratch::kKeys; ++i) {
      ranges[i] = table.bucket(first[i]);
      if (ranges[i].size() != 0) table.prefetch_position(ranges[i].begin);
    }
    for (const auto& range : ranges) sink += range.size() == 0 ? 0 : table.position(range.begin);
  }
  const double ns = watch.seconds() * 1e9 / static_cast<double>(keys.size());
  return sink == 1 ? ns + 1e-9 : ns;  // so that the reads are used
}

// ns a candidate: its code, fetched ahead, and its distance.
double probe_candidates(const Rows& rows, const std::uint8_t* query, Random& random) {
  std::array<std::uint64_t, MihScratch::kCandidates * kProbeWaves> positions;
  for (auto& position : positions) position = random.below(rows.size());
  std::array<std::uint16_t, MihScratch::kCandidates> distances;
  const HammingKernel& kernel = hamming_kernel();
  std::uint64_t sink = 0;
  const Stopwatch watch;
  for (std::size_t wave = 0; wave < kProbeWaves; ++wave) {
    const std::uint64_t* first = positions.data() + wave * MihScratch::kCandidates;
    for (std::size_t i = 0; i < MihScratch::kCandidates; ++i) __builtin_prefetch(rows.at(first[i]));
    kernel.gather(query, rows.data(), first, MihScratch::kCandidates, rows.row(), distances.data());
    sink += distances[0];
  }
  const double ns = watch.seconds() * 1e9 / static_cast<double>(positions.size());
  return sink == 1 ? ns + 1e-9 : ns;
}

}  // namespace

MihIndex::MihIndex(const std::shared_ptr<const Rows>& rows, const MihOptions& options)
    : MihIndex(rows, sample_codes(*rows, options.seed, options.threads), options) {}

MihIndex::MihIndex(const std::shared_ptr<const Rows>& rows, const MihSample& sample, const MihOptions& options)
    : MihIndex(rows, sample, plan_mih(*rows, sample, UnitCosts{}, options.tables, options.bits), options) {}

MihIndex::MihIndex(std::shared_ptr<const Rows> rows, const MihSample& sample, MihPlan plan, const MihOptions& options)
    : rows_(std::move(rows)), flat_(rows_), may_scan_(options.may_scan), plan_(std::move(plan)) {
  ThreadPool pool(effective_threads(options.threads, std::max<std::size_t>(size() / 65536, 1)));
  tables_.reserve(plan_.substrings.size());
  for (const Substring& substring : plan_.substrings) tables_.emplace_back(*rows_, substring, pool);
  measure_costs(sample);
  plan_.schedule(costs_);
}

MihIndex::MihIndex(std::shared_ptr<const Rows> rows, MihPlan plan, std::vector<BucketTable> tables, const UnitCosts& costs)
    : rows_(std::move(rows)), flat_(rows_), may_scan_(true), costs_(costs), plan_(std::move(plan)), tables_(std::move(tables)) {
  plan_.schedule(costs_);
}

std::size_t MihIndex::memory_bytes() const noexcept {
  std::size_t sum = rows_->memory_bytes();
  for (const BucketTable& table : tables_) sum += table.memory_bytes();
  return sum;
}

// Costs on this machine for these tables: the same waves of reads as a search (mih_search.cc), at random places, so that caches
// and pages count as they will. The least of several rounds, since other work on the machine only adds.
void MihIndex::measure_costs(const MihSample& sample) {
  if (size() < 1000) return;
  constexpr int kRounds = 8;
  Random random(7);
  double bucket = std::numeric_limits<double>::infinity(), candidate = bucket;
  for (int round = 0; round < kRounds; ++round) {
    bucket = std::min(bucket, probe_buckets(tables_[0], plan_.substrings[0].bits(), random));
    candidate = std::min(candidate, probe_candidates(*rows_, rows_->at(sample.queries[0]), random));
  }
  const ScanCosts scan = measure_scan(flat_, sample_queries(*rows_, sample.queries));
  costs_ = {std::clamp(bucket, 1.0, 200.0), std::clamp(candidate, 1.0, 200.0), scan.one, scan.batch};
}

SearchResult MihIndex::search(const CodeMatrix& queries, const SearchOptions& options) const {
  const Stopwatch watch;
  const QueryRows rows(queries, bits());
  SearchResult result;
  result.hits.resize(rows.size());
  Work total;
  if (rows.size() != 0 && size() != 0 && options.k != 0) {
    const std::uint32_t largest = rows_->largest_distance(), radius = effective_radius(options, largest);
    const double together = static_cast<double>(std::min<std::size_t>(rows.size(), 64));
    const double code = costs_.scan_batch + std::max(0.0, costs_.scan - costs_.scan_batch) / together;
    const double scan = may_scan_ ? code * static_cast<double>(size()) : std::numeric_limits<double>::infinity();
    const std::size_t threads = effective_threads(options.threads, search_pieces(rows.size(), size()));
    std::vector<Work> works(threads);
    std::vector<std::uint8_t> left(rows.size());
    ThreadPool pool(threads);
    pool.parallel_for(rows.size(), threads == 1 ? rows.size() : 0, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      MihScratch scratch;
      MihSearch search(*rows_, plan_, tables_, costs_, scratch);
      Collector collector(options.k, radius, largest, Collector::Arrival::kAny);
      for (std::size_t q = begin; q < end; ++q) {
        collector.restart(options.k, radius);
        left[q] = !search.run(rows.at(q), options, scan, collector, works[worker]);
        if (left[q] == 0) result.hits[q] = to_hits(collector.finish(), *rows_);
      }
    });
    for (const Work& work : works) total += work;
    total += scan_rest(flat_, queries, left, options, result);
  }
  result.stats = make_stats("mih", total, watch);
  return result;
}

}  // namespace signet
