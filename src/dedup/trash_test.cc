#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/test_files.h"
#include "base/test_folder.h"
#include "signet/base/error.h"
#include "signet/base/fault_file_system.h"
#include "signet/base/sha256.h"
#include "signet/dedup/plan.h"

namespace signet {
namespace {

class Trash : public TestFolder {
 protected:
  Trash() { fill(); }

  void fill() {
    std::filesystem::remove_all(path("pictures"));
    std::filesystem::remove_all(path("trash"));
    std::filesystem::create_directories(path("pictures/sub"));
    content_.clear();
    for (const char* name : {"pictures/a.png", "pictures/b.png", "pictures/sub/b.png", "pictures/sub/c.png"}) {
      content_[path(name)] = concat("content of ", name);
      put(path(name), content_[path(name)]);
    }
  }
  PlannedFile planned(const std::string& name) const {
    const std::string& text = content_.at(path(name));
    return {path(name), text.size(), sha256_hex(as_bytes(text)), 4, 3};
  }
  DedupPlan plan() const {
    DedupPlan plan;
    plan.made = "2026-01-02T03:04:05Z";
    plan.method = "phash";
    plan.radius = 3;
    plan.calibration = R"({"budget":0.001})";
    plan.trash = path("trash");
    plan.groups = {{planned("pictures/a.png"),
                    {{planned("pictures/b.png"), DuplicateLevel::kNear, 2},
                     {planned("pictures/sub/b.png"), DuplicateLevel::kSameBytes, 0}}}};
    return plan;
  }
  bool is_there(const std::string& name) const { return std::filesystem::exists(path(name)); }

  // Every file's content is at its place, or in the trash: exactly once each.
  void expect_nothing_lost() {
    for (const auto& [file, text] : content_) {
      std::size_t copies = 0;
      if (std::filesystem::exists(file)) copies += get(real_file_system(), file) == text ? 1u : 0u;
      if (std::filesystem::exists(path("trash")))
        for (const std::string& name : real_file_system().list(path("trash")))
          copies += get(real_file_system(), join_path(path("trash"), name)) == text ? 1u : 0u;
      EXPECT_EQ(copies, 1u) << file;
    }
  }
  // Before the first move: there is no trash folder yet.
  void expect_refused(const DedupPlan& plan, ErrorCode code, const std::string& part) {
    std::string message;
    EXPECT_EQ(error_of([&] { apply_plan(real_file_system(), plan); }, &message), code);
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_FALSE(std::filesystem::exists(plan.trash));
  }
  void expect_all_back() {
    for (const auto& [file, text] : content_) {
      ASSERT_TRUE(std::filesystem::exists(file)) << file;
      EXPECT_EQ(get(real_file_system(), file), text);
    }
  }

