#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/collector.h"
#include "index/rows.h"
#include "signet/index/index.h"

namespace signet {

// The radius of a search as a number: what is beyond the code length means all.
inline std::uint32_t effective_radius(const SearchOptions& options, std::uint32_t largest) noexcept {
  return options.radius && *options.radius < largest ? *options.radius : largest;
}

// Threads to use for `pieces` pieces of work, where `wanted` are asked for (0: one per CPU).
std::size_t effective_threads(std::size_t wanted, std::size_t pieces);

// Into how many pieces a scan is worth being divided: starting a thread takes as long as some hundred thousand comparisons.
std::size_t scan_pieces(std::size_t queries, std::size_t codes) noexcept;
// The same for an index that looks at a small share of the codes: several queries a piece, unless the codes are so many that a
// small share is work enough.
std::size_t search_pieces(std::size_t queries, std::size_t codes) noexcept;
// The same for a direct table, whose queries take a microsecond.
inline constexpr std::size_t kTablePiece = 64;  // queries
constexpr std::size_t table_pieces(std::size_t queries) noexcept { return (queries + kTablePiece - 1) / kTablePiece; }

// What one query costs, added up over queries and threads. Threads count side by side, each in a line of its own.
struct alignas(64) Work {
  std::uint64_t candidates = 0, buckets = 0;
  std::uint32_t radius = 0;
  Work& operator+=(const Work& other) noexcept {
    candidates += other.candidates;
    buckets += other.buckets;
    radius = radius > other.radius ? radius : other.radius;
    return *this;
  }
};

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Positions to ids.
std::vector<Hit> to_hits(std::span<const PackedHit> packed, const Rows& rows);
SearchStats make_stats(const char* index, const Work& work, const Stopwatch& watch);

// Searches with `flat` the queries that are marked as left, and puts their hits into the result.
Work scan_rest(const Index& flat, const CodeMatrix& queries, std::span<const std::uint8_t> left, const SearchOptions& options,
               SearchResult& result);

// Are any of the positions [begin, end) allowed, and how many?
std::size_t allowed_in(const IdFilter& filter, std::uint64_t begin, std::uint64_t end) noexcept;

}  // namespace signet
