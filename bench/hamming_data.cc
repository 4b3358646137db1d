#include "bench/hamming_data.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <vector>

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

double read_bandwidth(std::size_t threads) {
  const std::size_t words = std::size_t{32} << 20;  // 256 MiB
  std::vector<std::uint64_t> buffer(words, 1);
  std::vector<std::uint64_t> sums(threads * 8);
  ThreadPool pool(threads);
  double best = 0;
  for (int round = 0; round < 7; ++round) {
    const auto start = std::chrono::steady_clock::now();
    pool.parallel_for(threads, 1, [&](std::size_t first, std::size_t last, std::size_t) {
      for (std::size_t part = first; part < last; ++part) {
        const std::uint64_t* p = buffer.data() + words / threads * part;
        std::uint64_t lanes[64] = {};
        for (std::size_t i = 0; i + 64 <= words / threads; i += 64) {
          for (std::size_t lane = 0; lane < 64; ++lane) lanes[lane] ^= p[i + lane];
        }
        for (const std::uint64_t lane : lanes) sums[part * 8] ^= lane;
      }
    });
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, static_cast<double>(words * 8) / seconds);
  }
  if (sums[0] == 12345) buffer[0] = 2;  // so that the sums are used
  return best;
}

}  // namespace signet::bench
