#include <cmath>
#include <filesystem>
#include <set>

#include "signet/base/error.h"
#include "signet/code/code_set.h"
#include "signet/code/npy.h"
#include "signet/image/image.h"
#include "tests/cli/run_signet.h"

namespace signet::cli_test {
namespace {

class EvalTest : public CliTest {
 protected:
  void SetUp() override {
    write_random_model(path("model.onnx"), 12);
    testdata::make_idx_pair(path("data"), 60, 24, 3);
  }
  Words eval(const Words& more) const {
    Words words = {"eval", "--model", path("model.onnx"), "--data", path("data")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

TEST_F(EvalTest, JsonIsAnArrayWithOneEntryAProtocolAndTheKeysThatPeopleReadBy) {
  const auto one = ok(eval({"--protocol", "full", "--json"})).json();
  ASSERT_TRUE(one.is_array());
  ASSERT_EQ(one.size(), 1u);
  const auto both = ok(eval({"--protocol", "full", "--protocol", "heldout", "--json", "--seed", "5"})).json();
  ASSERT_EQ(both.size(), 2u);
  for (const char* key : {"protocol", "bits", "seed", "map", "map_optimistic", "map_pessimistic", "precision_at_radius_2",
                          "distinct_codes", "queries", "database", "class_id_map", "float_map"}) {
    EXPECT_TRUE(both[0].contains(key)) << key;
  }
  EXPECT_EQ(both[0]["protocol"], "full");
  EXPECT_EQ(both[0]["queries"], 24);
  EXPECT_EQ(both[0]["database"], 60);
  EXPECT_EQ(both[1]["protocol"], "heldout");
  EXPECT_EQ(both[1]["queries"], 24);
  EXPECT_EQ(both[1]["database"], 24);
  EXPECT_EQ(both[0]["seed"], 5);
  EXPECT_EQ(both[0]["bits"], 12);
  for (const auto& entry : both) {
    EXPECT_LE(entry["map_pessimistic"], entry["map"]);
    EXPECT_LE(entry["map"], entry["map_optimistic"]);
    EXPECT_GT(entry["map"], 1.0 / 3) << "better than chance, because pictures of one class look alike";
    EXPECT_GT(entry["float_map"], 1.0 / 3);
  }
}

// The same number from codes on disk as from the model: two ways in, one door to the metrics.
TEST_F(EvalTest, CodesGiveTheSameNumbersAsTheModel) {
  ok({"encode", "--model", path("model.onnx"), "--data", path("data"), "--split", "train", "--out", path("database")});
  ok({"encode", "--model", path("model.onnx"), "--data", path("data"), "--split", "test", "--out", path("queries")});
  const auto by_model = ok(eval({"--protocol", "full", "--json"})).json()[0];
  const auto by_codes =
      ok({"eval", "--codes", path("queries"), "--database", path("database"), "--protocol", "full", "--json"}).json()[0];
  for (const char* key :
       {"map", "map_optimistic", "map_pessimistic", "precision_at_radius_2", "distinct_codes", "queries", "database"}) {
    EXPECT_EQ(by_model[key], by_codes[key]) << key;
  }
  EXPECT_TRUE(by_codes["float_map"].is_null());

  // And from bare arrays with labels beside them.
  std::string csv;
  for (int i = 0; i < 24; ++i) csv += "t10k/" + std::to_string(i) + ",name" + std::to_string(i % 3) + "\n";
  std::string database_csv;
  for (int i = 0; i < 60; ++i) database_csv += "name" + std::to_string(i % 3) + "\n";
  testdata::write(path("queries.csv"), csv);
  testdata::write(path("database.csv"), database_csv);
  const auto by_arrays =
      ok({"eval", "--codes", path("queries/codes.npy"), "--labels", path("queries.csv"), "--database", path("database/codes.npy"),
          "--database-labels", path("database.csv"), "--bits", "12", "--protocol", "full", "--json"})
          .json()[0];
  EXPECT_EQ(by_arrays["map"], by_codes["map"]);

  const std::array<std::size_t, 1> shape = {24};
  std::vector<std::int64_t> labels;
  for (int i = 0; i < 24; ++i) labels.push_back(i % 3);
  write_npy(real_file_system(), path("labels.npy"), NpyType::kInt64, shape, std::as_bytes(std::span(labels)));
  const auto alone = ok({"eval", "--codes", path("queries/codes.npy"), "--labels", path("labels.npy"), "--bits", "12",
                         "--protocol", "heldout", "--json"})
                         .json()[0];
  EXPECT_EQ(alone["map"], ok(eval({"--protocol", "heldout", "--json"})).json()[0]["map"]);
}

TEST_F(EvalTest, TheBeginningOfACodeIsMeasuredAsACode) {
  const auto whole = ok(eval({"--protocol", "heldout", "--json"})).json()[0];
  const auto part = ok(eval({"--protocol", "heldout", "--json", "--bits-used", "5"})).json()[0];
  EXPECT_EQ(part["bits"], 5);
  EXPECT_EQ(part["code_bytes_per_image"], 1);
  EXPECT_LE(part["distinct_codes"], whole["distinct_codes"]);
  EXPECT_NE(part["model"], whole["model"]);
  EXPECT_EQ(part["float_map"], whole["float_map"]);
  EXPECT_TRUE(part["ndcg_at_100"].is_null());  // one label an image: nothing has degrees
  const std::vector<double> means = whole["bit_means"];
  EXPECT_EQ(part["bit_means"].get<std::vector<double>>(), std::vector<double>(means.begin(), means.begin() + 5));
  expect_error(eval({"--protocol", "heldout", "--bits-used", "13"}), 3, {"--bits-used 13", "12 bits"});
}

TEST_F(EvalTest, TheBeginningOfCodesOnDiskIsMeasuredToo) {
  ok({"encode", "--model", path("model.onnx"), "--data", path("data"), "--split", "test", "--out", path("queries")});
  const auto part = ok(eval({"--protocol", "heldout", "--json", "--bits-used", "5"})).json()[0];
  const auto codes = ok({"eval", "--codes", path("queries"), "--protocol", "heldout", "--bits-used", "5", "--json"}).json()[0];
  EXPECT_EQ(codes["bits"], 5);
  EXPECT_EQ(codes["map"], part["map"]);
  EXPECT_EQ(codes["bit_means"], part["bit_means"]);
  EXPECT_NE(codes["notes"].dump().find("only the first 5 bits"), std::string::npos) << codes["notes"];
  expect_error({"eval", "--codes", path("queries"), "--protocol", "heldout", "--bits-used", "13"}, 3,
               {"--bits-used 13", "12 bits", path("queries")});
}

TEST_F(EvalTest, OptionsThatSayNothingAreRefused) {
  const auto refused = [&](const Words& words, const Words& parts) {
    Words all = {"eval", "--protocol", "heldout"};
    all.insert(all.end(), words.begin(), words.end());
    expect_error(all, 2, parts);
  };
  const std::string codes = path("queries");
  refused({"--codes", codes, "--bits", "5"}, {"--bits", codes, "--bits-used"});
  refused({"--codes", codes, "--model", path("model.onnx")}, {"--model", "--codes"});
  refused({"--codes", codes, "--trained-on", path("data")}, {"--trained-on", "--codes"});
  refused({"--codes", codes, "--no-overlap-check"}, {"--no-overlap-check", "--codes"});
  refused({"--codes", codes, "--no-bounds"}, {"--no-bounds", "--codes"});
  refused({"--codes", codes, "--database-labels", "b.csv"}, {"--database-labels b.csv", "--database:"});
  refused({"--model", path("model.onnx"), "--data", path("data"), "--bits", "5"}, {"--bits", "--model"});
  refused({"--model", path("model.onnx"), "--data", path("data"), "--labels", path("a.csv")}, {"--labels", "--model"});
  for (const Words& of_report : {Words{"--log", path("log.jsonl")}, {"--gallery", "3"}}) {
    Words words = {"--model", path("model.onnx"), "--data", path("data")};
    words.insert(words.end(), of_report.begin(), of_report.end());
    refused(words, {of_report[0], "--html"});
  }
  for (const Words& more : {Words{"--json"}, {"--html", path("r.html")}, {"--protocol", "full"}, {"--seed", "2"}}) {
    Words words = {"eval", "--summary", path("a.json")};
    words.insert(words.end(), more.begin(), more.end());
    expect_error(words, 2, {more[0], "--summary", "leave it out"});
  }
}

TEST_F(EvalTest, WithoutRelevantImagesThereIsNoNumber) {
  for (std::uint32_t i = 0; i < 3; ++i)
    testdata::write(path(concat("plain/", i, ".png")), testdata::text_of(encode_png(testdata::picture(i, i))));
  const Outcome none =
      signet({"eval", "--model", path("model.onnx"), "--data", path("plain"), "--protocol", "heldout", "--quiet"});
  EXPECT_EQ(none.status, 3) << none.out;
  EXPECT_EQ(none.out, "");
  EXPECT_NE(none.err.find(path("plain") + ": no query has a relevant image"), std::string::npos) << none.err;
  ok({"encode", "--model", path("model.onnx"), "--data", path("data"), "--split", "test", "--out", path("queries")});
  const Words words = {"eval",       "--codes", path("queries/codes.npy"), "--labels", path("labels.csv"), "--bits", "12",
                       "--protocol", "heldout"};
  std::string labels;
  for (int i = 0; i < 24; ++i) labels += concat("name", i, "\n");
  testdata::write(path("labels.csv"), labels);
  expect_error(words, 3, {path("labels.csv"), "no query has a relevant image"});
  testdata::write(path("labels.csv"), labels + "name23\n");
  std::filesystem::remove_all(path("queries"));
  testdata::make_idx_pair(path("data"), 60, 25, 3);
  ok({"encode", "--model", path("model.onnx"), "--data", path("data"), "--split", "test", "--out", path("queries")});
  const Outcome some = ok(words);
  EXPECT_NE(some.out.find("note: heldout: queries without a relevant image, which are left out of the means: 23 of 25\n"),
            std::string::npos)
      << some.out;
}

TEST_F(EvalTest, TheTableExplainsTheRowsThatItHas) {
  const char* bounds = "class number and float are of the same network";
  EXPECT_NE(ok(eval({"--protocol", "heldout"})).out.find(bounds), std::string::npos);
  const Outcome without = ok(eval({"--protocol", "heldout", "--no-bounds"}));
  EXPECT_EQ(without.out.find(bounds), std::string::npos) << without.out;
  EXPECT_NE(without.out.find("mAP is expected over ties.\n"), std::string::npos) << without.out;
}

TEST_F(EvalTest, TheReportHoldsPicturesAndTheTrainingCurve) {
  testdata::write(path("log.jsonl"),
                  "{\"event\":\"start\",\"training_images\":60}\n"
                  "{\"event\":\"step\",\"stage\":\"features\",\"loss\":2.0,\"image_passes\":60}\n"
                  "{\"event\":\"validation\",\"stage\":\"joint\",\"map\":0.5,\"image_passes\":120}\n{\"event\":\"st");
  ok(eval({"--protocol", "heldout", "--log", path("log.jsonl"), "--html", path("report.html"), "--gallery", "4"}));
  const std::string page = slurp(path("report.html"));
  EXPECT_NE(page.find("data:image/png;base64,"), std::string::npos);
  EXPECT_NE(page.find("features"), std::string::npos);
  EXPECT_NE(page.find("heldout"), std::string::npos);
}

TEST_F(EvalTest, TheSummaryReadsWhatJsonWroteAndAveragesRuns) {
  testdata::write(path("a.json"), ok(eval({"--protocol", "heldout", "--json", "--seed", "1"})).out);
  testdata::write(path("b.json"), ok(eval({"--protocol", "heldout", "--json", "--seed", "2"})).out);
  const Outcome table = ok({"eval", "--summary", path("a.json"), path("b.json")});
  EXPECT_NE(table.out.find("heldout at 12 bits: mAP 0."), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("of 2 runs"), std::string::npos) << table.out;
  testdata::write(path("no.json"), "{\"a\": 1}");
  expect_error({"eval", "--summary", path("no.json")}, 3, {"no.json"});
  testdata::write(path("broken.json"), "[{");
  expect_error({"eval", "--summary", path("broken.json")}, 3, {"broken.json", "signet eval --json prints: it is no JSON\n"});
  testdata::write(path("lacks.json"), R"([{"bits": 12}])");
  expect_error({"eval", "--summary", path("lacks.json")}, 3, {"lacks.json", "\"protocol\" is missing\n"});
}

TEST_F(EvalTest, OnlyNumbersOfOneMeaningAreAveraged) {
  testdata::make_idx_pair(path("other"), 60, 30, 3);
  const auto measured = [&](const std::string& file, const std::string& data, const Words& more) {
    Words words = {"eval", "--model", path("model.onnx"), "--data", path(data), "--protocol", "heldout", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    testdata::write(path(file), ok(words).out);
    return path(file);
  };
  const std::string a = measured("a.json", "data", {}), b = measured("b.json", "other", {}),
                    c = measured("c.json", "data", {"--cutoff", "5"});
  EXPECT_EQ(ok({"eval", "--summary", a, b, c}).out.find("runs)"), std::string::npos);
  const std::string d = measured("d.json", "data", {"--seed", "2"});
  EXPECT_NE(ok({"eval", "--summary", a, b, c, d}).out.find("of 2 runs"), std::string::npos);
  std::filesystem::copy_file(a, path("copy.json"));
  expect_error({"eval", "--summary", a, b, path("copy.json")}, 3, {a, path("copy.json"), "heldout at 12 bits", "seed 1"});
}

TEST_F(EvalTest, ACutOffLeavesOutTheRankingThatHasNone) {
  const auto entry = ok(eval({"--protocol", "heldout", "--cutoff", "5", "--json"})).json()[0];
  EXPECT_TRUE(entry["float_map"].is_null());
  EXPECT_TRUE(entry["class_id_map"].is_number());
}

TEST_F(EvalTest, ACutOffStandsBesideTheNumber) {
  for (const char* seed : {"1", "2"})
    testdata::write(path(concat(seed, ".json")),
                    ok(eval({"--protocol", "heldout", "--cutoff", "5", "--json", "--seed", seed})).out);
  EXPECT_NE(ok(eval({"--protocol", "heldout", "--cutoff", "5"})).out.find("\nheldout@5 "), std::string::npos);
  const Outcome table = ok({"eval", "--summary", path("1.json"), path("2.json")});
  EXPECT_NE(table.out.find("\nheldout@5 at 12 bits: mAP 0."), std::string::npos) << table.out;
}

// The queries of a drawn protocol are those of the model's own draw, whose training images are others.
TEST_F(EvalTest, WithoutASeedAProtocolDrawsAsForTheModel) {
  testdata::make_idx_pair(path("many"), 1'900, 30, 3);
  Model model = random_model(12, 16, 1, 3, 1);
  model.info.training_record = R"({"seed": 5, "draw_seed": 7})";
  write_model(real_file_system(), path("drawn.onnx"), model);
  const auto numbers = [&](const Words& more) {
    Words words = {"eval", "--model", path("drawn.onnx"), "--data", path("many"), "--protocol", "cifar10-5k", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return ok(words).json()[0];
  };
  const auto own = numbers({}), seventh = numbers({"--seed", "7"});
  EXPECT_EQ(own["map"], seventh["map"]);
  EXPECT_EQ(own["seed"], 5);
  std::set<double> others;
  for (int seed = 1; seed < 4; ++seed) others.insert(numbers({"--seed", std::to_string(seed)})["map"].get<double>());
  EXPECT_GT(others.size(), 1u);  // the draw matters
}

// Class names of a .csv file mean the classes of these names on the other side, not numbers in the order met.
TEST_F(EvalTest, LabelsOfFilesOfDifferentKindsMeanTheSame) {
  const auto encoded = [&](const std::string& pictures) {
    ok({"encode", "--model", path("model.onnx"), "--data", path(pictures), "--out", path(pictures + "-codes"), "--quiet"});
    std::string names;
    const CodeSet set = read_code_set(real_file_system(), path(pictures + "-codes"));
    for (const auto& row : set.labels) names += set.class_names[static_cast<std::size_t>(row.front())] + "\n";
    testdata::write(path(pictures + ".csv"), names);
  };
  for (const char* pictures : {"asked", "searched"}) testdata::make_class_folder(path(pictures), 3, 5, 16, 1);
  std::filesystem::remove_all(path("searched/class0"));  // so that class1 is the first one met
  encoded("asked");
  encoded("searched");
  const Words question = {"eval",   "--codes", path("asked-codes"), "--database", path("searched-codes/codes.npy"),
                          "--bits", "12",      "--protocol",        "full",       "--json"};
  const auto map = [&](const Words& more) {
    Words words = question;
    words.insert(words.end(), more.begin(), more.end());
    return ok(words).json()[0]["map"].get<double>();
  };
  const std::string there = path("searched.csv");
  EXPECT_EQ(map({"--database-labels", there}), map({"--labels", path("asked.csv"), "--database-labels", there}));
  testdata::write(path("strange.csv"), "cat\ncat\ncat\ncat\ncat\ndog\ndog\ndog\ndog\ndog\n");
  Words strange = question;
  strange.insert(strange.end(), {"--database-labels", path("strange.csv")});
  expect_error(strange, 3, {"no class of ", "asked-codes", "strange.csv"});
}

TEST_F(EvalTest, AnImageInQueriesAndDatabaseIsAnError) {
  // The test part gets a copy of the train part's first picture.
  std::vector<Image> images = {testdata::picture(0, 0), testdata::picture(1, 5'000'001), testdata::picture(2, 5'000'002)};
  testdata::write(path("data/t10k-images-idx3-ubyte"), testdata::idx_images(images));
  testdata::write(path("data/t10k-labels-idx1-ubyte"), testdata::idx_labels(std::vector<std::uint8_t>{0, 1, 2}));
  expect_error(eval({"--protocol", "full", "--quiet"}), 3, {"1 image is both in", "full"});
  const auto forced = ok(eval({"--protocol", "full", "--no-overlap-check", "--json"})).json()[0];
  EXPECT_NE(forced["notes"].dump().find("not checked"), std::string::npos);
}

// Where the queries are the database, a copy of a query is there to be found: it is said how many.
TEST_F(EvalTest, CopiesAmongLeaveOneOutQueriesAreCounted) {
  const Words question = {"--protocol", "heldout", "--json"};
  EXPECT_EQ(ok(eval(question)).json()[0]["notes"].dump().find("same pixels"), std::string::npos);
  const Image one = testdata::picture(0, 5'000'000), other = testdata::picture(1, 5'000'001);
  testdata::write(path("data/t10k-images-idx3-ubyte"), testdata::idx_images(std::vector<Image>{one, other, one, other, one}));
  testdata::write(path("data/t10k-labels-idx1-ubyte"), testdata::idx_labels(std::vector<std::uint8_t>{0, 1, 0, 1, 0}));
  EXPECT_NE(
      ok(eval(question)).json()[0]["notes"].dump().find("3 of the 5 images that ask and answer have the same pixels as one"),
      std::string::npos);
}

TEST_F(EvalTest, QueriesThatTheModelWasTrainedOnAreAnError) {
  expect_error(eval({"--protocol", "heldout", "--trained-on", path("data/t10k-images-idx3-ubyte"), "--quiet"}), 3,
               {"24 images are both in the queries and the training set"});
}

// --format is that of --data; what the model was trained on may be in another one.
TEST_F(EvalTest, TheTrainingSetIsFoundInItsOwnFormat) {
  Model model = random_model(12, 16, 1, 3, 1);
  model.info.training_record = nlohmann::json{{"data", path("data")}, {"split", "train"}}.dump();
  write_model(real_file_system(), path("known.onnx"), model);
  testdata::make_class_folder(path("photos"), 3, 2, 16, 1);
  testdata::write(path("labels.csv"),
                  "photos/class0/0000.png,0\nphotos/class0/0001.png,0\nphotos/class1/0000.png,1\nphotos/class1/0001.png,1\n");
  const Words words = {"eval",     "--model",  path("known.onnx"), "--data",  path("labels.csv"),
                       "--format", "manifest", "--protocol",       "heldout", "--quiet"};
  expect_error(words, 3, {"1 image is both in the queries and the training set", "photos/class0/0000.png = train/00000"});
  Words elsewhere = words;
  elsewhere.insert(elsewhere.end(), {"--trained-on", path("data/t10k-images-idx3-ubyte")});
  ok(elsewhere);
}

// What cannot be compared is not passed over: no number stands there as if it had been.
TEST_F(EvalTest, ATrainingSetThatIsNotThereIsNamedBesideTheNumber) {
  testdata::write_all(path("photos"), testdata::class_files(3, 4, 16, 1, 500));
  const auto printed = [&](const nlohmann::json& record, const std::string& data, const Words& more = {}) {
    Model model = random_model(12, 16, 1, 3, 1);
    model.info.training_record = record.dump();
    write_model(real_file_system(), path("elsewhere.onnx"), model);
    Words words = {"eval",       "--model", path("elsewhere.onnx"), "--data", path(data),
                   "--protocol", "heldout", "--no-bounds",          "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    return ok(words).out;
  };
  const std::string gone = path("gone"), unchecked = "overlap with the training set was not checked: ";
  const nlohmann::json elsewhere = {{"data", gone}, {"split", "train"}};
  const auto expect = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  };
  expect(printed(elsewhere, "photos"), "note: heldout: " + unchecked + gone + " is not here; --trained-on names it\n");
  expect(printed(elsewhere, "photos", {"--json", "--html", path("report.html")}), unchecked + gone);
  expect(slurp(path("report.html")), unchecked + gone);
  expect(printed(elsewhere, "data"), "checked with the images that the protocol trains on, because " + gone + " is not here");
  expect(printed(nlohmann::json::object(), "data"),
         "checked with the images that the protocol trains on, because the model's record");
  const std::string no_labels = "overlap with the images without labels that the model was trained on was not checked: ";
  expect(printed({{"data", path("data")}, {"split", "train"}, {"unlabelled", gone}}, "photos"), no_labels + gone);
  expect(printed(nlohmann::json::object(), "photos"), unchecked + "the model's record does not say where it is");
  for (const std::string& text :
       {printed(elsewhere, "photos", {"--trained-on", path("data")}), printed({{"data", path("data")}}, "photos"),
        printed({{"method", "phash"}, {"training_images", 0}}, "photos")})
    EXPECT_EQ(text.find("overlap"), std::string::npos) << text;
}

// What a protocol draws can be taken out, trained on, and measured by that protocol.
TEST_F(EvalTest, TheTrainingPartOfAProtocolIsADataSet) {
  testdata::make_idx_pair(path("six"), 60, 24, 6);
  ok({"export-images", "--data", path("six"), "--protocol", "unseen-classes", "--part", "train", "--class-folders", "--out",
      path("seen")});
  const auto seen = ok({"inspect", path("seen"), "--json"}).json();
  EXPECT_EQ(seen["images"], 30);  // 3 of 6 classes, 10 images each
  EXPECT_EQ(seen["classes"].size(), 3u);
  ok({"export-images", "--data", path("six"), "--protocol", "unseen-classes", "--part", "query", "--out", path("query")});
  EXPECT_EQ(ok({"inspect", path("query"), "--json"}).json()["images"], 12);
  ok({"export-images", "--data", path("six"), "--protocol", "unseen-classes", "--part", "unlabelled", "--out", path("rest")});
  EXPECT_EQ(ok({"inspect", path("rest"), "--json"}).json()["images"], 30);
  const auto numbers = ok({"eval", "--model", path("model.onnx"), "--data", path("six"), "--protocol", "unseen-classes",
                           "--trained-on", path("seen"), "--json"})
                           .json()[0];
  EXPECT_EQ(numbers["queries"], 12);
  EXPECT_EQ(numbers["database"], 30);
  expect_error({"export-images", "--data", path("six"), "--protocol", "unseen-classes", "--part", "rest", "--out", path("x")}, 2,
               {"rest", "train, query, database or unlabelled"});
}

TEST_F(EvalTest, AReportThatCannotBeWrittenIsSaidBeforeAnythingIsMeasured) {
  for (const auto& [page, reason] : {std::pair{path("none/r.html"), "does not exist"}, {path("data"), "is a folder"}}) {
    expect_error({"eval", "--model", path("gone.onnx"), "--data", path("data"), "--protocol", "full", "--html", page}, 3,
                 {"--html", page, reason});
    expect_error({"compare", path("gone.json"), "--html", page}, 3, {"--html", page, reason});
  }
}

TEST_F(EvalTest, WhatWasMeasuredIsPrintedAlsoWhereTheNextProtocolFails) {
  testdata::make_class_folder(path("photos"), 3, 8, 16, 1);  // without a train part
  const Words words = {"eval",    "--model", path("model.onnx"), "--data", path("photos"), "--protocol",
                       "heldout", "full",    "--no-bounds",      "--json"};
  const Outcome outcome = signet(words);
  EXPECT_EQ(outcome.status, 3);
  EXPECT_NE(outcome.err.find("protocol full needs"), std::string::npos) << outcome.err;
  ASSERT_EQ(outcome.json().size(), 1u) << outcome.out;
  EXPECT_EQ(outcome.json()[0]["protocol"], "heldout");
}

// Nothing looks at an interruption while codes are measured: those of a model end in order behind the protocol under way, bare
// ones at once.
TEST_F(EvalTest, AnInterruptedEvaluationEndsAndSaysSo) {
  constexpr int kProtocols = 3000;
  ok({"encode", "--model", path("model.onnx"), "--data", path("data"), "--split", "test", "--out", path("queries")});
  const auto interrupted = [&](Words words) {
    words.insert(words.end(), {"--json", "--threads", "1", "--protocol"});
    words.insert(words.end(), kProtocols, "heldout");
    Process process(SIGNET_PROGRAM, words, path("output"));
    EXPECT_TRUE(process.reaches([&] {
      const std::string said = slurp(path("output/stderr.txt"));
      return said.find("measuring") != said.rfind("measuring");
    }));
    const bool over = process.ended();
    process.signal(SIGINT);
    const Outcome stopped = process.wait();
    EXPECT_TRUE(over || stopped.status == 130) << stopped.status << stopped.err;
    return over ? Outcome{} : stopped;
  };
  const Outcome codes = interrupted({"eval", "--codes", path("queries")});
  EXPECT_EQ(codes.out, "");
  const Outcome model = interrupted(eval({"--no-bounds"}));
  if (model.status != 130) GTEST_SKIP() << "all was measured before it could be interrupted";
  EXPECT_NE(model.err.find("stopped on request after "), std::string::npos) << model.err;
  EXPECT_GT(model.json().size(), 0u);  // what was measured is there
  EXPECT_LT(model.json().size(), static_cast<std::size_t>(kProtocols));
}

// The name of a protocol says which data set it is meant for; numbers of other images say so.
TEST_F(EvalTest, OtherImagesThanThoseOfTheProtocolAreNamed) {
  const auto notes = [&](const std::string& protocol) {
    return ok(eval({"--protocol", protocol, "--no-bounds", "--json"})).json()[0]["notes"].dump();
  };
  for (const char* protocol : {"fashion-full", "mnist-heldout", "cifar10-full", "kaggle-face-heldout"})
    EXPECT_NE(notes(protocol).find(concat("not the images that ", protocol, " is meant for")), std::string::npos) << protocol;
  EXPECT_NE(notes("fashion-full")
                .find("(Fashion-MNIST, 10,000 queries among 60,000), but idx, 60 images 16x16x1, 3 classes, 24 "
                      "queries among 60\""),
            std::string::npos)
      << notes("fashion-full");
  EXPECT_EQ(notes("full").find("meant for"), std::string::npos);
  EXPECT_EQ(notes("heldout").find("meant for"), std::string::npos);
  // As many images as the data set has.
  testdata::make_idx_pair(path("data"), 1, 10'000, 2, 4);
  EXPECT_EQ(notes("mnist-heldout").find("meant for"), std::string::npos) << notes("mnist-heldout");
}

TEST_F(EvalTest, LabelsThatDoNotFitAreErrors) {
  ok({"encode", "--model", path("model.onnx"), "--data", path("data"), "--split", "test", "--out", path("queries")});
  testdata::write(path("few.csv"), "a\nb\n");
  expect_error(
      {"eval", "--codes", path("queries/codes.npy"), "--bits", "12", "--labels", path("few.csv"), "--protocol", "heldout"}, 3,
      {"few.csv", "2 labels", "24 codes"});
  expect_error({"eval", "--codes", path("queries/codes.npy"), "--bits", "12", "--protocol", "heldout"}, 3,
               {"no labels", "--labels"});
  expect_error({"eval", "--codes", path("queries"), "--protocol", "full"}, 2, {"--database"});
  testdata::write(path("bad.jsonl"), "not json\n{}\n");
  const auto drawn = [&](const char* log) {
    return eval({"--protocol", "heldout", "--log", path(log), "--html", path("report.html")});
  };
  expect_error(drawn("bad.jsonl"), 3, {"bad.jsonl", "line 1"});
  testdata::write(path("odd.jsonl"), "{\"event\": 3}\n");
  expect_error(drawn("odd.jsonl"), 3, {"odd.jsonl", "no log of signet train"});
}

TEST_F(EvalTest, DataWithoutPartsIsEnoughForHeldoutAndSaysWhatFullNeeds) {
  testdata::make_class_folder(path("photos"), 3, 5, 16, 1);
  const auto entry =
      ok({"eval", "--model", path("model.onnx"), "--data", path("photos"), "--protocol", "heldout", "--json"}).json()[0];
  EXPECT_EQ(entry["queries"], 15);
  expect_error({"eval", "--model", path("model.onnx"), "--data", path("photos"), "--protocol", "full", "--quiet"}, 3,
               {"full", "train"});
}

// A JPEG copy of a data set is not the data set: said beside its numbers, and not beside those of a user's own photographs.
TEST_F(EvalTest, JpegCopiesOfANamedDataSetAreNamed) {
  for (std::uint32_t i = 0; i < 12; ++i) {
    const std::vector<std::byte> jpeg = encode_jpeg(testdata::picture(i % 2, i), 90);
    testdata::write(path(concat("copies/", i % 2, "/", i, ".jpg")), testdata::text_of(jpeg));
  }
  const auto notes = [&](const std::string& data, const std::string& protocol) {
    return ok({"eval", "--model", path("model.onnx"), "--data", path(data), "--protocol", protocol, "--json"})
        .json()[0]["notes"]
        .dump();
  };
  EXPECT_NE(notes("copies", "cifar10-heldout").find("pictures are JPEG files (compressed with loss)"), std::string::npos);
  EXPECT_EQ(notes("copies", "heldout").find("JPEG"), std::string::npos);
  EXPECT_EQ(notes("data", "mnist-heldout").find("JPEG"), std::string::npos);
  const Outcome printed = ok({"eval", "--model", path("model.onnx"), "--data", path("copies"), "--protocol", "cifar10-heldout"});
  EXPECT_NE((printed.out + printed.err).find("pictures are JPEG files"), std::string::npos) << printed.out << printed.err;
}

}  // namespace
}  // namespace signet::cli_test
