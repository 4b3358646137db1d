#include <algorithm>
#include <cmath>
#include <set>

#include "eval/html_parts.h"
#include "eval/spread.h"
#include "eval/text.h"
#include "signet/base/error.h"
#include "signet/eval/report.h"

namespace signet {
namespace eval {

std::vector<Section> sections_of(const std::vector<EvalRecord>& records) {
  std::vector<Section> sections;
  for (const EvalRecord& r : records) {
    const auto same = [&](const Section& s) {
      return s.first().protocol.name == r.protocol.name && s.first().dataset == r.dataset;
    };
    auto place = std::find_if(sections.begin(), sections.end(), same);
    if (place == sections.end()) {
      sections.push_back({concat("p", sections.size() + 1), {}, {}});
      place = std::prev(sections.end());
    }
    place->records.push_back(&r);
    if (r.method == place->first().method && r.bits == place->first().bits) place->lead.push_back(&r);
  }
  return sections;
}

std::string run_name(const EvalRecord& record, const std::vector<const EvalRecord*>& among) {
  std::set<std::string> methods;
  std::set<std::uint32_t> bits;
  std::set<std::uint64_t> seeds;
  for (const EvalRecord* r : among) methods.insert(r->method), bits.insert(r->bits), seeds.insert(r->seed);
  std::string name = record.method;
  if (methods.size() == 1 || bits.size() > 1) name += concat(" ", record.bits, " bits");
  if (seeds.size() > 1) name += concat(", seed ", record.seed);
  return name;
}

namespace {

std::string difference(double value) { return fixed(std::abs(value), 3); }

struct Bound {
  const char* name;
  const char* meaning;
  Spread value;
  double low = 0, high = 0;
  bool is_this = false;
};

std::string bound_row(const Bound& b, double axis_low) {
  const auto place = [&](double v) { return fixed(std::clamp((v - axis_low) / (1 - axis_low), 0.0, 1.0) * 100, 2) + "%"; };
  std::string row =
      concat("<tr", b.is_this ? " class=\"this\"" : "", "><th scope=\"row\">", escape(b.name), "<small>", escape(b.meaning),
             "</small></th><td class=\"num\">", b.value.count == 0 ? "not computed" : fixed(b.value.mean, 3),
             "</td><td class=\"track-cell\" aria-hidden=\"true\"><div class=\"track\">");
  if (b.value.count > 0) {
    if (b.high > b.low) {
      const double width = (b.high - b.low) / (1 - axis_low) * 100;
      row += "<i class=\"range\" style=\"left:" + place(b.low) + ";width:" + fixed(width, 2) + "%\"></i>";
    }
    row += "<i class=\"spot\" style=\"left:" + place(b.value.mean) + "\"></i>";
  }
  return row + "</div></td></tr>";
}

std::string bounds_table(const Section& s, const Spread& map, double worst, double best) {
  const EvalRecord& r = s.first();
  const std::string name = concat(r.method, ", ", r.bits, " bits");
  Bound rows[] = {
      {"Class number alone", "the predicted class as a code", spread_of(s.lead, [](auto& x) { return x.class_id_map; })},
      {name.c_str(), "Hamming distance of the codes", map, worst, best, true},
      {"Float features", "cosine, nothing coded", spread_of(s.lead, [](auto& x) { return x.float_map; })}};
  double low = worst;
  for (const Bound& b : rows) {
    if (b.value.count > 0) low = std::min(low, b.value.mean);
  }
  low = std::max(0.0, std::floor((low - 0.02) * 20) / 20);
  std::string out = concat(
      "<table class=\"bounds\"><caption>The same network, three ways to rank</caption><thead><tr><th scope=\"col\">Ranked "
      "by</th>",
      "<th scope=\"col\" class=\"num\">mAP</th><th scope=\"col\" class=\"scale\" aria-hidden=\"true\"><span>", fixed(low, 2),
      "</span><span>1.00</span></th></tr></thead><tbody>");
  for (const Bound& b : rows) out += bound_row(b, low);
  return out + "</tbody></table>";
}

std::string reading(const Section& s, double map, double worst, double best) {
  std::string out =
      concat("<p>Take a query, order the ", grouped(s.first().metrics.database),
             " images of the database by Hamming distance, and stop at every relevant image in turn: on average <b>",
             percent(map, 1), "</b> of the images up to there are relevant too.");
  if (best - worst >= 0.0005) {
    out += concat(" Many images share a distance. Their order counts as random; the unluckiest order inside ties would give ",
                  fixed(worst, 3), ", the luckiest ", fixed(best, 3), ".");
  }
  return out + "</p>";
}

std::string bounds_in_words(const Section& s, double map) {
  std::string out;
  const Spread id = spread_of(s.lead, [](auto& x) { return x.class_id_map; });
  const Spread real = spread_of(s.lead, [](auto& x) { return x.float_map; });
  if (id.count > 0) {
    const double gain = map - id.mean;
    out += concat("Knowing only each image’s predicted class gives ", fixed(id.mean, 3), ": the codes are ", difference(gain),
                  gain >= 0 ? " above it, which is what they know beyond the class. "
                            : " below it; a plain classifier would retrieve better. ");
  }
  if (real.count > 0) {
    const double loss = real.mean - map;
    out += concat("The network’s uncoded features give ", fixed(real.mean, 3), ": ",
                  loss >= 0 ? concat("coding them into ", s.first().bits, " bits costs ", difference(loss), ".")
                            : concat("the ", s.first().bits, "-bit codes are ", difference(loss),
                                     " better, so nothing is lost by coding."));
  }
  return out.empty() ? out : concat("<p>", out, "</p>");
}

std::string tile(const std::string& value, const std::string& name) {
  return "<div><dd>" + value + "</dd><dt>" + escape(name) + "</dt></div>";
}

std::string tiles(const EvalRecord& r) {
  const Metrics& m = r.metrics;
  std::string out = "<dl class=\"tiles\">" + tile(grouped(m.queries), "queries") +
                    tile(grouped(m.database), "images in the database") +
                    tile(percent(m.precision_at_radius_2, 1), "precision within radius 2") +
                    tile(percent(m.recall_at_radius_2, 1), "recall within radius 2") +
                    tile(percent(m.empty_ball_share, 1), "queries with nothing within radius 2") +
                    tile(grouped(m.health.distinct_codes), "distinct codes");
  if (r.code_bytes_per_image > 0) out += tile(grouped(r.code_bytes_per_image) + "&nbsp;B", "a code");
  if (r.encode_images_per_second > 0) out += tile(significant(r.encode_images_per_second), "images encoded a second");
  if (m.queries_without_relevant > 0)
    out += tile(grouped(m.queries_without_relevant), "queries without relevant images, left out");
  return out + "</dl>";
}

std::string runs_table(const Section& s) {
  if (s.records.size() < 2) return {};
  std::string out =
      scroll_region("All runs under this protocol") +
      "<table><caption>All runs under this protocol</caption><thead><tr><th scope=\"col\">Run</th><th "
      "scope=\"col\" "
      "class=\"num\">mAP</th><th scope=\"col\" class=\"num\">worst ties</th><th scope=\"col\" class=\"num\">best ties</th><th "
      "scope=\"col\" "
      "class=\"num\">class number</th><th scope=\"col\" class=\"num\">float</th><th scope=\"col\" class=\"num\">P, r ≤ 2</th><th "
      "scope=\"col\" "
      "class=\"num\">distinct</th></tr></thead><tbody>";
  const auto cell = [](const std::string& v) { return concat("<td class=\"num\">", v, "</td>"); };
  const auto bound = [](double v) { return v < 0 ? std::string("–") : fixed(v, 4); };
  for (const EvalRecord* r : s.records) {
    out += "<tr><th scope=\"row\">" + escape(run_name(*r, s.records)) + "</th>" + cell(fixed(r->metrics.map, 4)) +
           cell(fixed(r->metrics.map_pessimistic, 4)) + cell(fixed(r->metrics.map_optimistic, 4)) + cell(bound(r->class_id_map)) +
           cell(bound(r->float_map)) + cell(fixed(r->metrics.precision_at_radius_2, 4)) +
           cell(grouped(r->metrics.health.distinct_codes)) + "</tr>";
  }
  return out + "</tbody></table></div>";
}

std::string notes(const EvalRecord& r) {
  std::string out;
  for (const std::string& note : r.notes) out += "<p class=\"note\"><b>Note.</b> " + escape(note) + "</p>";
  return out;
}

}  // namespace

std::string headline_section(const Section& s, bool first) {
  const EvalRecord& r = s.first();
  const Spread map = spread_of(s.lead, [](auto& x) { return x.metrics.map; });
  const double worst = spread_of(s.lead, [](auto& x) { return x.metrics.map_pessimistic; }).mean;
  const double best = spread_of(s.lead, [](auto& x) { return x.metrics.map_optimistic; }).mean;
  const std::string cut = r.protocol.cutoff > 0 ? concat(" of the first ", grouped(r.protocol.cutoff)) : "";
  std::string out = concat("<section class=\"headline", first ? " first" : "", "\" aria-labelledby=\"", s.id, "\"><h2 id=\"",
                           s.id, "\"><span>Protocol</span> ", escape(r.protocol.name), "</h2><p class=\"remark\">",
                           escape(r.protocol.remark), "</p>");
  out += concat("<div class=\"duo\"><div class=\"score\"><p class=\"value\">", fixed(map.mean, 3),
                "</p><p class=\"what\">mean average precision", cut, " at <b>", r.bits, " bits</b>");
  if (map.count > 1) out += concat("<br>mean of ", map.count, " seeds, ± ", fixed(map.deviation, 3));
  out += concat("<br><span class=\"ties\">", fixed(worst, 3), " to ", fixed(best, 3),
                " by the order inside ties</span></p></div>", bounds_table(s, map, worst, best), "</div><div class=\"words\">",
                first ? reading(s, map.mean, worst, best) : "", bounds_in_words(s, map.mean), "</div>");
  return out + notes(r) + tiles(r) + runs_table(s) + "</section>";
}

}  // namespace eval

std::string to_html(const Report& report) {
  if (report.records.empty()) fail(ErrorCode::kInvalidArgument, "a report needs at least one evaluation record");
  const std::vector<eval::Section> sections = eval::sections_of(report.records);
  const std::string title = eval::escape(report.title.empty() ? "signet report" : report.title);
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">"
      "<meta name=\"color-scheme\" content=\"light dark\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
      "'none'; img-src data:; "
      "style-src 'unsafe-inline'\"><title>" +
      title + "</title><style>" + eval::style_sheet() +
      "</style></head>\n<body><header><p class=\"kicker\">signet, evaluation report</p><h1>" + title + "</h1><p class=\"lede\">" +
      eval::escape(report.records.front().dataset) + "</p></header>\n<main>";
  for (std::size_t i = 0; i < sections.size(); ++i) out += eval::headline_section(sections[i], i == 0) + "\n";
  out += eval::gallery_section(report.gallery) + "\n";
  for (const eval::Section& s : sections) out += eval::curves_section(s) + "\n";
  out += eval::health_section(report.records.front()) + "\n" + eval::training_section(report.training) + "\n" +
         eval::provenance_section(sections);
  return out + "</main></body></html>\n";
}

}  // namespace signet
