#pragma once

#include "learn/rival.h"

namespace signet {

// Losses over all pairs i != j of a batch. s = 1 where two images share a label, else 0; u = the network's outputs v; K bits.

// DSH, "Deep Supervised Hashing for Fast Image Retrieval" (Liu, Wang, Shan, Chen, CVPR 2016): a contrastive loss with
// margin m = 2 K and outputs pulled towards +-1 by a = 0.01:
//
//   1/K (s/2 ||u_i - u_j||^2 + (1 - s)/2 max(m - ||u_i - u_j||^2, 0) + a (|| |u_i| - 1 ||_1 + || |u_j| - 1 ||_1)),   mean over
//   pairs
//
// 1/K is ours: the paper's sum grows with the bits, and so would the steps; at 48 bits they undo what the first stage has
// learned.
at::Tensor dsh_loss(const RivalBatch& batch);

// DPSH, "Feature Learning based Deep Supervised Hashing with Pairwise Labels" (Li, Wang, Kang, IJCAI 2016): the
// negative log-likelihood of the similarities, t = u_i.u_j / 2, and eta = 0.1:
//
//   log(1 + e^t) - s t, mean over pairs,   + eta (u_k - sign(u_k))^2, mean over images and bits
//
// The paper sums both terms, ||u - sign(u)||^2 in the second, over the training set, where pairs outnumber images by thousands:
// it weighs next to nothing there. A mean over bits keeps it small at every length.
at::Tensor dpsh_loss(const RivalBatch& batch);

// HashNet, "HashNet: Deep Learning to Hash by Continuation" (Cao, Long, Wang, Yu, ICCV 2017): soft
// codes h = tanh(beta v), t = a h_i.h_j with a = 10 / K,
//
//   w_s (log(1 + e^t) - s t),   w_1 = |S| / |S_1|, w_0 = |S| / |S_0|: similar and dissimilar pairs weigh the same as groups
//
// and a beta that grows in stages. The authors' program has beta = sqrt(1 + 0.005 step), anew every 200 of 10,000 steps: here 50
// stages of equal length, beta_m = sqrt(1 + m), from 1 to 7, a function of batch.progress. S, S_1 and S_0 are the pairs of
// the batch, the similar and the dissimilar ones.
at::Tensor hashnet_loss(const RivalBatch& batch);

}  // namespace signet
