#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "index/packed_array.h"
#include "index/rows.h"
#include "index/substrings.h"
#include "signet/base/error.h"
#include "signet/base/thread_pool.h"

namespace signet {

// In how many parts a counting sort is done by that many threads. Each part has a counter for every bucket: where buckets are
// many beside the codes, more parts would only take memory, and there are at most two counters a code beyond those of the first
// part.
constexpr std::size_t sorting_parts(std::size_t threads, std::uint64_t count, std::uint64_t buckets) noexcept {
  return static_cast<std::size_t>(
      std::clamp<std::uint64_t>(std::min({std::uint64_t{threads}, count / 65536, 2 * count / buckets}), 1, 8));
}

// The positions of all codes, ordered by the value of a substring, then by position; bucket v is [offset v, offset v + 1). Two
// packed arrays and no pointer a bucket.
class BucketTable {
 public:
  struct Range {
    std::uint64_t begin = 0, end = 0;
    std::uint64_t size() const noexcept { return end - begin; }
  };

  // Counts and places, stable; the same whatever the pool.
  BucketTable(const Rows& rows, const Substring& substring, ThreadPool& pool);
  // Mapped: arrays of packed_words(2^bits + 1, offset_width) and packed_words(count, position_width) words that outlive it.
  BucketTable(const std::uint64_t* offsets, const std::uint64_t* ids, unsigned bits, std::uint64_t count) noexcept;

  static unsigned offset_width(std::uint64_t count) noexcept { return packed_width(count); }

  // Throws Error{kCorrupt} where a mapped table's boundaries make no sense.
  Range bucket(std::uint32_t value) const {
    const Range range{offsets_[value], offsets_[value + std::uint64_t{1}]};
    if (range.begin > range.end || range.end > count_) corrupt("bucket boundaries", range.end);
    return range;
  }
  std::uint64_t position(std::uint64_t entry) const {  // entry < count
    const std::uint64_t position = ids_[entry];
    if (position >= count_) corrupt("a position", position);
    return position;
  }
  void prefetch_bucket(std::uint32_t value) const noexcept { offsets_.prefetch(value); }
  void prefetch_position(std::uint64_t entry) const noexcept { ids_.prefetch(entry); }

  std::span<const std::uint64_t> offset_words() const noexcept { return offset_words_.span(); }
  std::span<const std::uint64_t> id_words() const noexcept { return id_words_.span(); }
  std::size_t memory_bytes() const noexcept { return 8 * (offset_words_.size() + id_words_.size()); }

 private:
  [[noreturn]] void corrupt(const char* what, std::uint64_t value) const;
  template <typename Position>
  void fill(const Rows& rows, const Substring& substring, ThreadPool& pool);

  std::uint64_t count_ = 0;
  BigWords offset_words_, id_words_;  // empty where mapped
  PackedView offsets_, ids_;
};

}  // namespace signet
