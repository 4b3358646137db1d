#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

// The two ways to compute CRC-32C, for the front (crc32c.cc) and the tests. Both work on the raw register: the front inverts it
// before and after, as RFC 3720 wants.
namespace signet::crc {

using Kernel = std::uint32_t (*)(std::uint32_t state, const std::byte* data, std::size_t size) noexcept;

inline constexpr std::uint32_t kPolynomial = 0x82f63b78U;  // x^32 + x^28 + ... + 1 (Castagnoli), bits reversed

// kStepTable[b] advances the register over the byte b.
constexpr std::array<std::uint32_t, 256> make_step_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
    table[byte] = crc;
  }
  return table;
}
inline constexpr auto kStepTable = make_step_table();

std::uint32_t portable(std::uint32_t state, const std::byte* data, std::size_t size) noexcept;
std::uint32_t sse42(std::uint32_t state, const std::byte* data, std::size_t size) noexcept;  // only where sse42_compiled()
bool sse42_compiled() noexcept;

}  // namespace signet::crc
