#include "signet/code/code_set.h"
#include "signet/code/npy.h"
#include "tests/cli/run_signet.h"

// Whatever is wrong with the input: one sentence that names the file and what would be right, the right exit status, and what was
// there before is still there.
namespace signet::cli_test {
namespace {

class BadInputTest : public CliTest {
 protected:
  void SetUp() override {
    write_random_model(path("model.onnx"), 12);
    testdata::make_idx_pair(path("data"), 30, 12, 3);
  }
  void encode_and_index() {
    ok({"encode", "--model", path("model.onnx"), "--data", path("data"), "--out", path("codes")});
    ok({"index", "--codes", path("codes"), "--out", path("index.sig")});
  }
  void expect_encode_error(const std::string& data, const Words& parts) {
    expect_error({"encode", "--model", path("model.onnx"), "--data", data, "--out", path("out"), "--quiet"}, 3, parts);
    EXPECT_FALSE(std::filesystem::exists(path("out/codes.npy"))) << data;
  }
};

TEST_F(BadInputTest, MissingFiles) {
  expect_error({"encode", "--model", path("gone.onnx"), "--data", path("data"), "--out", path("out")}, 3, {"gone.onnx"});
  expect_encode_error(path("gone"), {path("gone")});
  expect_error({"index", "--codes", path("gone"), "--out", path("i.sig")}, 3, {path("gone")});
  expect_error({"search", "--index", path("gone.sig"), "--code", "000"}, 3, {"gone.sig"});
  expect_error({"search", "--collection", path("gone"), "--code", "000"}, 3, {path("gone")});
  expect_error({"inspect", path("gone")}, 3, {path("gone"), "does not exist"});
  encode_and_index();
  expect_error({"search", "--index", path("index.sig"), "--model", path("model.onnx"), "--image", path("gone.png")}, 3,
               {"gone.png"});
  expect_error({"search", "--index", path("index.sig"), "--key", "nobody"}, 3, {"nobody", "index.sig"});
}

TEST_F(BadInputTest, EmptyTruncatedAndForeignDataSets) {
  testdata::write(path("empty/train-images-idx3-ubyte"), "");
  testdata::write(path("empty/train-labels-idx1-ubyte"), "");
  expect_encode_error(path("empty"), {"train-images-idx3-ubyte"});

  const std::string images = slurp(path("data/train-images-idx3-ubyte")), labels = slurp(path("data/train-labels-idx1-ubyte"));
  testdata::write(path("cut/train-images-idx3-ubyte"), images.substr(0, images.size() - 100));
  testdata::write(path("cut/train-labels-idx1-ubyte"), labels);
  expect_encode_error(path("cut"), {"train-images-idx3-ubyte"});

  testdata::write(path("magic/train-images-idx3-ubyte"), "ABCD" + images.substr(4));
  testdata::write(path("magic/train-labels-idx1-ubyte"), labels);
  expect_encode_error(path("magic"), {"train-images-idx3-ubyte"});

  testdata::write(path("counts/train-images-idx3-ubyte"), images);
  testdata::write(path("counts/train-labels-idx1-ubyte"), testdata::idx_labels(std::vector<std::uint8_t>(29, 1)));
  expect_encode_error(path("counts"), {"29", "30"});

  testdata::write(path("broken.tar"), testdata::tar_header("a/1.png", 5000) + "only so much");
  expect_encode_error(path("broken.tar"), {"broken.tar"});
  testdata::write(path("no.tar"), "this is no tar archive at all");
  expect_encode_error(path("no.tar"), {"no.tar"});
  testdata::write(path("empty.csv"), "");
  expect_encode_error(path("empty.csv"), {"empty.csv"});
  std::filesystem::create_directory(path("nothing"));
  expect_encode_error(path("nothing"), {path("nothing")});
}

TEST_F(BadInputTest, OnlyUnreadablePictures) {
  testdata::write(path("photos/a/1.png"), "no picture");
  testdata::write(path("photos/b/2.jpg"), "\xff\xd8\xff");
  expect_encode_error(path("photos"), {path("photos"), "2 tried"});
}

TEST_F(BadInputTest, AHeaderThatClaimsTooManyPixelsIsRefusedBeforeDecoding) {
  // 60,000 x 60,000 in a PNG header of 33 bytes.
  std::string png = testdata::text_of(encode_png(testdata::picture(0, 0)));
  png.replace(16, 8, testdata::big_endian(60'000) + testdata::big_endian(60'000));
  testdata::write(path("photos/huge.png"), png);
  testdata::write(path("photos/small.png"), testdata::text_of(encode_png(testdata::picture(0, 1))));
  const Outcome done = ok({"encode", "--model", path("model.onnx"), "--data", path("photos"), "--out", path("out")});
  EXPECT_NE(slurp(path("out/skipped.csv")).find("huge.png"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("1 code of"), std::string::npos) << done.out;
}

TEST_F(BadInputTest, DamagedModels) {
  const std::string model = slurp(path("model.onnx"));
  testdata::write(path("cut.onnx"), model.substr(0, model.size() / 2));
  testdata::write(path("text.onnx"), "hello");
  testdata::write(path("empty.onnx"), "");
  for (const char* name : {"cut.onnx", "text.onnx", "empty.onnx"}) {
    expect_error({"encode", "--model", path(name), "--data", path("data"), "--out", path("out")}, 3, {name});
    expect_error({"inspect", path(name)}, 3, {name});
  }
}

TEST_F(BadInputTest, AnIndexWithAnyByteFlippedIsRefusedOrAnswersAsBefore) {
  encode_and_index();
  const std::string whole = slurp(path("index.sig"));
  const std::string answer = ok({"search", "--index", path("index.sig"), "--code", "0000", "--json"}).json()["queries"].dump();
  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 40) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    testdata::write(path("damaged.sig"), damaged);
    const Outcome outcome = signet({"search", "--index", path("damaged.sig"), "--code", "0000", "--json"});
    if (outcome.status == 0) {  // a byte of padding
      EXPECT_EQ(outcome.json()["queries"].dump(), answer) << at;
    } else {
      EXPECT_EQ(outcome.status, 3) << "byte " << at << ": " << outcome.err;
      EXPECT_NE(outcome.err.find("damaged.sig"), std::string::npos) << outcome.err;
    }
  }
  testdata::write(path("cut.sig"), whole.substr(0, whole.size() - 1));
  expect_error({"search", "--index", path("cut.sig"), "--code", "0000"}, 3, {"cut.sig"});
}

TEST_F(BadInputTest, AnotherModelsCodesAreRefused) {
  encode_and_index();
  write_random_model(path("other.onnx"), 12, 16, 1, 3, 99);
  ok({"export-images", "--data", path("data"), "--only", "0", "--out", path("pictures")});
  const std::string picture = std::filesystem::directory_iterator(path("pictures"))->path().string();
  const std::string mine = ok({"inspect", path("model.onnx"), "--json"}).json()["fingerprint"];
  const std::string other = ok({"inspect", path("other.onnx"), "--json"}).json()["fingerprint"];
  ASSERT_NE(mine, other);
  expect_error({"search", "--index", path("index.sig"), "--model", path("other.onnx"), "--image", picture}, 3, {mine, other});
  ok({"encode", "--model", path("other.onnx"), "--data", path("data"), "--out", path("codes2")});
  expect_error({"search", "--index", path("index.sig"), "--codes", path("codes2")}, 3, {mine, other});
  expect_error({"eval", "--codes", path("codes2"), "--database", path("codes"), "--protocol", "full"}, 3, {mine, other});
}

TEST_F(BadInputTest, QueriesOfAnotherLength) {
  encode_and_index();
  expect_error({"search", "--index", path("index.sig"), "--code", "00"}, 3, {"12"});
  expect_error({"search", "--index", path("index.sig"), "--code", "zz00"}, 3, {"zz00"});
  expect_error({"search", "--index", path("index.sig"), "--code", "00ff"}, 3, {"00ff"});  // bits 12 to 15 are set
  const CodeMatrix wide(3, 64);
  write_codes_npy(real_file_system(), path("wide.npy"), wide);
  expect_error({"search", "--index", path("index.sig"), "--codes", path("wide.npy")}, 3, {"wide.npy", "8 bytes", "12 bits"});
}

TEST_F(BadInputTest, NamesThatDoNotExist) {
  encode_and_index();
  expect_error({"search", "--index", path("index.sig"), "--code", "0000", "--filter-label", "zebra"}, 3,
               {"zebra", "the classes are"});
  expect_error({"search", "--index", path("index.sig"), "--code", "0000", "--kind", "magic"}, 2, {"magic"});
  expect_error({"search", "--index", path("index.sig"), "--code", "0000"}, 2, {"SIGNET_KERNEL", "abacus"},
               {"SIGNET_KERNEL=abacus"});
  expect_error({"eval", "--model", path("model.onnx"), "--data", path("data"), "--protocol", "imagenet"}, 2,
               {"imagenet", "fashion-full"});
  expect_error({"encode", "--model", path("model.onnx"), "--data", path("data"), "--format", "parquet", "--out", path("out")}, 2,
               {"parquet"});
  expect_error({"encode", "--model", path("model.onnx"), "--data", path("data"), "--split", "holiday", "--out", path("out")}, 3,
               {"holiday"});
  expect_error({"encode", "--model", path("model.onnx"), "--data", path("data"), "--engine", "steam", "--out", path("out")}, 2,
               {"steam"});
  expect_error({"export-images", "--data", path("data"), "--only", "999", "--out", path("out")}, 2, {"999", "0 to 41"});
}

TEST_F(BadInputTest, ExportedPicturesStayInTheirFolderAndReplaceNoOther) {
  const std::string picture = testdata::text_of(encode_png(testdata::picture(0, 0)));
  for (const char* name : {"p1.png", "d-p1.png", "d/p1.png"}) testdata::write(path(std::string("pictures/") + name), picture);
  const auto manifest = [&](const std::string& rows) {
    testdata::write(path("pictures/m.csv"), rows);
    return Words{"export-images", "--data", path("pictures/m.csv"), "--class-folders", "--out", path("out/deep")};
  };
  ok(manifest("p1.png,..\nd-p1.png,.\n"));
  EXPECT_TRUE(std::filesystem::exists(path("out/deep/--/p1.png.png")));
  EXPECT_TRUE(std::filesystem::exists(path("out/deep/-/d-p1.png.png")));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path("out")), {}), 1);
  std::filesystem::remove_all(path("out"));
  expect_error(manifest("d/p1.png,a\nd-p1.png,a\n"), 3, {"d/p1.png", "d-p1.png", path("out/deep/a/d-p1.png.png"), "--only"});
  EXPECT_FALSE(std::filesystem::exists(path("out")));
  ok(manifest("d/p1.png,a\nd-p1.png,b\n"));
  expect_error({"export-images", "--data", path("data"), "--part", "query", "--out", path("out")}, 2,
               {"--part query", "--protocol"});
}

