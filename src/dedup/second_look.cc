#include "signet/dedup/second_look.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace signet {
namespace {

constexpr std::uint32_t kSide = Thumbnail::kSide, kHalf = kSide / 2;
constexpr std::size_t kPixels = std::size_t{kSide} * kSide;
constexpr double kKept = 0.85;  // share of the pixels that the second fit sees
constexpr double kFlat = 1.0;   // a standard deviation below this is no structure, in grey levels
constexpr double kHopeless =
    0.6;  // correlation of the best coarse window below which the answer is 0: one in a hundred overlays is lost
constexpr double kLeastShare = 0.8;
constexpr std::array kSteps = {1.0, 0.5, 0.25};       // of a pixel, by which a window is refined
constexpr std::array kSofter = {0.0, 0.5, 0.8, 1.1};  // deviations of a Gaussian in pixels; the last is what halving a side costs

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

// Parts like this one: a little more or less of the side, begun a step before or behind.
std::vector<Part> like(const Part& part, double step) {
  std::vector<Part> parts;
  for (const double share : {part.share - 1.5 * step, part.share, part.share + 1.5 * step})
    for (const double begin : {part.begin - step, part.begin, part.begin + step}) {
      const double centre = (part.share - share) / 2;  // growing and shrinking keep the middle
      Part one{begin + centre, std::clamp(share, kLeastShare, 1.0)};
      one.begin = std::clamp(one.begin, 0.0, 1 - one.share);
      parts.push_back(one);
    }
  return parts;
}

// A part of a picture, and how well it correlates with another picture.
struct Window {
  Part rows, columns;
  double correlation = -2;
};

// The window of `whole` that looks most like `shown`: of all pairs of coarse parts, at half the resolution.
Window coarse_window(const Grid<kHalf>& whole, const Grid<kHalf>& shown) {
  Grid<kHalf> tall, cut;
  Window best;
  for (const Part& r : coarse_parts()) {
    sample_columns(whole, Sampling<kHalf>(r), tall);
    for (const Part& c : coarse_parts()) {
      sample_rows(tall, Sampling<kHalf>(c), cut);
      const double value = correlation<kHalf>(cut, shown);
      if (value > best.correlation) best = {r, c, value};
    }
  }
  return best;
}

// Refines the window at the full resolution, one side after the other, and returns what it shows.
Fine refined(const Fine& whole, const Fine& shown, Window& window) {
  auto& [rows, columns, most] = window;
  Fine best = whole;
  most = -2;
  Fine fixed, tried;
  for (const double pixels : kSteps) {
    const double step = pixels / kSide;
    sample_rows(whole, Sampling<kSide>(columns), fixed);
    for (const Part& r : like(rows, step)) {
      sample_columns(fixed, Sampling<kSide>(r), tried);
      const double value = correlation<kSide>(tried, shown);
      if (value > most) most = value, rows = r, best = tried;
    }
    sample_columns(whole, Sampling<kSide>(rows), fixed);
    for (const Part& c : like(columns, step)) {
      sample_rows(fixed, Sampling<kSide>(c), tried);
      const double value = correlation<kSide>(tried, shown);
      if (value > most) most = value, columns = c, best = tried;
    }
  }
  return best;
}

// Which pixels are left when gain * a + offset is fitted to b and the worst are set aside; none where no fit is possible.
std::vector<char> agreeing(const Fine& a, const Fine& b) {
  std::vector<char> kept(kPixels, 1);
  std::array<float, kPixels> error;
  Moments m;
  const auto measure = [&] {
    m = {};
    for (std::size_t i = 0; i < kPixels; ++i)
      if (kept[i]) m.add(a[i], b[i]);
  };
  for (int round = 0; round < 3; ++round) {
    measure();
    const double gain = m.cov() / std::max(m.var_a(), 1e-9), offset = (m.b - gain * m.a) / m.count;
    for (std::size_t i = 0; i < kPixels; ++i) error[i] = static_cast<float>(std::abs(gain * a[i] + offset - b[i]));
    auto sorted = error;
    const auto limit = sorted.begin() + static_cast<std::ptrdiff_t>(kKept * kPixels);
    std::nth_element(sorted.begin(), limit, sorted.end());
    for (std::size_t i = 0; i < kPixels; ++i) kept[i] = error[i] <= *limit;
  }
  measure();
  const bool fits = m.cov() > 0 && m.var_a() >= kFlat * kFlat && m.var_b() >= kFlat * kFlat;
  return fits ? kept : std::vector<char>();
}

Fine softened(const Fine& fine, double deviation) {
  const int reach = static_cast<int>(std::ceil(3 * deviation)), last = static_cast<int>(kSide) - 1;
  std::vector<float> weights;
  float sum = 0;
  for (int d = -reach; d <= reach; ++d)
    sum += weights.emplace_back(static_cast<float>(std::exp(-d * d / (2 * deviation * deviation))));
  Fine across{}, result{};
  for (int y = 0; y <= last; ++y)
    for (int x = 0; x <= last; ++x)
      for (int d = -reach; d <= reach; ++d)
        across[y * kSide + x] += weights[d + reach] / sum * fine[y * kSide + std::clamp(x + d, 0, last)];
  for (int y = 0; y <= last; ++y)
    for (int d = -reach; d <= reach; ++d)
      for (int x = 0; x <= last; ++x)
        result[y * kSide + x] += weights[d + reach] / sum * across[std::clamp(y + d, 0, last) * kSide + x];
  return result;
}

// Share of the differences between neighbouring pixels of b that those of a explain, among pixels that are kept.
double slopes_explained(const Fine& a, const Fine& b, const std::vector<char>& kept) {
  double aa = 0, bb = 0, ab = 0;
  const auto add = [&](std::size_t from, std::size_t to) {
    if (!kept[from] || !kept[to]) return;
    const double x = a[to] - a[from], y = b[to] - b[from];
    aa += x * x, bb += y * y, ab += x * y;
  };
  for (std::size_t i = 0; i < kPixels; ++i) {
    if (i % kSide + 1 < kSide) add(i, i + 1);
    if (i + kSide < kPixels) add(i, i + kSide);
  }
  return ab <= 0 ? 0 : ab * ab / (aa * bb);
}

double deviation(const Fine& fine) {
  Moments m;
  for (const float value : fine) m.add(value, value);
  return std::sqrt(std::max(0.0, m.var_a()));
}

// How well a explains b, where the softer of the two may be so because it was made smaller or blurred.
double explained(const Fine& a, const Fine& b) {
  const std::vector<char> kept = agreeing(a, b);
  if (kept.empty()) return 0;
  double best = 0;
  for (const double softer : kSofter) {
    best = std::max(best, slopes_explained(softer > 0 ? softened(a, softer) : a, b, kept));
    if (softer > 0) best = std::max(best, slopes_explained(a, softened(b, softer), kept));
  }
  return best;
}

}  // namespace

