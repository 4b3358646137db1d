#include <algorithm>
#include <map>

#include "eval/results_tables.h"
#include "eval/text.h"
#include "signet/base/error.h"

namespace signet::eval {
namespace {

using Rows = std::vector<const ResultRecord*>;

// The smallest seed of every (method, bits), in table order.
Rows one_seed(const Rows& rows) {
  Rows some;
  for (const ResultRecord* r : rows) {
    const bool known =
        std::any_of(some.begin(), some.end(), [r](auto* s) { return s->method == r->method && s->bits == r->bits; });
    if (!known) some.push_back(r);
  }
  return some;
}

// With several methods one length each, the smallest; with one method all its lengths.
Rows drawn(const Rows& rows) {
  Rows some = one_seed(rows), first;
  const bool alone = std::all_of(some.begin(), some.end(), [&](auto* r) { return r->method == some.front()->method; });
  if (alone) return some;
  for (const ResultRecord* r : some) {
    const bool known = std::any_of(first.begin(), first.end(), [r](auto* f) { return f->method == r->method; });
    if (!known) first.push_back(r);
  }
  return first;
}

std::string name_of(const ResultRecord& r) { return concat(r.method, ", ", r.bits, " bits, seed ", r.seed); }

template <typename Points>
LineChart chart_of(const std::string& id, const Rows& rows, const char* title, const char* x, const char* y,
                   const Points& points) {
  LineChart chart;
  chart.id = id;
  chart.title = title;
  chart.x_label = x;
  chart.y_label = y;
  for (const ResultRecord* r : rows) {
    Series series{name_of(*r), points(*r), {}, false, static_cast<int>(chart.series.size())};
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  chart.description = concat(title, ", one line each: ");
  for (std::size_t i = 0; i < chart.series.size(); ++i) chart.description += concat(i > 0 ? "; " : "", chart.series[i].name);
  return chart;
}

LineChart map_by_bits(const std::string& id, const Rows& rows) {
  std::map<std::string, std::map<std::uint32_t, std::pair<double, double>>> sums;  // method, bits: sum and count
  for (const ResultRecord* r : rows) {
    auto& [sum, count] = sums[r->method][r->bits];
    sum += r->map;
    count += 1;
  }
  LineChart chart;
  chart.id = id;
  chart.title = "mAP by code length";
  chart.x_label = "bits";
  chart.y_label = "mAP, mean over seeds";
  for (const auto& [method, lengths] : sums) {
    Series series{method, {}, {}, true, static_cast<int>(chart.series.size())};
    for (const auto& [bits, sum] : lengths) series.points.push_back({static_cast<double>(bits), sum.first / sum.second});
    chart.series.push_back(std::move(series));
  }
  chart.description = "Mean average precision against the number of bits, one line a method.";
  return chart;
}

}  // namespace

std::vector<LineChart> result_charts(const std::string& id, const std::vector<const ResultRecord*>& rows) {
  const Rows some = drawn(rows);
  std::vector<LineChart> charts;
  charts.push_back(map_by_bits(id + "b", rows));
  charts.push_back(chart_of(id + "v", some, "Validation mAP while training", "image passes", "mAP", [](const ResultRecord& r) {
    std::vector<CurvePoint> points;
    for (const ValidationPoint& p : r.validation)
      if (p.map >= 0) points.push_back({p.image_passes, p.map});
    return points;
  }));
  charts.push_back(chart_of(id + "r", some, "Precision against recall", "recall", "precision",
                            [](const ResultRecord& r) { return r.precision_recall; }));
  charts.push_back(chart_of(id + "n", some, "Precision among the n nearest", "n", "precision",
                            [](const ResultRecord& r) { return r.precision_at_n; }));
  charts.back().log_x = true;
  std::erase_if(charts, [](const LineChart& c) { return c.series.empty(); });
  return charts;
}

}  // namespace signet::eval
