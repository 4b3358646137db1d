#pragma once

#include "learn/torch.h"

namespace signet {

// Convolution with 3 x 3 filters, stride 1, a border of one zero: x (n, c, h, w), weight (o, c, 3, 3) to (n, o, h, w); equal to
// at::conv2d(x, weight, {}, 1, 1) but for rounding.
//
// Winograd's minimal filtering F(4 x 4, 3 x 3) (Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2016): a tile
// of 4 x 4 outputs takes 36 multiplications a pair of channels in place of 144, as 36 matrix products over many tiles. oneDNN has
// it for AVX-512 alone, and libtorch never asks for it. The error is some 1e-5 of the largest output; an infinity makes NaN of
// its tile.
//
// x: float32, channels last in memory, on a CPU; c and o multiples of 8; anything else, and images so small that most of a tile
// is border, goes to at::conv2d. Differentiable; not twice. Values and gradients are the same for the same number of
// threads and the same images together; otherwise last digits differ.
at::Tensor winograd_conv3x3(const at::Tensor& x, const at::Tensor& weight);

}  // namespace signet
