#include "index/flat_index.h"

#include <algorithm>
#include <limits>
#include <memory>

#include "index/collector.h"
#include "index/query_run.h"
#include "signet/base/thread_pool.h"

namespace signet {
namespace {

constexpr std::size_t kMaxGroup = 64;  // queries that pass over a block together
constexpr std::size_t kBlockBytes =
    32 << 10;                             // codes of a block: half of a first-level cache, for rows that are read once a query
constexpr std::size_t kMinPart = 16384;   // codes below which a range is not divided among threads
constexpr std::size_t kFirstBlock = 256;  // the first block's hits are all kept, so it is small; blocks then double

// Scratch of one worker: no allocation while scanning.
struct Scratch {
  std::unique_ptr<KernelHit[]> hits;
  std::size_t capacity = 0;
  std::vector<std::uint64_t> positions;
  std::vector<std::uint16_t> distances;

  KernelHit* room_for(std::size_t count) {
    if (capacity < count) {
      hits = std::make_unique_for_overwrite<KernelHit[]>(count);
      capacity = count;
    }
    return hits.get();
  }
};

std::size_t block_codes(std::size_t row) { return std::clamp<std::size_t>(kBlockBytes / row / 256 * 256, 256, 4096); }

// One group of queries over the codes [begin, end).
class GroupScan {
 public:
  GroupScan(const Rows& rows, const QueryRows& queries, std::size_t first, std::size_t count, const SearchOptions& options)
      : rows_(rows), query_rows_(queries.at(first)), filter_(options.filter), kernel_(hamming_kernel()), bounds_(count) {
    const std::uint32_t largest = rows.largest_distance();
    collectors_.assign(count, Collector(options.k, effective_radius(options, largest), largest, Collector::Arrival::kAscending));
  }

  void run(std::uint64_t begin, std::uint64_t end, Scratch& scratch) {
    const std::size_t full = block_codes(rows_.row());
    std::size_t size = std::min(kFirstBlock, full);
    for (std::uint64_t at = begin; at < end; at += size, size = std::min(2 * size, full)) {
      size = static_cast<std::size_t>(std::min<std::uint64_t>(size, end - at));
      for (std::size_t q = 0; q < bounds_.size(); ++q) bounds_[q] = collectors_[q].bound();
      if (filter_ == nullptr) {
        scan_block(at, size, scratch);
      } else {
        filtered_block(at, size, scratch);
      }
      work_.radius = rows_.bits();
    }
  }

  std::vector<PackedHit> take(std::size_t query) { return collectors_[query].take(); }
  const Work& work() const noexcept { return work_; }

 private:
  void scan_block(std::uint64_t at, std::size_t size, Scratch& scratch) {
    KernelHit* hits = scratch.room_for(bounds_.size() * block_codes(rows_.row()));
    const std::size_t found = kernel_.select(query_rows_, bounds_.size(), rows_.at(at), size, rows_.row(), bounds_.data(), hits);
    work_.candidates += size * bounds_.size();
    if (found == 0) return;
    if (filter_ == nullptr) {
      for (std::size_t h = 0; h < found; ++h) collectors_[hits[h].query].add(hits[h].distance, at + hits[h].position);
    } else {
      for (std::size_t h = 0; h < found; ++h) {
        if (filter_->allows(at + hits[h].position)) collectors_[hits[h].query].add(hits[h].distance, at + hits[h].position);
      }
    }
    for (Collector& collector : collectors_) collector.tighten();
  }

  // A block without allowed codes is skipped; with few, only those are computed; else all are, and the bitmap is asked about
  // those that are near enough.
  void filtered_block(std::uint64_t at, std::size_t size, Scratch& scratch) {
    const std::size_t allowed = allowed_in(*filter_, at, at + size);
    if (allowed == 0) return;
    if (allowed * 16 > size) return scan_block(at, size, scratch);
    scratch.positions.clear();
    for (std::uint64_t p = at; p < at + size; ++p) {
      if (p % 64 == 0 && filter_->words[p / 64] == 0) {
        p += 63;
      } else if (filter_->allows(p)) {
        scratch.positions.push_back(p);
        if (scratch.positions.size() == allowed) break;
      }
    }
    const std::size_t count = scratch.positions.size();
    scratch.distances.resize(count);
    for (std::size_t q = 0; q < collectors_.size(); ++q) {
      kernel_.gather(query_rows_ + q * rows_.row(), rows_.data(), scratch.positions.data(), count, rows_.row(),
                     scratch.distances.data());
      for (std::size_t i = 0; i < count; ++i) {
        if (scratch.distances[i] < bounds_[q]) collectors_[q].add(scratch.distances[i], scratch.positions[i]);
      }
      collectors_[q].tighten();
    }
    work_.candidates += count * collectors_.size();
  }

