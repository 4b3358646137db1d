#pragma once

#include "learn/torch.h"

namespace signet {

// R2 for float32 on the CPU without a pass over memory per bit: the loop over bits runs inside a block of pairs that stays in
// cache. Same formulas as the tensor version in loss.cc, which the tests compare it with. Deterministic for a thread count, and
// in fact for any: every row is summed by one thread in a fixed order.
bool pair_kernel_runs(const at::Tensor& u);  // float32, on the CPU

// sum_k log(constant - factor u_k u'_k), n x n; products of `group` factors are taken before each logarithm.
at::Tensor pair_kernel_log(const at::Tensor& u, const at::Tensor& constant, const at::Tensor& factor, std::int64_t group);

// -2 sum_j weight_ij factor_ij u_jk / (constant_ij - factor_ij u_ik u_jk), n x K. weight is symmetric.
at::Tensor pair_kernel_gradient(const at::Tensor& u, const at::Tensor& weight, const at::Tensor& constant,
                                const at::Tensor& factor);

}  // namespace signet
