#include "signet/base/fault_file_system.h"

#include <set>

#include "base/test_folder.h"

namespace signet {
namespace {

class FaultyFiles : public TestFolder {
 protected:
  FaultFileSystem fs_;

  void write(const std::string& name, const std::string& text, bool sync) {
    const auto file = fs_.create(path(name));
    file->append(as_bytes(text));
    if (sync) file->sync();
    file->close();
  }
  bool there(const std::string& name) { return real_file_system().exists(path(name)); }
};

TEST_F(FaultyFiles, WorksLikeTheRealOneAndCounts) {
  write("a", "text", true);
  fs_.rename(path("a"), path("b"));
  fs_.create_directory(path("sub"));
  fs_.sync_directory(folder());
  EXPECT_EQ(get(fs_, path("b")), "text");
  EXPECT_EQ(fs_.list(folder()), (std::vector<std::string>{"b", "sub"}));
  EXPECT_EQ(fs_.size(path("b")), 4U);
  fs_.remove(path("b"));
  EXPECT_FALSE(fs_.exists(path("b")));
  EXPECT_EQ(fs_.operations(), 8U);  // making the folder has synced its parent
  EXPECT_EQ(fs_.log()[1], "append " + path("a") + " 4");
  EXPECT_EQ(error_of([&] { fs_.remove(path("b")); }), ErrorCode::kNotFound);
  fs_.lose_power();
  EXPECT_EQ(get(path("b")), "text");  // the removal was not synced
}

TEST_F(FaultyFiles, ContentIsDurableUpToTheLastSync) {
  const auto file = fs_.create(path("a"));
  fs_.sync_directory(folder());
  file->append(as_bytes("one"));
  file->sync();
  file->append(as_bytes("two"));
  EXPECT_EQ(get(path("a")), "onetwo");
  fs_.lose_power();
  EXPECT_EQ(get(path("a")), "one");
  EXPECT_EQ(error_of([&] { file->append(as_bytes("x")); }), ErrorCode::kIo);  // a handle of before
}

TEST_F(FaultyFiles, ANameNeedsASyncOfItsFolder) {
  write("a", "text", true);
  fs_.lose_power();
  EXPECT_FALSE(there("a"));
  write("a", "text", true);
  fs_.sync_directory(folder());
  fs_.lose_power();
  EXPECT_EQ(get(path("a")), "text");
}

TEST_F(FaultyFiles, ARenameIsRolledBackAndBringsTheReplacedFileBack) {
  put(path("target"), "old");
  write("temp", "new", true);
  fs_.sync_directory(folder());
  fs_.rename(path("temp"), path("target"));
  EXPECT_EQ(get(path("target")), "new");
  fs_.lose_power();
  EXPECT_EQ(get(path("target")), "old");
  EXPECT_EQ(get(path("temp")), "new");
}

TEST_F(FaultyFiles, ARenameToANewNameIsRolledBackToo) {
  put(path("a"), "one");
  put(path("b"), "two");
  EXPECT_FALSE(fs_.rename_new(path("a"), path("b")));
  EXPECT_TRUE(fs_.rename_new(path("a"), path("c")));
  fs_.lose_power();
  EXPECT_EQ(get(path("a")), "one");
  EXPECT_EQ(get(path("b")), "two");
  EXPECT_FALSE(there("c"));
  fs_.fail_at(fs_.operations() + 1, Fault::kIoError);
  EXPECT_EQ(error_of([&] { fs_.rename_new(path("a"), path("c")); }), ErrorCode::kIo);
  EXPECT_EQ(get(path("a")), "one");
}

TEST_F(FaultyFiles, ALinkNeedsASyncOfItsFolderAndNoneOfItsContent) {
  put(path("a"), "one");
  EXPECT_TRUE(fs_.link(path("a"), path("b")));
  fs_.lose_power();
  EXPECT_EQ(get(path("a")), "one");
  EXPECT_FALSE(there("b"));
  EXPECT_TRUE(fs_.link(path("a"), path("b")));
  fs_.sync_directory(folder());
  fs_.remove(path("a"));
  fs_.sync_directory(folder());
  fs_.lose_power();
  EXPECT_FALSE(there("a"));
  EXPECT_EQ(get(path("b")), "one");
  fs_.fail_at(fs_.operations() + 1, Fault::kNoSpace);
  EXPECT_EQ(error_of([&] { fs_.link(path("b"), path("c")); }), ErrorCode::kIo);
  EXPECT_FALSE(there("c"));
}

TEST_F(FaultyFiles, RenamingBeforeSyncingLosesTheContent) {
  put(path("target"), "old");
  write("temp", "new", false);  // the classic mistake: no sync before the rename
  fs_.rename(path("temp"), path("target"));
  fs_.sync_directory(folder());
  fs_.lose_power();
  EXPECT_EQ(get(path("target")), "");
}

TEST_F(FaultyFiles, TruncatedContentMayComeBack) {
  put(path("a"), "old content");
  write("a", "new", false);
  fs_.lose_power();
  EXPECT_EQ(get(path("a")), "old content");
  write("a", "new", true);
  fs_.lose_power();
  EXPECT_EQ(get(path("a")), "new");
}

TEST_F(FaultyFiles, FoldersVanishWithTheirContent) {
  fs_.fail_at(2, Fault::kIoError);
  EXPECT_EQ(error_of([&] { fs_.create_directory(path("x")); }), ErrorCode::kIo);  // made, but its parent was not synced
  fs_.create_directory(path("x/y"));
  write("x/y/a", "text", true);
  fs_.sync_directory(path("x/y"));
  fs_.lose_power();
  EXPECT_FALSE(there("x"));
}

TEST_F(FaultyFiles, FoldersMadeOnTheWayAreDurable) {
  fs_.create_directory(path("x/y/z"));
  EXPECT_EQ(fs_.log(), (std::vector<std::string>{"create_directory " + path("x/y/z"), "sync_directory " + folder(),
                                                 "sync_directory " + path("x"), "sync_directory " + path("x/y")}));
  fs_.lose_power();
  EXPECT_TRUE(there("x/y/z"));
  fs_.remove(path("x/y/z"));
  fs_.lose_power();
  EXPECT_TRUE(there("x/y/z"));  // the removal was not synced
}

TEST_F(FaultyFiles, RenamedFoldersTakeTheirFilesAlong) {
  fs_.create_directory(path("x"));
  write("x/a", "text", true);
  fs_.sync_directory(path("x"));
  fs_.sync_directory(folder());
  fs_.rename(path("x"), path("y"));
  const auto file = fs_.create(path("y/b"));
  file->append(as_bytes("more"));
  fs_.lose_power();
  EXPECT_FALSE(there("y"));
  EXPECT_EQ(get(path("x/a")), "text");
  EXPECT_FALSE(there("x/b"));
}

TEST_F(FaultyFiles, AFaultHitsItsOperationOnly) {
  fs_.fail_at(2, Fault::kIoError);
  std::string message;
  EXPECT_EQ(error_of([&] { write("a", "12345678", true); }, &message), ErrorCode::kIo);
  EXPECT_NE(message.find("Input/output error (injected)"), std::string::npos) << message;
  EXPECT_TRUE(fs_.fault_hit());
  EXPECT_EQ(get(path("a")), "1234");  // a short write
  write("b", "text", true);
  EXPECT_EQ(get(path("b")), "text");
}

TEST_F(FaultyFiles, AFullDiskRefusesGrowthOnly) {
  write("a", "text", true);
  fs_.fail_at(fs_.operations() + 1, Fault::kNoSpace, true);
  fs_.rename(path("a"), path("b"));
  std::string message;
  EXPECT_EQ(error_of([&] { write("c", "text", true); }, &message), ErrorCode::kIo);
  EXPECT_NE(message.find("No space left on device"), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { fs_.create_directory(path("d")); }), ErrorCode::kIo);
  fs_.remove(path("b"));
  fs_.clear_fault();
  write("c", "text", true);
}

TEST_F(FaultyFiles, AfterAFailedSyncALaterSyncSavesNothing) {
  const auto file = fs_.create(path("a"));
  fs_.sync_directory(folder());
  file->append(as_bytes("text"));
  fs_.fail_at(fs_.operations() + 1, Fault::kIoError);
  EXPECT_EQ(error_of([&] { file->sync(); }), ErrorCode::kIo);
  file->sync();
  fs_.lose_power();
  EXPECT_EQ(get(path("a")), "");
}

TEST_F(FaultyFiles, WithoutPowerNothingWorks) {
  put(path("a"), "text");
  const auto file = fs_.create(path("b"));
  fs_.fail_at(2, Fault::kPowerLoss);
  EXPECT_EQ(error_of([&] { file->append(as_bytes("x")); }), ErrorCode::kIo);
  EXPECT_EQ(error_of([&] { file->sync(); }), ErrorCode::kIo);
  EXPECT_EQ(error_of([&] { fs_.map(path("a")); }), ErrorCode::kIo);
  EXPECT_EQ(error_of([&] { fs_.exists(path("a")); }), ErrorCode::kIo);
  EXPECT_EQ(error_of([&] { fs_.remove(path("a")); }), ErrorCode::kIo);
  EXPECT_EQ(error_of([&] { fs_.list(folder()); }), ErrorCode::kIo);
  EXPECT_EQ(fs_.operations(), 2U);
  fs_.lose_power();
  EXPECT_EQ(fs_.list(folder()), std::vector<std::string>{"a"});
}

TEST_F(FaultyFiles, PartsThatCannotBeRead) {
  put(path("a"), "0123456789");
  fs_.fail_reads(path("a"), 4, 6);
  std::string message;
  EXPECT_EQ(error_of([&] { read_file(fs_, path("a"), 100); }, &message), ErrorCode::kIo);  // it does not map
  EXPECT_NE(message.find("cannot read " + path("a") + ": Input/output error (injected)"), std::string::npos) << message;
  const auto file = fs_.open(path("a"));
  std::vector<std::byte> room(10);
  EXPECT_EQ(file->read(0, room), 4U);
  EXPECT_EQ(error_of([&] { file->read(5, room); }), ErrorCode::kIo);
  EXPECT_EQ(file->read(6, room), 4U);
  EXPECT_EQ(error_of([&] { fs_.map(path("a")); }), ErrorCode::kInternal);
  EXPECT_TRUE(fs_.link(path("a"), path("b")));  // another name, the same sectors
  EXPECT_EQ(error_of([&] { fs_.open(path("b"))->read(5, room); }), ErrorCode::kIo);
}

// With luck some of what was not synced survives: always a beginning, never something else.
TEST_F(FaultyFiles, LuckKeepsBeginnings) {
  std::set<std::string> contents;
  std::set<bool> second_there;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    std::filesystem::remove_all(folder());
    std::filesystem::create_directories(folder());
    FaultFileSystem fs;
    const auto file = fs.create(path("a"));
    file->append(as_bytes("12"));
    file->sync();
    file->append(as_bytes("3456"));
    fs.create(path("b"))->close();
    fs.lose_power(seed);
    EXPECT_TRUE(there("a") || !there("b")) << "the later name survived the earlier";
    second_there.insert(there("b"));
    if (!there("a")) continue;
    const std::string text = get(path("a"));
    EXPECT_TRUE(std::string("123456").starts_with(text) && text.size() >= 2) << text;
    contents.insert(text);
  }
  EXPECT_GE(contents.size(), 3U);
  EXPECT_EQ(second_there.size(), 2U);
}

TEST_F(FaultyFiles, AtomicWritesAreAtomicUnderEveryFault) {
  for (const Fault kind : {Fault::kIoError, Fault::kNoSpace, Fault::kPowerLoss}) {
    for (std::uint64_t step = 1; step <= 5; ++step) {  // create, append, sync, rename, sync_directory
      for (std::uint64_t seed = 0; seed < 4; ++seed) {
        put(path("a"), "old");
        FaultFileSystem fs;
        fs.fail_at(step, kind);
        bool acknowledged = true;
        try {
          write_file_atomically(fs, path("a"), as_bytes("new"));
        } catch (const Error&) {
          acknowledged = false;
        }
        if (kind != Fault::kPowerLoss) {
          EXPECT_EQ(fs.list(folder()), std::vector<std::string>{"a"}) << "temporary file left at operation " << step;
        }
        fs.lose_power(seed);
        const std::string content = get(path("a"));
        EXPECT_TRUE(content == "new" || (content == "old" && !acknowledged)) << content << " after operation " << step;
        for (const std::string& name : fs.list(folder())) {
          if (name != "a") real_file_system().remove(path(name));
        }
      }
    }
  }
}

}  // namespace
}  // namespace signet