  const Rows& rows_;
  const std::uint8_t* query_rows_;
  const IdFilter* filter_;
  const HammingKernel& kernel_;
  std::vector<Collector> collectors_;
  std::vector<std::uint16_t> bounds_;
  Work work_;
};

// How queries and codes are cut into tasks. Many queries: each task scans everything for a group of them. Few: the codes are
// divided, and each query's parts are merged. Either way the result is the same.
struct Cut {
  std::size_t group = 1, groups = 0, parts = 1, threads = 1;
  Cut(std::size_t queries, std::size_t codes, const SearchOptions& options) {
    const std::size_t wanted = effective_threads(options.threads, scan_pieces(queries, codes));
    group = std::min(kMaxGroup, queries);
    groups = (queries + group - 1) / group;
    if (groups < 4 * wanted) parts = std::clamp<std::size_t>(codes / kMinPart, 1, wanted);
    if (parts == 1 && groups < wanted) {
      group = (queries + wanted - 1) / wanted;
      groups = (queries + group - 1) / group;
    }
    threads = std::min(wanted, groups * parts);
  }
};

}  // namespace

SearchResult FlatIndex::search(const CodeMatrix& queries, const SearchOptions& options) const {
  const Stopwatch watch;
  const QueryRows rows(queries, bits());
  SearchResult result;
  result.hits.resize(rows.size());
  Work work;
  if (rows.size() != 0 && size() != 0 && options.k != 0) {
    const Cut cut(rows.size(), size(), options);
    std::vector<std::vector<std::vector<PackedHit>>> lists(rows.size(), std::vector<std::vector<PackedHit>>(cut.parts));
    std::vector<Work> works(cut.groups * cut.parts);
    std::vector<Scratch> scratch(cut.threads);
    ThreadPool pool(cut.threads);
    pool.parallel_for(works.size(), 1, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      for (std::size_t task = begin; task < end; ++task) {
        const std::size_t first = task / cut.parts * cut.group, part = task % cut.parts;
        const std::size_t count = std::min(cut.group, rows.size() - first);
        GroupScan scan(*rows_, rows, first, count, options);
        // Parts begin at multiples of 64, so that the filter's words are not shared and aligned rows stay aligned.
        const auto edge = [&](std::size_t p) { return p == cut.parts ? size() : size() / cut.parts / 64 * 64 * p; };
        scan.run(edge(part), edge(part + 1), scratch[worker]);
        for (std::size_t q = 0; q < count; ++q) lists[first + q][part] = scan.take(q);
        works[task] = scan.work();
      }
    });
    for (std::size_t q = 0; q < rows.size(); ++q) result.hits[q] = to_hits(merge_hits(std::move(lists[q]), options.k), *rows_);
    for (const Work& one : works) work += one;
  }
  result.stats = make_stats("flat", work, watch);
  return result;
}

ScanCosts measure_scan(const FlatIndex& flat, const CodeMatrix& queries) {
  if (flat.size() == 0 || queries.size() == 0) return {};
  const auto time = [&](const CodeMatrix& asked) {
    double best = std::numeric_limits<double>::infinity(), total = 0;
    for (int round = 0; round < 2 || (round < 8 && total < 2e-3); ++round) {
      const double seconds = flat.search(asked, {}).stats.seconds;
      best = std::min(best, seconds);
      total += seconds;
    }
    return best * 1e9 / static_cast<double>(flat.size()) / static_cast<double>(asked.size());
  };
  const std::size_t first[] = {0};
  return {time(queries.rows(first)), time(queries)};
}

CodeMatrix sample_queries(const Rows& rows, std::span<const std::uint64_t> positions) {
  CodeMatrix queries(positions.size(), rows.bits());
  for (std::size_t i = 0; i < positions.size(); ++i) std::copy_n(rows.at(positions[i]), queries.stride(), queries.row(i).begin());
  return queries;
}

}  // namespace signet
