#include "signet/dedup/picture_hash.h"

#include <algorithm>
#include <cmath>

namespace signet {

std::array<std::uint8_t, 8> picture_hash(const Image& image, PictureHash kind) {
  const std::array<float, kPictureHashBits> values = picture_hash_values(image, kind);
  std::array<std::uint8_t, 8> code{};
  for (std::size_t k = 0; k < values.size(); ++k)
    if (values[k] > 0) code[k / 8] = static_cast<std::uint8_t>(code[k / 8] | (1u << (k % 8)));
  return code;
}

double sharpness(const Image& image) {
  constexpr double kSide = 256;
  const double scale = std::min(1.0, kSide / std::max(image.width, image.height));
  const auto scaled = [scale](std::uint32_t side) {
    return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(std::lround(side * scale)));
  };
  const Image grey = resize(convert_channels(image, 1), scaled(image.width), scaled(image.height));
  double sum = 0, squares = 0, count = 0;
  for (std::uint32_t y = 1; y + 1 < grey.height; ++y)
    for (std::uint32_t x = 1; x + 1 < grey.width; ++x) {
      const double value =
          4.0 * grey.row(y)[x] - grey.row(y)[x - 1] - grey.row(y)[x + 1] - grey.row(y - 1)[x] - grey.row(y + 1)[x];
      sum += value, squares += value * value, ++count;
    }
  return count > 0 ? squares / count - (sum / count) * (sum / count) : 0;
}

}  // namespace signet
