#include "learn/matrix.h"

namespace signet {

using at::Tensor;

Tensor product_with_transposed(const Tensor& x, const Tensor& y) {
  if (!x.device().is_cpu() || x.scalar_type() == at::kBFloat16) return at::matmul(x, y.t());
  const Tensor filters = y.contiguous();
  return at::conv2d(x.reshape({x.size(0), x.size(1), 1, 1}), filters.reshape({y.size(0), y.size(1), 1, 1})).flatten(1);
}

Tensor orthogonalised(const Tensor& gradient, bool bfloat16) {
  constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315;
  Tensor x = gradient.flatten(1);
  const bool tall = x.size(0) > x.size(1);  // the smaller side decides the cost
  if (tall) x = x.t();
  x = (x.contiguous() / (x.norm() + 1e-7)).to(bfloat16 ? at::kBFloat16 : at::kFloat);
  for (int step = 0; step < 5; ++step) {
    const Tensor a = product_with_transposed(x, x),
                 factor = kB * a + kC * product_with_transposed(a, a);  // a is its own transpose
    x = kA * x + product_with_transposed(factor, x.t());
  }
  return (tall ? x.t() : x).to(at::kFloat).reshape(gradient.sizes());
}

}  // namespace signet
