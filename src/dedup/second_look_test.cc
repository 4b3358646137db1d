#include "signet/dedup/second_look.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/test_folder.h"
#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/dedup/calibrate.h"
#include "signet/dedup/picture_hash.h"
#include "signet/image/alter.h"
#include "tests/support/drawing.h"

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

// Most of what varies is a soft shape, and that is the same; what is drawn in it is not.
TEST(SecondLook, EqualShapesAreToldApartByWhatIsDrawnInThem) {
  const auto drawn = [](std::uint64_t seed) {
    const Image shape = resize(Image{3, 3, 1, {250, 240, 250, 230, 30, 240, 250, 235, 245}}, 64, 64);
    Random random(seed);
    Image marks{20, 20, 1, {}};
    for (int i = 0; i < 400; ++i) marks.pixels.push_back(static_cast<std::uint8_t>(random.below(60)));
    marks = resize(marks, 64, 64);
    Image image = shape;
    for (std::size_t i = 0; i < image.pixels.size(); ++i)
      image.pixels[i] = static_cast<std::uint8_t>(std::clamp(shape.pixels[i] + marks.pixels[i] - 30, 0, 255));
    return image;
  };
  EXPECT_LT(look(drawn(1), drawn(2)), 0.6);
  for (const auto change : {Change::kShrink, Change::kBlur, Change::kCrop, Change::kBrightness})
    EXPECT_GT(look(drawn(1), alter(drawn(1), change, 4)), 0.7) << change_name(change);
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
  EXPECT_GT(result.likeness, kLeastLikeness);
  EXPECT_GE(result.passing, options.copies_kept);
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
  EXPECT_FALSE(small.trusted);  // it stops at too few strangers to tell
  ASSERT_TRUE(large.trusted);
  EXPECT_LE(*large.trusted, large.radius);
  EXPECT_EQ(nlohmann::json::parse(calibration_json(large, options))["trusted"], *large.trusted);
  for (std::size_t a = 0; a < codes.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) {
      const std::uint32_t distance = hamming_distance(codes.row(a), codes.row(b));
      EXPECT_TRUE(distance > *large.trusted || distance == 0) << a << " and " << b;  // some pictures are there twice
    }
  EXPECT_EQ(calibration_json(calibrate(source(codes), options), options), calibration_json(large, options));
}

// The first kind of codes is a hash of the picture's left half, the second of its right one.
TEST_F(Calibrated, TwoKindsOfCodesShareTheBudget) {
  const auto half = [](const Image& image, bool right) {
    Image part{image.width / 2, image.height, image.channels, {}};
    for (std::uint32_t y = 0; y < image.height; ++y) {
      const std::size_t row = std::size_t{part.width} * image.channels;
      const auto from = image.row(y).subspan(right ? image.row(y).size() - row : 0, row);
      part.pixels.insert(part.pixels.end(), from.begin(), from.end());
    }
    return part;
  };
  const auto halves = [&](std::span<const Image> images, bool right) {
    std::vector<Image> parts;
    for (const Image& image : images) parts.push_back(half(image, right));
    return encode(parts);
  };
  std::vector<Image> images;
  for (std::size_t i = 0; i < 60; ++i) images.push_back(picture(i));
  const CodeMatrix left = halves(images, false), right = halves(images, true);
  CalibrationSource one;
  one.codes = &left;
  one.load = [&](std::size_t i) { return images[i]; };
  one.encode = [&](std::span<const Image> changed) { return halves(changed, false); };
  CalibrationOptions options;
  options.sample = 40, options.budget = 0.5;
  const Calibration alone = calibrate(one, options);
  EXPECT_FALSE(alone.more_radius);
  CalibrationSource two = one;
  two.more_codes = &right;
  two.more_encode = [&](std::span<const Image> changed) { return halves(changed, true); };
  const Calibration both = calibrate(two, options);
  ASSERT_TRUE(both.more_radius);
  EXPECT_LE(both.radius, alone.radius);
  EXPECT_LE(both.curve[both.radius].false_pairs, options.budget);
  EXPECT_GT(both.curve[both.radius].recall, alone.curve[alone.radius].recall);
  for (const CalibrationPoint& point : both.curve)
    EXPECT_TRUE(point.false_pairs <= options.budget || !point.more_radius) << point.radius;
  EXPECT_EQ(nlohmann::json::parse(calibration_json(both, options))["more_radius"], *both.more_radius);
  // What the budget counts, counted again: strangers within either radius, of all pairs with the sample.
  std::size_t near = 0;
  for (std::size_t a = 0; a < images.size(); ++a)
    for (std::size_t b = 0; b < images.size(); ++b)
      near += a != b && (hamming_distance(left.row(a), left.row(b)) <= both.radius ||
                         hamming_distance(right.row(a), right.row(b)) <= *both.more_radius);
  EXPECT_LT(static_cast<double>(near) / static_cast<double>(images.size()), 2 * options.budget);
  two.more_codes = nullptr;
  const CodeMatrix short_one(2, kPictureHashBits);
  two.more_codes = &short_one;
  EXPECT_THROW(calibrate(two, options), Error);
}

