#include <cmath>
#include <functional>

#include "eval/compare_parts.h"
#include "eval/spread.h"
#include "eval/text.h"
#include "signet/base/error.h"

namespace signet::eval {
namespace {

// A cell and what it is sorted by; without a value it comes last in either direction.
struct Cell {
  std::string html;
  std::string value;
  bool number = true;
};

Cell number_cell(double value, const std::string& text) {
  return {escape(text), std::isfinite(value) ? plain_number(value) : "", true};
}
Cell measured(double value, int digits) { return value < 0 ? Cell{"–", "", true} : number_cell(value, fixed(value, digits)); }
Cell counted(double value) { return value < 0 ? Cell{"–", "", true} : number_cell(value, significant(value)); }
Cell text_cell(const std::string& text) { return {escape(text), escape(text), false}; }
Cell nothing() { return {"–", "", true}; }

Cell spread_cell(const Spread& s, int digits) { return s.count == 0 ? nothing() : number_cell(s.mean, spread_text(s, digits)); }

Cell mean_cell(const ComparedRow& row, const std::function<double(const ResultRecord&)>& get, int digits) {
  return spread_cell(spread_of(row.records, get), digits);
}

Cell count_cell(const ComparedRow& row, const std::function<double(const ResultRecord&)>& get) {
  const Spread s = spread_of(row.records, get);
  return s.count == 0 ? nothing() : counted(s.mean);
}

// With the reference's name where it is not the method's alone: where several plans have one.
Cell difference_cell(const ComparedSection& section, const ComparedDifference& d) {
  using Verdict = ComparedDifference::Verdict;
  if (d.verdict == Verdict::kNotCompared)
    return {concat("<span class=\"open\">not compared<small>", escape(d.why_not), "</small></span>"), "", true};
  if (d.verdict == Verdict::kNone || d.verdict == Verdict::kReference) return {escape(verdict_text(d)), "", true};
  const ComparedRow& reference = section.rows[d.against];
  const char* css = d.verdict == Verdict::kBetter ? "better" : d.verdict == Verdict::kWorse ? "worse" : "open";
  return {
      concat("<span class=\"", css, "\">", d.mean > 0 ? "+" : "", fixed(d.mean, 4), ", <b>", escape(verdict_text(d)),
             "</b><small>", fixed(d.low, 4), " to ", fixed(d.high, 4), d.these_trainings_alone ? "; these trainings alone" : "",
             reference.name == reference.first().method ? "" : concat("; against ", escape(reference.name)), "</small></span>"),
      plain_number(d.mean), true};
}

struct Column {
  const char* name;
  bool number = true;
};

std::string head_of(const std::vector<Column>& columns) {
  std::string out = "<thead><tr>";
  for (const Column& c : columns)
    out += concat("<th scope=\"col\"", c.number ? " class=\"num\"" : "", ">", escape(c.name), "</th>");
  return out + "</tr></thead>";
}

std::string row_of(const std::vector<Cell>& cells, const char* css) {
  std::string out = concat("<tr", *css != '\0' ? concat(" class=\"", css, "\"") : "", ">");
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const char* tag = i == 0 ? "th scope=\"row\"" : "td";
    out += concat("<", tag, cells[i].number ? " class=\"num\"" : "", " data-value=\"", cells[i].value, "\">", cells[i].html,
                  i == 0 ? "</th>" : "</td>");
  }
  return out + "</tr>\n";
}

std::string published_by(const PublishedRow& row) {
  return concat(escape(row.method), "<small>", escape(row.source), row.remark.empty() ? "" : "; ", escape(row.remark),
                "</small>");
}

void add_published(std::vector<Cell>& cells, const PublishedRow* row, std::uint32_t bits) {
  if (row == nullptr) {
    for (int i = 0; i < 4; ++i) cells.push_back({"–", "", i == 0});
    return;
  }
  cells.push_back(measured(row->map.at(bits), 3));
  cells.push_back({published_by(*row), escape(row->method), false});
  cells.push_back(text_cell(row->protocol));
  cells.push_back(text_cell(imagenet_text(*row)));
}

std::string map_table(const ComparedSection& section, const CompareOptions& options) {
  const std::string against = concat("against ", options.against);
  const std::vector<Column> columns = {{"method", false},
                                       {"bits"},
                                       {"mAP"},
                                       {against.c_str()},
                                       {"published mAP"},
                                       {"published by", false},
                                       {"its protocol", false},
                                       {"ImageNet weights", false},
                                       {"seeds", false},
                                       {"training min"},
                                       {"image passes"}};
  std::string out = concat(
      scroll_region("Table of mAP, " + section.heading),
      "<table class=\"sortable\"><caption>mAP of every method and code length: mean ± standard deviation over seeds</caption>",
      head_of(columns), "<tbody>\n");
  for (const ComparedRow& row : section.rows) {
    const ResultRecord& r = row.first();
    std::vector<Cell> cells = {{concat(escape(row.name), r.remark.empty() ? "" : concat("<small>", escape(r.remark), "</small>")),
                                escape(row.name), false},
                               {bits_text(row), concat(r.bits)},
                               spread_cell(row.map, 4),
                               difference_cell(section, row.difference)};
    add_published(cells, row.published, r.bits);
    cells.push_back(text_cell(seeds_text(row)));
    cells.push_back(mean_cell(
        row, [](const ResultRecord& one) { return one.train_seconds / 60; }, 1));
    cells.push_back(count_cell(row, [](const ResultRecord& one) { return static_cast<double>(one.image_passes); }));
    const bool reference = row.difference.verdict == ComparedDifference::Verdict::kReference;
    out += row_of(cells, reference ? "this" : "");
  }
  for (const auto& [row, bits] : section.published) {
    std::vector<Cell> cells = {{concat("<span class=\"soft\">", escape(row->method), "</span>"), escape(row->method), false},
                               {concat(bits), concat(bits)},
                               nothing(),
                               nothing()};
    add_published(cells, row, bits);
    cells.push_back({"–", "", false});
    cells.insert(cells.end(), {nothing(), nothing()});
    out += row_of(cells, "published");
  }
  return out + "</tbody></table></div>\n";
}

std::string health_table(const ComparedSection& section) {
  const std::vector<Column> columns = {
      {"method", false},  {"bits"},           {"worst to best ties"}, {"P within r 2"},       {"nothing within r 2"},
      {"distinct codes"}, {"commonest code"}, {"bit entropy"},        {"mean |correlation|"}, {"largest |correlation|"},
      {"encode images/s"}};
  std::string out =
      concat(scroll_region("Table of code health, " + section.heading),
             "<table class=\"sortable\"><caption>Code health: a good bit is one for half of the images (entropy 1) and says what "
             "no other bit says (correlation 0)</caption>",
             head_of(columns), "<tbody>\n");
  for (const ComparedRow& row : section.rows) {
    const double worst = spread_of(row.records, [](const ResultRecord& r) { return r.map_pessimistic; }).mean;
    const double best = spread_of(row.records, [](const ResultRecord& r) { return r.map_optimistic; }).mean;
    std::vector<Cell> cells = {{escape(row.name), escape(row.name), false},
                               {bits_text(row), concat(row.first().bits)},
                               number_cell(worst, concat(fixed(worst, 3), " to ", fixed(best, 3)))};
    cells.push_back(mean_cell(
        row, [](const ResultRecord& r) { return r.precision_at_radius_2; }, 4));
    cells.push_back(mean_cell(
        row, [](const ResultRecord& r) { return r.empty_ball_share; }, 4));
    cells.push_back(count_cell(row, [](const ResultRecord& r) { return static_cast<double>(r.distinct_codes); }));
    cells.push_back(mean_cell(
        row, [](const ResultRecord& r) { return r.largest_bucket; }, 4));
    cells.push_back(mean_cell(
        row, [](const ResultRecord& r) { return r.mean_bit_entropy; }, 3));
    cells.push_back(mean_cell(
        row, [](const ResultRecord& r) { return r.mean_bit_correlation; }, 3));
    cells.push_back(mean_cell(
        row, [](const ResultRecord& r) { return r.max_bit_correlation; }, 3));
    cells.push_back(count_cell(row, [](const ResultRecord& r) { return r.encode_images_per_second; }));
    out += row_of(cells, row.difference.verdict == ComparedDifference::Verdict::kReference ? "this" : "");
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace

std::string compare_tables(const ComparedSection& section, const CompareOptions& options) {
  return map_table(section, options) + health_table(section);
}

}  // namespace signet::eval
