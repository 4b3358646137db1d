#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "image/test_pictures.h"
#include "signet/base/error.h"
#include "signet/image/augment.h"
#include "signet/image/image.h"

namespace signet {
namespace {

using namespace testpictures;

// ---- colour and size

TEST(Transform, GreyToColourRepeatsAndColourToGreyIsRec601) {
  EXPECT_EQ(values(convert_channels({2, 1, 1, {7, 200}}, 3)), (std::vector<int>{7, 7, 7, 200, 200, 200}));
  // 0.299 * 255 = 76.2, 0.587 * 255 = 149.7, 0.114 * 255 = 29.1
  EXPECT_EQ(values(convert_channels({5, 1, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 9, 9, 9}}, 1)),
            (std::vector<int>{76, 150, 29, 255, 9}));
  const Image image = gradient(5, 4, 3);
  EXPECT_EQ(convert_channels(image, 3), image);
  EXPECT_THROW(convert_channels(image, 4), Error);
}

TEST(Transform, ShrinkingAverages) {
  EXPECT_EQ(values(resize({4, 2, 1, {10, 20, 100, 100, 30, 40, 100, 104}}, 2, 1)), (std::vector<int>{25, 101}));
  EXPECT_EQ(values(resize({3, 1, 1, {0, 90, 180}}, 2, 1)), (std::vector<int>{30, 150}));  // (0 * 2 + 90) / 3, (90 + 180 * 2) / 3
}

TEST(Transform, GrowingInterpolates) {
  EXPECT_EQ(values(resize({2, 1, 1, {0, 100}}, 4, 1)), (std::vector<int>{0, 25, 75, 100}));
  EXPECT_EQ(values(resize({1, 1, 3, {1, 2, 3}}, 2, 2)), (std::vector<int>{1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3}));
}

TEST(Transform, OneSideShrinksWhileTheOtherGrows) {
  const Image result = resize({4, 2, 1, {0, 100, 200, 200, 0, 100, 200, 200}}, 2, 4);
  EXPECT_EQ(values(result), (std::vector<int>{50, 200, 50, 200, 50, 200, 50, 200}));
}

TEST(Transform, ConstantPicturesStayConstant) {
  for (std::uint32_t width : {1u, 7u, 64u}) {
    for (std::uint32_t height : {1u, 13u, 40u}) {
      const Image result = resize({23, 17, 3, std::vector<std::uint8_t>(23 * 17 * 3, 143)}, width, height);
      EXPECT_EQ(result.pixels, std::vector<std::uint8_t>(std::size_t{width} * height * 3, 143)) << width << " x " << height;
    }
  }
}

// A sum of 2^23 bytes is the last that OpenCV counts right.
TEST(Transform, CellsOfAnySizeAreAveraged) {
  const Image white{4096, 4096, 1, std::vector<std::uint8_t>(std::size_t{1} << 24, 255)};
  EXPECT_EQ(values(resize(white, 1, 2)), (std::vector<int>{255, 255}));
  EXPECT_EQ(values(resize(white, 1, 1)), std::vector<int>{255});
  EXPECT_EQ(values(centre_square(white, 1)), std::vector<int>{255});
  const Image line{1u << 24, 1, 1, std::vector<std::uint8_t>(std::size_t{1} << 24, 255)};
  EXPECT_EQ(values(resize(line, 1, 2)), (std::vector<int>{255, 255}));
}

TEST(Transform, SameSizeIsTheSamePicture) { EXPECT_EQ(resize(gradient(9, 8, 3), 9, 8), gradient(9, 8, 3)); }

TEST(Transform, CentreSquareCutsTheMiddle) {
  EXPECT_EQ(values(centre_square({5, 1, 1, {1, 2, 3, 4, 5}}, 1)), std::vector<int>{3});
  EXPECT_EQ(values(centre_square({2, 4, 1, {1, 1, 20, 30, 40, 50, 9, 9}}, 2)), (std::vector<int>{20, 30, 40, 50}));
  EXPECT_EQ(values(centre_square({2, 4, 1, {1, 1, 20, 30, 40, 50, 9, 9}}, 1)), std::vector<int>{35});
  EXPECT_EQ(centre_square(gradient(6, 6, 3), 6), gradient(6, 6, 3));
}

TEST(Transform, AbsurdSizesAreRefused) {
  const Image image = gradient(4, 4, 1);
  EXPECT_THROW(resize(image, 0, 1), Error);
  EXPECT_THROW(resize(image, 1u << 20, 1u << 20), Error);
  EXPECT_THROW(centre_square(image, 0), Error);
  EXPECT_THROW(resize({}, 4, 4), Error);
  EXPECT_THROW(resize({4, 4, 1, std::vector<std::uint8_t>(3)}, 2, 2), Error);
}

// ---- augmentation

constexpr AugmentOptions kNone{.translate = 0, .mirror = false, .cutout = 0};

Image augmented(const Image& image, const AugmentOptions& options, std::uint64_t seed, std::uint64_t epoch,
                std::uint8_t fill = 0) {
  Image target = image;
  augment(image.pixels, image.width, image.height, image.channels, options, seed, epoch, target.pixels, fill);
  return target;
}

Image mirrored(const Image& image) {
  Image result = image;
  for (std::size_t y = 0; y < image.height; ++y) {
    for (std::size_t x = 0; x < image.width; ++x) {
      for (std::size_t c = 0; c < image.channels; ++c) {
        result.pixels[(y * image.width + x) * image.channels + c] =
            image.pixels[(y * image.width + image.width - 1 - x) * image.channels + c];
      }
    }
  }
  return result;
}

// The definition, pixel by pixel: reflect-pad, crop at (dx, dy).
Image shifted(const Image& image, int dx, int dy) {
  const auto reflect = [](int i, int n) { return i < 0 ? -i : i >= n ? 2 * n - 2 - i : i; };
  Image result = image;
  const int w = static_cast<int>(image.width), h = static_cast<int>(image.height), channels = static_cast<int>(image.channels);
  for (int y = 0; y < h; ++y) {
    for (int x = 0; x < w; ++x) {
      for (int c = 0; c < channels; ++c) {
        result.pixels[static_cast<std::size_t>((y * w + x) * channels + c)] =
            image.pixels[static_cast<std::size_t>((reflect(y + dy, h) * w + reflect(x + dx, w)) * channels + c)];
      }
    }
  }
  return result;
}

TEST(Augment, OffIsACopy) { EXPECT_EQ(augmented(gradient(28, 28, 1), kNone, 1, 2), gradient(28, 28, 1)); }

TEST(Augment, IsAFunctionOfItsSeeds) {
  const AugmentOptions options{.translate = 2, .mirror = true, .cutout = 5};
  const Image image = gradient(28, 28, 3);
  EXPECT_EQ(augmented(image, options, 3, 4), augmented(image, options, 3, 4));
  int different = 0;
  for (std::uint64_t epoch = 0; epoch < 20; ++epoch)
    different += augmented(image, options, 3, epoch) != augmented(image, options, 3, epoch + 1);
  EXPECT_EQ(different, 20);  // the alternating flip alone makes neighbours differ
}

TEST(Augment, MirrorAlternatesAndBeginsEitherWay) {
  const AugmentOptions options{.translate = 0, .mirror = true, .cutout = 0};
  for (std::uint32_t channels : {1u, 3u}) {
    const Image image = gradient(9, 5, channels);
    int first = 0;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
      const bool at_zero = augmented(image, options, seed, 0) == mirrored(image);
      first += at_zero;
      for (std::uint64_t epoch = 1; epoch < 4; ++epoch) {
        ASSERT_EQ(augmented(image, options, seed, epoch), at_zero == (epoch % 2 == 0) ? mirrored(image) : image);
      }
    }
    EXPECT_NEAR(first, 500, 80);
  }
}

