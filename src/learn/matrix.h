#pragma once

#include "learn/torch.h"

namespace signet {

// x y' of two matrices with rows of one length, both float32 or both bfloat16. On a CPU oneDNN does it: bfloat16 as a matrix
// product, float32 as a 1x1 convolution, because a product would go to the BLAS that libtorch was linked with (Debian's default
// is the reference one, many times slower).
at::Tensor product_with_transposed(const at::Tensor& x, const at::Tensor& y);

// U V' of the singular value decomposition U S V' of a weight's gradient, read as a matrix of its first dimension by all others;
// nearly: every singular value that is not tiny ends between 0.6 and 1.3. Five Newton-Schulz steps X <- a X + (b A + c A A) X, A
// = X X', from X of unit Frobenius norm, with a, b, c = 3.4445, -4.7750, 2.0315, which are chosen for speed and not for an exact
// limit (K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024). A gradient of zero stays zero.
// bfloat16: the steps multiply in it, an eighth of the time on a CPU that has it; what comes back is float32 either way.
at::Tensor orthogonalised(const at::Tensor& gradient, bool bfloat16 = false);

}  // namespace signet
