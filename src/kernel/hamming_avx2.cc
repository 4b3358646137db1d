#include "kernel/kernels.h"
#include "kernel/words.h"

#if defined(__AVX2__) && defined(__POPCNT__)
#include <immintrin.h>

// AVX2 has no population count. Narrow rows look both halves of every byte up in a table of 16 (PSHUFB) and add bytes to lanes.
// Rows of 2, 3 and 4 words are counted by POPCNT, with the one side in registers while the other passes, and gathered codes of 8
// words too (docs/decisions/0118 has the times that decided); rows of 8 words and more do as the narrow ones, 32 bytes at a time
// (Mula, Kurz & Lemire 2018 describe why that beats POPCNT in long rows), and use POPCNT for the rest.
namespace signet::kernel_avx2 {
const bool kCompiled = true;
namespace {

using Vector = __m256i;

inline Vector load(const std::uint8_t* p) noexcept { return _mm256_loadu_si256(reinterpret_cast<const Vector*>(p)); }

inline Vector ones_of_bytes(Vector x) noexcept {
  const Vector table =
      _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const Vector low = _mm256_set1_epi8(0x0f);
  const Vector halves = _mm256_shuffle_epi8(table, _mm256_and_si256(x, low));
  return _mm256_add_epi8(halves, _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(x, 4), low)));
}

template <typename Word>
inline Word word(const std::uint8_t* p) noexcept {
  Word value;
  __builtin_memcpy(&value, p, sizeof value);
  return value;
}

// Of rows of any number of words of 8 bytes.
inline std::uint16_t distance(const std::uint8_t* a, const std::uint8_t* b, std::size_t row) noexcept {
  Vector sums = _mm256_setzero_si256();
  std::size_t at = 0;
  for (; at + 64 <= row; at += 32) {  // from 64 bytes on; below, POPCNT of the words is as quick
    sums = _mm256_add_epi64(sums,
                            _mm256_sad_epu8(ones_of_bytes(_mm256_xor_si256(load(a + at), load(b + at))), _mm256_setzero_si256()));
  }
  const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  long long sum = _mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1);
  for (; at < row; at += 8) sum += __builtin_popcountll(word<std::uint64_t>(a + at) ^ word<std::uint64_t>(b + at));
  return static_cast<std::uint16_t>(sum);
}

// Narrow rows: one code a lane, its distance in the lane's lowest 16 bits, the rest of the lane zero. Distances of all widths are
// therefore compared as 16-bit lanes; bits of the comparison that belong to the zero parts are masked away.
struct Lanes2 {
  using Word = std::uint16_t;
  static constexpr std::size_t kRow = 2, kCodes = 16;
  static constexpr unsigned kLow = 0x55555555u;  // of the byte mask, one bit a code
  static Vector query(const std::uint8_t* p) noexcept { return _mm256_set1_epi16(word<short>(p)); }
  static Vector count(Vector x) noexcept { return _mm256_maddubs_epi16(ones_of_bytes(x), _mm256_set1_epi8(1)); }
};
struct Lanes4 {
  using Word = std::uint32_t;
  static constexpr std::size_t kRow = 4, kCodes = 8;
  static constexpr unsigned kLow = 0x11111111u;
  static Vector query(const std::uint8_t* p) noexcept { return _mm256_set1_epi32(word<int>(p)); }
  static Vector count(Vector x) noexcept {
    return _mm256_madd_epi16(_mm256_maddubs_epi16(ones_of_bytes(x), _mm256_set1_epi8(1)), _mm256_set1_epi16(1));
  }
};
struct Lanes8 {
  using Word = std::uint64_t;
  static constexpr std::size_t kRow = 8, kCodes = 4;
  static constexpr unsigned kLow = 0x01010101u;
  static Vector query(const std::uint8_t* p) noexcept { return _mm256_set1_epi64x(word<long long>(p)); }
  static Vector count(Vector x) noexcept { return _mm256_sad_epu8(ones_of_bytes(x), _mm256_setzero_si256()); }
};

// A bound in all lanes. The comparison below is a signed one: distances are below 2^15, and a bound above all of them is as good
// as the largest.
inline Vector bound_lanes(std::uint16_t bound) noexcept {
  return _mm256_set1_epi16(static_cast<short>(bound > 0x7fff ? 0x7fff : bound));
}

// One bit (the lowest of the code's lane) for each distance < bound.
template <typename Lanes>
inline unsigned below(Vector distances, Vector bound) noexcept {
  return static_cast<unsigned>(_mm256_movemask_epi8(_mm256_cmpgt_epi16(bound, distances))) & Lanes::kLow;
}

