#include <algorithm>
#include <cmath>

#include "eval/html_parts.h"
#include "eval/svg_chart.h"
#include "eval/text.h"
#include "signet/base/error.h"

namespace signet::eval {
namespace {

std::string figure(const std::string& caption, const std::string& body, const std::string& after = {}) {
  return "<figure><figcaption>" + caption + "</figcaption>" + body + after + "</figure>";
}

Series series_of(const Section& s, std::size_t i, const std::vector<CurvePoint>& points) {
  return {run_name(*s.records[i], s.records), points, {}, false, static_cast<int>(i % kStyles)};
}

std::string recall_figure(const Section& s, std::size_t shown) {
  LineChart chart;
  chart.id = s.id + "-pr";
  chart.title = "Precision and recall, protocol " + s.first().protocol.name;
  chart.description = "Precision against recall as the search radius grows; the further up and right, the better.";
  chart.x_label = "recall";
  chart.x_min = 0, chart.x_max = 1, chart.y_min = 0, chart.y_max = 1;
  for (std::size_t i = 0; i < shown; ++i) chart.series.push_back(series_of(s, i, s.records[i]->metrics.precision_recall));
  if (shown == 1) {  // name the radii, where they stand apart
    Series& only = chart.series[0];
    only.markers = true;
    double recall = -1, precision = -1, items = 0;
    for (const RadiusPoint& p : s.first().metrics.by_radius) {
      if (p.items <= items) continue;  // such a radius adds nothing and has no point on the curve
      items = p.items;
      const bool apart = std::max(std::abs(p.recall - recall), std::abs(p.precision - precision)) > 0.1;
      only.labels.push_back(apart ? concat(only.labels.empty() ? "radius " : "", p.radius) : "");
      if (apart) recall = p.recall, precision = p.precision;
    }
    only.labels.resize(only.points.size());
  }
  return figure("<b>Precision</b> against recall", line_chart(chart), legend(chart.series));
}

std::string rank_figure(const Section& s, std::size_t shown) {
  LineChart chart;
  chart.id = s.id + "-pn";
  chart.title = "Precision among the nearest n, protocol " + s.first().protocol.name;
  chart.description = "Share of relevant images among the n nearest, expected over ties, for n from 1 to the whole database.";
  chart.x_label = "n nearest (logarithmic)";
  chart.log_x = true;
  chart.x_min = 1, chart.y_min = 0, chart.y_max = 1;
  for (std::size_t i = 0; i < shown; ++i) chart.series.push_back(series_of(s, i, s.records[i]->metrics.precision_at_n));
  return figure("<b>Precision</b> among the n nearest", line_chart(chart), legend(chart.series));
}

std::string radius_figure(const Section& s) {
  Series precision{"precision", {}, {}, true, 0}, recall{"recall", {}, {}, true, 1};
  for (const RadiusPoint& p : s.first().metrics.by_radius) {
    if (p.items > 0) precision.points.push_back({static_cast<double>(p.radius), p.precision});
    recall.points.push_back({static_cast<double>(p.radius), p.recall});
  }
  LineChart chart;
  chart.id = s.id + "-r";
  chart.title = "Precision and recall by search radius, protocol " + s.first().protocol.name;
  chart.description = "The larger the radius, the more relevant images are found and the fewer of the found are relevant.";
  chart.x_label = "radius (Hamming distance, inclusive)";
  chart.x_min = 0, chart.y_min = 0, chart.y_max = 1;
  chart.series = {precision, recall};
  if (recall.points.size() > 40) chart.series[0].markers = chart.series[1].markers = false;
  return figure("<b>Precision and recall</b> by search radius", line_chart(chart), legend(chart.series));
}

// A dozen rows at most: every radius of a short code, evenly spaced ones of a long code.
std::string radius_table(const EvalRecord& r) {
  std::string out =
      concat(scroll_region("What a search radius returns", "radii"), "<table><caption>What a search radius returns, ", r.bits,
             " bits</caption><thead><tr><th scope=\"col\" class=\"num\">Radius</th><th scope=\"col\" class=\"num\">Images, on "
             "average</th><th scope=\"col\" class=\"num\">Precision</th><th scope=\"col\" "
             "class=\"num\">Recall</th></tr></thead><tbody>");
  const auto& radii = r.metrics.by_radius;
  std::size_t useful = 0;  // beyond a recall of 0.999 nothing is left to choose
  while (useful + 1 < radii.size() && radii[useful].recall < 0.999) ++useful;
  const std::size_t step = useful <= 12 ? 1 : (useful + 9) / 9;
  for (std::size_t i = 0; i <= useful; i += step) {
    const RadiusPoint& p = radii[i];
    out += concat("<tr><th scope=\"row\" class=\"num\">", p.radius, "</th><td class=\"num\">", significant(p.items),
                  "</td><td class=\"num\">", p.items > 0 ? percent(p.precision, 1) : "–", "</td><td class=\"num\">",
                  percent(p.recall, 1), "</td></tr>");
  }
  return out + "</tbody></table></div>";
}

std::string point_table(const std::vector<CurvePoint>& points, const char* x, const char* y, bool whole) {
  std::string out = concat("<table><thead><tr><th scope=\"col\" class=\"num\">", x, "</th><th scope=\"col\" class=\"num\">", y,
                           "</th></tr></thead><tbody>");
  for (const CurvePoint& p : points) {
    out += concat("<tr><th scope=\"row\" class=\"num\">", whole ? grouped(static_cast<std::uint64_t>(p.x)) : fixed(p.x, 4),
                  "</th><td class=\"num\">", fixed(p.y, 4), "</td></tr>");
  }
  return out + "</tbody></table>";
}

std::string fact(const std::string& name, const std::string& value) {
  return value.empty() ? "" : "<tr><th scope=\"row\">" + escape(name) + "</th><td>" + escape(value) + "</td></tr>";
}

// Stages one after another on one axis, whether or not the caller's epochs start again in each.
struct Timeline {
  std::vector<Series> loss;
  Series validation{"validation mAP", {}, {}, true, 2};
  std::vector<Band> bands;

