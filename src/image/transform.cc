#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <span>
#include <utility>

#include "image/codec.h"
#include "signet/base/error.h"
#include "signet/image/image.h"

namespace signet {
namespace codec {

Image blank(std::uint32_t width, std::uint32_t height, std::uint32_t channels) {
  Image image{width, height, channels, {}};
  image.pixels.resize(std::size_t{width} * height * channels);
  return image;
}

void check_image(const Image& image, const char* what) {
  const bool shape = image.width > 0 && image.height > 0 && (image.channels == 1 || image.channels == 3);
  if (!shape || image.pixels.size() / image.channels / image.width != image.height ||
      image.pixels.size() != std::size_t{image.width} * image.height * image.channels) {
    fail(ErrorCode::kInvalidArgument, what, ": an image of ", image.width, " x ", image.height, " x ", image.channels, " with ",
         image.pixels.size(), " bytes; positive sides, 1 or 3 channels and one byte a sample would be right");
  }
}

Image blend_on_white(std::uint32_t width, std::uint32_t height, std::uint32_t channels, std::span<const std::uint8_t> samples) {
  Image image = blank(width, height, channels);
  const std::size_t step = channels + 1;
  for (std::size_t i = 0; i < samples.size() / step; ++i) {
    const unsigned alpha = samples[i * step + channels];
    for (std::size_t c = 0; c < channels; ++c) {
      image.pixels[i * channels + c] =
          static_cast<std::uint8_t>((samples[i * step + c] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
  }
  return image;
}

// Pixel (x, y) of the upright picture comes from the stored picture's start + x * right + y * down (units: pixels).
Image orient(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const std::ptrdiff_t w = image.width, h = image.height, last_row = (h - 1) * w;
  struct Walk {
    std::ptrdiff_t start, right, down;
  };
  const Walk walks[] = {
      {w - 1, -1, w},              // 2: mirrored left to right
      {last_row + w - 1, -1, -w},  // 3: upside down
      {last_row, 1, -w},           // 4: mirrored top to bottom
      {0, w, 1},                   // 5: transposed
      {last_row, -w, 1},           // 6: turned; a quarter clockwise makes it upright
      {last_row + w - 1, -w, -1},  // 7: transposed along the other diagonal
      {w - 1, w, -1},              // 8: a quarter counter-clockwise makes it upright
  };
  const Walk walk = walks[orientation - 2];
  Image upright =
      orientation >= 5 ? blank(image.height, image.width, image.channels) : blank(image.width, image.height, image.channels);
  const std::ptrdiff_t channels = image.channels;
  std::uint8_t* target = upright.pixels.data();
  for (std::uint32_t y = 0; y < upright.height; ++y) {
    const std::uint8_t* source = image.pixels.data() + (walk.start + y * walk.down) * channels;
    for (std::uint32_t x = 0; x < upright.width; ++x, target += channels) {
      std::memcpy(target, source + x * walk.right * channels, static_cast<std::size_t>(channels));
    }
  }
  return upright;
}

}  // namespace codec

namespace {

constexpr std::uint64_t kMaxResizedPixels = std::uint64_t{1} << 30;

int matrix_type(std::uint32_t channels) { return channels == 1 ? CV_8UC1 : CV_8UC3; }

// A header over pixels that OpenCV only reads.
cv::Mat borrow(const Image& image) {
  return {static_cast<int>(image.height), static_cast<int>(image.width), matrix_type(image.channels),
          const_cast<std::uint8_t*>(image.pixels.data())};
}

// OpenCV adds up the bytes of a cell that is a whole number of pixels wide and high in 32 bits with a sign: these fit.
constexpr std::uint64_t kMostCell = std::uint64_t{1} << 23;

cv::Mat halved_while_cells_are_huge(cv::Mat source, const cv::Size& target) {
  while (source.total() > kMostCell * static_cast<std::uint64_t>(target.width) * static_cast<std::uint64_t>(target.height)) {
    const cv::Size size(std::max(target.width, (source.cols + 1) / 2), std::max(target.height, (source.rows + 1) / 2));
    cv::Mat half;
    cv::resize(source, half, size, 0, 0, cv::INTER_AREA);
    source = half;
  }
  return source;
}

// Shrinks first, by area, the sides that get smaller, then grows the others, bilinearly. OpenCV splits this work over threads
// only for results of more than 65,536 pixels.
Image resize_matrix(const cv::Mat& source, std::uint32_t width, std::uint32_t height) {
  Image image = codec::blank(width, height, static_cast<std::uint32_t>(source.channels()));
  cv::Mat target(static_cast<int>(height), static_cast<int>(width), source.type(), image.pixels.data());
  try {
    const cv::Size smaller(std::min(source.cols, target.cols), std::min(source.rows, target.rows));
    const cv::Mat summable = halved_while_cells_are_huge(source, smaller);
    cv::Mat shrunk = source;
    if (smaller == target.size()) {
      if (smaller == source.size()) {
        source.copyTo(target);
      } else {
        cv::resize(summable, target, target.size(), 0, 0, cv::INTER_AREA);
      }
      return image;
    }
    if (smaller != source.size()) {
      shrunk = cv::Mat();
      cv::resize(summable, shrunk, smaller, 0, 0, cv::INTER_AREA);
    }
    cv::resize(shrunk, target, target.size(), 0, 0, cv::INTER_LINEAR);
  } catch (const cv::Exception& error) {
    fail(ErrorCode::kInternal, "resize from ", source.cols, " x ", source.rows, " to ", width, " x ", height, ": ", error.err);
  }
  return image;
}

void check_target(std::uint32_t width, std::uint32_t height, const char* what) {
  if (width == 0 || height == 0 || std::uint64_t{width} * height > kMaxResizedPixels) {
    fail(ErrorCode::kInvalidArgument, what, ": a target of ", width, " x ", height, "; 1 x 1 to ", kMaxResizedPixels,
         " pixels would be right");
  }
}

}  // namespace

Image convert_channels(const Image& image, std::uint32_t channels) {
  codec::check_image(image, "convert_channels");
  if (channels != 1 && channels != 3)
    fail(ErrorCode::kInvalidArgument, "convert_channels: ", channels, " channels; 1 or 3 would be right");
  if (channels == image.channels) return image;
  Image result = codec::blank(image.width, image.height, channels);
  const std::uint8_t* source = image.pixels.data();
  std::uint8_t* target = result.pixels.data();
  const std::size_t count = std::size_t{image.width} * image.height;
  if (channels == 3) {
    for (std::size_t i = 0; i < count; ++i) target[3 * i] = target[3 * i + 1] = target[3 * i + 2] = source[i];
    return result;
  }
  for (std::size_t i = 0; i < count; ++i) {  // whole numbers: the same rounding on every machine
    target[i] =
        static_cast<std::uint8_t>((299u * source[3 * i] + 587u * source[3 * i + 1] + 114u * source[3 * i + 2] + 500u) / 1000u);
  }
  return result;
}

Image resize(const Image& image, std::uint32_t width, std::uint32_t height) {
  codec::check_image(image, "resize");
  check_target(width, height, "resize");
  if (width == image.width && height == image.height) return image;
  return resize_matrix(borrow(image), width, height);
}

Image centre_square(const Image& image, std::uint32_t side) {
  codec::check_image(image, "centre_square");
  check_target(side, side, "centre_square");
  if (image.width == side && image.height == side) return image;
  const std::uint32_t edge = std::min(image.width, image.height);
  const cv::Rect square(static_cast<int>((image.width - edge) / 2), static_cast<int>((image.height - edge) / 2),
                        static_cast<int>(edge), static_cast<int>(edge));
  return resize_matrix(borrow(image)(square), side, side);
}

}  // namespace signet
