#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "signet/base/random.h"
#include "signet/baseline/hasher.h"

namespace signet::baseline {

using Eigen::MatrixXd;
using Eigen::MatrixXf;
using Eigen::VectorXd;
using Eigen::VectorXf;
using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Features = Eigen::Map<const RowMatrix>;

// The checks that every method needs: 1 to 4096 bits, at least two vectors, whole, finite, not all equal; labels one list a
// vector where there are any.
Features checked(const std::string& method, const FeatureSet& set, const BaselineOptions& options);
// The same for values to be hashed.
Features checked_values(const std::string& method, std::span<const float> values, std::size_t size);
// Label indicators, n x classes, 0 or 1. Throws kInvalidArgument where a vector has no label or all have the same ones.
MatrixXd indicators(const std::string& method, const FeatureSet& set);

// Decompositions, compiled once for all methods: each is a large template. Eigenvalues rise; vectors are columns; not `found`
// where the iteration did not end or, of two matrices, the second is not positive definite.
struct Eigenpairs {
  VectorXd values;
  MatrixXd vectors;
  bool found = false;
};
Eigenpairs eigenpairs(const MatrixXd& symmetric);
Eigenpairs eigenpairs(const MatrixXd& symmetric, const MatrixXd& metric);  // A v = lambda M v, v' M v = 1
// The nearest matrix with orthonormal columns, the answer to max tr(A' Q) (orthogonal Procrustes problem, Schoenemann 1966).
MatrixXd nearest_orthonormal(const MatrixXd& a);
void make_upright(MatrixXd& directions);  // turns columns so that the largest entry of each is positive: the same bits everywhere

VectorXd mean_of(const Features& x);
// (X - mean)'(X - mean) / n, accumulated in double over blocks of float products. Throws kInvalidArgument naming the method for
// vectors of more than kMostCovarianceSize numbers.
MatrixXd covariance(const std::string& method, const Features& x, const VectorXd& mean);

// Principal directions by falling variance, d x rank, upright: those whose variance is above 1e-8 sqrt(d) of the largest; at
// least one and at most n - 1.
struct Principal {
  VectorXd mean, variance;
  MatrixXd directions;
};
// Throws as covariance, and where single precision sees no variance at all.
Principal principal(const std::string& method, const Features& x);
// Throws kInvalidArgument naming the method where `bits` is more than the rank.
void need_rank(const std::string& method, std::uint32_t bits, const Principal& p);

MatrixXd random_rotation(Eigen::Index size, Random& random);  // uniform (Haar)
MatrixXf gaussian(Eigen::Index rows, Eigen::Index columns, Random& random);
MatrixXf signs(const MatrixXf& values);  // +1 where >= 0, else -1

// Reports `done` of `total`; throws Error{kCancelled} where the callback says stop.
void report(const BaselineOptions& options, const std::string& method, std::size_t done, std::size_t total);

// Adds a linear layer (weight: outputs x inputs, row-major); its number.
int append_linear(Network& network, int input, std::vector<float> weight, std::vector<float> bias);

// outputs = (x - mean) W: the linear methods.
std::unique_ptr<Hasher> affine_hasher(std::string method, const MatrixXd& directions, const VectorXd& mean,
                                      std::vector<double> objective = {});

}  // namespace signet::baseline
