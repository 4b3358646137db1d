#pragma once

#include <memory>

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

}  // namespace signet
