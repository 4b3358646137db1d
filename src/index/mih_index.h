#pragma once

#include <memory>
#include <vector>

#include "index/bucket_table.h"
#include "index/flat_index.h"
#include "index/mih_plan.h"
#include "index/rows.h"
#include "signet/index/index.h"

namespace signet {

struct MihOptions {
  std::size_t threads = 1;  // for building
  std::uint64_t seed = 1;   // of the sample
  std::size_t tables = 0;   // 0: chosen from the codes
  unsigned bits = 0;        // of a substring; 0: chosen
  bool may_scan = true;     // leave a query to the flat scan where that is cheaper; false only to test the other way
};

// Multi-index hashing (Norouzi, Punjani & Fleet 2012, 2014): exact search by looking up parts of the query. Codes are cut into m
// disjoint substrings with a table of buckets each; a code near the query is near it on some substring. Steps are visited in the
// order of the plan (mih_plan.h), candidates are checked on their whole code, and the search ends when everything within the k-th
// distance, or the radius, is known. Duplicates need no memory: a candidate was met before exactly if one of its other substrings
// lies in a shell that is done already. Where the steps to come would cost more than a scan, the query is scanned.
class MihIndex final : public Index {
 public:
  MihIndex(const std::shared_ptr<const Rows>& rows, const MihOptions& options);
  // By a plan that was made before from this sample of the rows.
  MihIndex(std::shared_ptr<const Rows> rows, const MihSample& sample, MihPlan plan, const MihOptions& options);
  // Over tables that were stored, one a substring of the plan.
  MihIndex(std::shared_ptr<const Rows> rows, MihPlan plan, std::vector<BucketTable> tables, const UnitCosts& costs);
  std::size_t size() const noexcept override { return rows_->size(); }
  std::uint32_t bits() const noexcept override { return rows_->bits(); }
  std::string kind() const override { return "mih"; }
  std::size_t memory_bytes() const noexcept override;
  SearchResult search(const CodeMatrix& queries, const SearchOptions& options) const override;

  const MihPlan& plan() const noexcept { return plan_; }
  const UnitCosts& costs() const noexcept { return costs_; }
  const std::vector<BucketTable>& tables() const noexcept { return tables_; }

 private:
  MihIndex(const std::shared_ptr<const Rows>& rows, const MihSample& sample, const MihOptions& options);
  void measure_costs(const MihSample& sample);

  std::shared_ptr<const Rows> rows_;
  FlatIndex flat_;
  bool may_scan_;
  UnitCosts costs_;
  MihPlan plan_;
  std::vector<BucketTable> tables_;
};

}  // namespace signet
