#pragma once

#include <string>

#include "baseline/linear_algebra.h"

namespace signet::baseline {

// phi(x)_j = exp(-||x - a_j||^2 / (2 s^2)) - its mean over the training vectors, for anchors a_j drawn from them. s: `width`
// times the mean distance between training vectors and anchors.
class KernelMap {
 public:
  // Throws kInvalidArgument for fewer than two anchors or vectors than anchors, and where the mean distance, or what follows from
  // it, is 0 or infinite.
  KernelMap(const std::string& method, const Features& x, std::size_t anchors, double width, Random& random);
  MatrixXf map(const Features& x) const;             // n x anchors
  int append_to(Network& network, int input) const;  // the uncentred kernel as a layer; its number
  const VectorXf& shift() const noexcept { return shift_; }
  Eigen::Index size() const noexcept { return anchors_.rows(); }
  Eigen::Index input_size() const noexcept { return anchors_.cols(); }

 private:
  MatrixXf raw(const Features& x) const;
  RowMatrix anchors_, centred_;  // a_j; a_j - c
  Eigen::RowVectorXf centre_;    // c: the mean of the anchors
  VectorXf squares_;             // ||a_j - c||^2
  float scale_ = 0;              // 1 / (2 s^2)
  VectorXf shift_;               // mean of the uncentred kernel
};

// b = sign(phi(x) A): KSH and SDH.
std::unique_ptr<Hasher> kernel_hasher(std::string method, KernelMap map, const MatrixXf& weights, std::vector<double> objective);

// `count` different numbers below n, in random order.
std::vector<Eigen::Index> draw(std::size_t count, std::size_t n, Random& random);

}  // namespace signet::baseline
