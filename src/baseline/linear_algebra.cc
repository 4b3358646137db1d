#include "baseline/linear_algebra.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "signet/base/error.h"

namespace signet::baseline {
namespace {

constexpr Eigen::Index kBlock = 2048;  // rows converted at once

// NaN and infinity would spread to every sum that they are part of.
void need_finite(const std::string& method, std::span<const float> values, std::size_t size) {
  const auto bad = std::find_if_not(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
  if (bad == values.end()) return;
  const auto place = static_cast<std::size_t>(bad - values.begin());
  fail(ErrorCode::kInvalidArgument, method, ": value ", place % size, " of vector ", place / size, " is ", *bad,
       "; features must be finite");
}

class AffineHasher final : public Hasher {
 public:
  AffineHasher(std::string method, const MatrixXd& directions, const VectorXd& mean, std::vector<double> objective)
      : method_(std::move(method)), weight_(directions.cast<float>()), bias_((-(directions.transpose() * mean)).cast<float>()) {
    objective_ = std::move(objective);
    const RowMatrix rows = weight_.transpose();
    affine_.weight.assign(rows.data(), rows.data() + rows.size());
    affine_.bias.assign(bias_.data(), bias_.data() + bias_.size());
  }
  const std::string& method() const noexcept override { return method_; }
  std::uint32_t bits() const noexcept override { return static_cast<std::uint32_t>(weight_.cols()); }
  std::size_t input_size() const noexcept override { return static_cast<std::size_t>(weight_.rows()); }
  const Affine* affine() const noexcept override { return &affine_; }
  int append_to(Network& network, int input) const override {
    return append_linear(network, input, affine_.weight, affine_.bias);
  }
  std::vector<float> outputs(std::span<const float> values) const override {
    const Features x = checked_values(method_, values, input_size());
    std::vector<float> out(static_cast<std::size_t>(x.rows() * weight_.cols()));
    Eigen::Map<RowMatrix> result(out.data(), x.rows(), weight_.cols());
    for (Eigen::Index begin = 0; begin < x.rows(); begin += kBlock) {  // so that the products' own copies stay small
      const Eigen::Index n = std::min(kBlock, x.rows() - begin);
      result.middleRows(begin, n) = (x.middleRows(begin, n) * weight_).rowwise() + bias_.transpose();
    }
    return out;
  }

 private:
  std::string method_;
  MatrixXf weight_;  // input_size x bits
  VectorXf bias_;
  Affine affine_;
};

}  // namespace

int append_linear(Network& network, int input, std::vector<float> weight, std::vector<float> bias) {
  Layer layer;
  layer.kind = LayerKind::kLinear;
  layer.input = input;
  layer.out = static_cast<std::uint32_t>(bias.size());
  layer.weight = std::move(weight);
  layer.bias = std::move(bias);
  network.layers.push_back(std::move(layer));
  return static_cast<int>(network.layers.size()) - 1;
}

Features checked(const std::string& method, const FeatureSet& set, const BaselineOptions& options) {
  check_bits(options.bits, method);
  if (set.size == 0 || set.values.empty() || set.values.size() % set.size != 0) {
    fail(ErrorCode::kInvalidArgument, method, ": ", set.values.size(), " values are not a positive number of vectors of ",
         set.size);
  }
  if (set.count() < 2) fail(ErrorCode::kInvalidArgument, method, " needs two or more vectors to learn from, not ", set.count());
  if (!set.labels.empty() && set.labels.size() != set.count()) {
    fail(ErrorCode::kInvalidArgument, method, ": ", set.count(), " vectors need as many label lists, not ", set.labels.size());
  }
  need_finite(method, set.values, set.size);
  const auto second = set.values.begin() + static_cast<std::ptrdiff_t>(set.size);
  if (std::equal(second, set.values.end(), set.values.begin())) {  // each vector equals the next
    fail(ErrorCode::kInvalidArgument, method, " needs vectors that differ, but all ", set.count(), " are equal");
  }
  return {set.values.data(), static_cast<Eigen::Index>(set.count()), static_cast<Eigen::Index>(set.size)};
}

Features checked_values(const std::string& method, std::span<const float> values, std::size_t size) {
  if (values.size() % size != 0) {
    fail(ErrorCode::kInvalidArgument, method, ": ", values.size(), " values are not a whole number of vectors of ", size);
  }
  need_finite(method, values, size);
  return {values.data(), static_cast<Eigen::Index>(values.size() / size), static_cast<Eigen::Index>(size)};
}

MatrixXd indicators(const std::string& method, const FeatureSet& set) {
  if (set.labels.empty()) fail(ErrorCode::kInvalidArgument, method, " learns from labels, but the features have none");
  std::map<std::int32_t, Eigen::Index> columns;
  for (const auto& labels : set.labels) {
    for (const std::int32_t label : labels) columns.try_emplace(label, 0);
  }
  Eigen::Index next = 0;
  for (auto& [label, column] : columns) column = next++;
  MatrixXd y = MatrixXd::Zero(static_cast<Eigen::Index>(set.count()), next);
  for (std::size_t i = 0; i < set.count(); ++i) {
    if (set.labels[i].empty()) fail(ErrorCode::kInvalidArgument, method, ": vector ", i, " has no label; leave it out");
    for (const std::int32_t label : set.labels[i]) y(static_cast<Eigen::Index>(i), columns[label]) = 1;
  }
  if ((y.rowwise() - y.row(0)).cwiseAbs().maxCoeff() == 0) {
    fail(ErrorCode::kInvalidArgument, method, " needs vectors of two or more classes, but all ", set.count(),
         " have the same labels");
  }
  return y;
}

VectorXd mean_of(const Features& x) {
  VectorXd sum = VectorXd::Zero(x.cols());
  for (Eigen::Index begin = 0; begin < x.rows(); begin += kBlock) {
    sum += x.middleRows(begin, std::min(kBlock, x.rows() - begin)).cast<double>().colwise().sum().transpose();
  }
  return sum / static_cast<double>(x.rows());
}

MatrixXd covariance(const std::string& method, const Features& x, const VectorXd& mean) {
  const auto size = static_cast<std::uint64_t>(x.cols());
  if (size > kMostCovarianceSize) {
    fail(ErrorCode::kInvalidArgument, method, ": the covariance of vectors of ", size, " numbers takes ",
         size * size * sizeof(double), " bytes; at most ", kMostCovarianceSize, " numbers fit");
  }
  const Eigen::RowVectorXf shift = mean.transpose().cast<float>();
  MatrixXd sum = MatrixXd::Zero(x.cols(), x.cols());
  VectorXd drift = VectorXd::Zero(x.cols());  // what rounding the mean to float leaves
  for (Eigen::Index begin = 0; begin < x.rows(); begin += kBlock) {
    const MatrixXf block = x.middleRows(begin, std::min(kBlock, x.rows() - begin)).rowwise() - shift;
    sum += MatrixXf(block.transpose() * block).cast<double>();
    drift += block.cast<double>().colwise().sum().transpose();
  }
  const double n = static_cast<double>(x.rows());
  drift /= n;
  return sum / n - drift * drift.transpose();
}

Eigenpairs eigenpairs(const MatrixXd& symmetric) {
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(symmetric);
  return {solver.eigenvalues(), solver.eigenvectors(), solver.info() == Eigen::Success};
}

Eigenpairs eigenpairs(const MatrixXd& symmetric, const MatrixXd& metric) {
  const Eigen::GeneralizedSelfAdjointEigenSolver<MatrixXd> solver(symmetric, metric);
  return {solver.eigenvalues(), solver.eigenvectors(), solver.info() == Eigen::Success};
}

MatrixXd nearest_orthonormal(const MatrixXd& a) {
  const Eigen::JacobiSVD<MatrixXd> svd(a, Eigen::ComputeThinU | Eigen::ComputeThinV);
  return svd.matrixU() * svd.matrixV().transpose();
}

void make_upright(MatrixXd& directions) {
  for (auto column : directions.colwise()) {
    Eigen::Index largest = 0;
    column.cwiseAbs().maxCoeff(&largest);
    if (column[largest] < 0) column *= -1;
  }
}

Principal principal(const std::string& method, const Features& x) {
  Principal p;
  p.mean = mean_of(x);
  const auto [values, vectors, found] = eigenpairs(covariance(method, x, p.mean));
  const Eigen::Index d = values.size();
  Eigen::Index rank = 0;
  // Products of floats carry about 1e-7 of the largest variance; n vectors span at most n - 1 directions.
  const double least = 1e-7 * std::sqrt(static_cast<double>(d)) / 10 * values[d - 1];
  while (rank < std::min(d, x.rows() - 1) && values[d - 1 - rank] > least) ++rank;
  if (rank == 0) {
    fail(ErrorCode::kInvalidArgument, method, ": the largest variance of the features is ", values[d - 1],
         " in single precision; one that it can tell from 0 and from infinity would be right");
  }
  p.variance = values.tail(rank).reverse();
  p.directions = vectors.rightCols(rank).rowwise().reverse();
  make_upright(p.directions);
  return p;
}

void need_rank(const std::string& method, std::uint32_t bits, const Principal& p) {
  if (static_cast<Eigen::Index>(bits) <= p.variance.size()) return;
  fail(ErrorCode::kInvalidArgument, method,
       " gives at most one bit for each direction in which the features vary: ", p.variance.size(), " of ", p.mean.size(),
       " here, not ", bits);
}

MatrixXf gaussian(Eigen::Index rows, Eigen::Index columns, Random& random) {
  MatrixXf m(rows, columns);
  for (Eigen::Index c = 0; c < columns; ++c) {
    for (Eigen::Index r = 0; r < rows; ++r) m(r, c) = static_cast<float>(random.normal());
  }
  return m;
}

MatrixXd random_rotation(Eigen::Index size, Random& random) {
  const Eigen::HouseholderQR<MatrixXd> qr(gaussian(size, size, random).cast<double>());
  MatrixXd q = qr.householderQ();
  for (Eigen::Index k = 0; k < size; ++k) {
    if (qr.matrixQR()(k, k) < 0) q.col(k) *= -1;  // without this QR is not uniform over rotations (Mezzadri 2007)
  }
  return q;
}

MatrixXf signs(const MatrixXf& values) {
  return values.unaryExpr([](float v) { return v >= 0 ? 1.0f : -1.0f; });
}

void report(const BaselineOptions& options, const std::string& method, std::size_t done, std::size_t total) {
  if (options.progress && !options.progress({method, done, total, {}})) {
    fail(ErrorCode::kCancelled, method, " was stopped after ", done, " of ", total, " rounds");
  }
}

std::unique_ptr<Hasher> affine_hasher(std::string method, const MatrixXd& directions, const VectorXd& mean,
                                      std::vector<double> objective) {
  return std::make_unique<AffineHasher>(std::move(method), directions, mean, std::move(objective));
}

}  // namespace signet::baseline
