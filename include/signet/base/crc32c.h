#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace signet {

// CRC-32C (Castagnoli, RFC 3720 appendix B.4). crc32c(b, crc32c(a)) == crc32c(a followed by b). Uses SSE4.2 where the CPU has it.
std::uint32_t crc32c(std::span<const std::byte> data, std::uint32_t previous = 0) noexcept;

}  // namespace signet
