#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/packed_array.h"
#include "index/pivots.h"
#include "index/rows.h"
#include "signet/base/error.h"
#include "signet/base/thread_pool.h"

namespace signet {

// The codes of one pivot: their distances to it run from `nearest` to `farthest`, and those at distance d are entries
// [offset(ring + d - nearest), offset(ring + d - nearest + 1)).
struct PivotCell {
  std::uint32_t nearest = 0, farthest = 0;
  std::uint64_t ring = 0;
};

// A copy of all codes, ordered by their nearest pivot, then by the distance to it, then by position, with the positions beside
// them: what a search reads lies together.
class PivotCells {
 public:
  struct Range {
    std::uint64_t begin = 0, end = 0;
    std::uint64_t size() const noexcept { return end - begin; }
  };

  // The same whatever the pool.
  PivotCells(const Rows& rows, const Pivots& pivots, ThreadPool& pool);
  // Mapped: arrays that outlive it. offsets: one for each ring of each cell and one more; ids: packed_words(count,
  // position_width).
  struct Stored {
    Pivots pivots;
    std::vector<PivotCell> cells;
    std::span<const std::uint64_t> offsets, ids;
    const std::uint8_t* codes = nullptr;
  };
  PivotCells(Stored stored, std::uint64_t count);

  std::uint64_t count() const noexcept { return count_; }
  const Pivots& pivots() const noexcept { return pivots_; }
  const std::vector<PivotCell>& cells() const noexcept { return cells_; }
  // Least and greatest distance of the codes of each pivot to it, as arrays: what a search looks at for every pivot.
  const std::uint16_t* nearest() const noexcept { return nearest_.data(); }
  const std::uint16_t* farthest() const noexcept { return farthest_.data(); }

  // Entries of a cell at distances [low, high] to its pivot, as far as it has such. Throws Error{kCorrupt} where mapped offsets
  // make no sense.
  Range range(std::size_t cell, std::uint32_t low, std::uint32_t high) const {
    const PivotCell& c = cells_[cell];
    low = low < c.nearest ? c.nearest : low;
    high = high > c.farthest ? c.farthest : high;
    if (low > high) return {};
    const Range range{offsets_[c.ring + (low - c.nearest)], offsets_[c.ring + (high - c.nearest) + 1]};
    if (range.begin > range.end || range.end > count_) corrupt("cell boundaries", range.end);
    return range;
  }
  const std::uint8_t* code(std::uint64_t entry) const noexcept { return codes_ + entry * pivots_.row; }
  std::uint64_t position(std::uint64_t entry) const {  // entry < count
    const std::uint64_t position = ids_[entry];
    if (position >= count_) corrupt("a position", position);
    return position;
  }
  void prefetch_position(std::uint64_t entry) const noexcept { ids_.prefetch(entry); }

  std::span<const std::uint64_t> offsets() const noexcept { return offsets_; }
  std::span<const std::uint64_t> id_words() const noexcept { return id_words_.span(); }  // empty where mapped
  std::span<const std::uint8_t> codes() const noexcept { return {codes_, static_cast<std::size_t>(count_) * pivots_.row}; }
  std::size_t memory_bytes() const noexcept;

 private:
  [[noreturn]] void corrupt(const char* what, std::uint64_t value) const;
  template <typename Position>
  void fill(const Rows& rows, ThreadPool& pool);
  void make_cells(std::span<const Nearest> nearest, ThreadPool& pool);
  void make_arrays();

  std::uint64_t count_ = 0;
  Pivots pivots_;
  std::vector<PivotCell> cells_;
  std::vector<std::uint16_t> nearest_, farthest_;
  std::vector<std::uint64_t> own_offsets_;
  BigWords id_words_, code_words_;  // empty where mapped
  std::span<const std::uint64_t> offsets_;
  PackedView ids_;
  const std::uint8_t* codes_ = nullptr;
};

}  // namespace signet
