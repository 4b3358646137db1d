#include "learn/trainer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <sstream>

#include "learn/matrix.h"
#include "learn/test_data.h"
#include "signet/base/error.h"

namespace signet {
namespace {

TEST(Schedule, RateRisesToItsPeakAndFalls) {
  EXPECT_NEAR(rate_factor(0, 100), 0.2, 1e-12);
  EXPECT_NEAR(rate_factor(23, 100), 1, 1e-12);
  EXPECT_NEAR(rate_factor(100, 100), 0.07, 1e-12);
  for (std::size_t s = 24; s <= 100; ++s) EXPECT_LT(rate_factor(s, 100), rate_factor(s - 1, 100));
  EXPECT_GT(rate_factor(0, 1), 0);
}

TEST(Schedule, EveryKindOfPretrainingTakesTheSameSteps) {
  for (const Pretrain pretrain : {Pretrain::kNone, Pretrain::kFeatures, Pretrain::kBoth}) {
    TrainOptions o;
    o.pretrain = pretrain, o.epochs = 10, o.batch = 100;
    const Plan plan = make_plan(o, 10'000);
    EXPECT_EQ(plan.steps(), 1000u);
    EXPECT_EQ(plan.stages.back().name, "joint");
    EXPECT_TRUE(plan.stages.back().pair_loss);
    EXPECT_EQ(plan.stages.front().small_steps, 300u);
    o.progressive_resizing = false;
    EXPECT_EQ(make_plan(o, 10'000).stages.front().small_steps, 0u);
  }
}

TEST(Schedule, EveryStageTakesAStepAndWhatIsAddedIsCounted) {
  TrainOptions o;
  o.batch = 284;
  for (const auto& [epochs, added] : {std::pair{1.0, 2u}, {2.0, 1u}, {3.0, 1u}, {14.0, 0u}}) {
    o.epochs = epochs;
    const Plan plan = make_plan(o, 284);
    for (const Stage& stage : plan.stages) EXPECT_GE(stage.steps, 1u);
    EXPECT_EQ(plan.added_steps, added) << epochs;
    EXPECT_EQ(plan.steps(), static_cast<std::size_t>(epochs) + added);
  }
}

TEST(Schedule, SmallImagesKeepSixteenPixels) {
  EXPECT_EQ(small_side(28), 20);
  EXPECT_EQ(small_side(32), 23);
  EXPECT_EQ(small_side(22), 16);
  EXPECT_EQ(small_side(21), 21);
}

TEST(Schedule, ABatchIsNoLargerThanTheSetButHasPairsOfBothKinds) {
  EXPECT_EQ(make_plan({}, 1000).batch, 500u);
  EXPECT_EQ(make_plan({}, 30).batch, 30u);
  EXPECT_EQ(make_plan({}, 1).batch, 4u);
}

TEST(Optimizer, AverageKeepsItsShare) {
  HashNetwork network({1, 16, 16, {8, 8, 8}, 2, 3, 4}, 1, at::kCPU);
  Optimizer optimizer(network);
  const at::NoGradGuard no_gradient;
  at::Tensor weight = network.value("hash.weight");
  const at::Tensor before = weight.clone();
  weight.add_(1);
  optimizer.average(0.75);
  EXPECT_TRUE(at::allclose(weight, before + 0.25));
  weight.add_(1);
  optimizer.average(1);
  EXPECT_TRUE(at::allclose(weight, before + 0.25));  // the weights become the average
}

TEST(Optimizer, TakesNesterovStepsWithDecay) {
  HashNetwork network({1, 16, 16, {8, 8, 8}, 2, 3, 4}, 1, at::kCPU);
  Optimizer optimizer(network);
  at::Tensor bias = network.value("classify.bias");
  double value = 0, momentum = 0;
  for (int i = 0; i < 3; ++i) {
    bias.mutable_grad() = at::full({3}, 2.0, at::kFloat);
    optimizer.step({0.1, 0, 0.5, 0, 0.9});
    const double gradient = 2 + 0.5 * value;
    momentum = 0.9 * momentum + gradient;
    value -= 0.1 * (gradient + 0.9 * momentum);
    EXPECT_NEAR(bias[0].item<double>(), value, 1e-5);
  }
}

at::Tensor singular_values(const at::Tensor& matrix) { return std::get<1>(at::linalg_svd(matrix.flatten(1), false)); }

TEST(Optimizer, OrthogonalisedGradientsHaveSingularValuesNearOne) {
  at::manual_seed(1);
  const std::vector<std::vector<std::int64_t>> sizes = {{8, 24, 3, 3}, {64, 2, 3, 3}, {16, 16, 1, 1}};
  for (std::size_t i = 0; i < 2 * sizes.size(); ++i) {
    const bool bfloat16 = i >= sizes.size();
    const at::Tensor gradient = at::randn(sizes[i % sizes.size()], at::kFloat) * 1e-3, step = orthogonalised(gradient, bfloat16);
    ASSERT_EQ(step.sizes(), gradient.sizes());
    EXPECT_EQ(step.scalar_type(), at::kFloat);
    EXPECT_EQ(step.to(at::kBFloat16).to(at::kFloat).equal(step), bfloat16);  // which of the two it multiplied in
    const at::Tensor values = singular_values(step);
    EXPECT_LT(values.max().item<double>(), 1.35);
    EXPECT_GT(values.median().item<double>(), 0.6);
    EXPECT_GT((step * gradient).sum().item<double>(), 0);  // downhill is still downhill
  }
  EXPECT_EQ(orthogonalised(at::zeros({4, 3, 3, 3})).abs().max().item<double>(), 0);
}

TEST(Optimizer, MuonScalesFiltersAndStepsByTheRateWhateverTheGradientsSize) {
  for (const double size : {1e-6, 1e3}) {
    HashNetwork network({1, 16, 16, {8, 8, 8}, 2, 3, 4}, 1, at::kCPU);
    Optimizer optimizer(network);
    const at::NoGradGuard no_gradient;
    at::Tensor filter = network.value("block2.conv1.weight"), bias = network.value("classify.bias");
    filter.mul_(5);
    const at::Tensor unit = filter * (std::sqrt(8.0) / filter.norm());
    filter.mutable_grad() = at::randn_like(filter) * size;
    bias.mutable_grad() = at::full({3}, 2.0, at::kFloat);
    optimizer.step({0.1, 0, 0.5, 0, 0.9, 0.01});
    const at::Tensor values = singular_values((unit - filter) / 0.01);
    EXPECT_LT(values.max().item<double>(), 1.35) << size;
    EXPECT_GT(values.median().item<double>(), 0.6) << size;
    EXPECT_NEAR(bias[0].item<double>(), -0.1 * (2 + 0.9 * 2), 1e-5);  // all but filters by SGD
    filter.mutable_grad() = at::Tensor();
  }
}

// Decision 0110: with the step size of the features the codes of a network without pre-training collapse.
TEST(Schedule, TheHashLossHasItsRateWhateverCameBefore) {
  for (const Pretrain pretrain : {Pretrain::kNone, Pretrain::kFeatures, Pretrain::kBoth}) {
    TrainOptions options;
    options.pretrain = pretrain;
    EXPECT_EQ(make_plan(options, 10'000).stages.back().rate, 4);
  }
}

TEST(Schedule, MuonsRateFollowsTheStages) {
  TrainOptions options;
  for (const Stage& stage : make_plan(options, 10'000).stages) EXPECT_EQ(stage.filter_rate, 0);
  options.optimizer = FilterOptimizer::kMuon;
  const Plan plan = make_plan(options, 10'000);
  ASSERT_EQ(plan.stages.size(), 3u);
  EXPECT_DOUBLE_EQ(plan.stages[0].filter_rate, 0.12);
  EXPECT_DOUBLE_EQ(plan.stages[2].filter_rate, 0.12 * 4 / 11.5);
}

TrainingSet bars() {
  ThreadPool pool(1);
  return load_training_set(BarDataset(labels_in_turn(60, 3), 3), 0, 0, 1, pool, std::uint64_t{1} << 30,
                           [](std::size_t) { return true; });
}

TEST(Trainer, NotANumberStopsWithTheBatchNamedAndTheCheckpointKept) {
  const std::string folder = testing::TempDir() + "signet-trainer-nan";
  std::filesystem::remove_all(folder);
  const TrainingSet set = bars();
  TrainOptions options;
  options.checkpoint_folder = folder;
  options.checkpoint_seconds = 1e9;  // only at the end of stages
  Plan plan;
  plan.batch = 20;
  plan.stages = {{"features", 3, false, false, 1, 1}, {"joint", 4, true, true, 0.1, 1e36}};  // the second explodes
  const RunIdentity identity{"{}", set.data_hash, "bars"};
  HashNetwork network({1, 16, 16, {8, 8, 8}, 2, 3, 4}, 1, at::kCPU);
  Optimizer optimizer(network);
  TrainingLog log("");
  TrainingState state;
  try {
    Trainer(set, options, plan, identity, network, optimizer, at::kCPU, log).run(state, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInternal);
    const std::string text = error.what();
    EXPECT_NE(text.find("nan"), std::string::npos) << text;
    EXPECT_NE(text.find("stage joint at batch "), std::string::npos) << text;
    EXPECT_NE(text.find("last good checkpoint"), std::string::npos) << text;
  }
  const TrainingState kept = load_checkpoint(real_file_system(), checkpoint_path(folder), identity, network, optimizer);
  EXPECT_EQ(kept.stage, 1u);
  EXPECT_EQ(kept.step, 0u);
  for (const Parameter& p : network.parameters()) EXPECT_TRUE(p.value.isfinite().all().item<bool>()) << p.name;
  std::filesystem::remove_all(folder);
}

// Whatever a step leaves, in the network or in what it learns by, is looked at before it takes the place of a good checkpoint.
TEST(Trainer, WeightsThatAreNoNumbersNeverReplaceACheckpoint) {
  const std::string folder = testing::TempDir() + "signet-trainer-weights";
  const TrainingSet set = bars();
  TrainOptions options;
  options.checkpoint_folder = folder;
  options.checkpoint_seconds = 0;  // after every step
  Plan plan;
  plan.batch = 20;
  plan.stages = {{"features", 3, false, false, 1, 1}};
  const RunIdentity identity{"{}", set.data_hash, "bars"};
  for (const bool in_momentum : {false, true}) {
    std::filesystem::remove_all(folder);
    HashNetwork network({1, 16, 16, {8, 8, 8}, 2, 3, 4}, 1, at::kCPU);
    Optimizer optimizer(network);
    TrainingLog log("");
    TrainingState state;
    const auto spoil = [&](const TrainProgress& p) {
      const at::NoGradGuard no_gradient;
      const at::Tensor target = in_momentum ? optimizer.momentum().back() : network.value("classify.bias");
      if (p.step == 2) target.fill_(std::nan(""));
      return true;
    };
    try {
      Trainer(set, options, plan, identity, network, optimizer, at::kCPU, log).run(state, spoil);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInternal);
      const std::string text = error.what();
      EXPECT_NE(text.find(in_momentum ? "(classify.bias/momentum)" : "(classify.bias)"), std::string::npos) << text;
      EXPECT_NE(text.find("after step 2 of 3"), std::string::npos) << text;
      EXPECT_NE(text.find(folder + " keeps the last good checkpoint"), std::string::npos) << text;
    }
    const TrainingState kept = load_checkpoint(real_file_system(), checkpoint_path(folder), identity, network, optimizer);
    EXPECT_EQ(kept.step, 1u);
    EXPECT_EQ(not_finite(network, optimizer), "");
  }
  std::filesystem::remove_all(folder);
}

TEST(TrainingLog, HalfALineOfAKilledRunIsDropped) {
  const std::string path = testing::TempDir() + "signet-cut-log.jsonl";
  std::ofstream(path) << "{\"event\":\"step\"}\n{\"eve";
  TrainingLog(path).write("{}");
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), "{\"event\":\"step\"}\n{}\n");
  std::filesystem::remove(path);
}

TEST(TrainingLog, AnUnwritablePathIsAnError) { EXPECT_THROW(TrainingLog("/nonexistent/folder/log.jsonl"), Error); }

TEST(TrainingLog, ALogThatCannotBeCutIsAnError) {
  const int file = ::memfd_create("log", MFD_ALLOW_SEALING);  // sealed: not even root may shorten it
  ASSERT_GE(file, 0);
  const std::string half = "{\"event\":\"step\"}\n{\"eve", path = concat("/proc/self/fd/", file);
  ASSERT_EQ(::write(file, half.data(), half.size()), static_cast<ssize_t>(half.size()));
  ASSERT_EQ(::fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK), 0);
  try {
    TrainingLog log(path);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_NE(std::string(error.what()).find("--log " + path), std::string::npos) << error.what();
  }
  ::close(file);
}

}  // namespace
}  // namespace signet