  std::map<std::string, std::string> content_;
};

TEST_F(Trash, MovesAndBringsBack) {
  const ApplyResult result = apply_plan(real_file_system(), plan());
  EXPECT_EQ(result.moved, 2u);
  EXPECT_EQ(result.bytes_saved, content_[path("pictures/b.png")].size() + content_[path("pictures/sub/b.png")].size());
  EXPECT_TRUE(is_there("pictures/a.png"));
  EXPECT_FALSE(is_there("pictures/b.png"));
  EXPECT_FALSE(is_there("pictures/sub/b.png"));
  EXPECT_TRUE(is_there("pictures/sub/c.png"));
  expect_nothing_lost();
  const ApplyResult again = apply_plan(real_file_system(), plan());
  EXPECT_EQ(again.moved, 2u);
  EXPECT_EQ(again.already, 2u);
  std::filesystem::remove(path("pictures/sub/c.png"));
  content_.erase(path("pictures/sub/c.png"));
  std::filesystem::remove(path("pictures/sub"));  // undo makes folders that went meanwhile
  const UndoResult undone = undo_moves(real_file_system(), path("trash"));
  EXPECT_EQ(undone.restored, 2u);
  EXPECT_TRUE(undone.occupied.empty());
  expect_all_back();
  EXPECT_EQ(undo_moves(real_file_system(), path("trash")).restored, 0u);
  EXPECT_EQ(apply_plan(real_file_system(), plan()).already, 0u);  // and it can be done again
  expect_nothing_lost();
}

TEST_F(Trash, RefusesWhatHasChanged) {
  const auto refused = [&](const std::string& part) {
    expect_refused(plan(), ErrorCode::kMismatch, part);
    EXPECT_TRUE(is_there("pictures/b.png") || is_there("pictures/sub/b.png"));
  };
  std::string same_size = content_[path("pictures/sub/b.png")];
  same_size[0] = 'X';
  put(path("pictures/sub/b.png"), same_size);
  refused("sub/b.png is moved by the plan, but it has changed");
  fill();
  std::filesystem::remove(path("pictures/a.png"));
  refused("a.png is kept by the plan, but it is gone");
  fill();
  put(path("pictures/a.png"), "another");
  refused("a.png is kept by the plan, but it has changed");
  fill();
  std::filesystem::remove(path("pictures/b.png"));
  refused("b.png is moved by the plan, but it is gone");
}

TEST_F(Trash, AnotherNameOfAKeptFileIsNeverMoved) {
  const auto refused = [&](const std::string& part) { expect_refused(plan(), ErrorCode::kMismatch, part); };
  const std::string kept = path("pictures/a.png"), moved = path("pictures/b.png");
  const auto same_content = [&] { content_[moved] = content_[kept]; };
  std::filesystem::remove(moved);
  std::filesystem::create_hard_link(kept, moved);
  same_content();
  refused("b.png is moved by the plan, but it is another name of " + kept);
  fill();
  std::filesystem::remove(kept);
  std::filesystem::create_symlink(moved, kept);
  content_[kept] = content_[moved];
  refused("b.png is moved by the plan, but it is another name of " + kept);
  fill();
  std::filesystem::remove(moved);
  std::filesystem::create_symlink(kept, moved);
  same_content();
  refused("b.png is moved by the plan, but it is a symbolic link");
  fill();  // kept by another group than the one that moves it, and by the way of a linked folder
  std::filesystem::create_directory_symlink(path("pictures"), path("album"));
  DedupPlan through = plan();
  through.groups.push_back({planned("pictures/b.png"), {}});
  through.groups.back().keep.path = path("album/b.png");
  EXPECT_THROW(apply_plan(real_file_system(), through), Error);
  EXPECT_TRUE(is_there("pictures/b.png"));
}

TEST_F(Trash, TheLongestNamesAreMovedAndBroughtBack) {
  std::string characters;
  for (int i = 0; i < 83; ++i) characters += "\xe6\xbc\xa2";  // three bytes each, and no byte alone is UTF-8
  DedupPlan long_one = plan();
  for (const std::string& name : {std::string(251, 'x'), characters + "xx"}) {
    const std::string file = "pictures/" + name + ".png";
    put(path(file), content_[path(file)] = "of a name of 255 bytes: " + name);
    long_one.groups[0].move.push_back({planned(file), DuplicateLevel::kNear, 2});
  }
  EXPECT_EQ(apply_plan(real_file_system(), long_one).moved, 4u);
  EXPECT_FALSE(is_there("pictures/" + characters + "xx.png"));
  expect_nothing_lost();
  EXPECT_EQ(undo_moves(real_file_system(), path("trash")).restored, 4u);
  expect_all_back();
}

TEST_F(Trash, AnotherDiskIsRefusedBeforeAnythingIsMoved) {
  const std::string shared = "/dev/shm";  // memory, where there is one
  if (!file_id(shared) || file_id(shared)->first == file_id(path("pictures"))->first) GTEST_SKIP() << "there is one disk alone";
  DedupPlan far = plan();
  far.trash = join_path(shared, concat("signet-trash-", ::getpid(), "/trash"));
  expect_refused(far, ErrorCode::kIo, "--trash DIR");
  expect_all_back();
}

TEST_F(Trash, AJournalIsNeverWrittenOver) {
  DedupPlan first = plan(), second = plan(), third = plan();
  first.groups[0].move.pop_back();
  second.groups[0].move.erase(second.groups[0].move.begin());
  third.groups = {{planned("pictures/a.png"), {{planned("pictures/sub/c.png"), DuplicateLevel::kNear, 2}}}};
  apply_plan(real_file_system(), first);
  apply_plan(real_file_system(), second);
  std::filesystem::remove(path("trash/journal-000001.jsonl"));
  const std::string before = get(real_file_system(), path("trash/journal-000002.jsonl"));
  apply_plan(real_file_system(), third);
  EXPECT_EQ(get(real_file_system(), path("trash/journal-000002.jsonl")), before);
  EXPECT_TRUE(is_there("trash/journal-000003.jsonl"));
  EXPECT_EQ(undo_moves(real_file_system(), path("trash")).restored, 2u);
  // One that another process makes after this one has looked.
  put(path("trash/journal-notes.jsonl"), "of somebody else");
  const std::string next = path("trash/journal-000004.jsonl");
  EXPECT_THROW(apply_plan(real_file_system(), third,
                          [&](const Progress&) {
                            put(next, "lines");
                            return true;
                          }),
               Error);
  EXPECT_EQ(get(real_file_system(), next), "lines");
  EXPECT_TRUE(is_there("pictures/sub/c.png"));
  // One that is made at the last moment: after everything that could be looked at has been.
  class OtherApply final : public ForwardingFiles {
   public:
    explicit OtherApply(std::string journal) : ForwardingFiles(real_file_system()), journal_(std::move(journal)) {}
    std::unique_ptr<WritableFile> create(const std::string& name) override {
      auto file = ForwardingFiles::create(name);
      put(journal_, "of the other");
      return file;
    }

   private:
    std::string journal_;
  } other(path("trash/journal-000005.jsonl"));
  EXPECT_EQ(error_of([&] { apply_plan(other, third); }), ErrorCode::kMismatch);
  EXPECT_EQ(get(real_file_system(), path("trash/journal-000005.jsonl")), "of the other");
  EXPECT_TRUE(is_there("pictures/sub/c.png"));
  for (const std::string& name : real_file_system().list(path("trash"))) EXPECT_FALSE(is_temp_name(name)) << name;
}

TEST_F(Trash, JournalsAreReadByTheirNumbers) {
  const auto line = [&](const char* from, const char* name) {
    return R"({"from":")" + path(from) + R"(","name":")" + name + R"(","bytes":1})" + "\n";
  };
  std::filesystem::create_directories(path("trash"));
  put(path("trash/journal-999999.jsonl"), line("pictures/old.png", "1-x.png"));
  put(path("trash/journal-1000000.jsonl"), line("pictures/new.png", "1-x.png"));
  put(path("trash/1-x.png"), "x");
  undo_moves(real_file_system(), path("trash"));  // the newest tells where it was
  EXPECT_TRUE(is_there("pictures/new.png"));
  EXPECT_TRUE(is_trash_folder(real_file_system(), path("trash")));
  EXPECT_FALSE(is_trash_folder(real_file_system(), path("pictures")));
  put(path("pictures/journal-1.jsonl"), "of somebody else");
  EXPECT_FALSE(is_trash_folder(real_file_system(), path("pictures")));
  EXPECT_FALSE(is_trash_folder(real_file_system(), path("nowhere")));
}

TEST_F(Trash, UndoOverwritesNothing) {
  apply_plan(real_file_system(), plan());
  put(path("pictures/b.png"), "a new picture");
  const UndoResult undone = undo_moves(real_file_system(), path("trash"));
  EXPECT_EQ(undone.restored, 1u);
  EXPECT_EQ(undone.occupied, std::vector<std::string>{path("pictures/b.png")});
  EXPECT_EQ(get(real_file_system(), path("pictures/b.png")), "a new picture");
  std::filesystem::remove(path("pictures/b.png"));
  EXPECT_EQ(undo_moves(real_file_system(), path("trash")).restored, 1u);
  expect_all_back();
}

// A link that leads nowhere is no file that could be seen to be there, and yet somebody has put it there.
TEST_F(Trash, UndoOverwritesNoLinkThatLeadsNowhere) {
  apply_plan(real_file_system(), plan());
  std::filesystem::create_symlink(path("nowhere"), path("pictures/b.png"));
  const UndoResult undone = undo_moves(real_file_system(), path("trash"));
  EXPECT_EQ(undone.restored, 1u);
  EXPECT_EQ(undone.occupied, std::vector<std::string>{path("pictures/b.png")});
  EXPECT_TRUE(std::filesystem::is_symlink(path("pictures/b.png")));
  expect_nothing_lost();
}

TEST_F(Trash, AJournalThatLeadsElsewhereIsRefused) {
  apply_plan(real_file_system(), plan());
  put(path("outside"), "not in the trash");
  const std::string from = path("pictures/new.png");
  const auto refused = [&](const std::string& name, const std::string& place, const std::string& part) {
    put(path("trash/journal-000002.jsonl"), R"({"from":")" + place + R"(","name":")" + name + R"(","bytes":1})" + "\n");
    std::string message;
    EXPECT_EQ(error_of([&] { undo_moves(real_file_system(), path("trash")); }, &message), ErrorCode::kCorrupt) << name;
    EXPECT_NE(message.find("journal-000002.jsonl, line 1"), std::string::npos) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_FALSE(is_there("pictures/new.png"));
    EXPECT_FALSE(is_there("pictures/b.png"));
    EXPECT_EQ(get(path("outside")), "not in the trash");
  };
  for (const std::string& name : {path("outside"), std::string("../outside"), std::string(".."), std::string("."), std::string(),
                                  std::string("sub/1.png"), std::string("1\\u0000.png")})
    refused(name, from, "is not that of a file in the trash folder");
  for (const char* place : {"new.png", "", "../pictures/new.png"}) refused("1-b.png", place, "is not an absolute path");
  std::filesystem::remove(path("trash/journal-000002.jsonl"));
  EXPECT_EQ(undo_moves(real_file_system(), path("trash")).restored, 2u);
  expect_all_back();
}

TEST_F(Trash, ALineThatNestsBeyondReasonIsDamage) {
  apply_plan(real_file_system(), plan());
  const std::string deep = R"({"from":"/a","name":"a","bytes":1,"more":)" + std::string(100, '[') + std::string(100, ']') + "}\n";
  put(path("trash/journal-000002.jsonl"), deep + R"({"from":"/a","name":"a","bytes":1})" + "\n");
  std::string message;
  EXPECT_EQ(error_of([&] { undo_moves(real_file_system(), path("trash")); }, &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find("journal-000002.jsonl, line 1 is damaged"), std::string::npos) << message;
}

TEST_F(Trash, UndoNeedsAJournal) {
  EXPECT_THROW(undo_moves(real_file_system(), path("trash")), Error);
  EXPECT_THROW(undo_moves(real_file_system(), path("pictures")), Error);
}

// Fails at every operation on the disk in turn, in every way, and loses power too: no file is ever lost, and both going on and
// undoing work afterwards.
TEST_F(Trash, InterruptedAtEveryStepNothingIsLost) {
  std::uint64_t operations = 0;
  {
    FaultFileSystem counting;
    apply_plan(counting, plan());
    operations = counting.operations();
  }
  ASSERT_GT(operations, 10u);
  std::size_t interrupted = 0;
  for (const Fault fault : {Fault::kIoError, Fault::kNoSpace, Fault::kPowerLoss}) {
    for (std::uint64_t at = 1; at <= operations; ++at) {
      for (const std::uint64_t seed : {0, 1, 2}) {
        if (fault != Fault::kPowerLoss && seed > 0) continue;
        SCOPED_TRACE(concat("fault ", static_cast<int>(fault), " at operation ", at, ", seed ", seed));
        fill();
        FaultFileSystem faulty;
        faulty.fail_at(at, fault);
        try {
          apply_plan(faulty, plan());
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ErrorCode::kIo);
          ++interrupted;
        }
        if (fault == Fault::kPowerLoss) faulty.lose_power(seed);
        faulty.clear_fault();
        expect_nothing_lost();
        if (at % 2 == 0) {
          EXPECT_EQ(apply_plan(faulty, plan()).moved, 2u);
          expect_nothing_lost();
        }
        if (is_trash_folder(faulty, path("trash"))) undo_moves(faulty, path("trash"));
        expect_all_back();
      }
    }
  }
  EXPECT_GT(interrupted, operations);
}

TEST_F(Trash, AnInterruptedUndoLosesNothing) {
  apply_plan(real_file_system(), plan());
  FaultFileSystem counting;
  undo_moves(counting, path("trash"));
  const std::uint64_t operations = counting.operations();
  for (std::uint64_t at = 1; at <= operations; ++at) {
    SCOPED_TRACE(at);
    fill();
    apply_plan(real_file_system(), plan());
    FaultFileSystem faulty;
    faulty.fail_at(at, Fault::kPowerLoss);
    EXPECT_THROW(undo_moves(faulty, path("trash")), Error);
    faulty.lose_power();
    expect_nothing_lost();
    undo_moves(faulty, path("trash"));
    expect_all_back();
  }
}

// Neither a trash folder below folders that are made for it, nor folders that undo makes again, are lost with what was moved
// there.
TEST_F(Trash, FoldersMadeOnTheWaySurviveALossOfPower) {
  DedupPlan deep = plan();
  deep.trash = path("trash/of/today");
  FaultFileSystem faulty;
  EXPECT_EQ(apply_plan(faulty, deep).moved, 2u);
  faulty.lose_power();
  EXPECT_FALSE(is_there("pictures/b.png"));
  EXPECT_TRUE(is_there("trash/of/today/1-b.png"));
  std::filesystem::remove_all(path("pictures"));
  EXPECT_EQ(undo_moves(faulty, deep.trash).restored, 2u);
  faulty.lose_power();
  for (const char* name : {"pictures/b.png", "pictures/sub/b.png"}) {
    ASSERT_TRUE(is_there(name)) << name;
    EXPECT_EQ(get(path(name)), content_[path(name)]);
  }
}

TEST_F(Trash, StoppedOnRequestItGoesOn) {
  std::size_t asked = 0;
  EXPECT_THROW(apply_plan(real_file_system(), plan(), [&](const Progress& p) { return p.stage != "move" || asked++ == 0; }),
               Error);
  expect_nothing_lost();
  const ApplyResult rest = apply_plan(real_file_system(), plan());
  EXPECT_EQ(rest.moved, 2u);
  EXPECT_EQ(rest.already, 1u);
}

// ---- the plan's file

TEST_F(Trash, APlanReadsBackAsItWasWritten) {
  const DedupPlan written = plan();
  write_plan(real_file_system(), path("plan.json"), written);
  const DedupPlan read = read_plan(real_file_system(), path("plan.json"));
  EXPECT_EQ(read.groups, written.groups);
  EXPECT_EQ(read.trash, written.trash);
  EXPECT_EQ(read.radius, written.radius);
  EXPECT_EQ(read.calibration, written.calibration);
  EXPECT_EQ(read.keep, written.keep);
  EXPECT_EQ(get(real_file_system(), path("plan.json.list")), path("pictures/b.png") + "\n" + path("pictures/sub/b.png") + "\n");
}

TEST_F(Trash, BadPlansAreRefused) {
  write_plan(real_file_system(), path("plan.json"), plan());
  const std::string good = get(real_file_system(), path("plan.json"));
  const auto refused = [&](const std::string& from, const std::string& to, ErrorCode code) {
    std::string bad = good;
    const std::size_t at = bad.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    bad.replace(at, from.size(), to);
    put(path("bad.json"), bad);
    try {
      read_plan(real_file_system(), path("bad.json"));
      ADD_FAILURE() << "accepted: " << to;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_NE(std::string(error.what()).find("bad.json"), std::string::npos) << error.what();
    }
  };
  refused("signet-dedup-plan", "another", ErrorCode::kCorrupt);
  refused("\"version\": 1", "\"version\": 2", ErrorCode::kUnsupported);
  refused("\"bytes\": ", "\"bytes\": -", ErrorCode::kCorrupt);
  refused("\"radius\": 3", "\"radius\": 5000000000", ErrorCode::kCorrupt);
  refused("near-duplicate", "nearly", ErrorCode::kCorrupt);
  refused("pictures/sub/b.png", "pictures/b.png", ErrorCode::kCorrupt);  // moved twice
  refused("\"path\": \"/", "\"path\": \"", ErrorCode::kCorrupt);         // not absolute
  refused("\"groups\": [", "\"groups\": [3,", ErrorCode::kCorrupt);
  refused("}", "", ErrorCode::kCorrupt);
  refused("{\n  \"budget\": 0.001\n }", R"({"a":)" + std::string(400'000, '[') + std::string(400'000, ']') + "}",
          ErrorCode::kCorrupt);
  for (std::size_t cut = 0; cut < good.size() - 2; cut += 7) {
    put(path("bad.json"), good.substr(0, cut));
    EXPECT_THROW(read_plan(real_file_system(), path("bad.json")), Error) << cut;
  }
  DedupPlan twice = plan();
  twice.groups.push_back(twice.groups[0]);
  EXPECT_THROW(write_plan(real_file_system(), path("twice.json"), twice), Error);
  DedupPlan broken = plan();
  broken.groups[0].move[0].file.path += "\n.png";
  EXPECT_THROW(write_plan(real_file_system(), path("broken.json"), broken), Error);
  DedupPlan nowhere = plan();
  nowhere.trash += "\xff";
  std::string message;
  EXPECT_EQ(error_of([&] { write_plan(real_file_system(), path("nowhere.json"), nowhere); }, &message),
            ErrorCode::kInvalidArgument);
  EXPECT_NE(message.find("the trash folder"), std::string::npos) << message;
  for (const char* name : {"twice.json.list", "broken.json.list", "nowhere.json.list", "nowhere.json"})
    EXPECT_FALSE(is_there(name)) << name;
}

}  // namespace
}  // namespace signet
