#include "learn/rival_centres.h"

#include <cmath>

namespace signet {

using at::Tensor;

Tensor cnnh_loss(const RivalBatch& batch) { return (batch.outputs.tanh() - batch.targets).square().mean(); }

// -log((1 + tanh x) / 2) = log(1 + e^(-2x)): finite where the quotient is not.
Tensor csq_loss(const RivalBatch& batch) {
  constexpr double kLambda = 0.0001;
  const Tensor centre = at::softplus(-2 * batch.outputs * batch.targets).mean();
  return centre + kLambda * (batch.outputs.tanh().abs() - 1).square().mean();
}

Tensor dpn_loss(const RivalBatch& batch) { return (1 - batch.outputs * batch.targets).clamp_min(0).mean(); }

Tensor orthohash_loss(const RivalBatch& batch) {
  constexpr double kScale = 8, kMargin = 0.2;
  const Tensor length = batch.outputs.square().sum(1, true).clamp_min(1e-12).sqrt();
  const Tensor centres = batch.centres / std::sqrt(static_cast<double>(batch.centres.size(1)));
  const Tensor cosines = at::matmul(batch.outputs / length, centres.t());
  const Tensor own = batch.labels.gt(0).to(batch.labels.scalar_type());
  return cross_entropy(kScale * (cosines - kMargin * own), batch.labels);
}

}  // namespace signet
