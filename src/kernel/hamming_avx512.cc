#include "kernel/kernels.h"
#include "kernel/words.h"

#if defined(__AVX512VPOPCNTDQ__) && defined(__AVX512BITALG__) && defined(__AVX512BW__)
#include <immintrin.h>

// Instructions used: VPOPCNTQ/D (VPOPCNTDQ), VPOPCNTW (BITALG), masked and compressing moves. Nothing here may throw or allocate.
namespace signet::kernel_avx512 {
const bool kCompiled = true;
namespace {

using Vector = __m512i;

// Codes per 64-byte vector, and how a lane of that width is counted, bounded and turned into hits. `Lanes` are the narrow rows of
// one code a lane: a vector of codes XOR the broadcast query, counted lane by lane, is a vector of distances.
struct Lanes2 {
  static constexpr std::size_t kRow = 2, kCodes = 32;
  using Mask = __mmask32;
  static Vector set(std::uint16_t x) noexcept { return _mm512_set1_epi16(static_cast<short>(x)); }
  static Vector query(const std::uint8_t* p) noexcept {
    std::uint16_t x;
    __builtin_memcpy(&x, p, 2);
    return set(x);
  }
  static Vector load(const std::uint8_t* p, Mask m) noexcept { return _mm512_maskz_loadu_epi16(m, p); }
  static Vector count(Vector x) noexcept { return _mm512_popcnt_epi16(x); }
  static Vector smaller(Vector a, Vector b) noexcept { return _mm512_min_epu16(a, b); }
  static Mask below(Vector a, Vector b) noexcept { return _mm512_cmplt_epu16_mask(a, b); }
};

struct Lanes4 {
  static constexpr std::size_t kRow = 4, kCodes = 16;
  using Mask = __mmask16;
  static Vector set(std::uint16_t x) noexcept { return _mm512_set1_epi32(x); }
  static Vector query(const std::uint8_t* p) noexcept {
    int x;
    __builtin_memcpy(&x, p, 4);
    return _mm512_set1_epi32(x);
  }
  static Vector load(const std::uint8_t* p, Mask m) noexcept { return _mm512_maskz_loadu_epi32(m, p); }
  static Vector count(Vector x) noexcept { return _mm512_popcnt_epi32(x); }
  static Vector smaller(Vector a, Vector b) noexcept { return _mm512_min_epu32(a, b); }
  static Mask below(Vector a, Vector b) noexcept { return _mm512_cmplt_epu32_mask(a, b); }
};

struct Lanes8 {
  static constexpr std::size_t kRow = 8, kCodes = 8;
  using Mask = __mmask8;
  static Vector set(std::uint16_t x) noexcept { return _mm512_set1_epi64(x); }
  static Vector query(const std::uint8_t* p) noexcept {
    long long x;
    __builtin_memcpy(&x, p, 8);
    return _mm512_set1_epi64(x);
  }
  static Vector load(const std::uint8_t* p, Mask m) noexcept { return _mm512_maskz_loadu_epi64(m, p); }
  static Vector count(Vector x) noexcept { return _mm512_popcnt_epi64(x); }
  static Vector smaller(Vector a, Vector b) noexcept { return _mm512_min_epu64(a, b); }
  static Mask below(Vector a, Vector b) noexcept { return _mm512_cmplt_epu64_mask(a, b); }
};

// Eight hits from eight 64-bit distances: position | distance << 32 | query << 48 is KernelHit's memory (little endian), and
// those of the mask are moved together. The store is masked, so nothing is written behind the last hit.
inline std::size_t put8(Vector distances, std::uint32_t base, std::uint16_t query, __mmask8 mask, KernelHit* hits) noexcept {
  const Vector lane = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
  const Vector where = _mm512_add_epi64(lane, _mm512_set1_epi64(base | static_cast<long long>(query) << 48));
  const Vector packed = _mm512_maskz_compress_epi64(mask, _mm512_or_si512(where, _mm512_slli_epi64(distances, 32)));
  const auto count = static_cast<unsigned>(__builtin_popcount(mask));
  _mm512_mask_storeu_epi64(hits, static_cast<__mmask8>((1u << count) - 1), packed);
  return count;
}

inline std::size_t put(Lanes8, Vector d, std::uint32_t base, std::uint16_t query, __mmask8 mask, KernelHit* hits) noexcept {
  return put8(d, base, query, mask, hits);
}

inline std::size_t put(Lanes4, Vector d, std::uint32_t base, std::uint16_t query, __mmask16 mask, KernelHit* hits) noexcept {
  const Vector low = _mm512_cvtepu32_epi64(_mm512_castsi512_si256(d)),
               high = _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(d, 1));
  std::size_t found = put8(low, base, query, static_cast<__mmask8>(mask), hits);
  found += put8(high, base + 8, query, static_cast<__mmask8>(mask >> 8), hits + found);
  return found;
}

inline std::size_t put(Lanes2, Vector d, std::uint32_t base, std::uint16_t query, __mmask32 mask, KernelHit* hits) noexcept {
  alignas(64) std::uint16_t lanes[32];
  _mm512_store_si512(lanes, d);
  std::size_t found = 0;
  for (unsigned at = 0; at < 32; at += 8) {
    const auto part = static_cast<__mmask8>(mask >> at);
    if (part == 0) continue;
    const __m128i eight = _mm_load_si128(reinterpret_cast<const __m128i*>(lanes + at));
    found += put8(_mm512_cvtepu16_epi64(eight), base + at, query, part, hits + found);
  }
  return found;
}

// kVectors vectors of codes stay in registers while all queries pass over them: one load of codes serves every query, and one
// comparison and one branch serve kVectors * kCodes distances, since only the smallest of them is held against the bound.
template <typename Lanes, int kVectors>
inline std::size_t select_group(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes,
                                std::uint32_t base, const std::uint16_t* bounds, KernelHit* hits) noexcept {
  Vector code[kVectors], d[kVectors];
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v) code[v] = _mm512_loadu_si512(codes + std::ptrdiff_t{64} * v);
  std::size_t found = 0;
  for (std::size_t q = 0; q < queries; ++q) {
    const Vector query = Lanes::query(query_rows + q * Lanes::kRow), bound = Lanes::set(bounds[q]);
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) d[v] = Lanes::count(_mm512_xor_si512(code[v], query));
    Vector least = d[0];
#pragma GCC unroll 8
    for (int v = 1; v < kVectors; ++v) least = Lanes::smaller(least, d[v]);
    if (__builtin_expect(Lanes::below(least, bound) == 0, 1)) continue;
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const auto mask = Lanes::below(d[v], bound);
      const auto first = base + static_cast<std::uint32_t>(v) * static_cast<std::uint32_t>(Lanes::kCodes);
      if (mask != 0) found += put(Lanes{}, d[v], first, static_cast<std::uint16_t>(q), mask, hits + found);
    }
  }
  return found;
}

