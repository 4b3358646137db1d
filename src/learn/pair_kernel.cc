#include "learn/pair_kernel.h"

#include <algorithm>
#include <array>

#include "learn/clones.h"

namespace signet {
namespace {

constexpr std::int64_t kBlock = 256;  // pairs of one row at a time: five arrays of 1 KiB

// product *= q
SIGNET_CLONES void multiply_factor(float* __restrict product, const float* __restrict sign, const float* __restrict half,
                                   const float* __restrict column, float a, std::int64_t count) {
  for (std::int64_t j = 0; j < count; ++j) {
    const float p = sign[j] * a * column[j];
    product[j] *= 0.5f * (1 - p) + half[j] * (1 + p);
  }
}

// sum_j weight_j u_j / q_j, in 16 partial sums so that it vectorises in a fixed order.
SIGNET_CLONES float sum_quotients(const float* __restrict weight, const float* __restrict sign, const float* __restrict half,
                                  const float* __restrict column, float a, std::int64_t count) {
  float partial[16] = {};
  std::int64_t j = 0;
  for (; j + 16 <= count; j += 16) {
    for (std::int64_t lane = 0; lane < 16; ++lane) {
      const std::int64_t i = j + lane;
      const float p = sign[i] * a * column[i];
      partial[lane] += weight[i] * column[i] / (0.5f * (1 - p) + half[i] * (1 + p));
    }
  }
  for (; j < count; ++j) {
    const float p = sign[j] * a * column[j];
    partial[j % 16] += weight[j] * column[j] / (0.5f * (1 - p) + half[j] * (1 + p));
  }
  float sum = 0;
  for (const float value : partial) sum += value;
  return sum;
}

}  // namespace

bool pair_kernel_runs(const at::Tensor& u) { return u.scalar_type() == at::kFloat && u.device().is_cpu(); }

at::Tensor pair_kernel_log(const at::Tensor& u, const at::Tensor& sign, const at::Tensor& half, std::int64_t group) {
  const std::int64_t n = u.size(0), bits = u.size(1), groups = (bits + group - 1) / group;
  const at::Tensor columns = u.t().contiguous(), rows = u.contiguous();
  at::Tensor products = at::ones({groups, n, n}, sign.options());
  const float *column = columns.data_ptr<float>(), *row = rows.data_ptr<float>();
  const float *s = sign.data_ptr<float>(), *h = half.data_ptr<float>();
  float* product = products.data_ptr<float>();
  at::parallel_for(0, n, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t j = 0; j < n; j += kBlock) {
        for (std::int64_t k = 0; k < bits; ++k) {
          multiply_factor(product + ((k / group) * n + i) * n + j, s + i * n + j, h + i * n + j, column + k * n + j,
                          row[i * bits + k], std::min(kBlock, n - j));
        }
      }
    }
  });
  return groups == 1 ? products.select(0, 0).log_() : products.log_().sum(0);
}

at::Tensor pair_kernel_gradient(const at::Tensor& u, const at::Tensor& weight, const at::Tensor& sign, const at::Tensor& half) {
  const std::int64_t n = u.size(0), bits = u.size(1);
  const at::Tensor columns = u.t().contiguous(), rows = u.contiguous(), weights = weight.contiguous();
  at::Tensor gradient = at::zeros_like(rows);
  const float *column = columns.data_ptr<float>(), *row = rows.data_ptr<float>(), *w = weights.data_ptr<float>();
  const float *s = sign.data_ptr<float>(), *h = half.data_ptr<float>();
  float* target = gradient.data_ptr<float>();
  at::parallel_for(0, n, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t j = 0; j < n; j += kBlock) {
        const std::int64_t count = std::min(kBlock, n - j), at = i * n + j;
        for (std::int64_t k = 0; k < bits; ++k)
          target[i * bits + k] += 2 * sum_quotients(w + at, s + at, h + at, column + k * n + j, row[i * bits + k], count);
      }
    }
  });
  return gradient;
}

}  // namespace signet
