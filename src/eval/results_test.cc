#include "signet/eval/results.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "eval/compare_records.h"
#include "signet/base/error.h"

namespace signet {
namespace {

using compared::count;
using compared::has;
using nlohmann::json;

ResultRecord record(const std::string& method, std::uint32_t bits, std::uint64_t seed, double map,
                    const std::string& protocol = "cifar10-heldout") {
  ResultRecord r;
  r.name = method + std::to_string(bits) + std::to_string(seed) + protocol;
  r.plan = "plan", r.plan_title = "A plan", r.plan_text = "About it.", r.method = method, r.protocol = protocol;
  r.protocol_split = "split", r.protocol_remark = "Remark.", r.dataset = "made up", r.pictures = "as published",
  r.cpu = "some CPU";
  r.version = "1", r.bits = r.network_bits = bits, r.seed = seed, r.threads = 2;
  r.map = map, r.map_optimistic = map + 0.01, r.map_pessimistic = map - 0.01, r.class_id_map = 0.5, r.float_map = 0.9;
  r.train_seconds = 120, r.image_passes = 12'000, r.pflop = 0.24, r.images_per_second = 100;
  r.validation = {{"joint", 6'000, 60, 0.5, 0.6}, {"joint", 12'000, 120, 0.6, 0.8}};
  return r;
}

constexpr const char* kLeast =
    R"({"method": "Other", "protocol": "full", "bits": 12, "seed": 1, "map": 0.5, "map_optimistic": 0.6, "map_pessimistic": 0.4,
        "precision_at_radius_2": 0.3, "train_seconds": 60, "image_passes": 100, "version": "2", "command": "other"})";

TEST(Results, MeanAndSpreadOverSeedsByMethodAndLength) {
  const std::vector<ResultRecord> records = {record("signet", 12, 1, 0.80), record("signet", 12, 2, 0.82),
                                             record("signet", 48, 1, 0.9)};
  const std::string page = results_pages(records, {}).markdown;
  EXPECT_TRUE(has(page, "| signet | 0.8100 ± 0.0141 | 0.9000 |")) << page;
  EXPECT_TRUE(has(page, "| class number | 0.5000 ± 0.0000 | 0.5000 |")) << page;
  EXPECT_TRUE(has(page, "| signet, 12 | 1, 2 | 0.8100 ± 0.0141 | 0.8000 to 0.8200 |")) << page;
  EXPECT_TRUE(has(page, "| 12,000 | 2.0 | 100 | 2,000 | 0.240 |")) << page;  // 0.24e15 operations in 120 s
}

TEST(Results, PagesElsewhereLinkNoDocumentsThatAreNotThere) {
  EXPECT_TRUE(has(results_pages({record("signet", 12, 1, 0.80)}, {}).markdown, "[protocols.md](../protocols.md)"));
  const std::string elsewhere = results_pages({record("signet", 12, 1, 0.80)}, {}, false).markdown;
  EXPECT_FALSE(has(elsewhere, "](../")) << elsewhere;
  EXPECT_TRUE(has(elsewhere, "docs/protocols.md"));
}

TEST(Results, ProtocolsAndDataSetsNeverShareATable) {
  std::vector<ResultRecord> records = {record("signet", 12, 1, 0.80), record("signet", 12, 1, 0.95, "cifar10-full"),
                                       record("signet", 12, 2, 0.70)};
  records.back().dataset = "another copy";
  const std::string page = results_pages(records, {}).markdown;
  EXPECT_EQ(count(page, "\n### "), 3u);
  EXPECT_FALSE(has(page, " ± 0."));  // nothing was averaged across them
}

