#include "signet/code/code_set.h"

#include "base/memory_file.h"
#include "base/test_folder.h"
#include "signet/base/fault_file_system.h"

namespace signet {
namespace {

class CodeSetFolder : public TestFolder {
 protected:
  FileSystem& fs_ = real_file_system();

  static CodeSet sample() {
    CodeSet set;
    set.codes = CodeMatrix(12, {0xff, 0x0f, 0x01, 0x00, 0x00, 0x00});
    set.keys = {"cat/1.png", "", "dog \xff; 2.png"};
    set.labels = {{0}, {}, {1, 0}};
    set.class_names = {"cat", "dög"};
    set.model = std::string(64, 'a');
    set.root = "/pictures";
    return set;
  }
  static void expect_equal(const CodeSet& a, const CodeSet& b) {
    EXPECT_EQ(a.codes, b.codes);
    EXPECT_EQ(a.keys, b.keys);
    EXPECT_EQ(a.labels, b.labels);
    EXPECT_EQ(a.class_names, b.class_names);
    EXPECT_EQ(a.model, b.model);
    EXPECT_EQ(a.root, b.root);
  }
  // A set without checksums, as written by hand.
  void write_by_hand(const std::string& json, const std::string& keys = "a\nb\nc\n", const std::string& labels = "0\n1\n\n") {
    if (!fs_.exists(path("codes.npy"))) write_code_set(fs_, folder(), sample());
    put(path("codes.json"), json);
    put(path("keys.txt"), keys);
    put(path("labels.txt"), labels);
  }
  ErrorCode read_error(std::string* message = nullptr) {
    return error_of([&] { read_code_set(fs_, folder()); }, message);
  }
};

constexpr const char* kByHand = R"({"format":"signet-codes","version":1,"bits":12,"count":3,"labels":true})";

TEST_F(CodeSetFolder, GivesBackWhatWasWritten) {
  write_code_set(fs_, path("new/folder"), sample());
  expect_equal(read_code_set(fs_, path("new/folder")), sample());
  EXPECT_EQ(fs_.list(path("new/folder")), (std::vector<std::string>{"codes.json", "codes.npy", "keys.txt", "labels.txt"}));
  EXPECT_EQ(get(path("new/folder/labels.txt")), "0\n\n1;0\n");
}

TEST_F(CodeSetFolder, WithoutLabelsOrCodes) {
  CodeSet set = sample();
  write_code_set(fs_, folder(), set);
  set.labels.clear();
  set.model.clear();
  write_code_set(fs_, folder(), set);
  EXPECT_FALSE(fs_.exists(path("labels.txt")));  // those of the older set would be misleading
  expect_equal(read_code_set(fs_, folder()), set);
  set.codes = CodeMatrix(0, 12);
  set.keys.clear();
  write_code_set(fs_, folder(), set);
  expect_equal(read_code_set(fs_, folder()), set);
}

TEST_F(CodeSetFolder, WhatStoodBesideAnOlderSetGoes) {
  const CodeSet set = sample();
  write_code_set(fs_, folder(), set);
  const auto beside = {"records.jsonl", "verdicts.jsonl", "outputs.npy", "skipped.csv"};
  for (const char* name : beside) put(path(name), "{}\n");
  write_code_set(fs_, folder(), set);
  for (const char* name : beside) EXPECT_FALSE(fs_.exists(path(name))) << name;
  expect_equal(read_code_set(fs_, folder()), set);
}

TEST_F(CodeSetFolder, FilesOfOthersAreNeitherReplacedNorRemoved) {
  CodeSet set = sample();
  set.labels.clear();
  for (const char* name : {"labels.txt", "keys.txt", "codes.npy", "codes.json", "records.jsonl", "verdicts.jsonl"}) {
    put(path(name), R"({"format":"mine"})");
    std::string message;
    EXPECT_EQ(error_of([&] { write_code_set(fs_, folder(), set); }, &message), ErrorCode::kInvalidArgument) << name;
    EXPECT_NE(message.find(name), std::string::npos) << message;
    EXPECT_EQ(error_of([&] { check_code_folder(fs_, folder()); }), ErrorCode::kInvalidArgument) << name;
    EXPECT_EQ(fs_.list(folder()), std::vector<std::string>{name});
    EXPECT_EQ(get(path(name)), R"({"format":"mine"})");
    fs_.remove(path(name));
  }
  put(path("notes.txt"), "mine");
  check_code_folder(fs_, folder());
  write_code_set(fs_, folder(), set);
  check_code_folder(fs_, folder());
}

TEST_F(CodeSetFolder, ByHandWithTheLeast) {
  write_by_hand(kByHand, "a\nb\nc", "0\n1\n5");
  const CodeSet set = read_code_set(fs_, folder());
  EXPECT_EQ(set.keys, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(set.labels[2], std::vector<std::int32_t>{5});
  EXPECT_EQ(set.model, "");
}

TEST_F(CodeSetFolder, RefusesToWriteContradictions) {
  const auto refused = [&](auto change) {
    CodeSet set = sample();
    change(set);
    return error_of([&] { write_code_set(fs_, path("x"), set); });
  };
  EXPECT_EQ(refused([](CodeSet& s) { s.keys.pop_back(); }), ErrorCode::kMismatch);
  EXPECT_EQ(refused([](CodeSet& s) { s.labels.pop_back(); }), ErrorCode::kMismatch);
  EXPECT_EQ(refused([](CodeSet& s) { s.keys[1] = "line\nbreak"; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](CodeSet& s) { s.keys[1] = std::string(65536, 'k'); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](CodeSet& s) { s.labels[0] = {2}; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](CodeSet& s) { s.labels[0] = {-1}; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](CodeSet& s) { s.model = "short"; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](CodeSet& s) { s.class_names[0] = "\xff"; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](CodeSet& s) { s.codes = CodeMatrix(); }), ErrorCode::kInvalidArgument);
  EXPECT_FALSE(fs_.exists(path("x/codes.json")));
}

TEST_F(CodeSetFolder, MissingFilesAreNamed) {
  std::string message;
  EXPECT_EQ(error_of([&] { read_code_set(fs_, path("none")); }, &message), ErrorCode::kNotFound);
  EXPECT_NE(message.find("signet encode"), std::string::npos) << message;
  for (const char* name : {"codes.npy", "keys.txt", "labels.txt"}) {
    write_code_set(fs_, folder(), sample());
    fs_.remove(path(name));
    EXPECT_EQ(read_error(&message), ErrorCode::kNotFound);
    EXPECT_NE(message.find(name), std::string::npos) << message;
  }
}

TEST_F(CodeSetFolder, AFileOfAnotherSetIsFound) {
  for (const char* name : {"codes.npy", "keys.txt", "labels.txt"}) {
    write_code_set(fs_, folder(), sample());
    std::string content = get(path(name));
    content[0] = static_cast<char>(content[0] ^ 1);
    put(path(name), content);
    std::string message;
    EXPECT_EQ(read_error(&message), ErrorCode::kCorrupt) << name;
    EXPECT_NE(message.find(name), std::string::npos) << message;
    EXPECT_NE(message.find("checksum"), std::string::npos) << message;
    put(path(name), content + "x");
    EXPECT_EQ(read_error(), ErrorCode::kCorrupt) << name;
  }
}

TEST_F(CodeSetFolder, CountsThatContradict) {
  write_by_hand(R"({"format":"signet-codes","version":1,"bits":12,"count":4})");
  EXPECT_EQ(read_error(), ErrorCode::kMismatch);
  write_by_hand(R"({"format":"signet-codes","version":1,"bits":24,"count":3})");
  EXPECT_EQ(read_error(), ErrorCode::kMismatch);
  std::string message;
  write_by_hand(kByHand, "a\nb\n");
  EXPECT_EQ(read_error(&message), ErrorCode::kMismatch);
  EXPECT_NE(message.find("2 lines for the 3 codes"), std::string::npos) << message;
  write_by_hand(kByHand, "a\nb\nc\nd\n");
  EXPECT_EQ(read_error(), ErrorCode::kMismatch);
  write_by_hand(kByHand, "a\nb\nc\n", "0\n");
  EXPECT_EQ(read_error(), ErrorCode::kMismatch);
}

TEST_F(CodeSetFolder, BadKeysAndLabels) {
  write_by_hand(kByHand, "a\nb\r\nc\n");
  EXPECT_EQ(read_error(), ErrorCode::kCorrupt);
  write_by_hand(kByHand, "a\n" + std::string(70000, 'b') + "\nc\n");
  EXPECT_EQ(read_error(), ErrorCode::kCorrupt);
  for (const char* label : {"x", "-1", "1;", ";1", "1;;2", " 1", "1 ", "2147483648", "1.5", "99999999999999999999"}) {
    write_by_hand(kByHand, "a\nb\nc\n", concat("0\n", label, "\n\n"));
    std::string message;
    EXPECT_EQ(read_error(&message), ErrorCode::kCorrupt) << label;
    EXPECT_NE(message.find("line 2"), std::string::npos) << message;
  }
  write_by_hand(R"({"format":"signet-codes","version":1,"bits":12,"count":3,"labels":true,"class_names":["cat"]})");
  EXPECT_EQ(read_error(), ErrorCode::kMismatch);
}

TEST_F(CodeSetFolder, BadJson) {
  const std::pair<const char*, ErrorCode> cases[] = {
      {"", ErrorCode::kCorrupt},
      {"{", ErrorCode::kCorrupt},
      {"[1]", ErrorCode::kCorrupt},
      {"{}", ErrorCode::kCorrupt},
      {R"({"format":"other","version":1,"bits":12,"count":3})", ErrorCode::kCorrupt},
      {R"({"format":"signet-codes","version":2,"bits":12,"count":3})", ErrorCode::kUnsupported},
      {R"({"format":"signet-codes","version":1,"count":3})", ErrorCode::kCorrupt},
      {R"({"format":"signet-codes","version":1,"bits":12})", ErrorCode::kCorrupt},
      {R"({"format":"signet-codes","version":1,"bits":0,"count":3})", ErrorCode::kInvalidArgument},
      {R"({"format":"signet-codes","version":1,"bits":4294967308,"count":3})", ErrorCode::kInvalidArgument},
      {R"({"format":"signet-codes","version":1,"bits":-12,"count":3})", ErrorCode::kCorrupt},
      {R"({"format":"signet-codes","version":1,"bits":12.5,"count":3})", ErrorCode::kCorrupt},
      {R"({"format":"signet-codes","version":1,"bits":"12","count":3})", ErrorCode::kCorrupt},
      {R"({"format":"signet-codes","version":1,"bits":12,"count":3,"model":"xyz"})", ErrorCode::kCorrupt},
      {R"({"format":"signet-codes","version":1,"bits":12,"count":3,"root":7})", ErrorCode::kCorrupt},
      {R"({"format":"signet-codes","version":1,"bits":12,"count":3,"class_names":"cat"})", ErrorCode::kCorrupt},
      {R"({"format":"signet-codes","version":1,"bits":12,"count":3,"class_names":[1]})", ErrorCode::kCorrupt},
      {R"({"format":"signet-codes","version":1,"bits":12,"count":3,"labels":1})", ErrorCode::kCorrupt},
      {R"({"format":"signet-codes","version":1,"bits":12,"count":3,"files":[]})", ErrorCode::kCorrupt},
      {R"({"format":"signet-codes","version":1,"bits":12,"count":3,"files":{"codes.npy":7}})", ErrorCode::kCorrupt},
      {R"({"format":"signet-codes","version":1,"bits":12,"count":3,"files":{"codes.npy":{"bytes":134}}})", ErrorCode::kCorrupt},
  };
  for (const auto& [json, code] : cases) {
    write_by_hand(json);
    std::string message;
    EXPECT_EQ(read_error(&message), code) << json;
    EXPECT_NE(message.find("codes."), std::string::npos) << message;
  }
}

TEST_F(CodeSetFolder, JsonNestedBeyondReason) {
  write_by_hand(std::string(1000000, '['));
  EXPECT_EQ(read_error(), ErrorCode::kCorrupt);
  write_by_hand(std::string(500000, '[') + std::string(500000, ']'));
  std::string message;
  EXPECT_EQ(read_error(&message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find("nest"), std::string::npos) << message;
  // Brackets in strings do not nest, an escaped quote ends no string, and unknown keys may hold objects.
  const std::string brackets(40, '[');
  write_by_hand(R"({"format":"signet-codes","version":1,"bits":12,"count":3,"root":"\")" + brackets + R"(","more":{"x":[{}]}})");
  EXPECT_EQ(read_code_set(fs_, folder()).root, "\"" + brackets);
}

// A failing disk before the first rename leaves the old set as it was; afterwards the set is old, new, or refused by its
// checksums.
TEST_F(CodeSetFolder, EveryFailureLeavesOldNewOrARefusal) {
  CodeSet changed = sample();
  changed.codes.row(2)[0] = 1;
  changed.keys[0] = "cat/9.png";
  changed.labels[0] = {1};
  MemoryFiles memory;
  FaultFileSystem counting(memory);
  write_code_set(counting, "/set", changed);
  std::size_t unchanged = 0;
  for (const Fault kind : {Fault::kIoError, Fault::kNoSpace, Fault::kPowerLoss}) {
    for (std::uint64_t step = 1; step <= counting.operations(); ++step) {
      write_code_set(memory, "/set", sample());
      FaultFileSystem fs(memory);
      fs.fail_at(step, kind);
      bool acknowledged = true;
      try {
        write_code_set(fs, "/set", changed);
      } catch (const Error&) {
        acknowledged = false;
      }
      fs.lose_power(step % 3);
      try {
        const CodeSet set = read_code_set(memory, "/set");
        expect_equal(set, set.keys[0] == "cat/9.png" ? changed : sample());
        EXPECT_TRUE(set.keys[0] == "cat/9.png" || !acknowledged);
        unchanged += set.keys[0] == "cat/1.png" ? 1U : 0U;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << error.what();
        EXPECT_NE(kind, Fault::kNoSpace) << "a full disk must not damage the old set";
      }
    }
  }
  EXPECT_GT(unchanged, counting.operations());
}

}  // namespace
}  // namespace signet
