#include "kernel/kernels.h"

// The reference of the other kernels, and what runs where nothing better does: plain C++ that any compiler vectorises as it can.
namespace signet::kernel_portable {
namespace {

template <typename Word>
inline Word load(const std::uint8_t* p) noexcept {
  Word value;
  __builtin_memcpy(&value, p, sizeof value);
  return value;
}

// Bits set, by adding neighbours (Warren, Hacker's Delight, 5-1): without a POPCNT instruction quicker than a library call.
inline std::uint32_t ones(std::uint64_t x) noexcept {
  x -= (x >> 1) & 0x5555555555555555u;
  x = (x & 0x3333333333333333u) + ((x >> 2) & 0x3333333333333333u);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  return static_cast<std::uint32_t>((x * 0x0101010101010101u) >> 56);
}

inline std::uint16_t distance(const std::uint8_t* a, const std::uint8_t* b, std::size_t row) noexcept {
  if (row == 2) return static_cast<std::uint16_t>(ones(load<std::uint16_t>(a) ^ load<std::uint16_t>(b)));
  if (row == 4) return static_cast<std::uint16_t>(ones(load<std::uint32_t>(a) ^ load<std::uint32_t>(b)));
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < row; at += 8) sum += ones(load<std::uint64_t>(a + at) ^ load<std::uint64_t>(b + at));
  return static_cast<std::uint16_t>(sum);
}

}  // namespace

void scan(const std::uint8_t* query, const std::uint8_t* codes, std::size_t count, std::size_t row,
          std::uint16_t* distances) noexcept {
  for (std::size_t i = 0; i < count; ++i) distances[i] = distance(query, codes + i * row, row);
}

std::size_t select(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes, std::size_t count,
                   std::size_t row, const std::uint16_t* bounds, KernelHit* hits) noexcept {
  std::size_t found = 0;
  for (std::size_t q = 0; q < queries; ++q) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint16_t d = distance(query_rows + q * row, codes + i * row, row);
      if (d < bounds[q]) hits[found++] = {static_cast<std::uint32_t>(i), d, static_cast<std::uint16_t>(q)};
    }
  }
  return found;
}

void gather(const std::uint8_t* query, const std::uint8_t* codes, const std::uint64_t* positions, std::size_t count,
            std::size_t row, std::uint16_t* distances) noexcept {
  for (std::size_t i = 0; i < count; ++i) distances[i] = distance(query, codes + positions[i] * row, row);
}

}  // namespace signet::kernel_portable
