#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "signet/image/image.h"

namespace signet {

// What happens to pictures on their way through other programs: the changes under which two files still show the same picture.
// They make the known copies that dedup is calibrated and measured with, and the pairs that instance codes are trained on.
enum class Change {
  kShrink,      // each side times 0.5 to 0.9
  kJpeg,        // JPEG of quality 35 to 85 and back
  kBrightness,  // every sample moved by 8 to 24 % of the range, up or down
  kBlur,        // Gaussian, sigma 0.5 to 1 pixel (of a picture of 128 pixels; more on larger ones)
  kCrop,        // 80 to 97 % of the width and, drawn separately, of the height are kept, at a random place
  kOverlay,     // an opaque box or band of one colour over 4 to 12 % of the area
  kEnlarge,     // sides times 1.2 to 2
  kJpegHard,    // JPEG of quality 15 to 30 and back
  kContrast,    // distance from mid grey times 0.6 to 0.85 or 1.2 to 1.5
  kNoise,       // Gaussian noise of deviation 3 to 9
  kCropSide,    // 5 to 20 % cut off one of the four sides: the shape changes too
  kWatermark,   // slanted stripes blended in at 25 to 45 % over the middle half
};
inline constexpr std::size_t kChangeKinds = 12;

// The kinds that training and tuning in this repository use; the other six stay unseen until something is measured.
inline constexpr std::array kTuningChanges = {Change::kShrink, Change::kJpeg, Change::kBrightness,
                                              Change::kBlur,   Change::kCrop, Change::kOverlay};
bool is_tuning_change(Change change) noexcept;

const char* change_name(Change change) noexcept;  // "shrink", "jpeg", "jpeg-hard", ...

// The picture after the change. A pure function of its arguments on one machine; strengths are drawn uniformly from the ranges
// above by `seed`. Throws kInvalidArgument for a picture whose sides, channels and bytes do not fit together, and for one that is
// too large for the change: sides above 65,500 or more than 256 million pixels for kJpeg and kJpegHard, more than 2^30 pixels
// afterwards for kEnlarge; kBusy where memory is lacking to decode a JPEG.
Image alter(const Image& image, Change change, std::uint64_t seed);

// One to three of `changes` after one another, in the order crop, shrink, the other pixel changes, JPEG: a training view. With
// probability `plain` the picture stays as it is. The result has its own size; the caller scales it. Throws as alter.
Image alter_several(const Image& image, std::span<const Change> changes, double plain, std::uint64_t seed);

// Mirrored left to right; turned by a quarter clockwise. Throw kInvalidArgument for a picture whose sides, channels and bytes do
// not fit together.
Image mirror(const Image& image);
Image turn_quarter(const Image& image);

}  // namespace signet
