#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "signet/eval/metrics.h"

namespace signet::eval {

// Charts as inline SVG. Colours, fonts and dark mode come from the page's style (html_style.h); every chart has a title and a
// description that a screen reader says instead of the lines.

struct Series {
  std::string name;
  std::vector<CurvePoint> points;
  std::vector<std::string> labels;  // beside a point; empty, or one a point
  bool markers = false;
  int style = 0;  // colour and dash; series of different meaning differ in both
};

struct Band {  // a stretch of the x axis with its name on top
  double begin = 0, end = 0;
  std::string label;
};

inline constexpr double kLeastLogX = 1e-6;  // nothing is measured below it, and records may say anything

struct LineChart {
  static constexpr double kAuto = std::numeric_limits<double>::quiet_NaN();
  std::string id;                  // unique on the page
  std::string title, description;  // for readers who do not see it
  std::string x_label, y_label;
  std::vector<Series> series;
  std::vector<Band> bands;
  bool log_x = false;  // then every x is above kLeastLogX
  double x_min = kAuto, x_max = kAuto, y_min = kAuto, y_max = kAuto;
  double height = 290;  // of 440 units of width
};

std::string line_chart(const LineChart& chart);
// A key to the colours and dashes, as an HTML list; empty for one series.
std::string legend(const std::vector<Series>& series);

// Share of ones of each bit around the ideal 0.5; above 128 bits a histogram of the shares.
std::string bit_mean_chart(const std::string& id, std::span<const double> means);
// Lower triangle of the bit correlations, for at most kMaxDrawnBits bits.
inline constexpr std::uint32_t kMaxDrawnBits = 64;
std::string correlation_chart(const std::string& id, std::span<const double> correlation, std::uint32_t bits);

// Round values for axis ticks inside [low, high], about `count` of them.
std::vector<double> nice_ticks(double low, double high, int count);

inline constexpr int kStyles = 6;       // that differ in colour and dash
inline constexpr int kMoreStyles = 12;  // the six again, wide and pale, with hollow dots

}  // namespace signet::eval
