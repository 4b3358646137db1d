#include "learn/rival_pairs.h"

#include <cmath>

#include "learn/loss.h"

namespace signet {
namespace {

using at::Tensor;

// -log P(s | t) for P(1 | t) = 1 / (1 + e^-t), n x n.
Tensor pair_likelihood(const Tensor& t, const Tensor& similar) { return at::softplus(t) - similar * t; }

}  // namespace

Tensor dsh_loss(const RivalBatch& batch) {
  const auto bits = static_cast<double>(batch.outputs.size(1));
  const Tensor distance = squared_distances(batch.outputs);
  const Tensor pairs = batch.similar * distance + (1 - batch.similar) * (2 * bits - distance).clamp_min(0);
  return mean_over_pairs(pairs) / (2 * bits) + 0.01 * 2 * (batch.outputs.abs() - 1).abs().mean();
}

Tensor dpsh_loss(const RivalBatch& batch) {
  const Tensor t = at::matmul(batch.outputs, batch.outputs.t()) / 2;
  const Tensor quantisation = (batch.outputs - signs_of(batch.outputs)).square().mean();
  return mean_over_pairs(pair_likelihood(t, batch.similar)) + 0.1 * quantisation;
}

Tensor hashnet_loss(const RivalBatch& batch) {
  constexpr double kStages = 50;
  const double beta = std::sqrt(1 + std::floor(kStages * batch.progress));
  const Tensor h = (batch.outputs * beta).tanh();
  const Tensor t = at::matmul(h, h.t()) * (10 / static_cast<double>(h.size(1)));
  const Tensor weights = pair_weights(2 * batch.similar - 1, true);  // 1/2 a group
  return 2 * (weights * pair_likelihood(t, batch.similar)).sum();
}

}  // namespace signet
