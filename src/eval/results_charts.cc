#include <algorithm>
#include <map>

#include "eval/results_tables.h"
#include "eval/spread.h"
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

bool one_method(const Rows& rows) {
  return std::all_of(rows.begin(), rows.end(), [&](auto* r) { return r->method == rows.front()->method; });
}

// As many as differ in colour, dash and width: those with the highest mAP, in the order of `rows`.
Rows highest(const Rows& rows) {
  Rows best = rows, some;
  std::stable_sort(best.begin(), best.end(), [](auto* a, auto* b) { return a->map > b->map; });
  if (best.size() > kMoreStyles) best.resize(kMoreStyles);
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(some),
               [&](auto* r) { return std::find(best.begin(), best.end(), r) != best.end(); });
  return some;
}

// With several methods one length each, the smallest; with one method all its lengths.
Rows drawn(const Rows& rows) {
  Rows some = one_seed(rows), first;
  if (one_method(some)) return some;
  for (const ResultRecord* r : some) {
    const bool known = std::any_of(first.begin(), first.end(), [r](auto* f) { return f->method == r->method; });
    if (!known) first.push_back(r);
  }
  return first;
}

std::string name_of(const ResultRecord& r) { return concat(r.method, ", ", r.bits, " bits, seed ", r.seed); }

template <typename Points>
LineChart chart_of(const std::string& id, Rows rows, const std::string& title, const char* x, const char* y,
                   const Points& points) {
  std::erase_if(rows, [&](auto* r) { return points(*r).empty(); });
  LineChart chart;
  chart.id = id;
  chart.title = title;
  if (rows.size() > kMoreStyles) chart.title += concat(" (the ", kMoreStyles, " rows with the highest mAP)");
  chart.x_label = x;
  chart.y_label = y;
  for (const ResultRecord* r : highest(rows))
    chart.series.push_back({name_of(*r), points(*r), {}, false, static_cast<int>(chart.series.size())});
  chart.description = concat(chart.title, ", one line each: ");
  for (std::size_t i = 0; i < chart.series.size(); ++i) chart.description += concat(i > 0 ? "; " : "", chart.series[i].name);
  return chart;
}

std::map<std::string, std::map<std::uint32_t, std::vector<const ResultRecord*>>> by_method_and_bits(const Rows& rows) {
  std::map<std::string, std::map<std::uint32_t, std::vector<const ResultRecord*>>> groups;
  for (const ResultRecord* r : rows) groups[r->method][r->bits].push_back(r);
  return groups;
}

LineChart map_by_bits(const std::string& id, const Rows& rows) {
  std::vector<Series> lines;
  for (const auto& [method, lengths] : by_method_and_bits(rows)) {
    lines.push_back({method, {}, {}, true, 0});
    for (const auto& [bits, of] : lengths)
      lines.back().points.push_back({static_cast<double>(bits), spread_of(of, [](auto& r) { return r.map; }).mean});
  }
  LineChart chart;
  chart.id = id;
  chart.title = "mAP by code length";
  if (lines.size() > kMoreStyles) {
    const auto best = [](const Series& s) {
      return std::max_element(s.points.begin(), s.points.end(), [](auto& a, auto& b) { return a.y < b.y; })->y;
    };
    std::stable_sort(lines.begin(), lines.end(), [&](const Series& a, const Series& b) { return best(a) > best(b); });
    lines.resize(kMoreStyles);
    chart.title += concat(" (the ", kMoreStyles, " methods with the highest mAP)");
  }
  chart.x_label = "bits";
  chart.y_label = "mAP, mean over seeds";
  for (std::size_t i = 0; i < lines.size(); ++i) lines[i].style = static_cast<int>(i);
  chart.series = std::move(lines);
  chart.description = "Mean average precision against the number of bits, one line a method.";
  return chart;
}

std::vector<CurvePoint> validation_maps(const ResultRecord& r) {
  std::vector<CurvePoint> points;
  for (const ValidationPoint& p : r.validation)
    if (p.map >= 0) points.push_back({p.image_passes, p.map});
  return points;
}

// Of the classifier, which is there from the first stage on.
std::vector<CurvePoint> accuracies(const ResultRecord& r) {
  std::vector<CurvePoint> points;
  for (const ValidationPoint& p : r.validation)
    if (p.accuracy >= 0) points.push_back({p.image_passes, p.accuracy});
  return points;
}

// Above 1 where rounding to signs costs, at 1 where the codes are as good as binary.
std::vector<CurvePoint> exact_over_soft(const ResultRecord& r) {
  std::vector<CurvePoint> points;
  for (const ValidationPoint& p : r.validation)
    if (p.exact_loss >= 0 && p.soft_loss > 0) points.push_back({p.image_passes, p.exact_loss / p.soft_loss});
  return points;
}

// While training, against image passes: of several methods one chart a length.
void add_training_charts(std::vector<LineChart>& charts, const std::string& id, const Rows& rows) {
  const Rows some = one_seed(rows);
  std::map<std::uint32_t, Rows> groups;
  for (const ResultRecord* r : some) groups[one_method(some) ? 0 : r->bits].push_back(r);
  for (const auto& [bits, of] : groups) {
    const std::string length = bits == 0 ? "" : concat(", ", bits, " bits"), place = bits == 0 ? "" : std::to_string(bits);
    charts.push_back(
        chart_of(concat(id, "v", place), of, "Validation mAP while training" + length, "image passes", "mAP", validation_maps));
    charts.push_back(chart_of(concat(id, "a", place), of, "Validation accuracy while training" + length, "image passes",
                              "accuracy", accuracies));
    charts.push_back(chart_of(concat(id, "e", place), of, "Loss of signs over loss of soft codes while training" + length,
                              "image passes", "exact / soft loss on validation images", exact_over_soft));
  }
}

}  // namespace

std::vector<LineChart> result_charts(const std::string& id, const std::vector<const ResultRecord*>& rows) {
  const Rows some = drawn(rows);
  std::vector<LineChart> charts;
  charts.push_back(map_by_bits(id + "b", rows));
  add_training_charts(charts, id, rows);
  charts.push_back(chart_of(id + "r", some, "Precision against recall", "recall", "precision",
                            [](const ResultRecord& r) { return r.precision_recall; }));
  charts.push_back(chart_of(id + "n", some, "Precision among the n nearest", "n", "precision", [](const ResultRecord& r) {
    std::vector<CurvePoint> points = r.precision_at_n;
    std::erase_if(points, [](const CurvePoint& p) { return !(p.x > kLeastLogX); });
    return points;
  }));
  charts.back().log_x = true;
  std::erase_if(charts, [](const LineChart& c) { return c.series.empty(); });
  return charts;
}

}  // namespace signet::eval
