#pragma once

#include <vector>

#include "learn/network.h"

namespace signet {

// Nesterov SGD with decoupled weight decay, for filters Muon in its place where a rate says so (docs/train.md), and the lookahead
// average of everything that is not frozen. State lives in plain tensors, so that a checkpoint is a list of them.
class Optimizer {
 public:
  struct Rates {
    double weights = 0, shifts = 0;              // step sizes for a loss summed over the batch
    double weights_decay = 0, shifts_decay = 0;  // added to the gradient times the value (already divided by the peak rate)
    double momentum = 0.85;
    double filters = 0;  // of the orthogonalised step of a filter whose rows have a mean square length of 1; 0: as other weights
  };
  // bfloat16: what orthogonalises a filter's step multiplies in it, as the network does; weights and momentum are float32.
  explicit Optimizer(HashNetwork& network, bool bfloat16 = false);

  void start_stage();             // momentum to zero, the average to the weights as they are
  void step(const Rates& rates);  // reads and clears the gradients; parameters without one stay
  // average = keep * average + (1 - keep) * weights, then weights = average.
  void average(double keep);

  const std::vector<at::Tensor>& momentum() const { return momentum_; }
  const std::vector<at::Tensor>& averages() const { return averages_; }

 private:
  HashNetwork& network_;
  bool bfloat16_;
  std::vector<at::Tensor> momentum_;  // of trained parameters, in the network's order
  std::vector<at::Tensor> averages_;  // of trained parameters and statistics, in the network's order
};

}  // namespace signet
