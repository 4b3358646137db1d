#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace signet {

// Bytes of one code in memory: 2 up to 16 bits, 4 up to 32, 8 up to 64, then multiples of 8. Codes beyond their last bit are
// zero.
constexpr std::size_t row_bytes(std::uint32_t bits) noexcept {
  if (bits <= 16) return 2;
  return bits <= 32 ? 4 : (std::size_t{bits} + 63) / 64 * 8;
}

// What select() writes for a pair of query and code near enough. 8 bytes, so that a block's hits stay in the first-level cache.
struct KernelHit {
  std::uint32_t position;  // of the code in the block
  std::uint16_t distance;
  std::uint16_t query;  // of the query in its block
};

// Hamming distances over blocks of codes, one instruction set a source file, chosen once at run time, listed, named and forced
// (SIGNET_KERNEL=portable|avx2|avx512).
//
// All functions: codes are rows of `row` bytes (2, 4, 8 or a multiple of 8, see row_bytes()) without gaps, at any alignment; no
// byte outside the rows named is read, and nothing is written outside the outputs named. Pure, no allocation, safe from many
// threads.
struct HammingKernel {
  const char* name;
  bool (*supported)() noexcept;  // by this CPU and operating system

  // distances[i] = |query XOR code i| for i < count.
  void (*scan)(const std::uint8_t* query, const std::uint8_t* codes, std::size_t count, std::size_t row,
               std::uint16_t* distances) noexcept;

  // The fused scan: one hit for every query q < queries and code i < count with distance < bounds[q] (0 selects nothing). The
  // hits of one query come with ascending positions; those of different queries are mixed. query_rows: `queries` rows one after
  // another; count at most 2^32, queries at most 2^16. hits: room for queries * count entries. Returns how many were written.
  std::size_t (*select)(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes, std::size_t count,
                        std::size_t row, const std::uint16_t* bounds, KernelHit* hits) noexcept;

  // distances[i] = |query XOR code positions[i]| for i < count: codes anywhere, for candidates that an index names.
  void (*gather)(const std::uint8_t* query, const std::uint8_t* codes, const std::uint64_t* positions, std::size_t count,
                 std::size_t row, std::uint16_t* distances) noexcept;
};

// Compiled in, best first. Some may not be supported here.
std::span<const HammingKernel* const> hamming_kernels() noexcept;

// The kernel of this process: SIGNET_KERNEL where it is set, else the first supported one. Chosen at the first call. Throws
// Error{kUsage} for an unknown or unsupported name in SIGNET_KERNEL, naming those that exist.
const HammingKernel& hamming_kernel();

// The kernel of that name. Throws Error{kUsage} where there is none or this machine does not support it.
const HammingKernel& find_hamming_kernel(std::string_view name);

}  // namespace signet
