// LSH, PCAH and IsoH: linear methods without labels whose directions come straight from the covariance or from chance.
#include <algorithm>

#include "baseline/linear_algebra.h"
#include "signet/baseline/methods.h"

namespace signet {
using namespace baseline;

std::unique_ptr<Hasher> fit_lsh(const FeatureSet& set, const BaselineOptions& options) {
  const Features x = checked("lsh", set, options);
  Random random(options.seed);
  return affine_hasher("lsh", gaussian(x.cols(), options.bits, random).cast<double>(), mean_of(x));
}

std::unique_ptr<Hasher> fit_pcah(const FeatureSet& set, const BaselineOptions& options) {
  const Principal p = principal("pcah", checked("pcah", set, options));
  need_rank("pcah", options.bits, p);
  return affine_hasher("pcah", p.directions.leftCols(options.bits), p.mean);
}

std::unique_ptr<Hasher> fit_isoh(const FeatureSet& set, const BaselineOptions& options) {
  const Principal p = principal("isoh", checked("isoh", set, options));
  need_rank("isoh", options.bits, p);
  const VectorXd variance = p.variance.head(options.bits).reverse();  // rising, as the eigensolver orders
  const double equal = variance.mean();
  Random random(options.seed);
  MatrixXd q = random_rotation(options.bits, random);
  std::vector<double> objective;
  for (std::size_t round = 0; round < options.rounds; ++round) {
    MatrixXd z = q * variance.asDiagonal() * q.transpose();
    objective.push_back((z.diagonal().array() - equal).matrix().norm() / (equal * std::sqrt(static_cast<double>(options.bits))));
    if (objective.back() < 1e-6) break;
    z.diagonal().setConstant(equal);  // projection
    q = eigenpairs(z).vectors;        // lift
    report(options, "isoh", round + 1, options.rounds);
  }
  // Rows of q hold the rotated axes: projecting on W q' gives the covariance q L q', whose diagonal is constant.
  const MatrixXd rising = p.directions.leftCols(options.bits).rowwise().reverse();
  return affine_hasher("isoh", rising * q.transpose(), p.mean, objective);
}

}  // namespace signet
