#include "eval/svg_chart.h"

#include <algorithm>
#include <cmath>

#include "eval/text.h"
#include "signet/base/error.h"

namespace signet::eval {
namespace {

constexpr double kWidth = 440, kLeft = 46, kRight = 14, kBottom = 42;

std::string xy(double x, double y) { return shortest(x) + "," + shortest(y); }

std::string text_at(double x, double y, const char* css, const std::string& text) {
  return "<text x=\"" + shortest(x) + "\" y=\"" + shortest(y) + "\" class=\"" + css + "\">" + escape(text) + "</text>";
}

std::string line_at(double x1, double y1, double x2, double y2, const char* css) {
  return "<line x1=\"" + shortest(x1) + "\" y1=\"" + shortest(y1) + "\" x2=\"" + shortest(x2) + "\" y2=\"" + shortest(y2) +
         "\" class=\"" + css + "\"/>";
}

std::string style_class(int style) { return concat("s", style % kStyles, style % kMoreStyles >= kStyles ? " alt" : ""); }

// Maps data to the drawing and holds what both axes need.
class Frame {
 public:
  explicit Frame(const LineChart& c) : chart_(c), top_(c.bands.empty() ? 12 : 26) {
    double x0 = HUGE_VAL, x1 = -HUGE_VAL, y0 = HUGE_VAL, y1 = -HUGE_VAL;
    for (const Series& s : c.series) {
      for (const CurvePoint& p : s.points) {
        x0 = std::min(x0, p.x), x1 = std::max(x1, p.x);
        y0 = std::min(y0, p.y), y1 = std::max(y1, p.y);
      }
    }
    if (x0 > x1) x0 = y0 = c.log_x ? 1 : 0, x1 = y1 = 1;
    const double pad = (y1 - y0) * 0.08;
    x_min_ = std::isnan(c.x_min) ? x0 : c.x_min;
    x_max_ = std::isnan(c.x_max) ? x1 : c.x_max;
    y_min_ = std::isnan(c.y_min) ? y0 - pad : c.y_min;
    y_max_ = std::isnan(c.y_max) ? y1 + pad : c.y_max;
    if (x_max_ <= x_min_) x_max_ = c.log_x ? x_min_ * 10 : x_min_ + 1;
    if (y_max_ <= y_min_) y_max_ = y_min_ + 1;
  }

  double x(double v) const {
    const double share = chart_.log_x ? std::log(v / x_min_) / std::log(x_max_ / x_min_) : (v - x_min_) / (x_max_ - x_min_);
    return kLeft + share * (kWidth - kLeft - kRight);
  }
  double y(double v) const { return bottom() - (v - y_min_) / (y_max_ - y_min_) * (bottom() - top_); }
  double top() const { return top_; }
  double bottom() const { return chart_.height - kBottom; }

  std::vector<double> x_ticks() const {
    if (!chart_.log_x) return nice_ticks(x_min_, x_max_, 6);
    std::vector<double> ticks;
    const auto first = static_cast<int>(std::ceil(std::log10(x_min_) - 1e-9)),
               last = static_cast<int>(std::floor(std::log10(x_max_) + 1e-9));
    for (int power = first; power <= last; ++power) ticks.push_back(std::pow(10, power));
    // An axis shorter than a decade or two would have one tick or none.
    return ticks.size() > 1 ? ticks : nice_ticks(x_min_, x_max_, 5);
  }
  std::vector<double> y_ticks() const { return nice_ticks(y_min_, y_max_, 5); }

