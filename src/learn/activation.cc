#include "learn/activation.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "learn/clones.h"
#include "learn/element.h"

namespace signet {
namespace {

using at::Tensor;

// exp(-z) for z >= 0, relative error below 2e-7: 2^n by the exponent's bits, 2^f with |f| <= 1/2 by its Taylor series. z is cut
// at 87 as an integer (positive floats are ordered like their bits): loops with a branch on floats are not vectorised.
inline float exp_minus(float z) {
  constexpr auto kMost = std::bit_cast<std::int32_t>(87.0f);
  const float cut = std::bit_cast<float>(std::min(std::bit_cast<std::int32_t>(z), kMost)), scaled = cut * -1.44269504f;
  const auto n = static_cast<std::int32_t>(scaled - 0.5f);  // truncation rounds to nearest, as scaled <= 0
  const float f = scaled - static_cast<float>(n);
  float p = 1.5403530e-4f;
  p = p * f + 1.3333558e-3f;
  p = p * f + 9.6181291e-3f;
  p = p * f + 5.5504109e-2f;
  p = p * f + 2.4022651e-1f;
  p = p * f + 6.9314718e-1f;
  p = p * f + 1.0f;
  return p * std::bit_cast<float>((n + 127) << 23);
}

struct Normal {
  float below, bell;  // Phi(x), exp(-x^2/2)
};

inline Normal normal(float x) {
  const float bell = exp_minus(0.5f * x * x), t = 1 / (1 + 0.3275911f * 0.70710678f * std::fabs(x));
  const float tail =
      0.5f * bell * t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  return {0.5f + std::copysign(0.5f - tail, x), bell};  // 1 - tail or tail
}

template <typename T>
inline void forward_loop(const T* __restrict x, T* __restrict y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float v = load(x[i]);
    store(v * normal(v).below, y[i]);
  }
}

template <typename T>
inline void backward_loop(const T* __restrict x, const T* __restrict gradient, T* __restrict target, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float v = load(x[i]);
    const Normal n = normal(v);
    store(load(gradient[i]) * (n.below + v * n.bell * 0.39894228f), target[i]);
  }
}

SIGNET_CLONES void forward(const float* x, float* y, std::int64_t count) { forward_loop(x, y, count); }
SIGNET_CLONES void forward(const std::uint16_t* x, std::uint16_t* y, std::int64_t count) { forward_loop(x, y, count); }
SIGNET_CLONES void backward(const float* x, const float* g, float* out, std::int64_t count) { backward_loop(x, g, out, count); }
SIGNET_CLONES void backward(const std::uint16_t* x, const std::uint16_t* g, std::uint16_t* out, std::int64_t count) {
  backward_loop(x, g, out, count);
}

template <typename T>
void forward_all(const Tensor& x, const Tensor& y) {
  at::parallel_for(0, x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    forward(data<const T>(x) + begin, data<T>(y) + begin, end - begin);
  });
}

template <typename T>
void backward_all(const Tensor& x, const Tensor& gradient, const Tensor& target) {
  at::parallel_for(0, x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    backward(data<const T>(x) + begin, data<const T>(gradient) + begin, data<T>(target) + begin, end - begin);
  });
}

// The same elements at the same places in memory as `like` (which is dense): the loops run over memory, whatever the shape.
Tensor laid_out_like(const Tensor& x, const Tensor& like) {
  return x.strides() == like.strides() ? x : at::empty_like(like).copy_(x);
}

struct Gelu : torch::autograd::Function<Gelu> {
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& input) {
    const Tensor x = input.is_non_overlapping_and_dense() ? input : input.contiguous();
    context->save_for_backward({x});
    Tensor y = at::empty_like(x);
    x.scalar_type() == at::kFloat ? forward_all<float>(x, y) : forward_all<std::uint16_t>(x, y);
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list outputs) {
    const Tensor x = context->get_saved_variables()[0], gradient = laid_out_like(outputs[0], x);
    Tensor result = at::empty_like(x);
    x.scalar_type() == at::kFloat ? backward_all<float>(x, gradient, result) : backward_all<std::uint16_t>(x, gradient, result);
    return {result};
  }
};

}  // namespace

Tensor fast_gelu(const Tensor& x) { return has_our_elements(x) ? Gelu::apply(x) : at::gelu(x); }

}  // namespace signet
