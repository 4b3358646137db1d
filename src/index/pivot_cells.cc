#include "index/pivot_cells.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <utility>

#include "index/bucket_table.h"

namespace signet {
namespace {

constexpr std::size_t kFetchAhead = 16;  // codes asked for while they are gathered

// [first, last) of each of `parts` nearly equal pieces.
std::size_t edge(std::size_t count, std::size_t parts, std::size_t part) {
  return count / parts * part + std::min(part, count % parts);
}

void for_parts(ThreadPool& pool, std::size_t count, std::size_t parts,
               const std::function<void(std::size_t part, std::size_t begin, std::size_t end)>& body) {
  pool.parallel_for(parts, 1, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t part = first; part < last; ++part) body(part, edge(count, parts, part), edge(count, parts, part + 1));
  });
}

}  // namespace

PivotCells::PivotCells(const Rows& rows, const Pivots& pivots, ThreadPool& pool)
    : count_(rows.size()), pivots_(pivots), id_words_(packed_words(count_, position_width(count_))) {
  ids_ = PackedView(id_words_.data(), count_, position_width(count_));
  code_words_ = BigWords((rows.size() * rows.row() + 7) / 8);
  codes_ = reinterpret_cast<const std::uint8_t*>(code_words_.data());
  if (count_ <= std::numeric_limits<std::uint32_t>::max()) {
    fill<std::uint32_t>(rows, pool);
  } else {
    fill<std::uint64_t>(rows, pool);
  }
  make_arrays();
}

PivotCells::PivotCells(Stored stored, std::uint64_t count)
    : count_(count),
      pivots_(std::move(stored.pivots)),
      cells_(std::move(stored.cells)),
      offsets_(stored.offsets),
      ids_(stored.ids.data(), count, position_width(count)),
      codes_(stored.codes) {
  make_arrays();
}

void PivotCells::make_arrays() {
  for (const PivotCell& cell : cells_) {
    nearest_.push_back(static_cast<std::uint16_t>(cell.nearest));
    farthest_.push_back(static_cast<std::uint16_t>(cell.farthest));
  }
}

std::size_t PivotCells::memory_bytes() const noexcept {
  return 8 * (pivots_.words.size() + own_offsets_.size() + id_words_.size() + code_words_.size()) +
         cells_.size() * (sizeof(PivotCell) + 2 * sizeof(std::uint16_t));
}

void PivotCells::corrupt(const char* what, std::uint64_t value) const {
  fail(ErrorCode::kCorrupt, "stored cells are damaged: ", what, " of ", value, " with ", count_,
       " codes; signet inspect --verify says where the file is damaged");
}

// From the pivots' codes: how far each cell reaches, and where its rings are.
void PivotCells::make_cells(std::span<const Nearest> nearest, ThreadPool& pool) {
  struct Reach {
    std::uint16_t low = std::numeric_limits<std::uint16_t>::max(), high = 0;
  };
  const std::size_t parts = pool.size();
  std::vector<std::vector<Reach>> reach(parts, std::vector<Reach>(pivots_.count));
  for_parts(pool, nearest.size(), parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      Reach& one = reach[part][nearest[i].pivot];
      one.low = std::min(one.low, nearest[i].distance);
      one.high = std::max(one.high, nearest[i].distance);
    }
  });
  std::uint64_t ring = 0;
  for (std::size_t p = 0; p < pivots_.count; ++p) {
    Reach all;
    for (const auto& part : reach) all = {std::min(all.low, part[p].low), std::max(all.high, part[p].high)};
    if (all.low > all.high) all.high = all.low;  // no codes: one empty ring, farther than any search reaches
    cells_.push_back({all.low, all.high, ring});
    ring += static_cast<std::uint64_t>(all.high - all.low) + 1;
  }
  own_offsets_.assign(ring + 1, 0);
}

// A counting sort by ring in parts, as in BucketTable: stable, and the same for any number of threads.
template <typename Position>
void PivotCells::fill(const Rows& rows, ThreadPool& pool) {
  const auto count = static_cast<std::size_t>(count_);
  BigWords nearest_words((count * sizeof(Nearest) + 7) / 8);
  const std::span<Nearest> nearest(reinterpret_cast<Nearest*>(nearest_words.data()), count);
  pool.parallel_for(count, 16384, [&](std::size_t begin, std::size_t end, std::size_t) {
    find_nearest(rows.at(begin), end - begin, pivots_, nearest.data() + begin);
  });
  make_cells(nearest, pool);
  const std::size_t parts = sorting_parts(pool.size(), count_, own_offsets_.size());
  std::vector<std::vector<Position>> places(parts, std::vector<Position>(own_offsets_.size()));
  const auto ring = [&](std::size_t i) {
    const PivotCell& cell = cells_[nearest[i].pivot];
    return static_cast<std::size_t>(cell.ring + (nearest[i].distance - cell.nearest));
  };
  for_parts(pool, count, parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) ++places[part][ring(i)];
  });
  std::uint64_t next = 0;
  for (std::size_t r = 0; r < own_offsets_.size(); ++r) {
    own_offsets_[r] = next;
    for (auto& part : places) next += std::exchange(part[r], static_cast<Position>(next));
  }
  offsets_ = own_offsets_;
  BigWords sorted((count * sizeof(Position) + 7) / 8);
  auto* positions = reinterpret_cast<Position*>(sorted.data());
  for_parts(pool, count, parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) positions[places[part][ring(i)]++] = static_cast<Position>(i);
  });
  // In pieces of a multiple of 64 values: each begins at a whole word of the packed positions and ends at one.
  const std::size_t pieces = std::max<std::size_t>((count + (1 << 20) - 1) >> 20, 1), row = rows.row();
  auto* codes = reinterpret_cast<std::uint8_t*>(code_words_.data());
  pool.parallel_for(pieces, 1, [&](std::size_t first, std::size_t last, std::size_t) {
    const std::size_t begin = first << 20, end = std::min<std::size_t>(last << 20, count);
    PackedWriter ids(id_words_.data(), position_width(count_), begin);
    for (std::size_t i = begin; i < end; ++i) {
      if (i + kFetchAhead < end) __builtin_prefetch(rows.at(positions[i + kFetchAhead]));
      ids.put(positions[i]);
      std::memcpy(codes + i * row, rows.at(positions[i]), row);
    }
  });
}

}  // namespace signet
