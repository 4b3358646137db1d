#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace signet {

// Training-time augmentation of small images as a pure function of (image, seed). After airbench (K. Jordan 2024).
struct AugmentOptions {
  std::uint32_t translate = 2;  // pixels; the image is reflect-padded by this and cropped at a random place; 0 = off
  bool mirror = true;        // alternating flip: an image is mirrored in every other epoch, which one first depends on its seed
  std::uint32_t cutout = 0;  // side of a square set to the fill value; 0 = off
};

// source, target: height x width x channels bytes, interleaved. `image_seed` is fixed for an image, `epoch` counts from
// 0. fill: value of cut-out pixels (per channel the same). target may not overlap source. Throws kInvalidArgument unless both
// spans have that size, the sides are positive and channels is 1 or 3.
void augment(std::span<const std::uint8_t> source, std::uint32_t width, std::uint32_t height, std::uint32_t channels,
             const AugmentOptions& options, std::uint64_t image_seed, std::uint64_t epoch, std::span<std::uint8_t> target,
             std::uint8_t fill = 0);

}  // namespace signet