TEST(Augment, TranslationIsAReflectedCropAndReachesEveryPlace) {
  const AugmentOptions options{.translate = 2, .mirror = false, .cutout = 0};
  for (std::uint32_t channels : {1u, 3u}) {
    // Distinct enough that no two of the 25 crops are equal.
    Image image = gradient(11, 7, channels);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(i * 37 + i * i % 11);
    std::vector<int> seen(25, 0);
    for (std::uint64_t epoch = 0; epoch < 5000; ++epoch) {
      const Image result = augmented(image, options, 9, epoch);
      int matches = 0;
      for (int place = 0; place < 25; ++place) {
        if (result == shifted(image, place % 5 - 2, place / 5 - 2)) ++matches, ++seen[static_cast<std::size_t>(place)];
      }
      ASSERT_EQ(matches, 1) << epoch;
    }
    for (int place = 0; place < 25; ++place) EXPECT_NEAR(seen[static_cast<std::size_t>(place)], 200, 70) << place;
  }
}

TEST(Augment, MirroredTranslationIsTheMirrorOfATranslation) {
  const AugmentOptions both{.translate = 3, .mirror = true, .cutout = 0}, plain{.translate = 3, .mirror = false, .cutout = 0};
  const Image image = gradient(12, 10, 3);
  int flips = 0;
  for (std::uint64_t epoch = 0; epoch < 50; ++epoch) {
    const Image a = augmented(image, both, 4, epoch), b = augmented(image, plain, 4, epoch);
    flips += a == mirrored(b);
    EXPECT_TRUE(a == b || a == mirrored(b)) << "turning the mirror on moves no crop";
  }
  EXPECT_EQ(flips, 25);
}

