#include "signet/image/picture_hash.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "signet/base/error.h"

namespace signet {
namespace {

constexpr std::uint32_t kGrid = 8;
constexpr std::uint32_t kDctSide = 32;

using Cells = std::array<double, kPictureHashBits>;
using Values = std::array<float, kPictureHashBits>;

// `above` by as much as the distance, but never 0: a difference too small for single precision keeps its side.
float side(bool above, double distance) {
  const float size = std::max(static_cast<float>(std::abs(distance)), std::numeric_limits<float>::min());
  return above ? size : -size;
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

Values difference_values(const Image& grey) {
  const Image small = resize(grey, kGrid + 1, kGrid);
  Values values{};
  for (std::uint32_t y = 0; y < kGrid; ++y) {
    for (std::uint32_t x = 0; x < kGrid; ++x) {
      const int rise = small.row(y)[x + 1] - small.row(y)[x];
      values[y * kGrid + x] = side(rise > 0, rise);
    }
  }
  return values;
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

template <typename Test>
Values compare(const Cells& cells, double with, const Test& above) {
  Values values{};
  for (std::size_t k = 0; k < cells.size(); ++k) values[k] = side(above(cells[k], with), cells[k] - with);
  return values;
}

}  // namespace

std::array<float, kPictureHashBits> picture_hash_values(const Image& image, PictureHash kind) {
  const Image grey = convert_channels(image, 1);
  switch (kind) {
    case PictureHash::kAverage: {
      const Cells cells = grid_means(grey);
      double mean = 0;
      for (const double c : cells) mean += c / 64;
      return compare(cells, mean, std::greater<>());
    }
    case PictureHash::kDifference:
      return difference_values(grey);
    case PictureHash::kDct: {
      const Cells cells = dct_cells(grey);
      return compare(cells, median(cells), std::greater<>());
    }
    case PictureHash::kBlockMean: {
      const Cells cells = grid_means(grey);
      return compare(cells, median(cells), std::greater_equal<>());
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

}  // namespace signet
