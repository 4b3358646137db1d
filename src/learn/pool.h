#pragma once

#include "learn/torch.h"

namespace signet {

// The greatest of each 2 x 2 pixels: (n, c, h, w) to (n, c, h / 2, w / 2), a last odd row or column left out; equal to
// at::max_pool2d(x, 2) in value and gradient, bit for bit. Of equal pixels the first in rows takes the gradient; NaN is greatest.
//
// at::max_pool2d takes a fifth of a training step of the small network (bfloat16, channels last), most of it in the gradient: its
// places are 64-bit numbers and its gradient is scattered pixel by pixel. Here a place is a byte, and windows that do not overlap
// need no scattering: loops that the compiler turns into vector code.
//
// x: float32 or bfloat16, channels last in memory; another type, layout or device goes to at::max_pool2d. Differentiable; not
// twice.
at::Tensor fast_max_pool(const at::Tensor& x);

}  // namespace signet
