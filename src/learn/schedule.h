#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "signet/learn/train.h"

namespace signet {

// What a stage is made of. Chosen on validation data only (docs/method.md says how).
struct Stage {
  std::string name;  // "features", "hash-layer", "joint"
  std::size_t steps = 0;
  bool hash_layer = false;      // the classifier sees the soft code
  bool pair_loss = false;       // the hashing loss on all layers: the exponentiated one, or the rival's in its place
  double classification = 1;    // weight of the classification loss
  double rate = 0;              // learning rate at the peak of the triangle, for a sum over 1,024 images, as airbench counts it
  std::size_t small_steps = 0;  // its first steps see images of kSmall of their side
  double filter_rate = 0;       // of Muon at the peak (Optimizer::Rates::filters); 0: filters learn by SGD
};

struct Plan {
  std::vector<Stage> stages;
  std::size_t batch = 0;
  double momentum = 0.85;
  double weight_decay = 0.0153;  // decoupled, per 1,024 images
  double shift_rate = 64;        // the shifts of batch normalisation learn this much faster
  double label_smoothing = 0.2;
  std::size_t added_steps = 0;  // beyond what the passes come to: every stage takes one at least
  std::size_t steps() const;
  // Whether the classifier that gives the logits of this stage has been trained by its end.
  bool classifies(std::size_t stage) const;
};

// Two images of each of two classes: fewer have no similar or no dissimilar pairs.
inline constexpr std::size_t kLeastBatch = 4;

// Stages for `images` training images. The passes (options.epochs, or the architecture's default) are shared among the stages by
// fixed fractions, so that every kind of pre-training sees the same number of images. A rival's own stage takes those of the
// stages "hash-layer" and "joint" together: what comes before it is the shared first stage alone.
Plan make_plan(const TrainOptions& options, std::size_t images);

// Progressive resizing (Howard 2018): coarse filters are learned as well on smaller images, in half the time.
inline constexpr double kSmall = 5.0 / 7;
inline constexpr double kSmallShare = 0.3;   // of all steps
std::int64_t small_side(std::int64_t side);  // the side itself where the smaller one would be under 16 pixels

// Triangular learning rate: from 0.2 at step 0 up to 1 at 23 % of all steps, then down to 0.07 at the end. A factor of the
// stage's rate.
double rate_factor(std::size_t step, std::size_t steps);

// Lookahead averaging (Zhang et al. 2019, in airbench's form): every fifth step the average takes the share 1 - 0.95^5 (step /
// steps)^3 of the weights, and the weights go on from the average. At the end of the stage the weights are the average (share
// kept 1).
double average_keep(std::size_t step, std::size_t steps);
inline constexpr std::size_t kAverageEvery = 5;
// Whether a stage of so many steps averages at all. A shorter one would end as the average of its first few steps or, below six,
// as it began.
bool averages(std::size_t steps);

}  // namespace signet
