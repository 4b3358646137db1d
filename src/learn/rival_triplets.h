#pragma once

#include "learn/rival.h"

namespace signet {

// Losses over triplets: an image q, an image p that shares a label with it, and an image n that shares none. A batch is dealt out
// to parts of at most kTripletPart images, about the size of a batch in both papers, and all triplets of each part take part: of
// a whole batch of 500 images in ten classes there are eleven million. The mean is over all triplets; 0 where there is none.
inline constexpr std::int64_t kTripletPart = 128;

// NINH, "Simultaneous Feature Learning and Hash Coding with Deep Neural Networks" (Lai, Pan, Liu, Yan, CVPR 2015):
// soft codes b in (0,1)^K,
//
//   max(0, 1 - ||b_q - b_n||^2 + ||b_q - b_p||^2)
//
// Changed: the paper's network divides its features into K slices, one a bit ("divide-and-encode"), and cuts b to 0 or 1 outside
// of a band around 1/2. Here all bits see all features, as for every method in the comparison, and b = (1 + tanh v) / 2 =
// sigmoid(2 v).
at::Tensor ninh_loss(const RivalBatch& batch);

// DTSH, "Deep Supervised Hashing with Triplet Labels" (Wang, Shi, Kitani, ACCV 2016): t_ij = u_i.u_j / 2, u = v,
// margin a = K / 2, lambda = 1:
//
//   -log sigmoid(t_qp - t_qn - a), mean over triplets,   + lambda (u_k - sign(u_k))^2, mean over images and bits
//
// Sums in the paper, as in DPSH (rival_pairs.h), and a mean over bits for the same reason.
at::Tensor dtsh_loss(const RivalBatch& batch);

}  // namespace signet
