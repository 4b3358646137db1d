#include "signet/dedup/second_look.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace signet {
namespace {

constexpr std::uint32_t kSide = Thumbnail::kSide;
constexpr std::size_t kPixels = std::size_t{kSide} * kSide;
constexpr double kKept = 0.85;  // share of the pixels that the second fit sees
constexpr double kFlat = 1.0;   // a standard deviation below this is no structure, in grey levels
using Grid = std::array<float, kPixels>;

// One side's sampling: target x takes source left and left + 1 in these shares (linear interpolation of the window).
struct Window {
  std::array<std::uint32_t, kSide> left{};
  std::array<float, kSide> right_share{};
};

// All windows of one side: 32 pixels, 30.4, 28.8, ..., at offsets a pixel apart.
std::vector<Window> make_windows() {
  std::vector<Window> windows;
  for (const double share : {1.0, 0.95, 0.9, 0.85, 0.8}) {
    const double slack = kSide * (1 - share);
    const int steps = static_cast<int>(std::lround(slack));
    for (int s = 0; s <= steps; ++s) {
      const double begin = steps > 0 ? slack * s / steps : 0;
      Window window;
      for (std::uint32_t x = 0; x < kSide; ++x) {
        const double at = std::clamp(begin + (x + 0.5) * share - 0.5, 0.0, kSide - 1.0);
        window.left[x] = std::min(static_cast<std::uint32_t>(at), kSide - 2);
        window.right_share[x] = static_cast<float>(at - window.left[x]);
      }
      windows.push_back(window);
    }
  }
  return windows;
}

const std::vector<Window>& windows() {
  static const std::vector<Window> kAll = make_windows();
  return kAll;
}

void stretch_rows(const Grid& from, const Window& window, Grid& to) {  // along x
  for (std::uint32_t y = 0; y < kSide; ++y)
    for (std::uint32_t x = 0; x < kSide; ++x) {
      const float* source = from.data() + y * kSide + window.left[x];
      to[y * kSide + x] = source[0] + window.right_share[x] * (source[1] - source[0]);
    }
}

void stretch_columns(const Grid& from, const Window& window, Grid& to) {  // along y
  for (std::uint32_t y = 0; y < kSide; ++y) {
    const float* source = from.data() + window.left[y] * kSide;
    for (std::uint32_t x = 0; x < kSide; ++x)
      to[y * kSide + x] = source[x] + window.right_share[y] * (source[kSide + x] - source[x]);
  }
}

struct Moments {
  double count = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
  void add(double x, double y) { count += 1, a += x, b += y, aa += x * x, bb += y * y, ab += x * y; }
  double var_a() const { return aa / count - (a / count) * (a / count); }
  double var_b() const { return bb / count - (b / count) * (b / count); }
  double cov() const { return ab / count - (a / count) * (b / count); }
};

Moments moments(const Grid& a, const Grid& b) {  // in float, vectorised: only ranks windows
  float sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;
  for (std::size_t i = 0; i < kPixels; ++i) {
    sa += a[i], sb += b[i];
    aa += a[i] * a[i], bb += b[i] * b[i], ab += a[i] * b[i];
  }
  return {static_cast<double>(kPixels), sa, sb, aa, bb, ab};
}

double correlation(const Moments& m) {
  const double va = m.var_a(), vb = m.var_b();
  return va < kFlat * kFlat || vb < kFlat * kFlat ? 0 : m.cov() / std::sqrt(va * vb);
}

// Puts the window of `whole` that correlates best with `part` into `best`; returns the correlation.
double best_window(const Grid& whole, const Grid& part, Grid& best) {
  double most = -2;
  Grid tall, cut;
  for (const Window& rows : windows()) {
    stretch_columns(whole, rows, tall);
    for (const Window& columns : windows()) {
      stretch_rows(tall, columns, cut);
      const double c = correlation(moments(cut, part));
      if (c > most) most = c, best = cut;
    }
  }
  return most;
}

// Share of b's variance that gain * a + offset explains, without the worst pixels.
double explained(const Grid& a, const Grid& b) {
  std::array<float, kPixels> error;
  std::vector<char> kept(kPixels, 1);
  Moments m;
  for (int round = 0; round < 3; ++round) {
    m = {};
    for (std::size_t i = 0; i < kPixels; ++i)
      if (kept[i]) m.add(a[i], b[i]);
    const double gain = m.cov() / std::max(m.var_a(), 1e-9), offset = (m.b - gain * m.a) / m.count;
    for (std::size_t i = 0; i < kPixels; ++i) error[i] = static_cast<float>(std::abs(gain * a[i] + offset - b[i]));
    auto sorted = error;
    const auto limit = sorted.begin() + static_cast<std::ptrdiff_t>(kKept * kPixels);
    std::nth_element(sorted.begin(), limit, sorted.end());
    for (std::size_t i = 0; i < kPixels; ++i) kept[i] = error[i] <= *limit;
  }
  m = {};
  for (std::size_t i = 0; i < kPixels; ++i)
    if (kept[i]) m.add(a[i], b[i]);
  const double va = m.var_a(), vb = m.var_b();
  if (va < kFlat * kFlat || vb < kFlat * kFlat) return va < kFlat * kFlat && vb < kFlat * kFlat ? 1 : 0;
  return m.cov() <= 0 ? 0 : m.cov() * m.cov() / (va * vb);
}

}  // namespace

Thumbnail make_thumbnail(const Image& image) {
  const Image small = resize(convert_channels(image, 1), kSide, kSide);
  Thumbnail thumbnail;
  std::copy(small.pixels.begin(), small.pixels.end(), thumbnail.grey.begin());
  return thumbnail;
}

double likeness(const Thumbnail& a, const Thumbnail& b) {
  Grid of_a, of_b;
  const double cut_a = best_window(a.grey, b.grey, of_a), cut_b = best_window(b.grey, a.grey, of_b);
  return cut_a >= cut_b ? explained(of_a, b.grey) : explained(of_b, a.grey);
}

}  // namespace signet