TEST(Augment, CutoutFillsOneSquareInside) {
  const AugmentOptions options{.translate = 0, .mirror = false, .cutout = 4};
  const Image image{10, 8, 3, std::vector<std::uint8_t>(240, 200)};
  for (std::uint64_t epoch = 0; epoch < 200; ++epoch) {
    const Image result = augmented(image, options, 5, epoch, 33);
    std::size_t filled = 0, left = 99, right = 0, top = 99, bottom = 0;
    for (std::size_t p = 0; p < 80; ++p) {
      if (result.pixels[3 * p] != 33) continue;
      EXPECT_EQ(result.pixels[3 * p + 2], 33);
      ++filled;
      left = std::min(left, p % 10), right = std::max(right, p % 10), top = std::min(top, p / 10),
      bottom = std::max(bottom, p / 10);
    }
    EXPECT_EQ(filled, 16u);
    EXPECT_EQ(right - left, 3u);
    EXPECT_EQ(bottom - top, 3u);
  }
}

TEST(Augment, TinyImagesAndLargeOptions) {
  const AugmentOptions options{.translate = 9, .mirror = true, .cutout = 9};
  EXPECT_EQ(augmented({1, 1, 1, {7}}, {.translate = 9, .mirror = true, .cutout = 0}, 1, 1), (Image{1, 1, 1, {7}}));
  EXPECT_EQ(augmented({2, 1, 1, {7, 8}}, options, 1, 1, 5), (Image{2, 1, 1, {5, 5}}));
}

TEST(Augment, WrongSizesAreRefused) {
  std::vector<std::uint8_t> bytes(12);
  const std::span<std::uint8_t> target(bytes);
  EXPECT_THROW(augment(bytes, 4, 4, 1, kNone, 1, 1, target), Error);
  EXPECT_THROW(augment(bytes, 3, 2, 2, kNone, 1, 1, target), Error);
  EXPECT_THROW(augment(bytes, 4, 3, 1, kNone, 1, 1, target.first(11)), Error);
}

}  // namespace
}  // namespace signet
