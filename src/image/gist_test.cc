#include "signet/image/gist.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <complex>
#include <numbers>

#include "image/gist_filters.h"
#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

using namespace gist_detail;
constexpr double kPi = std::numbers::pi;

// By hand: at its own frequency and angle a filter is 1; at half its frequency exp(-3.5 / 4); at right angles exp(-2 pi (pi /
// 2)^2).
TEST(Gist, TransferFunctionsByHand) {
  EXPECT_DOUBLE_EQ(transfer(0, 0, 0.3, 0), 1);
  EXPECT_NEAR(transfer(1, 0, 0.3 / 1.85, 0), 1, 1e-12);
  EXPECT_NEAR(transfer(3, 0, 0.3 / 1.85 / 1.85 / 1.85, 0), 1, 1e-12);
  EXPECT_NEAR(transfer(0, 0, 0.15, 0), 0.416862, 1e-6);
  EXPECT_NEAR(transfer(0, 0, 0, 0.3), 1.8496e-7, 1e-10);
  EXPECT_NEAR(transfer(0, 0, -0.3, 0), std::exp(-2 * kPi * kPi * kPi), 1e-30);
  EXPECT_NEAR(transfer(0, 4, 0, -0.3), 1, 1e-12);  // orientation 4 of 8 is turned by pi / 2
  EXPECT_NEAR(transfer(2, 1, 0.3 / 3.4225 * std::cos(kPi / 8), -0.3 / 3.4225 * std::sin(kPi / 8)), 1, 1e-12);
}

// A cosine that its mirror images continue is two opposite frequencies, each of half its height. One of them a filter lets
// through, the other not; the absolute value of what is left is the same at every pixel.
TEST(Gist, ACosineAnswersByHalfItsTransferFunctionInEveryCell) {
  std::array<double, 32 * 32> across{}, down{};
  for (std::size_t y = 0; y < 32; ++y) {
    for (std::size_t x = 0; x < 32; ++x) {
      across[y * 32 + x] = 3 * std::cos(kPi * 12 * (static_cast<double>(x) + 0.5) / 32);  // 12 / 64 cycles a pixel
      down[y * 32 + x] = 3 * std::cos(kPi * 12 * (static_cast<double>(y) + 0.5) / 32);
    }
  }
  const Bank bank;
  std::array<float, kGistSize> of_across{}, of_down{};
  bank.apply(across, of_across);
  bank.apply(down, of_down);
  for (std::size_t s = 0; s < 4; ++s) {
    for (std::size_t o = 0; o < 8; ++o) {
      // Both frequencies count where both pass, as at 45 degrees of neither; then their waves beat and only the mean is bounded.
      const double plus = transfer(s, o, 12.0 / 64, 0), minus = transfer(s, o, -12.0 / 64, 0);
      const double right = 1.5 * std::max(plus, minus);
      for (std::size_t cell = 0; cell < 16; ++cell) EXPECT_NEAR(of_across[(s * 8 + o) * 16 + cell], right, 1e-3) << s << " " << o;
      const double below = 1.5 * std::max(transfer(s, o, 0, 12.0 / 64), transfer(s, o, 0, -12.0 / 64));
      for (std::size_t cell = 0; cell < 16; ++cell) EXPECT_NEAR(of_down[(s * 8 + o) * 16 + cell], below, 1e-3) << s << " " << o;
    }
  }
}

Image noise(std::uint32_t channels, std::uint64_t seed) {
  Image image{kGistSide, kGistSide, channels, {}};
  Random random(seed);
  for (std::size_t i = 0; i < std::size_t{kGistSide} * kGistSide * channels; ++i)
    image.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
  return image;
}

// The definition itself: the transform of the whole 96 x 96 picture, the product, the transform back, summed term by term.
TEST(Gist, TheBankIsTheProductOfSpectra) {
  const std::vector<double> picture = normalised(noise(1, 3));
  const auto pixel = [&](std::size_t y, std::size_t x) {
    const auto fold = [](std::size_t i) { return i < 32 ? 31 - i : i < 64 ? i - 32 : 95 - i; };
    return picture[fold(y) * 32 + fold(x)];
  };
  const auto wave = [](std::size_t turns) { return std::polar(1.0, 2 * kPi * static_cast<double>(turns % 96) / 96); };
  std::vector<std::complex<double>> rows(96 * 96), spectrum(96 * 96), back(96 * 96);
  for (std::size_t y = 0; y < 96; ++y)
    for (std::size_t u = 0; u < 96; ++u)
      for (std::size_t x = 0; x < 96; ++x) rows[y * 96 + u] += pixel(y, x) * std::conj(wave(u * x));
  for (std::size_t v = 0; v < 96; ++v)
    for (std::size_t u = 0; u < 96; ++u)
      for (std::size_t y = 0; y < 96; ++y) spectrum[v * 96 + u] += rows[y * 96 + u] * std::conj(wave(v * y));
  const auto frequency = [](std::size_t bin) {
    return (bin < 48 ? static_cast<double>(bin) : static_cast<double>(bin) - 96) / 96;
  };
  std::array<float, kGistSize> all{};
  Bank().apply(picture, all);
  for (const std::size_t filter : {0u, 11u, 30u}) {
    for (std::size_t v = 0; v < 96; ++v)
      for (std::size_t x = 32; x < 40; ++x)  // the cells of the first column
        for (std::size_t u = 0; u < 96; ++u) {
          if (x == 32 && u == 0)
            for (std::size_t i = 0; i < 96; ++i) back[v * 96 + i] = 0;
          back[v * 96 + x] +=
              spectrum[v * 96 + u] * transfer(filter / 8, filter % 8, frequency(u), frequency(v)) * wave(u * x) / 96.0;
        }
    double mean = 0;
    for (std::size_t y = 32; y < 40; ++y) {
      for (std::size_t x = 32; x < 40; ++x) {
        std::complex<double> value = 0;
        for (std::size_t v = 0; v < 96; ++v) value += back[v * 96 + x] * wave(v * y) / 96.0;
        mean += std::abs(value) / 64;
      }
    }
    EXPECT_NEAR(all[filter * 16], mean, 1e-3 * mean) << filter;
  }
}

TEST(Gist, ContrastIsEvenedOut) {
  // A flat picture has none.
  Image flat{kGistSide, kGistSide, 1, std::vector<std::uint8_t>(kGistSide * kGistSide, 77)};
  for (const double v : normalised(flat)) EXPECT_NEAR(v, 0, 1e-12);
  std::array<float, kGistSize> numbers{};
  gist(flat, numbers);
  for (const float v : numbers) EXPECT_NEAR(v, 0, 1e-6);
  // Grey is the mean of the channels, so a grey picture in three channels is the grey picture.
  const Image grey = noise(1, 4);
  std::array<float, kGistSize> once{}, thrice{};
  gist(grey, once);
  gist(convert_channels(grey, 3), thrice);
  EXPECT_EQ(once, thrice);
  for (const float v : once) EXPECT_GT(v, 0);
}

TEST(Gist, OtherSizesAreRefused) {
  std::array<float, kGistSize> numbers{};
  EXPECT_THROW(gist({16, 16, 1, std::vector<std::uint8_t>(256)}, numbers), Error);
  EXPECT_THROW(gist(noise(1, 1), std::span(numbers).first(10)), Error);
}

}  // namespace
}  // namespace signet
