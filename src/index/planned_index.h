#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "index/flat_index.h"
#include "index/mih_index.h"
#include "index/pivot_index.h"
#include "index/plan_record.h"
#include "index/planner.h"
#include "index/rows.h"
#include "index/table_index.h"
#include "signet/index/build.h"
#include "signet/index/index.h"

namespace signet {

// One way to answer, and what it would cost.
struct Estimate {
  std::string kind;
  double ns = 0;  // a query; infinite where the kind was not asked such a question: easier ones were much dearer than a scan,
                  // there are too few codes for it, or the time for asking was over
  std::string reason;  // for people
};

// Kind "auto": the flat scan, and beside it those of the direct table, multi-index hashing and pivots that are quicker at
// something with these codes. Each search is given to the kind with the lowest estimate for its k, radius, filter and number of
// queries.
class PlannedIndex final : public Index {
 public:
  PlannedIndex(std::shared_ptr<const Rows> rows, const BuildOptions& options);
  // From what store() wrote into this container; nothing is measured and no code is read. Throws Error{kCorrupt}; null where the
  // container holds no plan, or one of another version.
  static std::unique_ptr<PlannedIndex> load(std::shared_ptr<const Rows> rows, const Container& file);
  // Adds the sections of tables, cells and plan.
  void store(ContainerWriter& writer) const;
  std::size_t size() const noexcept override { return rows_->size(); }
  std::uint32_t bits() const noexcept override { return rows_->bits(); }
  std::string kind() const override { return "planned"; }
  std::size_t memory_bytes() const noexcept override;
  SearchResult search(const CodeMatrix& queries, const SearchOptions& options) const override;

  // Of the kinds that are there, cheapest first; none where there are so few codes that nothing was measured.
  std::vector<Estimate> estimates(const SearchOptions& options, std::size_t queries) const;

 private:
  PlannedIndex(std::shared_ptr<const Rows> rows, PlanRecord record);
  void build_some(const BuildOptions& options);
  void calibrate(const BuildOptions& options);
  void drop_useless();
  void load_mih(StoredBuckets stored, std::size_t first, const std::string& what);
  const Index* there(Kind kind) const noexcept;
  double allowed_share(const IdFilter* filter) const noexcept;
  Question question(const SearchOptions& options, std::size_t queries) const noexcept;
  std::string describe(Kind kind) const;

  std::shared_ptr<const Rows> rows_;
  FlatIndex flat_;
  std::unique_ptr<TableIndex> table_;
  std::unique_ptr<MihIndex> mih_;
  std::unique_ptr<PivotIndex> pivot_;
  PlanRecord record_;
  std::optional<Planner> planner_;
};

}  // namespace signet