TEST(TrustedRadius, IsWhereTheStrangersWouldBeAsFewAsAllowed) {
  std::vector<double> within;
  for (int r = 0; r <= 20; ++r)
    within.push_back(std::floor(10 * std::pow(2.0, r - 10)));  // 10 at 10, 160 at 14, half for each bit less
  EXPECT_EQ(trusted_radius(within, 10), 10u);
  EXPECT_EQ(trusted_radius(within, 5), 9u);
  EXPECT_EQ(trusted_radius(within, 0.1), 3u);  // 10 / 2^7 = 0.08, where none was met
  EXPECT_FALSE(trusted_radius(within, 1e-3));
  for (int r = 2; r < 10; ++r) within[static_cast<std::size_t>(r)] = std::max(within[static_cast<std::size_t>(r)], 1.0);
  EXPECT_EQ(trusted_radius(within, 0.1), 1u);                         // one was met at 2
  EXPECT_FALSE(trusted_radius(std::vector<double>{0, 0, 3, 40}, 1));  // too few to draw on
  EXPECT_FALSE(trusted_radius(std::vector<double>{200, 300}, 1));     // even equal codes are strangers
  EXPECT_FALSE(trusted_radius({}, 1));
}

// Many altered copies of a drawing are as little like it as other drawings are: a threshold that they reach would part nothing,
// and pairs that reach it would be no strangers, however many there are.
TEST_F(Calibrated, AThresholdThatStrangersReachIsNotTaken) {
  std::vector<Image> drawings;
  for (std::size_t i = 0; i < 40; ++i) drawings.push_back(testdata::drawing(i));
  const CodeMatrix codes = encode(drawings);
  CalibrationSource drawn = source(codes);
  drawn.load = [&](std::size_t i) { return drawings[i]; };
  const CalibrationOptions options;
  const Calibration result = calibrate(drawn, options);
  EXPECT_EQ(result.likeness, kLeastLikeness);
  EXPECT_LT(result.passing, options.copies_kept);
  EXPECT_GT(result.passing, 0);
  EXPECT_LT(result.radius, kPictureHashBits / 2);
  EXPECT_GT(result.curve.back().false_pairs, options.budget);
  EXPECT_EQ(nlohmann::json::parse(calibration_json(result, options))["passing"], result.passing);
}

TEST_F(Calibrated, HowManyCopiesAreEncodedTogetherChangesNothing) {
  const CodeMatrix codes = codes_of_all();
  CalibrationOptions options;
  options.sample = 10;
  std::size_t most = 0;
  CalibrationSource counted = source(codes);
  counted.encode = [&](std::span<const Image> images) {
    most = std::max(most, images.size());
    return encode(images);
  };
  const std::string together = calibration_json(calibrate(counted, options), options);
  EXPECT_EQ(most, kChangeKinds);
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{30'000}}) {  // a copy has some 12,000
    most = 0;
    options.held_bytes = bytes;
    EXPECT_EQ(calibration_json(calibrate(counted, options), options), together);
    EXPECT_EQ(most == 1, bytes == 1) << most;
    EXPECT_LT(most, kChangeKinds);
  }
}

TEST_F(Calibrated, ImagesThatCannotBeChangedOrEncodedAreLeftOut) {
  std::vector<Image> images;
  for (std::size_t i = 0; i < 20; ++i) images.push_back(picture(i));
  const CodeMatrix codes = encode(images);
  images[7] = Image{66'000, 1, 1, std::vector<std::uint8_t>(66'000, 9)};  // wider than a JPEG can be
  CalibrationSource wide = source(codes);
  wide.load = [&](std::size_t i) { return images[i]; };
  const Calibration result = calibrate(wide, {});
  EXPECT_EQ(result.images, 20u);
  EXPECT_EQ(result.sample, 19u);
  EXPECT_EQ(result.copies, 19 * kChangeKinds);
  std::size_t calls = 0;
  wide.encode = [&](std::span<const Image> changed) {
    if (++calls == 3) fail(ErrorCode::kCorrupt, "no code");
    return encode(changed);
  };
  EXPECT_EQ(calibrate(wide, {}).sample, 18u);
  // A lack of memory is not of the picture: without it the same seed would give another result.
  wide.load = [&](std::size_t i) {
    if (i == 7) fail(ErrorCode::kBusy, "no memory");
    return images[i];
  };
  EXPECT_EQ(error_of([&] { calibrate(wide, {}); }), ErrorCode::kBusy);
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