 private:
  const LineChart& chart_;
  double top_, x_min_, x_max_, y_min_, y_max_;
};

std::string tick_text(double v) {
  const double size = std::abs(v);
  if (size >= 1000) return grouped(static_cast<std::uint64_t>(std::llround(size)));
  return shortest(std::abs(v) < 1e-12 ? 0 : v);
}

std::string axes(const LineChart& c, const Frame& f) {
  std::string out;
  for (std::size_t i = 0; i < c.bands.size(); ++i) {
    const double x0 = f.x(c.bands[i].begin), x1 = f.x(c.bands[i].end);
    out += "<rect x=\"" + shortest(x0) + "\" y=\"" + shortest(f.top()) + "\" width=\"" + shortest(std::max(0.0, x1 - x0)) +
           "\" height=\"" + shortest(f.bottom() - f.top()) + "\" class=\"band" + (i % 2 == 0 ? " even" : "") + "\"/>";
    out += text_at((x0 + x1) / 2, f.top() - 8, "mid", c.bands[i].label);
  }
  for (const double t : f.y_ticks()) {
    out += line_at(kLeft, f.y(t), kWidth - kRight, f.y(t), "grid");
    out += text_at(kLeft - 8, f.y(t) + 4, "end", tick_text(t));
  }
  for (const double t : f.x_ticks()) {
    out += line_at(f.x(t), f.bottom(), f.x(t), f.bottom() + 4, "axis");
    out += text_at(f.x(t), f.bottom() + 18, "mid", tick_text(t));
  }
  out += line_at(kLeft, f.bottom(), kWidth - kRight, f.bottom(), "axis");
  out += text_at((kLeft + kWidth - kRight) / 2, c.height - 6, "mid label", c.x_label);
  return out;
}

std::string draw(const Series& s, const Frame& f) {
  std::string path;
  for (const CurvePoint& p : s.points) path += concat(path.empty() ? "M" : "L", xy(f.x(p.x), f.y(p.y)));
  const std::string css = style_class(s.style);
  std::string out;
  if (s.points.size() > 1) out += "<path d=\"" + path + "\" class=\"line " + css + "\"/>";
  for (std::size_t i = 0; i < s.points.size(); ++i) {
    const double x = f.x(s.points[i].x), y = f.y(s.points[i].y);
    if (s.markers || s.points.size() == 1)
      out += "<circle cx=\"" + shortest(x) + "\" cy=\"" + shortest(y) + "\" r=\"3\" class=\"dot " + css + "\"/>";
    if (i >= s.labels.size() || s.labels[i].empty()) continue;
    const bool left = x > kWidth - 46;
    out += text_at(x + (left ? -7 : 7), y - 6, left ? "end mark" : "mark", s.labels[i]);
  }
  return out;
}

std::string open_svg(const std::string& id, const std::string& title, const std::string& description, double height) {
  return "<svg viewBox=\"0 0 " + shortest(kWidth) + " " + shortest(height) + "\" role=\"img\" aria-labelledby=\"" + id + "-t " +
         id + "-d\"><title id=\"" + id + "-t\">" + escape(title) + "</title><desc id=\"" + id + "-d\">" + escape(description) +
         "</desc>";
}

std::string mean_histogram(const std::string& id, std::span<const double> means) {
  constexpr std::size_t kBins = 20;
  std::vector<CurvePoint> steps{{0, 0}};
  std::vector<double> counts(kBins);
  for (const double m : means) counts[std::min(kBins - 1, static_cast<std::size_t>(std::max(0.0, m) * kBins))] += 1;
  for (std::size_t b = 0; b < kBins; ++b) {
    steps.push_back({static_cast<double>(b) / kBins, counts[b]});
    steps.push_back({static_cast<double>(b + 1) / kBins, counts[b]});
  }
  steps.push_back({1, 0});
  LineChart chart;
  chart.id = id;
  chart.title = "Bit means";
  chart.description = "Number of bits by their share of ones; the ideal is one peak at 0.5.";
  chart.x_label = "share of ones";
  chart.series = {{"bits", steps, {}, false, 0}};
  chart.x_min = 0, chart.x_max = 1, chart.y_min = 0;
  return line_chart(chart);
}

}  // namespace

std::vector<double> nice_ticks(double low, double high, int count) {
  if (!(high > low) || count < 1 || !std::isfinite(high - low)) return {};
  const double raw = (high - low) / count, power = std::pow(10, std::floor(std::log10(raw)));
  const double step = power * (raw / power < 1.5 ? 1 : raw / power < 3.5 ? 2 : raw / power < 7.5 ? 5 : 10);
  if (std::abs(low / step) > 1e12) return {};  // beyond that adding one step changes nothing
  std::vector<double> ticks;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) ticks.push_back(i * step);
  return ticks;
}

std::string line_chart(const LineChart& chart) {
  const Frame frame(chart);
  std::string out = open_svg(chart.id, chart.title, chart.description, chart.height) + axes(chart, frame);
  for (const Series& s : chart.series) out += draw(s, frame);
  return out + "</svg>";
}

