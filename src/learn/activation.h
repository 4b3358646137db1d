#pragma once

#include "learn/torch.h"

namespace signet {

// GELU (Hendrycks & Gimpel 2016): x Phi(x), Phi the normal distribution function; gradient Phi(x) + x exp(-x^2/2) / sqrt(2 pi).
//
// at::gelu spends a sixth of a training step of the small network in erf. Here Phi and its derivative share one exponential
// (Abramowitz & Stegun 7.1.26, |error of Phi| below 1e-7: of the size of float32's rounding), in loops that the compiler turns
// into vector code.
//
// x: float32 or bfloat16, any shape and strides; another type or device goes to at::gelu. Differentiable; not twice.
at::Tensor fast_gelu(const at::Tensor& x);

}  // namespace signet
