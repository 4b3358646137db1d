#include <algorithm>
#include <numeric>

#include "signet/code/code_set.h"
#include "signet/code/npy.h"
#include "tests/cli/run_signet.h"

namespace signet::cli_test {
namespace {

class EncodeSearchTest : public CliTest {
 protected:
  void SetUp() override {
    write_random_model(path("model.onnx"), 12);
    testdata::make_idx_pair(path("data"), 90, 30, 3);
  }
  void encode_and_index() {
    ok({"encode", "--model", path("model.onnx"), "--data", path("data"), "--split", "train", "--out", path("codes")});
    ok({"index", "--codes", path("codes"), "--out", path("index.sig")});
  }
};

TEST_F(EncodeSearchTest, EncodeLeavesCodesKeysLabelsAndOutputs) {
  const Outcome done = ok(
      {"encode", "--model", path("model.onnx"), "--data", path("data"), "--split", "train", "--out", path("codes"), "--outputs"});
  EXPECT_NE(done.out.find("90 codes of 12 bits"), std::string::npos) << done.out;
  const CodeSet set = read_code_set(real_file_system(), path("codes"));
  EXPECT_EQ(set.codes.size(), 90u);
  EXPECT_EQ(set.codes.bits(), 12u);
  ASSERT_EQ(set.labels.size(), 90u);
  for (std::size_t i = 0; i < 90; ++i) EXPECT_EQ(set.labels[i], std::vector<std::int32_t>{static_cast<std::int32_t>(i % 3)});
  EXPECT_EQ(set.model.size(), 64u);
  EXPECT_EQ(slurp(path("codes/skipped.csv")), "key,reason\n");
  EXPECT_FALSE(std::filesystem::exists(path("codes/outputs.tmp")));

  const NpyArray outputs = read_npy(real_file_system(), path("codes/outputs.npy"));
  EXPECT_EQ(outputs.shape, (std::vector<std::size_t>{90, 12}));
  ASSERT_EQ(outputs.type, NpyType::kFloat32);
  EXPECT_EQ(pack_signs(outputs.as<float>(), 12), set.codes);
}

TEST_F(EncodeSearchTest, ShortenedCodesAreThoseOfTheShortenedModel) {
  ok({"encode", "--model", path("model.onnx"), "--data", path("data"), "--split", "train", "--out", path("codes")});
  ok({"shorten", "--model", path("model.onnx"), "--bits", "5", "--out", path("short.onnx"), "--codes", path("codes"),
      "--codes-out", path("cut")});
  ok({"encode", "--model", path("short.onnx"), "--data", path("data"), "--split", "train", "--out", path("made")});
  const CodeSet cut = read_code_set(real_file_system(), path("cut")), made = read_code_set(real_file_system(), path("made"));
  EXPECT_EQ(cut.codes.bits(), 5u);
  EXPECT_EQ(cut.codes, made.codes);
  EXPECT_EQ(cut.model, made.model);
  EXPECT_EQ(cut.keys, made.keys);
  EXPECT_EQ(cut.labels, made.labels);
  expect_error({"shorten", "--model", path("model.onnx"), "--bits", "12", "--out", path("x.onnx")}, 3, {"--bits 12", "12 bits"});
  expect_error({"shorten", "--model", path("short.onnx"), "--bits", "3", "--out", path("x.onnx"), "--codes", path("codes"),
                "--codes-out", path("x")},
               3, {"codes of model", "short.onnx"});
  expect_error({"shorten", "--model", path("model.onnx"), "--bits", "3", "--out", path("x.onnx"), "--codes", path("codes")}, 2,
               {"--codes-out"});
  EXPECT_FALSE(std::filesystem::exists(path("x.onnx")));
}

TEST_F(EncodeSearchTest, ShortenedThingsDoNotReplaceTheLongOnes) {
  ok({"encode", "--model", path("model.onnx"), "--data", path("data"), "--split", "test", "--out", path("codes")});
  const std::string model = slurp(path("model.onnx")), codes = slurp(path("codes/codes.npy"));
  std::filesystem::create_symlink(path("model.onnx"), path("link.onnx"));
  std::filesystem::create_symlink(path("codes"), path("link"));
  for (const std::string& out : {path("model.onnx"), path("codes/../model.onnx"), path("link.onnx")})
    expect_error({"shorten", "--model", path("model.onnx"), "--bits", "5", "--out", out}, 2, {"--out " + out, "--model"});
  for (const std::string& out : {path("codes/"), path("link")})
    expect_error({"shorten", "--model", path("model.onnx"), "--bits", "5", "--out", path("x.onnx"), "--codes", path("codes"),
                  "--codes-out", out},
                 2, {"--codes-out " + out, "--codes"});
  EXPECT_EQ(slurp(path("model.onnx")), model);
  EXPECT_EQ(slurp(path("codes/codes.npy")), codes);
  EXPECT_FALSE(std::filesystem::exists(path("x.onnx")));
}

TEST_F(EncodeSearchTest, FilesOfOthersAreNotReplacedByCodes) {
  testdata::make_class_folder(path("own"), 1, 2, 16, 1);
  const auto refused = [&](const std::string& name) {
    testdata::write(path("own/" + name), "my own");
    expect_error({"encode", "--model", path("model.onnx"), "--data", path("data"), "--out", path("own"), "--outputs"}, 3,
                 {path("own"), "no folder of codes", name});
    EXPECT_EQ(slurp(path("own/" + name)), "my own");
    EXPECT_FALSE(std::filesystem::exists(path("own/outputs.tmp")));
    std::filesystem::remove(path("own/" + name));
  };
  for (const char* name :
       {"codes.json", "codes.npy", "keys.txt", "labels.txt", "records.jsonl", "verdicts.jsonl", "outputs.npy", "skipped.csv"})
    refused(name);
  for (int time = 0; time < 2; ++time)
    ok({"encode", "--model", path("model.onnx"), "--data", path("data"), "--out", path("own"), "--outputs"});
}

TEST_F(EncodeSearchTest, WhatCannotBeWrittenIsSaidBeforeAnythingIsRead) {
  const std::string file = path("model.onnx"), gone = path("gone"), nowhere = path("none/file");
  for (const std::string& out : {file, file + "/", file + "/codes"})
    expect_error({"encode", "--model", gone, "--data", path("data"), "--out", out}, 3, {"--out " + out, "is a file"});
  expect_error({"encode", "--model", gone, "--data", path("data"), "--out", "/proc/codes"}, 3, {"--out /proc/codes"});
  ok({"encode", "--model", file, "--data", path("data"), "--split", "test", "--out", path("deep/er/codes")});
  expect_error({"index", "--codes", gone, "--out", nowhere}, 3, {"--out " + nowhere, path("none"), "does not exist"});
  expect_error({"index", "--codes", gone, "--out", path("data")}, 3, {"--out " + path("data"), "is a folder"});
  expect_error({"search", "--index", gone, "--code", "0000", "--html", nowhere}, 3, {"--html " + nowhere, "does not exist"});
  const Words shorten = {"shorten", "--model", gone, "--bits", "5", "--out"};
  const auto refused = [&](const Words& more, const Words& parts) {
    Words words = shorten;
    words.insert(words.end(), more.begin(), more.end());
    expect_error(words, 3, parts);
  };
  refused({nowhere}, {"--out " + nowhere, "does not exist"});
  refused({path("x.onnx"), "--codes", gone, "--codes-out", file}, {"--codes-out " + file, "is a file"});
  testdata::write(path("own/keys.txt"), "my own");
  refused({path("x.onnx"), "--codes", gone, "--codes-out", path("own")}, {path("own"), "no folder of codes", "keys.txt"});
}

TEST_F(EncodeSearchTest, CodesDoNotDependOnThreads) {
  for (const char* threads : {"1", "2", "3"}) {
    ok({"encode", "--model", path("model.onnx"), "--data", path("data"), "--out", path(std::string("codes") + threads),
        "--threads", threads});
  }
  EXPECT_EQ(slurp(path("codes1/codes.npy")), slurp(path("codes2/codes.npy")));
  EXPECT_EQ(slurp(path("codes1/codes.npy")), slurp(path("codes3/codes.npy")));
}

TEST_F(EncodeSearchTest, UnreadablePicturesAreListedAndCountedButDoNotStopTheRun) {
  testdata::make_class_folder(path("photos"), 3, 4, 16, 1);
  testdata::write(path("photos/class1/broken, \"really\".png"), "\x89PNG\r\n\x1a\nnot a picture at all");
  const Outcome done = ok({"encode", "--model", path("model.onnx"), "--data", path("photos"), "--out", path("codes")});
  EXPECT_NE(done.out.find("12 codes"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("skipped 1 picture "), std::string::npos) << done.out;
  const std::string skipped = slurp(path("codes/skipped.csv"));
  EXPECT_NE(skipped.find("\"class1/broken, \"\"really\"\".png\","), std::string::npos) << skipped;
  EXPECT_EQ(std::count(skipped.begin(), skipped.end(), '\n'), 2) << skipped;
  EXPECT_EQ(read_code_set(real_file_system(), path("codes")).keys.size(), 12u);
}

TEST_F(EncodeSearchTest, StrictStopsAtTheFirstUnreadablePictureAndWritesNothing) {
  testdata::make_class_folder(path("photos"), 2, 2, 16, 1);
  testdata::write(path("photos/class0/broken.png"), "no picture");
  expect_error({"encode", "--model", path("model.onnx"), "--data", path("photos"), "--out", path("codes"), "--strict"}, 3,
               {"broken.png"});
  EXPECT_FALSE(std::filesystem::exists(path("codes/codes.npy")));
}

TEST_F(EncodeSearchTest, AnInterruptedEncodeLeavesTheOldCodesOrTheNewOnes) {
  const Words first = {"encode", "--model", path("model.onnx"), "--data", path("data"), "--split",
                       "test",   "--out",   path("codes")};
  ok(first);
  const std::string before = slurp(path("codes/codes.npy"));
  testdata::make_idx(path("more"), "train", 3000, 3);
  write_random_model(path("slow.onnx"), 12, 96);
  const Words second = {"encode", "--model", path("slow.onnx"), "--data", path("more"), "--out", path("codes"), "--threads", "1"};
  Process process(SIGNET_PROGRAM, second, path("output"));
  EXPECT_TRUE(process.reaches([&] { return slurp(path("output/stderr.txt")).find("reading") != std::string::npos; }));
  const bool over = process.ended();
  process.signal(SIGINT);
  const Outcome stopped = process.wait();
  EXPECT_NO_THROW(read_code_set(real_file_system(), path("codes")));
  if (over) GTEST_SKIP() << "encoding ended before it could be interrupted";
  EXPECT_EQ(stopped.status, 130) << stopped.err;
  EXPECT_EQ(slurp(path("codes/codes.npy")), before);
}

TEST_F(EncodeSearchTest, ConversionOfColoursIsSaid) {
  write_random_model(path("colour.onnx"), 16, 16, 3);
  const Outcome done =
      ok({"encode", "--model", path("colour.onnx"), "--data", path("data"), "--split", "test", "--out", path("codes")});
  EXPECT_NE(done.err.find("30 grey pictures were converted to 3 colour channels"), std::string::npos) << done.err;
  testdata::make_class_folder(path("photos"), 2, 2, 16, 3);
  const Outcome grey = ok({"encode", "--model", path("model.onnx"), "--data", path("photos"), "--out", path("codes2"), "--json"});
  EXPECT_NE(grey.err.find("4 colour pictures were converted to grey"), std::string::npos) << grey.err;
  EXPECT_EQ(grey.json()["converted"], 4);
}

TEST_F(EncodeSearchTest, SearchFindsThePictureItselfAndAgreesWithANaiveScan) {
  encode_and_index();
  ok({"export-images", "--data", path("data"), "--split", "train", "--only", "7", "--out", path("pictures")});
  std::string picture;
  for (const auto& entry : std::filesystem::directory_iterator(path("pictures"))) picture = entry.path().string();
  const auto found =
      ok({"search", "--index", path("index.sig"), "--model", path("model.onnx"), "--image", picture, "-k", "20", "--json"})
          .json();
  const auto& hits = found["queries"][0]["hits"];
  ASSERT_EQ(hits.size(), 20u);

  const CodeSet set = read_code_set(real_file_system(), path("codes"));
  std::vector<std::size_t> order(90);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto distance = [&](std::size_t i) { return hamming_distance(set.codes.row(7), set.codes.row(i)); };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return distance(a) < distance(b); });
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(hits[i]["id"], order[i]) << i;
    EXPECT_EQ(hits[i]["distance"], distance(order[i])) << i;
    EXPECT_EQ(hits[i]["key"], set.keys[order[i]]) << i;
    EXPECT_EQ(hits[i]["rank"], i + 1);
  }
}