template <typename Lanes>
inline std::size_t put(Vector d, unsigned mask, std::uint32_t base, std::uint16_t query, KernelHit* hits) noexcept {
  alignas(32) std::uint8_t lanes[32];
  _mm256_store_si256(reinterpret_cast<Vector*>(lanes), d);
  std::size_t found = 0;
  for (; mask != 0; mask &= mask - 1) {
    const auto byte = static_cast<std::uint32_t>(__builtin_ctz(mask));
    hits[found++] = {base + byte / static_cast<std::uint32_t>(Lanes::kRow), word<std::uint16_t>(lanes + byte), query};
  }
  return found;
}

constexpr int kVectors = 4;  // of codes kept in registers while the queries pass

template <typename Lanes>
inline std::size_t select_group(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes,
                                std::uint32_t base, const std::uint16_t* bounds, KernelHit* hits) noexcept {
  Vector code[kVectors], d[kVectors];
  for (int v = 0; v < kVectors; ++v) code[v] = load(codes + std::ptrdiff_t{32} * v);
  std::size_t found = 0;
  for (std::size_t q = 0; q < queries; ++q) {
    const Vector query = Lanes::query(query_rows + q * Lanes::kRow), bound = bound_lanes(bounds[q]);
    for (int v = 0; v < kVectors; ++v) d[v] = Lanes::count(_mm256_xor_si256(code[v], query));
    const Vector least = _mm256_min_epu16(_mm256_min_epu16(d[0], d[1]), _mm256_min_epu16(d[2], d[3]));
    if (__builtin_expect(below<Lanes>(least, bound) == 0, 1)) continue;
    for (int v = 0; v < kVectors; ++v) {
      const std::uint32_t first = base + static_cast<std::uint32_t>(v) * static_cast<std::uint32_t>(Lanes::kCodes);
      found += put<Lanes>(d[v], below<Lanes>(d[v], bound), first, static_cast<std::uint16_t>(q), hits + found);
    }
  }
  return found;
}

// Codes [at, count) of kWords words each, one after another: a code stays in registers while the queries pass.
template <typename Word, std::size_t kWords = 1>
inline std::size_t select_words(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes, std::size_t at,
                                std::size_t count, const std::uint16_t* bounds, KernelHit* hits) noexcept {
  Word code[kWords];
  std::size_t found = 0;
  for (; at < count; ++at) {
    load_words(code, codes + at * sizeof code);
    for (std::size_t q = 0; q < queries; ++q) {
      const std::uint16_t d = distance_of_words(code, query_rows + q * sizeof code);
      if (__builtin_expect(d >= bounds[q], 1)) continue;
      hits[found++] = {static_cast<std::uint32_t>(at), d, static_cast<std::uint16_t>(q)};
    }
  }
  return found;
}

template <std::size_t kWords>
std::size_t select_wide(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes, std::size_t count,
                        const std::uint16_t* bounds, KernelHit* hits) noexcept {
  constexpr std::size_t kRow = 8 * kWords, kTogether = 4;  // codes of one line or more, so that few lines are asked for twice
  std::size_t found = 0;
  for (std::size_t at = 0; at < count; at += kTogether) {
    ask_ahead(codes + at * kRow, kTogether * kRow);
    const std::size_t end = count - at < kTogether ? count : at + kTogether;
    found += select_words<std::uint64_t, kWords>(query_rows, queries, codes, at, end, bounds, hits + found);
  }
  return found;
}

std::size_t select_any(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes, std::size_t count,
                       std::size_t row, const std::uint16_t* bounds, KernelHit* hits) noexcept {
  std::size_t found = 0;
  for (std::size_t at = 0; at < count; ++at) {
    for (std::size_t q = 0; q < queries; ++q) {
      const std::uint16_t d = distance(query_rows + q * row, codes + at * row, row);
      if (d < bounds[q]) hits[found++] = {static_cast<std::uint32_t>(at), d, static_cast<std::uint16_t>(q)};
    }
  }
  return found;
}

template <typename Lanes>
std::size_t select_lanes(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes, std::size_t count,
                         const std::uint16_t* bounds, KernelHit* hits) noexcept {
  constexpr std::size_t kGroup = kVectors * Lanes::kCodes;
  std::size_t found = 0, at = 0;
  for (; at + kGroup <= count; at += kGroup) {
    ask_ahead(codes + at * Lanes::kRow, kGroup * Lanes::kRow);
    found +=
        select_group<Lanes>(query_rows, queries, codes + at * Lanes::kRow, static_cast<std::uint32_t>(at), bounds, hits + found);
  }
  return found + select_words<typename Lanes::Word>(query_rows, queries, codes, at, count, bounds, hits + found);
}

