#include "signet/store/collection.h"

#include <filesystem>

#include "signet/base/container.h"
#include "signet/code/code_set.h"
#include "signet/store/collection_writer.h"
#include "tests/cli/run_signet.h"

namespace signet::cli_test {
namespace {

class CollectionCliTest : public PhotosTest {
 protected:
  nlohmann::json add(const Words& more = {}) const { return PhotosTest::add(path("photos"), more); }
  void expect_counts(const nlohmann::json& summary, int added, int changed, int unchanged, int skipped) const {
    EXPECT_EQ(summary["added"], added) << summary;
    EXPECT_EQ(summary["changed"], changed) << summary;
    EXPECT_EQ(summary["unchanged"], unchanged) << summary;
    EXPECT_EQ(summary["skipped"], skipped) << summary;
  }
  std::string png(std::uint32_t label, std::uint32_t number) const {
    return testdata::text_of(encode_png(testdata::picture(label, number)));
  }
  // Whether some of what is added is in the collection already.
  bool committed() const { return std::filesystem::exists(path("c/segments")) && !std::filesystem::is_empty(path("c/segments")); }
};

TEST_F(CollectionCliTest, AddEncodesOnlyWhatIsNewOrChanged) {
  expect_counts(add(), 18, 0, 0, 0);
  expect_counts(add(), 0, 0, 18, 0);

  testdata::write(photo("class0/new.png"), png(0, 500));
  testdata::write(photo("class1/0000.png"), png(2, 501));  // another picture under the same name
  testdata::write(photo("class1/broken.png"), "no picture");
  const auto summary = add();
  EXPECT_EQ(summary["added"], 1) << summary;
  EXPECT_EQ(summary["changed"], 1) << summary;
  EXPECT_EQ(summary["unchanged"], 17) << summary;
  EXPECT_EQ(summary["skipped"], 1) << summary;
  EXPECT_EQ(summary["images"], 19);

  // Touched but equal: recognised by its hash, and by its time from then on.
  std::filesystem::last_write_time(photo("class2/0001.png"),
                                   std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  std::filesystem::remove(photo("class1/broken.png"));
  expect_counts(add(), 0, 0, 19, 0);
}

TEST_F(CollectionCliTest, TheSummaryIsOneLineAndSaysWhatWasSaved) {
  const Outcome done = ok({"add", path("photos"), "--collection", path("c"), "--model", path("model.onnx")});
  EXPECT_EQ(std::count(done.out.begin(), done.out.end(), '\n'), 1) << done.out;
  EXPECT_NE(done.out.find("18 added, 0 changed, 0 unchanged"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("of codes"), std::string::npos) << done.out;
}

TEST_F(CollectionCliTest, SearchKnowsTheModelAndShowsPictures) {
  add();
  const auto hits = ok({"search", "--collection", path("c"), "--image", photo("class1/0002.png"), "-k", "5", "--json", "--html",
                        path("hits.html")})
                        .json()["queries"][0]["hits"];
  ASSERT_EQ(hits.size(), 5u);
  EXPECT_EQ(hits[0]["distance"], 0);
  const auto itself =
      std::find_if(hits.begin(), hits.end(), [&](const auto& hit) { return hit["key"] == photo("class1/0002.png"); });
  ASSERT_NE(itself, hits.end());
  EXPECT_EQ((*itself)["labels"][0], "class1");
  EXPECT_EQ(slurp(path("hits.html")).find("no picture"), std::string::npos);
  for (const auto& hit :
       ok({"search", "--collection", path("c"), "--key", photo("class0/0000.png"), "--filter-label", "class2", "--json"})
           .json()["queries"][0]["hits"]) {
    EXPECT_EQ(hit["labels"][0], "class2");
  }
}

TEST_F(CollectionCliTest, TarAndIdxMembersAreAddedAndShownToo) {
  testdata::make_tar(path("more.tar"), testdata::class_files(2, 3, 16, 1, 900));
  testdata::make_idx_pair(path("idx"), 9, 6, 3);
  ok({"add", path("more.tar"), "--collection", path("c"), "--model", path("model.onnx")});
  const auto idx = ok({"add", path("idx"), "--collection", path("c"), "--json"}).json();
  expect_counts(idx, 15, 0, 0, 0);
  EXPECT_EQ(idx["images"], 21);
  expect_counts(ok({"add", path("idx"), "--collection", path("c"), "--json"}).json(), 0, 0, 15, 0);
  expect_counts(ok({"add", path("more.tar"), "--collection", path("c"), "--json"}).json(), 0, 0, 6, 0);
  const auto listed = ok({"collection", "list", path("c"), "--json"}).json()["listed"];
  ASSERT_EQ(listed.size(), 21u);
  for (const std::size_t i : {0u, 20u}) {
    ok({"search", "--collection", path("c"), "--key", listed[i]["key"], "-k", "2", "--html", path("hits.html")});
    EXPECT_EQ(slurp(path("hits.html")).find("no picture"), std::string::npos) << listed[i];
  }
}

TEST_F(CollectionCliTest, RemoveCompactListVerify) {
  add();
  const Outcome gone = ok({"collection", "remove", path("c"), photo("class0/0000.png"), photo("class0/0001.png")});
  EXPECT_NE(gone.out.find("2 removed, 16 left"), std::string::npos) << gone.out;
  EXPECT_TRUE(std::filesystem::exists(photo("class0/0000.png")));
  expect_error({"collection", "remove", path("c"), photo("class0/0000.png")}, 3, {"class0/0000.png", path("c")});
  ok({"collection", "remove", path("c"), photo("class0/0000.png"), "--ignore-missing"});
  EXPECT_EQ(ok({"collection", "remove", path("c"), "--label", "class2", "--json"}).json()["removed"], 6);
  const Outcome none = ok({"search", "--collection", path("c"), "--code", "0000", "--filter-label", "class2"});
  EXPECT_NE(none.out.find("no image of the class class2"), std::string::npos) << none.out;
  EXPECT_EQ(ok({"collection", "compact", path("c"), "--json"}).json()["codes_dropped"], 8);
  const auto listed = ok({"collection", "list", path("c"), "--json"}).json();
  EXPECT_EQ(listed["images"], 10);
  EXPECT_EQ(listed["listed"].size(), 10u);
  const auto page = ok({"collection", "list", path("c"), "--limit", "3", "--json"}).json()["listed"];
  ASSERT_EQ(page.size(), 3u);
  const auto next =
      ok({"collection", "list", path("c"), "--after", page[2]["id"].dump(), "--limit", "1", "--json"}).json()["listed"];
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(next[0]["id"], listed["listed"][3]["id"]);
  EXPECT_EQ(ok({"collection", "list", path("c"), "--label", "class0", "--json"}).json()["listed"].size(), 4u);
  const Outcome csv = ok({"collection", "list", path("c"), "--csv"});
  EXPECT_EQ(std::count(csv.out.begin(), csv.out.end(), '\n'), 11) << csv.out;
  EXPECT_TRUE(ok({"collection", "verify", path("c"), "--json"}).json()["ok"].get<bool>());
  EXPECT_EQ(ok({"inspect", path("c"), "--json"}).json()["images"], 10);
}

TEST_F(CollectionCliTest, BackupExportImportRoundTrip) {
  add();
  ok({"collection", "backup", path("c"), "--out", path("copy")});
  ok({"collection", "export", path("c"), "--out", path("codes")});
  EXPECT_EQ(ok({"collection", "import", path("again"), "--codes", path("codes"), "--json"}).json()["added"], 18);
  const auto hits = [&](const std::string& collection) {
    return ok({"search", "--collection", path(collection), "--key", photo("class1/0001.png"), "--json"})
        .json()["queries"][0]["hits"];
  };
  EXPECT_EQ(hits("copy"), hits("c"));
  EXPECT_EQ(hits("again"), hits("c"));
  expect_error({"collection", "backup", path("c"), "--out", path("copy")}, 3, {"copy"});
  ok({"collection", "remove", path("c"), photo("class0/0000.png")});
  ok({"collection", "export", path("c"), "--out", path("fewer")});
  const auto first_id = [&](const std::string& collection, const Words& more) {
    Words words = {"collection", "import", path(collection), "--codes", path("fewer")};
    words.insert(words.end(), more.begin(), more.end());
    ok(words);
    return ok({"collection", "list", path(collection), "--limit", "1", "--json"}).json()["listed"][0]["id"].get<int>();
  };
  EXPECT_EQ(first_id("numbered-anew", {}), 1);
  EXPECT_EQ(first_id("kept", {"--keep-ids"}), 2);
  expect_error({"collection", "import", path("again"), "--codes", path("codes")}, 3, {"class0/0000.png"});
  EXPECT_EQ(
      ok({"collection", "import", path("again"), "--codes", path("codes"), "--on-existing", "skip", "--json"}).json()["skipped"],
      18);
  expect_error({"collection", "import", path("again"), "--codes", path("codes"), "--on-existing", "burn"}, 2, {"burn", "refuse"});
}

TEST_F(CollectionCliTest, AnExportReplacesNothingOfOthers) {
  add();
  testdata::write(photo("records.jsonl"), "my own");
  expect_error({"collection", "export", path("c"), "--out", path("photos")}, 3, {path("photos"), "records.jsonl"});
  EXPECT_EQ(slurp(photo("records.jsonl")), "my own");
  EXPECT_FALSE(std::filesystem::exists(photo("codes.npy")));
  for (int time = 0; time < 2; ++time) ok({"collection", "export", path("c"), "--out", path("codes")});
}

TEST_F(CollectionCliTest, OneIsNotSeveral) {
  testdata::write(path("one/a.png"), png(0, 1));
  testdata::write(path("one/odd.png"), "no picture");
  const Outcome added = ok({"add", path("one"), "--collection", path("c"), "--model", path("model.onnx")});
  EXPECT_NE(added.out.find("; 1 image of "), std::string::npos) << added.out;
  EXPECT_NE(added.out.find(" is searched in "), std::string::npos) << added.out;
  const std::size_t named = added.err.find(path("one/odd.png"));
  EXPECT_NE(named, std::string::npos) << added.err;
  EXPECT_EQ(added.err.find(path("one/odd.png"), named + 1), std::string::npos) << added.err;
  EXPECT_NE(ok({"collection", "export", path("c"), "--out", path("codes")}).out.find(": 1 code of "), std::string::npos);
  ok({"collection", "remove", path("c"), path("one/a.png")});
  EXPECT_NE(ok({"collection", "compact", path("c")}).out.find(": 1 removed code dropped"), std::string::npos);
}

TEST_F(CollectionCliTest, DamageIsFoundNamedAndRepaired) {
  add();
  std::string segment;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path("c"))) {
    if (entry.path().extension() == ".seg") segment = entry.path().string();
  }
  ASSERT_NE(segment, "");
  ok({"collection", "export", path("c"), "--out", path("codes")});
  const CodeSet set = read_code_set(real_file_system(), path("codes"));
  std::string bytes = slurp(segment);
  const std::size_t at = bytes.find(std::string(reinterpret_cast<const char*>(set.codes.data().data()), set.codes.data().size()));
  ASSERT_NE(at, std::string::npos) << "the codes lie in the segment as they are exported";
  bytes[at] = static_cast<char>(bytes[at] ^ 0xFF);
  testdata::write(segment, bytes);
  const Outcome verify = signet({"collection", "verify", path("c")});
  EXPECT_EQ(verify.status, 3);
  EXPECT_NE(verify.out.find(std::filesystem::path(segment).filename().string()), std::string::npos) << verify.out;
  EXPECT_NE(verify.err.find("is damaged in"), std::string::npos) << verify.err;
  const Outcome repaired = signet({"collection", "repair", path("c")});
  EXPECT_EQ(repaired.status, 3);
  EXPECT_NE(repaired.err.find("is repaired, but without"), std::string::npos) << repaired.err;
  ok({"collection", "verify", path("c")});
  EXPECT_EQ(add()["images"], 18);  // what was lost is encoded again
}

TEST_F(CollectionCliTest, AnotherModelIsRefusedAndMigrateIsTheWay) {
  add();
  write_random_model(path("other.onnx"), 20, 16, 1, 3, 7);
  expect_error({"add", path("photos"), "--collection", path("c"), "--model", path("other.onnx")}, 3,
               {path("c"), "other.onnx", "signet migrate"});
  expect_error({"search", "--collection", path("c"), "--model", path("other.onnx"), "--image", photo("class0/0000.png")}, 3,
               {"other.onnx"});

  std::filesystem::remove(photo("class0/0003.png"));
  const auto done =
      ok({"migrate", "--collection", path("c"), "--model", path("other.onnx"), "--out", path("d"), "--json"}).json();
  EXPECT_EQ(done["encoded"], 17);
  ASSERT_EQ(done["missing"].size(), 1u);
  EXPECT_EQ(done["missing"][0]["key"], photo("class0/0003.png"));
  EXPECT_NE(slurp(path("d.missing.csv")).find("class0/0003.png"), std::string::npos);
  EXPECT_EQ(ok({"inspect", path("d"), "--json"}).json()["bits"], 20);
  EXPECT_EQ(ok({"inspect", path("c"), "--json"}).json()["images"], 18);  // the old one is as it was

  const auto ids = [&](const char* collection) {
    std::map<std::string, int> by_key;
    const auto listed = ok({"collection", "list", path(collection), "--json"}).json();
    for (const auto& image : listed["listed"]) by_key[image["key"]] = image["id"];
    return by_key;
  };
  auto old_ids = ids("c");
  old_ids.erase(photo("class0/0003.png"));
  EXPECT_EQ(ids("d"), old_ids);
  ok({"search", "--collection", path("d"), "--image", photo("class1/0000.png")});
  EXPECT_EQ(ok({"migrate", "--collection", path("c"), "--model", path("other.onnx"), "--out", path("d"), "--report",
                path("lost.csv"), "--json"})
                .json()["there_already"],
            17);
  EXPECT_NE(slurp(path("lost.csv")).find("class0/0003.png"), std::string::npos);
}

TEST_F(CollectionCliTest, ASecondMigrateTakesWhatIsBackAndLeavesOutVerdictsOnOtherPictures) {
  add();
  write_random_model(path("other.onnx"), 20, 16, 1, 3, 7);
  const auto id = [&](const char* collection, const std::string& name) {
    const auto record = Collection::open(real_file_system(), path(collection))->view()->find(photo(name));
    return record ? record->id : 0;
  };
  const std::uint64_t changed = id("c", "class0/0000.png"), same = id("c", "class0/0001.png"), other = id("c", "class0/0002.png");
  CollectionWriter::open(real_file_system(), path("c"))
      ->set_verdicts(std::vector<Verdict>{{changed, same, false}, {same, other, true}});
  const Words migrate = {"migrate", "--collection", path("c"), "--model", path("other.onnx"), "--out", path("d"), "--json"};
  const std::string away = slurp(photo("class0/0003.png"));
  std::filesystem::remove(photo("class0/0003.png"));
  EXPECT_EQ(ok(migrate).json()["verdicts_left_out"], 0);

  testdata::write(photo("class0/0000.png"), png(2, 501));
  ok({"add", path("photos"), "--collection", path("d")});  // another picture under the name of the first
  testdata::write(photo("class0/0003.png"), away);
  const auto again = ok(migrate).json();
  EXPECT_EQ(again["encoded"], 1) << again;
  EXPECT_EQ(again["new_ids"], 1) << again;
  EXPECT_EQ(again["verdicts_left_out"], 1) << again;
  EXPECT_TRUE(again["missing"].empty()) << again;
  EXPECT_GT(id("d", "class0/0003.png"), 18u);
  const auto kept = Collection::open(real_file_system(), path("d"))->view()->verdicts();
  EXPECT_NE(std::find(kept.begin(), kept.end(), Verdict{same, other, true}), kept.end());
  EXPECT_EQ(ok(migrate).json()["there_already"], 18);
  ok({"collection", "verify", path("d")});

  // What is said about a pair in the new collection is newer than what the old one knows.
  CollectionWriter::open(real_file_system(), path("d"))->set_verdicts(std::vector<Verdict>{{same, other, false}});
  const auto last = ok(migrate).json();
  EXPECT_EQ(last["verdicts_left_out"], 1) << last;
  EXPECT_EQ(last["verdicts_that_differ"], 1) << last;
  const auto later = Collection::open(real_file_system(), path("d"))->view()->verdicts();
  EXPECT_NE(std::find(later.begin(), later.end(), Verdict{same, other, false}), later.end());
}

// What the old collection learns to name after the new one was made is named there too, before its images come.
TEST_F(CollectionCliTest, ASecondMigrateTakesNewClassesToo) {
  std::filesystem::rename(photo("class2"), path("later"));
  add();
  write_random_model(path("other.onnx"), 20, 16, 1, 3, 7);
  const Words migrate = {"migrate", "--collection", path("c"), "--model", path("other.onnx"), "--out", path("d"), "--json"};
  EXPECT_EQ(ok(migrate).json()["encoded"], 12);
  std::filesystem::rename(path("later"), photo("class2"));
  add();
  EXPECT_EQ(ok(migrate).json()["encoded"], 6);
  EXPECT_EQ(ok({"collection", "list", path("d"), "--label", "class2", "--json"}).json()["listed"].size(), 6u);

  // Classes of its own that the new collection has been given meanwhile may go on from the old one's, not contradict them.
  testdata::write(path("more/fox/a.png"), png(0, 900));
  testdata::write(path("more/hen/b.png"), png(1, 901));
  ok({"add", path("more"), "--collection", path("d")});
  EXPECT_EQ(ok(migrate).json()["there_already"], 18);
  testdata::write(photo("class3/new.png"), png(0, 902));
  add();
  expect_error(migrate, 3, {path("d"), "\"fox\"", path("c"), "\"class3\"", "another folder"});
}

TEST_F(CollectionCliTest, MigrateLooksWhetherItsReportCanBeWrittenBeforeItEncodes) {
  const std::string nowhere = path("none/lost.csv");
  expect_error({"migrate", "--collection", path("c"), "--model", path("gone.onnx"), "--out", path("d"), "--report", nowhere}, 3,
               {"--report " + nowhere, path("none"), "does not exist"});
  add();
  std::filesystem::create_directory(path("d.missing.csv"));
  expect_error({"migrate", "--collection", path("c"), "--model", path("model.onnx"), "--out", path("d")}, 3,
               {"--report " + path("d.missing.csv"), "is a folder"});
  ok({"migrate", "--collection", path("c"), "--model", path("model.onnx"), "--out", path("e/f"), "--quiet"});
  EXPECT_TRUE(std::filesystem::exists(path("e/f.missing.csv")));  // in a folder that was made with the collection
}

TEST_F(CollectionCliTest, PicturesOfTooManyPixelsForOneVerbAreNotForTheNext) {
  testdata::write(photo("class0/large.pgm"), "P5 1001 1000 255\n" + std::string(1'001'000, 'x'));
  EXPECT_EQ(add({"--max-megapixels", "2"})["added"], 19);
  write_random_model(path("other.onnx"), 20, 16, 1, 3, 7);
  const auto encoded = [&](const char* megapixels, int images) {
    const auto done = ok({"migrate", "--collection", path("c"), "--model", path("other.onnx"), "--out", path("d"), "--json",
                          "--max-megapixels", megapixels})
                          .json();
    EXPECT_EQ(done["encoded"], images) << done;
    return done["missing"].dump();
  };
  EXPECT_NE(encoded("1", 18).find("1001 x 1000"), std::string::npos);
  EXPECT_EQ(encoded("2", 1), "[]");

  const Words by_key = {"search", "--collection", path("c"), "--key", photo("class0/large.pgm"), "-k", "1"};
  const auto page = [&](const char* megapixels) {
    Words words = by_key;
    words.insert(words.end(), {"--html", path("hits.html"), "--max-megapixels", megapixels});
    ok(words);
    return slurp(path("hits.html"));
  };
  EXPECT_NE(page("1").find("no picture"), std::string::npos);
  EXPECT_EQ(page("2").find("no picture"), std::string::npos);
  const Words by_image = {"search", "--collection", path("c"), "--image", photo("class0/large.pgm"), "--max-megapixels"};
  const auto at_most = [&](const char* megapixels) {
    Words words = by_image;
    words.emplace_back(megapixels);
    return words;
  };
  expect_error(at_most("1"), 3, {"large.pgm", "1001 x 1000"});
  ok(at_most("2"));
  expect_error(at_most("0"), 2, {"--max-megapixels is \"0\"", "1 to 100000"});
}

TEST_F(CollectionCliTest, DeepUserJsonIsListedAsText) {
  add();
  const std::string deep = std::string(2000, '[') + std::string(2000, ']');
  std::vector<ImageRecord> records = Collection::open(real_file_system(), path("c"))->view()->list(0, 2);
  records[0].user_json = deep;
  records[1].user_json = R"({"seen": [1, 2]})";
  CollectionWriter::open(real_file_system(), path("c"))->update(records);
  const auto listed = ok({"collection", "list", path("c"), "--json"}).json()["listed"];
  EXPECT_EQ(listed[0]["user"], deep);
  EXPECT_EQ(listed[1]["user"]["seen"][1], 2);
}

TEST_F(CollectionCliTest, InspectVerifiesAnIndexFile) {
  ok({"encode", "--model", path("model.onnx"), "--data", path("photos"), "--out", path("codes")});
  ok({"index", "--codes", path("codes"), "--out", path("index.sig")});
  EXPECT_EQ(ok({"inspect", path("index.sig"), "--verify", "--json"}).json()["intact"], true);
  expect_error({"inspect", path("codes"), "--verify"}, 2, {"--verify", path("codes"), "codes folder"});
  add();
  expect_error({"inspect", path("c"), "--verify"}, 2, {path("c"), "signet collection verify"});

  // A copy whose keys run backwards, under right checksums: opening it does not look at every key.
  const auto whole = Container::open(real_file_system(), path("index.sig"), "SIDX", 1, 1 << 20);
  ContainerWriter writer(real_file_system(), path("bad.sig"), "SIDX", 1);
  for (const char* name : {"meta", "model", "root", "classes", "codes", "key-offsets", "keys", "label-offsets", "labels"}) {
    const auto section = whole->section(name);
    std::vector<std::byte> bytes(section.begin(), section.end());
    if (name == std::string("key-offsets")) std::fill_n(bytes.begin() + 8, 8, std::byte{0x7f});
    writer.begin_section(name);
    writer.append(bytes);
  }
  writer.finish();
  ok({"inspect", path("bad.sig")});
  expect_error({"inspect", path("bad.sig"), "--verify"}, 3, {"bad.sig", "key-offsets"});
}

TEST_F(CollectionCliTest, ThreadsAreBoundedByTheOption) {
  expect_error({"add", path("photos"), "--collection", path("c"), "--model", path("model.onnx"), "--threads", "1025"}, 2,
               {"--threads", "1025", "1024"});
  EXPECT_FALSE(std::filesystem::exists(path("c")));
}

TEST_F(CollectionCliTest, TheSecondWriterIsToldWhoHoldsTheLock) {
  add();
  const auto writer = CollectionWriter::open(real_file_system(), path("c"));
  expect_error({"add", path("photos"), "--collection", path("c")}, 3, {std::to_string(getpid())});
  ok({"search", "--collection", path("c"), "--key", photo("class0/0000.png")});  // reading goes on
}

// Killed at any moment, the same command goes on: nothing twice, nothing lost.
TEST_F(CollectionCliTest, AKilledAddGoesOnFromItsLastCommit) {
  testdata::make_idx(path("many"), "train", 600, 3);
  const Words words = {"add",     path("many"), "--collection", path("c"), "--model", path("model.onnx"),
                       "--batch", "16",         "--threads",    "1",       "--json"};
  Process process(SIGNET_PROGRAM, words, path("output"));
  EXPECT_TRUE(process.reaches([&] { return committed(); }));
  process.signal(SIGKILL);
  process.wait();
  ok({"collection", "verify", path("c")});
  const auto rest = ok(words).json();
  EXPECT_EQ(rest["images"], 600);
  EXPECT_EQ(rest["added"].get<int>() + rest["unchanged"].get<int>(), 600) << rest;
  ok({"collection", "verify", path("c")});
}

TEST_F(CollectionCliTest, AnInterruptedAddKeepsWhatItCommitted) {
  testdata::make_idx(path("many"), "train", 1000, 3);
  const Words words = {"add",     path("many"), "--collection", path("c"), "--model", path("model.onnx"),
                       "--batch", "8",          "--threads",    "1",       "--json"};
  Process process(SIGNET_PROGRAM, words, path("output"));
  EXPECT_TRUE(process.reaches([&] { return committed(); }));
  const bool over = process.ended();
  process.signal(SIGINT);
  const Outcome stopped = process.wait();
  EXPECT_EQ(ok(words).json()["images"], 1000);
  if (over) GTEST_SKIP() << "all was added before it could be interrupted";
  EXPECT_EQ(stopped.status, 130) << stopped.err;
  EXPECT_NE(stopped.err.find("goes on from there"), std::string::npos) << stopped.err;
}

TEST_F(CollectionCliTest, CreateIsExplicitToo) {
  EXPECT_NE(ok({"collection", "create", path("c"), "--model", path("model.onnx")}).out.find("12 bits"), std::string::npos);
  const Outcome nothing = ok({"search", "--collection", path("c"), "--code", "0000"});
  EXPECT_NE(nothing.out.find("there are no images in " + path("c")), std::string::npos) << nothing.out;
  expect_error({"collection", "create", path("c"), "--model", path("model.onnx")}, 3, {path("c")});
  expect_error({"collection", "create", path("e"), "--bits", "0"}, 2, {"--bits"});
  expect_error({"collection", "create", path("e"), "--bits", "4097"}, 2, {"--bits", "4097", "4096"});
  ok({"collection", "add", path("c"), path("photos")});
  EXPECT_EQ(ok({"inspect", path("c"), "--json"}).json()["images"], 18);
  ok({"collection", "create", path("g"), "--bits", "64"});
  expect_error({"add", path("photos"), "--collection", path("g")}, 3, {path("g"), "64 bits", "no model", "collection import"});
  expect_error({"add", path("photos"), "--collection", path("g"), "--model", path("model.onnx")}, 3, {path("g"), "no model"});
  CreateOptions odd;
  odd.bits = 64;
  odd.model = ok({"inspect", path("model.onnx"), "--json"}).json()["fingerprint"];
  CollectionWriter::create(real_file_system(), path("h"), odd);
  expect_error({"add", path("photos"), "--collection", path("h"), "--model", path("model.onnx")}, 3,
               {path("h"), "64 bits", "12", path("model.onnx")});
  expect_error({"add", path("photos"), "--collection", path("f")}, 2, {"--model", path("f")});
  expect_error({"add", path("nowhere"), "--collection", path("f"), "--model", path("model.onnx")}, 3, {path("nowhere")});
  EXPECT_FALSE(std::filesystem::exists(path("f")));
}

}  // namespace
}  // namespace signet::cli_test
