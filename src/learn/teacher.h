#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "learn/training_set.h"
#include "signet/encode/encoder.h"
#include "signet/learn/train.h"

namespace signet {

// Self-training: images without labels are given those that an earlier model, the teacher, names for them, and a new network
// learns from all (pseudo-labels: Lee 2013; a new student a round: Xie et al., CVPR 2020).

// What the teacher says of one image: the class of its highest logit, and that class's share of the softmax.
struct Opinion {
  std::int32_t label = 0;
  float sureness = 0;
};
// Of images of height x width x channels bytes each, one after the other.
std::vector<Opinion> ask_teacher(const Encoder& teacher, std::span<const std::uint8_t> pixels, const TrainingSet& geometry);

// Of the images that the teacher gives a class, the `share` it is surest of, class by class (rounded up; among equals the first):
// a class that it is less sure of altogether is not left out. Ascending by image.
std::vector<TaughtImage> surest(std::span<const Opinion> opinions, double share);

// How good such labels are: the share of right ones among the validation images that the teacher is at least as sure of as of
// the least sure image taken of the class it names. -1 where there are none.
double agreement(std::span<const Opinion> on_validation, const TrainingSet& set, std::span<const Opinion> opinions,
                 std::span<const TaughtImage> taken);

// What a teacher added to a training set.
struct Teaching {
  std::string fingerprint;  // of the teacher
  std::size_t unlabelled = 0, taught = 0;
  double agreement = -1;
};

// Adds the images of options.unlabelled to `set` as options.teacher and options.teacher_share say. Throws kUsage where one of the
// first two is missing; kInvalidArgument or kMismatch for a teacher that names no classes or others; as Encoder::open and
// load_unlabelled do.
Teaching teach(TrainingSet& set, const TrainOptions& options, ThreadPool& pool, std::uint64_t memory_limit,
               const std::function<bool(std::size_t done)>& keep_going);

}  // namespace signet