TEST_F(EncodeSearchTest, EveryKindOfQueryGivesTheSameHits) {
  encode_and_index();
  const CodeSet set = read_code_set(real_file_system(), path("codes"));
  const auto hits = [&](const Words& query) {
    Words words = {"search", "--index", path("index.sig"), "--json"};
    words.insert(words.end(), query.begin(), query.end());
    return ok(words).json()["queries"][0]["hits"];
  };
  const std::vector<std::size_t> only_three = {3};
  write_codes_npy(real_file_system(), path("query.npy"), set.codes.rows(only_three));
  const auto by_key = hits({"--key", set.keys[3]});
  EXPECT_EQ(by_key.size(), 10u);
  EXPECT_EQ(hits({"--code", to_hex(set.codes.row(3))}), by_key);
  EXPECT_EQ(hits({"--codes", path("query.npy")}), by_key);
  for (const char* kind : {"flat", "table", "mih", "pivot", "auto"})
    EXPECT_EQ(hits({"--key", set.keys[3], "--kind", kind}), by_key) << kind;
}

// Found before the index is opened.
TEST_F(EncodeSearchTest, OptionsThatAQueryDoesNotReadAreRefused) {
  const auto refused = [&](const Words& query, const Words& parts) {
    Words words = {"search", "--index", path("gone.sig")};
    words.insert(words.end(), query.begin(), query.end());
    expect_error(words, 2, parts);
  };
  const std::string gone = path("gone.onnx");
  for (const char* kind : {"--code", "--key", "--codes"}) {
    refused({kind, "0000", "--model", gone}, {"--model " + gone, "--image", "leave it out"});
    refused({kind, "0000", "--max-megapixels", "9"}, {"--max-megapixels 9", "--image", "--html", "leave it out"});
  }
  refused({}, {"exactly one of --image, --codes, --code and --key"});
  refused({"--code", "0000", "--key", "a"}, {"exactly one of --image, --codes, --code and --key"});
}

