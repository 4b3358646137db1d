#pragma once

#include <optional>
#include <span>
#include <string>

#include "learn/batches.h"
#include "learn/network.h"
#include "learn/target_codes.h"
#include "learn/torch.h"

namespace signet {

// The losses of other deep hashing methods, to compare with: same network, first stage, batches, optimiser and number of image
// passes, only the loss or the target differs (docs/rivals.md). A new one is a formula in one of the rival_*.cc and a row of the
// table in rival.cc.

// What a loss may look at. n images, K bits, C classes. Every code is the sign of `outputs`, whatever the loss makes of them.
struct RivalBatch {
  at::Tensor outputs;                // n x K: v, of the batch normalisation without scale and shift
  at::Tensor logits;                 // n x C: W tanh(v) + b
  at::Tensor classifier, intercept;  // C x K and C: W and b, for methods that feed a classifier something else
  at::Tensor labels;                 // n x C: 1 shared among an image's labels
  at::Tensor similar;                // n x n: 1 where two images share a label, else 0; 1 on the diagonal
  at::Tensor targets;                // n x K, +-1: of methods with target codes; else undefined
  at::Tensor centres;                // C x K, +-1: of methods with a centre a class; else undefined
  double progress = 0;               // share of the method's own steps that are done, 0 <= progress < 1
};

// A scalar, differentiable in `outputs`, `logits`, `classifier` and `intercept`: the loss as its paper states it, as a mean over
// images, pairs or triplets, whichever it sums over.
using RivalFormula = at::Tensor (*)(const RivalBatch&);

enum class RivalTargets { kNone, kHadamard, kBalanced, kBernoulli, kDescent };

struct Rival {
  const char* name;    // of --loss
  const char* source;  // who published it, where
  RivalFormula formula;
  RivalTargets targets = RivalTargets::kNone;  // where target codes and centres come from (target_codes.h)
  bool several_labels = true;                  // whether an image may have more than one
  bool classifier = false;                     // `logits` are trained: the model can name classes
  // The loss that is minimised is `rate` x formula. No paper's learning rate is of use for another optimiser; these were chosen
  // by validation images (docs/decisions/0066-rates-of-the-rivals.md).
  double rate = 1;
};

std::span<const Rival> rivals();
const Rival& find_rival(const std::string& name);  // throws kUsage, listing all

// One method at work on one training set. What it fixes beforehand is a function of (method, set, bits, seed): a resumed run
// makes the same again.
class RivalLoss {
 public:
  // Throws kInvalidArgument where the method has no meaning for these images or no codes of that length for them.
  RivalLoss(const Rival& rival, const TrainingSet& set, std::uint32_t bits, std::uint64_t seed, const at::Device& device);
  // Mean over what the method sums over; batch.similarity must be there.
  at::Tensor operator()(const HashNetwork& network, const HashNetwork::Result& out, const Batch& batch, double progress) const;

 private:
  const Rival& rival_;
  at::Device device_;
  at::Tensor centres_, codes_;      // C x K; one row a set of labels
  std::vector<std::int64_t> code_;  // row of codes_ of every image
};

// Helpers of the formulas.
at::Tensor mean_over_pairs(const at::Tensor& values);                          // n x n: without the diagonal; 0 for n = 1
at::Tensor signs_of(const at::Tensor& values);                                 // +-1, sign(0) = +1, a constant for autograd
at::Tensor squared_distances(const at::Tensor& rows);                          // n x n
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels);  // mean over images, no smoothing

}  // namespace signet
