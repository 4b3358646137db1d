#pragma once

#include <memory>

#include "signet/baseline/hasher.h"

namespace signet {

// Shallow hashing methods, each by its published formula, with options as effective_options gives them: fit_baseline is the door.
// X: n x d features, mean: their mean, K: bits, sign(0) = +1.

// LSH: b_k = sign(w_k . (x - mean)), w_k ~ N(0, I). Any number of bits. Charikar, STOC 2002.
std::unique_ptr<Hasher> fit_lsh(const FeatureSet& features, const BaselineOptions& options);

// PCAH: w_k = k-th eigenvector of the covariance of X. K at most the rank of the covariance. Wang, Kumar, Chang, CVPR 2010.
std::unique_ptr<Hasher> fit_pcah(const FeatureSet& features, const BaselineOptions& options);

// ITQ: V = (X - mean) W_pca; from a random rotation R, `rounds` (50) times B = sign(V R), V'B = S O T', R = S T'. objective():
// ||B - V R||^2 / n, never rises. K at most the rank. Gong & Lazebnik, CVPR 2011.
std::unique_ptr<Hasher> fit_itq(const FeatureSet& features, const BaselineOptions& options);

// ITQ-CCA: as ITQ, with W the canonical directions between X and the label indicators Y, each scaled by its correlation. Uses
// `ridge`. K at most d; beyond the number of classes - 1 further directions have correlation 0 and only the rotation fills their
// bits. Same source.
std::unique_ptr<Hasher> fit_itq_cca(const FeatureSet& features, const BaselineOptions& options);

// SH: PCA to min(K, rank) dimensions of range R_j from min_j; of the frequencies omega = m pi / R_j (m >= 1) the K smallest;
// b = sign(sin(pi/2 + omega (v_j - min_j))). Any number of bits. Weiss, Torralba, Fergus, NIPS 2008.
std::unique_ptr<Hasher> fit_sh(const FeatureSet& features, const BaselineOptions& options);

// IsoH: PCA, then a rotation after which all K projections have equal variance, found by lift and projection: alternately the
// nearest matrix with the PCA's eigenvalues and the nearest one with a constant diagonal. objective(): ||diag - mean||, relative.
// Kong & Li, NIPS 2012.
std::unique_ptr<Hasher> fit_isoh(const FeatureSet& features, const BaselineOptions& options);

// KSH: phi(x) = exp(-||x - anchor||^2 / (2 s^2)), centred, `anchors` (300); on `labelled` points S_ij = +1 for a shared label,
// else -1; bit by bit a maximises h' R h for h = sign(phi a): from the largest generalised eigenvector of (phi' R phi, phi' phi),
// gradient ascent with the sigmoid 2 / (1 + e^-t) - 1 in place of the sign; then R <- R - h h', R_0 = K S. objective(): ||H H' /
// K - S||^2 / l^2, by bit. Liu, Wang, Ji, Jiang, Chang, CVPR 2012.
std::unique_ptr<Hasher> fit_ksh(const FeatureSet& features, const BaselineOptions& options);

// SDH: min ||Y - B W||^2 + lambda ||W||^2 + nu ||B - phi(X) P||^2 with phi as KSH's, half as wide, on `anchors` (1000): `rounds`
// (5) times W and P by least squares, B one bit column after another (b_k = sign(q_k - B' W' w_k)). objective(): that sum / n,
// never rises. Shen, Shen, Liu, Shen, CVPR 2015.
std::unique_ptr<Hasher> fit_sdh(const FeatureSet& features, const BaselineOptions& options);

// FastHash: on `labelled` points, for each bit the signs that lower the pair loss most given the bits before (D^2 for a shared
// label, max(r/2 - D, 0)^2 otherwise, D the distance of r bits), by exact graph cuts over blocks of one class each, twice around;
// then `rounds` (200) boosted trees of depth 4 learn those signs. objective(): mean pair loss of the learned bits / r^2. Lin,
// Shen, Shi, van den Hengel, Suter, CVPR 2014.
std::unique_ptr<Hasher> fit_fasthash(const FeatureSet& features, const BaselineOptions& options);

// Bilinear projections: a vector is a matrix M of `rows` rows; b_k = sign(u_i' (M - mean) v_j), K = c1 * c2 bits from rotations U
// (rows x c1) and V (columns x c2), learned as in ITQ: B = sign(U' M V), then U and V by turns from an SVD. objective(): sum |U'
// M V| / n, never falls. Gong, Kumar, Rowley, Lazebnik, CVPR 2013.
std::unique_ptr<Hasher> fit_bilinear(const FeatureSet& features, const BaselineOptions& options);

// The same with labels, two published parts one after the other: L (rows x c1) and R (columns x c2) by two-dimensional linear
// discriminant analysis (Ye, Janardan, Li, NIPS 2004), which maximise the scatter of L' M R between classes where that within
// them is the identity, by turns; then the rotations of bilinear on L' (M - mean) R. b_k = sign(u_i' L' (M - mean) R v_j). Uses
// `ridge`, relative to the mean diagonal of the scatter within. An image of several labels counts once in each of its classes.
// objective(): as bilinear's, of the rotations.
std::unique_ptr<Hasher> fit_bilinear_lda(const FeatureSet& features, const BaselineOptions& options);

}  // namespace signet
