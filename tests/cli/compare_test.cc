#include <cmath>
#include <filesystem>

#include "tests/cli/run_signet.h"

// signet compare on records made here: what it prints and writes, and what it refuses.
namespace signet::cli_test {
namespace {

class CompareTest : public CliTest {
 protected:
  // AP of 200 queries as they are in a file: 16-bit numbers, a little apart, the same for all methods but for a shift.
  std::string record(const std::string& name, const std::string& method, std::uint64_t seed, double shift,
                     const nlohmann::json& more = {}) const {
    std::string bytes;
    double mean = 0;
    for (int i = 0; i < 200; ++i) {
      const auto level = static_cast<unsigned>((0.3 + 0.002 * (i % 50) + shift) * 65535);
      bytes += static_cast<char>(level & 255);
      bytes += static_cast<char>(level >> 8);
      mean += level / 65535.0 / 200;
    }
    nlohmann::json j = {{"method", method},
                        {"protocol", "heldout"},
                        {"dataset", "shapes"},
                        {"plan", "made"},
                        {"bits", 12},
                        {"seed", seed},
                        {"map", mean},
                        {"map_optimistic", mean},
                        {"map_pessimistic", mean},
                        {"precision_at_radius_2", 0.5},
                        {"train_seconds", 60},
                        {"image_passes", 1000},
                        {"version", "1"},
                        {"record_version", 2},
                        {"query_set", "all"},
                        {"query_ap", {{"count", 200}, {"step", 1}, {"values", base64(bytes)}}}};
    if (more.is_object()) j.update(more);
    testdata::write(path(name), j.dump());
    return path(name);
  }
  static std::string base64(const std::string& bytes) {
    const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
      unsigned group = 0;
      for (std::size_t k = 0; k < 3; ++k)
        group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
      for (std::size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? digits[group >> (18 - 6 * k) & 63] : '=';
    }
    return text;
  }
};

TEST_F(CompareTest, TableJsonAndPageSayTheSame) {
  const Words records = {record("a1.json", "signet", 1, 0.2), record("a2.json", "signet", 2, 0.2),
                         record("b.json", "dsh", 1, 0.3)};
  Words words = {"compare", "--published", path("published.json"), "--html", path("page.html")};
  words.insert(words.end(), records.begin(), records.end());
  testdata::write(
      path("published.json"),
      R"([{"method": "DSH", "source": "2016", "protocol": "heldout", "imagenet": false, "ours": ["dsh"], "map": {"12": 0.616}}])");
  const std::string table = ok(words).out;
  EXPECT_NE(table.find("better"), std::string::npos) << table;
  EXPECT_NE(table.find("0.616"), std::string::npos) << table;
  EXPECT_NE(table.find("At 12 bits signet does not win: dsh has a mAP of 0.64"), std::string::npos) << table;
  const std::string page = slurp(path("page.html"));
  EXPECT_NE(page.find("signet does not win"), std::string::npos);
  words.push_back("--json");
  const nlohmann::json j = ok(words).json();
  EXPECT_EQ(j["sections"][0]["rows"][0]["method"], "dsh");
  EXPECT_EQ(j["sections"][0]["rows"][0]["difference"]["verdict"], "better");
  EXPECT_NEAR(j["sections"][0]["rows"][0]["difference"]["mean"].get<double>(), 0.1, 1e-4);
  EXPECT_EQ(j["sections"][0]["rows"][0]["published"]["imagenet"], false);
  EXPECT_EQ(j["sections"][0]["rows"][1]["seeds"], (std::vector<int>{1, 2}));
}

TEST_F(CompareTest, WhatCannotBeComparedIsOneSentence) {
  const std::string good = record("good.json", "signet", 1, 0.2);
  const auto refused = [&](const Words& words, int status, const Words& parts) {
    Words all = {"compare"};
    all.insert(all.end(), words.begin(), words.end());
    expect_error(all, status, parts);
  };
  refused({}, 2, {"RECORD", "docs/results/records/*.json"});
  refused({path("gone.json")}, 3, {"gone.json"});
  refused({path("")}, 3, {"is a folder", "*.json"});
  testdata::write(path("cut.json"), slurp(good).substr(0, 100));
  refused({path("cut.json")}, 3, {"cut.json", "no record"});
  testdata::write(path("empty.json"), "");
  refused({path("empty.json")}, 3, {"empty.json", "no record of signet reproduce: it is no JSON; a .json file that it wrote"});
  testdata::write(path("codes.json"), R"({"bits": 12})");
  refused({path("codes.json")}, 3, {"codes.json", "no record of signet reproduce: \"method\" is missing;"});
  refused({record("new.json", "dsh", 1, 0, {{"record_version", 9}})}, 3, {"new.json", "version 9", "newer signet"});
  refused({good, record("copy.json", "signet", 1, 0.1)}, 3, {"good.json", "copy.json", "one run", "seed 1"});
  refused({good, good}, 3, {"good.json is given twice"});
  refused({good, "--protocol", "mnist-full"}, 3, {"mnist-full", "these are: heldout"});
  refused({good, "--against", "foo"}, 3, {"--against \"foo\"", "these are: signet"});
  refused({good, "--published", path("gone.json")}, 3, {"gone.json"});
  refused({good, "--rounds", "3"}, 2, {"--rounds"});
  Words many = {"--rounds", "10000000"};
  for (int i = 0; i < 60; ++i)
    many.push_back(record("many" + std::to_string(i) + ".json", "signet", 100 + static_cast<std::uint64_t>(i), 0.1));
  refused(many, 3, {"--rounds 10000000", "60 records", "8947848 rounds"});
  testdata::write(path("huge.json"), std::string(9 << 20, ' '));
  refused({path("huge.json")}, 3, {"huge.json", "8388608"});
  testdata::write(path("good.pictures"), R"({"pictures": {"q": "PHN2Zz4="}})");
  refused({good, "--html", path("page.html")}, 3, {"good.pictures", "PNG"});
  EXPECT_FALSE(std::filesystem::exists(path("page.html")));
}

TEST_F(CompareTest, NamesInRecordsCannotCommandTheTerminalOrThePage) {
  const std::string bad = "<script>alert(1)</script>\x1b[2J";
  const Outcome outcome =
      ok({"compare", record("a.json", bad, 1, 0.1), record("b.json", "signet", 1, 0.1), "--html", path("page.html")});
  EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(slurp(path("page.html")).find("<script>alert"), std::string::npos);
}

}  // namespace
}  // namespace signet::cli_test
