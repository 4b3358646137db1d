#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "signet/code/code_matrix.h"

namespace signet {

struct Hit {
  std::uint64_t id = 0;        // of the stored code; its position unless the index was given ids
  std::uint32_t distance = 0;  // Hamming, 0 to bits
  friend bool operator==(const Hit&, const Hit&) = default;
};

// Which ids may be hits: bit i of word i / 64 belongs to the code at position i. Positions beyond the bitmap are not allowed.
struct IdFilter {
  std::span<const std::uint64_t> words;
  bool allows(std::uint64_t position) const noexcept {
    return position / 64 < words.size() && ((words[position / 64] >> (position % 64)) & 1);
  }
};

struct SearchOptions {
  std::size_t k = 10;                   // at most this many hits a query; k = 0 gives no hits
  std::optional<std::uint32_t> radius;  // only hits with distance <= radius; together with k: the k nearest of those
  const IdFilter* filter = nullptr;     // borrowed for the call
  std::size_t threads = 1;              // 0: one per CPU
};
inline constexpr std::size_t kAllHits = static_cast<std::size_t>(-1);  // k for a pure radius search

struct SearchStats {
  std::string index;                 // "flat", "table", "mih", "pivot"
  std::string kernel;                // "avx512", ...
  std::uint64_t candidates = 0;      // codes whose distance was computed, all queries together
  std::uint64_t buckets = 0;         // buckets looked at (table, mih), cells (pivot)
  std::uint32_t radius_reached = 0;  // largest distance that had to be explored
  double seconds = 0;
};

struct SearchResult {
  std::vector<std::vector<Hit>> hits;  // one list a query, by distance, then id
  SearchStats stats;
};

// Exact search over a fixed set of codes. Every kind gives the same hits: ids, distances and order (distance, then id), equal to
// a naive scan. Immutable after building; search is const and safe from many threads (scratch is per call or per thread).
class Index {
 public:
  virtual ~Index() = default;
  virtual std::size_t size() const noexcept = 0;
  virtual std::uint32_t bits() const noexcept = 0;
  virtual std::string kind() const = 0;                   // "flat", "table", "mih", "pivot", "planned"
  virtual std::size_t memory_bytes() const noexcept = 0;  // held beyond borrowed codes
  // radius > bits means all. Throws Error{kMismatch} where the queries have another number of bits; kCorrupt where tables or
  // cells of a mapped file are damaged; kUsage as hamming_kernel(); kIo where the system refuses threads.
  virtual SearchResult search(const CodeMatrix& queries, const SearchOptions& options) const = 0;
};

}  // namespace signet
