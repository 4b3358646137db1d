#include "signet/base/error.h"
#include "tests/cli/run_signet.h"

// Shallow methods from images to a measured, searched index, and through a plan of experiments.
namespace signet::cli_test {
namespace {

class ShallowCliTest : public CliTest {
 protected:
  void SetUp() override { testdata::make_idx_pair(path("data"), 150, 45, 3); }
  // GIST costs a tenth of a second a picture under a sanitizer.
  void fewer_pictures() { testdata::make_idx_pair(path("data"), 60, 15, 3); }
  Words train(const std::string& method, const std::string& out, const Words& more = {}) const {
    Words words = {"train", "--method", method, "--data", path("data"), "--bits", "8", "--quiet", "--out", path(out)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  double map_of(const std::string& model) const {
    return ok({"eval", "--model", path(model), "--data", path("data"), "--protocol", "full", "--quiet", "--json"})
        .json()[0]["map"];
  }
};

TEST_F(ShallowCliTest, AModelFileLikeAnyOther) {
  const auto trained = ok(train("itq", "itq.onnx", {"--json", "--seed", "3"})).json();
  EXPECT_EQ(trained["bits"], 8);
  EXPECT_EQ(trained["training_images"], 150);  // the part "train"
  const auto seen = ok({"inspect", path("itq.onnx"), "--json"}).json();
  EXPECT_EQ(seen["fingerprint"], trained["fingerprint"]);
  EXPECT_EQ(seen["training"]["method"], "itq");
  EXPECT_EQ(seen["training"]["seed"], 3);
  const auto hits = hits_through("itq.onnx");
  EXPECT_EQ(hits.size(), 5u);
  ok({"add", path("pictures"), "--collection", path("shelf"), "--model", path("itq.onnx")});
  EXPECT_GT(map_of("itq.onnx"), 0.4);
}

TEST_F(ShallowCliTest, InspectSaysWhatWasLearnedHow) {
  ok(train("itq", "itq.onnx", {"--rounds", "7"}));
  const Outcome seen = ok({"inspect", path("itq.onnx")});
  EXPECT_NE(seen.out.find("method itq, features pixels, rounds 7, dataset "), std::string::npos) << seen.out;
  ok(train("bilinear", "bilinear.onnx", {"--features", "gist"}));  // GIST says how many rows it has
  EXPECT_EQ(ok({"inspect", path("bilinear.onnx"), "--json"}).json()["training"]["parameters"]["rows"], 32);
}

TEST_F(ShallowCliTest, UnreadablePicturesAreLeftOutAndCounted) {
  testdata::make_class_folder(path("photos"), 3, 20, 16, 1);
  const auto learn = [&](const std::string& out, bool quiet = false) {
    Words words = {"train",        "--method", "ksh", "--anchors", "30",      "--data",
                   path("photos"), "--bits",   "8",   "--out",     path(out), "--json"};
    if (quiet) words.push_back("--quiet");
    return ok(words);
  };
  const std::string whole = learn("whole.onnx").json()["fingerprint"];
  for (const char* name : {"class0/0000a.png", "class2/zz.png"})
    testdata::write(path(std::string("photos/") + name), "no picture");
  const Outcome some = learn("some.onnx");
  EXPECT_NE(some.err.find("signet train: warning: 2 images could not be read and were left out; the first: "), std::string::npos)
      << some.err;
  EXPECT_NE(some.err.find("class0/0000a.png"), std::string::npos) << some.err;
  EXPECT_EQ(some.json()["training_images"], 60);
  EXPECT_EQ(some.json()["fingerprint"], whole);
  EXPECT_NE(learn("quiet.onnx", true).err.find("2 images could not be read and were left out"), std::string::npos);
  for (int label = 0; label < 3; ++label) std::filesystem::remove_all(path(concat("photos/class", label)));
  for (const char* name : {"a/1.png", "b/2.png"}) testdata::write(path(std::string("photos/") + name), "no picture");
  expect_error({"train", "--method", "ksh", "--data", path("photos"), "--bits", "8", "--out", path("m.onnx")}, 3,
               {"photos", "no image can be read", "a/1.png"});
}

TEST_F(ShallowCliTest, EveryKindOfFeaturesAndMethod) {
  ok(train("ksh", "ksh.onnx", {"--anchors", "50", "--labelled", "150"}));
  EXPECT_GT(map_of("ksh.onnx"), 0.9);
  fewer_pictures();
  ok(train("sdh", "sdh.onnx", {"--features", "gist", "--anchors", "50"}));
  EXPECT_GT(map_of("sdh.onnx"), 0.9);
  ok(train("fasthash", "fasthash.onnx", {"--features", "gist", "--rounds", "5", "--pca", "12"}));
  EXPECT_GT(map_of("fasthash.onnx"), 0.8);
  ok(train("bilinear", "bilinear.onnx"));
  ok(train("bilinear-lda", "lda.onnx", {"--ridge", "1e-3", "--features", "gist"}));
  EXPECT_GT(map_of("lda.onnx"), 0.6);
  ok(train("sh", "sh.onnx"));
  // The same seed gives the same file.
  ok(train("itq-cca", "a.onnx", {"--features", "gist", "--pca", "20", "--protocol", "full"}));
  ok(train("itq-cca", "b.onnx", {"--features", "gist", "--pca", "20", "--protocol", "full"}));
  EXPECT_EQ(ok({"inspect", path("a.onnx"), "--json"}).json()["fingerprint"],
            ok({"inspect", path("b.onnx"), "--json"}).json()["fingerprint"]);
}

TEST_F(ShallowCliTest, CopiesAreLeftOutOfTheTrainPartByWhicheverNameItIsAskedFor) {
  testdata::make_idx(path("data"), "t10k", 45, 3);  // the first 45 of the train part
  for (const Words& split : {Words{}, Words{"--split", "train"}, Words{"--split", "training"}}) {
    Words more = {"--leave-out-copies", "--json"};
    more.insert(more.end(), split.begin(), split.end());
    EXPECT_EQ(ok(train("lsh", "lsh.onnx", more)).json()["training_images"], 105);
  }
  ok({"eval", "--model", path("lsh.onnx"), "--data", path("data"), "--protocol", "full", "--leave-out-copies", "--quiet"});
  testdata::write_all(path("photos"), testdata::class_files(3, 5, 16, 1, 9'000'000));
  const Words whole = {"train", "--method", "lsh", "--leave-out-copies", "--out", path("m.onnx"), "--data"};
  const auto refused = [&](const std::string& data, const Words& parts) {
    Words words = whole;
    words.push_back(data);
    expect_error(words, 2, parts);
  };
  refused(path("photos"), {"--leave-out-copies", path("photos"), "no parts"});
  refused(path("data/train-images-idx3-ubyte"), {"--leave-out-copies", "only train"});
  expect_error({"export-images", "--data", path("data"), "--leave-out-copies", "--out", path("out")}, 2,
               {"--leave-out-copies", "--split train", path("data")});
  // What the model was trained on has no parts of its own to compare.
  ok({"eval", "--model", path("lsh.onnx"), "--data", path("data"), "--protocol", "full", "--leave-out-copies", "--trained-on",
      path("photos"), "--quiet"});
}

TEST_F(ShallowCliTest, PictureHashesNeedNoData) {
  const auto made = ok({"train", "--method", "phash", "--out", path("phash.onnx"), "--json"}).json();
  EXPECT_EQ(made["bits"], 64);
  EXPECT_GT(map_of("phash.onnx"), 0.3);
  expect_error({"train", "--method", "phash", "--bits", "12", "--out", path("m.onnx")}, 2, {"--bits 12", "64"});
  expect_error({"train", "--method", "dhash", "--pca", "12", "--out", path("m.onnx")}, 2, {"--pca", "dhash"});
}

TEST_F(ShallowCliTest, MistakesAreNamed) {
  expect_error(train("pixie", "m.onnx"), 2, {"--method", "pixie", "itq-cca", "phash"});
  expect_error(train("itq", "m.onnx", {"--features", "sift"}), 2, {"--features", "sift", "gist"});
  expect_error(train("itq", "m.onnx", {"--features", "network"}), 2, {"--model"});
  expect_error(train("itq", "m.onnx", {"--model", "x.onnx"}), 2, {"--model", "network"});
  expect_error(train("itq", "m.onnx", {"--anchors", "20"}), 2, {"--anchors", "itq", "rounds"});
  expect_error(train("sdh", "m.onnx", {"--lambda", "-1"}), 2, {"--lambda", "-1"});
  expect_error(train("itq", "m.onnx", {"--protocol", "nonsense"}), 2, {"nonsense"});
  expect_error({"train", "--method", "itq", "--out", path("m.onnx")}, 2, {"--data"});
  expect_error(train("itq", "gone/m.onnx"), 3, {path("gone")});
  // More than a method or the data can give.
  expect_error(train("pcah", "m.onnx", {"--pca", "4"}), 3, {"pcah", "4 of 4", "8"});
  expect_error(train("itq-cca", "m.onnx", {"--pca", "4"}), 3, {"itq-cca", "4 features"});
  expect_error(train("ksh", "m.onnx", {"--anchors", "151"}), 3, {"ksh", "anchors", "150", "151"});
  expect_error(train("ksh", "m.onnx", {"--labelled", "1"}), 3, {"ksh", "labelled"});
  testdata::make_idx(path("one"), "train", 20, 1);
  expect_error({"train", "--method", "sdh", "--data", path("one"), "--out", path("m.onnx")}, 3, {"sdh", "two or more classes"});
  for (const char* name : {"flat/a.png", "flat/b.png"})
    testdata::write(path(name), testdata::text_of(encode_png(testdata::picture(0, 0))));
  expect_error({"train", "--method", "itq-cca", "--data", path("flat"), "--out", path("m.onnx")}, 3,
               {"--method itq-cca", "no image of " + path("flat"), "needs no labels: lsh, pcah, itq, sh, isoh, bilinear\n"});
  expect_error({"train", "--method", "itq", "--data", path("gone"), "--out", path("m.onnx")}, 3, {path("gone")});
  // Found before any image is read.
  const Words nothing = {"train", "--method", "itq", "--data", path("gone"), "--out"};
  for (const std::string& out : {path("one"), path("new/"), path("one/train-images-idx3-ubyte/m.onnx")}) {
    Words words = nothing;
    words.push_back(out);
    expect_error(words, 3, {"--out", out});
  }
  // 65,536 numbers a picture: their covariance has 34 GB.
  expect_error(train("lsh", "m.onnx", {"--size", "256"}), 3, {"--size 256", "65536", "34.4 GB", "--size 128 fits, or --pca 0"});
  expect_error(train("itq", "m.onnx", {"--size", "256", "--pca", "0"}), 3,
               {"--size 256", "65536", "34.4 GB", "--size 128 fits\n"});
  for (const char* name : {"gap/a.png", "gap/b.png", "gap/c.png"})
    testdata::write(path(name), testdata::text_of(encode_png(testdata::picture(0, static_cast<std::uint32_t>(name[4])))));
  testdata::write(path("gap/list.csv"), "key,label\na.png,x\nb.png,y\nc.png,\n");
  expect_error({"train", "--method", "ksh", "--anchors", "2", "--data", path("gap/list.csv"), "--out", path("m.onnx")}, 3,
               {path("gap/list.csv") + ": c.png has no label", "--method ksh"});
  EXPECT_FALSE(std::filesystem::exists(path("m.onnx")));
}

TEST_F(ShallowCliTest, APlanListsThemBesideEachOther) {
  fewer_pictures();
  testdata::write(
      path("plan.toml"),
      "title = \"Shallow\"\ndata = \"data\"\nprotocols = [\"full\", \"heldout\"]\nruns = [{ bits = [6, 8], seeds = [1] }]\n"
      "train = { features = \"gist\" }\n"
      "[[variants]]\ntrain = { method = \"itq\" }\n"
      "[[variants]]\nname = \"ksh-gist\"\ntrain = { method = \"ksh\", anchors = 40, labelled = 50 }\n"
      "[[variants]]\nname = \"phash\"\ntrain = { method = \"phash\", features = false }\nruns = [{ bits = [64], seeds = [1] "
      "}]\n");
  const Words reproduce = {"reproduce", path("plan.toml"), "--data",      path(""),          "--results", path("results"),
                           "--work",    path("work"),      "--published", path("none.json"), "--quiet"};
  ok(reproduce);
  const auto record = nlohmann::json::parse(slurp(path("results/records/plan_full_ksh-gist_8_s1.json")));
  EXPECT_EQ(record["method"], "ksh-gist");
  EXPECT_EQ(record["bits"], 8);
  EXPECT_GT(record["map"], 0.8);
  EXPECT_EQ(record["training"]["parameters"]["labelled"], 50);
  EXPECT_EQ(record["training"]["parameters"]["anchors"], 40);
  for (const char* name : {"itq-gist_6", "itq-gist_8", "phash_64"})
    EXPECT_TRUE(std::filesystem::exists(path(std::string("results/records/plan_heldout_") + name + "_s1.json"))) << name;
  // The number is the model file's own.
  ok(train("itq", "itq.onnx", {"--features", "gist", "--split", "train", "--seed", "1"}));
  const auto itq = nlohmann::json::parse(slurp(path("results/records/plan_full_itq-gist_8_s1.json")));
  EXPECT_NEAR(itq["map"].get<double>(), map_of("itq.onnx"), 0.01);
  EXPECT_EQ(itq["training"]["parameters"]["rounds"], 50);  // nobody named it: as published
  EXPECT_NE(slurp(path("results/README.md")).find("itq-gist"), std::string::npos);
  testdata::write(path("bad.toml"),
                  "title = \"x\"\ndata = \"data\"\nprotocols = [\"full\"]\nruns = [{ bits = [6], seeds = [1] }]\n"
                  "train = { method = \"itq\", anchors = 9 }\n");
  expect_error(
      {"reproduce", path("bad.toml"), "--data", path(""), "--results", path("results"), "--work", path("work"), "--quiet"}, 2,
      {"--anchors", "itq"});
}

}  // namespace
}  // namespace signet::cli_test
