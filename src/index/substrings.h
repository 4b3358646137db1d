#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "index/rows.h"

namespace signet {

// A word of a code's row; rows of 2 and 4 bytes are one short word.
inline std::uint64_t row_word(const std::uint8_t* row, std::size_t row_size, std::size_t word) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, row + 8 * word, row_size < 8 ? row_size : 8);
  return value;
}
constexpr std::size_t row_words(std::size_t row_size) noexcept { return (row_size + 7) / 8; }

// The next greater number with as many bits set, of which there is at least one (Gosper: HAKMEM item 175).
constexpr std::uint64_t next_combination(std::uint64_t bits) noexcept {
  const std::uint64_t lowest = bits & (~bits + 1), ripple = bits + lowest;
  return ripple | (((ripple ^ bits) >> 2) >> std::countr_zero(lowest));
}

// Some bits of a code, read as a number: its key in a table of buckets. The bits may lie anywhere; in ascending order they are
// the key's bits from the lowest on. The key is put together from one look-up for each byte of the code that has any of them.
class Substring {
 public:
  // mask: row_words(row) words; 1 to 28 bits set.
  Substring(std::span<const std::uint64_t> mask, std::size_t row);
  unsigned bits() const noexcept { return bits_; }
  std::span<const std::uint64_t> mask() const noexcept { return mask_; }
  std::uint32_t key(const std::uint8_t* code) const noexcept {
    std::uint32_t key = 0;
    for (const Byte& byte : bytes_) key |= byte.part[code[byte.at]];
    return key;
  }
  // How many of its bits differ.
  unsigned distance(const std::uint8_t* a, const std::uint8_t* b) const noexcept {
    return static_cast<unsigned>(std::popcount(key(a) ^ key(b)));
  }

 private:
  struct Byte {
    std::size_t at = 0;
    std::array<std::uint32_t, 256> part{};
  };
  std::vector<std::uint64_t> mask_;
  unsigned bits_ = 0;
  std::vector<Byte> bytes_;
};

// What a sample of codes says about their bits.
struct BitStatistics {
  std::vector<double> entropy;                  // of each bit, 0 to 1
  std::vector<std::vector<float>> correlation;  // |correlation| of each pair; empty above kMaxCorrelated bits
  static constexpr std::uint32_t kMaxCorrelated = 512;
};
BitStatistics measure_bits(const Rows& rows, std::span<const std::uint64_t> sample);

// `tables` disjoint substrings of `bits` bits each, as masks. Bits that carry more come first, and each goes to the substring
// whose bits it repeats least: a bucket is then as small as can be. Bits that are constant are left out while others last.
// Covering all bits is not necessary: by the pigeonhole principle, codes within r on all bits are within r / m on one of any m
// disjoint subsets of them.
std::vector<Substring> choose_substrings(const Rows& rows, const BitStatistics& statistics, std::size_t tables, unsigned bits);

}  // namespace signet
