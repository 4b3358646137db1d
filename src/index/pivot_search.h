#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "index/collector.h"
#include "index/pivot_cells.h"
#include "index/query_run.h"

namespace signet {

// What one thread needs to answer queries with pivots, whatever their number.
struct PivotScratch {
  static constexpr std::size_t kBlock = 1024;      // codes
  static constexpr std::size_t kTogether = 16;     // cells
  static constexpr std::size_t kFetchedLines = 8;  // of a range, before it is read; then the hardware sees where this goes
  // A cell that is to be read, in one word whose order is that of reading: no code of it is nearer than `lower`; of equal ones
  // the cell whose pivot is nearer comes first.
  class Reached {
   public:
    Reached(std::uint16_t lower, std::uint16_t distance, std::size_t cell)
        : word_(std::uint64_t{lower} << 48 | std::uint64_t{distance} << 32 | cell) {}
    std::uint32_t lower() const noexcept { return static_cast<std::uint32_t>(word_ >> 48); }
    std::uint32_t cell() const noexcept { return static_cast<std::uint32_t>(word_); }
    friend auto operator<=>(const Reached&, const Reached&) = default;  // NOLINT(modernize-use-nullptr): there is no 0 here

   private:
    std::uint64_t word_;
  };
  explicit PivotScratch(std::size_t pivots) : distances(pivots + kLanes), gaps(pivots + kLanes) {}
  static constexpr std::size_t kLanes = 32;  // pivots that are tested together
  std::vector<std::uint16_t> distances, gaps;
  std::vector<Reached> reached;
  std::unique_ptr<KernelHit[]> hits = std::make_unique_for_overwrite<KernelHit[]>(kBlock);
};

// One query (the idea is in pivot_index.h). The cell of the nearest pivot is read first, whatever lies in it within the radius:
// it gives the k-th distance that the other cells are held against, the nearest of them first.
class PivotSearch {
 public:
  PivotSearch(const PivotCells& cells, PivotScratch& scratch) : cells_(cells), scratch_(scratch), kernel_(hamming_kernel()) {}

  // False where more than `most` codes would be read. The collector is then of no use.
  bool run(const std::uint8_t* query, const IdFilter* filter, std::uint64_t most, Collector& collector, Work& work);

 private:
  std::size_t nearest_pivot();
  void find_reached(std::size_t own);
  bool visit(std::span<const PivotScratch::Reached> cells);
  void scan(std::uint64_t begin, std::uint64_t end);

  const PivotCells& cells_;
  PivotScratch& scratch_;
  const HammingKernel& kernel_;
  const std::uint8_t* query_ = nullptr;
  const IdFilter* filter_ = nullptr;
  Collector* collector_ = nullptr;
  Work* work_ = nullptr;
  std::uint64_t left_ = 0;
};

}  // namespace signet
