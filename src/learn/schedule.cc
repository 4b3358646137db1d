#include "learn/schedule.h"

#include <algorithm>
#include <cmath>

#include "learn/rival.h"
#include "signet/base/error.h"

namespace signet {
namespace {

struct Shares {
  double features, hash_layer, joint;
};

Shares shares(Pretrain pretrain) {
  switch (pretrain) {
    case Pretrain::kNone:
      return {0, 0, 1};
    case Pretrain::kFeatures:
      return {0.6, 0, 0.4};
    case Pretrain::kBoth:
      return {0.5, 0.15, 0.35};
  }
  return {0.5, 0.15, 0.35};
}

constexpr double kFeaturesRate = 11.5, kCodesRate = 4, kMuonRate = 0.12;  // decisions 0058 and 0110

double default_epochs(const std::string& arch) { return arch == "small" ? 14 : arch == "medium" ? 12 : 16; }

}  // namespace

std::size_t Plan::steps() const {
  std::size_t sum = 0;
  for (const Stage& stage : stages) sum += stage.steps;
  return sum;
}

bool Plan::classifies(std::size_t stage) const {
  const auto trained = [](const Stage& s) { return s.hash_layer && s.classification > 0; };
  if (!stages[stage].hash_layer) return stages[stage].classification > 0;
  return std::any_of(stages.begin(), stages.begin() + static_cast<std::ptrdiff_t>(stage) + 1, trained);
}

Plan make_plan(const TrainOptions& options, std::size_t images) {
  Plan plan;
  plan.batch = options.batch > 0 ? options.batch : std::clamp<std::size_t>(images, kLeastBatch, 500);
  const double epochs = options.epochs > 0 ? options.epochs : default_epochs(options.arch);
  const double steps = epochs * static_cast<double>(images) / static_cast<double>(plan.batch);
  if (!(steps < 1e9))
    fail(ErrorCode::kInvalidArgument, "--epochs ", epochs, " would take ", steps, " steps; at most 1e9 are possible");
  double before = 0;  // share of the steps: rounded where stages meet, so that all kinds of plans have the same number of steps
  const auto add = [&](const char* name, double share, bool hash_layer, bool pair_loss, double classification, double rate) {
    if (share == 0) return;
    const long begin = std::lround(steps * before), end = std::lround(steps * (before + share));
    before += share;
    const double filter_rate = options.optimizer == FilterOptimizer::kMuon ? kMuonRate * rate / kFeaturesRate : 0;
    plan.added_steps += end > begin ? 0 : 1;
    plan.stages.push_back(
        {name, static_cast<std::size_t>(std::max(1L, end - begin)), hash_layer, pair_loss, classification, rate, 0, filter_rate});
  };
  if (options.supervision == Supervision::kInstance) {  // nothing to classify: the joint stage alone
    plan.batch = std::max(kLeastBatch, plan.batch / 2 * 2);
    add("joint", 1, true, true, 0, kFeaturesRate);
    return plan;
  }
  const Shares s = shares(options.pretrain);
  add("features", s.features, false, false, 1, kFeaturesRate);
  if (options.rival.empty()) {
    add("hash-layer", s.hash_layer, true, false, 1, kCodesRate);
    add("joint", s.joint, true, true, options.joint_classification, kCodesRate);
  } else {
    add("joint", s.hash_layer + s.joint, true, true, find_rival(options.rival).classifier ? 1 : 0, kCodesRate);
  }
  if (options.progressive_resizing)  // the same for every kind of pre-training: all see as many pixels
    plan.stages.front().small_steps = std::min(plan.stages.front().steps, static_cast<std::size_t>(steps * kSmallShare));
  return plan;
}

std::int64_t small_side(std::int64_t side) {
  const std::int64_t smaller = std::llround(kSmall * static_cast<double>(side));
  return smaller >= 16 ? smaller : side;
}

double rate_factor(std::size_t step, std::size_t steps) {
  const double t = static_cast<double>(step) / static_cast<double>(std::max<std::size_t>(1, steps)), peak = 0.23;
  return t < peak ? 0.2 + (1 - 0.2) * t / peak : 1 + (0.07 - 1) * (t - peak) / (1 - peak);
}

bool averages(std::size_t steps) { return steps >= 2 * kAverageEvery; }

double average_keep(std::size_t step, std::size_t steps) {
  if (step >= steps) return 1;
  return std::pow(0.95, 5) * std::pow(static_cast<double>(step) / static_cast<double>(steps), 3);
}

}  // namespace signet
