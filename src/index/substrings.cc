#include "index/substrings.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace signet {

Substring::Substring(std::span<const std::uint64_t> mask, std::size_t row) : mask_(mask.begin(), mask.end()) {
  for (std::size_t at = 0; at < row; ++at) {
    const auto wanted = static_cast<std::uint8_t>(mask_[at / 8] >> (8 * (at % 8)));
    if (wanted == 0) continue;
    Byte byte;
    byte.at = at;
    for (unsigned value = 0; value < 256; ++value) {
      unsigned to = bits_;
      for (unsigned k = 0; k < 8; ++k) {
        if (((wanted >> k) & 1) == 0) continue;
        byte.part[value] |= ((value >> k) & 1) << to;
        ++to;
      }
    }
    bits_ += static_cast<unsigned>(std::popcount(wanted));
    bytes_.push_back(byte);
  }
}

namespace {

// One column of the sample's bits, 64 codes a word.
std::vector<std::vector<std::uint64_t>> columns(const Rows& rows, std::span<const std::uint64_t> sample) {
  std::vector<std::vector<std::uint64_t>> bits(rows.bits(), std::vector<std::uint64_t>((sample.size() + 63) / 64));
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const std::uint8_t* code = rows.at(sample[i]);
    for (std::uint32_t k = 0; k < rows.bits(); ++k)
      bits[k][i / 64] |= static_cast<std::uint64_t>((code[k / 8] >> (k % 8)) & 1) << (i % 64);
  }
  return bits;
}

double entropy(double p) { return p <= 0 || p >= 1 ? 0 : -(p * std::log2(p) + (1 - p) * std::log2(1 - p)); }

float correlation(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b, double mean_a, double mean_b,
                  double count) {
  std::uint64_t both = 0;
  for (std::size_t w = 0; w < a.size(); ++w) both += static_cast<std::uint64_t>(std::popcount(a[w] & b[w]));
  const double variance = mean_a * (1 - mean_a) * mean_b * (1 - mean_b);
  if (variance <= 0) return 0;
  return static_cast<float>(std::abs(static_cast<double>(both) / count - mean_a * mean_b) / std::sqrt(variance));
}

}  // namespace

BitStatistics measure_bits(const Rows& rows, std::span<const std::uint64_t> sample) {
  BitStatistics statistics;
  const std::uint32_t bits = rows.bits();
  const double count = std::max<double>(static_cast<double>(sample.size()), 1);
  const auto column = columns(rows, sample);
  std::vector<double> mean(bits);
  for (std::uint32_t k = 0; k < bits; ++k) {
    std::uint64_t ones = 0;
    for (const std::uint64_t word : column[k]) ones += static_cast<std::uint64_t>(std::popcount(word));
    mean[k] = static_cast<double>(ones) / count;
    statistics.entropy.push_back(entropy(mean[k]));
  }
  if (bits > BitStatistics::kMaxCorrelated) return statistics;
  statistics.correlation.assign(bits, std::vector<float>(bits));
  for (std::uint32_t a = 0; a < bits; ++a) {
    for (std::uint32_t b = 0; b < a; ++b) {
      statistics.correlation[a][b] = statistics.correlation[b][a] = correlation(column[a], column[b], mean[a], mean[b], count);
    }
  }
  return statistics;
}

std::vector<Substring> choose_substrings(const Rows& rows, const BitStatistics& statistics, std::size_t tables, unsigned bits) {
  std::vector<std::uint32_t> order(rows.bits());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    // Coarse steps, so that noise of the sample does not shuffle bits that are alike.
    return std::lround(statistics.entropy[a] * 16) > std::lround(statistics.entropy[b] * 16);
  });
  const std::size_t words = row_words(rows.row());
  std::vector<std::vector<std::uint64_t>> masks(tables, std::vector<std::uint64_t>(words));
  std::vector<std::vector<std::uint32_t>> members(tables);
  const std::size_t used = std::min<std::size_t>(order.size(), tables * bits);
  for (std::size_t i = 0; i < used; ++i) {
    std::size_t best = tables;
    double best_score = 0;
    for (std::size_t t = 0; t < tables; ++t) {
      if (members[t].size() >= used / tables + (t < used % tables ? 1 : 0)) continue;
      double repeated = 0;  // correlation of squares: two bits that are the same say nothing twice
      if (!statistics.correlation.empty()) {
        for (const std::uint32_t other : members[t]) repeated += std::pow(statistics.correlation[order[i]][other], 2);
      }
      const double score = repeated + 1e-3 * static_cast<double>(members[t].size());
      if (best == tables || score < best_score) {
        best = t;
        best_score = score;
      }
    }
    members[best].push_back(order[i]);
    masks[best][order[i] / 64] |= std::uint64_t{1} << (order[i] % 64);
  }
  std::vector<Substring> substrings;
  for (std::size_t t = 0; t < tables; ++t) {
    if (!members[t].empty()) substrings.emplace_back(masks[t], rows.row());
  }
  return substrings;
}

}  // namespace signet
