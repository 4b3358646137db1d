#pragma once

#include <memory>

#include "index/flat_index.h"
#include "index/pivot_cells.h"
#include "index/pivots.h"
#include "index/rows.h"
#include "signet/index/index.h"

namespace signet {

struct PivotOptions {
  std::size_t threads = 1;  // for building
  std::uint64_t seed = 1;   // of the sample that pivots are learned from
  std::size_t pivots = 0;   // 0: chosen from the codes
  bool may_scan = true;     // leave a query to the flat scan where most codes would be read; false only to test the other way
};

// Exact search among codes that lie in groups. Each code belongs to the cell of its nearest pivot, and a cell is ordered by the
// distance to it. By the triangle inequality a code x of pivot p is at least | d(q, p) - d(x, p) | from a query q: of each cell
// only a run of rings can hold anything within the k-th distance so far (or the radius), and of most cells nothing can. The runs
// are read one after another, as in a flat scan. (Pivots as in Burkhard & Keller 1973 and LAESA, Mico, Oncina & Vidal 1994; the
// cells of one pivot each as in the M-index, Novak & Batko 2009.)
class PivotIndex final : public Index {
 public:
  PivotIndex(std::shared_ptr<const Rows> rows, const PivotOptions& options);
  PivotIndex(std::shared_ptr<const Rows> rows, const PivotPlan& plan, std::size_t threads);
  PivotIndex(std::shared_ptr<const Rows> rows, PivotCells stored);
  std::size_t size() const noexcept override { return rows_->size(); }
  std::uint32_t bits() const noexcept override { return rows_->bits(); }
  std::string kind() const override { return "pivot"; }
  std::size_t memory_bytes() const noexcept override { return rows_->memory_bytes() + cells_.memory_bytes(); }
  SearchResult search(const CodeMatrix& queries, const SearchOptions& options) const override;

  const PivotCells& cells() const noexcept { return cells_; }

 private:
  std::shared_ptr<const Rows> rows_;
  FlatIndex flat_;
  bool may_scan_ = true;
  PivotCells cells_;
};

}  // namespace signet
