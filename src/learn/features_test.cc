#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "learn/training_test.h"
#include "signet/encode/encoder.h"
#include "signet/encode/features_file.h"
#include "signet/learn/train.h"

// The stage "features" trained once and shared, and nested codes.
namespace signet {
namespace {

using nlohmann::json;

class Features : public TrainingTest {
 protected:
  TrainOptions sharing() const {
    TrainOptions o = quick();
    o.features_from = path("features");
    return o;
  }
  void expect_error(ErrorCode code, const std::string& part, const TrainOptions& o) {
    TrainingTest::expect_error(code, part, data_, o);
  }
};

TEST_F(Features, ASharedStageLeadsToTheSameWeightsAsATrainedOne) {
  const TrainResult first = train_features(data_, quick(), path("features"));
  EXPECT_EQ(first.image_passes, 16u * 24u);  // half of 8 epochs of 96 images
  EXPECT_TRUE(first.model_path.empty());
  EXPECT_EQ(first.validation_map, -1);
  EXPECT_GE(first.validation_accuracy, 0);
  EXPECT_GT(first.pflop, 0);
  for (const std::uint32_t bits : {8u, 5u}) {
    TrainOptions alone = quick(), shared = sharing();
    alone.bits = shared.bits = bits;
    alone.alpha = shared.alpha = bits;  // neither shapes the features
    const TrainResult whole = train(data_, alone, path("whole.onnx")), rest = train(data_, shared, path("rest.onnx"));
    EXPECT_EQ(rest.fingerprint, whole.fingerprint) << bits;
    EXPECT_EQ(rest.image_passes, whole.image_passes);
    EXPECT_EQ(whole.shared_image_passes, 0u);
    EXPECT_EQ(rest.shared_image_passes, first.image_passes);
    EXPECT_DOUBLE_EQ(rest.shared_seconds, first.seconds);
    EXPECT_GT(rest.seconds, first.seconds);
    EXPECT_DOUBLE_EQ(rest.pflop, whole.pflop);
    const json record = json::parse(Encoder::open(real_file_system(), path("rest.onnx"), {1, "auto"}).info().training_record);
    EXPECT_EQ(record.at("shared_image_passes"), first.image_passes);
    EXPECT_EQ(record.at("image_passes"), whole.image_passes);
  }
}

// Share of the images whose class the model's scores name.
double accuracy_of(const Model& model, const Dataset& data) {
  const Encoder encoder(model, {1, "auto"});
  std::size_t right = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    const Image image = data.get(i).image;
    const std::vector<float> logits = encoder.run({&image, 1}, Encoder::kLogits).logits;
    right += std::max_element(logits.begin(), logits.end()) - logits.begin() == data.labels(i)[0] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(data.size());
}

TEST_F(Features, TheFileHoldsTheNetworkForThoseWhoWantItsFeatures) {
  const TrainResult first = train_features(data_, quick(), path("features"));
  const FeaturesSource source = read_features_source(real_file_system(), path("features"));
  EXPECT_TRUE(source.first_stage);
  EXPECT_EQ(source.image_passes, first.image_passes);
  EXPECT_DOUBLE_EQ(source.seconds, first.seconds);
  EXPECT_EQ(source.model.info.class_names, data_.class_names());
  EXPECT_GE(source.model.network.features, 0);
  EXPECT_GT(accuracy_of(source.model, data_), 0.6);  // of four classes: it was trained
}

TEST_F(Features, AnInterruptedRunGoesOnWithOrWithoutAnInterruptedFirstStage) {
  const std::string expected = train(data_, quick(), path("whole.onnx")).fingerprint;
  const auto stop_at = [](std::size_t steps) {
    return [steps](const TrainProgress& p) { return p.epochs == 0 || p.step < steps; };
  };
  TrainOptions o = quick();
  o.checkpoint_folder = path("first");
  EXPECT_THROW(train_features(data_, o, path("features"), stop_at(7)), Error);
  EXPECT_FALSE(std::filesystem::exists(path("features")));
  o.resume = true;
  const TrainResult first = train_features(data_, o, path("features"));
  TrainOptions rest = sharing();
  rest.checkpoint_folder = path("second");
  EXPECT_THROW(train(data_, rest, path("rest.onnx"), stop_at(20)), Error);
  rest.resume = true;
  const TrainResult result = train(data_, rest, path("rest.onnx"));
  EXPECT_EQ(result.fingerprint, expected);
  EXPECT_EQ(result.shared_image_passes, first.image_passes);
}

TEST_F(Features, OtherOptionsOrDataAreRefused) {
  train_features(data_, quick(), path("features"));
  TrainOptions o = sharing();
  o.seed = 2;  // of the split too
  expect_error(ErrorCode::kMismatch, "seed = 1 and this run has 2", o);
  o = sharing();
  o.epochs = 16;
  expect_error(ErrorCode::kMismatch, "features-steps = 16 and this run has 32", o);
  o = sharing();
  o.pretrain = Pretrain::kNone;
  expect_error(ErrorCode::kUsage, "--pretrain none", o);
  data_.noise_seed = 9;
  expect_error(ErrorCode::kMismatch, "other images", sharing());
  o = sharing();
  o.features_from = path("gone");
  expect_error(ErrorCode::kNotFound, "gone", o);
  EXPECT_THROW(train_features(data_, sharing(), path("again")), Error);
  o = quick();
  o.pretrain = Pretrain::kNone;
  EXPECT_THROW(train_features(data_, o, path("again")), Error);
}

TEST_F(Features, ADamagedFileIsRefused) {
  train_features(data_, quick(), path("features"));
  std::fstream stream(path("features"), std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path("features")) / 2));
  stream.put('x').put('y');
  stream.close();
  expect_error(ErrorCode::kCorrupt, "features", sharing());
  train(data_, quick(), path("model.onnx"));
  std::filesystem::copy_file(path("model.onnx"), path("features"), std::filesystem::copy_options::overwrite_existing);
  expect_error(ErrorCode::kCorrupt, "features", sharing());
}

TEST_F(Features, NestedLengthsAreCheckedTrainedAndRecorded) {
  TrainOptions o = quick();
  const std::string plain = train(data_, o, path("plain.onnx")).fingerprint;
  o.nested = {2, 4};
  EXPECT_NE(train(data_, o, path("nested.onnx")).fingerprint, plain);
  const json record = json::parse(Encoder::open(real_file_system(), path("nested.onnx"), {1, "auto"}).info().training_record);
  EXPECT_EQ(record.at("options").at("nested"), json({2, 4}));
  for (const std::vector<std::uint32_t>& bad : {std::vector<std::uint32_t>{0}, {8}, {4, 4}, {4, 2}}) {
    o.nested = bad;
    expect_error(ErrorCode::kUsage, "--nested", o);
  }
}

}  // namespace
}  // namespace signet
