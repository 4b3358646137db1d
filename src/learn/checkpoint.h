#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "learn/network.h"
#include "learn/optimizer.h"
#include "signet/base/file_system.h"

namespace signet {

// Where a run stands. Batches and augmentation are pure functions of (seed, stage, step), so this and the tensors are all that a
// run needs to go on as if it had not been interrupted.
struct TrainingState {
  std::size_t stage = 0, step = 0;  // the next step to take; stage == number of stages: finished
  std::uint64_t image_passes = 0;
  double seconds = 0;  // spent so far, over all parts of the run
  double validation_map = -1, validation_accuracy = -1;
  double validation_recall = -1;  // not kept in the file: measured again after the next pass
};

// What a checkpoint belongs to.
struct RunIdentity {
  std::string options;  // JSON object of all options that shape the weights
  std::string data_hash;
  std::string data_name;  // for messages
};

// One file, docs/format/checkpoint.md. Written atomically: the previous checkpoint stays until the new one is complete.
void save_checkpoint(FileSystem& fs, const std::string& path, const RunIdentity& identity, const TrainingState& state,
                     std::size_t stages, const HashNetwork& network, const Optimizer& optimizer);

// The first tensor of such a file that has a value which is no number; empty: all are finite.
std::string not_finite(const HashNetwork& network, const Optimizer& optimizer);

// Removes what a process that died while it wrote a checkpoint left beside it. Nothing else: the folder may be anybody's.
void remove_unfinished_checkpoints(FileSystem& fs, const std::string& path);

// Fills network and optimizer. Throws kMismatch with the first option that differs, or saying that the data differ; kCorrupt for
// a damaged file.
TrainingState load_checkpoint(FileSystem& fs, const std::string& path, const RunIdentity& identity, HashNetwork& network,
                              Optimizer& optimizer);

// Whether a file holds a run that has not reached its end. False for a missing file; throws kCorrupt for a damaged one.
bool checkpoint_is_unfinished(FileSystem& fs, const std::string& path);

// The stage "features" of a finished run, for others to begin after (docs/format/features.md): everything but hash layer and
// classifier on top of it, which that stage does not touch. identity.options: those that shape this stage. `model`: bytes of the
// same network as a model (model_bytes()), for read_features_source().
struct TrainedFeatures {
  std::uint64_t image_passes = 0;
  double seconds = 0;
  double validation_accuracy = -1;
};
void save_features(FileSystem& fs, const std::string& path, const RunIdentity& identity, const TrainedFeatures& features,
                   const HashNetwork& network, std::span<const std::byte> model);
// Fills the network's feature layers. Throws kNotFound; kMismatch with the first option that differs or saying that the data
// differ; kCorrupt for a damaged file.
TrainedFeatures load_features(FileSystem& fs, const std::string& path, const RunIdentity& identity, HashNetwork& network);

std::string checkpoint_path(const std::string& folder);  // FOLDER/training.sigckpt

}  // namespace signet
