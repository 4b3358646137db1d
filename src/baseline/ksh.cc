// Supervised hashing with kernels, bit by bit.
#include <cmath>
#include <map>

#include "baseline/kernel_map.h"
#include "signet/base/error.h"
#include "signet/baseline/methods.h"

namespace signet {
using namespace baseline;

namespace {

// R = K S - H H', never written out: S_ij is +1 where i and j share a label, else -1, and depends on their groups alone (points
// with the same labels form a group): S = Z T Z' with Z the groups' indicators. A product with R costs O(l (groups + bits)) in
// place of O(l^2), so that all of a data set may be labelled.
class Residue {
 public:
  Residue(const MatrixXd& indicators, const std::vector<Eigen::Index>& which, std::uint32_t bits)
      : k_(bits), group_(which.size()), learned_(static_cast<Eigen::Index>(which.size()), 0) {
    std::map<std::vector<double>, std::size_t> groups;
    std::vector<Eigen::RowVectorXd> labels;
    for (std::size_t i = 0; i < which.size(); ++i) {
      const Eigen::RowVectorXd y = indicators.row(which[i]);
      const auto [found, is_new] = groups.try_emplace({y.data(), y.data() + y.size()}, labels.size());
      if (is_new) labels.push_back(y);
      group_[i] = static_cast<Eigen::Index>(found->second);
    }
    const auto count = static_cast<Eigen::Index>(labels.size());
    t_.resize(count, count);
    for (Eigen::Index i = 0; i < count; ++i)
      for (Eigen::Index j = 0; j < count; ++j)
        t_(i, j) = labels[static_cast<std::size_t>(i)].dot(labels[static_cast<std::size_t>(j)]) > 0 ? 1 : -1;
  }

  VectorXd times(const VectorXd& h) const {
    const VectorXd by_group = k_ * (t_ * grouped(h));
    VectorXd result(h.size());
    for (Eigen::Index i = 0; i < h.size(); ++i) result[i] = by_group[group_[static_cast<std::size_t>(i)]];
    if (learned_.cols() > 0) result -= learned_ * (learned_.transpose() * h);
    return result;
  }
  double form(const VectorXd& h) const { return h.dot(times(h)); }
  MatrixXd form(const MatrixXd& phi) const {  // phi' R phi
    const MatrixXd by_group = grouped(phi);
    MatrixXd result = k_ * (by_group.transpose() * t_ * by_group);
    if (learned_.cols() > 0) {
      const MatrixXd learned = learned_.transpose() * phi;
      result -= learned.transpose() * learned;
    }
    return result;
  }
  void append(const VectorXd& h) {
    agreement_ += h.dot(times(h)) + (learned_.cols() > 0 ? (learned_.transpose() * h).squaredNorm() : 0);  // h' K S h
    learned_.conservativeResize(Eigen::NoChange, learned_.cols() + 1);
    learned_.col(learned_.cols() - 1) = h;
  }
  // ||R||^2 / (K l)^2 = ||H H' / K - S||^2 / l^2, from ||S||^2 = l^2.
  double loss() const {
    const double l = static_cast<double>(group_.size());
    const double products = (learned_.transpose() * learned_).squaredNorm();
    return 1 + (products - 2 * agreement_) / (k_ * k_ * l * l);
  }

 private:
  MatrixXd grouped(const MatrixXd& values) const {  // Z' values
    MatrixXd sums = MatrixXd::Zero(t_.rows(), values.cols());
    for (Eigen::Index i = 0; i < values.rows(); ++i) sums.row(group_[static_cast<std::size_t>(i)]) += values.row(i);
    return sums;
  }

  double k_, agreement_ = 0;
  std::vector<Eigen::Index> group_;
  MatrixXd t_, learned_;  // groups x groups; points x bits so far
};

VectorXd hard(const VectorXd& t) {
  return t.unaryExpr([](double v) { return v >= 0 ? 1.0 : -1.0; });
}
VectorXd soft(const VectorXd& t) {
  return t.unaryExpr([](double v) { return std::tanh(v / 2); });  // 2 / (1 + e^-t) - 1
}

// Maximises soft(phi a)' R soft(phi a): Nesterov's accelerated ascent, the step halved while it would fall.
VectorXd ascend(const MatrixXd& phi, const Residue& residue, VectorXd a) {
  constexpr int kSteps = 200;
  const double norm = phi.squaredNorm();
  const double scale = norm > 0 ? a.norm() / std::sqrt(norm) : 1;
  VectorXd look = a, h = soft(phi * a);
  double value = residue.form(h), step = scale, momentum = 1;
  for (int i = 0; i < kSteps && step > 1e-9 * scale; ++i) {
    h = soft(phi * look);
    const VectorXd gradient = phi.transpose() * (residue.times(h).array() * (1 - h.array().square())).matrix();
    const double size = gradient.norm();
    if (!(size > 0)) break;
    const VectorXd next = look + (step / size) * gradient * std::sqrt(norm);
    const VectorXd ahead = soft(phi * next);
    const double reached = residue.form(ahead);
    if (reached <= value) {  // too far: shorter, and without momentum
      step /= 2;
      look = a;
      momentum = 1;
      continue;
    }
    const bool done = reached - value < 1e-7 * std::abs(value);
    const double faster = (1 + std::sqrt(1 + 4 * momentum * momentum)) / 2;
    look = next + (momentum - 1) / faster * (next - a);
    a = next;
    value = reached;
    momentum = faster;
    if (done) break;
  }
  return a;
}

}  // namespace

std::unique_ptr<Hasher> fit_ksh(const FeatureSet& set, const BaselineOptions& options) {
  const Features x = checked("ksh", set, options);
  const MatrixXd y = indicators("ksh", set);
  if (options.labelled < 2) fail(ErrorCode::kInvalidArgument, "ksh needs two or more labelled vectors, not ", options.labelled);
  Random random(options.seed);
  const KernelMap map("ksh", x, options.anchors, 1, random);
  const std::vector<Eigen::Index> which = draw(options.labelled, set.count(), random);
  RowMatrix chosen(static_cast<Eigen::Index>(options.labelled), x.cols());
  for (Eigen::Index i = 0; i < chosen.rows(); ++i) chosen.row(i) = x.row(which[static_cast<std::size_t>(i)]);
  const MatrixXd phi = map.map({chosen.data(), chosen.rows(), chosen.cols()}).cast<double>();
  const double l = static_cast<double>(options.labelled);
  Residue residue(y, which, options.bits);
  MatrixXd gram = phi.transpose() * phi;
  gram.diagonal().array() +=
      1e-6 * std::max(gram.diagonal().mean(), 1e-12);  // phi may have fewer independent columns than anchors
  MatrixXd weights(phi.cols(), options.bits);
  std::vector<double> objective;
  for (std::uint32_t bit = 0; bit < options.bits; ++bit) {
    report(options, "ksh", bit, options.bits);
    const MatrixXd pull = residue.form(phi);
    VectorXd start = eigenpairs((pull + pull.transpose()) / 2, gram).vectors.col(phi.cols() - 1);
    start *= std::sqrt(l / std::max(1e-30, (phi * start).squaredNorm()));
    const VectorXd better = ascend(phi, residue, start);
    const VectorXd first = hard(phi * start), second = hard(phi * better);
    const bool improved = residue.form(second) > residue.form(first);
    weights.col(bit) = improved ? better : start;
    residue.append(improved ? second : first);
    objective.push_back(residue.loss());
  }
  return kernel_hasher("ksh", map, weights.cast<float>(), objective);
}

}  // namespace signet