TEST_F(BadInputTest, AFullDiskLeavesTheOldFileAlone) {
  encode_and_index();
  const std::string before = slurp(path("index.sig"));
  ASSERT_GT(before.size(), 2048u) << "the index must be larger than the limit for this test to say anything";
  // The system refuses to let files grow beyond 1,024 bytes, as a full disk would.
  testdata::write(path("full.sh"), std::string("ulimit -f 1; trap '' XFSZ; '") + SIGNET_PROGRAM + "' index --codes '" +
                                       path("codes") + "' --out '" + path("index.sig") + "' 2> '" + path("err.txt") + "'\n");
  EXPECT_EQ(WEXITSTATUS(std::system(("bash '" + path("full.sh") + "'").c_str())), 3);
  EXPECT_NE(slurp(path("err.txt")).find("index.sig"), std::string::npos) << slurp(path("err.txt"));
  EXPECT_EQ(slurp(path("index.sig")), before);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    EXPECT_EQ(entry.path().filename().string().find(".tmp"), std::string::npos) << entry.path();
  }
}

// No user, root included, may make files there.
TEST_F(BadInputTest, AFolderThatCannotBeWrittenIsNamed) {
  encode_and_index();
  const std::string nowhere = "/proc/signet-test";
  expect_error({"encode", "--model", path("model.onnx"), "--data", path("data"), "--out", nowhere}, 3, {nowhere});
  expect_error({"index", "--codes", path("codes"), "--out", nowhere + ".sig"}, 3, {nowhere});
  expect_error({"search", "--index", path("index.sig"), "--code", "0000", "--html", nowhere + ".html"}, 3, {nowhere});
  expect_error({"collection", "create", nowhere, "--bits", "8"}, 3, {nowhere});
}

}  // namespace
}  // namespace signet::cli_test
