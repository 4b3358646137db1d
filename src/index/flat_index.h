#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "index/rows.h"
#include "signet/index/index.h"

namespace signet {

// The exact scan: every code is compared with every query, in blocks that fit the cache, and the kernel itself drops what cannot
// be among the k nearest any more. No memory beyond the codes.
class FlatIndex final : public Index {
 public:
  explicit FlatIndex(std::shared_ptr<const Rows> rows) : rows_(std::move(rows)) {}
  std::size_t size() const noexcept override { return rows_->size(); }
  std::uint32_t bits() const noexcept override { return rows_->bits(); }
  std::string kind() const override { return "flat"; }
  std::size_t memory_bytes() const noexcept override { return rows_->memory_bytes(); }
  SearchResult search(const CodeMatrix& queries, const SearchOptions& options) const override;

 private:
  std::shared_ptr<const Rows> rows_;
};

// What a scan costs, in ns a code: for one query alone, and a query of many at once. The least of a few runs.
struct ScanCosts {
  double one = 0, batch = 0;
};
ScanCosts measure_scan(const FlatIndex& flat, const CodeMatrix& queries);

// Stored codes as queries.
CodeMatrix sample_queries(const Rows& rows, std::span<const std::uint64_t> positions);

}  // namespace signet
