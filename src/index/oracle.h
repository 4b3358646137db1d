#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "signet/base/random.h"
#include "signet/code/code_matrix.h"
#include "signet/index/build.h"
#include "signet/index/index.h"

// For tests: what every index must answer, by the definition, and data to ask about.
namespace signet::oracle {

inline std::vector<Hit> search(const CodeMatrix& codes, std::span<const std::uint8_t> query, const SearchOptions& options,
                               std::span<const std::uint64_t> ids = {}) {
  std::vector<Hit> hits;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (options.filter != nullptr && !options.filter->allows(i)) continue;
    const std::uint32_t distance = hamming_distance(query, codes.row(i));
    if (options.radius && distance > *options.radius) continue;
    hits.push_back({ids.empty() ? i : ids[i], distance});
  }
  const auto kept = static_cast<std::ptrdiff_t>(std::min(options.k, hits.size()));
  std::partial_sort(hits.begin(), hits.begin() + kept, hits.end(),
                    [](const Hit& a, const Hit& b) { return a.distance != b.distance ? a.distance < b.distance : a.id < b.id; });
  hits.resize(static_cast<std::size_t>(kept));
  return hits;
}

// Borrowed: `codes` must outlive what is built from it.
inline CodeSource source_of(const CodeMatrix& codes) {
  CodeSource source;
  source.packed = codes.data();
  source.count = codes.size();
  source.bits = codes.bits();
  return source;
}

inline void set_bit(CodeMatrix& codes, std::size_t i, std::uint32_t k, bool value) {
  const auto mask = static_cast<std::uint8_t>(1u << (k % 8));
  std::uint8_t& byte = codes.row(i)[k / 8];
  byte = static_cast<std::uint8_t>(value ? byte | mask : byte & ~mask);
}

inline CodeMatrix random_codes(std::size_t count, std::uint32_t bits, std::uint64_t seed) {
  Random random(seed);
  CodeMatrix codes(count, bits);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::uint32_t k = 0; k < bits; ++k) set_bit(codes, i, k, (random.next() >> 33) & 1);
  }
  return codes;
}

// Codes around `centres` random centres, each bit flipped with the given probability.
inline CodeMatrix clustered_codes(std::size_t count, std::uint32_t bits, std::size_t centres, double flip, std::uint64_t seed) {
  const CodeMatrix centre = random_codes(centres, bits, mix_seed(seed, 1));
  Random random(seed);
  CodeMatrix codes(count, bits);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t c = random.below(centres);
    for (std::uint32_t k = 0; k < bits; ++k) set_bit(codes, i, k, centre.bit(c, k) != (random.uniform() < flip));
  }
  return codes;
}

}  // namespace signet::oracle
