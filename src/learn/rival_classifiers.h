#pragma once

#include "learn/rival.h"

namespace signet {

// Losses of a linear classifier on the codes. y = the image's label as a row of zeros and a one; no label smoothing, as in the
// papers.

// DLBHC, "Deep Learning of Binary Hash Codes for Fast Image Retrieval" (Lin, Yang, Hsiao, Chen, CVPRW 2015): a layer
// of K sigmoid units between features and softmax,
//
//   -sum_c y_c log softmax_c(W' a + b'),   a = sigmoid(2 v), bits are a >= 1/2
//
// computed as softmax(W tanh(v) + b): with tanh(v) = 2 a - 1 these are the same functions, W' = 2 W and b' = b - W 1, and the
// model keeps its form. The 2 is the free scale of v, which the batch normalisation takes from the layer's weights.
at::Tensor dlbhc_loss(const RivalBatch& batch);

// GreedyHash, "Greedy Hash: Towards Fast Optimization for Accurate Hash Coding in CNN" (Su, Zhang, Han, Tian, NeurIPS 2018): the
// classifier sees the signs, whose gradient is handed to v as it is, and outputs are pulled towards +-1,
//
//   -sum_c y_c log softmax_c(W sign(v) + b) + 0.1 mean_k | |v_k| - 1 |^3,   d sign(v) / d v := 1
//
// The cubic term is a mean over bits, as in the authors' program.
at::Tensor greedyhash_loss(const RivalBatch& batch);

}  // namespace signet
