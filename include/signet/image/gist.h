#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "signet/image/image.h"

namespace signet {

// GIST, the spatial envelope of a scene (Oliva & Torralba, IJCV 42(3), 2001), as hashing papers use it for pictures of 32 x 32:
// how strongly 4 scales x 8 orientations of oriented filters answer in each cell of a 4 x 4 grid.
//   1. Grey: the mean of the channels, 0 to 255. l = log(1 + grey).
//   2. Contrast, on the picture continued by 5 pixels of its mirror image on each side: with G a low-pass (the spectrum times
//      exp(-f^2 log 2 / 16) at f cycles over the 42 pixels), h = l - G l, then h / (0.2 + sqrt(G h^2)).
//   3. Filters on the result, continued by a whole mirror image on each side (96 x 96, taken as periodic), each a real transfer
//      function of the frequency f (cycles a pixel) and its angle t:
//        exp(-3.5 (f / f_s - 1)^2 - 2 pi (t - t_o)^2), f_s = 0.3 / 1.85^s for scale s = 0..3, t_o = -o pi / 8 for o = 0..7, the
//      difference of angles brought into [-pi, pi].
//   4. Mean of the absolute value over each cell of 8 x 8 pixels.
// The number of scale s, orientation o, cell row r and column c stands at ((s 8 + o) 4 + r) 4 + c.
inline constexpr std::uint32_t kGistSide = 32;
inline constexpr std::uint32_t kGistSize = 512;

// Of a picture of kGistSide x kGistSide, 1 or 3 channels, into kGistSize floats. Safe from many threads. Throws kInvalidArgument
// for another size.
void gist(const Image& image, std::span<float> target);

}  // namespace signet
