#pragma once

#include <memory>

#include "index/bucket_table.h"
#include "index/flat_index.h"
#include "index/rows.h"
#include "signet/index/index.h"

namespace signet {

// One bucket for each possible code, for short codes: values are visited in the order of their distance from the query, and no
// code is ever compared. The positions in a bucket ascend; those of several buckets at one distance are merged by position.
class TableIndex final : public Index {
 public:
  static constexpr std::uint32_t kMaxBits = 24;
  // Throws Error{kInvalidArgument} for longer codes. may_scan: false only to test the walk to its end.
  TableIndex(std::shared_ptr<const Rows> rows, std::size_t threads, bool may_scan = true);
  TableIndex(std::shared_ptr<const Rows> rows, BucketTable stored);  // over a table that was stored
  const Substring& whole() const noexcept { return whole_; }
  const BucketTable& table() const noexcept { return table_; }
  std::size_t size() const noexcept override { return rows_->size(); }
  std::uint32_t bits() const noexcept override { return rows_->bits(); }
  std::string kind() const override { return "table"; }
  std::size_t memory_bytes() const noexcept override { return rows_->memory_bytes() + table_.memory_bytes(); }
  SearchResult search(const CodeMatrix& queries, const SearchOptions& options) const override;

 private:
  std::shared_ptr<const Rows> rows_;
  FlatIndex flat_;
  std::uint64_t max_buckets_;  // that one query may look at
  Substring whole_;            // all bits: the key is the code
  BucketTable table_;
};

}  // namespace signet
