#pragma once

#include <array>
#include <cstdint>

#include "signet/image/image.h"
#include "signet/image/picture_hash.h"

namespace signet {

// The code of a picture: the signs of picture_hash_values(), packed.
std::array<std::uint8_t, 8> picture_hash(const Image& image, PictureHash kind);

// How sharp a picture is: variance of the Laplacian of its grey version, scaled to at most 256 pixels a side so that a picture
// that was merely enlarged does not win. Compares pictures of the same scene, nothing else.
double sharpness(const Image& image);

}  // namespace signet
