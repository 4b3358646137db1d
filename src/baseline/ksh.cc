// Supervised hashing with kernels, bit by bit.
#include <cmath>

#include "baseline/kernel_map.h"
#include "signet/base/error.h"
#include "signet/baseline/methods.h"

namespace signet {
using namespace baseline;

namespace {

// S_ij = +1 where i and j share a label, else -1.
MatrixXd similarity(const MatrixXd& indicators, const std::vector<Eigen::Index>& which) {
  MatrixXd y(static_cast<Eigen::Index>(which.size()), indicators.cols());
  for (Eigen::Index i = 0; i < y.rows(); ++i) y.row(i) = indicators.row(which[static_cast<std::size_t>(i)]);
  return (y * y.transpose()).unaryExpr([](double shared) { return shared > 0 ? 1.0 : -1.0; });
}

VectorXd hard(const VectorXd& t) {
  return t.unaryExpr([](double v) { return v >= 0 ? 1.0 : -1.0; });
}
VectorXd soft(const VectorXd& t) {
  return t.unaryExpr([](double v) { return std::tanh(v / 2); });  // 2 / (1 + e^-t) - 1
}

// Maximises soft(phi a)' R soft(phi a): Nesterov's accelerated ascent, the step halved while it would fall.
VectorXd ascend(const MatrixXd& phi, const MatrixXd& residue, VectorXd a) {
  constexpr int kSteps = 200;
  const double norm = phi.squaredNorm();
  const double scale = norm > 0 ? a.norm() / std::sqrt(norm) : 1;
  VectorXd look = a, h = soft(phi * a);
  double value = h.dot(residue * h), step = scale, momentum = 1;
  for (int i = 0; i < kSteps && step > 1e-9 * scale; ++i) {
    h = soft(phi * look);
    const VectorXd gradient = phi.transpose() * ((residue * h).array() * (1 - h.array().square())).matrix();
    const double size = gradient.norm();
    if (!(size > 0)) break;
    const VectorXd next = look + (step / size) * gradient * std::sqrt(norm);
    const VectorXd ahead = soft(phi * next);
    const double reached = ahead.dot(residue * ahead);
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
  const std::size_t labelled = std::min<std::size_t>(options.labelled, set.count());
  if (labelled < 2) fail(ErrorCode::kInvalidArgument, "ksh needs two or more labelled vectors, not ", labelled);
  Random random(options.seed);
  const KernelMap map("ksh", x, options.anchors == 0 ? std::min<std::size_t>(300, set.count()) : options.anchors, random);
  const std::vector<Eigen::Index> which = draw(labelled, set.count(), random);
  RowMatrix chosen(static_cast<Eigen::Index>(labelled), x.cols());
  for (Eigen::Index i = 0; i < chosen.rows(); ++i) chosen.row(i) = x.row(which[static_cast<std::size_t>(i)]);
  const MatrixXd phi = map.map({chosen.data(), chosen.rows(), chosen.cols()}).cast<double>();
  const MatrixXd s = similarity(y, which);

  const double k = options.bits, l = static_cast<double>(labelled);
  MatrixXd residue = k * s;
  MatrixXd gram = phi.transpose() * phi;
  gram.diagonal().array() +=
      1e-6 * std::max(gram.diagonal().mean(), 1e-12);  // phi may have fewer independent columns than anchors
  MatrixXd weights(phi.cols(), options.bits);
  std::vector<double> objective;
  for (std::uint32_t bit = 0; bit < options.bits; ++bit) {
    report(options, "ksh", bit, options.bits);
    const MatrixXd pull = phi.transpose() * residue * phi;
    const Eigen::GeneralizedSelfAdjointEigenSolver<MatrixXd> solver((pull + pull.transpose()) / 2, gram);
    VectorXd start = solver.eigenvectors().col(phi.cols() - 1);
    start *= std::sqrt(l / std::max(1e-30, (phi * start).squaredNorm()));
    const VectorXd better = ascend(phi, residue, start);
    const VectorXd first = hard(phi * start), second = hard(phi * better);
    const bool improved = second.dot(residue * second) > first.dot(residue * first);
    const VectorXd& h = improved ? second : first;
    weights.col(bit) = improved ? better : start;
    residue -= h * h.transpose();
    objective.push_back((residue / k).squaredNorm() / (l * l));  // R_k / K = S - H H' / K
  }
  return kernel_hasher("ksh", map, weights.cast<float>(), objective);
}

}  // namespace signet
