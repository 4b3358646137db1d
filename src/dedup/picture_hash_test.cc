#include "signet/dedup/picture_hash.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/img_hash.hpp>

#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/code/code_matrix.h"
#include "signet/image/alter.h"

namespace signet {
namespace {

Image noise_picture(std::uint32_t width, std::uint32_t height, std::uint32_t channels, std::uint64_t seed) {
  Random random(seed);
  Image image{width, height, channels, {}};
  for (std::size_t i = 0; i < std::size_t{width} * height * channels; ++i)
    image.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
  return image;
}

// Soft blobs, as photographs have: what perceptual hashes are made for.
Image smooth_picture(std::uint64_t seed, std::uint32_t side = 64) { return resize(noise_picture(6, 6, 3, seed), side, side); }

cv::Mat grey_matrix(const Image& image) {
  cv::Mat pixels(static_cast<int>(image.height), static_cast<int>(image.width), CV_8U);
  std::copy(image.pixels.begin(), image.pixels.end(), pixels.data);
  return pixels;
}

bool bit(const std::array<std::uint8_t, 8>& code, std::size_t k) { return (code[k / 8] >> (k % 8)) & 1; }

TEST(PictureHash, OfAnEightByEightPictureByHand) {
  Image image{8, 8, 1, std::vector<std::uint8_t>(64, 10)};
  image.pixels[0] = 200;   // row 0, column 0
  image.pixels[19] = 100;  // row 2, column 3
  // Mean (62 * 10 + 300) / 64 = 14.4: the two bright cells are above.
  const auto average = picture_hash(image, PictureHash::kAverage);
  for (std::size_t k = 0; k < 64; ++k) EXPECT_EQ(bit(average, k), k == 0 || k == 19) << k;
  // The median is 10: every cell is at least that.
  EXPECT_EQ(picture_hash(image, PictureHash::kBlockMean), (std::array<std::uint8_t, 8>{255, 255, 255, 255, 255, 255, 255, 255}));
  image.pixels[63] = 3;
  EXPECT_FALSE(bit(picture_hash(image, PictureHash::kBlockMean), 63));
}

TEST(PictureHash, DifferenceByHand) {
  Image image{9, 8, 1, {}};
  for (std::uint32_t y = 0; y < 8; ++y)
    for (std::uint32_t x = 0; x < 9; ++x) image.pixels.push_back(static_cast<std::uint8_t>(y < 4 ? 10 * x : 200 - 10 * x));
  image.pixels[2 * 9 + 4] = 30;  // row 2: 30 30 50: no rise from column 3 to 4, a rise from 4 to 5
  const auto code = picture_hash(image, PictureHash::kDifference);
  for (std::size_t k = 0; k < 64; ++k) EXPECT_EQ(bit(code, k), k < 32 && k != 2 * 8 + 3) << k;
}

// OpenCV's DCT is the second opinion.
TEST(PictureHash, DctAgreesWithOpenCv) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Image image = noise_picture(32, 32, 1, seed);
    cv::Mat pixels, transformed;
    grey_matrix(image).convertTo(pixels, CV_32F);
    cv::dct(pixels, transformed);
    std::vector<float> cells;
    for (int y = 1; y <= 8; ++y)
      for (int x = 1; x <= 8; ++x) cells.push_back(transformed.at<float>(y, x));
    std::vector<float> sorted = cells;
    std::sort(sorted.begin(), sorted.end());
    const float median = (sorted[31] + sorted[32]) / 2;
    const auto code = picture_hash(image, PictureHash::kDct);
    for (std::size_t k = 0; k < 64; ++k) EXPECT_EQ(bit(code, k), cells[k] > median) << "seed " << seed << ", bit " << k;
  }
}

std::array<std::uint8_t, 8> hash_of(const cv::Mat& bytes) {
  std::array<std::uint8_t, 8> code{};
  std::copy_n(bytes.data, 8, code.begin());
  return code;
}

// At the hash's own size nothing is resized, so both say the same, but that OpenCV rounds the mean: a cell of just that value is
// not above it there.
TEST(PictureHash, AverageIsOpenCvs) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Image image = noise_picture(8, 8, 1, seed);
    cv::Mat theirs;
    cv::img_hash::averageHash(grey_matrix(image), theirs);
    double mean = 0;
    for (const std::uint8_t cell : image.pixels) mean += cell / 64.0;
    const auto code = picture_hash(image, PictureHash::kAverage), other = hash_of(theirs);
    for (std::size_t k = 0; k < 64; ++k) {
      const bool at_the_mean = image.pixels[k] == std::lround(mean);
      EXPECT_TRUE(at_the_mean || bit(code, k) == bit(other, k)) << "seed " << seed << ", bit " << k;
    }
  }
}

// OpenCV takes the frequencies 0 to 7 and their mean, ours are 1 to 8 and their median (Zauner): of the 49 that both have, the
// bits differ only where a coefficient lies between the two thresholds.
TEST(PictureHash, DctIsNearOpenCvs) {
  int equal = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Image image = noise_picture(32, 32, 1, seed);
    cv::Mat theirs;
    cv::img_hash::pHash(grey_matrix(image), theirs);
    const auto code = picture_hash(image, PictureHash::kDct), other = hash_of(theirs);
    for (std::size_t g = 1; g < 8; ++g)
      for (std::size_t f = 1; f < 8; ++f) equal += bit(code, (g - 1) * 8 + f - 1) == bit(other, g * 8 + f) ? 1 : 0;
  }
  EXPECT_GT(equal, 50 * 49 * 9 / 10);
}

TEST(PictureHash, ColoursCountByTheirLuma) {
  const Image colour = smooth_picture(3);
  for (const auto kind : {PictureHash::kAverage, PictureHash::kDifference, PictureHash::kDct, PictureHash::kBlockMean})
    EXPECT_EQ(picture_hash(colour, kind), picture_hash(convert_channels(colour, 1), kind));
}

TEST(PictureHash, CopiesAreNearAndOthersAreFar) {
  for (const auto kind : {PictureHash::kAverage, PictureHash::kDifference, PictureHash::kDct, PictureHash::kBlockMean}) {
    double copies = 0, others = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      const auto code = picture_hash(smooth_picture(seed), kind);
      copies += hamming_distance(code, picture_hash(alter(smooth_picture(seed), Change::kJpeg, seed), kind)) / 30.0;
      others += hamming_distance(code, picture_hash(smooth_picture(seed + 100), kind)) / 30.0;
    }
    EXPECT_LT(copies, others / 2) << picture_hash_name(kind);
    EXPECT_GT(others, 20) << picture_hash_name(kind);
  }
}

TEST(PictureHash, Names) {
  for (const auto kind : {PictureHash::kAverage, PictureHash::kDifference, PictureHash::kDct, PictureHash::kBlockMean})
    EXPECT_EQ(parse_picture_hash(picture_hash_name(kind)), kind);
  EXPECT_THROW(parse_picture_hash("md5"), Error);
}

TEST(PictureHash, ABlurredCopyIsLessSharp) {
  const Image image = noise_picture(100, 80, 3, 4);
  EXPECT_LT(sharpness(alter(image, Change::kBlur, 1)), sharpness(image));
  EXPECT_EQ(sharpness({50, 50, 1, std::vector<std::uint8_t>(2500, 9)}), 0);
  EXPECT_EQ(sharpness({1, 1, 1, {9}}), 0);
  const Image enlarged = resize(smooth_picture(5), 500, 500);
  EXPECT_LE(sharpness(enlarged), sharpness(smooth_picture(5)));
}

}  // namespace
}  // namespace signet
