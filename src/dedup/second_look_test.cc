#include "signet/dedup/second_look.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/dedup/calibrate.h"
#include "signet/dedup/picture_hash.h"
#include "signet/image/alter.h"

namespace signet {
namespace {

Image picture(std::uint64_t seed, std::uint32_t side = 64) {
  Random random(mix_seed(seed, 1));
  Image small{9, 9, 3, {}};
  for (std::size_t i = 0; i < 243; ++i) small.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
  return resize(small, side, side);
}

double look(const Image& a, const Image& b) { return likeness(make_thumbnail(a), make_thumbnail(b)); }

TEST(SecondLook, KnowsThePictureAgain) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const Image image = picture(seed);
    EXPECT_NEAR(look(image, image), 1, 1e-6);
    EXPECT_EQ(look(image, picture(seed + 100)), look(picture(seed + 100), image));
    EXPECT_LT(look(image, picture(seed + 100)), 0.6);
    for (std::size_t k = 0; k < kChangeKinds; ++k) {
      const auto change = static_cast<Change>(k);
      const double limit = change == Change::kWatermark ? 0.6 : 0.85;
      EXPECT_GT(look(image, alter(image, change, seed)), limit) << change_name(change) << ", picture " << seed;
    }
  }
}

TEST(SecondLook, ANegativeIsNoCopy) {
  Image negative = picture(1);
  for (std::uint8_t& value : negative.pixels) value = static_cast<std::uint8_t>(255 - value);
  EXPECT_LT(look(picture(1), negative), 0.5);
}

TEST(SecondLook, FlatPictures) {
  const Image grey{20, 20, 1, std::vector<std::uint8_t>(400, 90)}, white{9, 30, 3, std::vector<std::uint8_t>(810, 255)};
  EXPECT_EQ(look(grey, white), 1);
  EXPECT_EQ(look(grey, picture(1)), 0);
  EXPECT_EQ(look(picture(1), grey), 0);
}

// ---- calibration: pictures, perceptual hashes and their known copies

class Calibrated : public testing::Test {
 protected:
  CodeMatrix encode(std::span<const Image> images) const {
    CodeMatrix codes(0, kPictureHashBits);
    for (const Image& image : images) codes.append(picture_hash(image, PictureHash::kDct));
    return codes;
  }
  CalibrationSource source(const CodeMatrix& codes) const {
    CalibrationSource made;
    made.codes = &codes;
    made.load = [](std::size_t i) {
      if (i == 7) fail(ErrorCode::kCorrupt, "picture 7 is damaged");
      return picture(i % 50);  // each of the 50 pictures is there twice: real duplicates
    };
    made.encode = [this](std::span<const Image> images) { return encode(images); };
    return made;
  }
  CodeMatrix codes_of_all() const {
    std::vector<Image> images;
    for (std::size_t i = 0; i < 100; ++i) images.push_back(picture(i % 50));
    return encode(images);
  }
};

TEST_F(Calibrated, FindsCopiesWithinTheBudgetAndIsNotMisledByRealDuplicates) {
  const CodeMatrix codes = codes_of_all();
  CalibrationOptions options;
  options.sample = 40;
  const Calibration result = calibrate(source(codes), options);
  EXPECT_EQ(result.images, 100u);
  EXPECT_GE(result.sample, 39u);
  EXPECT_EQ(result.copies, result.sample * kChangeKinds);
  EXPECT_GT(result.radius, 2u);   // the real duplicates at distance 0 did not count as false pairs
  EXPECT_LT(result.radius, 26u);  // random pictures differ in 32 of 64 bits
  EXPECT_GT(result.likeness, 0.3);
  double recall = 0, pairs = 0;
  for (const CalibrationPoint& point : result.curve) {
    EXPECT_GE(point.recall, recall);
    EXPECT_GE(point.false_pairs, pairs);
    recall = point.recall, pairs = point.false_pairs;
    EXPECT_EQ(point.radius <= result.radius, point.false_pairs <= options.budget) << point.radius;
    EXPECT_EQ(point.recall_by_kind.size(), kChangeKinds);
  }
  EXPECT_GT(result.curve[result.radius].recall_by_kind[static_cast<std::size_t>(Change::kJpeg)], 0.95);
  const auto json = nlohmann::json::parse(calibration_json(result, options));
  EXPECT_EQ(json["radius"], result.radius);
  EXPECT_EQ(json["curve"].size(), result.curve.size());
}

TEST_F(Calibrated, ALargerBudgetGivesALargerRadiusAndASeedRepeatsItself) {
  const CodeMatrix codes = codes_of_all();
  CalibrationOptions options;
  options.sample = 40;
  const Calibration small = calibrate(source(codes), options);
  options.budget = 5;
  const Calibration large = calibrate(source(codes), options);
  EXPECT_GT(large.radius, small.radius);
  EXPECT_EQ(calibration_json(calibrate(source(codes), options), options), calibration_json(large, options));
}

TEST_F(Calibrated, WhatCannotBeCalibrated) {
  const CodeMatrix one(1, kPictureHashBits), two(2, kPictureHashBits);
  EXPECT_THROW(calibrate(source(one), {}), Error);
  CalibrationSource unreadable = source(two);
  unreadable.load = [](std::size_t) -> Image { fail(ErrorCode::kNotFound, "gone"); };
  try {
    calibrate(unreadable, {});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("gone"), std::string::npos);
  }
}

}  // namespace
}  // namespace signet
