#include "signet/image/gist.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "image/gist_filters.h"
#include "signet/base/error.h"

namespace signet {
namespace gist_detail {
namespace {

constexpr std::size_t kMargin = 5, kSmooth = kSide + 2 * kMargin;  // of step 2
constexpr double kCutoff = 4;                                      // cycles a picture
constexpr double kFloor = 0.2;                                     // least contrast that is divided by
constexpr double kLeast = 1e-5;                                    // of a filter's peak

// Index into a line of `size` values continued by its mirror image: ... 1 0 | 0 1 2 ... n-1 | n-1 ...
std::size_t mirrored_index(std::ptrdiff_t i, std::size_t size) {
  const auto n = static_cast<std::ptrdiff_t>(size);
  const std::ptrdiff_t around = ((i % (2 * n)) + 2 * n) % (2 * n);
  return static_cast<std::size_t>(around < n ? around : 2 * n - 1 - around);
}

// Signed frequency of a bin, in cycles over the whole line.
double frequency(std::size_t bin, std::size_t size) {
  return bin < (size + 1) / 2 ? static_cast<double>(bin) : static_cast<double>(bin) - static_cast<double>(size);
}

// The low-pass is a product of one over rows and one over columns, each a circulant matrix: response k to an impulse at 0.
std::vector<double> low_pass_row() {
  std::vector<double> row(kSmooth, 0.0);
  for (std::size_t k = 0; k < kSmooth; ++k) {
    for (std::size_t u = 0; u < kSmooth; ++u) {
      const double f = frequency(u, kSmooth);
      row[k] += std::exp(-f * f * std::numbers::ln2 / (kCutoff * kCutoff)) *
                std::cos(2 * std::numbers::pi * static_cast<double>(u * k) / kSmooth) / kSmooth;
    }
  }
  return row;
}

// Along rows, transposing; twice gives both directions and the original orientation.
std::vector<double> smooth_and_turn(const std::vector<double>& in, const std::vector<double>& row) {
  std::vector<double> out(kSmooth * kSmooth);
  for (std::size_t y = 0; y < kSmooth; ++y) {
    for (std::size_t x = 0; x < kSmooth; ++x) {
      double sum = 0;
      for (std::size_t k = 0; k < kSmooth; ++k) sum += in[y * kSmooth + k] * row[(x + kSmooth - k) % kSmooth];
      out[x * kSmooth + y] = sum;
    }
  }
  return out;
}

std::vector<double> low_pass(const std::vector<double>& in) {
  static const std::vector<double> kRow = low_pass_row();
  return smooth_and_turn(smooth_and_turn(in, kRow), kRow);
}

double grey_at(const Image& image, std::size_t x, std::size_t y) {
  double sum = 0;
  for (std::size_t c = 0; c < image.channels; ++c) sum += image.pixels[(y * image.width + x) * image.channels + c];
  return sum / image.channels;
}

}  // namespace

double transfer(std::size_t scale, std::size_t orientation, double fx, double fy) {
  constexpr double kPi = std::numbers::pi;
  const double peak = 0.3 / std::pow(1.85, static_cast<double>(scale));
  const double along = std::hypot(fx, fy) / peak - 1;
  const double turned = std::atan2(fy, fx) + static_cast<double>(orientation) * kPi / kOrientations;
  const double apart = turned > kPi ? turned - 2 * kPi : turned < -kPi ? turned + 2 * kPi : turned;
  return std::exp(-3.5 * along * along - 2 * kPi * apart * apart);
}

std::vector<double> normalised(const Image& image) {
  std::vector<double> high(kSmooth * kSmooth);
  const auto margin = static_cast<std::ptrdiff_t>(kMargin);
  for (std::size_t y = 0; y < kSmooth; ++y) {
    for (std::size_t x = 0; x < kSmooth; ++x) {
      const auto from = [&](std::size_t i) { return mirrored_index(static_cast<std::ptrdiff_t>(i) - margin, kSide); };
      high[y * kSmooth + x] = std::log1p(grey_at(image, from(x), from(y)));
    }
  }
  const std::vector<double> low = low_pass(high);
  std::vector<double> squares(high.size());
  for (std::size_t i = 0; i < high.size(); ++i) {
    high[i] -= low[i];
    squares[i] = high[i] * high[i];
  }
  const std::vector<double> energy = low_pass(squares);
  std::vector<double> picture(kSide * kSide);
  for (std::size_t y = 0; y < kSide; ++y) {
    for (std::size_t x = 0; x < kSide; ++x) {
      const std::size_t at = (y + kMargin) * kSmooth + x + kMargin;
      picture[y * kSide + x] = high[at] / (kFloor + std::sqrt(std::abs(energy[at])));
    }
  }
  return picture;
}

Bank::Bank() {
  for (std::size_t s = 0; s < kScales; ++s) {
    for (std::size_t o = 0; o < kOrientations; ++o) {
      for (std::size_t x = 0; x < kPadded; ++x) {
        for (std::size_t y = 0; y < kPadded; ++y) {
          const double value = transfer(s, o, frequency(x, kPadded) / kPadded, frequency(y, kPadded) / kPadded);
          if (value >= kLeast)
            filters_[s * kOrientations + o].push_back(
                {static_cast<std::uint16_t>(x), static_cast<std::uint16_t>(y), static_cast<float>(value)});
        }
      }
    }
  }
  const auto wave = [](std::size_t turns) {
    return std::polar(1.0, 2 * std::numbers::pi * static_cast<double>(turns % kPadded) / kPadded);
  };
  for (std::size_t u = 0; u < kPadded; ++u) {
    std::vector<std::complex<double>> sums(kSide);
    for (std::size_t place = 0; place < kPadded; ++place)
      sums[mirrored_index(static_cast<std::ptrdiff_t>(place) - static_cast<std::ptrdiff_t>(kSide), kSide)] +=
          std::conj(wave(u * place));
    for (std::size_t v = 0; v < kSide; ++v) {
      const std::complex<double> back = wave(u * (v + kSide)) / double{kPadded};
      forward_.real.push_back(static_cast<float>(sums[v].real()));
      forward_.imaginary.push_back(static_cast<float>(sums[v].imag()));
      inverse_.real.push_back(static_cast<float>(back.real()));
      inverse_.imaginary.push_back(static_cast<float>(back.imag()));
    }
  }
}

// First along rows, for every row of the picture, then down the columns.
Bank::Waves Bank::spectrum(std::span<const double> picture) const {
  Waves result{std::vector<float>(kPadded * kPadded), std::vector<float>(kPadded * kPadded)};
  std::array<float, kSide> real{}, imaginary{};
  for (std::size_t u = 0; u < kPadded; ++u) {
    for (std::size_t y = 0; y < kSide; ++y) {
      real[y] = imaginary[y] = 0;
      for (std::size_t x = 0; x < kSide; ++x) {
        const auto value = static_cast<float>(picture[y * kSide + x]);
        real[y] += forward_.real[u * kSide + x] * value;
        imaginary[y] += forward_.imaginary[u * kSide + x] * value;
      }
    }
    for (std::size_t v = 0; v < kPadded; ++v) {
      float sum_real = 0, sum_imaginary = 0;
      for (std::size_t y = 0; y < kSide; ++y) {
        const float wave_real = forward_.real[v * kSide + y], wave_imaginary = forward_.imaginary[v * kSide + y];
        sum_real += real[y] * wave_real - imaginary[y] * wave_imaginary;
        sum_imaginary += real[y] * wave_imaginary + imaginary[y] * wave_real;
      }
      result.real[u * kPadded + v] = sum_real;
      result.imaginary[u * kPadded + v] = sum_imaginary;
    }
  }
  return result;
}

// The filtered picture: a column of frequencies after the other, down to the picture's rows and then along them.
void Bank::answer(const std::vector<Entry>& filter, const Waves& spectrum, Waves& out) const {
  out.real.assign(kSide * kSide, 0.0f);
  out.imaginary.assign(kSide * kSide, 0.0f);
  std::array<float, kSide> real{}, imaginary{};
  // real + i imaginary += (a + i b) times a row of the inverse transform.
  const auto add = [&](float a, float b, std::size_t row, float* to_real, float* to_imaginary) {
    const float *wave_real = inverse_.real.data() + row * kSide, *wave_imaginary = inverse_.imaginary.data() + row * kSide;
    for (std::size_t i = 0; i < kSide; ++i) {
      to_real[i] += a * wave_real[i] - b * wave_imaginary[i];
      to_imaginary[i] += a * wave_imaginary[i] + b * wave_real[i];
    }
  };
  for (std::size_t i = 0; i < filter.size();) {
    const std::uint16_t u = filter[i].x;
    real.fill(0), imaginary.fill(0);
    for (; i < filter.size() && filter[i].x == u; ++i) {
      const std::size_t bin = u * kPadded + filter[i].y;
      add(spectrum.real[bin] * filter[i].value, spectrum.imaginary[bin] * filter[i].value, filter[i].y, real.data(),
          imaginary.data());
    }
    for (std::size_t y = 0; y < kSide; ++y)
      add(real[y], imaginary[y], u, out.real.data() + y * kSide, out.imaginary.data() + y * kSide);
  }
}

void Bank::apply(std::span<const double> picture, std::span<float> target) const {
  constexpr std::size_t kCell = kSide / kGrid;
  const Waves whole = spectrum(picture);
  Waves out;
  for (std::size_t f = 0; f < filters_.size(); ++f) {
    answer(filters_[f], whole, out);
    const std::span<float> cells = target.subspan(f * kGrid * kGrid, kGrid * kGrid);
    std::fill(cells.begin(), cells.end(), 0.0f);
    for (std::size_t y = 0; y < kSide; ++y) {
      for (std::size_t x = 0; x < kSide; ++x) {
        const float a = out.real[y * kSide + x], b = out.imaginary[y * kSide + x];
        cells[y / kCell * kGrid + x / kCell] += std::sqrt(a * a + b * b) / (kCell * kCell);
      }
    }
  }
}

}  // namespace gist_detail

void gist(const Image& image, std::span<float> target) {
  using namespace gist_detail;
  if (image.width != kGistSide || image.height != kGistSide || (image.channels != 1 && image.channels != 3) ||
      image.pixels.size() != std::size_t{kGistSide} * kGistSide * image.channels || target.size() != kGistSize) {
    fail(ErrorCode::kInvalidArgument, "GIST is ", kGistSize, " numbers of a picture of ", kGistSide, " x ", kGistSide, ", not ",
         target.size(), " of one of ", image.width, " x ", image.height);
  }
  static const Bank kBank;
  kBank.apply(normalised(image), target);
}

}  // namespace signet
