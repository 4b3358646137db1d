#pragma once

#include <chrono>
#include <fstream>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "learn/batches.h"
#include "learn/checkpoint.h"
#include "learn/loss.h"
#include "learn/network.h"
#include "learn/optimizer.h"
#include "learn/rival.h"
#include "learn/schedule.h"
#include "learn/validation.h"
#include "signet/learn/train.h"

namespace signet {

// JSON lines beside a run, for people and for the report's curves; docs/train.md lists the events. Appends; without a path it
// does nothing.
class TrainingLog {
 public:
  explicit TrainingLog(const std::string& path);  // throws kIo where the file cannot be opened
  void write(const std::string& json_line);       // flushed; what cannot be written is dropped: a log must not end a run

 private:
  std::ofstream out_;
};

// Runs a plan over a training set, from where `state` stands to the end. One object a run; not thread-safe.
class Trainer {
 public:
  using ProgressCallback = std::function<bool(const TrainProgress&)>;
  Trainer(const TrainingSet& set, const TrainOptions& options, const Plan& plan, const RunIdentity& identity,
          HashNetwork& network, Optimizer& optimizer, const at::Device& device, TrainingLog& log);  // throws as RivalLoss does

  // As far as the first `stages` stages of the plan. The rates are those of the whole plan all the same.
  // Throws kCancelled (a checkpoint was written where there is a folder) and kInternal for a loss that is no number, or weights
  // that are none where a checkpoint is due: the last good checkpoint stays.
  void run(TrainingState& state, const ProgressCallback& progress, std::size_t stages = kAllStages);
  static constexpr std::size_t kAllStages = ~std::size_t{0};

 private:
  void run_stage(TrainingState& state, const ProgressCallback& progress);
  double train_step(const Stage& stage, const Batch& batch, const TrainingState& state);
  at::Tensor loss_of(const HashNetwork::Result& out, const Stage& stage, const Batch& batch, const TrainingState& state) const;
  void check_loss(double loss, const Stage& stage, const Batch& batch, const TrainingState& state) const;
  void check_weights(const TrainingState& state) const;
  std::string advice() const;  // for the messages of both
  void validate_now(const Stage& stage, TrainingState& state);
  void validate_copies(const Stage& stage, TrainingState& state);
  // `numbers`: what this kind of validation measures, beside what all of them do.
  void log_validation(const Stage& stage, const TrainingState& state, const ValidationNumbers& v, const nlohmann::json& numbers);
  void save(const TrainingState& state);
  bool report(const Stage& stage, const TrainingState& state, double loss, const ProgressCallback& progress);
  std::size_t steps_before(std::size_t stage) const;
  double seconds_now() const;

  const TrainingSet& set_;
  const TrainOptions& options_;
  const Plan& plan_;
  const RunIdentity& identity_;
  HashNetwork& network_;
  Optimizer& optimizer_;
  at::Device device_;
  TrainingLog& log_;
  std::optional<RivalLoss> rival_;
  std::chrono::steady_clock::time_point began_, last_checkpoint_;
  std::size_t end_ = 0;  // of the stages to run
  double seconds_before_ = 0, steps_at_start_ = 0;
  std::string warning_;
};

// The loss of one batch, summed over its images: classification with label smoothing and, in the joint stage, the exponentiated
// loss (a mean over pairs) times the number of images. nested: as in nested_pair_loss.
at::Tensor batch_loss(const HashNetwork::Result& out, const at::Tensor& targets, const at::Tensor& similarity, const Stage& stage,
                      const Plan& plan, const PairLossOptions& pairs, std::span<const std::uint32_t> nested);

// Replaces the running statistics by those of the weights as they are, over up to 10,000 training images without augmentation.
// batch: as in images_at_once.
void settle_statistics(HashNetwork& network, const TrainingSet& set, std::size_t batch, const at::Device& device);

}  // namespace signet
