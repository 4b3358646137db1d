#include "learn/optimizer.h"

namespace signet {
namespace {

bool trained(const Parameter& p) { return p.role == Role::kWeight || p.role == Role::kNormShift; }

}  // namespace

Optimizer::Optimizer(HashNetwork& network) : network_(network) {
  for (const Parameter& p : network.parameters()) {
    if (trained(p)) momentum_.push_back(at::zeros_like(p.value).detach());
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
    if (!trained(p)) continue;
    at::Tensor& momentum = momentum_[i++];
    at::Tensor& gradient = p.value.mutable_grad();
    if (!gradient.defined()) continue;
    const bool shift = p.role == Role::kNormShift;
    gradient.add_(p.value, shift ? rates.shifts_decay : rates.weights_decay);
    momentum.mul_(rates.momentum).add_(gradient);
    p.value.add_(gradient.add_(momentum, rates.momentum), -(shift ? rates.shifts : rates.weights));
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
