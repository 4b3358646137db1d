#include "signet/base/random.h"

#include <bit>
#include <cmath>
#include <numbers>

namespace signet {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15U;  // 2^64 / golden ratio, the increment of SplitMix64

constexpr std::uint64_t finalise(std::uint64_t z) noexcept {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

}  // namespace

// The seed passes the finaliser before the stream is added, so that (s, t + 1) and (s + golden, t) do not meet.
std::uint64_t mix_seed(std::uint64_t seed, std::uint64_t stream) noexcept {
  return finalise(finalise(seed + kGolden) + (stream + 1) * kGolden);
}

// Four SplitMix64 outputs of one seed are never all zero (the finaliser is a bijection), the one state xoshiro cannot leave.
Random::Random(std::uint64_t seed) noexcept : state_{} {
  for (std::uint64_t& word : state_) word = finalise(seed += kGolden);
}

std::uint64_t Random::next() noexcept {
  auto& s = state_;
  const std::uint64_t result = std::rotl(s[1] * 5, 7) * 9;
  const std::uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = std::rotl(s[3], 45);
  return result;
}

// Lemire 2019: the high word of next() * n is uniform once the 2^64 mod n lowest products are rejected.
std::uint64_t Random::below(std::uint64_t n) noexcept {
  Wide product = Wide{next()} * n;
  if (static_cast<std::uint64_t>(product) < n) {
    const std::uint64_t threshold = (0 - n) % n;
    while (static_cast<std::uint64_t>(product) < threshold) product = Wide{next()} * n;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

double Random::uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

double Random::normal() noexcept {
  const double u = 1.0 - uniform();  // (0, 1]: the logarithm stays finite
  const double angle = 2.0 * std::numbers::pi * uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(angle);
}

}  // namespace signet
