#include "signet/dedup/picture_hash.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "signet/base/error.h"

namespace signet {
namespace {

constexpr std::uint32_t kGrid = 8;
constexpr std::uint32_t kDctSide = 32;

using Cells = std::array<double, 64>;

std::array<std::uint8_t, 8> pack(const std::array<bool, 64>& bits) {
  std::array<std::uint8_t, 8> code{};
  for (std::size_t k = 0; k < bits.size(); ++k)
    if (bits[k]) code[k / 8] = static_cast<std::uint8_t>(code[k / 8] | (1u << (k % 8)));
  return code;
}

template <typename Test>
std::array<std::uint8_t, 8> threshold(const Cells& cells, const Test& test) {
  std::array<bool, 64> bits{};
  for (std::size_t k = 0; k < cells.size(); ++k) bits[k] = test(cells[k]);
  return pack(bits);
}

double median(Cells cells) {  // the mean of the two middle ones
  std::sort(cells.begin(), cells.end());
  return (cells[31] + cells[32]) / 2;
}

Cells grid_means(const Image& grey) {
  const Image small = resize(grey, kGrid, kGrid);
  Cells cells{};
  std::copy(small.pixels.begin(), small.pixels.end(), cells.begin());
  return cells;
}

std::array<std::uint8_t, 8> difference_hash(const Image& grey) {
  const Image small = resize(grey, kGrid + 1, kGrid);
  std::array<bool, 64> bits{};
  for (std::uint32_t y = 0; y < kGrid; ++y)
    for (std::uint32_t x = 0; x < kGrid; ++x) bits[y * kGrid + x] = small.row(y)[x] < small.row(y)[x + 1];
  return pack(bits);
}

// cos((2 x + 1) f pi / 64) for f = 1 to 8: DCT-II without its scale, which the comparison with a median does not see (all
// frequencies are above zero, so all would have the same).
std::array<std::array<double, kDctSide>, kGrid> dct_rows() {
  std::array<std::array<double, kDctSide>, kGrid> rows{};
  for (std::uint32_t f = 0; f < kGrid; ++f)
    for (std::uint32_t x = 0; x < kDctSide; ++x) rows[f][x] = std::cos((2 * x + 1) * (f + 1) * std::numbers::pi / (2 * kDctSide));
  return rows;
}

Cells dct_cells(const Image& grey) {
  static const auto kRows = dct_rows();
  const Image small = resize(grey, kDctSide, kDctSide);
  std::array<std::array<double, kGrid>, kDctSide> across{};
  for (std::uint32_t y = 0; y < kDctSide; ++y)
    for (std::uint32_t f = 0; f < kGrid; ++f)
      for (std::uint32_t x = 0; x < kDctSide; ++x) across[y][f] += kRows[f][x] * small.row(y)[x];
  Cells cells{};
  for (std::uint32_t g = 0; g < kGrid; ++g)
    for (std::uint32_t f = 0; f < kGrid; ++f)
      for (std::uint32_t y = 0; y < kDctSide; ++y) cells[g * kGrid + f] += kRows[g][y] * across[y][f];
  return cells;
}

}  // namespace

std::array<std::uint8_t, 8> picture_hash(const Image& image, PictureHash kind) {
  const Image grey = convert_channels(image, 1);
  switch (kind) {
    case PictureHash::kAverage: {
      const Cells cells = grid_means(grey);
      double mean = 0;
      for (const double c : cells) mean += c / 64;
      return threshold(cells, [mean](double c) { return c > mean; });
    }
    case PictureHash::kDifference:
      return difference_hash(grey);
    case PictureHash::kDct: {
      const Cells cells = dct_cells(grey);
      const double middle = median(cells);
      return threshold(cells, [middle](double c) { return c > middle; });
    }
    case PictureHash::kBlockMean: {
      const Cells cells = grid_means(grey);
      const double middle = median(cells);
      return threshold(cells, [middle](double c) { return c >= middle; });
    }
  }
  fail(ErrorCode::kInternal, "there is no perceptual hash number ", static_cast<int>(kind));
}

PictureHash parse_picture_hash(const std::string& name) {
  for (const auto kind : {PictureHash::kAverage, PictureHash::kDifference, PictureHash::kDct, PictureHash::kBlockMean})
    if (name == picture_hash_name(kind)) return kind;
  fail(ErrorCode::kUsage, "--hash \"", name, "\" does not exist; ahash, dhash, phash and block-mean do");
}

const char* picture_hash_name(PictureHash kind) noexcept {
  constexpr const char* kNames[] = {"ahash", "dhash", "phash", "block-mean"};
  return kNames[static_cast<std::size_t>(kind)];
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