Thumbnail make_thumbnail(const Image& image) {
  const Image small = resize(convert_channels(image, 1), kSide, kSide);
  Thumbnail thumbnail;
  std::copy(small.pixels.begin(), small.pixels.end(), thumbnail.grey.begin());
  return thumbnail;
}

double likeness(const Thumbnail& a, const Thumbnail& b) {
  const bool flat_a = deviation(a.grey) < kFlat, flat_b = deviation(b.grey) < kFlat;
  if (flat_a || flat_b) return flat_a && flat_b ? 1 : 0;
  const Grid<kHalf> half_a = halved(a.grey), half_b = halved(b.grey);
  Window in_a = coarse_window(half_a, half_b), in_b = coarse_window(half_b, half_a);
  if (std::max(in_a.correlation, in_b.correlation) < kHopeless) return 0;
  const double ahead = in_a.correlation - in_b.correlation;  // mostly none: both are shown whole
  double of_a = 0, of_b = 0;
  if (ahead >= 0) of_a = explained(refined(a.grey, b.grey, in_a), b.grey);
  if (ahead <= 0) of_b = explained(refined(b.grey, a.grey, in_b), a.grey);
  if (ahead != 0) return std::max(of_a, of_b);
  if (in_a.correlation == in_b.correlation) return std::min(of_a, of_b);
  return in_a.correlation > in_b.correlation ? of_a : of_b;
}

}  // namespace signet
