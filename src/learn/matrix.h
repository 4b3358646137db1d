#pragma once

#include "learn/torch.h"

namespace signet {

// x y' of two matrices with rows of one length. On a CPU by a 1x1 convolution: oneDNN does it, where a matrix product would go to
// the BLAS that libtorch was linked with (Debian's default is the reference one, many times slower).
at::Tensor product_with_transposed(const at::Tensor& x, const at::Tensor& y);

// U V' of the singular value decomposition U S V' of a weight's gradient, read as a matrix of its first dimension by all others;
// nearly: every singular value that is not tiny ends between 0.6 and 1.3. Five Newton-Schulz steps X <- a X + (b A + c A A) X, A
// = X X', from X of unit Frobenius norm, with a, b, c = 3.4445, -4.7750, 2.0315, which are chosen for speed and not for an exact
// limit (K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024). A gradient of zero stays zero.
at::Tensor orthogonalised(const at::Tensor& gradient);

}  // namespace signet