// A mistyped name costs no picture, model or index; what a verb has written itself it writes again.
TEST_F(EncodeSearchTest, OutputsReplaceTheirOwnKindAlone) {
  encode_and_index();
  const auto search = [&](const std::string& page) {
    return Words{"search", "--index", path("index.sig"), "--code", "0000", "--html", page};
  };
  ok(search(path("hits.html")));
  ok(search(path("hits.html")));
  ok({"index", "--codes", path("codes"), "--out", path("index.sig")});
  const std::string index = slurp(path("index.sig")), model = slurp(path("model.onnx"));
  expect_error(search(path("index.sig")), 3, {"--html " + path("index.sig"), "exists and is not an HTML page", "would be lost"});
  expect_error({"index", "--codes", path("codes"), "--out", path("model.onnx")}, 3, {"exists and is not an index"});
  expect_error({"index", "--codes", path("codes"), "--out", path("codes/codes.npy")}, 3, {"exists and is not an index"});
  expect_error({"train", "--method", "phash", "--out", path("hits.html")}, 3, {"exists and is not a model"});
  testdata::write(path("a.png"), testdata::text_of(encode_png(testdata::picture(1, 1))));
  expect_error({"dedup", path("data"), "--level", "same-pixels", "--out", path("a.png")}, 3, {"exists and is not a plan"});
  EXPECT_EQ(slurp(path("index.sig")), index);
  EXPECT_EQ(slurp(path("model.onnx")), model);
}

