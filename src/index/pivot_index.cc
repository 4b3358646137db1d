#include "index/pivot_index.h"

#include <limits>

#include "index/pivot_search.h"
#include "index/query_run.h"

namespace signet {
namespace {

std::size_t building_threads(std::size_t wanted, std::size_t count) {
  return effective_threads(wanted, std::max<std::size_t>(count / 16384, 1));
}

PivotCells build_cells(const Rows& rows, const PivotOptions& options) {
  ThreadPool pool(building_threads(options.threads, rows.size()));
  const MihSample sample = sample_codes(rows, options.seed, options.threads);
  return PivotCells(rows, plan_pivots(rows, sample, UnitCosts{}.scan, options.seed, pool, options.pivots).pivots, pool);
}

PivotCells build_cells(const Rows& rows, const PivotPlan& plan, std::size_t threads) {
  ThreadPool pool(building_threads(threads, rows.size()));
  return PivotCells(rows, plan.pivots, pool);
}

}  // namespace

PivotIndex::PivotIndex(std::shared_ptr<const Rows> rows, const PivotOptions& options)
    : rows_(std::move(rows)), flat_(rows_), may_scan_(options.may_scan), cells_(build_cells(*rows_, options)) {}

PivotIndex::PivotIndex(std::shared_ptr<const Rows> rows, const PivotPlan& plan, std::size_t threads)
    : rows_(std::move(rows)), flat_(rows_), cells_(build_cells(*rows_, plan, threads)) {}

PivotIndex::PivotIndex(std::shared_ptr<const Rows> rows, PivotCells stored)
    : rows_(std::move(rows)), flat_(rows_), cells_(std::move(stored)) {}

SearchResult PivotIndex::search(const CodeMatrix& queries, const SearchOptions& options) const {
  const Stopwatch watch;
  const QueryRows rows(queries, bits());
  SearchResult result;
  result.hits.resize(rows.size());
  Work total;
  if (rows.size() != 0 && size() != 0 && options.k != 0) {
    const std::uint32_t largest = rows_->largest_distance(), radius = effective_radius(options, largest);
    // A code read here costs what one of a scan for one query does; a scan for many queries at once is several times cheaper.
    const std::uint64_t most = may_scan_ ? size() / (rows.size() < 8 ? 2 : 8) : size();
    const std::size_t threads = effective_threads(options.threads, search_pieces(rows.size(), size()));
    std::vector<Work> works(threads);
    std::vector<std::uint8_t> left(rows.size());
    ThreadPool pool(threads);
    pool.parallel_for(rows.size(), threads == 1 ? rows.size() : 0, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      PivotScratch scratch(cells_.pivots().count);
      PivotSearch search(cells_, scratch);
      Collector collector(options.k, radius, largest, Collector::Arrival::kAny);
      for (std::size_t q = begin; q < end; ++q) {
        collector.restart(options.k, radius);
        left[q] = !search.run(rows.at(q), options.filter, most, collector, works[worker]);
        if (left[q] == 0) result.hits[q] = to_hits(collector.finish(), *rows_);
      }
    });
    for (const Work& work : works) total += work;
    total += scan_rest(flat_, queries, left, options, result);
  }
  result.stats = make_stats("pivot", total, watch);
  return result;
}

}  // namespace signet