template <typename Lanes>
inline typename Lanes::Mask first_lanes(std::size_t count) noexcept {
  if (count >= Lanes::kCodes) return static_cast<typename Lanes::Mask>(~0u);
  return static_cast<typename Lanes::Mask>((1u << count) - 1);
}

template <typename Lanes>
std::size_t select_lanes(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes, std::size_t count,
                         const std::uint16_t* bounds, KernelHit* hits) noexcept {
  constexpr std::size_t kGroup = 8 * Lanes::kCodes;
  std::size_t found = 0, at = 0;
  for (; at + kGroup <= count; at += kGroup) {
    ask_ahead(codes + at * Lanes::kRow, kGroup * Lanes::kRow);
    found += select_group<Lanes, 8>(query_rows, queries, codes + at * Lanes::kRow, static_cast<std::uint32_t>(at), bounds,
                                    hits + found);
  }
  for (; at < count; at += Lanes::kCodes) {  // the tail, one vector at a time: lanes beyond the end are neither read nor counted
    const auto valid = first_lanes<Lanes>(count - at);
    const Vector code = Lanes::load(codes + at * Lanes::kRow, valid);
    for (std::size_t q = 0; q < queries; ++q) {
      const Vector d = Lanes::count(_mm512_xor_si512(code, Lanes::query(query_rows + q * Lanes::kRow)));
      const auto mask = static_cast<typename Lanes::Mask>(Lanes::below(d, Lanes::set(bounds[q])) & valid);
      if (mask != 0) found += put(Lanes{}, d, static_cast<std::uint32_t>(at), static_cast<std::uint16_t>(q), mask, hits + found);
    }
  }
  return found;
}

