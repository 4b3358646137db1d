#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "eval/grouping.h"
#include "signet/base/error.h"
#include "signet/eval/metrics.h"

namespace signet {
namespace {

double entropy(double p) noexcept { return p <= 0 || p >= 1 ? 0 : -p * std::log2(p) - (1 - p) * std::log2(1 - p); }

// Bit columns of every `step`-th code, packed 64 codes a word, so that a pair of bits costs one AND and popcount per 64 codes.
struct Columns {
  std::size_t codes = 0, words = 0;
  std::vector<std::uint64_t> data;
  const std::uint64_t* column(std::size_t bit) const noexcept { return data.data() + bit * words; }

  Columns(const CodeMatrix& matrix, std::size_t step) : codes((matrix.size() + step - 1) / step), words((codes + 63) / 64) {
    data.resize(matrix.bits() * words);
    for (std::size_t i = 0; i < codes; ++i) {
      for (std::uint32_t k = 0; k < matrix.bits(); ++k) {
        data[k * words + i / 64] |= std::uint64_t{matrix.bit(i * step, k)} << (i % 64);
      }
    }
  }
};

std::uint64_t ones_of_both(const std::uint64_t* a, const std::uint64_t* b, std::size_t words) noexcept {
  std::uint64_t sum = 0;
  for (std::size_t w = 0; w < words; ++w) sum += static_cast<std::uint64_t>(std::popcount(a[w] & b[w]));
  return sum;
}

void add_correlations(const CodeMatrix& codes, CodeHealth& health) {
  // Up to kMaxCorrelationBits every code counts. Beyond, 2^16 evenly spaced codes do: |correlation| is then known to about 0.004.
  const std::uint32_t bits = codes.bits();
  const std::size_t step = bits <= kMaxCorrelationBits ? 1 : (codes.size() + 65535) / 65536;
  const Columns columns(codes, step);
  std::vector<double> ones(bits);
  for (std::uint32_t k = 0; k < bits; ++k) {
    ones[k] = static_cast<double>(ones_of_both(columns.column(k), columns.column(k), columns.words));
  }
  if (bits <= kMaxCorrelationBits) health.correlation.assign(std::size_t{bits} * bits, 0);
  const double n = static_cast<double>(columns.codes);
  double sum = 0;
  for (std::uint32_t a = 0; a < bits; ++a) {
    if (!health.correlation.empty()) health.correlation[std::size_t{a} * bits + a] = 1;
    for (std::uint32_t b = a + 1; b < bits; ++b) {
      const double variances = ones[a] * (n - ones[a]) * (ones[b] * (n - ones[b]));
      if (variances <= 0) continue;
      const double both = static_cast<double>(ones_of_both(columns.column(a), columns.column(b), columns.words));
      const double r = std::clamp((n * both - ones[a] * ones[b]) / std::sqrt(variances), -1.0, 1.0);
      health.max_correlation = std::max(health.max_correlation, std::abs(r));
      sum += std::abs(r);
      if (health.correlation.empty()) continue;
      health.correlation[std::size_t{a} * bits + b] = health.correlation[std::size_t{b} * bits + a] = r;
    }
  }
  if (bits > 1) health.mean_correlation = sum / (0.5 * bits * (bits - 1.0));
}

}  // namespace

CodeHealth code_health(const CodeMatrix& codes) {
  CodeHealth health;
  if (codes.size() == 0) return health;
  const double n = static_cast<double>(codes.size());
  std::vector<std::uint64_t> ones(codes.bits());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    for (std::uint32_t k = 0; k < codes.bits(); ++k) ones[k] += codes.bit(i, k);
  }
  for (const std::uint64_t count : ones) {
    health.bit_mean.push_back(static_cast<double>(count) / n);
    health.mean_entropy += entropy(health.bit_mean.back()) / static_cast<double>(ones.size());
  }
  add_correlations(codes, health);
  const std::vector<std::uint32_t> one_set(codes.size(), 0);
  const eval::CodeGroups groups = eval::group_codes(codes, one_set);
  health.distinct_codes = groups.size();
  health.largest_bucket = static_cast<double>(*std::max_element(groups.count.begin(), groups.count.end())) / n;
  return health;
}

CodeMatrix class_id_codes(std::span<const std::int32_t> classes, std::size_t class_count) {
  const std::uint32_t bits = class_count <= 2 ? 1 : static_cast<std::uint32_t>(std::bit_width(class_count - 1));
  CodeMatrix codes(classes.size(), bits);
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i] < 0 || static_cast<std::size_t>(classes[i]) >= class_count) {
      fail(ErrorCode::kInvalidArgument, "class ", classes[i], " of image ", i, " is outside 0 to ", class_count, " (exclusive)");
    }
    for (std::uint32_t k = 0; k < bits; ++k) {
      if ((static_cast<std::uint32_t>(classes[i]) >> k) & 1) codes.row(i)[k / 8] |= static_cast<std::uint8_t>(1u << (k % 8));
    }
  }
  return codes;
}

}  // namespace signet
