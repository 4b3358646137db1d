#include "bench/hamming_data.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernel/kernels.h"
#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/base/thread_pool.h"

namespace signet::bench {
namespace {

// 64 bits that are each set with probability `share` (to 1/65536): the binary digits of the share, from the last, choose between
// AND and OR.
std::uint64_t biased_word(Random& random, double share) {
  const auto digits = static_cast<std::uint32_t>(share * 65536);
  std::uint64_t word = 0;
  for (int i = 0; i < 16; ++i) word = ((digits >> i) & 1) != 0 ? word | random.next() : word & random.next();
  return word;
}

void clear_padding(CodeMatrix& codes) {
  if (codes.bits() % 8 == 0) return;
  const auto used = static_cast<std::uint8_t>((1u << (codes.bits() % 8)) - 1);
  for (std::size_t i = 0; i < codes.size(); ++i) codes.row(i).back() &= used;
}

template <typename Fill>
CodeMatrix make(std::size_t count, std::uint32_t bits, std::uint64_t seed, const Fill& fill) {
  CodeMatrix codes(count, bits);
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i) fill(random, codes.row(i));
  clear_padding(codes);
  return codes;
}

void fill_random(Random& random, std::span<std::uint8_t> row) {
  for (std::size_t at = 0; at < row.size(); at += 8) {
    const std::uint64_t word = random.next();
    std::memcpy(row.data() + at, &word, std::min<std::size_t>(8, row.size() - at));
  }
}

// Reads everything, and does as little as possible with it: the widest loads there are, four at a time.
#if defined(__x86_64__)
__attribute__((target("avx512f"))) std::uint64_t read_wide(const std::uint64_t* p, std::size_t words) {
  __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
  for (std::size_t i = 0; i + 32 <= words; i += 32) {
    ask_ahead(reinterpret_cast<const std::uint8_t*>(p + i), 256);  // as the kernels do: without, this would read less than they
    a = _mm512_or_si512(a, _mm512_loadu_si512(p + i));
    b = _mm512_or_si512(b, _mm512_loadu_si512(p + i + 8));
    c = _mm512_or_si512(c, _mm512_loadu_si512(p + i + 16));
    d = _mm512_or_si512(d, _mm512_loadu_si512(p + i + 24));
  }
  std::uint64_t lanes[8];
  _mm512_storeu_si512(lanes, _mm512_or_si512(_mm512_or_si512(a, b), _mm512_or_si512(c, d)));
  return lanes[0] ^ lanes[7];
}
#endif

std::uint64_t read_all(const std::uint64_t* p, std::size_t words) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return read_wide(p, words);
#endif
  std::uint64_t lanes[8] = {};
  for (std::size_t i = 0; i + 8 <= words; i += 8) {
    ask_ahead(reinterpret_cast<const std::uint8_t*>(p + i), 64);
    for (std::size_t lane = 0; lane < 8; ++lane) lanes[lane] |= p[i + lane];
  }
  return lanes[0] ^ lanes[7];
}

}  // namespace

Data make_data(const std::string& kind, std::size_t count, std::size_t queries, std::uint32_t bits, std::uint64_t seed) {
  if (kind == "random") return {make(count, bits, seed, fill_random), make(queries, bits, seed + 1, fill_random)};
  if (kind != "clustered") fail(ErrorCode::kUsage, "data \"", kind, "\" does not exist; use random or clustered");
  const CodeMatrix centres = make(1000, bits, seed + 2, fill_random);
  const auto around = [&](Random& random, std::span<std::uint8_t> row) {
    const auto centre = centres.row(random.below(centres.size()));
    for (std::size_t at = 0; at < row.size(); at += 8) {
      const std::size_t size = std::min<std::size_t>(8, row.size() - at);
      std::uint64_t word = 0;
      std::memcpy(&word, centre.data() + at, size);
      word ^= biased_word(random, 0.12);
      std::memcpy(row.data() + at, &word, size);
    }
  };
  return {make(count, bits, seed, around), make(queries, bits, seed + 1, around)};
}

double read_rate(std::span<const std::uint8_t> memory, std::size_t threads) {
  const auto* words = reinterpret_cast<const std::uint64_t*>(memory.data());
  const std::size_t part_words = memory.size() / 8 / threads / 32 * 32;
  std::vector<std::uint64_t> sums(threads * 8);
  ThreadPool pool(threads);
  const auto start = std::chrono::steady_clock::now();
  pool.parallel_for(threads, 1, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t part = first; part < last; ++part) sums[part * 8] += read_all(words + part_words * part, part_words);
  });
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double rate = static_cast<double>(part_words * threads * 8) / seconds;
  return sums[0] == 12345 ? rate + 1 : rate;  // so that the sums are used
}

double read_bandwidth(std::size_t threads) {
  const std::vector<std::uint8_t> buffer(std::size_t{512} << 20, 1);
  double best = 0;
  for (int round = 0; round < 9; ++round) best = std::max(best, read_rate(buffer, threads));
  return best;
}

}  // namespace signet::bench
