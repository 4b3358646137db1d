#include "learn/teacher.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "learn/training_test.h"
#include "signet/base/error.h"

namespace signet {
namespace {

TEST(Teacher, TheSurestOfEveryClassAreTaken) {
  const std::vector<Opinion> opinions = {{0, 0.9f}, {1, 0.3f}, {0, 0.5f}, {0, 0.7f}, {1, 0.4f}, {2, 0.2f}, {0, 0.7f}};
  const auto images = [&](double share) {
    std::vector<std::size_t> taken;
    for (const TaughtImage& one : surest(opinions, share)) {
      EXPECT_EQ(one.label, opinions[one.image].label);
      taken.push_back(one.image);
    }
    return taken;
  };
  EXPECT_EQ(images(1), (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(images(0.5), (std::vector<std::size_t>{0, 3, 4, 5}));  // of the two equally sure ones the first
  EXPECT_EQ(images(0.01), (std::vector<std::size_t>{0, 4, 5}));    // rounded up: no class is left out
  EXPECT_TRUE(surest({}, 1).empty());
}

TEST(Teacher, AgreementCountsHeldOutImagesAsSureAsThoseTaken) {
  TrainingSet set;
  set.labels = {{0}, {1}, {0}, {1, 2}};
  set.validation = {0, 1, 2, 3};
  const std::vector<Opinion> opinions = {{0, 0.9f}, {0, 0.6f}, {1, 0.5f}};
  const std::vector<TaughtImage> taken = {{0, 0}, {1, 0}, {2, 1}};
  const std::vector<Opinion> held_out = {{0, 0.6f}, {0, 0.7f}, {0, 0.59f}, {1, 0.8f}};  // right, wrong, not as sure, right
  EXPECT_DOUBLE_EQ(agreement(held_out, set, opinions, taken), 2.0 / 3);
  EXPECT_EQ(agreement(std::vector<Opinion>{{2, 1}}, set, opinions, taken), -1);  // none was taken of that class
}

class TeachTest : public TrainingTest {
 protected:
  TeachTest() {
    TrainOptions o = quick();
    o.epochs = 16;
    train(data_, o, path("teacher.onnx"));
  }
  // Other pictures of the same classes, whose own labels are all wrong: nobody shall look at them.
  static std::shared_ptr<BarDataset> unlabelled() {
    class WrongLabels : public BarDataset {
     public:
      WrongLabels() : BarDataset(labels_in_turn(200, 4), 4) { noise_seed = 99; }
      std::span<const std::int32_t> labels(std::size_t) const override { return wrong_; }

     private:
      std::vector<std::int32_t> wrong_ = {3};
    };
    return std::make_shared<WrongLabels>();
  }
  TrainOptions taught() const {
    TrainOptions o = quick();
    o.teacher = path("teacher.onnx"), o.unlabelled = unlabelled();
    return o;
  }
};

TEST_F(TeachTest, ImagesWithoutLabelsJoinThoseThatAreTrainedOn) {
  TrainOptions o = taught();
  o.teacher_share = 0.5, o.log_path = path("log.jsonl");
  o.epochs = 16;  // after 8 the rounding of the processor at hand decides whether two classes are apart yet
  const TrainResult result = train(data_, o, path("student.onnx"));
  EXPECT_EQ(result.unlabelled_images, 200u);
  EXPECT_NEAR(static_cast<double>(result.taught_images), 100, 2);  // half of each class, rounded up
  const double images = 96.0 + static_cast<double>(result.taught_images);
  EXPECT_EQ(result.image_passes, static_cast<std::uint64_t>(std::lround(images * 16 / 24)) * 24);  // whole batches
  EXPECT_GT(result.teacher_agreement, 0.9);
  EXPECT_GT(result.validation_map, 0.9);
  const auto record = nlohmann::json::parse(Encoder::open(real_file_system(), path("student.onnx")).info().training_record);
  EXPECT_EQ(record["training_images"], 96 + result.taught_images);
  EXPECT_EQ(record["validation_images"], 24);  // those with labels, as before
  EXPECT_EQ(record["teacher"]["taught_images"], result.taught_images);
  EXPECT_EQ(record["teacher"]["fingerprint"], Encoder::open(real_file_system(), path("teacher.onnx")).info().fingerprint);
  const std::string fingerprint = result.fingerprint;
  EXPECT_EQ(train(data_, o, path("student.onnx")).fingerprint, fingerprint);
  o.teacher_share = 1;
  EXPECT_NE(train(data_, o, path("student.onnx")).fingerprint, fingerprint);
}

TEST_F(TeachTest, LabelsAreTheTeachersAndOnlyOfImagesThatAreTrainedOn) {
  ThreadPool pool(1);
  const auto whatever = [](std::size_t) { return true; };
  TrainingSet set = load_training_set(data_, 0, 0.2, 1, pool, std::uint64_t{1} << 30, whatever);
  const std::string before = set.data_hash;
  TrainOptions o = taught();
  o.teacher_share = 1;
  const auto more = unlabelled();
  more->unreadable = 5;
  o.unlabelled = more;
  const Teaching teaching = teach(set, o, pool, std::uint64_t{1} << 30, whatever);
  EXPECT_EQ(teaching.unlabelled, 199u);
  EXPECT_EQ(set.unreadable, 1u);
  EXPECT_EQ(set.first_unreadable, "bar/5: is damaged");
  ASSERT_EQ(set.size(), 120u + 199u);
  EXPECT_EQ(set.train.size(), 96u + 199u);
  EXPECT_EQ(set.pixels.size(), set.size() * set.image_bytes());
  EXPECT_NE(set.data_hash, before);
  std::size_t right = 0;
  for (std::size_t i = 120; i < set.size(); ++i) {
    const std::size_t image = set.source[i] - 120;
    EXPECT_NE(image, 5u);
    right += set.labels[i] == std::vector<std::int32_t>{static_cast<std::int32_t>(image % 4)} ? 1 : 0;
    EXPECT_TRUE(std::ranges::equal(set.image(i), more->get(image).image.pixels));
  }
  EXPECT_GT(right, 180u);
}

// A model file has U+FFFD where the names of folders have other bytes.
TEST_F(TeachTest, ClassNamesNeedNotBeUtf8) {
  class Latin1Names : public BarDataset {
   public:
    Latin1Names() : BarDataset(labels_in_turn(60, 2), 2) {}
    const std::vector<std::string>& class_names() const noexcept override { return names_; }

   private:
    std::vector<std::string> names_ = {"caf\xe9", "th\xe9"};
  } const data;
  TrainOptions o = quick();
  o.epochs = 1;
  train(data, o, path("latin.onnx"));
  o.teacher = path("latin.onnx"), o.unlabelled = std::make_shared<BarDataset>(labels_in_turn(20, 2), 2);
  EXPECT_EQ(train(data, o, path("student.onnx")).unlabelled_images, 20u);
}

TEST_F(TeachTest, WhatCannotTeachIsRefused) {
  TrainOptions o = taught();
  o.unlabelled = nullptr;
  expect_error(ErrorCode::kUsage, "no images to name the classes of", data_, o);
  o.unlabelled = std::make_shared<BarDataset>(labels_in_turn(0, 4), 4);
  expect_error(ErrorCode::kInvalidArgument, "there are no images without labels", data_, o);
  o = taught();
  o.teacher.clear();
  expect_error(ErrorCode::kUsage, "--teacher", data_, o);
  for (const double share : {0.0, -1.0, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    o = taught();
    o.teacher_share = share;
    expect_error(ErrorCode::kUsage, "--teacher-share", data_, o);
  }
  o = taught();
  o.supervision = Supervision::kInstance;
  expect_error(ErrorCode::kUsage, "--supervision instance", data_, o);
  expect_error(ErrorCode::kMismatch, "other classes (bar0, bar1, bar2, bar3)", BarDataset(labels_in_turn(60, 3), 3), taught());
  o = quick();
  o.supervision = Supervision::kInstance, o.epochs = 1;
  train(data_, o, path("instance.onnx"));
  o = taught();
  o.teacher = path("instance.onnx");
  expect_error(ErrorCode::kInvalidArgument, "names no classes", data_, o);
  o.teacher = path("gone.onnx");
  expect_error(ErrorCode::kNotFound, "gone.onnx", data_, o);
}

}  // namespace
}  // namespace signet
