// Bilinear projections of matrix-shaped features: two small rotations in place of one large one.
#include <cmath>

#include "baseline/linear_algebra.h"
#include "signet/base/error.h"
#include "signet/baseline/methods.h"

namespace signet {
using namespace baseline;

namespace {

Eigen::Index nearest_divisor(Eigen::Index size) {
  auto rows = static_cast<Eigen::Index>(std::sqrt(static_cast<double>(size)));
  while (size % rows != 0) --rows;
  return rows;
}

// c1 x c2 = bits with c1 <= rows, c2 <= columns, as square as possible; c1 = 0 where there is none.
std::pair<Eigen::Index, Eigen::Index> shape_of_code(Eigen::Index bits, Eigen::Index rows, Eigen::Index columns) {
  std::pair<Eigen::Index, Eigen::Index> best{0, 0};
  for (Eigen::Index c1 = 1; c1 <= std::min(bits, rows); ++c1) {
    if (bits % c1 != 0 || bits / c1 > columns) continue;
    if (best.first == 0 || std::abs(c1 - bits / c1) < std::abs(best.first - best.second)) best = {c1, bits / c1};
  }
  return best;
}

// The nearest matrix with orthonormal columns: the Procrustes answer to max tr(A' Q).
MatrixXd nearest_orthonormal(const MatrixXd& a) {
  const Eigen::JacobiSVD<MatrixXd> svd(a, Eigen::ComputeThinU | Eigen::ComputeThinV);
  return svd.matrixU() * svd.matrixV().transpose();
}

using Image = Eigen::Map<const RowMatrix>;

struct Model {
  MatrixXd u, v;
};

// One pass over the data: the sums that the next U and V need, and sum |U' M V| at the current ones.
struct Pass {
  MatrixXd for_u, for_v;
  double objective = 0;
};

Pass pass(const RowMatrix& centred, Eigen::Index rows, const Model& model) {
  const Eigen::Index columns = centred.cols() / rows;
  const MatrixXf u = model.u.cast<float>(), v = model.v.cast<float>();
  Pass sums{MatrixXd::Zero(rows, u.cols()), MatrixXd::Zero(columns, v.cols())};
  for (Eigen::Index i = 0; i < centred.rows(); ++i) {
    const Image m(centred.row(i).data(), rows, columns);
    const MatrixXf mv = m * v, projected = u.transpose() * mv, b = signs(projected);
    sums.objective += projected.cwiseAbs().cast<double>().sum();
    sums.for_u += (mv * b.transpose()).cast<double>();  // d tr(B' U' M V) / dU
    sums.for_v += (m.transpose() * (u * b)).cast<double>();
  }
  return sums;
}

}  // namespace

std::unique_ptr<Hasher> fit_bilinear(const FeatureSet& set, const BaselineOptions& options) {
  const Features x = checked("bilinear", set, options);
  const Eigen::Index rows = options.rows == 0 ? nearest_divisor(x.cols()) : static_cast<Eigen::Index>(options.rows);
  if (rows < 1 || x.cols() % rows != 0) {
    fail(ErrorCode::kInvalidArgument, "bilinear: vectors of ", x.cols(), " are no matrices of ", options.rows, " rows");
  }
  const Eigen::Index columns = x.cols() / rows;
  const auto [c1, c2] = shape_of_code(options.bits, rows, columns);
  if (c1 == 0) {
    fail(ErrorCode::kInvalidArgument, "bilinear: ", options.bits, " bits are no product of at most ", rows, " by at most ",
         columns, " projections");
  }
  const VectorXd mean = mean_of(x);
  const RowMatrix centred = x.rowwise() - mean.transpose().cast<float>();
  Random random(options.seed);
  Model model{random_rotation(rows, random).leftCols(c1), random_rotation(columns, random).leftCols(c2)};
  std::vector<double> objective;
  const std::size_t rounds = options.rounds == 0 ? 20 : options.rounds;
  for (std::size_t round = 0; round < rounds; ++round) {
    const Pass first = pass(centred, rows, model);
    objective.push_back(first.objective / static_cast<double>(x.rows()));
    model.u = nearest_orthonormal(first.for_u);
    model.v = nearest_orthonormal(pass(centred, rows, model).for_v);
    report(options, "bilinear", round + 1, rounds);
  }
  // Bit i * c2 + j is u_i' M v_j: as one vector over the row-major pixels, the outer product of u_i and v_j.
  MatrixXd directions(x.cols(), options.bits);
  for (Eigen::Index i = 0; i < c1; ++i) {
    for (Eigen::Index j = 0; j < c2; ++j) {
      const RowMatrix outer = (model.u.col(i) * model.v.col(j).transpose()).cast<float>();
      directions.col(i * c2 + j) = Eigen::Map<const VectorXf>(outer.data(), outer.size()).cast<double>();
    }
  }
  return affine_hasher("bilinear", directions, mean, objective);
}

}  // namespace signet
