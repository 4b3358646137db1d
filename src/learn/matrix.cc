#include "learn/matrix.h"

namespace signet {

using at::Tensor;

Tensor product_with_transposed(const Tensor& x, const Tensor& y) {
  if (!x.device().is_cpu()) return at::matmul(x, y.t());
  return at::conv2d(x.reshape({x.size(0), x.size(1), 1, 1}), y.reshape({y.size(0), y.size(1), 1, 1})).flatten(1);
}

Tensor orthogonalised(const Tensor& gradient) {
  constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315;
  Tensor x = gradient.flatten(1);
  const bool tall = x.size(0) > x.size(1);  // the smaller side decides the cost
  if (tall) x = x.t();
  x = x.contiguous() / (x.norm() + 1e-7);
  for (int step = 0; step < 5; ++step) {
    const Tensor a = product_with_transposed(x, x),
                 factor = kB * a + kC * product_with_transposed(a, a);  // a is its own transpose
    x = kA * x + product_with_transposed(factor, x.t().contiguous());
  }
  return (tall ? x.t() : x).reshape(gradient.sizes());
}

}  // namespace signet
