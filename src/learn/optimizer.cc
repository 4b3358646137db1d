#include "learn/optimizer.h"

#include <cmath>

#include "learn/matrix.h"

namespace signet {
namespace {

// Muon as airbench has it (K. Jordan 2024): the filter is brought back to rows of unit mean square, then moves by the
// orthogonalised Nesterov momentum.
void step_filter(at::Tensor& filter, const at::Tensor& momentum, double rate, bool bfloat16) {
  filter.mul_(std::sqrt(static_cast<double>(filter.size(0))) / filter.norm().clamp_min(1e-12));
  filter.add_(orthogonalised(momentum, bfloat16), -rate);
}

}  // namespace

Optimizer::Optimizer(HashNetwork& network, bool bfloat16) : network_(network), bfloat16_(bfloat16) {
  for (const Parameter& p : network.parameters()) {
    if (is_trained(p.role)) momentum_.push_back(at::zeros_like(p.value).detach());
    if (p.role != Role::kFrozen) averages_.push_back(p.value.detach().clone());
  }
}

void Optimizer::start_stage() {
  const at::NoGradGuard no_gradient;
  for (at::Tensor& m : momentum_) m.zero_();
  average(0);
}

void Optimizer::step(const Rates& rates) {
  const at::NoGradGuard no_gradient;
  std::size_t i = 0;
  for (Parameter& p : network_.parameters()) {
    if (!is_trained(p.role)) continue;
    at::Tensor& momentum = momentum_[i++];
    at::Tensor& gradient = p.value.mutable_grad();
    if (!gradient.defined()) continue;
    const bool shift = p.role == Role::kNormShift, muon = p.role == Role::kFilter && rates.filters > 0;
    if (!muon) gradient.add_(p.value, shift ? rates.shifts_decay : rates.weights_decay);
    momentum.mul_(rates.momentum).add_(gradient);
    gradient.add_(momentum, rates.momentum);  // Nesterov
    if (muon)
      step_filter(p.value, gradient, rates.filters, bfloat16_);
    else
      p.value.add_(gradient, -(shift ? rates.shifts : rates.weights));
    gradient = at::Tensor();
  }
}

void Optimizer::average(double keep) {
  const at::NoGradGuard no_gradient;
  std::size_t i = 0;
  for (Parameter& p : network_.parameters()) {
    if (p.role == Role::kFrozen) continue;
    at::Tensor& average = averages_[i++];
    average.lerp_(p.value, 1 - keep);
    p.value.copy_(average);
  }
}

}  // namespace signet
