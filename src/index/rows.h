#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "index/packed_array.h"
#include "signet/code/code_matrix.h"
#include "signet/index/build.h"
#include "signet/index/index.h"
#include "signet/kernel/hamming.h"

namespace signet {

// Codes in the rows that the kernels read (row_bytes(bits) each). Where packed codes already have that stride they are used in
// place, for example in a mapped file; else they are copied once into wider rows. Immutable, shared by the indexes that are built
// over it.
class Rows {
 public:
  // Throws Error{kInvalidArgument} unless packed.size() is count codes of `bits` bits and ids are absent or strictly ascending.
  explicit Rows(const CodeSource& source);

  std::size_t size() const noexcept { return count_; }
  std::uint32_t bits() const noexcept { return bits_; }
  std::size_t row() const noexcept { return row_; }  // bytes
  const std::uint8_t* data() const noexcept { return data_; }
  const std::uint8_t* at(std::uint64_t position) const noexcept { return data_ + position * row_; }
  std::uint64_t id(std::uint64_t position) const noexcept { return ids_.empty() ? position : ids_[position]; }
  // Upper bound of a distance, also of codes whose padding bits are wrongly set in a file whose checksum was not looked at yet.
  std::uint32_t largest_distance() const noexcept { return static_cast<std::uint32_t>(8 * row_); }
  std::size_t memory_bytes() const noexcept { return copy_.size() * sizeof(std::uint64_t); }

 private:
  std::size_t count_ = 0;
  std::uint32_t bits_ = 0;
  std::size_t row_ = 0;
  const std::uint8_t* data_ = nullptr;
  std::span<const std::uint64_t> ids_;
  std::shared_ptr<const void> owner_;
  BigWords copy_;
};

// Queries widened to rows. Throws Error{kMismatch} unless they have `bits` bits.
class QueryRows {
 public:
  QueryRows(const CodeMatrix& queries, std::uint32_t bits);
  std::size_t size() const noexcept { return count_; }
  const std::uint8_t* at(std::size_t i) const noexcept { return reinterpret_cast<const std::uint8_t*>(words_.data()) + i * row_; }

 private:
  std::size_t count_ = 0, row_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace signet
