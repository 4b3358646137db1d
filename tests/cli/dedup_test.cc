#include <algorithm>
#include <set>

#include "signet/base/sha256.h"
#include "signet/baseline/hasher.h"
#include "signet/dedup/code_kind.h"
#include "signet/image/alter.h"
#include "signet/store/collection.h"
#include "signet/store/collection_writer.h"
#include "tests/cli/run_signet.h"
#include "tests/support/drawing.h"

namespace signet::cli_test {
namespace {

// Twelve pictures of soft blobs; a copy of one byte for byte, and a smaller one of another.
class DedupCliTest : public CliTest {
 protected:
  void SetUp() override {
    for (std::uint32_t i = 0; i < 12; ++i) save(concat("photos/", i, ".png"), picture(i));
    testdata::write(path("photos/copies/bytes.png"), slurp(path("photos/1.png")));
    save("photos/copies/small.png", resize(picture(2), 40, 40));
  }
  static void write_model_of(const std::string& record, const std::string& file) {
    Model model = random_model(32, 16, 3, 3, 5);
    model.info.training_record = record;
    write_model(real_file_system(), file, model);
  }
  static void write_instance_model(const std::string& file) { write_model_of(R"({"options":{"supervision":"instance"}})", file); }
  static void write_class_model(const std::string& file) { write_model_of(R"({"options":{"supervision":"class"}})", file); }
  static std::string concat(const std::string& a, std::uint32_t i, const std::string& b) { return a + std::to_string(i) + b; }
  static Image picture(std::uint32_t seed) {
    Random random(mix_seed(seed, 3));
    Image small{7, 7, 3, {}};
    for (int i = 0; i < 147; ++i) small.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
    return resize(small, 64, 64);
  }
  void save(const std::string& name, const Image& image) const {
    testdata::write(path(name), testdata::text_of(encode_png(image)));
  }
  Words dedup(const Words& more) const {
    Words words = {"dedup", path("photos"), "--hash", "phash", "--out", path("plan.json")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path("photos")))
      if (entry.is_regular_file()) names.insert(entry.path().filename());
    return names;
  }
  nlohmann::json same_bytes(const Words& paths, const std::string& plan = "plan.json") const {
    Words words = {"dedup", "--level", "same-bytes", "--json", "--out", path(plan)};
    words.insert(words.end(), paths.begin(), paths.end());
    return ok(words).json();
  }
  // With images under relative keys: 1.png, copies/bytes.png, and gone/bytes.png, which is not there; all of the same bytes.
  void make_collection(const std::string& name, const std::string& root, const std::string& model_path) const {
    CreateOptions options;
    options.bits = 64, options.root = root, options.model = std::string(64, 'a'), options.model_path = model_path;
    const auto writer = CollectionWriter::create(real_file_system(), path(name), options);
    std::vector<ImageRecord> records;
    for (const std::string key : {"1.png", "copies/bytes.png", "gone/bytes.png"}) {
      const std::string bytes = slurp(path("photos/1.png"));
      ImageRecord& record = records.emplace_back();
      record.key = key, record.width = record.height = 64, record.bytes = bytes.size(),
      record.sha256 = sha256_hex(as_bytes(bytes));
    }
    const CodeMatrix codes(3, 64);
    writer->add({&codes, records, options.model}, {});
  }
  // Keys of the pictures that would go, with their levels.
  static std::set<std::string> found(const nlohmann::json& result) {
    std::set<std::string> all;
    for (const auto& group : result["groups"])
      for (const auto& one : group["duplicates"])
        all.insert(std::filesystem::path(one["key"].get<std::string>()).filename().string() + " " +
                   one["level"].get<std::string>());
    return all;
  }
};

TEST_F(DedupCliTest, PlansAppliesAndUndoes) {
  const auto result = ok(dedup({"--json", "--radius", "8"})).json();
  EXPECT_EQ(found(result), (std::set<std::string>{"bytes.png same-bytes", "small.png near-duplicate"})) << result;
  EXPECT_EQ(result["files"], 2);
  const std::uint64_t saved =
      std::filesystem::file_size(path("photos/copies/bytes.png")) + std::filesystem::file_size(path("photos/copies/small.png"));
  EXPECT_EQ(result["bytes_saved"], saved);
  const std::string list = slurp(path("plan.json.list"));  // ordered by who is kept
  EXPECT_EQ(list.size(), path("photos/copies/bytes.png").size() + path("photos/copies/small.png").size() + 2);
  for (const char* name : {"photos/copies/bytes.png", "photos/copies/small.png"})
    EXPECT_NE(list.find(path(name) + "\n"), std::string::npos) << list;
  EXPECT_EQ(files().size(), 14u);  // nothing has happened yet

  const auto applied = ok({"dedup", "apply", path("plan.json"), "--json"}).json();
  EXPECT_EQ(applied["moved"], 2);
  EXPECT_EQ(applied["bytes_saved"], saved);
  EXPECT_EQ(files().size(), 12u);
  EXPECT_FALSE(files().contains("bytes.png"));
  const Outcome undone = ok({"dedup", "undo", path("plan.json")});
  EXPECT_NE(undone.out.find("2 files are back"), std::string::npos) << undone.out;
  EXPECT_EQ(files().size(), 14u);
  EXPECT_EQ(slurp(path("photos/copies/bytes.png")), slurp(path("photos/1.png")));
}

TEST_F(DedupCliTest, CalibratesOnThePicturesThemselves) {
  const auto result = ok(dedup({"--json", "--no-second-look"})).json();
  EXPECT_EQ(found(result), (std::set<std::string>{"bytes.png same-bytes", "small.png near-duplicate"})) << result;
  EXPECT_EQ(result["calibration"]["images"], 14);
  EXPECT_GT(result["radius"], 0);
  EXPECT_TRUE(result["likeness"].is_null());
  const auto plan = nlohmann::json::parse(slurp(path("plan.json")));
  EXPECT_EQ(plan["calibration"]["radius"], result["radius"]);
  const Outcome text = ok(dedup({}));
  for (const char* part : {"known copies", "false pairs an image", "same-bytes", "near-duplicate", "saves", "signet dedup apply"})
    EXPECT_NE(text.out.find(part), std::string::npos) << part << "\n" << text.out;
}

TEST_F(DedupCliTest, AModelAndAHashProposeTogether) {
  write_instance_model(path("m.onnx"));
  const Words base = {"dedup",      path("photos"), "--model", path("m.onnx"), "--out", path("plan.json"),
                      "--mirrored", "--sample",     "6"};
  const auto with = [&](Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const auto both = ok(with(base, {"--json"})).json();
  EXPECT_EQ(found(both), (std::set<std::string>{"bytes.png same-bytes", "small.png near-duplicate"})) << both;
  EXPECT_TRUE(both["method"].get<std::string>().ends_with(" + phash")) << both["method"];
  ASSERT_TRUE(both["more_radius"].is_number());
  EXPECT_EQ(both["calibration"]["more_radius"], both["more_radius"]);
  const auto alone = ok(with(base, {"--json", "--hash", "none"})).json();
  EXPECT_TRUE(alone["more_radius"].is_null());
  EXPECT_FALSE(alone["method"].get<std::string>().ends_with("phash"));
  const auto recall = [](const nlohmann::json& result) {
    return result["calibration"]["curve"][result["radius"].get<std::size_t>()]["recall"].get<double>();
  };
  EXPECT_GE(recall(both), recall(alone));
  EXPECT_NE(ok(with(base, {"--hash", "dhash"})).out.find("of the hash"), std::string::npos);
  // A collection's codes are used as they are, unless a hash is asked for beside its model.
  ok({"add", path("photos"), "--collection", path("c"), "--model", path("m.onnx"), "--no-labels"});
  const Words stored = {"dedup",  "--collection", path("c"),         "--model",  path("m.onnx"),
                        "--json", "--out",        path("plan.json"), "--sample", "6"};
  EXPECT_TRUE(ok(stored).json()["more_radius"].is_null());
  const auto hashed = ok(with(stored, {"--hash", "phash"})).json();
  EXPECT_TRUE(hashed["more_radius"].is_number());
  EXPECT_EQ(found(hashed), found(both));
}

TEST_F(DedupCliTest, LevelsAndKeepRules) {
  const auto at = [&](const std::string& level, const Words& more = {}) {
    Words words = {"dedup", path("photos"), "--level", level, "--json", "--out", path("plan.json")};
    words.insert(words.end(), more.begin(), more.end());
    return ok(words).json();
  };
  EXPECT_EQ(found(at("same-bytes")), (std::set<std::string>{"bytes.png same-bytes"}));
  // The same picture three times, once with bytes behind its end: that one is the heaviest, and stays.
  save("photos/copies/again.png", picture(3));
  testdata::write(path("photos/copies/pixels.png"), slurp(path("photos/3.png")) + "trailing");
  EXPECT_EQ(found(at("same-pixels")),
            (std::set<std::string>{"3.png same-pixels", "again.png same-pixels", "bytes.png same-bytes"}));
  const auto kept = at("same-bytes", {"--keep", "path", "--prefer", path("photos/copies")});
  EXPECT_TRUE(found(kept).contains("1.png same-bytes")) << kept;
  // Another folder whose name begins as the wanted one's has nothing to say, though its picture is the heaviest.
  testdata::write(path("photos/copies-old/again.png"), slurp(path("photos/copies/pixels.png")) + "and more");
  const auto nearer = at("same-pixels", {"--keep", "path", "--prefer", path("photos/copies")});
  for (const auto& group : nearer["groups"])
    EXPECT_EQ(std::filesystem::path(group["keep"]["key"].get<std::string>()).parent_path(), path("photos/copies")) << group;
}

TEST_F(DedupCliTest, ANameThatNoPlanCanBearStopsNoOther) {
  testdata::write(path("photos/line\nbreak.png"), slurp(path("photos/1.png")));
  testdata::write(path("photos/\xff.png"), slurp(path("photos/1.png")));
  const Outcome found = ok({"dedup", path("photos"), "--level", "same-bytes", "--out", path("plan.json")});
  EXPECT_NE(found.err.find("not in the plan: 2 whose name"), std::string::npos) << found.err;
  ok({"dedup", "apply", path("plan.json")});
  EXPECT_TRUE(files().contains("line\nbreak.png"));
  EXPECT_FALSE(files().contains("bytes.png"));
}

TEST_F(DedupCliTest, AFileOfTwoNamesIsNotItsOwnDuplicate) {
  namespace fs = std::filesystem;
  fs::create_directory_symlink(path("photos"), path("album"));
  EXPECT_EQ(same_bytes({path("photos"), path("album")})["files"], 1);
  ok({"dedup", "apply", path("plan.json")});
  EXPECT_EQ(files().size(), 13u);
  ok({"dedup", "undo", path("plan.json")});
  const auto against = same_bytes({path("photos"), "--against", path("album")});
  EXPECT_EQ(against["files"], 0) << against;  // each is of the reference, which stays
  EXPECT_EQ(against["groups"].size(), 13u);   // and is told of all the same

  // A link in the same folder, and two copies of what it leads to, the one on the same disk blocks.
  const std::string link = path("few/a.png"), target = path("few/z.png");
  testdata::write(target, slurp(path("photos/1.png")));
  fs::create_symlink("z.png", link);
  EXPECT_EQ(same_bytes({path("few")})["files"], 0);
  fs::create_hard_link(target, path("few/y.png"));
  EXPECT_EQ(same_bytes({path("few")})["files"], 0);
  testdata::write(path("few/copy.png"), slurp(target));
  fs::last_write_time(path("few/copy.png"), fs::last_write_time(target) + std::chrono::hours(1));
  EXPECT_EQ(same_bytes({path("few")})["files"], 1);
  EXPECT_EQ(slurp(path("plan.json.list")), path("few/copy.png") + "\n");
  // The copy is the one to stay: moving what the link leads to would break the link, and both hard links are the same file.
  fs::last_write_time(path("few/copy.png"), fs::last_write_time(target) - std::chrono::hours(1));
  EXPECT_EQ(same_bytes({path("few")})["files"], 0);
  fs::remove(link);
  EXPECT_EQ(same_bytes({path("few")})["files"], 2);
}

TEST_F(DedupCliTest, WhatWasMovedAwayIsNotLookedThrough) {
  const std::string plan = "photos/plan.json";
  EXPECT_EQ(same_bytes({path("photos")}, plan)["files"], 1);
  ok({"dedup", "apply", path(plan)});
  EXPECT_EQ(files().size(), 13u + 1 + 3);  // 1-bytes.png, the plan, its list and the journal
  const auto again = same_bytes({path("photos")}, plan);
  EXPECT_EQ(again["files"], 0) << again;
  EXPECT_EQ(again["images"], 13);
  EXPECT_EQ(again["in_trash"], 1);
  // Nor by another plan, from a collection, or below the folder that a plan names.
  const Words other = {"dedup", path("photos"), "--level", "same-bytes", "--out", path("other.json")};
  EXPECT_NE(ok(other).err.find("left out 1 picture that dedup has moved away"), std::string::npos);
  write_random_model(path("m.onnx"), 32, 16, 3);
  ok({"add", path("photos"), "--collection", path("c"), "--model", path("m.onnx"), "--no-labels"});
  EXPECT_EQ(same_bytes({"--collection", path("c")})["in_trash"], 1);
  std::filesystem::create_directories(path("photos/old"));
  std::filesystem::copy(path("photos/1.png"), path("photos/old/1.png"));
  EXPECT_EQ(same_bytes({path("photos")})["files"], 1);
  EXPECT_EQ(same_bytes({path("photos"), "--trash", path("photos/old")})["files"], 0);
  // Nothing but such pictures is nothing to look through.
  write_instance_model(path("i.onnx"));
  const auto none = ok({"dedup", path("photos/plan.json.trash"), "--model", path("i.onnx"), "--json"}).json();
  EXPECT_EQ(none["images"], 0);
  EXPECT_EQ(none["in_trash"], 1);
}

TEST_F(DedupCliTest, KeysOfACollectionBecomePathsWhereTheFilesAre) {
  make_collection("c", path("photos"), "");
  make_collection("d", "", path("was/here.onnx"));
  const std::filesystem::path before = std::filesystem::current_path();
  EXPECT_EQ(same_bytes({"--collection", path("d")})["files"], 0);  // nothing is there
  std::filesystem::current_path(path("photos"));
  for (const char* name : {"c", "d"}) {
    const Outcome found = ok({"dedup", "--collection", path(name), "--level", "same-bytes", "--out", path("plan.json")});
    EXPECT_NE(found.err.find("not in the plan: 1 that have"), std::string::npos) << found.err;
    EXPECT_NE(found.err.find("gone/bytes.png"), std::string::npos) << found.err;
    EXPECT_EQ(slurp(path("plan.json.list")), path("photos/copies/bytes.png") + "\n");
    ok({"dedup", "apply", path("plan.json")});
    ok({"dedup", "undo", path("plan.json")});
  }
  std::filesystem::current_path(before);
  const Words base = {"dedup", path("photos"), "--radius", "3", "--collection"};
  const auto refused = [&](const std::string& name, const Words& parts) {
    Words words = base;
    words.push_back(path(name));
    expect_error(words, 3, parts);
  };
  refused("c", {path("photos"), "does not know where", "--model FILE"});
  refused("d", {path("photos"), "not at " + path("was/here.onnx"), "--model FILE"});
}

TEST_F(DedupCliTest, AgainstAReferenceAndLeaks) {
  std::filesystem::create_directories(path("new"));
  save("new/known.png", alter(picture(5), Change::kJpeg, 1));
  save("new/fresh.png", picture(77));
  const auto result = ok({"dedup", path("new"), "--against", path("photos"), "--hash", "phash", "--radius", "10", "--json",
                          "--out", path("plan.json")})
                          .json();
  EXPECT_EQ(found(result), (std::set<std::string>{"known.png near-duplicate"}))
      << result;  // nothing of the reference's own copies
  EXPECT_EQ(result["images"], 2);
  EXPECT_EQ(result["reference"], 14);
}

TEST_F(DedupCliTest, MirroredAndTurned) {
  std::filesystem::create_directories(path("new"));
  save("new/mirrored.png", mirror(picture(4)));
  save("new/turned.png", turn_quarter(picture(6)));
  const Words plain = {"dedup",    path("new"), "--against", path("photos"), "--hash",         "dhash",
                       "--radius", "8",         "--json",    "--out",        path("plan.json")};
  EXPECT_TRUE(found(ok(plain).json()).empty());
  Words mirrored = plain;
  mirrored.push_back("--mirrored");
  EXPECT_EQ(found(ok(mirrored).json()), (std::set<std::string>{"mirrored.png near-duplicate"}));
  mirrored.push_back("--turned");
  const std::set<std::string> both = {"mirrored.png near-duplicate", "turned.png near-duplicate"};
  EXPECT_EQ(found(ok(mirrored).json()), both);
  // A second look knows them too.
  mirrored.insert(mirrored.end(), {"--likeness", "0.9"});
  EXPECT_EQ(found(ok(mirrored).json()), both);
}

TEST_F(DedupCliTest, MirroredCopiesOfACollectionByTwoKindsOfCodes) {
  write_instance_model(path("m.onnx"));
  ok({"add", path("photos"), "--collection", path("c"), "--model", path("m.onnx"), "--no-labels"});
  save("new/mirrored.png", mirror(picture(4)));
  save("new/jpeg.png", alter(picture(5), Change::kJpeg, 1));
  const auto result = ok({"dedup", path("new"), "--collection", path("c"), "--model", path("m.onnx"), "--hash", "phash",
                          "--mirrored", "--sample", "6", "--json", "--out", path("plan.json")})
                          .json();
  EXPECT_EQ(found(result), (std::set<std::string>{"jpeg.png near-duplicate", "mirrored.png near-duplicate"})) << result;
  EXPECT_EQ(result["reference"], 14);
}

TEST_F(DedupCliTest, DrawingsAreNotTakenForCopiesOfOneAnother) {
  for (std::uint32_t i = 0; i < 20; ++i) save(concat("drawings/", i, ".png"), testdata::drawing(i));
  const Words words = {"dedup", path("drawings"), "--hash", "phash", "--out", path("plan.json"), "--json"};
  const Outcome told = ok(words);
  EXPECT_EQ(told.json()["files"], 0) << told.out;
  EXPECT_EQ(told.json()["likeness"], 0.5);
  EXPECT_LT(told.json()["calibration"]["passing"].get<double>(), 0.98);
  EXPECT_NE(told.err.find("so that the second look asks for 0.500 and will miss"), std::string::npos) << told.err;
  Words alone = words;
  alone.push_back("--no-second-look");
  const Outcome by_codes = ok(alone);
  EXPECT_EQ(by_codes.json()["files"], 0) << by_codes.out;
  EXPECT_EQ(by_codes.err.find("second look"), std::string::npos) << by_codes.err;
}

TEST_F(DedupCliTest, TheSharpestStaysInACollectionToo) {
  save("photos/copies/large.png", resize(picture(2), 128, 128));
  ok({"train", "--method", "phash", "--out", path("phash.onnx")});
  ok({"add", path("photos"), "--collection", path("c"), "--model", path("phash.onnx"), "--no-labels"});
  const auto kept = [&](const Words& more) {
    Words words = {"dedup", "--collection", path("c"), "--radius", "8", "--json", "--out", path("plan.json")};
    words.insert(words.end(), more.begin(), more.end());
    const auto found = ok(words).json();
    std::set<std::string> names;
    for (const auto& group : found["groups"])
      names.insert(std::filesystem::path(group["keep"]["key"].get<std::string>()).filename());
    return names;
  };
  const auto holds = [](const std::set<std::string>& names, const char* name) { return names.contains(name); };
  EXPECT_TRUE(holds(kept({}), "large.png")) << testing::PrintToString(kept({}));
  for (const Words& model : {Words{}, Words{"--model", path("phash.onnx")}}) {
    Words words = {"--keep", "sharpest"};
    words.insert(words.end(), model.begin(), model.end());
    EXPECT_TRUE(holds(kept(words), "small.png")) << testing::PrintToString(kept(words));
    EXPECT_FALSE(holds(kept(words), "large.png"));
  }
  std::filesystem::remove(path("photos/7.png"));  // cannot be measured, and that is said
  EXPECT_NE(ok({"dedup", "--collection", path("c"), "--radius", "8", "--keep", "sharpest", "--out", path("plan.json")})
                .err.find("skipped " + path("photos/7.png")),
            std::string::npos);
}

TEST_F(DedupCliTest, PreferredFoldersAreWhereTheFilesAre) {
  make_collection("c", path("photos"), "");
  const auto prefer = [&](const std::string& folder) {
    return ok({"dedup", "--collection", path("c"), "--level", "same-bytes", "--keep", "path", "--prefer", path(folder), "--json",
               "--out", path("plan.json")});
  };
  const Outcome copies = prefer("photos/copies");
  EXPECT_EQ(copies.json()["groups"][0]["keep"]["key"], "copies/bytes.png");
  EXPECT_EQ(slurp(path("plan.json.list")), path("photos/1.png") + "\n");
  EXPECT_EQ(copies.err.find("--prefer"), std::string::npos) << copies.err;
  const Outcome nothing = prefer("output");
  EXPECT_EQ(nothing.json()["groups"][0]["keep"]["key"], "1.png");
  EXPECT_NE(nothing.err.find("--prefer " + path("output") + ": none of the pictures lies there"), std::string::npos)
      << nothing.err;
}

// Their pixels are known, which is something else.
TEST_F(DedupCliTest, BytesOfMembersOfATarAreThoseOfTheirFiles) {
  const std::string png = slurp(path("photos/1.png"));
  testdata::make_tar(path("tars/a.tar"), {{"class0/0000.png", png}, {"class0/0001.png", png}});
  const auto same_bytes = [&](const Words& more) {
    Words words = {"dedup", "--level", "same-bytes", "--json", "--out", path("plan.json")};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = ok(words);
    EXPECT_EQ(outcome.err.find("not known"), std::string::npos) << outcome.err;
    return outcome.json()["groups"].size();
  };
  EXPECT_EQ(same_bytes({path("tars/a.tar")}), 1u);
  EXPECT_EQ(same_bytes({path("tars/a.tar"), "--against", path("photos")}), 1u);
  write_random_model(path("m.onnx"), 32, 16, 3);
  ok({"add", path("tars/a.tar"), "--collection", path("c"), "--model", path("m.onnx")});
  EXPECT_EQ(same_bytes({"--collection", path("c")}), 1u);
}

TEST_F(DedupCliTest, BytesOfPixelsInAFileAreNotKnown) {
  const auto told = [&](const Words& more, const std::string& count) {
    Words words = {"dedup", "--level", "same-bytes", "--json", "--out", path("plan.json")};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = ok(words);
    EXPECT_TRUE(outcome.json()["groups"].empty()) << outcome.out;
    EXPECT_NE(outcome.err.find("the bytes of " + count + " pictures are not known"), std::string::npos) << outcome.err;
  };
  testdata::make_idx(path("idx"), "train", 6, 2);
  told({path("idx")}, "6");
  write_random_model(path("grey.onnx"), 32, 16, 1);
  ok({"add", path("idx"), "--collection", path("c"), "--model", path("grey.onnx")});
  told({"--collection", path("c")}, "6");
  // Nor of codes that were imported without their pictures' digests.
  write_random_model(path("m.onnx"), 32, 16, 3);
  const std::string png = slurp(path("photos/1.png"));
  testdata::make_tar(path("tars/a.tar"), {{"class0/0000.png", png}, {"class0/0001.png", png}});
  ok({"encode", "--model", path("m.onnx"), "--data", path("tars/a.tar"), "--out", path("codes")});
  ok({"collection", "import", path("d"), "--codes", path("codes")});
  told({"--collection", path("d")}, "2");
  EXPECT_EQ(ok({"dedup", path("photos"), "--level", "same-bytes", "--out", path("plan.json")}).err, "");
}

// Whether a child of this process catches Ctrl-C by now.
bool child_catches_interrupts() {
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
    const std::string status = slurp(entry.path() / "status");
    const std::size_t caught = status.find("\nSigCgt:\t");
    if (caught == std::string::npos || status.find("\nPPid:\t" + std::to_string(getpid()) + "\n") == std::string::npos) continue;
    if (std::stoull(status.substr(caught + 9, 16), nullptr, 16) >> (SIGINT - 1) & 1) return true;
  }
  return false;
}

TEST_F(DedupCliTest, ReadingWithoutCodesCanBeInterrupted) {
  testdata::make_idx(path("many"), "train", 60'000, 3);
  const Words words = {"dedup", path("many"), "--level", "same-pixels", "--threads", "1", "--out", path("plan.json")};
  Process process(SIGNET_PROGRAM, words, path("output"));
  EXPECT_TRUE(process.reaches(child_catches_interrupts));
  const bool over = process.ended();
  process.signal(SIGINT);
  const Outcome stopped = process.wait();
  if (over) GTEST_SKIP() << "all was read before it could be interrupted";
  EXPECT_EQ(stopped.status, 130) << stopped.err;
  EXPECT_FALSE(std::filesystem::exists(path("plan.json")));
  EXPECT_NE(stopped.err.find("stopped on request; nothing was written"), std::string::npos) << stopped.err;
}

TEST_F(DedupCliTest, AKeeperThatIsGoneIsNamedOnceAndNotItsCopies) {
  save("photos/copies/medium.png", resize(picture(2), 48, 48));
  ok({"train", "--method", "phash", "--out", path("phash.onnx")});
  ok({"add", path("photos"), "--collection", path("c"), "--model", path("phash.onnx"), "--no-labels"});
  std::filesystem::remove(path("photos/2.png"));
  const Outcome told =
      ok({"dedup", "--collection", path("c"), "--radius", "8", "--likeness", "0.5", "--json", "--out", path("plan.json")});
  EXPECT_EQ(told.json()["skipped"], 1) << told.err;
  EXPECT_NE(told.err.find("skipped " + path("photos/2.png")), std::string::npos) << told.err;
  EXPECT_EQ(told.err.find("copies"), std::string::npos) << told.err;
  // And the copies are compared with one another.
  EXPECT_EQ(found(told.json()), (std::set<std::string>{"bytes.png same-bytes", "small.png near-duplicate"})) << told.out;
}

TEST_F(DedupCliTest, VerdictsOfACollectionAreKept) {
  write_class_model(path("model.onnx"));
  ok({"add", path("photos"), "--collection", path("c"), "--model", path("model.onnx"), "--no-labels"});
  const Words words = {"dedup", "--collection", path("c"), "--hash",         "phash", "--radius",
                       "8",     "--json",       "--out",   path("plan.json")};
  EXPECT_EQ(found(ok(words).json()), (std::set<std::string>{"bytes.png same-bytes", "small.png near-duplicate"}));
  const std::string small = path("photos/copies/small.png"), original = path("photos/2.png");
  ok({"dedup", "verdict", "--collection", path("c"), "--not-duplicate", small, original});
  EXPECT_EQ(found(ok(words).json()), (std::set<std::string>{"bytes.png same-bytes"}));
  // Still so after another model's collection has taken over.
  write_random_model(path("other.onnx"), 16, 16, 3, 3, 9);
  ok({"migrate", "--collection", path("c"), "--model", path("other.onnx"), "--out", path("d")});
  EXPECT_EQ(Collection::open(real_file_system(), path("d"))->view()->verdicts().size(), 1u);
  ok({"dedup", "verdict", "--collection", path("c"), "--forget", original, small});
  EXPECT_EQ(found(ok(words).json()).size(), 2u);
  expect_error({"dedup", "verdict", "--collection", path("c"), "--forget", original, small}, 3, {"nothing was said"});
  expect_error({"dedup", "verdict", "--collection", path("c"), "--duplicate", original, "/nowhere"}, 3,
               {"/nowhere", "is not in the collection"});
  expect_error({"dedup", "verdict", "--collection", path("c"), "--duplicate", original}, 2, {"two keys"});
}

TEST_F(DedupCliTest, CodesOfClassesAreRefusedBeforeAnythingIsRead) {
  write_class_model(path("m.onnx"));
  ok({"add", path("photos"), "--collection", path("c"), "--model", path("m.onnx"), "--no-labels"});
  for (const Words& radius : {Words{}, Words{"--radius", "26"}}) {
    const auto refused = [&](Words words) {
      words.insert(words.end(), radius.begin(), radius.end());
      expect_error(words, 3, {"codes of classes", "--supervision instance"});
    };
    refused({"dedup", "--collection", path("c"), "--out", path("plan.json")});
    refused({"dedup", path("none"), "--model", path("m.onnx"), "--hash", "none", "--out", path("plan.json")});
  }
  EXPECT_FALSE(std::filesystem::exists(path("plan.json")));
  const auto classes = ok({"dedup", "--collection", path("c"), "--level", "same-class", "--radius", "3", "--json"}).json();
  EXPECT_EQ(classes["files"], 0);
}

TEST_F(DedupCliTest, CodesThatFollowWhatPicturesLookLikeFindCopies) {
  ok({"train", "--method", "phash", "--out", path("phash.onnx")});
  ok({"add", path("photos"), "--collection", path("c"), "--model", path("phash.onnx"), "--no-labels"});
  const auto result = ok({"dedup", "--collection", path("c"), "--radius", "8", "--json", "--out", path("plan.json")}).json();
  EXPECT_EQ(found(result), (std::set<std::string>{"bytes.png same-bytes", "small.png near-duplicate"})) << result;
  EXPECT_EQ(result["files"], 2);
  expect_error({"dedup", "--collection", path("c"), "--level", "same-class"}, 3, {"--level same-class", "trained on classes"});
  write_model_of(R"({"method":"lsh","features":"gist"})", path("lsh.onnx"));
  ok({"dedup", path("photos"), "--model", path("lsh.onnx"), "--hash", "none", "--radius", "0", "--out", path("plan.json")});
  write_model_of(R"({"method":"ksh","features":"gist"})", path("ksh.onnx"));
  expect_error({"dedup", path("photos"), "--model", path("ksh.onnx"), "--hash", "none", "--radius", "0"}, 3,
               {"codes of classes"});
}

TEST_F(DedupCliTest, NothingIsPlannedByCodesWhoseModelIsGone) {
  ok({"train", "--method", "phash", "--out", path("phash.onnx")});
  ok({"add", path("photos"), "--collection", path("c"), "--model", path("phash.onnx"), "--no-labels"});
  std::filesystem::remove(path("phash.onnx"));
  const Words words = {"dedup", "--collection", path("c"), "--out", path("plan.json"), "--json"};
  expect_error(words, 2, {"calibrated", "not at " + path("phash.onnx"), "--model FILE"});
  Words near = words;
  near.insert(near.end(), {"--radius", "8"});
  const Outcome told = ok(near);
  EXPECT_EQ(found(told.json()), (std::set<std::string>{"bytes.png same-bytes", "small.png near-duplicate"})) << told.out;
  EXPECT_EQ(slurp(path("plan.json.list")), path("photos/copies/bytes.png") + "\n");
  EXPECT_NE(told.err.find("any more and not given by --model, tell"), std::string::npos) << told.err;
  EXPECT_NE(told.err.find("nothing is planned by them"), std::string::npos) << told.err;
  EXPECT_NE(told.err.find("not in the plan: 1 whose codes are near"), std::string::npos) << told.err;
}

TEST_F(DedupCliTest, NothingIsPlannedByAModelThatDoesNotSayWhatItTellsApart) {
  const Words words = {"dedup",    path("photos"), "--model", path("model.onnx"), "--hash", "none",
                       "--radius", "16",           "--out",   path("plan.json"),  "--json"};
  write_instance_model(path("model.onnx"));  // the same codes
  const auto instance = ok(words).json();
  write_model_of("{}", path("model.onnx"));
  const Outcome told = ok(words);
  EXPECT_EQ(told.json()["groups"], instance["groups"]);
  EXPECT_GT(instance["files"], 1);
  EXPECT_LE(told.json()["files"], 1) << "at most the copy by its bytes";
  EXPECT_NE(told.err.find("whose record does not say what it was trained for, tell"), std::string::npos) << told.err;
}

// A method that is added to the one list and not to the other would have its codes taken for something else.
TEST(CodeKindOfMethods, FollowsWhetherTheyLearnFromLabels) {
  for (const std::string& method : baseline_names())
    EXPECT_EQ(code_kind("{\"features\": \"gist\", \"method\": \"" + method + "\"}"),
              learns_from_labels(method) ? CodeKind::kClass : CodeKind::kNeither)
        << method;
}

TEST_F(DedupCliTest, OptionsAreLookedAtBeforeThePictures) {
  const auto refused = [&](const Words& more, int status, const Words& parts) {
    Words words = {"dedup", path("none"), "--hash", "phash"};
    words.insert(words.end(), more.begin(), more.end());
    expect_error(words, status, parts);
  };
  refused({"--out", path("nowhere/plan.json")}, 3, {"--out " + path("nowhere/plan.json"), "does not exist"});
  refused({"--out", path("photos")}, 3, {"--out " + path("photos"), "is a folder"});
  EXPECT_FALSE(std::filesystem::exists(path("photos.list")));
  std::filesystem::create_directory(path("plan.json.list"));
  refused({"--out", path("plan.json")}, 3, {"--out " + path("plan.json.list"), "is a folder"});
  std::filesystem::remove(path("plan.json.list"));
  const Words out = {"--out", path("plan.json")};
  const auto with_out = [&](Words words) {
    words.insert(words.end(), out.begin(), out.end());
    return words;
  };
  refused(with_out({"--keep", "best"}), 2, {"best", "sharpest"});
  refused(with_out({"--radius", "999"}), 2, {"--radius 999", "64"});
  refused(with_out({"--radius", "2.9"}), 2, {"--radius", "2.9", "whole number"});
  refused(with_out({"--budget", "much"}), 2, {"--budget", "much", "0 to 1000"});
  refused(with_out({"--likeness", "2"}), 2, {"--likeness", "2", "0 to 1"});
  // No plan can name the folder that its files would go to.
  refused(with_out({"--trash", path("trash\xff")}), 3, {"--trash", "not UTF-8"});
  std::filesystem::create_directory(path("odd\xff"));
  refused({"--out", path("odd\xff/plan.json")}, 3, {"the trash folder", "not UTF-8", "--trash DIR"});
}

// Where there is nothing to move there is no plan, so its default name need not have a place; but that it has none is said at
// once.
TEST_F(DedupCliTest, ADefaultPlanWithoutAPlaceIsSaidAtOnceAndStopsNothing) {
  const std::filesystem::path before = std::filesystem::current_path();
  for (const char* name : {"dedup-plan.json", "dedup-plan.json.list"}) {
    std::filesystem::create_directories(path("here/" + std::string(name)));
    std::filesystem::current_path(path("here"));
    const Outcome none = ok({"dedup", path("photos/copies"), "--level", "same-bytes"});
    const Outcome some = signet({"dedup", path("photos"), "--level", "same-bytes"});
    std::filesystem::current_path(before);
    std::filesystem::remove_all(path("here"));
    for (const Outcome& one : {none, some}) {
      EXPECT_NE(one.err.find("no plan can be written without --out FILE"), std::string::npos) << one.err;
      EXPECT_NE(one.err.find(name), std::string::npos) << one.err;
    }
    EXPECT_EQ(some.status, 3);
    EXPECT_NE(some.out.find("1 group"), std::string::npos) << some.out;  // the result is there nevertheless
  }
}

TEST_F(DedupCliTest, OptionsThatSayNothingAreRefused) {
  const auto refused = [&](const Words& more, const Words& parts) {
    Words words = {"dedup", path("none"), "--out", path("plan.json")};
    words.insert(words.end(), more.begin(), more.end());
    expect_error(words, 2, parts);
  };
  const std::vector<Words> of_codes = {{"--model", "m.onnx"}, {"--hash", "phash"}, {"--radius", "3"}, {"--budget", "1"},
                                       {"--likeness", "0.5"}, {"--sample", "9"},   {"--seed", "2"},   {"--no-second-look"},
                                       {"--mirrored"},        {"--turned"}};
  for (const std::string level : {"same-bytes", "same-pixels"}) {
    for (Words words : of_codes) {
      const std::string flag = words.front();
      words.insert(words.end(), {"--level", level});
      refused(words, {flag + " says nothing at --level " + level, "leave it out"});
    }
    refused({"--level", level, "--keep", "sharpest"}, {"--keep sharpest says nothing at --level " + level, "equally sharp"});
  }
  for (Words words : of_codes) {
    const std::string flag = words.front();
    if (flag == "--model" || flag == "--radius" || flag == "--mirrored" || flag == "--turned") continue;
    words.insert(words.end(), {"--level", "same-class"});
    refused(words, {flag + " says nothing at --level same-class"});
  }
  for (const char* flag : {"--budget", "--sample", "--seed"})
    refused({"--radius", "3", flag, "5"}, {std::string(flag) + " says nothing beside --radius"});
  refused({"--no-second-look", "--likeness", "0.5"}, {"--likeness says nothing beside --no-second-look"});
}

TEST_F(DedupCliTest, EveryPictureThatCannotBeReadIsNamedOnce) {
  const Words names = {"photos/cut.jpg", "photos/empty.png", "photos/text.jpg"};
  for (const std::string& name : names) testdata::write(path(name), name == "photos/empty.png" ? "" : "\xff\xd8\xff");
  const Outcome outcome = ok(dedup({"--radius", "8", "--json"}));
  EXPECT_EQ(outcome.json()["skipped"], 3);
  for (const std::string& name : names) {
    const std::size_t at = outcome.err.find("signet dedup: skipped " + path(name) + ": ");
    ASSERT_NE(at, std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.err.find(path(name)), outcome.err.rfind(path(name))) << outcome.err;
  }
}

TEST_F(DedupCliTest, RefusalsSayWhatWouldBeRight) {
  ok(dedup({"--radius", "8"}));
  testdata::write(path("photos/copies/small.png"), slurp(path("photos/3.png")));
  expect_error({"dedup", "apply", path("plan.json")}, 3, {"small.png", "has changed", "nothing was moved"});
  EXPECT_EQ(files().size(), 14u);
  expect_error({"dedup", "apply", path("none.json")}, 3, {"none.json"});
  expect_error({"dedup", "undo", path("photos")}, 3, {"no journal"});
  expect_error({"dedup"}, 2, {"PATH", "--collection"});
  expect_error(dedup({"--level", "alike"}), 2, {"alike", "near-duplicate"});
  expect_error(dedup({"--keep", "path"}), 2, {"--prefer"});
  expect_error(dedup({"--prefer", path("photos/copies")}), 2, {"--prefer", "--keep path"});
  for (const char* trash : {"photos", ""}) expect_error(dedup({"--trash", path(trash)}), 2, {"--trash", path("photos")});
  expect_error(dedup({"--keep", "path", "--prefer", path("photos/copis")}), 3, {"--prefer", "photos/copis", "no such folder"});
  write_instance_model(path("m.onnx"));
  expect_error(dedup({"--model", path("m.onnx"), "--radius", "3"}), 2, {"--radius", "--hash none"});
  expect_error({"dedup", path("photos"), "--hash", "none"}, 2, {"--hash none", "--model"});
  expect_error({"dedup", path("photos"), "--hash", "md5"}, 2, {"md5", "dhash"});
}

}  // namespace
}  // namespace signet::cli_test
