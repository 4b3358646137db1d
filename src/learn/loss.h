#pragma once

#include <cstdint>
#include <span>

#include "learn/torch.h"
#include "signet/learn/train.h"

namespace signet {

// The exponentiated hashing loss over all pairs of a batch.
//
// Source: Mu & Liu, "Deep Hashing: A Joint Approach for Image Signature Learning" (AAAI 2017, arXiv 1608.03658). Its abstract
// names an "exponentiated hashing loss" and a "bilinear smooth approximation" of it but prints no formula; the readings below are
// ours (docs/method.md derives them). For codes h, h' in {-1,+1}^K, similarity y in [-1,1] and b = alpha / K:
//
//   exact  L  = exp(-b y h.h') = prod_k exp(-b y h_k h'_k)
//   R1     L1 = exp(-b y u.u')                                      kExpInner:   the exponent of the soft codes
//   R2     L2 = prod_k (cosh(b y) - sinh(b y) u_k u'_k)             kExpProduct: each factor is the chord of its exponential
//   through the
//                                                                   corners, so L2 is bilinear in every coordinate
//   R3     L3 = L(h,h') + sum_k W_k sinh(b y) (h_k h'_k - u_k u'_k) kExpBitwise: R2 by coordinates; W_k = prod_{m != k} exp(-b y
//   h_m h'_m)
//                                                                   at the signs h = sign(u), h' = sign(u') is a constant weight
//
// with u = tanh(v) in (-1,1). All three equal L at every binary code. R3's gradient in u_k is that of R2 with the other factors
// rounded to their signs. cosh(b y) - sinh(b y) p is the same for (b, y) and (b|y|, sign y): graded similarity needs no other
// formula.
//
// Cap: above log L = cap the loss goes on as its tangent in log L, exp(cap) (1 + log L - cap). It stays continuous with a
// continuous derivative, and no pair pulls more than exp(cap) times as hard as a pair at L = 1: a mislabelled pair cannot rule a
// batch. (R3: the weights W_k are cut at exp(cap), and so is the constant L(h,h').)
struct PairLossOptions {
  HashLoss reading = HashLoss::kExpProduct;
  double alpha = 6;
  double cap = 3;          // in log L; infinity: none
  bool equal_mass = true;  // similar (y > 0) and dissimilar (y < 0) pairs weigh 1/2 each as groups; false: every pair the same
};

PairLossOptions pair_loss_options(const TrainOptions& options);

// u: n x K soft codes, float32 or float64. similarity: n x n, symmetric, same type and device, values in [-1, 1]; the diagonal is
// not used. Returns the weighted mean over pairs, a scalar. Time O(n^2 K), memory O(n^2). Differentiable in u; not twice.
at::Tensor pair_loss(const at::Tensor& u, const at::Tensor& similarity, const PairLossOptions& options);

// Nested codes: the mean of pair_loss over the first `lengths[i]` coordinates, for each of them, and over all K. Each length has
// its own scale b = alpha / length, so that every beginning is trained exactly as a code of that length would be; a mean, so that
// the weight against other losses does not depend on how many lengths there are. Lengths in [1, K); none: pair_loss itself.
at::Tensor nested_pair_loss(const at::Tensor& u, const at::Tensor& similarity, const PairLossOptions& options,
                            std::span<const std::uint32_t> lengths);

// log L~ of every pair before the cap, n x n, without gradient: what the loss is made of, for tests and diagnosis.
at::Tensor pair_log_loss(const at::Tensor& u, const at::Tensor& similarity, const PairLossOptions& options);

// The weight of every pair, n x n: zero on the diagonal, total 1 (0 where there is no pair at all). Pairs with y = 0 have no
// gradient and, under equal_mass, no weight.
at::Tensor pair_weights(const at::Tensor& similarity, bool equal_mass);

}  // namespace signet