TEST(Results, TheHeadNamesWhatOthersPrintedWithoutImageNet) {
  std::vector<ResultRecord> records = {record("signet", 12, 1, 0.80), record("signet", 12, 1, 0.90, "cifar10-full")};
  for (ResultRecord& r : records) r.headline = true;
  const std::vector<PublishedRow> published = {{"A", "2014", "cifar10-heldout", "", {{12, 0.6}, {48, 0.7}}, -1, {}},
                                               {"B", "2015", "cifar10-heldout", "", {{12, 0.74}}, 0, {}},
                                               {"C", "2016", "cifar10-heldout", "", {{12, 0.9}}, 1, {}}};
  const std::string page = results_pages(records, published).markdown;
  EXPECT_TRUE(has(page, "| published, 12 bits, without those said to be from ImageNet weights |")) << page;
  EXPECT_TRUE(has(page, "| 0.8000 | 0.5000 | 0.9000 | 1 | 0.740 (B, no ImageNet) |")) << page;
  EXPECT_TRUE(has(page, "| 0.9000 | 0.5000 | 0.9000 | 1 | – |")) << page;
  EXPECT_TRUE(has(results_pages(records, {published[0]}).markdown, "| 0.600 (A, weights not stated) |"));
}

TEST(Results, WhatACodeCostsToKeepAndToAsk) {
  std::vector<ResultRecord> records = {record("signet", 12, 1, 0.80), record("signet", 12, 2, 0.70),
                                       record("signet", 12, 3, 0.70)};
  records[0].search_cost = {{"flat", 2, 30}, {"table", 2, 500}, {"table", 0, 1}};  // beside other work
  records[1].search_cost = {{"flat", 2, 30}, {"table", 2, 5}};
  records[2].search_cost = {{"flat", 2, 30}, {"table", 2, 3}};
  EXPECT_TRUE(has(results_pages(records, {}).markdown, "| 2 | 5.0 (table) |"));
  for (ResultRecord& r : records) r.search_cost.clear();
  EXPECT_TRUE(has(results_pages(records, {}).markdown, "| 2 | – |"));
}

TEST(Results, RealNumbersThatAreNoFeaturesSaySo) {
  std::vector<ResultRecord> records = {record("itq-gist", 12, 1, 0.80)};
  records[0].float_of = "outputs";
  EXPECT_TRUE(has(results_pages(records, {}).markdown, "| 0.9000 (outputs) |"));
  records[0].float_of = "features";
  EXPECT_FALSE(has(results_pages(records, {}).markdown, "0.9000 (outputs)"));
}

TEST(Results, NumbersOfOtherMeaningNeverShareATable) {
  const auto tables = [](auto change) {
    std::vector<ResultRecord> records = {record("signet", 12, 1, 0.80), record("signet", 12, 2, 0.70)};
    change(records.back());
    return count(results_pages(records, {}).markdown, "\n### ");
  };
  EXPECT_EQ(tables([](ResultRecord&) {}), 1u);
  EXPECT_EQ(tables([](ResultRecord& r) { r.cutoff = 1000; }), 2u);
  EXPECT_EQ(tables([](ResultRecord& r) { r.protocol_rules = "other ties"; }), 2u);
  EXPECT_EQ(tables([](ResultRecord& r) { r.pictures = "pictures are JPEG files"; }), 2u);
}

// A logarithmic axis has no place for them, and records may say anything.
TEST(Results, PlacesBelowTheFirstAreNotDrawn) {
  ResultRecord r = record("signet", 12, 1, 0.80);
  r.precision_at_n = {{0, 0.5}, {-3, 0.5}, {10, 0.4}, {100, 0.3}};
  const std::string page = results_pages({r}, {}).html;
  EXPECT_TRUE(has(page, "Precision among the n nearest"));
  EXPECT_FALSE(has(page, ",nan"));
  EXPECT_FALSE(has(page, "inf,"));
}

