#pragma once

#include <memory>
#include <string>
#include <vector>

#include "index/flat_index.h"
#include "index/mih_index.h"
#include "index/rows.h"
#include "index/table_index.h"
#include "signet/index/build.h"
#include "signet/index/index.h"

namespace signet {

// What a query costs with one kind of index, measured when it is built: ns a query at several k, straight lines between them on
// logarithmic axes.
struct CostCurve {
  struct Point {
    double k, ns;
  };
  std::vector<Point> points;
  double at(double k) const noexcept;
};

// One way to answer, and what it would cost.
struct Estimate {
  std::string kind;
  double ns = 0;       // a query
  std::string reason;  // for people
};

// Kind "auto": the flat scan, and beside it the direct table (short codes) or multi-index hashing where they can pay. Each search
// is given to the kind with the lowest estimate for its k, radius, filter and number of queries.
class PlannedIndex final : public Index {
 public:
  PlannedIndex(std::shared_ptr<const Rows> rows, const BuildOptions& options);
  std::size_t size() const noexcept override { return rows_->size(); }
  std::uint32_t bits() const noexcept override { return rows_->bits(); }
  std::string kind() const override { return "planned"; }
  std::size_t memory_bytes() const noexcept override;
  SearchResult search(const CodeMatrix& queries, const SearchOptions& options) const override;

  // Cheapest first.
  std::vector<Estimate> estimates(const SearchOptions& options, std::size_t queries) const;

 private:
  void calibrate(const BuildOptions& options);
  CostCurve measure(const Index& index, const CodeMatrix& queries, double give_up_ns) const;
  double expected_hits(double radius) const noexcept;  // within it, of all codes
  double allowed_share(const IdFilter* filter) const noexcept;
  Estimate flat_estimate(std::size_t k, std::uint32_t radius, double share, std::size_t queries) const;
  Estimate table_estimate(std::size_t k, std::uint32_t radius, double share) const;
  Estimate mih_estimate(std::size_t k, std::uint32_t radius, double share) const;

  std::shared_ptr<const Rows> rows_;
  FlatIndex flat_;
  std::unique_ptr<TableIndex> table_;
  std::unique_ptr<MihIndex> mih_;
  double scan_one_ns_ = 0, scan_batch_ns_ = 0;  // a code, for one query alone and for each of many
  CostCurve table_curve_, mih_curve_;
  std::vector<double> within_;  // [d]: share of codes within d of a query like them
};

}  // namespace signet
