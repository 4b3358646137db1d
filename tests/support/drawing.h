#pragma once

#include <cstdint>
#include <vector>

#include "signet/base/random.h"
#include "signet/image/image.h"

namespace signet::testdata {

// A picture of thin lines on white, of which altered copies hardly correlate with it.
inline Image drawing(std::uint64_t seed) {
  constexpr std::uint32_t kSide = 128;
  Random random(mix_seed(seed, 2));
  Image image{kSide, kSide, 1, std::vector<std::uint8_t>(kSide * kSide, 255)};
  const auto place = [&] { return 4 + random.uniform() * (kSide - 9); };
  for (int line = 0; line < 6; ++line) {
    const double x = place(), y = place(), to_x = place(), to_y = place();
    for (int step = 0; step <= 200; ++step) {
      const double share = step / 200.0;
      const auto column = static_cast<std::size_t>(x + share * (to_x - x)),
                 row = static_cast<std::size_t>(y + share * (to_y - y));
      image.pixels[row * kSide + column] = 0;
    }
  }
  return image;
}

}  // namespace signet::testdata
