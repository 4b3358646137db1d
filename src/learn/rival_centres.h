#pragma once

#include "learn/rival.h"

namespace signet {

// Losses towards codes that are fixed before training (target_codes.h): t = the target code of an image, o_c the centre of class
// c, v the network's outputs; K bits.

// CNNH, "Supervised Hashing for Image Retrieval via Image Representation Learning" (Xia, Pan, Lai, Liu, Yan, AAAI 2014): codes of
// the training images by coordinate descent (descent_codes), which the network then learns,
//
//   (tanh(v_k) - t_k)^2,   mean over images and bits
//
// without the class labels as further targets that make it CNNH+.
at::Tensor cnnh_loss(const RivalBatch& batch);

// CSQ, "Central Similarity Quantization for Efficient Image and Video Retrieval" (Yuan, Wang, Zhang, Tay, Jie, Liu, Feng, CVPR
// 2020): u = tanh(v), t = the Hadamard centre of the class, or of several classes the majority's;
//
//   mean_k [-log((1 + t_k u_k) / 2)] + lambda mean_k (|u_k| - 1)^2,   lambda = 0.0001
//
// the first is the binary cross-entropy of (1 + u) / 2 against (1 + t) / 2. The paper leaves lambda to cross-validation; this is
// the value of the programs in use.
at::Tensor csq_loss(const RivalBatch& batch);

// DPN, "Deep Polarized Network for Supervised Learning of Accurate Binary Hashing Codes" (Fan, Ng, Ju, Zhang, Liu, Chan, IJCAI
// 2020): outputs are to pass the margin m = 1 on the side of their bit of the class's random balanced target,
//
//   mean_k max(m - v_k t_k, 0)
at::Tensor dpn_loss(const RivalBatch& batch);

// OrthoHash, "One Loss for All: Deep Hashing with a Single Cosine Similarity based Learning Objective" (Hoe, Ng, Zhang, Chan,
// Song, Xiang, NeurIPS 2021): cross-entropy over the cosines between outputs (of a batch normalisation, as here) and
// random binary centres, scale s = 8, margin m = 0.2 on an image's own classes, as the authors' program has them:
//
//   -sum_c y_c log softmax_c( s (cos(v, o_c) - m [y_c > 0]) )
//
// An image of several labels has 1 / labels of each as its target y (the authors' label smoothing).
at::Tensor orthohash_loss(const RivalBatch& batch);

}  // namespace signet
