#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "eval/compare_parts.h"
#include "eval/spread.h"
#include "eval/text.h"
#include "signet/base/error.h"

namespace signet::eval {
namespace {

using ComparedRows = std::vector<const ComparedRow*>;

// As many as differ in colour, dash and width; the reference is always among them.
ComparedRows drawn_of(const ComparedSection& section, std::uint32_t bits) {
  ComparedRows rows;
  for (const ComparedRow& row : section.rows)
    if (row.first().bits == bits) rows.push_back(&row);
  for (std::size_t i = kMoreStyles; i < rows.size(); ++i)
    if (rows[i]->difference.verdict == ComparedDifference::Verdict::kReference) std::swap(rows[kMoreStyles - 1], rows[i]);
  if (rows.size() > kMoreStyles) rows.resize(kMoreStyles);
  return rows;
}

const ComparedRow& reference_of(const ComparedRows& rows) {
  const auto found = std::find_if(rows.begin(), rows.end(), [](const ComparedRow* row) {
    return row->difference.verdict == ComparedDifference::Verdict::kReference;
  });
  return found == rows.end() ? *rows.front() : **found;
}

std::string figure(const LineChart& chart) {
  if (chart.series.empty()) return {};
  return concat("<figure><figcaption><b>", escape(chart.title), "</b></figcaption>", line_chart(chart), legend(chart.series),
                "</figure>\n");
}

LineChart chart_of(const std::string& id, const std::string& title, const char* x, const char* y) {
  LineChart chart;
  chart.id = id, chart.title = title, chart.x_label = x, chart.y_label = y;
  return chart;
}

// What a reader who does not see the lines needs: whose they are, and where each begins and ends.
void describe(LineChart& chart, const char* what) {
  chart.description = concat(what, " ");
  for (const Series& s : chart.series) {
    chart.description += concat(s.name, ": from ", significant(s.points.front().x), ", ", fixed(s.points.front().y, 3), " to ",
                                significant(s.points.back().x), ", ", fixed(s.points.back().y, 3), ". ");
  }
}

// Smallest seed of each row; a row's place is its style, so that a method keeps its colour from chart to chart.
template <typename Points>
std::string curves(LineChart chart, const ComparedRows& rows, const char* what, const Points& points) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Series series{rows[i]->name, points(rows[i]->first()), {}, false, static_cast<int>(i)};
    if (chart.log_x) std::erase_if(series.points, [](const CurvePoint& p) { return !(p.x > kLeastLogX); });
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  describe(chart, what);
  return figure(chart);
}

std::string recall_chart(const std::string& id, const std::string& length, const ComparedRows& rows) {
  LineChart chart = chart_of(id + "r", "Precision against recall, " + length, "recall", "precision");
  chart.x_min = 0, chart.x_max = 1, chart.y_min = 0, chart.y_max = 1;
  return curves(chart, rows, "As the radius grows.", [](const ResultRecord& r) { return r.precision_recall; });
}

std::string rank_chart(const std::string& id, const std::string& length, const ComparedRows& rows) {
  LineChart chart = chart_of(id + "n", "Precision among the n nearest, " + length, "n (logarithmic)", "precision");
  chart.log_x = true, chart.y_min = 0, chart.y_max = 1;
  return curves(chart, rows, "Expected over ties.", [](const ResultRecord& r) { return r.precision_at_n; });
}

// The fastest exact index at every radius: what a query that wants all within it costs at least.
std::vector<CurvePoint> fastest(const ResultRecord& r, double RadiusPoint::*what) {
  std::map<std::uint32_t, double> least;
  for (const SearchCost& c : r.search_cost) {
    const auto [at, fresh] = least.try_emplace(c.radius, c.microseconds);
    if (!fresh) at->second = std::min(at->second, c.microseconds);
  }
  std::vector<CurvePoint> points;
  for (const RadiusPoint& p : r.by_radius)
    if (const auto at = least.find(p.radius); at != least.end() && p.items > 0) points.push_back({at->second, p.*what});
  return points;
}

std::string cost_charts(const std::string& id, const std::string& length, const ComparedRows& rows) {
  std::string out;
  for (const bool precision : {true, false}) {
    LineChart chart = chart_of(concat(id, precision ? "tp" : "tr"),
                               concat(precision ? "Precision" : "Recall", " against time of search, ", length),
                               "microseconds a query (logarithmic)", precision ? "precision" : "recall");
    chart.log_x = true, chart.y_min = 0, chart.y_max = 1;
    out += curves(chart, rows, "One point a radius, growing; the fastest of scan, table and multi-index hashing at each.",
                  [&](const ResultRecord& r) { return fastest(r, precision ? &RadiusPoint::precision : &RadiusPoint::recall); });
  }
  return out;
}

// One method, each kind of index by itself.
std::string index_chart(const std::string& id, const std::string& length, const ComparedRow& row) {
  LineChart chart = chart_of(id + "ti", concat("Recall against time by index, ", row.name, ", ", length),
                             "microseconds a query (logarithmic)", "recall");
  chart.log_x = true, chart.y_min = 0, chart.y_max = 1;
  std::map<std::uint32_t, double> recall;
  for (const RadiusPoint& p : row.first().by_radius) recall[p.radius] = p.recall;
  std::map<std::string, std::vector<CurvePoint>> lines;
  for (const SearchCost& c : row.first().search_cost)
    if (c.microseconds > kLeastLogX && recall.contains(c.radius)) lines[c.index].push_back({c.microseconds, recall[c.radius]});
  for (const auto& [index, points] : lines) {
    if (chart.series.size() == kStyles) break;
    chart.series.push_back({index, points, {}, true, static_cast<int>(chart.series.size())});
  }
  describe(chart, "One point a radius, growing.");
  return figure(chart);
}

// Methods whose best mean is among the highest, in the order of the best.
std::vector<std::string> leading_methods(const ComparedSection& section) {
  std::map<std::string, double> best;
  std::string reference;
  for (const ComparedRow& row : section.rows) {
    best[row.name] = std::max(best[row.name], row.map.mean);
    if (row.difference.verdict == ComparedDifference::Verdict::kReference) reference = row.name;
  }
  std::vector<std::string> names;
  names.reserve(best.size());
  for (const auto& [name, value] : best) names.push_back(name);
  std::stable_sort(names.begin(), names.end(), [&](const auto& a, const auto& b) { return best[a] > best[b]; });
  const auto place = std::find(names.begin(), names.end(), reference);
  if (place != names.end() && place - names.begin() >= kMoreStyles) std::iter_swap(names.begin() + kMoreStyles - 1, place);
  if (names.size() > kMoreStyles) names.resize(kMoreStyles);
  return names;
}

template <typename Place>
std::string by_method(LineChart chart, const ComparedSection& section, const char* what, const Place& place) {
  const std::vector<std::string> names = leading_methods(section);
  for (std::size_t i = 0; i < names.size(); ++i) {
    Series series{names[i], {}, {}, true, static_cast<int>(i)};
    for (const ComparedRow& row : section.rows) {
      if (row.name != names[i] || !(place(row) > kLeastLogX)) continue;
      series.points.push_back({place(row), row.map.mean});
    }
    for (const CurvePoint& p : series.points) {
      if (chart.log_x) {  // room around the outermost dots
        chart.x_min = std::min(p.x / 1.3, std::isnan(chart.x_min) ? p.x : chart.x_min);
        chart.x_max = std::max(p.x * 1.3, std::isnan(chart.x_max) ? p.x : chart.x_max);
      }
    }
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  describe(chart, what);
  return figure(chart);
}

}  // namespace

std::string compare_figures(const std::string& id, const ComparedSection& section) {
  std::string out = "<div class=\"figures\">";
  std::set<std::uint32_t> lengths;
  std::set<std::string> names;
  for (const ComparedRow& row : section.rows) lengths.insert(row.first().bits), names.insert(row.name);
  out += by_method(chart_of(id + "b", "mAP against code length", "bits", "mAP, mean over seeds"), section, "One line a method.",
                   [](const ComparedRow& row) { return static_cast<double>(row.first().bits); });
  LineChart time = chart_of(id + "t", "mAP against training time", "seconds of training (logarithmic)", "mAP, mean over seeds");
  time.log_x = true;
  out += by_method(time, section, "One dot a code length, from the shortest to the longest.", [](const ComparedRow& row) {
    return spread_of(row.records, [](const ResultRecord& r) { return r.train_seconds; }).mean;
  });
  out +=
      "</div>\n<p class=\"remark\">Against training time a method has one dot a code length, joined from the shortest to the "
      "longest.";
  if (names.size() > kMoreStyles)
    out += concat(" Drawn are the ", kMoreStyles, " methods with the highest mAP; the tables have all ", names.size(), ".");
  out += "</p>\n";
  for (const std::uint32_t bits : lengths) {
    const ComparedRows rows = drawn_of(section, bits);
    const std::string length = concat(bits, " bits"), name = concat(id, "k", bits);
    const std::string drawn = recall_chart(name, length, rows) + rank_chart(name, length, rows) +
                              cost_charts(name, length, rows) + index_chart(name, length, reference_of(rows));
    if (!drawn.empty())
      out += concat("<details", bits == *lengths.begin() ? " open" : "", "><summary>Curves at ", length,
                    "</summary><div class=\"figures\">", drawn, "</div></details>\n");
  }
  return out;
}

}  // namespace signet::eval