TEST_F(EncodeSearchTest, RadiusIsInclusiveAndAloneMeansAll) {
  encode_and_index();
  const CodeSet set = read_code_set(real_file_system(), path("codes"));
  const auto hits =
      ok({"search", "--index", path("index.sig"), "--key", set.keys[0], "--radius", "2", "--json"}).json()["queries"][0]["hits"];
  std::size_t expected = 0;
  for (std::size_t i = 0; i < 90; ++i) expected += hamming_distance(set.codes.row(0), set.codes.row(i)) <= 2 ? 1 : 0;
  EXPECT_EQ(hits.size(), expected);
  EXPECT_EQ(ok({"search", "--index", path("index.sig"), "--key", set.keys[0], "--radius", "99999999999", "--json"})
                .json()["queries"][0]["hits"]
                .size(),
            90u);
  EXPECT_EQ(ok({"search", "--index", path("index.sig"), "--key", set.keys[0], "--radius", "12", "-k", "4", "--json"})
                .json()["queries"][0]["hits"]
                .size(),
            4u);
}

TEST_F(EncodeSearchTest, AFilterKeepsOneClass) {
  encode_and_index();
  const CodeSet set = read_code_set(real_file_system(), path("codes"));
  const auto found =
      ok({"search", "--index", path("index.sig"), "--key", set.keys[0], "-k", "100", "--filter-label", "1", "--json"}).json();
  const auto& hits = found["queries"][0]["hits"];
  EXPECT_EQ(hits.size(), 30u);
  for (const auto& hit : hits) EXPECT_EQ(hit["id"].get<int>() % 3, 1);
}

