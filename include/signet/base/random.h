#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace signet {

// Mixes two numbers into one seed (SplitMix64 finaliser), so that (seed, epoch) or (seed, image) give unrelated streams.
std::uint64_t mix_seed(std::uint64_t seed, std::uint64_t stream) noexcept;

// xoshiro256** (Blackman & Vigna 2018): the same sequence on every machine for the same seed. Not for cryptography.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept;
  std::uint64_t next() noexcept;                  // uniform over 2^64 values
  std::uint64_t below(std::uint64_t n) noexcept;  // uniform over [0, n), n >= 1, without modulo bias
  double uniform() noexcept;                      // [0, 1)
  double normal() noexcept;                       // N(0, 1), Box-Muller, no cached half

  template <typename T>
  void shuffle(std::span<T> items) noexcept {  // Fisher-Yates
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace signet
