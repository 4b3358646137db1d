#include "signet/image/alter.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "image/codec.h"
#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

constexpr std::array<const char*, kChangeKinds> kNames = {"shrink",   "jpeg",    "brightness", "blur",
                                                          "crop",     "overlay", "enlarge",    "jpeg-hard",
                                                          "contrast", "noise",   "crop-side",  "watermark"};

double between(Random& random, double low, double high) { return low + (high - low) * random.uniform(); }

std::uint32_t scaled(std::uint32_t side, double factor) {
  return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(std::lround(side * factor)));
}

std::uint8_t to_byte(double value) { return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0l, 255l)); }

Image scale(const Image& image, double factor) {
  return resize(image, scaled(image.width, factor), scaled(image.height, factor));
}

Image through_jpeg(const Image& image, int quality) { return decode_image(encode_jpeg(image, quality), "a copy as JPEG"); }

Image cut(const Image& image, std::uint32_t left, std::uint32_t top, std::uint32_t width, std::uint32_t height) {
  Image part = codec::blank(width, height, image.channels);
  auto* target = part.pixels.data();
  for (std::uint32_t y = 0; y < height; ++y) {
    const auto row = image.row(top + y).subspan(std::size_t{left} * image.channels, std::size_t{width} * image.channels);
    target = std::copy(row.begin(), row.end(), target);
  }
  return part;
}

Image crop(const Image& image, Random& random) {
  const std::uint32_t width = scaled(image.width, between(random, 0.80, 0.97));
  const std::uint32_t height = scaled(image.height, between(random, 0.80, 0.97));
  const auto left = static_cast<std::uint32_t>(random.below(image.width - width + 1));
  const auto top = static_cast<std::uint32_t>(random.below(image.height - height + 1));
  return cut(image, left, top, width, height);
}

Image crop_side(const Image& image, Random& random) {
  const double kept = between(random, 0.80, 0.95);
  const std::uint64_t side = random.below(4);
  const std::uint32_t width = side < 2 ? scaled(image.width, kept) : image.width;
  const std::uint32_t height = side < 2 ? image.height : scaled(image.height, kept);
  return cut(image, side == 0 ? image.width - width : 0, side == 2 ? image.height - height : 0, width, height);
}

template <typename Map>
Image map_samples(const Image& image, const Map& map) {
  Image result = image;
  for (std::uint8_t& value : result.pixels) value = to_byte(map(static_cast<double>(value)));
  return result;
}

Image brightness(const Image& image, Random& random) {
  const double step = between(random, 0.08, 0.24) * 255 * (random.below(2) == 0 ? -1 : 1);
  return map_samples(image, [step](double v) { return v + step; });
}

Image contrast(const Image& image, Random& random) {
  const double factor = random.below(2) == 0 ? between(random, 0.6, 0.85) : between(random, 1.2, 1.5);
  return map_samples(image, [factor](double v) { return 127.5 + (v - 127.5) * factor; });
}

Image noise(const Image& image, Random& random) {
  const double deviation = between(random, 3, 9);
  return map_samples(image, [&](double v) { return v + deviation * random.normal(); });
}

Image blur(const Image& image, Random& random) {
  const double sigma = between(random, 0.5, 1.0) * std::max(1.0, std::min(image.width, image.height) / 128.0);
  Image result = image;
  const int type = image.channels == 1 ? CV_8UC1 : CV_8UC3;
  cv::Mat pixels(static_cast<int>(image.height), static_cast<int>(image.width), type, result.pixels.data());
  try {
    cv::GaussianBlur(pixels, pixels, cv::Size(0, 0), sigma);
  } catch (const cv::Exception& error) {
    fail(ErrorCode::kInternal, "blurring a picture of ", image.width, " x ", image.height, ": ", error.err);
  }
  return result;
}

