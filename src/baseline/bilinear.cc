// Bilinear projections of matrix-shaped features: two small projections in place of one large one, without labels and with them.
#include <cmath>
#include <tuple>

#include "baseline/linear_algebra.h"
#include "signet/base/error.h"
#include "signet/baseline/methods.h"

namespace signet {
using namespace baseline;

namespace {

constexpr int kDiscriminantRounds = 5;  // L and R by turns; the paper finds that one round is nearly enough

Eigen::Index nearest_divisor(Eigen::Index size) {
  auto rows = static_cast<Eigen::Index>(std::sqrt(static_cast<double>(size)));
  while (size % rows != 0) --rows;
  return rows;
}

struct Shape {
  Eigen::Index rows = 0, columns = 0, c1 = 0, c2 = 0;  // of a vector read as a matrix; c1 x c2: of its code
};

// c1 x c2 = bits with c1 <= rows, c2 <= columns, as square as possible; c1 = 0 where there is none.
std::pair<Eigen::Index, Eigen::Index> shape_of_code(Eigen::Index bits, Eigen::Index rows, Eigen::Index columns) {
  std::pair<Eigen::Index, Eigen::Index> best{0, 0};
  for (Eigen::Index c1 = 1; c1 <= std::min(bits, rows); ++c1) {
    if (bits % c1 != 0 || bits / c1 > columns) continue;
    if (best.first == 0 || std::abs(c1 - bits / c1) < std::abs(best.first - best.second)) best = {c1, bits / c1};
  }
  return best;
}

Shape shape_for(const std::string& method, Eigen::Index size, const BaselineOptions& options) {
  Shape s;
  s.rows = options.rows == 0 ? nearest_divisor(size) : static_cast<Eigen::Index>(options.rows);
  if (s.rows < 1 || size % s.rows != 0) {
    fail(ErrorCode::kInvalidArgument, method, ": vectors of ", size, " are no matrices of ", options.rows, " rows");
  }
  s.columns = size / s.rows;
  std::tie(s.c1, s.c2) = shape_of_code(options.bits, s.rows, s.columns);
  if (s.c1 == 0) {
    fail(ErrorCode::kInvalidArgument, method, ": ", options.bits, " bits are no product of at most ", s.rows, " by at most ",
         s.columns, " projections");
  }
  return s;
}

using MatrixView = Eigen::Map<const RowMatrix>;

struct Projections {
  MatrixXd u, v;
  std::vector<double> objective;
};

// One pass over the data: the sums that the next U and V need, and sum |U' M V| at the current ones.
struct Pass {
  MatrixXd for_u, for_v;
  double objective = 0;
};

Pass pass(const RowMatrix& centred, Eigen::Index rows, const Projections& model) {
  const Eigen::Index columns = centred.cols() / rows;
  const MatrixXf u = model.u.cast<float>(), v = model.v.cast<float>();
  Pass sums{MatrixXd::Zero(rows, u.cols()), MatrixXd::Zero(columns, v.cols())};
  for (Eigen::Index i = 0; i < centred.rows(); ++i) {
    const MatrixView m(centred.row(i).data(), rows, columns);
    const MatrixXf mv = m * v, projected = u.transpose() * mv, b = signs(projected);
    sums.objective += projected.cwiseAbs().cast<double>().sum();
    sums.for_u += (mv * b.transpose()).cast<double>();  // d tr(B' U' M V) / dU
    sums.for_v += (m.transpose() * (u * b)).cast<double>();
  }
  return sums;
}

// U (rows x c1) and V (columns x c2) with orthonormal columns, from a random start.
Projections rotations(const std::string& method, const RowMatrix& centred, const Shape& shape, const BaselineOptions& options) {
  Random random(options.seed);
  Projections model{
      random_rotation(shape.rows, random).leftCols(shape.c1), random_rotation(shape.columns, random).leftCols(shape.c2), {}};
  for (std::size_t round = 0; round < options.rounds; ++round) {
    const Pass first = pass(centred, shape.rows, model);
    model.objective.push_back(first.objective / static_cast<double>(centred.rows()));
    model.u = nearest_orthonormal(first.for_u);
    model.v = nearest_orthonormal(pass(centred, shape.rows, model).for_v);
    report(options, method, round + 1, options.rounds);
  }
  return model;
}

// Bit i * c2 + j is u_i' M v_j: as one vector over the row-major pixels, the outer product of u_i and v_j.
MatrixXd directions(const MatrixXd& u, const MatrixXd& v) {
  MatrixXd all(u.rows() * v.rows(), u.cols() * v.cols());
  for (Eigen::Index i = 0; i < u.cols(); ++i) {
    for (Eigen::Index j = 0; j < v.cols(); ++j) {
      const RowMatrix outer = (u.col(i) * v.col(j).transpose()).cast<float>();
      all.col(i * v.cols() + j) = Eigen::Map<const VectorXf>(outer.data(), outer.size()).cast<double>();
    }
  }
  return all;
}

// Matrices whose scatter is wanted, each with a weight: an image less its class's mean, a class's mean less the mean of all.
struct Deviations {
  RowMatrix matrices;
  VectorXd weights;
};

// sum of weight * D V V' D' over the deviations (over_rows), or of weight * D' V V' D.
MatrixXd scatter(const Deviations& of, const Shape& shape, const MatrixXd& v, bool over_rows) {
  const MatrixXf vf = v.cast<float>();
  const Eigen::Index size = over_rows ? shape.rows : shape.columns;
  MatrixXd sum = MatrixXd::Zero(size, size);
  MatrixXf projected;
  for (Eigen::Index i = 0; i < of.matrices.rows(); ++i) {
    const MatrixView d(of.matrices.row(i).data(), shape.rows, shape.columns);
    if (over_rows)
      projected = d * vf;
    else
      projected = d.transpose() * vf;
    sum += of.weights[i] * MatrixXf(projected * projected.transpose()).cast<double>();
  }
  return sum;
}

// The `count` directions with the most scatter between classes for that within, which becomes the identity.
MatrixXd discriminant(const MatrixXd& between, MatrixXd within, Eigen::Index count, double ridge) {
  const double mean = within.diagonal().mean();
  within.diagonal().array() += ridge * std::max(mean, 1e-30);
  const Eigenpairs pairs = eigenpairs((between + between.transpose()) / 2, within);
  if (!(mean > 0) || !pairs.found || !pairs.vectors.allFinite()) {
    fail(ErrorCode::kInvalidArgument, "bilinear-lda: the scatter within classes is singular with ridge ", ridge,
         "; a larger one, such as 1e-3, is needed");
  }
  MatrixXd w = pairs.vectors.rightCols(count).rowwise().reverse();
  make_upright(w);
  return w;
}

struct Scatters {
  Deviations within, between;
};

Scatters scatters_of(const RowMatrix& centred, const MatrixXd& y) {
  const VectorXd counts = y.colwise().sum().transpose();
  const MatrixXf sums = y.transpose().cast<float>() * centred;
  Scatters s;
  s.between.matrices = counts.cwiseInverse().cast<float>().asDiagonal() * sums;
  s.between.weights = counts / counts.sum();
  const auto members = static_cast<Eigen::Index>(std::lround(counts.sum()));
  s.within.matrices.resize(members, centred.cols());
  s.within.weights = VectorXd::Constant(members, 1 / counts.sum());
  Eigen::Index next = 0;
  for (Eigen::Index i = 0; i < y.rows(); ++i) {
    for (Eigen::Index c = 0; c < y.cols(); ++c)
      if (y(i, c) > 0) s.within.matrices.row(next++) = centred.row(i) - s.between.matrices.row(c);
  }
  return s;
}

}  // namespace

std::unique_ptr<Hasher> fit_bilinear(const FeatureSet& set, const BaselineOptions& options) {
  const Features x = checked("bilinear", set, options);
  const Shape shape = shape_for("bilinear", x.cols(), options);
  const VectorXd mean = mean_of(x);
  const RowMatrix centred = x.rowwise() - mean.transpose().cast<float>();
  const Projections model = rotations("bilinear", centred, shape, options);
  return affine_hasher("bilinear", directions(model.u, model.v), mean, model.objective);
}

std::unique_ptr<Hasher> fit_bilinear_lda(const FeatureSet& set, const BaselineOptions& options) {
  const char* const name = "bilinear-lda";
  const Features x = checked(name, set, options);
  const MatrixXd y = indicators(name, set);
  const Shape shape = shape_for(name, x.cols(), options);
  if (!(options.ridge >= 0 && std::isfinite(options.ridge)))
    fail(ErrorCode::kInvalidArgument, name, ": ridge ", options.ridge, " must be 0 or more");
  const VectorXd mean = mean_of(x);
  const RowMatrix centred = x.rowwise() - mean.transpose().cast<float>();
  const Scatters scatters = scatters_of(centred, y);
  MatrixXd left, right = MatrixXd::Identity(shape.columns, shape.columns);
  for (int round = 0; round < kDiscriminantRounds; ++round) {
    left = discriminant(scatter(scatters.between, shape, right, true), scatter(scatters.within, shape, right, true), shape.c1,
                        options.ridge);
    right = discriminant(scatter(scatters.between, shape, left, false), scatter(scatters.within, shape, left, false), shape.c2,
                         options.ridge);
  }
  const RowMatrix reduced = centred * directions(left, right).cast<float>();
  const Projections model = rotations(name, reduced, {shape.c1, shape.c2, shape.c1, shape.c2}, options);
  return affine_hasher(name, directions(left * model.u, right * model.v), mean, model.objective);
}

}  // namespace signet
