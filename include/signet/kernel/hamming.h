#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace signet {

// Hamming distances over blocks of codes: one instruction set a source file, chosen once at run time, listed, named and forced
// (SIGNET_KERNEL=portable|avx2|avx512|neon). Codes here are stored in rows of `words` little-endian units as kernel/layout says.
struct HammingKernel {
  const char* name;
  bool (*supported)() noexcept;
  // distances[i] = |query XOR code i| for i < count. codes: rows of row_bytes bytes (2, 4, 8 or a multiple of 8), any alignment; no byte
  // outside the rows is read. distances: at least count entries.
  void (*scan)(const std::uint8_t* query, const std::uint8_t* codes, std::size_t count, std::size_t row_bytes, std::uint16_t* distances) noexcept;
};

std::span<const HammingKernel* const> hamming_kernels() noexcept;   // compiled in, best first
const HammingKernel& hamming_kernel();                              // the one in use; throws kUsage for an unknown or unsupported SIGNET_KERNEL
const HammingKernel& find_hamming_kernel(const std::string& name);

// Bytes of one code in memory: 2 up to 16 bits, 4 up to 32, 8 up to 64, then multiples of 8.
constexpr std::size_t row_bytes(std::uint32_t bits) noexcept { return bits <= 16 ? 2 : bits <= 32 ? 4 : (bits + 63) / 64 * 8; }

}  // namespace signet