TEST(Results, HeadlinesStandFirstAndEverySectionIsLinked) {
  std::vector<ResultRecord> records = {record("signet", 12, 1, 0.80), record("signet", 12, 1, 0.70),
                                       record("signet", 12, 2, 0.72), record("signet", 48, 1, 0.75),
                                       record("signet-other", 12, 1, 0.99)};
  EXPECT_FALSE(has(results_pages(records, {}).markdown, "At a glance"));
  for (std::size_t i = 1; i < records.size(); ++i)
    records[i].headline = true, records[i].plan = "z", records[i].plan_title = "Z's <numbers>, first";
  records[3].float_map = 0.95;
  const ResultPages pages = results_pages(records, {});
  EXPECT_TRUE(has(pages.markdown, "## At a glance")) << pages.markdown;
  EXPECT_TRUE(has(pages.markdown, "| protocol, row | 12 bits | 48 bits | class number | float features | seeds |"))
      << pages.markdown;
  EXPECT_TRUE(has(pages.markdown, "| cifar10-heldout | 0.7100 ± 0.0141 | 0.7500 | 0.5000 ± 0.0000 | 0.9000 ± 0.0000 | 1, 2 |"))
      << pages.markdown;
  EXPECT_TRUE(has(pages.markdown, "| cifar10-heldout, signet-other | 0.9900 | – |")) << pages.markdown;
  EXPECT_TRUE(has(pages.markdown, "* [Z's <numbers>, first](#zs-numbers-first)\n* [A plan](#a-plan)\n"));
  EXPECT_LT(pages.markdown.find("## Z's"), pages.markdown.find("## A plan"));
  EXPECT_TRUE(has(pages.html, "<a href=\"#zs-numbers-first\">Z&#39;s &lt;numbers&gt;, first</a>")) << pages.html;
  EXPECT_TRUE(has(pages.html, "<section id=\"zs-numbers-first\">"));
}

TEST(Results, RowsAreInTheOrderOfTheNumbersInTheirNames) {
  const std::vector<ResultRecord> records = {record("signet-a12", 12, 1, 0.8), record("signet-a2", 12, 1, 0.8),
                                             record("signet-a2b10", 12, 1, 0.8), record("signet-a2b9", 12, 1, 0.8),
                                             record("signet", 12, 1, 0.8)};
  const std::string page = results_pages(records, {}).markdown;
  std::size_t before = 0;
  for (const char* name : {"| signet |", "| signet-a2 |", "| signet-a2b9 |", "| signet-a2b10 |", "| signet-a12 |"}) {
    const std::size_t here = page.find(name);
    ASSERT_NE(here, std::string::npos) << name;
    EXPECT_GT(here, before) << name;
    before = here;
  }
}

TEST(Results, PublishedRowsStandUnderTheirOwnProtocolAlone) {
  const std::vector<ResultRecord> records = {record("signet", 12, 1, 0.80), record("signet", 12, 1, 0.95, "cifar10-full")};
  const std::vector<PublishedRow> published = {{"A", "2015", "cifar10-heldout", "from scratch", {{12, 0.74}}},
                                               {"B", "2016", "cifar10-5k", "elsewhere", {{12, 0.55}, {48, 0.58}}}};
  const std::string page = results_pages(records, published).markdown;
  const std::size_t full = page.find("### cifar10-full"), heldout = page.find("### cifar10-heldout"),
                    other = page.find("## Other");
  ASSERT_LT(full, heldout);
  ASSERT_LT(heldout, other);
  EXPECT_GT(page.find("published: A, 2015 | 0.740 | from scratch"), heldout);
  EXPECT_EQ(count(page, "A, 2015"), 1u);
  EXPECT_GT(page.find("| B, 2016 | cifar10-5k | 12: 0.550, 48: 0.580 | elsewhere |"), other);
}

TEST(Results, GoalDegreesAndNestedLengthsAreShown) {
  std::vector<ResultRecord> records = {record("signet", 12, 1, 0.80)};
  records[0].network_bits = 48, records[0].goal = 0.74, records[0].ndcg_at_100 = 0.61, records[0].weighted_map = 0.42;
  const std::string page = results_pages(records, {}).markdown;
  EXPECT_TRUE(has(page, "signet, 12 of 48")) << page;
  EXPECT_TRUE(has(page, "| 0.6100 | 0.4200 |")) << page;
  EXPECT_TRUE(has(page, "min to validation mAP 0.74")) << page;
  EXPECT_TRUE(has(page, "| 2.0 |\n")) << page;  // reached at 120 s
}