Image overlay(const Image& image, Random& random) {
  Image result = image;
  const double area = between(random, 0.04, 0.12), shape = std::exp(between(random, -1.0, 1.0));  // sides within a factor of e
  const std::uint32_t width = std::min(image.width, scaled(image.width, std::sqrt(area * shape)));
  const std::uint32_t height = std::min(image.height, scaled(image.height, std::sqrt(area / shape)));
  const auto left = static_cast<std::uint32_t>(random.below(image.width - width + 1));
  const auto top = static_cast<std::uint32_t>(random.below(image.height - height + 1));
  std::array<std::uint8_t, 3> colour{};
  for (std::uint8_t& c : colour) c = static_cast<std::uint8_t>(random.below(256));
  for (std::uint32_t y = top; y < top + height; ++y)
    for (std::uint32_t x = left; x < left + width; ++x)
      for (std::uint32_t c = 0; c < image.channels; ++c)
        result.pixels[(std::size_t{y} * image.width + x) * image.channels + c] = colour[c];
  return result;
}

Image watermark(const Image& image, Random& random) {
  Image result = image;
  const double strength = between(random, 0.25, 0.45), ink = random.below(2) == 0 ? 255 : 0;
  const std::uint32_t period = std::max<std::uint32_t>(4, std::min(image.width, image.height) / 6);
  const auto phase = static_cast<std::uint32_t>(random.below(period));
  for (std::uint32_t y = image.height / 4; y < image.height - image.height / 4; ++y)
    for (std::uint32_t x = 0; x < image.width; ++x) {
      if ((x + y + phase) % period >= period / 2) continue;
      for (std::uint32_t c = 0; c < image.channels; ++c) {
        std::uint8_t& value = result.pixels[(std::size_t{y} * image.width + x) * image.channels + c];
        value = to_byte(value + strength * (ink - value));
      }
    }
  return result;
}

int quality(Random& random, int low, int high) {
  return low + static_cast<int>(random.below(static_cast<std::uint64_t>(high - low) + 1));
}

// Where a change stands when several come together.
int place(Change change) {
  switch (change) {
    case Change::kCrop:
    case Change::kCropSide:
      return 0;
    case Change::kShrink:
    case Change::kEnlarge:
      return 1;
    case Change::kJpeg:
    case Change::kJpegHard:
      return 3;
    default:
      return 2;
  }
}

}  // namespace

bool is_tuning_change(Change change) noexcept {
  return std::find(kTuningChanges.begin(), kTuningChanges.end(), change) != kTuningChanges.end();
}

const char* change_name(Change change) noexcept { return kNames[static_cast<std::size_t>(change)]; }

Image alter(const Image& image, Change change, std::uint64_t seed) {
  codec::check_image(image, "alter");
  Random random(mix_seed(seed, 0x616c746572 + static_cast<std::uint64_t>(change)));
  switch (change) {
    case Change::kShrink:
      return scale(image, between(random, 0.5, 0.9));
    case Change::kJpeg:
      return through_jpeg(image, quality(random, 35, 85));
    case Change::kBrightness:
      return brightness(image, random);
    case Change::kBlur:
      return blur(image, random);
    case Change::kCrop:
      return crop(image, random);
    case Change::kOverlay:
      return overlay(image, random);
    case Change::kEnlarge:
      return scale(image, between(random, 1.2, 2.0));
    case Change::kJpegHard:
      return through_jpeg(image, quality(random, 15, 30));
    case Change::kContrast:
      return contrast(image, random);
    case Change::kNoise:
      return noise(image, random);
    case Change::kCropSide:
      return crop_side(image, random);
    case Change::kWatermark:
      return watermark(image, random);
  }
  fail(ErrorCode::kInternal, "alter: there is no change number ", static_cast<int>(change));
}

Image alter_several(const Image& image, std::span<const Change> changes, double plain, std::uint64_t seed) {
  codec::check_image(image, "alter_several");
  Random random(mix_seed(seed, 0x7365766572616c));
  if (changes.empty() || random.uniform() < plain) return image;
  std::vector<Change> chosen(changes.begin(), changes.end());
  random.shuffle(std::span(chosen));
  chosen.resize(std::min<std::size_t>(chosen.size(), 1 + random.below(3)));
  std::stable_sort(chosen.begin(), chosen.end(), [](Change a, Change b) { return place(a) < place(b); });
  Image result = image;
  for (const Change change : chosen) result = alter(result, change, random.next());
  return result;
}

Image mirror(const Image& image) {
  codec::check_image(image, "mirror");
  return codec::orient(image, 2);
}

Image turn_quarter(const Image& image) {
  codec::check_image(image, "turn_quarter");
  return codec::orient(image, 6);
}

}  // namespace signet
