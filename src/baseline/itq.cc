// ITQ and ITQ-CCA: a rotation that brings projections near the corners of the cube.
#include <cmath>

#include "baseline/linear_algebra.h"
#include "signet/base/error.h"
#include "signet/baseline/methods.h"

namespace signet {
using namespace baseline;

namespace {

struct Rotation {
  MatrixXd r;
  std::vector<double> objective;
};

Rotation iterative_quantisation(const std::string& method, const MatrixXf& v, const BaselineOptions& options) {
  Random random(options.seed);
  Rotation result;
  result.r = random_rotation(v.cols(), random);
  for (std::size_t round = 0; round < options.rounds; ++round) {
    const MatrixXf rotated = v * result.r.cast<float>();
    const MatrixXf b = signs(rotated);
    result.objective.push_back((b - rotated).cast<double>().squaredNorm() / static_cast<double>(v.rows()));
    result.r = nearest_orthonormal(MatrixXf(v.transpose() * b).cast<double>());
    report(options, method, round + 1, options.rounds);
  }
  return result;
}

// (X - mean) W in single precision.
MatrixXf project(const Features& x, const VectorXd& mean, const MatrixXd& w) {
  const MatrixXf wf = w.cast<float>();
  return (x * wf).rowwise() - (w.transpose() * mean).cast<float>().transpose();
}

// Canonical directions of X against Y: (Cxx + r I)^-1 Cxy (Cyy + r I)^-1 Cyx w = rho^2 w, made symmetric by the Cholesky factor
// of the first.
MatrixXd canonical_directions(const Features& x, const VectorXd& mean, const MatrixXd& y, const BaselineOptions& options) {
  const double n = static_cast<double>(x.rows());
  const Eigen::RowVectorXd y_mean = y.colwise().mean();
  const MatrixXd yc = y.rowwise() - y_mean;
  MatrixXd cxx = covariance("itq-cca", x, mean), cyy = yc.transpose() * yc / n;
  // Y is centred, so X need not be: 1'(Y - mean) = 0.
  const MatrixXd cxy = MatrixXf(x.transpose() * yc.cast<float>()).cast<double>() / n;
  const auto add_ridge = [&](MatrixXd& c) { c.diagonal().array() += options.ridge * std::max(c.diagonal().mean(), 1e-30); };
  add_ridge(cxx);
  add_ridge(cyy);
  const Eigen::LLT<MatrixXd> lx(cxx), ly(cyy);
  if (lx.info() != Eigen::Success || ly.info() != Eigen::Success) {
    fail(ErrorCode::kInvalidArgument, "itq-cca: a covariance is singular with ridge ", options.ridge,
         "; a larger one, such as 1e-3, is needed");
  }
  const MatrixXd half = lx.matrixL().solve(ly.matrixL().solve(cxy.transpose()).transpose());  // Lx^-1 Cxy Ly^-T
  const Eigenpairs pairs = eigenpairs(half * half.transpose());
  const Eigen::Index d = x.cols(), k = options.bits;
  MatrixXd w = lx.matrixU().solve(MatrixXd(pairs.vectors.rightCols(k).rowwise().reverse()));
  for (Eigen::Index i = 0; i < k; ++i) w.col(i) *= std::sqrt(std::clamp(pairs.values[d - 1 - i], 0.0, 1.0));
  make_upright(w);
  return w;
}

}  // namespace

std::unique_ptr<Hasher> fit_itq(const FeatureSet& set, const BaselineOptions& options) {
  const Features x = checked("itq", set, options);
  const Principal p = principal("itq", x);
  need_rank("itq", options.bits, p);
  const MatrixXd w = p.directions.leftCols(options.bits);
  const Rotation rotation = iterative_quantisation("itq", project(x, p.mean, w), options);
  return affine_hasher("itq", w * rotation.r, p.mean, rotation.objective);
}

std::unique_ptr<Hasher> fit_itq_cca(const FeatureSet& set, const BaselineOptions& options) {
  const Features x = checked("itq-cca", set, options);
  const MatrixXd y = indicators("itq-cca", set);
  if (static_cast<Eigen::Index>(options.bits) > x.cols()) {
    fail(ErrorCode::kInvalidArgument, "itq-cca gives at most one bit for each of ", x.cols(), " features, not ", options.bits);
  }
  if (!(options.ridge >= 0 && std::isfinite(options.ridge))) {
    fail(ErrorCode::kInvalidArgument, "itq-cca: ridge ", options.ridge, " must be 0 or more");
  }
  const VectorXd mean = mean_of(x);
  const MatrixXd w = canonical_directions(x, mean, y, options);
  const Rotation rotation = iterative_quantisation("itq-cca", project(x, mean, w), options);
  return affine_hasher("itq-cca", w * rotation.r, mean, rotation.objective);
}

}  // namespace signet