inline void store(Lanes2, std::uint16_t* out, Vector d, __mmask32 m) noexcept { _mm512_mask_storeu_epi16(out, m, d); }
inline void store(Lanes4, std::uint16_t* out, Vector d, __mmask16 m) noexcept { _mm512_mask_cvtepi32_storeu_epi16(out, m, d); }
inline void store(Lanes8, std::uint16_t* out, Vector d, __mmask8 m) noexcept { _mm512_mask_cvtepi64_storeu_epi16(out, m, d); }

template <typename Lanes>
void scan_lanes(const std::uint8_t* query, const std::uint8_t* codes, std::size_t count, std::uint16_t* distances) noexcept {
  const Vector q = Lanes::query(query);
  for (std::size_t at = 0; at < count; at += Lanes::kCodes) {
    const auto valid = first_lanes<Lanes>(count - at);
    const Vector d = Lanes::count(_mm512_xor_si512(Lanes::load(codes + at * Lanes::kRow, valid), q));
    store(Lanes{}, distances + at, d, valid);
  }
}

// Wide rows: a code of two or more words covers several lanes, whose counts have to be added. Eight codes at a time; pairs of
// vectors are added crosswise, so that one vector of eight distances comes out.
inline Vector counted(const std::uint8_t* code, Vector query) noexcept {
  return _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_loadu_si512(code), query));
}
inline Vector add_words(Vector a, Vector b) noexcept {
  return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}
inline Vector add_lanes(Vector a, Vector b) noexcept {
  return _mm512_add_epi64(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xDD));
}

struct Words2 {
  static constexpr std::size_t kGroups = 4;  // groups of eight codes that share one comparison
  static Vector order() noexcept { return _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7); }  // lane of code i
  struct Query {
    Vector q;
    Query(const std::uint8_t* p, std::size_t) noexcept
        : q(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))) {}
  };
  static Vector eight(const Query& query, const std::uint8_t* codes, std::size_t) noexcept {
    return add_words(counted(codes, query.q), counted(codes + 64, query.q));
  }
};

struct Words4 {
  static constexpr std::size_t kGroups = 2;
  static Vector order() noexcept { return _mm512_setr_epi64(0, 2, 1, 3, 4, 6, 5, 7); }
  struct Query {
    Vector q;
    Query(const std::uint8_t* p, std::size_t) noexcept
        : q(_mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))) {}
  };
  static Vector eight(const Query& query, const std::uint8_t* codes, std::size_t) noexcept {
    const Vector a = add_words(counted(codes, query.q), counted(codes + 64, query.q));
    const Vector b = add_words(counted(codes + 128, query.q), counted(codes + 192, query.q));
    return add_lanes(a, b);
  }
};

// Any number of words: 64 bytes at a time, the rest by a masked load.
inline Vector partial_sums(const std::uint8_t* query, const std::uint8_t* code, std::size_t row) noexcept {
  Vector sum = _mm512_setzero_si512();
  std::size_t at = 0;
  for (; at + 64 <= row; at += 64) sum = _mm512_add_epi64(sum, counted(code + at, _mm512_loadu_si512(query + at)));
  if (at < row) {
    const auto rest = static_cast<__mmask8>((1u << ((row - at) / 8)) - 1);
    const Vector x = _mm512_xor_si512(_mm512_maskz_loadu_epi64(rest, code + at), _mm512_maskz_loadu_epi64(rest, query + at));
    sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(x));
  }
  return sum;
}

struct AnyWords {
  static constexpr std::size_t kGroups = 1;
  static Vector order() noexcept { return _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7); }
  struct Query {
    const std::uint8_t* p;
    Query(const std::uint8_t* query, std::size_t) noexcept : p(query) {}
  };
  static Vector eight(const Query& query, const std::uint8_t* codes, std::size_t row) noexcept {
    Vector pair[4];
    for (std::size_t i = 0; i < 4; ++i) {
      const std::uint8_t* two = codes + 2 * i * row;
      pair[i] = add_words(partial_sums(query.p, two, row), partial_sums(query.p, two + row, row));
    }
    return add_lanes(add_lanes(pair[0], pair[1]), add_lanes(pair[2], pair[3]));
  }
};

