#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "learn/loss.h"
#include "learn/network.h"
#include "learn/training_set.h"

namespace signet {

struct ValidationNumbers {
  double map = -1;                                    // tie-aware; every validation image against the other validation images
  double accuracy = -1;                               // arg-max class is one of the image's labels
  double recall = -1;                                 // instance codes: see TrainResult::validation_recall
  std::map<std::uint32_t, double> map_of_beginnings;  // by length: map of the codes' first bits
  // The pair loss, without the classification term, of the soft codes that training sees and of their signs, exactly
  // (learn/loss.h); -1: not measured. Their difference is what rounding costs.
  double soft_loss = -1, exact_loss = -1;
  std::size_t images = 0, distinct_codes = 0;
  double worst_bit_mean = 0;  // the largest |mean of h_k|: 1 = a bit that never changes
  std::string warning;        // codes collapse: what was seen; empty otherwise
};

struct ValidationOptions {
  bool hash_layer = true, bfloat16 = false;        // without hash_layer: no codes yet, and nothing below counts
  std::span<const std::uint32_t> beginnings = {};  // nested lengths
  std::optional<PairLossOptions> pair_loss = {};   // over all these lengths; none: the network learns by another method's loss
  std::size_t batch = 500;                         // images a step of training: see images_at_once
};

// What a run of these options, with so many images a step, measures on its validation images.
ValidationOptions validation_options(const TrainOptions& options, std::size_t batch, bool hash_layer, bool bfloat16);

// Runs the network in evaluation mode over the set's validation images: all, or 10,000 spread over them.
ValidationNumbers validate(HashNetwork& network, const TrainingSet& set, const ValidationOptions& options,
                           const at::Device& device);

// The same for instance codes: every validation image and one altered copy of it are encoded; `recall` is the share of copies
// whose original is strictly nearer than every other validation image.
ValidationNumbers validate_instance(HashNetwork& network, const TrainingSet& set, std::size_t batch, bool bfloat16,
                                    const at::Device& device);

// Expected average precision over random orders within equal distances (McSherry & Najork 2008), mean over queries that have a
// relevant item; query i is not in its own database. Relevant: at least one label in common. codes: n x words, packed 64 bits a
// word.
double tie_aware_map(std::span<const std::uint64_t> codes, std::size_t words,
                     std::span<const std::vector<std::int32_t>* const> labels, std::uint32_t bits);

}  // namespace signet