TEST(Results, SeedsThatMissTheGoalAreCounted) {
  std::vector<ResultRecord> records = {record("signet", 12, 1, 0.80), record("signet", 12, 2, 0.81)};
  for (ResultRecord& r : records) r.goal = 0.74;
  EXPECT_TRUE(has(results_pages(records, {}).markdown, "| 2.0 ± 0.0 |\n"));
  records[1].validation.back().map = 0.73;
  EXPECT_TRUE(has(results_pages(records, {}).markdown, "| 2.0 (1 of 2 seeds) |\n"));
}

TEST(Results, PicturesThatLostSomethingAreNamedBesideEveryNumber) {
  std::vector<ResultRecord> records = {record("signet", 12, 1, 0.80)};
  EXPECT_FALSE(has(results_pages(records, {}).markdown, "JPEG"));
  records[0].pictures = "pictures are JPEG files (compressed with loss)";
  const ResultPages pages = results_pages(records, {});
  EXPECT_TRUE(has(pages.markdown, "\n### cifar10-heldout, from JPEG files\n"));
  EXPECT_EQ(count(pages.markdown, "; pictures are JPEG files"), 3u);  // both tables, and what the data are
  EXPECT_EQ(count(pages.html, "; pictures are JPEG files"), 3u);
}

TEST(Results, ValidationAndTrainingCurvesOfEveryLength) {
  std::vector<ResultRecord> records;
  for (const char* method : {"signet-a", "signet-b"})
    for (const std::uint32_t bits : {12u, 48u}) records.push_back(record(method, bits, 1, 0.8));
  for (ResultRecord& r : records) r.validation_map = 0.7654, r.validation[1].soft_loss = 0.5, r.validation[1].exact_loss = 0.625;
  const ResultPages pages = results_pages(records, {});
  EXPECT_EQ(count(pages.markdown, "| 0.7654 | 0.500, 0.625 |\n"), 4u) << pages.markdown;
  for (const char* bits : {", 12 bits</b>", ", 48 bits</b>"}) {
    EXPECT_TRUE(has(pages.html, std::string("<b>Validation mAP while training") + bits));
    EXPECT_TRUE(has(pages.html, std::string("<b>Loss of signs over loss of soft codes while training") + bits));
  }
  const std::vector<ResultRecord> alone = {records[0], records[1]};
  EXPECT_TRUE(has(results_pages(alone, {}).html, "<b>Validation mAP while training</b>"));  // both lengths in one
}

TEST(Results, NoMoreLinesThanTheEyeTellsApart) {
  std::vector<ResultRecord> records;
  for (int i = 0; i < 14; ++i) records.push_back(record("m" + std::to_string(10 + i), 12, 1, 0.5 + 0.01 * i));
  const std::string page = results_pages(records, {}).html;
  EXPECT_TRUE(has(page, "<b>Validation mAP while training, 12 bits (the 12 rows with the highest mAP)</b>"));
  EXPECT_TRUE(has(page, "<b>mAP by code length (the 12 methods with the highest mAP)</b>"));
  EXPECT_TRUE(has(page, "m12, 12 bits, seed 1"));
  EXPECT_FALSE(has(page, "m11, 12 bits, seed 1"));
  EXPECT_TRUE(has(page, "line s5 alt\""));
  EXPECT_TRUE(has(page, ".line.alt{"));
}