inline std::uint16_t distance(const std::uint8_t* query, const std::uint8_t* code, std::size_t row) noexcept {
  return static_cast<std::uint16_t>(_mm512_reduce_add_epi64(partial_sums(query, code, row)));
}

template <typename Words>
inline std::size_t select_words_group(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes,
                                      std::size_t row, std::uint32_t base, const std::uint16_t* bounds,
                                      KernelHit* hits) noexcept {
  std::size_t found = 0;
  Vector d[Words::kGroups];
  for (std::size_t q = 0; q < queries; ++q) {
    const typename Words::Query query(query_rows + q * row, row);
    const Vector bound = _mm512_set1_epi64(bounds[q]);
#pragma GCC unroll 4
    for (std::size_t g = 0; g < Words::kGroups; ++g) d[g] = Words::eight(query, codes + g * 8 * row, row);
    Vector least = d[0];
#pragma GCC unroll 4
    for (std::size_t g = 1; g < Words::kGroups; ++g) least = _mm512_min_epu64(least, d[g]);
    if (__builtin_expect(_mm512_cmplt_epu64_mask(least, bound) == 0, 1)) continue;
#pragma GCC unroll 4
    for (std::size_t g = 0; g < Words::kGroups; ++g) {
      const Vector sorted = _mm512_permutexvar_epi64(Words::order(), d[g]);
      const __mmask8 mask = _mm512_cmplt_epu64_mask(sorted, bound);
      const auto first = base + static_cast<std::uint32_t>(8 * g);
      if (mask != 0) found += put8(sorted, first, static_cast<std::uint16_t>(q), mask, hits + found);
    }
  }
  return found;
}

template <typename Words>
std::size_t select_words(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes, std::size_t count,
                         std::size_t row, const std::uint16_t* bounds, KernelHit* hits) noexcept {
  constexpr std::size_t kGroup = 8 * Words::kGroups;
  std::size_t found = 0, at = 0;
  for (; at + kGroup <= count; at += kGroup) {
    ask_ahead(codes + at * row, kGroup * row);
    found += select_words_group<Words>(query_rows, queries, codes + at * row, row, static_cast<std::uint32_t>(at), bounds,
                                       hits + found);
  }
  for (; at < count; ++at) {
    for (std::size_t q = 0; q < queries; ++q) {
      const std::uint16_t d = distance(query_rows + q * row, codes + at * row, row);
      if (d < bounds[q]) hits[found++] = {static_cast<std::uint32_t>(at), d, static_cast<std::uint16_t>(q)};
    }
  }
  return found;
}

template <typename Words>
void scan_words(const std::uint8_t* query, const std::uint8_t* codes, std::size_t count, std::size_t row,
                std::uint16_t* distances) noexcept {
  const typename Words::Query q(query, row);
  std::size_t at = 0;
  for (; at + 8 <= count; at += 8) {
    const Vector sorted = _mm512_permutexvar_epi64(Words::order(), Words::eight(q, codes + at * row, row));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(distances + at), _mm512_cvtepi64_epi16(sorted));
  }
  for (; at < count; ++at) distances[at] = distance(query, codes + at * row, row);
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
      return scan_words<Words2>(query, codes, count, row, distances);
    case 32:
      return scan_words<Words4>(query, codes, count, row, distances);
    default:
      return scan_words<AnyWords>(query, codes, count, row, distances);
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
      return select_words<Words2>(query_rows, queries, codes, count, row, bounds, hits);
    case 32:
      return select_words<Words4>(query_rows, queries, codes, count, row, bounds, hits);
    default:
      return select_words<AnyWords>(query_rows, queries, codes, count, row, bounds, hits);
  }
}

void gather(const std::uint8_t* query, const std::uint8_t* codes, const std::uint64_t* positions, std::size_t count,
            std::size_t row, std::uint16_t* distances) noexcept {
  if (gather_narrow(query, codes, positions, count, row, distances)) return;
  for (std::size_t i = 0; i < count; ++i) distances[i] = distance(query, codes + positions[i] * row, row);
}

}  // namespace signet::kernel_avx512

#else  // no such instructions in this build: never chosen, since kCompiled is false

namespace signet::kernel_avx512 {
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
}  // namespace signet::kernel_avx512
#endif
