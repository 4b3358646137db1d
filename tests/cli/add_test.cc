#include <algorithm>
#include <chrono>
#include <set>

#include "signet/code/code_set.h"
#include "signet/store/collection.h"
#include "tests/cli/run_signet.h"

namespace signet::cli_test {
namespace {

// What `add` makes of the names of files, and how they are named to other verbs.
class AddCliTest : public PhotosTest {
 protected:
  std::set<std::string> keys() const {
    std::set<std::string> all;
    const auto listed = ok({"collection", "list", path("c"), "--json"}).json();
    for (const auto& image : listed["listed"]) all.insert(image["key"]);
    return all;
  }
  // Of one image, joined by ';'.
  std::string labels_of(const std::string& key) const {
    const auto listed = ok({"collection", "list", path("c"), "--json"}).json();
    std::string labels;
    for (const auto& image : listed["listed"])
      if (image["key"] == key)
        for (const auto& label : image["labels"]) labels += (labels.empty() ? "" : ";") + label.get<std::string>();
    return labels;
  }
  std::string relative_photo(const std::string& name) const { return std::filesystem::relative(photo(name)); }
};

TEST_F(AddCliTest, KeysOfATarAreItsOwnAlsoBesideTheFolderItWasMadeOf) {
  auto files = testdata::class_files(2, 2, 16, 1, 900);
  testdata::write_all(path("tars"), files);
  for (auto& [name, content] : files) content = testdata::text_of(encode_png(testdata::picture(2, 7)));
  testdata::make_tar(path("tars/a.tar"), files);
  EXPECT_EQ(add(path("tars/a.tar"))["added"], 4);
  EXPECT_EQ(keys(), (std::set<std::string>{path("tars/a.tar/class0/0000.png"), path("tars/a.tar/class0/0001.png"),
                                           path("tars/a.tar/class1/0000.png"), path("tars/a.tar/class1/0001.png")}));
  const auto hits = ok({"search", "--collection", path("c"), "--key", path("tars/a.tar/class0/0000.png"), "--json"}).json();
  for (const auto& hit : hits["queries"][0]["hits"]) EXPECT_EQ(hit["distance"], 0);  // all of the tar are one picture
  const auto found = ok({"dedup", path("tars/a.tar"), "--level", "same-pixels", "--json", "--out", path("plan.json")}).json();
  EXPECT_EQ(found["groups"].size(), 1u);
  EXPECT_EQ(found["files"], 0) << found;  // a member of a tar cannot be moved, and its namesake was not asked for
}

TEST_F(AddCliTest, LabelsThatAreCorrectedInAnIdxFileAreCounted) {
  testdata::make_idx(path("idx"), "train", 4, 2);
  EXPECT_EQ(add(path("idx"))["added"], 4);
  std::string labels = slurp(path("idx/train-labels-idx1-ubyte"));
  labels.back() = labels.back() == 0 ? 1 : 0;
  testdata::write(path("idx/train-labels-idx1-ubyte"), labels);
  const auto again = add(path("idx"));
  EXPECT_EQ(again["changed"], 0) << again;
  EXPECT_EQ(again["unchanged"], 4) << again;
  EXPECT_EQ(again["labels_changed"], 1) << again;
}

// A disk that becomes full between two commits, played by a limit on the size of each file: what was committed is said to be
// kept, and is.
TEST_F(AddCliTest, ADiskThatBecomesFullSaysWhatIsKept) {
  bool told = false;
  for (int kib = 60; kib <= 1200 && !told; kib += 12) {
    std::filesystem::remove_all(path("c"));
    testdata::write(path("add.sh"), "ulimit -f " + std::to_string(kib) + "; trap '' XFSZ; exec '" + SIGNET_PROGRAM + "' add '" +
                                        path("photos") + "' --collection '" + path("c") + "' --model '" + path("model.onnx") +
                                        "' --batch 1 > /dev/null 2> '" + path("err") + "'");
    const int status = std::system(("bash '" + path("add.sh") + "'").c_str());
    if (status == 0) break;
    const std::string text = slurp(path("err"));
    const auto end = text.find(" that were added before are kept");
    if (end == std::string::npos) continue;
    told = true;
    const auto begin = text.rfind("; ", end) + 2;
    EXPECT_EQ(text.substr(begin, end - begin), std::to_string(keys().size()) + " images") << text;
  }
  EXPECT_TRUE(told) << "no limit cut it off in the middle";
}

TEST_F(AddCliTest, MembersOfATarThatWasOnlyTouchedAreUnchanged) {
  auto files = testdata::class_files(2, 2, 16, 1, 900);
  testdata::make_tar(path("a.tar"), files);
  EXPECT_EQ(add(path("a.tar"))["added"], 4);
  const auto listed = ok({"collection", "list", path("c"), "--json"}).json();
  std::uint64_t bytes = 0, members = 0;
  for (const auto& image : listed["listed"]) bytes += image["bytes"].get<std::uint64_t>();
  for (const auto& [name, content] : files) members += content.size();
  EXPECT_EQ(bytes, members);  // of the encoded pictures, not of their pixels
  files[1].second = testdata::text_of(encode_png(testdata::picture(2, 7)));
  files.emplace_back("class1/new.png", testdata::text_of(encode_png(testdata::picture(1, 8))));
  testdata::make_tar(path("a.tar"), files);
  const auto again = add(path("a.tar"));
  EXPECT_EQ(again["added"], 1) << again;
  EXPECT_EQ(again["changed"], 1) << again;
  EXPECT_EQ(again["unchanged"], 3) << again;
}

TEST_F(AddCliTest, KeysOfAManifestAreFilesWhicheverOfThemIsThere) {
  testdata::write(path("lists/list.csv"),
                  "../photos/class0/0000.png,a\n../photos/class0/0001.png,a\n../photos/./class0/0001.png,b\n");
  const std::string first = slurp(photo("class0/0000.png"));
  std::filesystem::remove(photo("class0/0000.png"));
  const auto summary = add(path("lists/list.csv"));
  EXPECT_EQ(summary["added"], 1) << summary;
  EXPECT_EQ(summary["skipped"], 2) << summary;
  EXPECT_EQ(keys(), std::set<std::string>{photo("class0/0001.png")});
  testdata::write(photo("class0/0000.png"), first);
  const auto again = add(path("lists/list.csv"));
  EXPECT_EQ(again["added"], 1) << again;
  EXPECT_EQ(again["unchanged"], 1) << again;
  EXPECT_EQ(add(path("photos"))["unchanged"], 2);
  const auto one = add(photo("class1/0001.png"));
  EXPECT_EQ(one["unchanged"], 1) << one;
}

TEST_F(AddCliTest, ANameThatCanBeNoKeyIsSkippedAndNamed) {
  testdata::write(photo("class1/new\nline.png"), slurp(photo("class1/0001.png")));
  EXPECT_EQ(add(path("photos"))["skipped"], 1);
  const Words encode = {"encode", "--model", path("model.onnx"), "--data", path("photos"), "--out", path("codes")};
  EXPECT_NE(ok(encode).out.find("skipped 1 picture "), std::string::npos);
  EXPECT_EQ(read_code_set(real_file_system(), path("codes")).keys.size(), 18u);
  EXPECT_NE(slurp(path("codes/skipped.csv")).find("its name has a line break"), std::string::npos);
  Words strict = encode;
  strict.push_back("--strict");
  expect_error(strict, 3, {"line.png", "its name has a line break"});
}

TEST_F(AddCliTest, OnlyContentTellsWhatKeepsItsSizeAndTime) {
  const auto picture = [](char grey) { return "P5 16 16 255\n" + std::string(256, grey); };
  testdata::write(photo("class0/same.pgm"), picture('a'));
  add(path("photos"));
  const auto time = std::filesystem::last_write_time(photo("class0/same.pgm"));
  testdata::write(photo("class0/same.pgm"), picture('b'));
  std::filesystem::last_write_time(photo("class0/same.pgm"), time);
  EXPECT_EQ(add(path("photos"))["changed"], 0);
  EXPECT_EQ(add(path("photos"), {"--rehash"})["changed"], 1);
  EXPECT_EQ(add(path("photos"), {"--rehash"})["changed"], 0);
}

TEST_F(AddCliTest, PicturesOfTooManyPixelsAreSkippedOrRefused) {
  testdata::write(photo("class0/large.pgm"), "P5 1001 1000 255\n" + std::string(1'001'000, 'x'));
  const auto summary = add(path("photos"), {"--max-megapixels", "1"});
  EXPECT_EQ(summary["added"], 18) << summary;
  EXPECT_EQ(summary["skipped"], 1) << summary;
  const Words encode = {"encode", "--model", path("model.onnx"), "--data",  path("photos"), "--max-megapixels",
                        "1",      "--out",   path("codes"),      "--strict"};
  expect_error(encode, 3, {"large.pgm", "1001 x 1000"});
}

TEST_F(AddCliTest, LabelsStayWhereTheDataGivesNone) {
  add(path("photos"));
  testdata::write(photo("loose.png"), slurp(photo("class0/0001.png")));
  testdata::write(photo("class0/0000.png"), slurp(photo("class1/0005.png")));
  const Outcome loose = ok({"add", path("photos"), "--collection", path("c")});
  EXPECT_NE(loose.err.find("pictures beside folders and therefore without labels"), std::string::npos) << loose.err;
  EXPECT_NE(loose.out.find("1 added, 1 changed, 17 unchanged"), std::string::npos) << loose.out;
  EXPECT_EQ(loose.out.find("label"), std::string::npos) << loose.out;
  EXPECT_EQ(labels_of(photo("class0/0000.png")), "class0");
  EXPECT_EQ(labels_of(photo("loose.png")), "");
  testdata::write(photo("class0/0000.png"), slurp(photo("class1/0004.png")));
  EXPECT_EQ(add(path("photos"), {"--no-labels"})["changed"], 1);
  EXPECT_EQ(labels_of(photo("class0/0000.png")), "class0");
}

TEST_F(AddCliTest, UnchangedPicturesGetLabelsAndOthersOnRequest) {
  testdata::write(photo("loose.png"), slurp(photo("class0/0001.png")));
  add(path("photos"));
  std::filesystem::remove(photo("loose.png"));
  const auto labelled = add(path("photos"));
  EXPECT_EQ(labelled["unchanged"], 18) << labelled;
  EXPECT_EQ(labelled["labels_changed"], 18) << labelled;
  EXPECT_EQ(labels_of(photo("class2/0003.png")), "class2");
  EXPECT_EQ(add(path("photos"))["labels_changed"], 0);

  const auto list = [&](const std::string& labels, const Words& more = {"--relabel"}) {
    testdata::write(path("list.csv"), "key,label\nphotos/class0/0000.png," + labels + "\n");
    Words words = {"add", path("list.csv"), "--collection", path("c")};
    words.insert(words.end(), more.begin(), more.end());
    return ok(words).out;
  };
  EXPECT_EQ(list("Holiday", {}).find("label"), std::string::npos);  // it has one
  EXPECT_EQ(labels_of(photo("class0/0000.png")), "class0");
  list("Holiday;class1");
  EXPECT_NE(list("Birthday;class1").find("0 changed, 1 unchanged, 0 unreadable, 1 label changed"), std::string::npos);
  EXPECT_EQ(labels_of(photo("class0/0000.png")), "class1;Birthday");
  const auto later = std::filesystem::last_write_time(photo("class0/0000.png")) + std::chrono::hours(1);
  std::filesystem::last_write_time(photo("class0/0000.png"), later);
  EXPECT_NE(list("Holiday").find("1 label changed"), std::string::npos);
  EXPECT_EQ(labels_of(photo("class0/0000.png")), "Holiday");
  EXPECT_EQ(list("").find("label"), std::string::npos);
  EXPECT_EQ(labels_of(photo("class0/0000.png")), "Holiday");
}

TEST_F(AddCliTest, ClassesAreWrittenWithTheirImages) {
  add(path("photos"));
  std::filesystem::create_directory(photo("class9"));
  testdata::write(photo("class9/broken.png"), "no picture");
  add(path("photos"));
  const auto classes = [&] {
    const auto view = Collection::open(real_file_system(), path("c"))->view();
    return view->info().class_names;
  };
  EXPECT_EQ(classes(), (std::vector<std::string>{"class0", "class1", "class2"}));  // nothing of the fourth was added
  std::filesystem::copy_file(photo("class0/0000.png"), photo("class9/0000.png"));
  add(path("photos"));
  EXPECT_EQ(classes().back(), "class9");
  EXPECT_EQ(labels_of(photo("class9/0000.png")), "class9");
}

TEST_F(AddCliTest, AFolderThatCannotBeReadIsLeftOutAndSaid) {
  std::filesystem::create_directory_symlink(path("photos"), photo("class0/self"));
  const Outcome added = ok({"add", path("photos"), "--collection", path("c"), "--model", path("model.onnx")});
  EXPECT_NE(added.out.find("18 added, 0 changed, 0 unchanged, 1 unreadable"), std::string::npos) << added.out;
  EXPECT_NE(added.err.find("class0/self: is a symbolic link that leads back"), std::string::npos) << added.err;
  for (const Words& words :
       {Words{"encode", "--model", path("model.onnx"), "--data", path("photos"), "--out", path("codes"), "--quiet"},
        Words{"train", "--method", "lsh", "--data", path("photos"), "--bits", "8", "--out", path("lsh.onnx"), "--quiet"}}) {
    const std::string said = ok(words).err;
    EXPECT_NE(said.find("signet warning: left out of " + path("photos") + ": " + photo("class0/self")), std::string::npos)
        << said;
  }
  EXPECT_EQ(ok({"inspect", path("photos"), "--json"}).json()["problems"].size(), 1u);
}

TEST_F(AddCliTest, PicturesAreNamedByRelativePathsToo) {
  add(path("photos"));
  const auto named = ok({"search", "--collection", path("c"), "--key", relative_photo("class0/0000.png"), "--json"}).json();
  EXPECT_EQ(named["queries"],
            ok({"search", "--collection", path("c"), "--key", photo("class0/0000.png"), "--json"}).json()["queries"]);
  ok({"dedup", "verdict", "--collection", path("c"), "--not-duplicate", relative_photo("class0/0000.png"),
      relative_photo("class0/0001.png")});
  testdata::write(path("keys.txt"), relative_photo("class0/0002.png") + "\r\n" + photo("class0/0003.png") + "\r\n");
  const Outcome gone = ok({"collection", "remove", path("c"), "--keys-from", path("keys.txt"), relative_photo("class0/0000.png"),
                           photo("class0/0000.png"), photo("class0/0000.png"), "--id", "1", "1"});
  EXPECT_NE(gone.out.find(": 3 removed, 15 left"), std::string::npos) << gone.out;
  const Words remove = {"collection", "remove", path("c"), "nowhere.png", "nowhere.png"};
  expect_error(remove, 3, {"1 of the images to remove was not in", "nowhere.png\n"});
  Words both = remove;
  both.push_back(photo("class0/0001.png"));
  expect_error(both, 3, {"1 of the images to remove was not in", "nowhere.png (the others are removed)"});
}

TEST_F(AddCliTest, AModelThatHasMovedIsRemembered) {
  add(path("photos"));
  std::filesystem::rename(path("model.onnx"), path("moved.onnx"));
  const Words search = {"search", "--collection", path("c"), "--image", photo("class0/0000.png")};
  expect_error(search, 3, {path("model.onnx"), "not at", "give --model FILE"});
  expect_error({"add", path("photos"), "--collection", path("c")}, 3, {path("model.onnx"), "not at", "give --model FILE"});
  write_random_model(path("other.onnx"), 12, 16, 1, 3, 2);
  expect_error({"add", path("photos"), "--collection", path("c"), "--model", path("other.onnx")}, 3, {"signet migrate"});
  expect_error({"add", path("photos"), "--collection", path("c"), "--relabel", "--no-labels"}, 2, {"--relabel", "--no-labels"});
  expect_error(search, 3, {path("model.onnx")});
  ok({"add", path("photos"), "--collection", path("c"), "--model", path("moved.onnx")});
  ok(search);
}

TEST_F(AddCliTest, TheKindThatWasAskedForIsTaken) {
  add(path("photos"));
  const Words search = {"search", "--collection", path("c"), "--key", photo("class0/0000.png"), "--json", "--explain"};
  const auto expected = ok(search).json();
  EXPECT_EQ(expected["stats"]["index"], "flat");
  for (const char* kind : {"flat", "table", "mih", "pivot"}) {
    Words words = search;
    words.insert(words.end(), {"--kind", kind});
    const auto found = ok(words).json();
    EXPECT_EQ(found["stats"]["index"], kind) << found;
    EXPECT_EQ(found["queries"], expected["queries"]);
  }
}

TEST_F(AddCliTest, PruneRemovesWhatTheFolderDoesNotHoldAnyMore) {
  testdata::make_idx(path("photos/idx"), "train", 6, 3);  // a data set of its own, which happens to lie below
  testdata::make_tar(path("photos/more.tar"), testdata::class_files(2, 2, 16, 1, 900));
  testdata::make_class_folder(path("photos2"), 1, 2, 16, 1);
  for (const char* other : {"photos/idx", "photos/more.tar", "photos2"}) add(path(other));
  EXPECT_EQ(add(path("photos"))["images"], 18 + 6 + 4 + 2);
  std::filesystem::remove(photo("class0/0000.png"));
  std::filesystem::rename(photo("class1"), photo("class3"));
  const auto told = add(path("photos"));
  EXPECT_EQ(told["added"], 6) << told;
  EXPECT_EQ(told["removed"], 0) << told;
  EXPECT_EQ(told["gone"], 7) << told;
  const Outcome text = ok({"add", path("photos"), "--collection", path("c")});
  EXPECT_NE(text.out.find("7 not in the folder any more (--prune removes them)"), std::string::npos) << text.out;
  const Outcome pruned = ok({"add", path("photos"), "--collection", path("c"), "--prune"});
  EXPECT_NE(pruned.out.find("0 unreadable, 7 removed"), std::string::npos) << pruned.out;
  const auto left = keys();
  EXPECT_EQ(left.size(), 17u + 6u + 4u + 2u);
  EXPECT_FALSE(left.contains(photo("class0/0000.png")));
  EXPECT_TRUE(left.contains(photo("class3/0001.png")));
  const auto again = add(path("photos"), {"--prune"});
  EXPECT_EQ(again["removed"], 0) << again;
  EXPECT_EQ(again["gone"], 0) << again;
}

TEST_F(AddCliTest, PruneRemovesNothingThatMayOnlyBeOutOfReach) {
  std::filesystem::rename(photo("class2"), path("disk"));
  std::filesystem::create_directory_symlink(path("disk"), photo("class2"));
  EXPECT_EQ(add(path("photos"))["added"], 18);
  std::filesystem::rename(path("disk"), path("unplugged"));
  EXPECT_EQ(add(path("photos"), {"--prune"})["removed"], 0);
  std::filesystem::rename(path("unplugged"), path("disk"));

  std::filesystem::remove(photo("class0/0000.png"));
  std::filesystem::create_directory_symlink(path("photos"), photo("class0/self"));
  const Outcome partly = ok({"add", path("photos"), "--collection", path("c"), "--prune", "--json"});
  EXPECT_EQ(partly.json()["removed"], 1);  // what is left out of the folder hides no file that is gone
  std::filesystem::remove(photo("class0/self"));

  std::filesystem::rename(path("photos"), path("elsewhere"));
  expect_error({"add", path("photos"), "--collection", path("c"), "--prune"}, 3, {path("photos"), "--prune removes nothing"});
  std::filesystem::create_directory(path("photos"));
  expect_error({"add", path("photos"), "--collection", path("c"), "--prune"}, 3, {path("photos"), "--prune removes nothing"});
  std::filesystem::remove(path("photos"));
  std::filesystem::rename(path("elsewhere"), path("photos"));
  testdata::write(path("list.csv"), "photos/class0/0001.png,a\n");
  expect_error({"add", path("list.csv"), "--collection", path("c"), "--prune"}, 2, {"--prune", "folder", path("list.csv")});
  EXPECT_EQ(add(path("photos"), {"--prune"})["removed"], 0);
}

}  // namespace
}  // namespace signet::cli_test