TEST_F(EncodeSearchTest, TheTableIsAlignedAndExplainsItself) {
  encode_and_index();
  const CodeSet set = read_code_set(real_file_system(), path("codes"));
  const Outcome table = ok({"search", "--index", path("index.sig"), "--key", set.keys[0], "-k", "3", "--explain"});
  EXPECT_NE(table.out.find("rank  distance  label"), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("answered by "), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("codes compared"), std::string::npos) << table.out;
}

TEST_F(EncodeSearchTest, TheHtmlPageHoldsItsPicturesAndNothingFromElsewhere) {
  encode_and_index();
  ok({"export-images", "--data", path("data"), "--split", "test", "--only", "0,1", "--out", path("pictures")});
  Words words = {"search", "--index", path("index.sig"), "--model",         path("model.onnx"),
                 "-k",     "3",       "--html",          path("hits.html"), "--image"};
  for (const auto& entry : std::filesystem::directory_iterator(path("pictures"))) words.push_back(entry.path().string());
  ok(words);
  const std::string page = slurp(path("hits.html"));
  std::size_t pictures = 0;
  for (std::size_t at = page.find("data:image/png;base64,"); at != std::string::npos;
       at = page.find("data:image/png;base64,", at + 1))
    ++pictures;
  EXPECT_EQ(pictures, 2u + 2u * 3u);
  EXPECT_EQ(page.find("://"), std::string::npos);
  EXPECT_EQ(page.find("no picture"), std::string::npos);
}

TEST_F(EncodeSearchTest, InspectSaysWhatThingsAre) {
  encode_and_index();
  ok({"export-images", "--data", path("data"), "--split", "test", "--only", "0", "--out", path("pictures")});
  const std::string picture = std::filesystem::directory_iterator(path("pictures"))->path().string();
  const std::vector<std::pair<std::string, std::string>> things = {
      {path("model.onnx"), "model"}, {path("index.sig"), "index file"},        {path("codes"), "codes folder"},
      {path("data"), "data set"},    {path("codes/codes.npy"), "NumPy array"}, {picture, "picture"}};
  for (const auto& [thing, what] : things) {
    const Outcome text = ok({"inspect", thing});
    EXPECT_NE(text.out.find(": " + what + "\n"), std::string::npos) << text.out;
    EXPECT_LE(std::count(text.out.begin(), text.out.end(), '\n'), 14) << text.out;
    EXPECT_EQ(ok({"inspect", thing, "--json"}).json()["what"], what);
  }
  EXPECT_EQ(ok({"inspect", path("model.onnx"), "--json"}).json()["bits"], 12);
  EXPECT_EQ(ok({"inspect", path("data"), "--json"}).json()["splits"]["train"], 90);
}

TEST_F(EncodeSearchTest, InspectSaysOfAPictureThatIsNoneWhatItIsNot) {
  testdata::write(path("bad/text.jpg"), "hello");
  expect_error({"inspect", path("bad/text.jpg")}, 3, {path("bad/text.jpg"), "is no picture", "JPEG"});
  const auto folder = ok({"inspect", path("bad"), "--json"}).json();
  EXPECT_EQ(folder["problems"].size(), 1u);
  EXPECT_FALSE(folder.contains("width") || folder.contains("colours")) << folder;
}

}  // namespace
}  // namespace signet::cli_test
