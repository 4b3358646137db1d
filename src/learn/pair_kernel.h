#pragma once

#include "learn/torch.h"

namespace signet {

// R2 for float32 on the CPU without a pass over memory per bit: the loop over bits runs inside a block of pairs that stays in
// cache. Same formulas as the tensor version in loss.cc, which the tests compare it with. Deterministic for a thread count, and
// in fact for any: every row is summed by one thread in a fixed order.
bool pair_kernel_runs(const at::Tensor& u);  // float32, on the CPU

// With p = sign_ij u_ik u_jk and q = (1 - p)/2 + half_ij (1 + p):
// sum_k log q, n x n; products of `group` factors are taken before each logarithm.
at::Tensor pair_kernel_log(const at::Tensor& u, const at::Tensor& sign, const at::Tensor& half, std::int64_t group);

// 2 sum_j weight_ij u_jk / q, n x K. weight is symmetric.
at::Tensor pair_kernel_gradient(const at::Tensor& u, const at::Tensor& weight, const at::Tensor& sign, const at::Tensor& half);

}  // namespace signet