// Codes [at, count) of kWords words each.
template <typename Word, std::size_t kWords = 1>
inline void scan_words(const std::uint8_t* query, const std::uint8_t* codes, std::size_t at, std::size_t count,
                       std::uint16_t* distances) noexcept {
  Word words[kWords];
  load_words(words, query);
  for (; at < count; ++at) distances[at] = distance_of_words(words, codes + at * sizeof words);
}

template <typename Lanes>
void scan_lanes(const std::uint8_t* query, const std::uint8_t* codes, std::size_t count, std::uint16_t* distances) noexcept {
  const Vector q = Lanes::query(query);
  std::size_t at = 0;
  for (; at + Lanes::kCodes <= count; at += Lanes::kCodes) {
    alignas(32) std::uint8_t lanes[32];
    _mm256_store_si256(reinterpret_cast<Vector*>(lanes), Lanes::count(_mm256_xor_si256(load(codes + at * Lanes::kRow), q)));
    for (std::size_t i = 0; i < Lanes::kCodes; ++i) distances[at + i] = word<std::uint16_t>(lanes + i * Lanes::kRow);
  }
  scan_words<typename Lanes::Word>(query, codes, at, count, distances);
}

}  // namespace

void scan(const std::uint8_t* query, const std::uint8_t* codes, std::size_t count, std::size_t row,
          std::uint16_t* distances) noexcept {
  switch (row) {
    case 2:
      return scan_lanes<Lanes2>(query, codes, count, distances);
    case 4:
      return scan_lanes<Lanes4>(query, codes, count, distances);
    case 8:
      return scan_lanes<Lanes8>(query, codes, count, distances);
    case 16:
      return scan_words<std::uint64_t, 2>(query, codes, 0, count, distances);
    case 24:
      return scan_words<std::uint64_t, 3>(query, codes, 0, count, distances);
    case 32:
      return scan_words<std::uint64_t, 4>(query, codes, 0, count, distances);
    default:
      for (std::size_t i = 0; i < count; ++i) distances[i] = distance(query, codes + i * row, row);
  }
}

std::size_t select(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes, std::size_t count,
                   std::size_t row, const std::uint16_t* bounds, KernelHit* hits) noexcept {
  switch (row) {
    case 2:
      return select_lanes<Lanes2>(query_rows, queries, codes, count, bounds, hits);
    case 4:
      return select_lanes<Lanes4>(query_rows, queries, codes, count, bounds, hits);
    case 8:
      return select_lanes<Lanes8>(query_rows, queries, codes, count, bounds, hits);
    case 16:
      return select_wide<2>(query_rows, queries, codes, count, bounds, hits);
    case 24:
      return select_wide<3>(query_rows, queries, codes, count, bounds, hits);
    case 32:
      return select_wide<4>(query_rows, queries, codes, count, bounds, hits);
    default:
      return select_any(query_rows, queries, codes, count, row, bounds, hits);
  }
}

void gather(const std::uint8_t* query, const std::uint8_t* codes, const std::uint64_t* positions, std::size_t count,
            std::size_t row, std::uint16_t* distances) noexcept {
  if (gather_narrow(query, codes, positions, count, row, distances)) return;
  switch (row) {
    case 16:
      return gather_words<std::uint64_t, 2>(query, codes, positions, count, distances);
    case 24:
      return gather_words<std::uint64_t, 3>(query, codes, positions, count, distances);
    case 32:
      return gather_words<std::uint64_t, 4>(query, codes, positions, count, distances);
    case 64:
      return gather_words<std::uint64_t, 8>(query, codes, positions, count, distances);
    default:
      for (std::size_t i = 0; i < count; ++i) distances[i] = distance(query, codes + positions[i] * row, row);
  }
}

}  // namespace signet::kernel_avx2

#else  // no such instructions in this build: never chosen, since kCompiled is false

namespace signet::kernel_avx2 {
const bool kCompiled = false;
void scan(const std::uint8_t* query, const std::uint8_t* codes, std::size_t count, std::size_t row,
          std::uint16_t* distances) noexcept {
  kernel_portable::scan(query, codes, count, row, distances);
}
std::size_t select(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes, std::size_t count,
                   std::size_t row, const std::uint16_t* bounds, KernelHit* hits) noexcept {
  return kernel_portable::select(query_rows, queries, codes, count, row, bounds, hits);
}
void gather(const std::uint8_t* query, const std::uint8_t* codes, const std::uint64_t* positions, std::size_t count,
            std::size_t row, std::uint16_t* distances) noexcept {
  kernel_portable::gather(query, codes, positions, count, row, distances);
}
}  // namespace signet::kernel_avx2
#endif
