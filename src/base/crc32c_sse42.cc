#include <cstring>

#include "base/crc32c_kernels.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace signet::crc {

#if defined(__x86_64__)
namespace {

// The crc32 instruction takes three cycles and can start every cycle: three streams of kBlock bytes run side by side and are
// joined with the register advanced over kBlock zero bytes, a linear map kept as four byte tables.
constexpr std::size_t kBlock = 1024;

using ShiftTable = std::array<std::array<std::uint32_t, 256>, 4>;

constexpr ShiftTable make_shift() {
  std::array<std::uint32_t, 32> columns{};
  for (std::size_t bit = 0; bit < 32; ++bit) {
    std::uint32_t state = std::uint32_t{1} << bit;
    for (std::size_t i = 0; i < kBlock; ++i) state = (state >> 8) ^ kStepTable[state & 0xffU];
    columns[bit] = state;
  }
  ShiftTable table{};
  for (std::size_t part = 0; part < 4; ++part) {
    for (std::size_t value = 0; value < 256; ++value) {
      for (std::size_t bit = 0; bit < 8; ++bit) {
        if (((value >> bit) & 1U) != 0) table[part][value] ^= columns[8 * part + bit];
      }
    }
  }
  return table;
}
constexpr ShiftTable kShift = make_shift();

std::uint64_t shift_block(std::uint64_t state) {
  return kShift[0][state & 0xffU] ^ kShift[1][(state >> 8) & 0xffU] ^ kShift[2][(state >> 16) & 0xffU] ^
         kShift[3][(state >> 24) & 0xffU];
}

std::uint64_t load(const std::byte* data) {
  std::uint64_t word = 0;
  std::memcpy(&word, data, sizeof word);
  return word;
}

}  // namespace

bool sse42_compiled() noexcept { return true; }

__attribute__((target("sse4.2"))) std::uint32_t sse42(std::uint32_t start, const std::byte* data, std::size_t size) noexcept {
  std::uint64_t state = start;
  for (; size >= 3 * kBlock; size -= 3 * kBlock, data += 3 * kBlock) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < kBlock; i += 8) {
      state = _mm_crc32_u64(state, load(data + i));
      second = _mm_crc32_u64(second, load(data + kBlock + i));
      third = _mm_crc32_u64(third, load(data + 2 * kBlock + i));
    }
    state = shift_block(shift_block(state) ^ second) ^ third;
  }
  for (; size >= 8; size -= 8, data += 8) state = _mm_crc32_u64(state, load(data));
  auto tail = static_cast<std::uint32_t>(state);
  for (; size > 0; --size, ++data) tail = _mm_crc32_u8(tail, std::to_integer<unsigned char>(*data));
  return tail;
}

#else

bool sse42_compiled() noexcept { return false; }
std::uint32_t sse42(std::uint32_t state, const std::byte* data, std::size_t size) noexcept { return portable(state, data, size); }

#endif

}  // namespace signet::crc
