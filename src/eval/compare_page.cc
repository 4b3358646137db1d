#include <algorithm>
#include <set>

#include "eval/compare_parts.h"
#include "eval/html_parts.h"
#include "eval/text.h"
#include "signet/base/base64.h"
#include "signet/base/error.h"
#include "signet/base/sha256.h"
#include "signet/base/text.h"

namespace signet {
namespace eval {
namespace {

std::string script_hash() {
  const std::string script = compare_script(), hex = sha256_hex(std::as_bytes(std::span(script.data(), script.size())));
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  return to_base64(bytes);
}

std::string head() {
  return concat(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-",
      script_hash(), "'; base-uri 'none'; form-action 'none'\"><title>signet: methods compared</title><style>", style_sheet(),
      compare_style(), "</style></head>\n<body>");
}

std::string contents(const Comparison& c) {
  if (c.sections.size() < 2) return {};
  std::string out = "<nav aria-label=\"Protocols\"><ul>";
  for (std::size_t i = 0; i < c.sections.size(); ++i)
    out += concat("<li><a href=\"#s", i, "\">", escape(c.sections[i].heading), "</a></li>");
  return out + "</ul></nav>";
}

std::string facts(const ComparedSection& section) {
  const ResultRecord& r = section.first();
  std::string out =
      concat("<p class=\"remark\">", escape(r.protocol_remark), r.protocol_remark.empty() ? "" : " ", "Data: ", escape(r.dataset),
             "; ", escape(r.pictures), ". ", grouped(r.queries), " queries, ", grouped(r.database), " images in the database",
             r.protocol_split.empty() ? "" : "; ", escape(r.protocol_split), ".</p>\n");
  std::set<std::string> notes;
  for (const ComparedRow& row : section.rows)
    for (const ResultRecord* one : row.records) notes.insert(one->notes.begin(), one->notes.end());
  for (const std::string& note : notes) out += "<p class=\"note\"><b>Note.</b> " + escape(note) + "</p>\n";
  return out;
}

std::string made_on(const ComparedSection& section) {
  std::set<std::string> machines, versions;
  for (const ComparedRow& row : section.rows) {
    for (const ResultRecord* r : row.records) {
      machines.insert(concat(r->cpu, ", ", r->threads, r->threads == 1 ? " thread" : " threads"));
      versions.insert(r->version);
    }
  }
  return concat("<p class=\"remark\">Made on ", escape(join(machines, "; ")), ", with signet ", escape(join(versions, "; ")),
                ". Times of different machines do not compare.</p>\n");
}

std::string section_html(std::size_t number, const ComparedSection& section, const CompareOptions& options,
                         const ExamplePictures& pictures) {
  const std::string id = concat("s", number);
  std::string out = concat("<section class=\"protocol\" aria-labelledby=\"", id, "\"><h2 id=\"", id, "\"><span>Protocol</span> ",
                           escape(section.heading), "</h2>\n", facts(section), "<ul class=\"claims\">");
  for (const std::string& sentence : section.sentences) out += "<li>" + escape(sentence) + "</li>";
  out += "</ul>\n";
  if (section.comparisons > 0)
    out += concat("<p class=\"remark\">", section.comparisons, section.comparisons == 1 ? " comparison" : " comparisons",
                  " with ", escape(options.against), "; each interval holds with ", percent(section.confidence, 2),
                  ", so that all of this protocol hold together with ", percent(options.bootstrap.confidence, 0), ".</p>\n");
  return out + compare_tables(section, options) + compare_figures(id, section) + compare_examples(id, section, pictures) +
         made_on(section) + "</section>\n";
}

std::string elsewhere(const Comparison& c) {
  if (c.elsewhere.empty()) return {};
  std::string out =
      "<section aria-labelledby=\"else\"><h2 id=\"else\">Published under protocols without a record here</h2><p>For reading, not "
      "for comparing.</p>" +
      scroll_region("Other published numbers") +
      "<table class=\"sortable\"><caption>Numbers that others printed</caption><thead><tr><th scope=\"col\">method</th><th "
      "scope=\"col\">its protocol</th><th scope=\"col\" class=\"num\">bits</th><th scope=\"col\" class=\"num\">published "
      "mAP</th><th "
      "scope=\"col\">ImageNet weights</th></tr></thead><tbody>\n";
  for (const PublishedNumber& number : c.elsewhere) {
    const PublishedRow& row = *number.row;
    out += concat("<tr><th scope=\"row\" data-value=\"", escape(row.method), "\">", escape(row.method), "<small>",
                  escape(row.source), row.remark.empty() ? "" : "; ", escape(row.remark), "</small></th><td data-value=\"",
                  escape(row.protocol), "\">", escape(row.protocol), "</td><td class=\"num\" data-value=\"", number.bits, "\">",
                  number.bits, "</td><td class=\"num\" data-value=\"", plain_number(number.map()), "\">", fixed(number.map(), 3),
                  "</td><td data-value=\"", imagenet_text(row), "\">", imagenet_text(row), "</td></tr>\n");
  }
  return out + "</tbody></table></div></section>\n";
}

constexpr const char* kReading =
    "<section aria-labelledby=\"how\"><h2 id=\"how\">How to read it</h2>"
    "<p>mAP is expected over random orders inside equal distances and ranks the whole database, unless the heading says "
    "otherwise. "
    "One section is one protocol on one data set; numbers of different sections do not compare, however alike they look.</p>"
    "<p><b>Better</b> and <b>worse</b> are printed only where the interval of the difference excludes zero. The interval is a "
    "paired bootstrap: queries are drawn with replacement, for all methods the same ones. It is widened by how much trainings "
    "with another seed differ, as all methods of a code length that have several seeds tell it together (Student's t). "
    "\u201cThese trainings alone\u201d: too few were repeated with other seeds, and nothing is said about others. As many "
    "comparisons "
    "are made, each interval is made wide enough that all of a section hold together (Bonferroni). Where no difference is shown, "
    "that does not say that there is none.</p>"
    "<p><b>Published</b> numbers were printed by others under a protocol of this name, with their own code, splits and ways to "
    "count ties; they are shown for orientation and take part in no comparison.</p></section>\n";

}  // namespace
}  // namespace eval

std::string compare_html(const Comparison& c, const ExamplePictures& pictures) {
  std::set<std::string> methods;
  for (const ComparedSection& s : c.sections)
    for (const ComparedRow& row : s.rows) methods.insert(row.first().method);
  std::string out = concat(
      eval::head(), "<header><p class=\"kicker\">signet compare</p><h1>Methods compared</h1><p class=\"lede\">", methods.size(),
      methods.size() == 1 ? " method, " : " methods, ", c.sections.size(), c.sections.size() == 1 ? " protocol" : " protocols",
      "; from ", c.records->size(), c.records->size() == 1 ? " stored record" : " stored records", " and from nothing else</p>",
      eval::contents(c), "</header>\n<main>\n");
  for (std::size_t i = 0; i < c.sections.size(); ++i) out += eval::section_html(i, c.sections[i], c.options, pictures);
  out += eval::elsewhere(c) + eval::kReading;
  return out + "</main><script>" + eval::compare_script() + "</script></body></html>\n";
}

}  // namespace signet
