#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "signet/image/gist.h"

// The steps of gist(), apart for its tests.
namespace signet::gist_detail {

constexpr std::size_t kSide = kGistSide, kPadded = 3 * kSide, kScales = 4, kOrientations = 8, kGrid = 4;

// Value of a filter's transfer function at fx, fy cycles a pixel (x to the right, y down).
double transfer(std::size_t scale, std::size_t orientation, double fx, double fy);

// Steps 1 and 2: kSide x kSide values.
std::vector<double> normalised(const Image& image);

// Steps 3 and 4 for all filters. Immutable once made.
class Bank {
 public:
  Bank();
  void apply(std::span<const double> picture, std::span<float> target) const;

 private:
  // A filter is far from zero in a wedge of the plane of frequencies only; the others are left out (below kLeast of its peak).
  struct Entry {
    std::uint16_t x, y;  // bin of the frequency
    float value;
  };
  std::array<std::vector<Entry>, kScales * kOrientations> filters_;  // by rising x
  struct Waves {                                                     // kPadded x kSide
    std::vector<float> real, imaginary;
  };
  Waves spectrum(std::span<const double> picture) const;  // kPadded x kPadded: [x][y]
  void answer(const std::vector<Entry>& filter, const Waves& spectrum, Waves& out) const;

  // Row u of forward_: exp(-2 pi i u v / kPadded) summed over the places of the continued line that hold pixel v. Of inverse_:
  // exp(2 pi i u (v + kSide) / kPadded) / kPadded, the part of the inverse transform that lands on the picture.
  Waves forward_, inverse_;
};

}  // namespace signet::gist_detail
