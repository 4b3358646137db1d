#include "signet/image/alter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "image/test_pictures.h"
#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

using namespace testpictures;

Image textured(std::uint32_t width, std::uint32_t height, std::uint32_t channels) {
  Random random(3);
  Image small{5, 5, channels, {}};
  for (std::size_t i = 0; i < std::size_t{25} * channels; ++i)
    small.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
  return resize(small, width, height);
}

double mean_difference(const Image& a, const Image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

TEST(Alter, EveryChangeChangesAndRepeatsItself) {
  std::set<std::string> names;
  for (std::size_t k = 0; k < kChangeKinds; ++k) {
    const auto change = static_cast<Change>(k);
    EXPECT_TRUE(names.insert(change_name(change)).second);
    for (const std::uint32_t channels : {1u, 3u}) {
      const Image image = textured(48, 40, channels);
      const Image altered = alter(image, change, 7);
      EXPECT_NE(altered, image) << change_name(change);
      EXPECT_EQ(altered, alter(image, change, 7)) << change_name(change);
      EXPECT_NE(altered, alter(image, change, 8)) << change_name(change);
      EXPECT_EQ(altered.channels, channels) << change_name(change);
      EXPECT_EQ(altered.pixels.size(), std::size_t{altered.width} * altered.height * channels);
    }
  }
}

TEST(Alter, StrengthsStayInTheirRanges) {
  const Image image = textured(100, 60, 3);
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Image shrunk = alter(image, Change::kShrink, seed), enlarged = alter(image, Change::kEnlarge, seed);
    EXPECT_GE(shrunk.width, 50u);
    EXPECT_LE(shrunk.width, 90u);
    EXPECT_NEAR(shrunk.height / 60.0, shrunk.width / 100.0, 0.02);
    EXPECT_GE(enlarged.width, 120u);
    EXPECT_LE(enlarged.width, 200u);
    const Image cropped = alter(image, Change::kCrop, seed);
    EXPECT_GE(cropped.width, 80u);
    EXPECT_LE(cropped.width, 97u);
    EXPECT_GE(cropped.height, 48u);
    EXPECT_LE(cropped.height, 58u);
    const Image side = alter(image, Change::kCropSide, seed);
    EXPECT_TRUE((side.width == 100) != (side.height == 60)) << side.width << " x " << side.height;
    EXPECT_GE(side.width * side.height, 100u * 60u * 79 / 100);
    std::size_t covered = 0;
    const Image overlaid = alter(image, Change::kOverlay, seed);
    for (std::size_t p = 0; p < 6000; ++p)
      covered += !std::equal(&image.pixels[3 * p], &image.pixels[3 * p] + 3, &overlaid.pixels[3 * p]);
    EXPECT_GE(covered, 6000u * 3 / 100);
    EXPECT_LE(covered, 6000u * 13 / 100);
    EXPECT_LT(mean_difference(image, alter(image, Change::kJpeg, seed)),
              mean_difference(image, alter(image, Change::kJpegHard, seed)) + 2);
    EXPECT_NEAR(mean_difference(image, alter(image, Change::kNoise, seed)), 5, 3);
  }
}

TEST(Alter, ACropIsAPieceOfThePicture) {
  const Image image = gradient(40, 30, 1);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Image part = alter(image, Change::kCropSide, seed);
    bool found = false;
    for (std::uint32_t top = 0; top + part.height <= image.height && !found; ++top)
      for (std::uint32_t left = 0; left + part.width <= image.width && !found; ++left) {
        bool same = true;
        for (std::uint32_t y = 0; y < part.height && same; ++y)
          same = std::ranges::equal(part.row(y), image.row(top + y).subspan(left, part.width));
        found = same;
      }
    EXPECT_TRUE(found) << seed;
  }
}

TEST(Alter, TinyAndBadPictures) {
  for (std::size_t k = 0; k < kChangeKinds; ++k) {
    const Image dot = alter({1, 1, 1, {77}}, static_cast<Change>(k), 1);
    EXPECT_GE(dot.width * dot.height, 1u) << change_name(static_cast<Change>(k));
    EXPECT_EQ(dot.channels, 1u) << change_name(static_cast<Change>(k));
    EXPECT_EQ(dot.pixels.size(), std::size_t{dot.width} * dot.height * dot.channels) << change_name(static_cast<Change>(k));
    EXPECT_THROW(alter({0, 0, 1, {}}, static_cast<Change>(k), 1), Error);
  }
}

TEST(Alter, SeveralAtOnce) {
  const Image image = textured(48, 40, 3);
  EXPECT_EQ(alter_several(image, kTuningChanges, 1, 5), image);
  EXPECT_EQ(alter_several(image, {}, 0, 5), image);
  EXPECT_EQ(alter_several(image, kTuningChanges, 0, 5), alter_several(image, kTuningChanges, 0, 5));
  std::size_t plain = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) plain += alter_several(image, kTuningChanges, 0.5, seed) == image;
  EXPECT_GT(plain, 70u);
  EXPECT_LT(plain, 130u);
}

TEST(Alter, HalfOfTheKindsAreForTuning) {
  std::size_t tuning = 0;
  for (std::size_t k = 0; k < kChangeKinds; ++k) tuning += is_tuning_change(static_cast<Change>(k));
  EXPECT_EQ(tuning, kChangeKinds / 2);
}

TEST(Alter, MirrorsAndTurns) {
  const Image image{3, 2, 1, {1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(mirror(image).pixels, (std::vector<std::uint8_t>{3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(turn_quarter(image), (Image{2, 3, 1, {4, 1, 5, 2, 6, 3}}));
  EXPECT_EQ(turn_quarter(turn_quarter(turn_quarter(turn_quarter(image)))), image);
}

}  // namespace
}  // namespace signet