std::string legend(const std::vector<Series>& series) {
  if (series.size() < 2) return {};
  std::string out = "<ul class=\"legend\">";
  for (const Series& s : series) {
    out += "<li><svg viewBox=\"0 0 30 10\" aria-hidden=\"true\"><path d=\"M0,5L30,5\" class=\"line " + style_class(s.style) +
           "\"/></svg>" + escape(s.name) + "</li>";
  }
  return out + "</ul>";
}

std::string bit_mean_chart(const std::string& id, std::span<const double> means) {
  constexpr std::size_t kMostBars = 128;
  if (means.size() > kMostBars) return mean_histogram(id, means);
  constexpr double kHeight = 220, kTop = 12, kBase = kHeight - 42;
  const auto [low, high] = std::minmax_element(means.begin(), means.end());
  std::string out =
      open_svg(id, "Bit means",
               "Share of ones of each of " + std::to_string(means.size()) + " bits: from " + fixed(means.empty() ? 0 : *low, 3) +
                   " to " + fixed(means.empty() ? 0 : *high, 3) + "; the ideal is 0.5.",
               kHeight);
  const auto y = [&](double v) { return kBase - v * (kBase - kTop); };
  for (const double t : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    out += line_at(kLeft, y(t), kWidth - kRight, y(t), t == 0.5 ? "axis" : "grid") +
           text_at(kLeft - 8, y(t) + 4, "end", tick_text(t));
  }
  const double slot = (kWidth - kLeft - kRight) / std::max(1.0, static_cast<double>(means.size()));
  const double width = std::min(slot * 0.62, 18.0);
  for (std::size_t k = 0; k < means.size(); ++k) {
    const double x = kLeft + (static_cast<double>(k) + 0.5) * slot, end = y(means[k]);
    out += "<rect x=\"" + shortest(x - width / 2) + "\" y=\"" + shortest(std::min(end, y(0.5))) + "\" width=\"" +
           shortest(width) + "\" height=\"" + shortest(std::max(1.0, std::abs(end - y(0.5)))) + "\" class=\"bar\"/>";
    const std::size_t every = means.size() <= 16 ? 1 : means.size() <= 64 ? 8 : 16;
    if (k % every == 0) out += text_at(x, kBase + 18, "mid", std::to_string(k));
  }
  return out + text_at((kLeft + kWidth - kRight) / 2, kHeight - 6, "mid label", "bit") + "</svg>";
}

std::string correlation_chart(const std::string& id, std::span<const double> correlation, std::uint32_t bits) {
  if (bits < 2 || bits > kMaxDrawnBits || correlation.size() < std::size_t{bits} * bits) return {};
  constexpr double kSide = 300, kLeftEdge = 70, kTopEdge = 8;
  std::string out = open_svg(
      id, "Bit correlation",
      "Correlation of every pair of bits, as a triangle of squares; bits 0 to " + std::to_string(bits - 1) + ".", kSide + 50);
  const double cell = kSide / (bits - 1);
  for (std::uint32_t a = 1; a < bits; ++a) {
    const double y = kTopEdge + (a - 1) * cell;
    for (std::uint32_t b = 0; b < a; ++b) {
      const double r = correlation[std::size_t{a} * bits + b];
      out +=
          "<rect x=\"" + shortest(kLeftEdge + b * cell) + "\" y=\"" + shortest(y) + "\" width=\"" + shortest(cell * 0.94) +
          "\" height=\"" + shortest(cell * 0.94) + "\" class=\"" + (r < 0 ? "neg" : "pos") + "\" fill-opacity=\"" +
          fixed(std::max(0.03, std::abs(r)), 2) + "\"" +
          (bits <= 16 ? "><title>bits " + std::to_string(a) + " and " + std::to_string(b) + ": " + fixed(r, 3) + "</title></rect>"
                      : "/>");
    }
    const std::uint32_t every = bits <= 16 ? 1 : 8;
    if (a % every == 0) out += text_at(kLeftEdge - 8, y + cell / 2 + 4, "end", std::to_string(a));
    if ((a - 1) % every == 0) out += text_at(kLeftEdge + (a - 0.5) * cell, kTopEdge + kSide + 16, "mid", std::to_string(a - 1));
  }
  return out + text_at(kLeftEdge + kSide / 2, kSide + 44, "mid label", "bit against bit") + "</svg>";
}

}  // namespace signet::eval
