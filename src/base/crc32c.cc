#include "signet/base/crc32c.h"

#include <cstring>

#include "base/crc32c_kernels.h"
#include "signet/base/cpu.h"

namespace signet {
namespace crc {
namespace {

// kSlices[j][b]: the register after byte b followed by j zero bytes. Because the CRC is linear, eight bytes advance by the XOR of
// eight independent look-ups (slicing-by-8, Kounavis & Berry 2005).
constexpr std::array<std::array<std::uint32_t, 256>, 8> make_slices() {
  std::array<std::array<std::uint32_t, 256>, 8> slices{};
  slices[0] = kStepTable;
  for (std::size_t j = 1; j < 8; ++j) {
    for (std::size_t b = 0; b < 256; ++b) {
      const std::uint32_t before = slices[j - 1][b];
      slices[j][b] = (before >> 8) ^ kStepTable[before & 0xffU];
    }
  }
  return slices;
}
constexpr auto kSlices = make_slices();

std::uint32_t byte_at(const std::byte* data, std::size_t i) { return std::to_integer<std::uint32_t>(data[i]); }

}  // namespace

std::uint32_t portable(std::uint32_t state, const std::byte* data, std::size_t size) noexcept {
  for (; size >= 8; size -= 8, data += 8) {
    state ^= byte_at(data, 0) | byte_at(data, 1) << 8 | byte_at(data, 2) << 16 | byte_at(data, 3) << 24;
    state = kSlices[7][state & 0xffU] ^ kSlices[6][(state >> 8) & 0xffU] ^ kSlices[5][(state >> 16) & 0xffU] ^
            kSlices[4][state >> 24] ^ kSlices[3][byte_at(data, 4)] ^ kSlices[2][byte_at(data, 5)] ^ kSlices[1][byte_at(data, 6)] ^
            kSlices[0][byte_at(data, 7)];
  }
  for (; size > 0; --size, ++data) state = (state >> 8) ^ kStepTable[(state ^ byte_at(data, 0)) & 0xffU];
  return state;
}

}  // namespace crc

std::uint32_t crc32c(std::span<const std::byte> data, std::uint32_t previous) noexcept {
  static const crc::Kernel kKernel = crc::sse42_compiled() && cpu_features().sse42 ? crc::sse42 : crc::portable;
  return ~kKernel(~previous, data.data(), data.size());
}

}  // namespace signet
