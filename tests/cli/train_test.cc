#include "signet/base/cpu.h"
#include "signet/base/error.h"
#include "tests/cli/run_signet.h"

// From labelled images to a searched, measured index, with the real trainer at the smallest size that learns something.
namespace signet::cli_test {
namespace {

class TrainCliTest : public CliTest {
 protected:
  void SetUp() override { testdata::make_idx_pair(path("data"), 150, 45, 3); }
  Words train(const std::string& out, const Words& more = {}) const {
    Words words = {"train", "--data",    path("data"), "--bits",       "8",   "--epochs", "8",      "--batch", "30", "--seed",
                   "3",     "--threads", "1",          "--validation", "0.1", "--out",    path(out)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::string fingerprint(const std::string& model) const { return ok({"inspect", path(model), "--json"}).json()["fingerprint"]; }
};

TEST_F(TrainCliTest, FromImagesToAMeasuredIndex) {
  const auto trained = ok(train("model.onnx", {"--json", "--log", path("log.jsonl")})).json();
  EXPECT_EQ(trained["bits"], 8);
  EXPECT_EQ(trained["fingerprint"], fingerprint("model.onnx"));
  const auto hits = hits_through("model.onnx");
  ASSERT_EQ(hits.size(), 5u);
  for (const auto& hit : hits) EXPECT_EQ(hit["id"].get<int>() % 3, 4 % 3) << hits;

  const auto numbers = ok({"eval", "--model", path("model.onnx"), "--data", path("data"), "--protocol", "full", "--protocol",
                           "heldout", "--log", path("log.jsonl"), "--html", path("report.html"), "--json"})
                           .json();
  ASSERT_EQ(numbers.size(), 2u);
  EXPECT_EQ(numbers[0]["seed"], 3);
  EXPECT_GT(numbers[0]["map"], 0.9);
  EXPECT_GT(numbers[1]["map"], 0.9);
  EXPECT_TRUE(numbers[1]["class_id_map"].is_number());
  EXPECT_EQ(numbers[0]["training"]["data"], path("data"));
  EXPECT_NE(slurp(path("report.html")).find("joint"), std::string::npos);
}

TEST_F(TrainCliTest, InterruptedAndResumedItReachesTheSameFingerprint) {
  ok(train("whole.onnx", {"--quiet"}));
  Process process(SIGNET_PROGRAM, train("cut.onnx", {"--quiet", "--checkpoint", path("checkpoint"), "--log", path("log.jsonl")}),
                  path("output"));
  EXPECT_TRUE(process.reaches([&] { return slurp(path("log.jsonl")).find("\"validation\"") != std::string::npos; }));
  const bool over = process.ended();
  process.signal(SIGINT);
  const Outcome stopped = process.wait();
  if (over) GTEST_SKIP() << "training ended before it could be interrupted";
  ASSERT_EQ(stopped.status, 130) << stopped.err;
  EXPECT_NE(stopped.err.find("--resume"), std::string::npos) << stopped.err;
  EXPECT_FALSE(std::filesystem::exists(path("cut.onnx")));
  expect_error(train("cut.onnx", {"--quiet", "--checkpoint", path("checkpoint")}), 3,
               {"--resume"});  // not overwritten by mistake
  ok(train("cut.onnx", {"--quiet", "--checkpoint", path("checkpoint"), "--resume"}));
  EXPECT_EQ(fingerprint("cut.onnx"), fingerprint("whole.onnx"));
}

// A power cut or the system's killer of large processes lets the trainer itself write nothing more.
TEST_F(TrainCliTest, KilledWithoutAWordItGoesOnFromItsLastCheckpoint) {
  ok(train("whole.onnx", {"--quiet"}));
  const std::string trainer = std::filesystem::path(SIGNET_PROGRAM).replace_filename("signet-train").string();
  Words words = train("cut.onnx", {"--quiet", "--checkpoint", path("checkpoint"), "--log", path("log.jsonl")});
  words.erase(words.begin());
  Process process(trainer, words, path("output"));
  // The stage before has ended, and with it a checkpoint was written.
  EXPECT_TRUE(process.reaches([&] { return slurp(path("log.jsonl")).find("\"hash-layer\"") != std::string::npos; }));
  process.signal(SIGKILL);
  const int status = process.wait().status;
  ASSERT_TRUE(status == 128 + SIGKILL || status == 0) << status;  // 0: it was quicker
  if (status == 0) GTEST_SKIP() << "training ended before it could be killed";
  EXPECT_FALSE(std::filesystem::exists(path("cut.onnx")));
  ok(train("cut.onnx", {"--quiet", "--checkpoint", path("checkpoint"), "--log", path("log.jsonl"), "--resume"}));
  EXPECT_EQ(fingerprint("cut.onnx"), fingerprint("whole.onnx"));
}

// The files that CIFAR-10 is published as, under its own protocols.
TEST_F(TrainCliTest, OfficialCifarFilesAreTrainedOnAndMeasured) {
  testdata::make_cifar(path("cifar"), 2, 100);
  ok({"train", "--data", path("cifar"), "--split", "train", "--bits", "12", "--epochs", "6", "--batch", "50", "--threads", "1",
      "--quiet", "--out", path("cifar.onnx")});
  const auto numbers = ok({"eval", "--model", path("cifar.onnx"), "--data", path("cifar"), "--protocol", "cifar10-full",
                           "--protocol", "cifar10-heldout", "--quiet", "--json"})
                           .json();
  EXPECT_EQ(numbers[0]["queries"], 100);
  EXPECT_EQ(numbers[0]["database"], 200);
  EXPECT_EQ(numbers[1]["database"], 100);
  EXPECT_GT(numbers[0]["map"], 0.5);  // a tenth by chance
  EXPECT_NE(numbers[0]["dataset"].get<std::string>().find("CIFAR-10"), std::string::npos);
  EXPECT_EQ(numbers.dump().find("JPEG"), std::string::npos);
}

TEST_F(TrainCliTest, SeveralLabelsOfAManifestAreLearnedAndMeasuredByDegree) {
  testdata::make_class_folder(path("pictures"), 4, 30, 16, 1);
  std::string manifest = "key,label,split\n";
  for (int label = 0; label < 4; ++label) {
    for (int i = 0; i < 30; ++i) {
      const std::string number = i < 10 ? concat("000", i) : concat("00", i);
      manifest += concat("pictures/class", label, "/", number, ".png,", label, ";", label < 2 ? "low" : "high", ",",
                         i < 20 ? "train" : "test", "\n");
    }
  }
  testdata::write(path("labels.csv"), manifest);
  ok({"train", "--data", path("labels.csv"), "--split", "train", "--bits", "8", "--epochs", "30", "--batch", "24", "--threads",
      "1", "--quiet", "--out", path("several.onnx")});
  const auto numbers =
      ok({"eval", "--model", path("several.onnx"), "--data", path("labels.csv"), "--protocol", "full", "--quiet", "--json"})
          .json()[0];
  EXPECT_GT(numbers["map"], 0.75);  // a label in common: half of the database by chance
  EXPECT_GT(numbers["ndcg_at_100"], 0.8);
  EXPECT_GT(numbers["weighted_map"], 0.5);
  EXPECT_LT(numbers["weighted_map"], numbers["map"]);  // half of those in common share one label of three
}

TEST_F(TrainCliTest, WhatTheCommandLineSaysReachesTheTrainer) {
  const auto options_of = [&](const Words& more) {
    Words words = train("m.onnx", {"--quiet"});
    words.insert(words.end(), more.begin(), more.end());
    ok(words);
    return ok({"inspect", path("m.onnx"), "--json"}).json()["training"]["options"];
  };
  const auto expect = [](const nlohmann::json& options, const nlohmann::json& expected) {
    for (const auto& [name, value] : expected.items()) EXPECT_EQ(options[name], value) << name;
  };
  expect(options_of({"--loss", "exp-inner", "--alpha", "2.5", "--exponent-cap", "none", "--natural-weight", "--pretrain",
                     "features", "--joint-classification", "0.25", "--mirror", "training", "--translate", "1", "--optimizer",
                     "muon", "--nested", "4"}),
         {{"loss", "exp-inner"},
          {"alpha", 2.5},
          {"exponent-cap", "none"},
          {"equal-pair-mass", false},
          {"pretrain", "features"},
          {"joint-classification", 0.25},
          {"mirror", "training"},
          {"translate", 1},
          {"optimizer", "muon"},
          {"nested", {4}},
          {"progressive-resizing", true}});
  expect(options_of({"--cutout", "5", "--full-size", "--mirror", "none"}),
         {{"cutout", 5}, {"progressive-resizing", false}, {"mirror", "none"}});
  // What says that nothing is done of what instance training does not do may be given. None of it is recorded.
  const auto instance =
      options_of({"--supervision", "instance", "--cutout", "0", "--full-size", "--mirror", "none", "--optimizer", "muon"});
  expect(instance, {{"supervision", "instance"}, {"optimizer", "muon"}, {"bits", 8}});
  for (const char* unread : {"cutout", "progressive-resizing", "mirror", "translate", "pretrain", "joint-classification"})
    EXPECT_FALSE(instance.contains(unread)) << instance;
}

TEST_F(TrainCliTest, InstanceTrainingRefusesOptionsThatItDoesNotRead) {
  for (const auto& [flag, value] : {std::pair{"--cutout", "5"},
                                    {"--translate", "2"},
                                    {"--mirror", "both"},
                                    {"--pretrain", "features"},
                                    {"--joint-classification", "0.1"}})
    expect_error(train("m.onnx", {"--supervision", "instance", "--dry-run", flag, value}), 2,
                 {concat(flag, " ", value), "--supervision instance", "leave it out"});
}

// Few labels, many pictures.
TEST_F(TrainCliTest, ATeacherNamesTheClassesOfPicturesWithoutLabels) {
  ok(train("teacher.onnx", {"--quiet"}));
  ok({"export-images", "--data", path("data"), "--split", "test", "--out", path("more")});
  const Outcome taught =
      ok(train("student.onnx", {"--teacher", path("teacher.onnx"), "--unlabelled", path("more"), "--leave-out-copies"}));
  EXPECT_NE(taught.out.find("of 45 images without labels were trained on"), std::string::npos) << taught.out;
  EXPECT_NE(taught.out.find("names 100.0 % rightly"), std::string::npos) << taught.out;
  const auto more = ok({"inspect", path("student.onnx"), "--json"}).json();
  EXPECT_NE(more.dump().find("taught_images"), std::string::npos) << more;
  // What was trained on without its labels must not ask either.
  expect_error({"eval", "--model", path("student.onnx"), "--data", path("data"), "--protocol", "full", "--quiet"}, 3,
               {"45 images are both in the queries and the training set"});
  ok({"eval", "--model", path("teacher.onnx"), "--data", path("data"), "--protocol", "full", "--quiet"});
  expect_error(train("m.onnx", {"--unlabelled", path("more")}), 2, {"--unlabelled", "--teacher"});
  expect_error(train("m.onnx", {"--teacher-share", "0.5"}), 2, {"--teacher-share", "--teacher"});
  expect_error(train("m.onnx", {"--teacher", path("teacher.onnx")}), 2, {"--teacher", "--unlabelled"});
  expect_error(train("m.onnx", {"--teacher", path("gone.onnx"), "--unlabelled", path("more")}), 3, {"gone.onnx"});
}

// --format is that of --data: pictures without labels may lie in a plain folder beside a manifest.
TEST_F(TrainCliTest, PicturesWithoutLabelsAreFoundInTheirOwnFormat) {
  write_random_model(path("teacher.onnx"), 8);
  testdata::make_class_folder(path("photos"), 3, 8, 16, 1);
  std::string manifest = "key,label\n";
  for (int label = 0; label < 3; ++label)
    for (int i = 0; i < 8; ++i) manifest += concat("photos/class", label, "/000", i, ".png,class", label, "\n");
  testdata::write(path("labels.csv"), manifest);
  ok({"export-images", "--data", path("data"), "--split", "test", "--out", path("inbox")});
  Words words = {"train", "--data", path("labels.csv"), "--format", "manifest", "--teacher", path("teacher.onnx")};
  words.insert(words.end(), {"--unlabelled", path("inbox"), "--out", path("m.onnx"), "--bits", "8", "--threads", "1"});
  words.insert(words.end(), {"--epochs", "1", "--batch", "12", "--quiet", "--json"});
  EXPECT_EQ(ok(words).json()["unlabelled_images"], 45);
}

// --quiet is about progress: what changes the meaning of a result is said all the same.
TEST_F(TrainCliTest, QuietRunsMakeTheirRemarks) {
  for (const auto& [name, picture] : testdata::class_files(2, 12, 16, 1))
    for (const char* copy : {"", ".copy.png"}) testdata::write(path(concat("photos/", name, copy)), picture);
  testdata::write(path("photos/class0/broken.png"), "no picture");
  const auto trained = [&](const std::string& data, const Words& more, const Words& parts) {
    Words words = {"train", "--data", path(data), "--bits", "8", "--threads", "1", "--quiet", "--json", "--out", path("m.onnx")};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = ok(words);
    for (const std::string& part : parts) EXPECT_NE(outcome.err.find(part), std::string::npos) << part << "\n" << outcome.err;
    return outcome.json();
  };
  const std::string unreadable = "1 image could not be read and was left out; the first: ", copies = "have the same pixels as an";
  const Words one_pass = {"--epochs", "1", "--batch", "24", "--validation", "0.25"};
  EXPECT_EQ(trained("photos", one_pass, {unreadable, "broken.png", copies, "every stage takes one step"})["unreadable"], 1);
  EXPECT_EQ(trained("photos", {"--method", "lsh"}, {unreadable, "broken.png"})["unreadable"], 1);
  // One image is held out, of the class of twelve alone: codes of one image are one code.
  testdata::make_class_folder(path("lone"), 2, 12, 16, 1);
  for (int i = 0; i < 5; ++i) std::filesystem::remove(path(concat("lone/class1/000", i, ".png")));
  EXPECT_EQ(trained("lone", {"--epochs", "1", "--batch", "9"}, {"warning: codes collapse: 1 distinct codes"})["unreadable"], 0);
}

// Names of files are bytes; records are JSON.
TEST_F(TrainCliTest, AFolderWhoseNameIsNoUtf8IsTrainedOn) {
  const std::string odd = path("caf\xe9");
  std::filesystem::rename(path("data"), odd);
  ok({"train", "--data", odd, "--bits", "8", "--epochs", "1", "--batch", "30", "--threads", "1", "--quiet", "--json", "--out",
      path("m\xe9.onnx"), "--log", path("log.jsonl")});
  ok({"train", "--method", "itq", "--features", "pixels", "--data", odd, "--bits", "8", "--quiet", "--out", path("i.onnx")});
}

TEST_F(TrainCliTest, Bfloat16WithoutAvx512IsWarnedOf) {
  const auto warned = [&](const Words& more) {
    return ok(train("m.onnx", more)).err.find("warning: this CPU has no AVX-512") != std::string::npos;
  };
  const bool lacking = !cpu_features().avx512bw || !cpu_features().avx512vl;
  EXPECT_EQ(warned({"--dry-run", "--precision", "bfloat16"}), lacking);
  EXPECT_FALSE(warned({"--dry-run", "--precision", "bfloat16", "--quiet"}));
  EXPECT_FALSE(warned({"--dry-run"}));
}

TEST_F(TrainCliTest, StepsBeyondTheAskedForPassesAreSaid) {
  const auto trained = [&](const char* epochs, const char* batch) {
    return ok({"train", "--data", path("data"), "--bits", "8", "--epochs", epochs, "--batch", batch, "--threads", "1", "--out",
               path("m.onnx")})
        .err;
  };
  const std::string said = trained("1", "150");
  EXPECT_NE(said.find("every stage takes one step at least: 2 steps more than --epochs asks for"), std::string::npos) << said;
  EXPECT_EQ(trained("2", "30").find("one step at least"), std::string::npos);
  EXPECT_NE(ok({"train", "--help"}).out.find("signet train --method itq --help"), std::string::npos);
}

TEST_F(TrainCliTest, BadOptionsAndDataAreNamed) {
  expect_error(train("m.onnx", {"--alpha", "-1"}), 2, {"signet train: ", "alpha"});
  expect_error({"train", "--data", path("data"), "--bits", "0", "--out", path("m.onnx")}, 2, {"--bits", "0", "4096"});
  expect_error({"train", "--data", path("data"), "--bits", "4097", "--out", path("m.onnx")}, 2, {"--bits", "4097"});
  expect_error({"train", "--data", path("data"), "--epochs", "-1", "--out", path("m.onnx")}, 2, {"--epochs -1"});
  expect_error({"train", "--data", path("data"), "--arch", "tall", "--out", path("m.onnx")}, 2, {"--arch", "tall"});
  expect_error({"train", "--data", path("gone"), "--out", path("m.onnx")}, 3, {path("gone")});
  // Found before any image is read.
  const Words nothing = {"train", "--data", path("gone"), "--split", "train"};
  const auto refused = [&](const char* flag, const std::string& file, const char* reason) {
    Words words = nothing;
    words.insert(words.end(), {flag, file});
    expect_error(words, 3, {flag, file, reason});
  };
  refused("--out", path("data"), "is a folder");
  refused("--features-out", path("no/first.features"), "does not exist");
  const std::string file = path("data/train-images-idx3-ubyte");
  for (const std::string& folder : {file, file + "/deeper"})
    expect_error({"train", "--data", path("gone"), "--split", "train", "--out", path("m.onnx"), "--checkpoint", folder}, 3,
                 {"--checkpoint " + folder, "is a file"});
  expect_error(train("m.onnx", {"--loss", "hinge"}), 2, {"hinge", "exp-product", "orthohash"});
  expect_error(train("m.onnx", {"--loss", "dsh", "--alpha", "9"}), 2, {"--alpha", "dsh"});
  expect_error(train("m.onnx", {"--device", "abacus"}), 2, {"abacus"});
  testdata::make_idx(path("one"), "train", 20, 1);
  expect_error({"train", "--data", path("one"), "--out", path("m.onnx")}, 3, {"class"});
  testdata::write(path("flat/a.png"), testdata::text_of(encode_png(testdata::picture(0, 0))));
  expect_error({"train", "--data", path("flat"), "--out", path("m.onnx")}, 3,
               {"at least two classes", "--supervision instance", "--method itq --features gist"});
  EXPECT_FALSE(std::filesystem::exists(path("m.onnx")));
}

}  // namespace
}  // namespace signet::cli_test