TEST(Results, ATableWithRivalsSaysWhoWins) {
  using compared::made, compared::noisy;
  std::vector<ResultRecord> records = {made("signet", 12, 1, noisy(0.60, 1)), made("dsh", 12, 1, noisy(0.64, 2))};
  for (const std::string& page : {results_pages(records, {}).markdown, results_pages(records, {}).html}) {
    EXPECT_TRUE(has(page, "At 12 bits signet does not win: dsh has a mAP of 0.64")) << page;
    EXPECT_EQ(count(page, "Who wins"), 1u);
  }
  records[1].method = "signet-nested";  // a variant of our own is no rival
  EXPECT_FALSE(has(results_pages(records, {}).markdown, "Who wins"));
  records[1].method = "dsh", records[0].method = "ksh";  // nobody to compare with
  EXPECT_FALSE(has(results_pages(records, {}).markdown, "Who wins"));
}

TEST(Results, TheOrderOfRecordsMakesNoDifference) {
  std::vector<ResultRecord> records = {record("signet", 12, 1, 0.80), record("signet-x", 12, 1, 0.7),
                                       record("signet", 12, 2, 0.82), record("signet", 48, 1, 0.9),
                                       record("signet", 12, 1, 0.9, "cifar10-full")};
  const std::string page = results_pages(records, {}).markdown, html = results_pages(records, {}).html;
  std::reverse(records.begin(), records.end());
  EXPECT_EQ(results_pages(records, {}).markdown, page);
  EXPECT_EQ(results_pages(records, {}).html, html);
}

TEST(Results, TextIsEscapedAndNothingIsAPageToo) {
  std::vector<ResultRecord> records = {record("signet", 12, 1, 0.80)};
  records[0].remark = "a|b <script>";
  EXPECT_TRUE(has(results_pages(records, {}).markdown, "a\\|b"));
  EXPECT_FALSE(has(results_pages(records, {}).html, "<script>"));
  EXPECT_TRUE(has(results_pages(records, {}).html, "<svg"));
  EXPECT_TRUE(has(results_pages({}, {}).markdown, "no records yet"));
}

TEST(Results, ARecordOfAnotherToolNeedsNoMoreThanItsNumberAndCost) {
  const ResultRecord r = parse_result(kLeast, "other.json");
  const std::string page = results_pages({r}, {}).markdown;
  EXPECT_TRUE(has(page, "| Other, 12 | 1 | 0.5000 | 0.4000 to 0.6000 | – | – | 0.3000 |")) << page;
  EXPECT_TRUE(has(page, "| 100 | 1.0 | – | – | – | – | – |")) << page;
}

