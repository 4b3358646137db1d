#include "eval/dot_products.h"

#include <cmath>
#include <cstring>

#include "signet/base/cpu.h"

namespace signet::eval {
namespace {

// 32 sums of one query. With a vector type the compiler keeps the 6 x 32 sums of a tile in registers: 12 of 32 with AVX-512.
using Lanes = float __attribute__((vector_size(64)));
constexpr std::size_t kLaneCount = sizeof(Lanes) / sizeof(float);
constexpr std::size_t kTileRows = 6;
constexpr std::size_t kLanesPerPanel = kDotColumns / kLaneCount;

// One tile: kRows queries against one panel. The body is compiled once for each instruction set below.
template <std::size_t kRows>
[[gnu::always_inline]] inline void tile(const float* queries, const float* panel, std::size_t size, float* scores,
                                        std::size_t stride) {
  Lanes sums[kRows][kLanesPerPanel] = {};
  for (std::size_t k = 0; k < size; ++k) {
    Lanes column[kLanesPerPanel];
    std::memcpy(column, panel + k * kDotColumns, sizeof(column));
    for (std::size_t r = 0; r < kRows; ++r) {
      const float q = queries[r * size + k];
      for (std::size_t l = 0; l < kLanesPerPanel; ++l) sums[r][l] += q * column[l];
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) std::memcpy(scores + r * stride, sums[r], sizeof(sums[r]));
}

[[gnu::always_inline]] inline void all_tiles(const float* queries, std::size_t rows, const float* panels, std::size_t panel_count,
                                             std::size_t size, float* scores, std::size_t stride) {
  for (std::size_t p = 0; p < panel_count; ++p) {  // a panel stays in the cache while all queries pass over it
    const float* panel = panels + p * size * kDotColumns;
    float* out = scores + p * kDotColumns;
    std::size_t r = 0;
    for (; r + kTileRows <= rows; r += kTileRows) tile<kTileRows>(queries + r * size, panel, size, out + r * stride, stride);
    for (; r < rows; ++r) tile<1>(queries + r * size, panel, size, out + r * stride, stride);
  }
}

using Fn = void (*)(const float*, std::size_t, const float*, std::size_t, std::size_t, float*, std::size_t);

void portable(const float* q, std::size_t rows, const float* p, std::size_t n, std::size_t size, float* s, std::size_t stride) {
  all_tiles(q, rows, p, n, size, s, stride);
}

#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] void avx2(const float* q, std::size_t rows, const float* p, std::size_t n, std::size_t size, float* s,
                                      std::size_t stride) {
  all_tiles(q, rows, p, n, size, s, stride);
}

[[gnu::target("avx512f,avx512vl,fma")]] void avx512(const float* q, std::size_t rows, const float* p, std::size_t n,
                                                    std::size_t size, float* s, std::size_t stride) {
  all_tiles(q, rows, p, n, size, s, stride);
}
#endif

Fn choose() noexcept {
#if defined(__x86_64__)
  const CpuFeatures& cpu = cpu_features();
  if (cpu.avx512f && cpu.avx512vl) return avx512;
  if (cpu.avx2 && __builtin_cpu_supports("fma")) return avx2;
#endif
  return portable;
}

}  // namespace

std::vector<float> pack_panels(std::span<const float> rows, std::size_t size) {
  const std::size_t n = rows.size() / size, panels = (n + kDotColumns - 1) / kDotColumns;
  std::vector<float> packed(panels * kDotColumns * size);
  for (std::size_t i = 0; i < n; ++i) {
    float* panel = packed.data() + (i / kDotColumns) * kDotColumns * size + i % kDotColumns;
    for (std::size_t k = 0; k < size; ++k) panel[k * kDotColumns] = rows[i * size + k];
  }
  return packed;
}

void dot_products(const float* queries, std::size_t rows, const std::vector<float>& panels, std::size_t size, float* scores,
                  std::size_t stride) {
  choose()(queries, rows, panels.data(), panels.size() / (size * kDotColumns), size, scores, stride);
}

std::vector<float> normalised(std::span<const float> rows, std::size_t size) {
  std::vector<float> out(rows.begin(), rows.end());
  for (std::size_t begin = 0; begin < out.size(); begin += size) {
    double sum = 0;
    for (std::size_t k = begin; k < begin + size; ++k) sum += static_cast<double>(out[k]) * static_cast<double>(out[k]);
    if (sum == 0) continue;
    const double scale = 1 / std::sqrt(sum);
    for (std::size_t k = begin; k < begin + size; ++k) out[k] = static_cast<float>(static_cast<double>(out[k]) * scale);
  }
  return out;
}

}  // namespace signet::eval
