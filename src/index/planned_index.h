#pragma once

#include <memory>
#include <string>
#include <vector>

#include "index/flat_index.h"
#include "index/mih_index.h"
#include "index/plan_record.h"
#include "index/rows.h"
#include "index/table_index.h"
#include "signet/index/build.h"
#include "signet/index/index.h"

namespace signet {

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
  // From what store() wrote into this container; nothing is measured and no code is read. Throws Error{kCorrupt}.
  PlannedIndex(std::shared_ptr<const Rows> rows, const Container& file);
  static bool stored_in(const Container& file) { return file.has("plan"); }
  // Adds the sections of tables and plan; nothing where only the scan is there.
  void store(ContainerWriter& writer) const;
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
  PlanRecord record_;
};

}  // namespace signet
