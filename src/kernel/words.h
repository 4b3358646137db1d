#pragma once

#include <cstddef>
#include <cstdint>

// Rows counted word by word with POPCNT, for the kernels that are compiled with it. Static, so that each file keeps its own copy
// (kernels.h says why): never included from elsewhere.
namespace signet {

// One word at a time, so that the words lie in registers of their own: a copy of all of them would be one wide load, which
// POPCNT could only read through memory.
template <typename Word, std::size_t kWords>
static inline void load_words(Word (&words)[kWords], const std::uint8_t* row) noexcept {
#pragma GCC unroll 8
  for (std::size_t w = 0; w < kWords; ++w) __builtin_memcpy(&words[w], row + w * sizeof(Word), sizeof(Word));
}

// Hamming distance of the words and a row of as many.
template <typename Word, std::size_t kWords>
static inline std::uint16_t distance_of_words(const Word (&words)[kWords], const std::uint8_t* row) noexcept {
  int sum = 0;
#pragma GCC unroll 8
  for (std::size_t w = 0; w < kWords; ++w) {
    Word other;
    __builtin_memcpy(&other, row + w * sizeof other, sizeof other);
    sum += __builtin_popcountll(static_cast<Word>(words[w] ^ other));
  }
  return static_cast<std::uint16_t>(sum);
}

// HammingKernel::gather for rows of kWords words: the query stays in registers.
template <typename Word, std::size_t kWords = 1>
static inline void gather_words(const std::uint8_t* query, const std::uint8_t* codes, const std::uint64_t* positions,
                                std::size_t count, std::uint16_t* distances) noexcept {
  Word words[kWords];
  load_words(words, query);
  for (std::size_t i = 0; i < count; ++i) distances[i] = distance_of_words(words, codes + positions[i] * sizeof words);
}

// HammingKernel::gather for rows that are one word of 2, 4 or 8 bytes; false: they are not.
static inline bool gather_narrow(const std::uint8_t* query, const std::uint8_t* codes, const std::uint64_t* positions,
                                 std::size_t count, std::size_t row, std::uint16_t* distances) noexcept {
  switch (row) {
    case 2:
      gather_words<std::uint16_t>(query, codes, positions, count, distances);
      return true;
    case 4:
      gather_words<std::uint32_t>(query, codes, positions, count, distances);
      return true;
    case 8:
      gather_words<std::uint64_t>(query, codes, positions, count, distances);
      return true;
    default:
      return false;
  }
}

}  // namespace signet
