#pragma once

#include <array>
#include <cstdint>

#include "signet/image/image.h"

namespace signet {

// The grey picture at 32 x 32, whatever its shape was.
struct Thumbnail {
  static constexpr std::uint32_t kSide = 32;
  std::array<float, std::size_t{kSide} * kSide> grey{};
};
Thumbnail make_thumbnail(const Image& image);

// How well one picture explains the other, 0 (not at all) to 1 (up to brightness and contrast the same), symmetric.
//
// One of the two may show a part of the other: windows of 80 to 100 % of the width and, separately, of the height are tried, in
// either picture, coarsely everywhere and then around the best down to a quarter of a pixel, and the one of the largest
// correlation is taken. There the grey values of one are fitted by gain and offset to the other's, and the worst 15 % of the
// pixels (an overlay) are set aside. The answer is the squared correlation, about zero, of the differences between neighbouring
// pixels that are left: what is drawn counts and not only where the dark is. The sharper of the two may be softened (Gaussian, up
// to 1.1 pixels) where that makes it larger: pictures lose sharpness when they are made smaller or blurred. At most half
// a millisecond; 0 without going on where even the best coarse window correlates with less than 0.6. Flat pictures (no variance
// at all) explain each other fully where both are flat, else not at all.
double likeness(const Thumbnail& a, const Thumbnail& b);

}  // namespace signet
