#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "learn/training_set.h"
#include "signet/image/alter.h"
#include "signet/image/augment.h"

namespace signet {

enum class Balance {
  kUniform,  // every image once a pass
  kClasses,  // every batch holds the same number of images of each of its classes
};

// Which images make batch `step` of a stage: a pure function of its arguments, so that a resumed run needs no sampler state.
class Sampler {
 public:
  struct Pick {
    std::size_t position;  // in the training set
    std::uint64_t pass;    // how often it was used before: drives the alternating flip
  };
  // Classes are those of an image's first label. With more than batch / 8 classes each batch takes batch / 8 of them in turn, but
  // two where that would be fewer and it has four images or more: there are always similar and dissimilar pairs. A class with few
  // images repeats them.
  Sampler(const TrainingSet& set, std::size_t batch, Balance balance, std::uint64_t seed);
  std::vector<Pick> picks(std::size_t step) const;

 private:
  const std::vector<std::size_t>& order(std::size_t group, std::uint64_t pass) const;  // permutation, cached for the latest pass
  std::vector<std::vector<std::size_t>> groups_;
  std::size_t batch_, classes_per_batch_ = 1, round_ = 1;  // round_: class slots between two orders of the classes
  std::uint64_t seed_;
  struct Cached {
    std::uint64_t pass = ~std::uint64_t{0};
    std::vector<std::size_t> order;
  };
  mutable std::vector<std::array<Cached, 2>> cache_;
};

struct Batch {
  std::size_t step = 0;
  at::Tensor images;      // n x c x h x w, channels-last, float32
  at::Tensor targets;     // n x classes: 1 shared among an image's labels
  at::Tensor similarity;  // n x n in [-1, 1]: 2 |shared labels| / |all labels| - 1; undefined unless asked for
  std::vector<std::size_t> positions;
};

struct BatchOptions {
  std::size_t batch = 500;
  Balance balance = Balance::kUniform;
  AugmentOptions augment;  // what it cuts out gets the mean of all training pixels
  std::uint64_t seed = 1;
  bool similarity = false;
  // Every image twice in a batch, as two views after changes of kTuningChanges (instance codes): images come in pairs of rows,
  // `similarity` is 1 between views of one image and -1 elsewhere, and `augment` and labels are not used. An even `batch`.
  bool views = false;
};

// Prepares batches first, first + 1, ..., end - 1 on its own thread, at most two ahead of next(). The contents depend on nothing
// but (set, options, step). set must outlive it.
class BatchLoader {
 public:
  BatchLoader(const TrainingSet& set, const BatchOptions& options, std::size_t first, std::size_t end);
  ~BatchLoader();
  Batch next();  // rethrows what the thread threw

 private:
  Batch make(std::size_t step) const;
  Batch make_views(std::size_t step) const;
  float* put(std::span<const std::uint8_t> image, float* pixel) const;
  void work();

  const TrainingSet& set_;
  BatchOptions options_;
  Sampler sampler_;
  std::vector<float> table_;
  std::uint8_t fill_;  // of cut-out pixels
  std::size_t made_, end_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Batch> ready_;
  std::exception_ptr error_;
  bool stop_ = false;
  std::thread thread_;
};

// n x n: 1 between views of the same image, -1 elsewhere. A batch that ends one pass and begins the next may hold an image in two
// pairs of rows.
at::Tensor view_similarity(std::span<const std::size_t> positions);

// One altered copy of an image at the set's geometry: the picture after `changes`, scaled as preprocessing does.
std::vector<std::uint8_t> altered_view(const TrainingSet& set, std::size_t position, std::span<const Change> changes,
                                       double plain, std::uint64_t seed);

// n x n label similarity of images at these positions, as in Batch.
at::Tensor label_similarity(const TrainingSet& set, std::span<const std::size_t> positions);

}  // namespace signet
