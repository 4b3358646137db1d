#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace signet {

struct UnmapWords {
  std::size_t bytes = 0;
  void operator()(std::uint64_t* words) const noexcept;
};

// Zeroed words straight from the system, in huge pages where it has them: an index is read at random, and with pages of 4 KiB
// most of such reads would first have to look up where the page is.
class BigWords {
 public:
  BigWords() = default;
  explicit BigWords(std::size_t words);  // throws std::bad_alloc
  std::size_t size() const noexcept { return words_; }
  std::uint64_t* data() noexcept { return data_.get(); }
  const std::uint64_t* data() const noexcept { return data_.get(); }
  std::span<const std::uint64_t> span() const noexcept { return {data_.get(), words_}; }

 private:
  std::size_t words_ = 0;
  std::unique_ptr<std::uint64_t[], UnmapWords> data_;
};

// Bits that hold every value up to and including `largest`.
constexpr unsigned packed_width(std::uint64_t largest) noexcept {
  return largest == 0 ? 1 : static_cast<unsigned>(std::bit_width(largest));
}

// Bits that hold every position of `count` codes.
constexpr unsigned position_width(std::uint64_t count) noexcept { return packed_width(count == 0 ? 0 : count - 1); }

// Words of a packed array: its bits, and one word more so that 8 bytes may be loaded at any value (docs/format/index.md).
constexpr std::uint64_t packed_words(std::uint64_t count, unsigned width) noexcept { return (count * width + 63) / 64 + 1; }

// `count` unsigned values of `width` (1 to 48) bits each, one after another: positions below 10^8 take 27 bits instead of 32,
// which is what keeps three tables of them below 12 bytes a code.
class PackedView {
 public:
  PackedView() = default;
  PackedView(const std::uint64_t* words, std::uint64_t count, unsigned width) noexcept
      : bytes_(reinterpret_cast<const std::uint8_t*>(words)),
        count_(count),
        width_(width),
        mask_((std::uint64_t{1} << width) - 1) {}
  std::uint64_t size() const noexcept { return count_; }
  std::uint64_t operator[](std::uint64_t i) const noexcept {  // i < size(): at most 7 + 48 bits from the byte that it begins in
    const std::uint64_t bit = i * width_;
    std::uint64_t word;
    std::memcpy(&word, bytes_ + bit / 8, sizeof word);
    return (word >> (bit % 8)) & mask_;
  }
  void prefetch(std::uint64_t i) const noexcept { __builtin_prefetch(bytes_ + i * width_ / 8); }

 private:
  const std::uint8_t* bytes_ = nullptr;
  std::uint64_t count_ = 0;
  unsigned width_ = 1;
  std::uint64_t mask_ = 0;
};

// Writes values from the first to the last.
class PackedWriter {
 public:
  PackedWriter(std::uint64_t* words, unsigned width, std::uint64_t first = 0) noexcept
      : words_(words), width_(width), bit_(first * width) {}
  void put(std::uint64_t value) noexcept {
    const std::uint64_t word = bit_ / 64;
    const auto shift = static_cast<unsigned>(bit_ % 64);
    words_[word] |= value << shift;
    // A value has 64 bits at most: where it ends in the next word, it has not begun at the start of this one.
    if (shift + width_ > 64)
      words_[word + 1] |= value >> (64 - shift);  // NOLINT(clang-analyzer-core.UndefinedBinaryOperatorResult)
    bit_ += width_;
  }

 private:
  std::uint64_t* words_;
  unsigned width_;
  std::uint64_t bit_;
};

}  // namespace signet