TEST(Results, ARecordForComparisonsIsReadWhole) {
  const std::vector<double> ap = {0, 0.25, 1, 0.75};
  json j = json::parse(kLeast);
  j["map"] = 0.5;
  j["record_version"] = 2, j["query_set"] = "abc", j["run"] = "77", j["mean_bit_entropy"] = 0.9;
  j["query_ap"] = {{"encoding", "uint16-base64"}, {"count", 4}, {"step", 1}, {"values", pack_ap(ap)}};
  j["by_radius"] = json::parse(R"([{"radius": 2, "items": 5.5, "precision": 0.5, "recall": 0.25}])");
  j["search_cost"] = json::parse(R"([{"index": "mih", "radius": 2, "microseconds": 7.5}])");
  j["examples"] = json::parse(
      R"([{"query": {"key": "q", "label": "cat"}, "hits": [{"key": "h", "label": "dog", "distance": 3, "relevant": true}]}])");
  j["validation_map"] = 0.81;
  j["validation_curve"] = json::parse(R"([{"stage": "joint", "image_passes": 5, "seconds": 1, "soft_loss": 0.5}])");
  j["protocol_detail"] = {{"split", "s"}, {"remark", "r"}, {"cutoff", 100}, {"ties", "expected"}};
  const ResultRecord r = parse_result(j.dump(), "x.json");
  ASSERT_EQ(r.query_ap.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(r.query_ap[i], ap[i], 8e-6);
  EXPECT_EQ(r.query_set, "abc");
  EXPECT_EQ(r.cutoff, 100u);
  EXPECT_EQ(r.protocol_rules, "relevance: not stated; divisor: not stated; no_relevant: not stated; ties: expected");
  EXPECT_EQ(r.by_radius.at(0).items, 5.5);
  EXPECT_EQ(r.search_cost.at(0).microseconds, 7.5);
  EXPECT_EQ(r.examples.at(0).hits.at(0).distance, 3u);
  EXPECT_EQ(r.mean_bit_entropy, 0.9);
  EXPECT_EQ(r.validation_map, 0.81);
  EXPECT_EQ(r.validation.at(0).soft_loss, 0.5);
  EXPECT_EQ(r.validation.at(0).exact_loss, -1);
}

TEST(Results, ValuesOutsideTheirRangeAreRefusedByName) {
  const auto refused = [](const char* key, const json& value, const std::string& part, ErrorCode code = ErrorCode::kCorrupt) {
    json j = json::parse(kLeast);
    j[key] = value;
    try {
      parse_result(j.dump(), "some.json");
      ADD_FAILURE() << key << " " << value;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      EXPECT_TRUE(has(error.what(), "some.json") && has(error.what(), part)) << error.what();
    }
  };
  refused("record_version", 3, "version 3; this signet reads up to version 2", ErrorCode::kUnsupported);
  refused("record_version", "new", "record_version");
  refused("bits", -1, "\"bits\" is -1, not a whole number up to 4096");
  refused("bits", 0, "\"bits\" is 0");
  refused("bits", 1e300, "bits");
  refused("bits", 4097, "4097");
  refused("seed", 1.5, "seed");
  refused("map", 1.5, "\"map\" is 1.5, which is not between 0 and 1");
  refused("map", nullptr, "null");
  refused("float_map", -0.5, "float_map");
  refused("train_seconds", 1e300, "too large");
  refused("precision_at_n", json::parse("[[1]]"), "index");
  refused("bit_means", std::vector<int>(5000, 0), "\"bit_means\" is no list of at most 4096");
  refused("examples", json::parse(R"([{"query": {}}])"), "key");
  const auto ap = [](std::size_t count, const std::string& values) {
    return json{{"count", count}, {"step", 1}, {"values", values}};
  };
  const std::vector<double> two = {0.5, 0.5}, other = {0.5, 0.7};
  refused("query_ap", ap(3, pack_ap(two)), "holds 2 values, not the 3");
  refused("query_ap", ap(2, pack_ap(other)), "the mean of \"query_ap\" is 0.6");
  refused("query_ap", ap(2, "AA*="), "base64");
  refused("query_ap", ap(2, "AAA"), "base64");
  refused("query_ap", 7, "number");
}

TEST(Results, PackedPrecisionsComeBackWhole) {
  std::vector<double> ap;
  for (int i = 0; i <= 1000; ++i) ap.push_back(i / 1000.0);
  for (std::size_t n : {0u, 1u, 2u, 3u, 1001u}) {
    const std::vector<float> back = unpack_ap(pack_ap(std::span(ap).first(n)));
    ASSERT_EQ(back.size(), n);
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(back[i], ap[i], 7.7e-6);
  }
  EXPECT_EQ(pack_ap(std::vector<double>{-1, 2}), "AAD//w==");  // clamped
}

TEST(Results, WhatIsNoRecordIsNamed) {
  const auto message = [](auto parse, const std::string& text) {
    try {
      parse(text, "some.json");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_TRUE(has(message(parse_result, "{"), "some.json"));
  EXPECT_TRUE(has(message(parse_result, R"({"record_version":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}"),
                  "nest too deep"));
  EXPECT_TRUE(has(message(parse_result, "\x08\x07" + std::string(1000, '[')), "it is no JSON object"));
  EXPECT_TRUE(has(message(parse_result, R"({"method": "x"})"), "protocol"));
  EXPECT_TRUE(has(message(parse_published, R"([{"method": "A"}])"), "source"));
  EXPECT_TRUE(has(message(parse_published, R"([{"method": "A", "source": "", "protocol": "p", "map": {"x": 1}}])"), "\"x\""));
}

}  // namespace
}  // namespace signet