  explicit Timeline(const std::vector<TrainingPoint>& points) {
    double offset = 0, last = 0, last_raw = 0;
    for (const TrainingPoint& p : points) {
      const bool begins = bands.empty() || bands.back().label != p.stage;
      if (begins && p.epoch < last_raw) offset = last;
      last_raw = p.epoch;
      const double x = p.epoch + offset;
      if (begins) {
        bands.push_back({last, x, p.stage});
        loss.push_back({p.stage, {}, {}, false, static_cast<int>(loss.size() % kStyles)});
      }
      bands.back().end = last = x;
      if (std::isfinite(p.loss)) loss.back().points.push_back({x, p.loss});
      if (p.validation_map >= 0) validation.points.push_back({x, p.validation_map});
    }
  }
};

}  // namespace

std::string curves_section(const Section& s) {
  const std::size_t shown = std::min<std::size_t>(s.records.size(), kStyles);
  const EvalRecord& r = s.first();
  if (r.metrics.precision_recall.empty()) return {};
  std::string out = concat("<section aria-labelledby=\"", s.id, "-c\"><h2 id=\"", s.id, "-c\"><span>Curves</span> ",
                           escape(r.protocol.name), "</h2>");
  if (s.records.size() > shown) out += concat("<p>The first ", shown, " of ", s.records.size(), " runs are drawn.</p>");
  out +=
      "<div class=\"figures\">" + recall_figure(s, shown) + rank_figure(s, shown) + radius_figure(s) + radius_table(r) + "</div>";
  out += "<details><summary>The curves as numbers</summary><div class=\"figures\">" +
         point_table(r.metrics.precision_at_n, "n nearest", "precision", true) +
         point_table(r.metrics.precision_recall, "recall", "precision", false) + "</div></details>";
  return out + "</section>";
}

std::string health_section(const EvalRecord& record) {
  const CodeHealth& h = record.metrics.health;
  if (h.bit_mean.empty()) return {};
  const auto constant = std::count_if(h.bit_mean.begin(), h.bit_mean.end(), [](double m) { return m <= 0.001 || m >= 0.999; });
  std::string out = concat(
      "<section aria-labelledby=\"health\"><h2 id=\"health\"><span>Codes</span> Are all bits at work?</h2><p>A good bit is one "
      "for half of the images (mean "
      "entropy here <b>",
      fixed(h.mean_entropy, 3), "</b> of 1) and says something that no other bit says (mean |correlation| <b>",
      fixed(h.mean_correlation, 3), "</b>, largest <b>", fixed(h.max_correlation, 3), "</b>). The database uses <b>",
      grouped(h.distinct_codes), "</b> distinct codes; the commonest bears ", percent(h.largest_bucket, 1),
      " of its images.</p>");
  if (constant > 0) {
    out += concat("<p class=\"note\"><b>Alarm.</b> ", constant, constant == 1 ? " bit is" : " bits are",
                  " constant for 99.9 % of the images and carr", constant == 1 ? "ies" : "y", " nothing.</p>");
  }
  if (h.largest_bucket > 0.5)
    out += "<p class=\"note\"><b>Alarm.</b> More than half of the images share one code: the codes have collapsed.</p>";
  out +=
      "<div class=\"figures\">" + figure("<b>Share of ones</b> by bit, around the ideal 0.5", bit_mean_chart("bits", h.bit_mean));
  const std::string triangle = correlation_chart("corr", h.correlation, record.bits);
  if (!triangle.empty()) {
    out += figure("<b>Correlation</b> of every two bits: the paler, the better", triangle,
                  "<ul class=\"legend\"><li><i class=\"swatch pos\"></i>both ones together</li><li><i class=\"swatch "
                  "neg\"></i>one against the other</li></ul>");
  }
  return out + "</div></section>";
}

std::string training_section(const std::vector<TrainingPoint>& points) {
  if (points.empty()) return {};
  const Timeline line(points);
  LineChart chart;
  chart.id = "loss";
  chart.title = "Training loss";
  chart.description =
      "Loss against epochs, stage after stage; each stage has its own loss, so heights of different stages do not compare.";
  chart.x_label = "epochs";
  chart.x_min = 0;
  chart.series = line.loss;
  chart.bands = line.bands;
  std::string out =
      "<section aria-labelledby=\"training\"><h2 id=\"training\"><span>Training</span> From pixels to codes</h2><p>Each stage "
      "minimises its own loss, so "
      "only heights inside a stage compare. Validation images are taken from the training set; queries and database choose "
      "nothing.</p><div "
      "class=\"figures\">" +
      figure("<b>Loss</b>, by stage", line_chart(chart));
  if (!line.validation.points.empty()) {
    chart.id = "valid";
    chart.title = "Validation mAP";
    chart.description =
        "Mean average precision on validation images against epochs, up to " + fixed(line.validation.points.back().y, 3) + ".";
    chart.series = {line.validation};
    chart.x_max = line.bands.back().end;
    out += figure("<b>Validation mAP</b>", line_chart(chart));
  }
  return out + "</div></section>";
}

std::string provenance_section(const std::vector<Section>& sections) {
  std::string out =
      "<section class=\"provenance\" aria-labelledby=\"origin\"><h2 id=\"origin\"><span>Provenance</span> What these numbers "
      "are</h2>";
  for (const Section& s : sections) {
    const EvalRecord& r = s.first();
    const Protocol& p = r.protocol;
    out += concat(scroll_region("Provenance, " + p.name), "<table><caption>", escape(p.name), "</caption><tbody>");
    out += fact("Data", r.dataset) + fact("Split", describe_split(p)) +
           fact("Database trained on", p.database_was_trained_on ? "yes" : "no") + fact("Relevant", p.relevance) +
           fact("Divisor of AP", p.divisor) + fact("Ties", p.ties) + fact("Queries without relevant images", p.no_relevant) +
           fact("Ranking", p.cutoff == 0 ? "the whole database" : concat("the first ", p.cutoff)) + fact("Seed", concat(r.seed)) +
           fact("Model", r.model) + fact("Version", r.version) + fact("Command", r.command);
    out += "</tbody></table></div>";
  }
  const std::string& training = sections.front().first().training_record;
  if (!training.empty())
    out += "<details><summary>How the model was trained</summary><pre>" + escape(training) + "</pre></details>";
  return out + "</section>";
}

}  // namespace signet::eval
