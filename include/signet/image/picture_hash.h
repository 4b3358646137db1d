#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "signet/image/image.h"

namespace signet {

// Perceptual hashes of 64 bits, from the grey picture (Rec. 601 luma). Bit 8 r + c belongs to row r, column c of an 8 x 8 grid
// from the top left; as everywhere, bit k is bit k % 8 of byte k / 8.
enum class PictureHash {
  // aHash (N. Krawetz, "Looks Like It", 2011): shrunk to 8 x 8; 1 where a cell is brighter than the mean of all.
  kAverage,
  // dHash (N. Krawetz, "Kind of Like That", 2013): shrunk to 9 wide, 8 high; 1 where a cell is darker than its right neighbour.
  kDifference,
  // pHash (C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, section 3.2.1): shrunk to
  // 32 x 32, two-dimensional DCT-II; of the coefficients of frequencies 1 to 8 in both directions, 1 where one is above their
  // median.
  kDct,
  // Block mean value (Yang, Gu, Niu, "Block Mean Value Based Image Perceptual Hashing", IIH-MSP 2006, method 1): means of 8 x 8
  // blocks that do not overlap; 1 where a block's mean is at least the median of all.
  kBlockMean,
};
inline constexpr std::uint32_t kPictureHashBits = 64;

// What the bits are the signs of: number k is above zero where bit k is 1 and below where it is 0, by as much as its cell is
// above or below what it is compared with. Never 0. Safe from many threads.
std::array<float, kPictureHashBits> picture_hash_values(const Image& image, PictureHash kind);

PictureHash parse_picture_hash(const std::string& name);  // ahash | dhash | phash | block-mean; throws kUsage
const char* picture_hash_name(PictureHash kind) noexcept;

}  // namespace signet
