// Supervised discrete hashing: the bits themselves are variables.
#include <cmath>

#include "baseline/kernel_map.h"
#include "signet/base/error.h"
#include "signet/baseline/methods.h"

namespace signet {
using namespace baseline;

namespace {

constexpr int kSweeps = 10;  // of the bit columns in one round, as published
// The authors' program has kernels of width 0.4 for vectors of length 1. Those of GIST are 0.73 apart on average, others more or
// less; half of the mean distance says the same without a unit.
constexpr double kWidth = 0.5;

MatrixXd solve_ridge(MatrixXd gram, double ridge, const MatrixXd& right) {
  gram.diagonal().array() += ridge;
  return gram.ldlt().solve(right);
}

// Cyclic coordinate descent on the bit columns: with all other columns fixed, the best column k is sign(q_k - B' W' w_k) where Q
// = Y W' + nu F, F = phi P, w_k row k of W. The terms ||B w||^2 of column k itself are constant because its entries are +-1.
void update_bits(const MatrixXf& y, const MatrixXf& fit, const MatrixXd& w, double nu, MatrixXf& b) {
  const MatrixXf q = y * w.transpose().cast<float>() + static_cast<float>(nu) * fit;
  const MatrixXf ww = (w * w.transpose()).cast<float>();
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    bool changed = false;
    for (Eigen::Index k = 0; k < b.cols(); ++k) {
      const VectorXf pull = q.col(k) - b * ww.col(k) + b.col(k) * ww(k, k);
      const VectorXf column = pull.unaryExpr([](float v) { return v >= 0 ? 1.0f : -1.0f; });
      changed = changed || column != b.col(k);
      b.col(k) = column;
    }
    if (!changed) break;
  }
}

}  // namespace

std::unique_ptr<Hasher> fit_sdh(const FeatureSet& set, const BaselineOptions& options) {
  const Features x = checked("sdh", set, options);
  const MatrixXf y = indicators("sdh", set).cast<float>();
  if (!(options.lambda > 0 && options.nu > 0 && std::isfinite(options.lambda) && std::isfinite(options.nu))) {
    fail(ErrorCode::kInvalidArgument, "sdh: lambda ", options.lambda, " and nu ", options.nu, " must be above 0");
  }
  Random random(options.seed);
  const KernelMap map("sdh", x, options.anchors, kWidth, random);
  const MatrixXf phi = map.map(x);
  const double n = static_cast<double>(x.rows());
  const MatrixXd gram = MatrixXf(phi.transpose() * phi).cast<double>();
  const double tiny = 1e-6 * std::max(gram.diagonal().mean(), 1e-12);
  MatrixXf b = signs(gaussian(x.rows(), options.bits, random));
  MatrixXd p;
  std::vector<double> objective;
  for (std::size_t round = 0; round <= options.rounds; ++round) {
    const MatrixXd w =
        solve_ridge(MatrixXf(b.transpose() * b).cast<double>(), options.lambda, MatrixXf(b.transpose() * y).cast<double>());
    p = solve_ridge(gram, tiny, MatrixXf(phi.transpose() * b).cast<double>());
    const MatrixXf fit = phi * p.cast<float>();
    const double loss = (y - b * w.cast<float>()).cast<double>().squaredNorm() + options.lambda * w.squaredNorm();
    objective.push_back((loss + options.nu * (b - fit).cast<double>().squaredNorm()) / n);
    if (round == options.rounds) break;  // P now fits the last bits
    update_bits(y, fit, w, options.nu, b);
    report(options, "sdh", round + 1, options.rounds);
  }
  return kernel_hasher("sdh", map, p.cast<float>(), objective);
}

}  // namespace signet
