#include "signet/dedup/second_look.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace signet {
namespace {

constexpr std::uint32_t kSide = Thumbnail::kSide, kHalf = kSide / 2;
constexpr std::size_t kPixels = std::size_t{kSide} * kSide;
constexpr double kKept = 0.85;     // share of the pixels that the second fit sees
constexpr double kFlat = 1.0;      // a standard deviation below this is no structure, in grey levels
constexpr double kHopeless = 0.4;  // correlation of the best coarse window below which no fine one is looked for
constexpr double kLeastShare = 0.8;
constexpr double kStep = 1.0 / kSide;

template <std::uint32_t side>
using Grid = std::array<float, std::size_t{side} * side>;
using Fine = Grid<kSide>;

// A part of one side: where it begins and how much of the side it takes, both as shares of the side.
struct Part {
  double begin = 0, share = 1;
};

// How one side is sampled: target x takes source left and left + 1 in these shares (linear interpolation).
template <std::uint32_t side>
struct Sampling {
  explicit Sampling(const Part& part) {
    for (std::uint32_t x = 0; x < side; ++x) {
      const double at = std::clamp(side * part.begin + (x + 0.5) * part.share - 0.5, 0.0, side - 1.0);
      left[x] = std::min(static_cast<std::uint32_t>(at), side - 2);
      right_share[x] = static_cast<float>(at - left[x]);
    }
  }
  std::array<std::uint32_t, side> left{};
  std::array<float, side> right_share{};
};

template <std::uint32_t side>
void sample_rows(const Grid<side>& from, const Sampling<side>& how, Grid<side>& to) {  // along x
  for (std::uint32_t y = 0; y < side; ++y)
    for (std::uint32_t x = 0; x < side; ++x) {
      const float* source = from.data() + y * side + how.left[x];
      to[y * side + x] = source[0] + how.right_share[x] * (source[1] - source[0]);
    }
}

template <std::uint32_t side>
void sample_columns(const Grid<side>& from, const Sampling<side>& how, Grid<side>& to) {  // along y
  for (std::uint32_t y = 0; y < side; ++y) {
    const float* source = from.data() + how.left[y] * side;
    for (std::uint32_t x = 0; x < side; ++x) to[y * side + x] = source[x] + how.right_share[y] * (source[side + x] - source[x]);
  }
}

struct Moments {
  double count = 0, a = 0, b = 0, aa = 0, bb = 0, ab = 0;
  void add(double x, double y) { count += 1, a += x, b += y, aa += x * x, bb += y * y, ab += x * y; }
  double var_a() const { return aa / count - (a / count) * (a / count); }
  double var_b() const { return bb / count - (b / count) * (b / count); }
  double cov() const { return ab / count - (a / count) * (b / count); }
};

// Sixteen sums side by side, so that the compiler can use vectors without reordering a sum. Only ranks windows.
template <std::uint32_t side>
double correlation(const Grid<side>& a, const Grid<side>& b) {
  constexpr std::size_t kLanes = 16;
  std::array<float, kLanes> sa{}, sb{}, aa{}, bb{}, ab{};
  for (std::size_t i = 0; i < a.size(); i += kLanes)
    for (std::size_t l = 0; l < kLanes; ++l) {
      const float x = a[i + l], y = b[i + l];
      sa[l] += x, sb[l] += y, aa[l] += x * x, bb[l] += y * y, ab[l] += x * y;
    }
  Moments m;
  m.count = static_cast<double>(a.size());
  for (std::size_t l = 0; l < kLanes; ++l) m.a += sa[l], m.b += sb[l], m.aa += aa[l], m.bb += bb[l], m.ab += ab[l];
  const double va = m.var_a(), vb = m.var_b();
  return va < kFlat * kFlat || vb < kFlat * kFlat ? 0 : m.cov() / std::sqrt(va * vb);
}

Grid<kHalf> halved(const Fine& fine) {
  Grid<kHalf> half;
  for (std::uint32_t y = 0; y < kHalf; ++y)
    for (std::uint32_t x = 0; x < kHalf; ++x) {
      const float* p = &fine[std::size_t{2} * y * kSide + std::size_t{2} * x];
      half[y * kHalf + x] = (p[0] + p[1] + p[kSide] + p[kSide + 1]) / 4;
    }
  return half;
}

// Parts tried at half the resolution: all of the side, 90 % in three places, 80 % in four.
const std::vector<Part>& coarse_parts() {
  static const std::vector<Part> kParts = [] {
    std::vector<Part> parts = {{0, 1}};
    for (const double begin : {0.0, 0.05, 0.1}) parts.push_back({begin, 0.9});
    for (const double begin : {0.0, 0.0667, 0.1333, 0.2}) parts.push_back({begin, 0.8});
    return parts;
  }();
  return kParts;
}

// Parts like this one: 5 % more or less of the side, begun up to a pixel before or behind.
std::vector<Part> like(const Part& part) {
  std::vector<Part> parts;
  for (const double share : {part.share - 0.05, part.share, part.share + 0.05})
    for (const double begin : {part.begin - kStep, part.begin, part.begin + kStep}) {
      const double centre = (part.share - share) / 2;  // growing and shrinking keep the middle
      Part one{begin + centre, std::clamp(share, kLeastShare, 1.0)};
      one.begin = std::clamp(one.begin, 0.0, 1 - one.share);
      parts.push_back(one);
    }
  return parts;
}

// Puts the window of `whole` that correlates best with `shown` into `best`; returns the correlation. All pairs of coarse parts at
// half the resolution, then the best one is refined, one side after the other, at the full one.
double best_window(const Fine& whole, const Fine& shown, Fine& best) {
  const Grid<kHalf> half_whole = halved(whole), half_shown = halved(shown);
  Grid<kHalf> tall, cut;
  Part rows, columns;
  double most = -2;
  for (const Part& r : coarse_parts()) {
    sample_columns(half_whole, Sampling<kHalf>(r), tall);
    for (const Part& c : coarse_parts()) {
      sample_rows(tall, Sampling<kHalf>(c), cut);
      const double value = correlation<kHalf>(cut, half_shown);
      if (value > most) most = value, rows = r, columns = c;
    }
  }
  best = whole;
  if (most < kHopeless) return most;
  Fine fixed, tried;
  most = -2;
  for (int round = 0; round < 2; ++round) {
    sample_rows(whole, Sampling<kSide>(columns), fixed);
    for (const Part& r : like(rows)) {
      sample_columns(fixed, Sampling<kSide>(r), tried);
      const double value = correlation<kSide>(tried, shown);
      if (value > most) most = value, rows = r, best = tried;
    }
    sample_columns(whole, Sampling<kSide>(rows), fixed);
    for (const Part& c : like(columns)) {
      sample_rows(fixed, Sampling<kSide>(c), tried);
      const double value = correlation<kSide>(tried, shown);
      if (value > most) most = value, columns = c, best = tried;
    }
  }
  return most;
}

// Share of b's variance that gain * a + offset explains, without the worst pixels.
double explained(const Fine& a, const Fine& b) {
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
  Fine of_a, of_b;
  const double cut_a = best_window(a.grey, b.grey, of_a), cut_b = best_window(b.grey, a.grey, of_b);
  if (cut_a == cut_b) return std::min(explained(of_a, b.grey), explained(of_b, a.grey));  // mostly: both are shown whole
  return cut_a > cut_b ? explained(of_a, b.grey) : explained(of_b, a.grey);
}

}  // namespace signet
