#include "eval/html_parts.h"
#include "eval/results_tables.h"
#include "eval/text.h"
#include "signet/base/error.h"

namespace signet {
namespace eval {
namespace {

// beside_documents: the pages lie where the links of docs/results lead to docs/.
std::string introduction(bool beside_documents) {
  const auto document = [&](const char* name) {
    return beside_documents ? concat("[", name, "](../", name, ")") : concat("signet's docs/", name);
  };
  return concat(
      "Made by `signet reproduce` from the files in `records/`, and from nothing else. How to run it and what the columns mean: ",
      document("reproduce.md"),
      ". mAP is expected over ties and ranks the whole database; \"class number\" and \"float\" are the same network's: its "
      "arg-max "
      "class as a code, and the cosine ranking of its features; (outputs): that of a method's own real outputs, one a bit, in "
      "place "
      "of features. A network's code is the signs of its mean real outputs for a picture and its mirror image (MNIST: of the "
      "picture "
      "alone), and encode images/s counts both views; its weights are averages taken while training. Published rows are numbers "
      "that "
      "others printed for the same protocol (",
      document("protocols.md"), "). ± is the sample standard deviation over seeds.",
      beside_documents ? " Much was trained beside other work, so times are upper limits." : "");
}
constexpr const char* kVerdicts =
    "Who wins, by intervals of a paired bootstrap over queries, widened by how trainings with other seeds differ, that hold "
    "together "
    "with 95 % (docs/compare.md):";
constexpr const char* kHead = "At a glance";
constexpr const char* kEmpty = "There are no records yet.";

struct Pages {
  ResultTable head;
  std::vector<ResultSection> sections;
  ResultTable others;
};

// A table's cell must not end its row.
std::string cell(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '|' ? std::string("\\|") : c == '\n' ? std::string(" ") : std::string(1, c);
  return safe;
}

std::string markdown_table(const ResultTable& table) {
  std::string out = concat("*", table.caption, "*\n\n"), rule;
  const auto line = [&](const std::vector<std::string>& cells) {
    for (const std::string& text : cells) out += "| " + cell(text) + " ";
    out += "|\n";
  };
  line(table.head);
  for (std::size_t i = 0; i < table.head.size(); ++i) rule += "|---";
  out += rule + "|\n";
  for (const auto& row : table.rows) line(row);
  return out + "\n";
}

std::string html_table(const ResultTable& table) {
  std::string out =
      concat(scroll_region(table.caption.substr(0, table.caption.find(';'))), "<table",
             table.numbers_alone ? " class=\"dense\"" : "", "><caption>", escape(table.caption), "</caption><thead><tr>");
  for (const std::string& name : table.head) out += "<th scope=\"col\">" + escape(name) + "</th>";
  out += "</tr></thead><tbody>";
  for (const auto& row : table.rows) {
    out += "<tr><th scope=\"row\">" + escape(row.front()) + "</th>";
    for (std::size_t i = 1; i < row.size(); ++i) out += "<td>" + escape(row[i]) + "</td>";
    out += "</tr>";
  }
  return out + "</tbody></table></div>\n";
}

std::string html_part(const ResultPart& part) {
  std::string out = "<h3>" + escape(part.heading) + "</h3>\n";
  for (const ResultTable& table : part.tables) out += html_table(table);
  if (!part.verdicts.empty()) {
    out += concat("<p>", escape(kVerdicts), "</p>\n<ul>");
    for (const std::string& text : part.verdicts) out += "<li>" + escape(text) + "</li>";
    out += "</ul>\n";
  }
  out += "<div class=\"figures\">";
  for (const LineChart& chart : part.charts)
    out += "<figure><figcaption><b>" + escape(chart.title) + "</b></figcaption>" + line_chart(chart) + legend(chart.series) +
           "</figure>";
  out += "</div>\n";
  for (const std::string& text : part.text) out += "<p class=\"remark\">" + escape(text) + "</p>\n";
  return out;
}

// What Markdown makes of a heading as a link's target: small letters, spaces as hyphens, no other signs.
std::string anchor(const std::string& heading) {
  std::string out;
  for (const char c : heading) {
    if (c >= 'A' && c <= 'Z') out += static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_') out += c;
    if (c == ' ') out += '-';
  }
  return out;
}

std::string markdown_of(const Pages& pages, bool beside_documents) {
  const auto& [head, sections, others] = pages;
  std::string out = concat("# Results\n\n", introduction(beside_documents), "\n\n");
  if (sections.empty()) out += concat(kEmpty, "\n\n");
  if (!head.rows.empty()) out += concat("## ", kHead, "\n\n", markdown_table(head));
  for (const ResultSection& section : sections) out += concat("* [", section.title, "](#", anchor(section.title), ")\n");
  if (!sections.empty()) out += "\n";
  for (const ResultSection& section : sections) {
    out += concat("## ", section.title, "\n\n", section.text, section.text.empty() ? "" : "\n\n");
    for (const ResultPart& part : section.parts) {
      out += concat("### ", part.heading, "\n\n");
      for (const ResultTable& table : part.tables) out += markdown_table(table);
      if (!part.verdicts.empty()) {
        out += concat(kVerdicts, "\n\n");
        for (const std::string& text : part.verdicts) out += concat("* ", text, "\n");
        out += "\n";
      }
      for (const std::string& text : part.text) out += concat("* ", text, "\n");
      out += "\n";
    }
  }
  if (!others.rows.empty()) out += "## Other protocols\n\n" + markdown_table(others);
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

std::string html_of(const Pages& pages) {
  const auto& [head, sections, others] = pages;
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\"><title>signet: results</title><style>";
  out += concat(style_sheet(), ".dense td,.dense tbody th{white-space:nowrap}");
  out +=
      "</style></head>\n<body><header><p class=\"kicker\">signet</p><h1>Results</h1><p class=\"lede\">From the stored records of "
      "signet reproduce, and from nothing else</p></header>\n<main>\n";
  if (sections.empty()) out += concat("<p>", kEmpty, "</p>\n");
  if (!head.rows.empty()) out += concat("<section><h2>", kHead, "</h2>\n", html_table(head), "</section>\n");
  if (!sections.empty()) out += "<nav><ul>";
  for (const ResultSection& section : sections)
    out += concat("<li><a href=\"#", escape(anchor(section.title)), "\">", escape(section.title), "</a></li>");
  if (!sections.empty()) out += "</ul></nav>\n";
  for (const ResultSection& section : sections) {
    out += concat("<section id=\"", escape(anchor(section.title)), "\"><h2>", escape(section.title), "</h2>\n<p>",
                  escape(section.text), "</p>\n");
    for (const ResultPart& part : section.parts) out += html_part(part);
    out += "</section>\n";
  }
  if (!others.rows.empty()) out += "<section><h2>Other protocols</h2>\n" + html_table(others) + "</section>\n";
  return out + "</main></body></html>\n";
}

}  // namespace
}  // namespace eval

ResultPages results_pages(const std::vector<ResultRecord>& records, const std::vector<PublishedRow>& published,
                          bool beside_documents) {
  const eval::Pages pages{eval::headlines(records, published), eval::result_sections(records, published),
                          eval::other_published(records, published)};
  return {eval::markdown_of(pages, beside_documents), eval::html_of(pages)};
}

}  // namespace signet
