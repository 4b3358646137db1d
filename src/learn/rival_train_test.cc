#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "learn/schedule.h"
#include "learn/training_test.h"
#include "signet/encode/encoder.h"
#include "signet/learn/train.h"

// The other methods' losses in training: each learns, resumes, shares the first stage and says what it is.
namespace signet {
namespace {

using nlohmann::json;

std::vector<std::string> rival_names() {
  std::vector<std::string> names;
  for (const LossName& loss : loss_names())
    if (!loss.name.starts_with("exp-")) names.push_back(loss.name);
  return names;
}

class RivalTrain : public TrainingTest, public testing::WithParamInterface<std::string> {
 protected:
  TrainOptions options(const std::string& name) const {
    TrainOptions o = quick();
    set_loss(o, name);
    return o;
  }
};

// Cut off within the rival's own steps (16 of stage "features", 16 of its own) it goes on to the same weights.
TEST_P(RivalTrain, ResumesBitForBit) {
  const TrainOptions o = options(GetParam());
  const TrainResult whole = train(data_, o, path("model.onnx"));
  EXPECT_EQ(whole.image_passes, 96u * 8u);
  TrainOptions cut = o;
  cut.checkpoint_folder = path("checkpoint");
  EXPECT_THROW(train(data_, cut, path("cut.onnx"), [](const TrainProgress& p) { return p.epochs == 0 || p.step < 21; }), Error);
  cut.resume = true;
  EXPECT_EQ(train(data_, cut, path("cut.onnx")).fingerprint, whole.fingerprint);
}

// From random weights, so that nothing but the loss itself can tell the classes apart: with steps of size zero mAP is 0.71.
TEST_P(RivalTrain, Learns) {
  const BarDataset more(labels_in_turn(800, 4), 4);
  TrainOptions o = options(GetParam());
  o.pretrain = Pretrain::kNone, o.epochs = 20, o.batch = 48;
  EXPECT_GT(train(more, o, path("model.onnx")).validation_map, 0.9);
}

TEST_P(RivalTrain, TheModelSaysWhatItIsAndEncodes) {
  TrainOptions o = options(GetParam());
  o.epochs = 2, o.record = R"({"data": "bars"})";
  const TrainResult result = train(data_, o, path("model.onnx"));
  const Encoder encoder = Encoder::open(real_file_system(), path("model.onnx"), {1, "auto"});
  EXPECT_EQ(encoder.info().bits, 8u);
  const json record = json::parse(encoder.info().training_record);
  EXPECT_EQ(record.at("loss"), GetParam());
  EXPECT_EQ(record.at("options").at("loss"), GetParam());
  EXPECT_FALSE(record.contains("alpha"));
  const bool names_classes = GetParam() == "dlbhc";
  EXPECT_EQ(encoder.classes(), names_classes ? 4u : 0u);
  EXPECT_EQ(result.validation_accuracy >= 0, names_classes);
  EXPECT_EQ(record.at("validation").at("accuracy").is_number(), names_classes);
}

INSTANTIATE_TEST_SUITE_P(Losses, RivalTrain, testing::ValuesIn(rival_names()), [](const auto& loss) { return loss.param; });

class Rivals : public TrainingTest {};

TEST_F(Rivals, BeginAfterTheSameSharedStageAsSignet) {
  train_features(data_, quick(), path("features"));
  TrainOptions o = quick();
  set_loss(o, "orthohash");
  const std::string alone = train(data_, o, path("alone.onnx")).fingerprint;
  o.features_from = path("features");
  const TrainResult shared = train(data_, o, path("shared.onnx"));
  EXPECT_EQ(shared.fingerprint, alone);
  EXPECT_EQ(shared.image_passes, 96u * 8u);
  EXPECT_EQ(shared.shared_image_passes, 96u * 4u);
}

// The triangle of rates spans all steps, so a shared first stage asks for the same number of them.
TEST_F(Rivals, HaveAsManyStepsWhateverTheRounding) {
  TrainOptions own = quick(), other = quick();
  set_loss(other, "dsh");
  for (std::size_t images = 480; images < 720; ++images)  // 160 to 240 steps
    EXPECT_EQ(make_plan(own, images).steps(), make_plan(other, images).steps()) << images;
}

TEST_F(Rivals, TakeThePassesOfBothLaterStages) {
  for (const Pretrain pretrain : {Pretrain::kNone, Pretrain::kFeatures, Pretrain::kBoth}) {
    TrainOptions own = quick(), other = quick();
    own.pretrain = other.pretrain = pretrain;
    set_loss(other, "dsh");
    const Plan a = make_plan(own, 1000), b = make_plan(other, 1000);
    EXPECT_EQ(a.steps(), b.steps());
    EXPECT_EQ(b.stages.size(), pretrain == Pretrain::kNone ? 1u : 2u);
    if (pretrain != Pretrain::kNone) {
      EXPECT_EQ(a.stages.front().steps, b.stages.front().steps);
      EXPECT_TRUE(b.classifies(0));
    }
    EXPECT_EQ(a.stages.back().rate, b.stages.back().rate);
    EXPECT_FALSE(b.classifies(b.stages.size() - 1));
    EXPECT_TRUE(a.classifies(a.stages.size() - 1));
  }
}

TEST_F(Rivals, AnUnknownNameIsToldAllThereAre) {
  TrainOptions o;
  try {
    set_loss(o, "hinge");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    for (const LossName& loss : loss_names())
      EXPECT_NE(std::string(error.what()).find(loss.name), std::string::npos) << loss.name;
  }
  o.rival = "hinge";
  EXPECT_THROW(check_train_options(o), Error);
  EXPECT_EQ(rival_names().size(), 11u);
}

TEST_F(Rivals, OptionsOfSignetsOwnLossAreRefused) {
  const auto expect = [this](const std::string& part, const auto& change) {
    TrainOptions o = quick();
    set_loss(o, "dpsh");
    change(o);
    expect_error(ErrorCode::kUsage, part, data_, o);
    set_loss(o, "exp-product");
    check_train_options(o);
  };
  expect("--alpha", [](TrainOptions& o) { o.alpha = 9; });
  expect("--exponent-cap", [](TrainOptions& o) { o.exponent_cap = 1; });
  expect("--natural-weight", [](TrainOptions& o) { o.equal_pair_mass = false; });
  expect("--joint-classification", [](TrainOptions& o) { o.joint_classification = 0; });
  expect("--nested", [](TrainOptions& o) { o.nested = {4}; });
  expect("--supervision instance", [](TrainOptions& o) { o.supervision = Supervision::kInstance; });
}

TEST_F(Rivals, LabelsThatAMethodHasNoMeaningForAreRefused) {
  std::vector<std::vector<std::int32_t>> several;
  for (std::int32_t i = 0; i < 60; ++i)
    several.push_back(i % 3 == 0 ? std::vector{0} : i % 3 == 1 ? std::vector{0, 1} : std::vector{2});
  const BarDataset multi(several, 3), one(labels_in_turn(30, 1), 1);
  for (const std::string& name : rival_names()) {
    TrainOptions o = quick();
    o.epochs = 2;
    set_loss(o, name);
    expect_error(ErrorCode::kInvalidArgument, "class", one, o);
    if (name == "dlbhc" || name == "greedyhash" || name == "dpn")
      expect_error(ErrorCode::kInvalidArgument, concat("--loss ", name, " needs one label an image"), multi, o);
  }
}

// The codes of several classes: a majority, a descent, a mean over classes.
TEST_F(Rivals, SeveralLabelsAnImageAreLearntWhereTheyHaveAMeaning) {
  std::vector<std::vector<std::int32_t>> labels;
  for (std::int32_t i = 0; i < 90; ++i)
    labels.push_back(i % 3 == 0 ? std::vector{0} : i % 3 == 1 ? std::vector{0, 1} : std::vector{2});
  const BarDataset data(labels, 3);
  for (const char* name : {"csq", "cnnh", "orthohash"}) {
    TrainOptions o = quick();
    set_loss(o, name);
    EXPECT_GT(train(data, o, path("model.onnx")).validation_map, 0.6) << name;
  }
}

TEST_F(Rivals, CentresThatDoNotExistAreRefused) {
  TrainOptions o = quick();
  o.bits = 2;
  set_loss(o, "csq");
  expect_error(ErrorCode::kInvalidArgument, "--loss csq: --bits 2", BarDataset(labels_in_turn(60, 5), 5), o);
}

}  // namespace
}  // namespace signet
