#include "index/mih_index.h"

#include <algorithm>
#include <limits>

#include "index/mih_search.h"
#include "index/query_run.h"
#include "signet/base/random.h"

namespace signet {

MihIndex::MihIndex(std::shared_ptr<const Rows> rows, const MihOptions& options)
    : rows_(std::move(rows)), flat_(rows_), may_scan_(options.may_scan) {
  const MihSample sample = sample_codes(*rows_, options.seed, options.threads);
  plan_ = plan_mih(*rows_, sample, costs_, options.tables, options.bits);
  if (options.only_if_it_pays && !pays(sample)) return;
  ThreadPool pool(effective_threads(options.threads, std::max<std::size_t>(size() / 65536, 1)));
  tables_.reserve(plan_.substrings.size());
  for (const Substring& substring : plan_.substrings) tables_.emplace_back(*rows_, substring, pool);
  measure_costs(sample);
  plan_.schedule(costs_);
}

// By the plan's estimate for the ten nearest, for most of the sample: a table that helps few queries is not worth its memory.
bool MihIndex::pays(const MihSample& sample) const {
  const double scan = costs_.scan * static_cast<double>(size());
  std::size_t helped = 0;
  for (const std::uint32_t distance : sample.tenth) helped += plan_.cost_within(distance) < scan / 2 ? 1 : 0;
  return 2 * helped >= sample.tenth.size();
}

std::size_t MihIndex::memory_bytes() const noexcept {
  std::size_t sum = rows_->memory_bytes();
  for (const BucketTable& table : tables_) sum += table.memory_bytes();
  return sum;
}

// Costs on this machine for these tables: the same waves of reads as a search, at random places, so that caches and pages count
// as they will.
void MihIndex::measure_costs(const MihSample& sample) {
  if (size() < 1000 || tables_.empty()) return;
  constexpr std::size_t kRounds = 16, kBatch = 128;
  Random random(7);
  const HammingKernel& kernel = hamming_kernel();
  std::array<std::uint64_t, kBatch> at;
  std::array<std::uint16_t, kBatch> distances;
  std::uint64_t sink = 0;
  double bucket = std::numeric_limits<double>::infinity(), candidate = bucket;
  const std::uint64_t buckets = std::uint64_t{1} << plan_.substrings[0].bits();
  for (std::size_t round = 0; round < kRounds; ++round) {
    for (auto& each : at) each = random.below(buckets);
    const Stopwatch looking;
    for (const std::uint64_t each : at) tables_[0].prefetch_bucket(static_cast<std::uint32_t>(each));
    for (const std::uint64_t each : at) sink += tables_[0].bucket(static_cast<std::uint32_t>(each)).begin;
    bucket = std::min(bucket, looking.seconds() * 1e9 / kBatch);
    for (auto& each : at) each = random.below(size());
    const Stopwatch reading;
    for (std::uint64_t& each : at) {
      each = tables_[0].position(each);
      __builtin_prefetch(rows_->at(each));
    }
    kernel.gather(rows_->at(sample.queries[0]), rows_->data(), at.data(), kBatch, rows_->row(), distances.data());
    sink += distances[0];
    candidate = std::min(candidate, reading.seconds() * 1e9 / kBatch);
  }
  costs_.bucket = std::clamp(bucket, 0.5, 100.0) + (sink == 1 ? 1e-9 : 0);
  costs_.candidate = std::clamp(candidate, 0.5, 200.0);
  CodeMatrix query(1, bits());
  std::copy_n(rows_->at(sample.queries[0]), query.stride(), query.row(0).begin());
  double scan = std::numeric_limits<double>::infinity();
  for (int round = 0; round < 3; ++round) scan = std::min(scan, flat_.search(query, {}).stats.seconds * 1e9);
  costs_.scan = scan / static_cast<double>(size());
}

SearchResult MihIndex::search(const CodeMatrix& queries, const SearchOptions& options) const {
  const Stopwatch watch;
  const QueryRows rows(queries, bits());
  SearchResult result;
  result.hits.resize(rows.size());
  Work total;
  if (rows.size() != 0 && size() != 0 && options.k != 0 && built()) {
    const std::uint32_t largest = rows_->largest_distance(), radius = effective_radius(options, largest);
    const double scan = may_scan_ ? costs_.scan * static_cast<double>(size()) : std::numeric_limits<double>::infinity();
    const std::size_t threads = effective_threads(options.threads, rows.size());
    std::vector<MihScratch> scratch(threads);
    std::vector<Work> works(threads);
    std::vector<std::uint8_t> left(rows.size());
    ThreadPool pool(threads);
    pool.parallel_for(rows.size(), 1, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      MihSearch search(*rows_, plan_, tables_, costs_, scratch[worker]);
      for (std::size_t q = begin; q < end; ++q) {
        Collector collector(options.k, radius, largest, Collector::Arrival::kAny);
        left[q] = !search.run(rows.at(q), options, scan, collector, works[worker]);
        if (left[q] == 0) result.hits[q] = to_hits(collector.take(), *rows_);
      }
    });
    for (const Work& work : works) total += work;
    total += scan_rest(flat_, queries, left, options, result);
  }
  result.stats = make_stats("mih", total, watch);
  return result;
}

}  // namespace signet
