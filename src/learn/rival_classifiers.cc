#include "learn/rival_classifiers.h"

namespace signet {

using at::Tensor;

Tensor dlbhc_loss(const RivalBatch& batch) { return cross_entropy(batch.logits, batch.labels); }

Tensor greedyhash_loss(const RivalBatch& batch) {
  const Tensor signs = batch.outputs + (signs_of(batch.outputs) - batch.outputs).detach();  // the signs, with the gradient of v
  const Tensor logits = at::matmul(signs, batch.classifier.t()) + batch.intercept;
  return cross_entropy(logits, batch.labels) + 0.1 * (batch.outputs.abs() - 1).abs().pow(3).mean();
}

}  // namespace signet
