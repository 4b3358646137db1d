#include "index/pivot_search.h"

#include <algorithm>
#include <array>

namespace signet {

bool PivotSearch::run(const std::uint8_t* query, const IdFilter* filter, std::uint64_t most, Collector& collector, Work& work) {
  query_ = query;
  filter_ = filter;
  collector_ = &collector;
  work_ = &work;
  left_ = most;
  const Pivots& pivots = cells_.pivots();
  kernel_.scan(query, pivots.data(), pivots.count, pivots.row, scratch_.distances.data());
  work.candidates += pivots.count;
  const std::size_t own = nearest_pivot();
  const PivotScratch::Reached first(0, 0, own);
  if (!visit({&first, 1})) return false;
  find_reached(own);
  const std::span<const PivotScratch::Reached> reached = scratch_.reached;
  for (std::size_t i = 0; i < reached.size(); i += PivotScratch::kTogether) {
    if (reached[i].lower() > collector.limit()) break;  // those to come are no nearer
    if (!visit(reached.subspan(i, std::min(PivotScratch::kTogether, reached.size() - i)))) return false;
  }
  work.radius = std::max(work.radius, collector.limit());
  return true;
}

std::size_t PivotSearch::nearest_pivot() {
  const std::uint16_t* distances = scratch_.distances.data();
  const std::size_t count = cells_.pivots().count;
  std::uint16_t least = distances[0];
  for (std::size_t p = 1; p < count; ++p) least = std::min(least, distances[p]);
  return static_cast<std::size_t>(std::find(distances, distances + count, least) - distances);
}

// Cells that can hold something within the limit, by their lower bound. Almost none can, so several are ruled out by one test.
void PivotSearch::find_reached(std::size_t own) {
  const std::size_t count = cells_.pivots().count;
  const std::uint16_t *distances = scratch_.distances.data(), *nearest = cells_.nearest(), *farthest = cells_.farthest();
  const std::uint32_t limit = collector_->limit();
  scratch_.reached.clear();
  for (std::size_t first = 0; first < count; first += PivotScratch::kLanes) {
    const std::size_t lanes = std::min(PivotScratch::kLanes, count - first);
    std::uint16_t* gaps = scratch_.gaps.data();
    std::uint16_t least = 0xffff;
    for (std::size_t i = 0; i < lanes; ++i) {
      const std::uint16_t d = distances[first + i];
      const auto beyond = static_cast<std::uint16_t>(std::max(d, farthest[first + i]) - farthest[first + i]);
      const auto before = static_cast<std::uint16_t>(std::max(d, nearest[first + i]) - d);
      gaps[i] = std::max(beyond, before);
      least = std::min(least, gaps[i]);
    }
    if (least > limit) continue;
    for (std::size_t i = 0; i < lanes; ++i) {
      if (gaps[i] <= limit && first + i != own)
        scratch_.reached.push_back(PivotScratch::Reached(gaps[i], distances[first + i], first + i));
    }
  }
  std::sort(scratch_.reached.begin(), scratch_.reached.end());
}

// Several cells at a time: each is far away in memory, so all are asked for before the first is read. The limit may fall while
// they are read; what was asked for is then more than needed, never less.
bool PivotSearch::visit(std::span<const PivotScratch::Reached> cells) {
  const std::uint32_t limit = collector_->limit();
  std::array<PivotCells::Range, PivotScratch::kTogether> ranges;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::uint32_t d = scratch_.distances[cells[i].cell()];
    ranges[i] = cells_.range(cells[i].cell(), d > limit ? d - limit : 0, d + limit);
    const std::uint8_t *at = cells_.code(ranges[i].begin), *end = cells_.code(ranges[i].end);
    for (std::size_t lines = 0; at < end && lines < PivotScratch::kFetchedLines; ++lines, at += 64) __builtin_prefetch(at);
  }
  for (std::size_t i = 0; i < cells.size() && cells[i].lower() <= collector_->limit(); ++i) {
    ++work_->buckets;
    if (ranges[i].size() > left_) return false;
    left_ -= ranges[i].size();
    scan(ranges[i].begin, ranges[i].end);
  }
  return true;
}

void PivotSearch::scan(std::uint64_t begin, std::uint64_t end) {
  const std::size_t row = cells_.pivots().row;
  work_->candidates += end - begin;
  std::size_t size = collector_->full() ? PivotScratch::kBlock : 128;  // of the first block every code may be a hit
  for (std::uint64_t at = begin; at < end; at += size, size = std::min(2 * size, PivotScratch::kBlock)) {
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, end - at));
    const std::uint16_t bound = collector_->bound();
    KernelHit* hits = scratch_.hits.get();
    const std::size_t found = kernel_.select(query_, 1, cells_.code(at), size, row, &bound, hits);
    if (found == 0) continue;
    for (std::size_t h = 0; h < found; ++h) cells_.prefetch_position(at + hits[h].position);
    for (std::size_t h = 0; h < found; ++h) {
      const std::uint64_t position = cells_.position(at + hits[h].position);
      if (filter_ == nullptr || filter_->allows(position)) collector_->add(hits[h].distance, position);
    }
    collector_->tighten();
  }
}

}  // namespace signet
