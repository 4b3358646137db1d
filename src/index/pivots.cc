#include "index/pivots.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "signet/base/random.h"

namespace signet {
namespace {

constexpr std::size_t kCodesTogether = 64;   // that pass over the pivots together
constexpr std::size_t kChunk = 512;          // pivots at once, so that bounds tighten while they are passed
constexpr std::size_t kSamplePerPivot = 16;  // enough for a majority that the noise of a group does not shake
constexpr std::size_t kMinSample = 8192;
constexpr int kRounds = 3;                        // of moving the pivots
constexpr double kPower = 6;                      // of the distance, in drawing seeds
constexpr double kPivotNs = 0.25, kRangeNs = 40;  // a pivot's distance and test, for a code of one word; going to a cell

// A sample of the codes, side by side.
struct Sample {
  std::size_t count = 0, row = 0;
  std::vector<std::uint64_t> words;
  std::uint8_t* data() noexcept { return reinterpret_cast<std::uint8_t*>(words.data()); }
  const std::uint8_t* at(std::size_t i) const noexcept { return reinterpret_cast<const std::uint8_t*>(words.data()) + i * row; }
};

Sample take_sample(const Rows& rows, std::size_t count, Random& random) {
  Sample sample{std::min(count, rows.size()), rows.row(), {}};
  sample.words.resize((sample.count * sample.row + 7) / 8);
  for (std::size_t i = 0; i < sample.count; ++i) {
    const std::uint64_t position = sample.count == rows.size() ? i : random.below(rows.size());
    std::memcpy(sample.data() + i * sample.row, rows.at(position), sample.row);
  }
  return sample;
}

Pivots make_pivots(std::size_t count, std::size_t row) { return {count, row, std::vector<std::uint64_t>((count * row + 7) / 8)}; }

std::uint8_t* row_of(Pivots& pivots, std::size_t i) {
  return reinterpret_cast<std::uint8_t*>(pivots.words.data()) + i * pivots.row;
}

Pivots first_of(const Pivots& pivots, std::size_t count) {
  Pivots some = make_pivots(count, pivots.row);
  std::memcpy(some.words.data(), pivots.data(), count * pivots.row);
  return some;
}

// Draws seeds; fewer than `count` where every code of the sample is a seed already. Codes are counted by their distance to the
// nearest seed, so a draw first picks the distance and then one of the codes there.
Pivots draw_seeds(const Sample& sample, std::size_t count, Random& random) {
  Pivots seeds = make_pivots(count, sample.row);
  const std::size_t largest = 8 * sample.row;
  std::vector<double> weight(largest + 1);
  for (std::size_t d = 0; d <= largest; ++d) weight[d] = std::pow(static_cast<double>(d), kPower);
  std::vector<std::uint16_t> best(sample.count, static_cast<std::uint16_t>(largest)), distances(sample.count);
  std::vector<std::size_t> at_distance(largest + 1);
  at_distance[largest] = sample.count;
  for (std::size_t seed = 0; seed < count; ++seed) {
    double total = 0;
    for (std::size_t d = 1; d <= largest; ++d) total += weight[d] * static_cast<double>(at_distance[d]);
    if (total <= 0) return first_of(seeds, seed);
    double left = random.uniform() * total;
    std::size_t chosen = largest;
    for (std::size_t d = 1; d <= largest; ++d) {
      if (at_distance[d] == 0) continue;
      chosen = d;
      left -= weight[d] * static_cast<double>(at_distance[d]);
      if (left < 0) break;
    }
    std::size_t nth = static_cast<std::size_t>(random.below(at_distance[chosen])), at = 0;
    while (best[at] != chosen || nth-- != 0) ++at;
    std::memcpy(row_of(seeds, seed), sample.at(at), sample.row);
    hamming_kernel().scan(sample.at(at), sample.at(0), sample.count, sample.row, distances.data());
    for (std::size_t i = 0; i < sample.count; ++i) {
      if (distances[i] >= best[i]) continue;
      --at_distance[best[i]];
      ++at_distance[distances[i]];
      best[i] = distances[i];
    }
  }
  return seeds;
}

std::vector<Nearest> assign(const Sample& sample, const Pivots& pivots, ThreadPool& pool) {
  std::vector<Nearest> nearest(sample.count);
  pool.parallel_for(sample.count, 4096, [&](std::size_t begin, std::size_t end, std::size_t) {
    find_nearest(sample.at(begin), end - begin, pivots, nearest.data() + begin);
  });
  return nearest;
}

// Each pivot becomes the bitwise majority of its codes; where they are even, and where it has none, it stays as it is.
void move_pivots(const Sample& sample, const std::vector<Nearest>& nearest, Pivots& pivots) {
  const std::size_t bits = 8 * sample.row;
  std::vector<std::uint32_t> ones(pivots.count * bits), members(pivots.count);
  for (std::size_t i = 0; i < sample.count; ++i) {
    ++members[nearest[i].pivot];
    std::uint32_t* counts = ones.data() + nearest[i].pivot * bits;
    for (std::size_t word = 0; word < row_words(sample.row); ++word) {
      for (std::uint64_t left = row_word(sample.at(i), sample.row, word); left != 0; left &= left - 1)
        ++counts[64 * word + static_cast<std::size_t>(std::countr_zero(left))];
    }
  }
  for (std::size_t p = 0; p < pivots.count; ++p) {
    for (std::size_t bit = 0; bit < bits; ++bit) {
      const std::uint32_t twice = 2 * ones[p * bits + bit];
      const auto mask = static_cast<std::uint8_t>(1u << (bit % 8));
      std::uint8_t& byte = row_of(pivots, p)[bit / 8];
      if (twice > members[p]) byte |= mask;
      if (twice < members[p]) byte &= static_cast<std::uint8_t>(~mask);
    }
  }
}

void drop_empty(const std::vector<Nearest>& nearest, Pivots& pivots) {
  std::vector<bool> used(pivots.count);
  for (const Nearest& one : nearest) used[one.pivot] = true;
  std::size_t kept = 0;
  for (std::size_t p = 0; p < pivots.count; ++p) {
    if (used[p]) std::memmove(row_of(pivots, kept++), pivots.at(p), pivots.row);
  }
  pivots = first_of(pivots, kept);
}

// What a search for the ten nearest of the sample's queries will read (pivot_search.cc): all of the nearest pivot's cell, and of
// every cell the codes whose distance to the pivot is as the query's up to the tenth distance.
void estimate(const Rows& rows, const MihSample& asked, const Sample& sample, double code_ns, ThreadPool& pool, PivotPlan& plan) {
  const std::vector<Nearest> nearest = assign(sample, plan.pivots, pool);
  std::vector<std::uint16_t> distances(plan.pivots.count);
  double codes = 0, ranges = 0;
  std::vector<std::uint8_t> visited(plan.pivots.count);
  for (std::size_t q = 0; q < asked.queries.size(); ++q) {
    hamming_kernel().scan(rows.at(asked.queries[q]), plan.pivots.data(), plan.pivots.count, plan.pivots.row, distances.data());
    const auto own = static_cast<std::size_t>(std::min_element(distances.begin(), distances.end()) - distances.begin());
    std::fill(visited.begin(), visited.end(), std::uint8_t{0});
    for (const Nearest& one : nearest) {
      const int gap = std::abs(static_cast<int>(distances[one.pivot]) - static_cast<int>(one.distance));
      if (one.pivot != own && gap > static_cast<int>(asked.tenth[q])) continue;
      visited[one.pivot] = 1;
      codes += 1;
    }
    ranges += static_cast<double>(std::count(visited.begin(), visited.end(), 1));
  }
  const double queries = static_cast<double>(std::max<std::size_t>(asked.queries.size(), 1));
  const double words = static_cast<double>(row_words(rows.row()));
  plan.codes = codes / queries * static_cast<double>(rows.size()) / static_cast<double>(std::max<std::size_t>(sample.count, 1));
  plan.ns = static_cast<double>(plan.pivots.count) * kPivotNs * words + plan.codes * code_ns + ranges / queries * kRangeNs;
}

std::vector<std::size_t> numbers_to_try(const Rows& rows, std::size_t forced) {
  if (forced != 0) return {std::clamp<std::size_t>(forced, 1, std::min(Pivots::kMost, rows.size()))};
  // Beyond 8 sqrt(n) the pivots cost more than they save; and their distances have to stay in the first caches.
  const double most = std::min({8 * std::sqrt(static_cast<double>(rows.size())), static_cast<double>(Pivots::kMost),
                                262144.0 / static_cast<double>(rows.row())});
  std::vector<std::size_t> numbers;
  for (std::size_t count = 16; static_cast<double>(count) <= most; count *= 2) numbers.push_back(count);
  if (numbers.empty()) numbers.push_back(std::min<std::size_t>(16, rows.size()));
  return numbers;
}

}  // namespace

// Codes are the kernel's queries and pivots its codes: then one pass keeps pivots in registers while 64 codes go by, and reports
// only pivots that are nearer than those before, of which there are about log(count) a code.
void find_nearest(const std::uint8_t* codes, std::size_t count, const Pivots& pivots, Nearest* nearest) {
  const HammingKernel& kernel = hamming_kernel();
  const auto hits = std::make_unique_for_overwrite<KernelHit[]>(kCodesTogether * kChunk);
  std::array<std::uint16_t, kCodesTogether> bounds;
  for (std::size_t first = 0; first < count; first += kCodesTogether) {
    const std::size_t together = std::min(kCodesTogether, count - first);
    bounds.fill(std::numeric_limits<std::uint16_t>::max());
    std::size_t size = 16;
    for (std::size_t at = 0; at < pivots.count; at += size, size = std::min(2 * size, kChunk)) {
      size = std::min(size, pivots.count - at);
      const std::size_t found =
          kernel.select(codes + first * pivots.row, together, pivots.at(at), size, pivots.row, bounds.data(), hits.get());
      for (std::size_t h = 0; h < found; ++h) {
        const KernelHit& hit = hits[h];
        if (hit.distance >= bounds[hit.query]) continue;
        bounds[hit.query] = hit.distance;
        nearest[first + hit.query] = {static_cast<std::uint16_t>(at + hit.position), hit.distance};
      }
    }
  }
}

PivotPlan plan_pivots(const Rows& rows, const MihSample& sample, double code_ns, std::uint64_t seed, ThreadPool& pool,
                      std::size_t count) {
  PivotPlan best;
  best.ns = std::numeric_limits<double>::infinity();
  if (rows.size() == 0) return best;
  Random random(mix_seed(seed, 0x7069766f74));
  const std::vector<std::size_t> numbers = numbers_to_try(rows, count);
  const Sample codes = take_sample(rows, std::max(kMinSample, kSamplePerPivot * numbers.back()), random);
  const Pivots seeds = draw_seeds(codes, std::min(numbers.back(), codes.count), random);
  for (const std::size_t number : numbers) {
    PivotPlan plan;
    plan.pivots = first_of(seeds, std::max<std::size_t>(std::min(number, seeds.count), 1));
    for (int round = 0; round < kRounds; ++round) move_pivots(codes, assign(codes, plan.pivots, pool), plan.pivots);
    drop_empty(assign(codes, plan.pivots, pool), plan.pivots);
    estimate(rows, sample, codes, code_ns, pool, plan);
    if (plan.ns > 1.5 * best.ns) break;  // more pivots only cost more from here on
    if (plan.ns < best.ns) best = std::move(plan);
  }
  return best;
}

}  // namespace signet
