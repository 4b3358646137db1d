#include "signet/eval/compare.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "eval/compare_records.h"
#include "eval/svg_chart.h"
#include "signet/base/error.h"

namespace signet {
namespace {

using Verdict = ComparedDifference::Verdict;
using compared::count;
using compared::has;
using compared::made;
using compared::noisy;

CompareOptions quick() {
  CompareOptions options;
  options.bootstrap.rounds = 2000;
  return options;
}

const ComparedRow& row_of(const Comparison& c, const std::string& method) {
  for (const ComparedSection& s : c.sections)
    for (const ComparedRow& row : s.rows)
      if (row.first().method == method) return row;
  throw std::runtime_error("no row " + method);
}

std::string message(ErrorCode code, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "nothing was thrown";
}

std::string part_between(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t begin = text.find(from), end = text.find(to, begin);
  return begin == std::string::npos ? "" : text.substr(begin, end - begin);
}

TEST(Compare, WhatIsBetterIsCalledBetterAndTheLoserIsToldSo) {
  const std::vector<ResultRecord> records = {made("signet", 12, 1, noisy(0.60, 1)), made("dsh", 12, 1, noisy(0.64, 2)),
                                             made("itq-gist", 12, 1, noisy(0.30, 3))};
  const Comparison c = compare_results(records, {}, quick());
  EXPECT_EQ(row_of(c, "signet").difference.verdict, Verdict::kReference);
  const ComparedDifference& better = row_of(c, "dsh").difference;
  EXPECT_EQ(better.verdict, Verdict::kBetter);
  EXPECT_GT(better.low, 0);
  EXPECT_NEAR(better.mean, records[1].map - records[0].map, 1e-6);
  EXPECT_EQ(row_of(c, "itq-gist").difference.verdict, Verdict::kWorse);
  const std::string& said = c.sections[0].sentences[0];
  EXPECT_TRUE(has(said, "At 12 bits signet does not win: dsh has a mAP of 0.64")) << said;
  EXPECT_TRUE(has(said, "The difference is shown")) << said;
  EXPECT_TRUE(has(said, "signet is better than itq-gist.")) << said;
  EXPECT_TRUE(has(compare_html(c), "signet does not win"));
}

TEST(Compare, EqualMethodsAreNeverCalledBetter) {
  std::vector<ResultRecord> records = {made("signet", 12, 1, noisy(0.6, 1))};
  for (std::uint64_t i = 0; i < 30; ++i) records.push_back(made(concat("m", i), 12, 1, noisy(0.6, 100 + i)));
  const Comparison c = compare_results(records, {}, quick());
  EXPECT_EQ(c.sections[0].comparisons, 30u);
  EXPECT_NEAR(c.sections[0].confidence, 1 - 0.05 / 30, 1e-12);
  for (std::uint64_t i = 0; i < 30; ++i) EXPECT_EQ(row_of(c, concat("m", i)).difference.verdict, Verdict::kNotShown) << i;
  const std::string page = compare_html(c);
  EXPECT_FALSE(has(page, "<b>better</b><small>"));
  EXPECT_FALSE(has(page, "<b>worse</b><small>"));
  EXPECT_TRUE(has(page, "no difference shown"));
}

TEST(Compare, OneSeedAgreesWithThePairedBootstrapOfTwo) {
  const std::vector<double> a = noisy(0.62, 1), b = noisy(0.60, 2);
  const ResultRecord ra = made("a", 12, 1, a), rb = made("b", 12, 1, b);
  const PairedDifference ours = compare_rows({&ra}, {&rb}, {4000, 0.95, 1}), plain = paired_bootstrap(a, b, {4000, 0.95, 1});
  EXPECT_NEAR(ours.mean, plain.mean, 1e-5);
  EXPECT_NEAR(ours.low, plain.low, 0.1 * (plain.high - plain.low));
  EXPECT_NEAR(ours.high, plain.high, 0.1 * (plain.high - plain.low));
}

TEST(Compare, SeedsThatDifferMoreThanMethodsMakeNoClaim) {
  // Each pair of one seed alone is clear; over the seeds it is chance who is ahead.
  std::vector<ResultRecord> records;
  const std::vector<double> a = {0.60, 0.66, 0.63}, b = {0.64, 0.59, 0.62};
  for (std::uint64_t s = 0; s < 3; ++s) {
    records.push_back(made("signet", 12, s + 1, noisy(b[s], s + 1)));
    records.push_back(made("dsh", 12, s + 1, noisy(a[s], s + 11)));
  }
  EXPECT_TRUE(compare_rows({&records[3]}, {&records[2]}, {2000, 0.95, 1}).significant);
  const Comparison c = compare_results(records, {}, quick());
  const ComparedDifference& d = row_of(c, "dsh").difference;
  EXPECT_EQ(d.verdict, Verdict::kNotShown);
  EXPECT_FALSE(d.these_trainings_alone);
  // Both sides together have 4 degrees of freedom; dsh's own variance is above theirs. Queries add a little.
  const double error = std::sqrt((0.0009 + (0.0009 + 0.000633) / 2) / 3);
  EXPECT_NEAR(d.high - d.low, 2 * 2.776 * error, 0.004);
}

TEST(Compare, AMethodWithOneSeedIsHeldToWhatTheSeedsOfOthersDiffer) {
  const std::vector<double> seeds = {0.60, 0.66, 0.63};  // s^2 = 0.0009, 2 degrees of freedom
  std::vector<ResultRecord> records = {made("one", 12, 1, noisy(0.70, 20))};
  records[0].plan = "another";
  for (std::uint64_t s = 0; s < 3; ++s) records.push_back(made("signet", 12, s + 1, noisy(seeds[s], s + 1)));
  const ComparedDifference few = row_of(compare_results(records, {}, quick()), "one").difference;
  EXPECT_TRUE(few.these_trainings_alone);  // by two degrees of freedom nothing is said of others
  EXPECT_LT(few.high - few.mean, 0.02);
  // More methods with seeds know more of how trainings differ: 8 degrees of freedom, and 4 comparisons.
  for (const char* method : {"two", "three", "four"})
    for (std::uint64_t s = 0; s < 3; ++s) records.push_back(made(method, 12, s + 1, noisy(seeds[s], s + 1)));
  const ComparedDifference many = row_of(compare_results(records, {}, quick()), "one").difference;
  EXPECT_FALSE(many.these_trainings_alone);
  EXPECT_EQ(many.verdict, Verdict::kNotShown);
  EXPECT_NEAR(many.high - many.mean, 3.206 * std::sqrt(0.0009 * (1.0 / 3 + 1)), 0.006);  // t of 8 above which 0.05 / 8 lie
  // One whose own trainings differ more is judged by these.
  for (std::uint64_t s = 0; s < 3; ++s)
    records.push_back(made("wild", 12, s + 1, noisy(0.5 + 0.1 * static_cast<double>(s), s + 1)));
  const ComparedDifference wild = row_of(compare_results(records, {}, quick()), "wild").difference;
  EXPECT_GT(wild.high - wild.mean, 2.5 * std::sqrt(0.01 / 3));
}

TEST(Compare, WithoutASecondSeedTheTrainingsAloneAreSpokenOf) {
  std::vector<ResultRecord> records = {made("signet", 12, 1, noisy(0.60, 1)), made("dsh", 12, 1, noisy(0.64, 2))};
  const Comparison alone = compare_results(records, {}, quick());
  EXPECT_TRUE(row_of(alone, "dsh").difference.these_trainings_alone);
  EXPECT_TRUE(has(alone.sections[0].sentences[0], "Too few trainings were repeated with other seeds: all this is said of these"));
  EXPECT_TRUE(has(compare_json(alone), "\"these_trainings_alone\": true"));
  EXPECT_TRUE(has(compare_html(alone), "; these trainings alone"));
  for (std::uint64_t s = 2; s <= 3; ++s)
    for (const char* method : {"signet", "dsh"})
      records.push_back(made(method, 12, s, noisy(0.6 + 0.001 * static_cast<double>(s), s)));
  const Comparison three = compare_results(records, {}, quick());
  EXPECT_FALSE(has(three.sections[0].sentences[0], "Too few"));
  EXPECT_FALSE(has(compare_html(three), "; these trainings alone"));
}

TEST(Compare, SeedsWithTheirOwnQueriesArePairedSeedBySeed) {
  std::vector<ResultRecord> records;
  for (std::uint64_t s = 1; s <= 3; ++s) {
    records.push_back(made("signet", 12, s, noisy(0.60, s), concat("draw", s)));
    records.push_back(made("dsh", 12, s, noisy(0.63, s + 10), concat("draw", s)));
  }
  EXPECT_EQ(row_of(compare_results(records, {}, quick()), "dsh").difference.verdict, Verdict::kBetter);
  // Three rows with differences of 0.03, 0.03 and -0.02: s = 0.02887, and 3 * 2 / (1 + 2 / 4) = 4 degrees of freedom.
  std::vector<ResultRecord> apart = records;
  apart[5] = made("dsh", 12, 3, noisy(0.58, 13), "draw3");
  for (const char* method : {"twin", "third"})
    for (std::uint64_t s = 0; s < 3; ++s) {
      apart.push_back(apart[2 * s + 1]);
      apart.back().method = method, apart.back().name = concat(method, s);
    }
  const ComparedDifference seeds = row_of(compare_results(apart, {}, quick()), "dsh").difference;
  EXPECT_EQ(seeds.verdict, Verdict::kNotShown);
  EXPECT_NEAR(seeds.high - seeds.mean, 3.96079 * 0.028868 / std::sqrt(3.0), 1e-4);  // Student's t, 0.05 / 6 above
  for (ResultRecord& r : records)
    if (r.method == "dsh") r.query_set = "other" + r.query_set;
  const Comparison c = compare_results(records, {}, quick());
  EXPECT_EQ(row_of(c, "dsh").difference.verdict, Verdict::kNotCompared);
  EXPECT_TRUE(
      has(row_of(c, "dsh").difference.why_not, "dsh and signet were measured on different queries (seeds 1, 2, 3 and 1, 2, 3)"));
  EXPECT_FALSE(has(compare_html(c), "better</b>"));
  EXPECT_TRUE(has(c.sections[0].sentences[0], "Whether that is more than chance cannot be said"));
  EXPECT_TRUE(
      has(message(ErrorCode::kMismatch, [&] { compare_rows({&records[0]}, {&records[1]}, {}); }), "nothing can be paired"));
}

TEST(Compare, WithoutValuesByQueryNothingIsClaimed) {
  const Comparison c =
      compare_results({made("signet", 12, 1, noisy(0.6, 1)), made("old", 12, 1, noisy(0.9, 2), "")}, {}, quick());
  EXPECT_EQ(row_of(c, "old").difference.verdict, Verdict::kNotCompared);
  EXPECT_TRUE(has(row_of(c, "old").difference.why_not, "no values by query in the records of old"));
}

TEST(Compare, NumbersOfTwoProtocolsNeverMeet) {
  std::vector<ResultRecord> records;
  const auto add = [&](double map, const std::function<void(ResultRecord&)>& change) {
    for (const char* method : {"signet", "dsh"}) {
      records.push_back(made(method, 12, 1, std::vector<double>(50, map)));
      change(records.back());
      records.back().name += concat(map);
    }
  };
  add(0.1111, [](ResultRecord&) {});
  add(0.2222, [](ResultRecord& r) { r.protocol = "cifar10-full"; });
  add(0.3333, [](ResultRecord& r) { r.cutoff = 1000; });
  add(0.4444, [](ResultRecord& r) { r.dataset = "another copy"; });
  add(0.5555, [](ResultRecord& r) { r.pictures = "JPEG"; });
  add(0.6666, [](ResultRecord& r) { r.protocol_rules = "ties: by position"; });
  const std::vector<PublishedRow> published = {{"A", "2015", "cifar10-full", "", {{12, 0.7777}}, 1, {}}};
  const Comparison c = compare_results(records, published, quick());
  ASSERT_EQ(c.sections.size(), 6u);
  const std::string page = compare_html(c);
  const nlohmann::json json = nlohmann::json::parse(compare_json(c));
  for (std::size_t s = 0; s < 6; ++s) {
    const std::string part = part_between(page, concat("aria-labelledby=\"s", s, "\""), "</section>"),
                      own = json["sections"][s].dump();
    int in_page = 0, in_json = 0;
    for (const char* number : {"0.1111", "0.2222", "0.3333", "0.4444", "0.5555", "0.6666"}) {
      in_page += has(part, number) ? 1 : 0;
      in_json += has(own, number) ? 1 : 0;
    }
    EXPECT_EQ(in_page, 1) << part;
    EXPECT_EQ(in_json, 1) << own;
    EXPECT_EQ(has(part, "0.778"), c.sections[s].first().protocol == "cifar10-full");
  }
  EXPECT_EQ(c.sections[0].comparisons, 1u);
}

TEST(Compare, PublishedNumbersStandInColumnsOfTheirOwn) {
  const std::vector<ResultRecord> records = {made("signet", 12, 1, noisy(0.6, 1)), made("ksh-gist", 12, 1, noisy(0.3, 2))};
  const std::vector<PublishedRow> published = {
      {"KSH", "Lai 2015", "cifar10-heldout", "GIST", {{12, 0.303}, {48, 0.356}}, 0, {"ksh-gist"}},
      {"DPSH", "Li 2016", "cifar10-heldout", "", {{12, 0.713}}, 1, {}},
      {"X", "2016", "elsewhere", "", {{12, 0.9}}, -1, {"signet"}}};
  const Comparison c = compare_results(records, published, quick());
  ASSERT_NE(row_of(c, "ksh-gist").published, nullptr);
  EXPECT_EQ(row_of(c, "ksh-gist").published->method, "KSH");
  EXPECT_EQ(row_of(c, "signet").published, nullptr);
  ASSERT_EQ(c.elsewhere.size(), 1u);
  EXPECT_EQ(c.elsewhere[0].row->method, "X");
  const std::string page = compare_html(c);
  EXPECT_EQ(count(page, ">0.303<"), 1u);  // beside ours, not once more by itself
  EXPECT_EQ(count(page, ">0.356<"), 1u);
  EXPECT_TRUE(has(
      page,
      "0.713</td><td data-value=\"DPSH\">DPSH<small>Li 2016</small></td><td data-value=\"cifar10-heldout\">cifar10-heldout</td>"
      "<td data-value=\"yes\">yes</td>"))
      << page;
  EXPECT_GT(page.find("0.900"), page.find("without a record here"));
}

TEST(Compare, MeanAndSpreadAndPlansOfOneName) {
  std::vector<ResultRecord> records = {made("signet", 12, 1, std::vector<double>(9, 0.80)),
                                       made("signet", 12, 2, std::vector<double>(9, 0.82)),
                                       made("signet", 12, 1, std::vector<double>(9, 0.5))};
  records[2].plan = "loss", records[2].name = "third";
  const Comparison c = compare_results(records, {}, quick());
  ASSERT_EQ(c.sections[0].rows.size(), 2u);
  EXPECT_EQ(c.sections[0].rows[0].name, "signet (plan)");
  EXPECT_EQ(c.sections[0].rows[1].name, "signet (loss)");
  EXPECT_NEAR(c.sections[0].rows[0].map.mean, 0.81, 1e-9);
  EXPECT_NEAR(c.sections[0].rows[0].map.deviation, 0.0141421, 1e-6);
  EXPECT_TRUE(has(compare_html(c), "0.8100 ± 0.0141"));
}

TEST(Compare, EachPlanIsJudgedByItsOwnReferenceAndTheSentencesSayWhich) {
  std::vector<ResultRecord> records = {made("signet", 12, 1, noisy(0.80, 1)), made("signet", 12, 1, noisy(0.60, 2)),
                                       made("dsh", 12, 1, noisy(0.65, 3)), made("itq-gist", 12, 1, noisy(0.30, 4))};
  records[0].plan = "headline", records[0].image_passes = 900'000, records[0].name = "h";
  records[1].plan = records[2].plan = "deep", records[1].image_passes = records[2].image_passes = 100'000;
  records[3].plan = "shallow";
  const Comparison c = compare_results(records, {}, quick());
  const std::vector<ComparedRow>& rows = c.sections[0].rows;
  EXPECT_EQ(row_of(c, "dsh").difference.verdict, Verdict::kBetter);
  EXPECT_EQ(rows[row_of(c, "dsh").difference.against].name, "signet (deep)");
  EXPECT_EQ(rows[row_of(c, "itq-gist").difference.against].name, "signet (deep)");  // the one that saw fewer images
  ASSERT_EQ(c.sections[0].sentences.size(), 1u);                                    // nothing is set beside the headline
  const std::string& said = c.sections[0].sentences[0];
  EXPECT_TRUE(has(said, "At 12 bits signet (deep) does not win: dsh")) << said;
  EXPECT_TRUE(has(said, "signet (deep) is better than itq-gist.")) << said;
  const std::string page = compare_html(c);
  EXPECT_EQ(count(page, "; against signet (deep)"), 2u);
  EXPECT_TRUE(has(compare_json(c), "\"against\": \"signet (deep)\""));
  records.push_back(made("dpn", 12, 1, noisy(0.70, 5)));
  records.back().plan = "headline";
  const Comparison two = compare_results(records, {}, quick());
  ASSERT_EQ(two.sections[0].sentences.size(), 2u);
  EXPECT_TRUE(has(two.sections[0].sentences[0], "signet (headline) has the highest mAP of what is compared with it, 0.8"))
      << two.sections[0].sentences[0];
  EXPECT_TRUE(has(two.sections[0].sentences[0], "signet (headline) is better than dpn.")) << two.sections[0].sentences[0];
}

TEST(Compare, WithoutTheReferenceNothingIsTested) {
  const Comparison c = compare_results({made("a", 12, 1, noisy(0.6, 1)), made("b", 12, 1, noisy(0.9, 2))}, {}, quick());
  EXPECT_EQ(c.sections[0].comparisons, 0u);
  EXPECT_TRUE(has(c.sections[0].sentences.back(), "no record of signet"));
  CompareOptions options = quick();
  options.against = "a";
  const Comparison other = compare_results({made("a", 12, 1, noisy(0.6, 1)), made("b", 12, 1, noisy(0.9, 2))}, {}, options);
  EXPECT_EQ(row_of(other, "b").difference.verdict, Verdict::kBetter);
}

TEST(Compare, TheOrderOfRecordsMakesNoDifference) {
  std::vector<ResultRecord> records;
  for (const char* method : {"signet", "dsh", "itq-gist"})
    for (const std::uint32_t bits : {12u, 48u})
      for (const std::uint64_t seed : {1u, 2u}) records.push_back(made(method, bits, seed, noisy(0.6, seed * bits)));
  const std::string page = compare_html(compare_results(records, {}, quick())),
                    json = compare_json(compare_results(records, {}, quick()));
  std::reverse(records.begin(), records.end());
  EXPECT_EQ(compare_html(compare_results(records, {}, quick())), page);
  EXPECT_EQ(compare_json(compare_results(records, {}, quick())), json);
}

TEST(Compare, TextOfRecordsIsNeverMarkup) {
  std::vector<ResultRecord> records = {made("<script>alert(1)</script>", 12, 1, noisy(0.6, 1)),
                                       made("signet", 12, 1, noisy(0.5, 1))};
  const std::string bad = "\"><img src=x onerror=alert(2)>";
  ResultRecord& r = records[0];
  r.remark = r.dataset = r.pictures = r.protocol = r.protocol_remark = r.protocol_split = r.cpu = r.version = r.plan = r.name =
      bad;
  r.notes = {bad};
  r.search_cost = {{bad, 0, 3.0}, {bad, 1, 4.0}};
  r.by_radius = {{0, 1, 0.5, 0.1}, {1, 2, 0.4, 0.5}};
  r.precision_recall = {{0.1, 0.5}, {0.5, 0.4}};
  r.examples = {{{bad, bad, 0, false}, {{bad, bad, 1, true}}}};
  const std::vector<PublishedRow> published = {{bad, bad, bad, bad, {{12, 0.5}}, -1, {}},
                                               {bad, bad, "elsewhere", bad, {{12, 0.5}}, -1, {}}};
  const std::string page = compare_html(compare_results(records, published, quick()));
  EXPECT_EQ(count(page, "<script"), 1u);  // the page's own
  EXPECT_FALSE(has(page, "<img"));
  EXPECT_TRUE(has(page, "&lt;script&gt;alert(1)"));
  EXPECT_TRUE(has(page, "script-src 'sha256-"));
  EXPECT_FALSE(has(page, "http://"));
  EXPECT_FALSE(has(page, "https://"));
}

TEST(Compare, WhatCannotBeComparedIsRefused) {
  EXPECT_TRUE(has(message(ErrorCode::kInvalidArgument, [] { compare_results({}, {}, {}); }), "no record"));
  const ResultRecord one = made("signet", 12, 1, noisy(0.6, 1));
  ResultRecord same = one;
  same.name = "copy.json";
  EXPECT_TRUE(has(message(ErrorCode::kInvalidArgument,
                          [&] {
                            compare_results({one, same}, {}, {});
                          }),
                  "copy.json and signet-12-1.json are records of one run"));
  EXPECT_TRUE(has(message(ErrorCode::kInvalidArgument,
                          [&] {
                            compare_results({one, one}, {}, {});
                          }),
                  "signet-12-1.json is given twice"));
  CompareOptions options;
  options.protocol = "mnist-full";
  EXPECT_TRUE(has(message(ErrorCode::kNotFound, [&] { compare_results({one}, {}, options); }),
                  "\"mnist-full\"; these are: cifar10-heldout"));
}

TEST(Compare, FiguresAndExamplesComeFromTheRecords) {
  std::vector<ResultRecord> records = {made("signet", 12, 1, noisy(0.6, 1)), made("dsh", 12, 1, noisy(0.6, 2)),
                                       made("dsh", 48, 1, noisy(0.7, 2))};
  for (ResultRecord& r : records) {
    r.precision_recall = {{0.1, 0.9}, {1, 0.1}}, r.precision_at_n = {{1, 0.9}, {100, 0.5}};
    r.by_radius = {{0, 1, 0.9, 0.1}, {1, 9, 0.5, 0.6}};
    r.search_cost = {{"flat", 0, 20}, {"flat", 1, 21}, {"table", 0, 2}, {"table", 1, 9}};
    r.examples = {{{"q", "cat", 0, false}, {{"h", "dog", 3, false}, {"q2", "cat", 4, true}}}};
  }
  records[2].train_seconds = 5e-324;  // no axis begins there
  records[2].search_cost.push_back({"mih", 1, 5e-324});
  const ExamplePictures pictures = {{records[1].name, {{"q", "iVBORw0KGgo="}}}};
  const std::string page = compare_html(compare_results(records, {}, quick()), pictures);
  for (const char* title : {"mAP against code length", "mAP against training time", "Precision against recall, 12 bits",
                            "Precision among the n nearest, 48 bits", "Precision against time of search, 12 bits",
                            "Recall against time of search, 48 bits", "Recall against time by index, signet, 12 bits"})
    EXPECT_EQ(count(page, concat("<b>", title, "</b>")), 1u) << title;
  EXPECT_EQ(count(page, "src=\"data:image/png;base64,iVBORw0KGgo=\""), 1u);  // one query for both methods
  EXPECT_EQ(count(page, "<dt>"), 2u);
  EXPECT_TRUE(has(page, "aria-label=\"dog, distance 3, wrong\""));
}

TEST(Compare, AxesOfTimeHaveTicksHoweverShortTheyAre) {
  for (const double last : {15.0, 90.0, 900.0, 90'000.0}) {
    eval::LineChart chart;
    chart.id = "c", chart.log_x = true;
    chart.series = {{"a", {{14, 0.1}, {last, 0.2}}, {}, true, 0}};
    EXPECT_GE(count(eval::line_chart(chart), "class=\"mid\""), 2u) << last;
  }
}

TEST(Compare, MoreMethodsThanColoursStillDiffer) {
  std::vector<ResultRecord> records;
  for (std::uint64_t i = 0; i < 14; ++i)
    records.push_back(made(i == 0 ? "signet" : concat("m", i), 12, 1, noisy(0.3 + 0.01 * static_cast<double>(i), i)));
  for (ResultRecord& r : records) r.precision_recall = {{0.1, 0.9}, {1, 0.1}};
  const std::string page = compare_html(compare_results(records, {}, quick()));
  const std::string chart = part_between(page, "<b>Precision against recall, 12 bits</b>", "</figure>");
  for (const char* style : {"line s0\"", "line s5\"", "line s0 alt\"", "line s5 alt\""})
    EXPECT_EQ(count(chart, style), 2u) << style;  // and its legend
  EXPECT_TRUE(has(chart, ">signet<"));            // the last of all, and the reference
  EXPECT_TRUE(has(page, "Drawn are the 12 methods with the highest mAP; the tables have all 14."));
}

TEST(Compare, PicturesArePngAndSmall) {
  const std::string png = "iVBORw0KGgoAAAAN";
  EXPECT_EQ(parse_pictures(R"({"pictures": {"a": ")" + png + "\"}}", "x.pictures").at("a"), png);
  for (const std::string& text : {std::string("{"), std::string("[]"), std::string(R"({"pictures": {"a": 3}})"),
                                  std::string(R"({"pictures": {"a": "PHN2Zz4="}})"), R"({"pictures": {"a": ")" + png + "\\\"\"}}",
                                  R"({"pictures": {"a": ")" + png + std::string(40'000, 'A') + "\"}}"})
    EXPECT_TRUE(has(message(ErrorCode::kCorrupt, [&] { parse_pictures(text, "x.pictures"); }), "x.pictures"))
        << text.substr(0, 60);
}

}  // namespace
}  // namespace signet
