#include "signet/eval/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eval/compare_records.h"
#include "eval/text.h"
#include "signet/base/error.h"

namespace signet {
namespace {

using compared::count;

// The first 28 characters of a PNG whose IHDR says 28 pixels wide, padded to whole groups; no browser looks at it here.
const char* const kPicture = "iVBORw0KGgoAAAANSUhEUgAAABwAAAAc";

EvalRecord make_record(const std::string& protocol, std::uint64_t seed = 1) {
  CodeMatrix codes(6, 4);
  for (std::size_t i = 3; i < 6; ++i) codes.row(i)[0] = static_cast<std::uint8_t>(i);
  const std::vector<std::vector<std::int32_t>> labels{{0}, {0}, {0}, {1}, {1}, {1}};
  EvalInput in;
  in.queries = in.database = &codes;
  in.query_labels = in.database_labels = labels;
  in.leave_one_out = true;
  EvalRecord r;
  r.protocol = find_protocol(protocol);
  r.dataset = "six images";
  r.bits = 4;
  r.seed = seed;
  r.metrics = evaluate(in);
  r.class_id_map = 0.5;
  r.training_record = R"({"alpha": 6})";
  return r;
}

Report make_report() {
  Report report;
  report.title = "A <title> & \"more\"";
  report.records = {make_record("full"), make_record("heldout")};
  report.training = {{"features", 0, 2, -1}, {"features", 1, 1, 0.5}, {"joint", 0.5, 0.7, 0.6}};
  report.gallery = {{{kPicture, "q.png", "boot", 0, false},
                     {{kPicture, "a.png", "boot", 0, true}, {kPicture, "<b>.png", "<script>alert(1)</script>", 3, false}}}};
  return report;
}

TEST(Json, HoldsThePromisedKeys) {
  const EvalRecord r = make_record("full");
  const auto j = nlohmann::ordered_json::parse(to_json(r));
  for (const char* key :
       {"method", "protocol", "bits", "seed", "map", "map_optimistic", "map_pessimistic", "precision_at_radius_2",
        "distinct_codes", "queries", "database", "version", "command", "class_id_map", "float_map", "by_radius"}) {
    EXPECT_TRUE(j.contains(key)) << key;
  }
  EXPECT_EQ(j["protocol"], "full");
  EXPECT_EQ(j["map"].get<double>(), r.metrics.map);
  EXPECT_EQ(j["class_id_map"], 0.5);
  EXPECT_TRUE(j["float_map"].is_null());
  EXPECT_EQ(j["training"]["alpha"], 6);
  EXPECT_EQ(j["distinct_codes"], 4);
  EXPECT_EQ(j["by_radius"].size(), r.metrics.by_radius.size());
}

TEST(Json, SeveralRecordsAreAnArrayAndHostileTextIsHarmless) {
  EvalRecord r = make_record("full");
  r.training_record = "{not json \xFF";
  r.dataset = "bad \xC3( bytes \"quoted\"\n";
  const auto j = nlohmann::json::parse(to_json(std::vector<EvalRecord>{r, make_record("heldout")}));
  ASSERT_EQ(j.size(), 2u);
  EXPECT_EQ(j[1]["protocol"], "heldout");
  EXPECT_TRUE(j[0]["training"].is_string());
  EXPECT_EQ(nlohmann::json::parse(to_json(std::vector<EvalRecord>{})).size(), 0u);
}

TEST(Json, KeysKeepTheirOrder) {
  const std::string text = to_json(make_record("full"));
  EXPECT_LT(text.find("\"protocol\""), text.find("\"bits\""));
  EXPECT_LT(text.find("\"bits\""), text.find("\"map\""));
  EXPECT_EQ(text, to_json(make_record("full")));
}

TEST(Html, StandsAloneAndRunsNothing) {
  const std::string page = to_html(make_report());
  EXPECT_EQ(count(page, "<script"), 0u);
  EXPECT_EQ(count(page, "http://") + count(page, "https://") + count(page, "@import") + count(page, "url("), 0u);
  EXPECT_EQ(count(page, "<link"), 0u);
  EXPECT_EQ(count(page, "default-src 'none'"), 1u);
  EXPECT_NE(page.find("prefers-color-scheme:dark"), std::string::npos);
  EXPECT_NE(page.find("@media print"), std::string::npos);
}

TEST(Html, SaysTheNumberItsProtocolAndItsBounds) {
  const Report report = make_report();
  const std::string page = to_html(report);
  EXPECT_EQ(count(page, "class=\"value\">" + eval::fixed(report.records[0].metrics.map, 3) + "</p>"), 2u);
  EXPECT_NE(page.find("Class number alone"), std::string::npos);
  EXPECT_NE(page.find("not computed"), std::string::npos);  // the float bound
  EXPECT_EQ(count(page, "<section class=\"headline"), 2u);  // one section a protocol: never in one column
  EXPECT_LT(page.find("full"), page.find("heldout"));
}

TEST(Html, MeanAndSpreadOverSeeds) {
  Report report;
  report.records = {make_record("full", 1), make_record("full", 2), make_record("full", 3)};
  report.records[1].metrics.map += 0.01;
  report.records[2].metrics.map -= 0.01;
  const std::string page = to_html(report);
  EXPECT_NE(page.find("mean of 3 seeds, ± 0.010"), std::string::npos);
  EXPECT_NE(page.find("All runs under this protocol"), std::string::npos);
}

TEST(Html, EscapesEverything) {
  Report report = make_report();
  report.records[0].dataset = "<img src=x onerror=alert(1)>";
  report.records[0].command = "signet eval '<&>\"'";
  report.records[0].notes = {"<i>note</i>"};
  report.records[0].training_record = "</pre><b>";
  report.training[0].stage = "<stage>";
  const std::string page = to_html(report);
  for (const char* raw : {"<title> &", "<img src=x", "<i>note", "</pre><b>", "<stage>", "<script>", "<b>.png"})
    EXPECT_EQ(count(page, raw), 0u) << raw;
  EXPECT_NE(page.find("A &lt;title&gt; &amp; &quot;more&quot;"), std::string::npos);
}

TEST(Html, PicturesHaveWordsAndWrongOnesAreNotOnlyRed) {
  const std::string page = to_html(make_report());
  EXPECT_EQ(count(page, "<img "), 3u);
  EXPECT_EQ(count(page, "<img alt=\""), 3u);
  EXPECT_EQ(count(page, "class=\"pixels\""), 3u);
  EXPECT_NE(page.find("✓</b> right"), std::string::npos);
  EXPECT_NE(page.find("✗</b> wrong"), std::string::npos);
  EXPECT_EQ(count(page, "role=\"img\""), count(page, "<desc id="));
}

TEST(Html, WideTablesAreScrolledByKeyboard) {
  const std::string page = to_html(make_report());
  EXPECT_GT(count(page, "<div class=\"wide"), 0u);
  EXPECT_EQ(count(page, "<div class=\"wide"), count(page, "tabindex=\"0\" role=\"region\" aria-label=\""));
}

TEST(Html, TagsAreBalanced) {
  const std::string page = to_html(make_report());
  for (const char* tag :
       {"section", "table", "tr", "td", "thead", "tbody", "figure", "svg", "div", "p", "ol", "ul", "li", "details", "main"}) {
    const std::string open = std::string("<") + tag, close = std::string("</") + tag + ">";
    EXPECT_EQ(count(page, open + ">") + count(page, open + " "), count(page, close)) << tag;
  }
}

TEST(Html, RefusesNothingToShowAndPicturesThatAreNone) {
  EXPECT_THROW(to_html(Report{}), Error);
  for (const char* bad : {"", "AAA", "AAA\"", "====", "AA\" onload=\"x"}) {
    Report report = make_report();
    report.gallery[0].hits[0].png_base64 = bad;
    EXPECT_THROW(to_html(report), Error) << bad;
  }
}

TEST(Html, SurvivesEmptyAndLongRecords) {
  Report bare;
  bare.records.emplace_back();
  EXPECT_NE(to_html(bare).find("0.000"), std::string::npos);
  Report wide;
  wide.records = {make_record("full")};
  const CodeMatrix codes(20, 1000);
  wide.records[0].bits = 1000;
  wide.records[0].metrics.health = code_health(codes);
  const std::string page = to_html(wide);
  EXPECT_NE(page.find("1000 bits are constant"), std::string::npos);
  EXPECT_NE(page.find("collapsed"), std::string::npos);
}

TEST(Text, AScrollRegionHasANameAndTheKeyboard) {
  EXPECT_EQ(eval::scroll_region("a \"b\"", "c"),
            "<div class=\"wide c\" tabindex=\"0\" role=\"region\" aria-label=\"a &quot;b&quot;\">");
  EXPECT_EQ(eval::scroll_region("a").find("<div class=\"wide\" "), 0u);
}

TEST(Text, NumbersForPeople) {
  EXPECT_EQ(eval::fixed(0.91249, 3), "0.912");
  EXPECT_EQ(eval::fixed(-0.0001, 3), "0.000");
  EXPECT_EQ(eval::fixed(1.0 / 0.0, 3), "–");
  EXPECT_EQ(eval::shortest(0.5), "0.5");
  EXPECT_EQ(eval::shortest(120), "120");
  EXPECT_EQ(eval::grouped(1234567), "1\u202F234\u202F567");
  EXPECT_EQ(eval::grouped(0), "0");
  EXPECT_EQ(eval::significant(0.01234), "0.0123");
  EXPECT_EQ(eval::significant(12345.6), "12\u202F346");
}

TEST(Text, EscapeKeepsUtf8AndReplacesTheRest) {
  EXPECT_EQ(eval::escape("a<b>&\"'é✓"), "a&lt;b&gt;&amp;&quot;&#39;é✓");
  EXPECT_EQ(eval::escape(std::string("\x80\xC3(\x01\xED\xA0\x80", 7)), "\uFFFD\uFFFD(\uFFFD\uFFFD\uFFFD");
}

}  // namespace
}  // namespace signet
