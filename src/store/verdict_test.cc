#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "signet/base/error.h"
#include "store/catalog.h"
#include "store/test_collection.h"
#include "store/view.h"

namespace signet {
namespace {

class Verdicts : public TestFolder {
 protected:
  Verdicts() : path_(path("c")) {
    const auto writer = CollectionWriter::create(real_file_system(), path_, test_create());
    const CodeMatrix codes = random_codes(6, kTestBits, 1);
    writer->add({&codes, test_records(6, 0), kModelA});
  }
  std::unique_ptr<CollectionWriter> writer() { return CollectionWriter::open(real_file_system(), path_); }
  std::vector<Verdict> kept() { return Collection::open(real_file_system(), path_)->view()->verdicts(); }
  bool intact() { return verify_collection(real_file_system(), path_).ok(); }

  // Takes the catalog back to what version 1 wrote.
  void make_old() {
    store::Catalog catalog(store::catalog_path(path_), store::Database::Mode::kWrite, "");
    catalog.database().run("DROP TABLE verdict; PRAGMA user_version = 1");
  }

  std::string path_;
};

TEST_F(Verdicts, AreKeptReplacedAndForgotten) {
  writer()->set_verdicts(std::vector<Verdict>{{5, 2, false}, {1, 3, true}});
  EXPECT_EQ(kept(), (std::vector<Verdict>{{1, 3, true}, {2, 5, false}}));
  writer()->set_verdicts(std::vector<Verdict>{{2, 5, true}});
  EXPECT_EQ(kept(), (std::vector<Verdict>{{1, 3, true}, {2, 5, true}}));
  EXPECT_EQ(writer()->erase_verdicts(std::vector<Verdict>{{3, 1, false}, {1, 4, false}}), 1u);
  EXPECT_EQ(kept(), (std::vector<Verdict>{{2, 5, true}}));
  EXPECT_TRUE(intact());
}

TEST_F(Verdicts, AllOrNothing) {
  const auto refuse = [&](std::vector<Verdict> verdicts, ErrorCode code, const std::string& part) {
    try {
      writer()->set_verdicts(verdicts);
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
    EXPECT_TRUE(kept().empty());
  };
  refuse({{1, 2, true}, {3, 3, true}}, ErrorCode::kInvalidArgument, "names 3 twice");
  refuse({{1, 2, true}, {3, 99, true}}, ErrorCode::kNotFound, "no image with the id 99");
}

TEST_F(Verdicts, OfRemovedImagesGoWithCompaction) {
  writer()->set_verdicts(std::vector<Verdict>{{1, 2, false}, {3, 4, false}});
  writer()->remove_ids(std::vector<std::uint64_t>{2});
  EXPECT_EQ(kept().size(), 2u);
  writer()->compact(1 << 20, {});
  EXPECT_EQ(kept(), (std::vector<Verdict>{{3, 4, false}}));
  EXPECT_TRUE(intact());
}

TEST_F(Verdicts, AreNotOnAnotherPictureThatTakesTheKeyWithTheSameCode) {
  const CodeMatrix codes = random_codes(6, kTestBits, 1);  // those that the images have
  std::vector<ImageRecord> records = test_records(6, 0);
  records[0].sha256 = std::string(64, 'e');  // image 1: another picture, known before and now
  records[1].sha256 = std::string(64, 'e');  // image 2: nobody knew what it was
  records[2].sha256.clear();                 // image 3: nobody knows what it is
  writer()->set_verdicts(std::vector<Verdict>{{1, 5, true}, {2, 5, false}, {3, 5, true}});
  const AddResult result = writer()->add({&codes, records, kModelA}, {OnExisting::kReplace, false});
  EXPECT_EQ(result.replaced, 1u);
  EXPECT_EQ(result.updated, 2u);
  EXPECT_EQ(result.skipped, 3u);
  EXPECT_EQ(result.ids, (std::vector<std::uint64_t>{7, 2, 3, 4, 5, 6}));
  const auto view = Collection::open(real_file_system(), path_)->view();
  EXPECT_EQ(view->get(1), std::nullopt);
  EXPECT_EQ(view->get(7)->sha256, std::string(64, 'e'));
  EXPECT_TRUE(std::ranges::equal(view->code(7), codes.row(0)));
  writer()->compact(1 << 20, {});
  EXPECT_EQ(kept(), (std::vector<Verdict>{{2, 5, false}, {3, 5, true}}));
  EXPECT_TRUE(intact());
}

// With a flipped bit in its code an unchanged picture would look like another one.
TEST_F(Verdicts, StayWhereTheCodeOfTheirImageIsDamaged) {
  writer()->set_verdicts(std::vector<Verdict>{{1, 2, true}});
  const auto open = writer();  // what was good then is damaged later
  const CodeMatrix codes = random_codes(6, kTestBits, 1);
  const std::string file = join_path(path_, "segments/00000001.seg");
  const std::string bytes = get(file);
  const std::size_t at = bytes.find(std::string(codes.row(0).begin(), codes.row(0).end()));
  ASSERT_NE(at, std::string::npos);
  const auto write = [&](char byte) {
    std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(static_cast<std::streamoff>(at)).put(byte);
  };
  const auto add = [&] { return open->add({&codes, test_records(6, 0), kModelA}, {OnExisting::kReplace, false}); };
  write(static_cast<char>(bytes[at] ^ 1));
  std::string message;
  EXPECT_EQ(error_of(add, &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find("00000001.seg: ids and codes do not have the checksum"), std::string::npos) << message;
  write(bytes[at]);
  EXPECT_EQ(kept(), (std::vector<Verdict>{{1, 2, true}}));
  EXPECT_EQ(add().skipped, 6u);
  EXPECT_TRUE(intact());
}

TEST_F(Verdicts, ACollectionOfVersionOneIsReadAndUpgradedByItsFirstWriter) {
  make_old();
  EXPECT_TRUE(intact());
  EXPECT_TRUE(kept().empty());
  const auto images = Collection::open(real_file_system(), path_)->view()->list(0, 100);
  EXPECT_EQ(images.size(), 6u);
  EXPECT_TRUE(kept().empty());  // reading has changed nothing
  writer()->set_verdicts(std::vector<Verdict>{{1, 2, false}});
  EXPECT_EQ(kept(), (std::vector<Verdict>{{1, 2, false}}));
  EXPECT_EQ(Collection::open(real_file_system(), path_)->view()->list(0, 100), images);
  EXPECT_TRUE(intact());
}

TEST_F(Verdicts, SurviveRepairOfOtherDamage) {
  writer()->set_verdicts(std::vector<Verdict>{{1, 2, false}, {3, 4, true}});
  {
    store::Catalog catalog(store::catalog_path(path_), store::Database::Mode::kWrite, "");
    catalog.database().run("UPDATE image SET body = x'00' WHERE id = 3");
  }
  EXPECT_FALSE(intact());
  EXPECT_TRUE(repair_collection(real_file_system(), path_).changed);
  EXPECT_EQ(kept(), (std::vector<Verdict>{{1, 2, false}, {3, 4, true}}));  // image 3 lives on as recovered/3
  EXPECT_TRUE(intact());
}

TEST_F(Verdicts, GoAlongWithExportAndImport) {
  writer()->set_verdicts(std::vector<Verdict>{{1, 2, false}, {3, 4, true}, {5, 6, false}});
  writer()->remove_ids(std::vector<std::uint64_t>{5});
  FileSystem& fs = real_file_system();
  export_collection(*Collection::open(fs, path_)->view(), fs, path("out"));
  // Into a collection where the same keys get other ids.
  const auto other = CollectionWriter::create(fs, path("other"), test_create());
  const CodeMatrix codes = random_codes(3, kTestBits, 9);
  other->add({&codes, test_records(3, 100), kModelA});
  import_collection(*other, fs, path("out"));
  const auto id_of = [&](std::uint64_t id) {
    return Collection::open(fs, path("other"))->view()->find(Collection::open(fs, path_)->view()->get(id)->key)->id;
  };
  EXPECT_NE(id_of(1), 1u);
  EXPECT_EQ(Collection::open(fs, path("other"))->view()->verdicts(),
            (std::vector<Verdict>{{id_of(1), id_of(2), false}, {id_of(3), id_of(4), true}}));
  EXPECT_TRUE(verify_collection(fs, path("other")).ok());
}

TEST_F(Verdicts, AreNotImportedOnAnotherPictureOfTheSameName) {
  writer()->set_verdicts(std::vector<Verdict>{{1, 2, false}, {3, 4, true}});
  FileSystem& fs = real_file_system();
  export_collection(*Collection::open(fs, path_)->view(), fs, path("out"));
  const auto other = CollectionWriter::create(fs, path("other"), test_create());
  std::vector<ImageRecord> records = test_records(1, 0);
  records[0].sha256 = std::string(64, 'e');
  const CodeMatrix codes = random_codes(1, kTestBits, 9);
  other->add({&codes, records, kModelA});
  AddOptions skip;
  skip.on_existing = OnExisting::kSkip;
  EXPECT_EQ(import_collection(*other, fs, path("out"), skip).skipped, 1u);
  const auto verdicts = Collection::open(fs, path("other"))->view()->verdicts();
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_TRUE(verdicts[0].duplicate);
}

TEST_F(Verdicts, BadLinesOfAnImportAreNamed) {
  FileSystem& fs = real_file_system();
  export_collection(*Collection::open(fs, path_)->view(), fs, path("out"));
  EXPECT_FALSE(fs.exists(path("out/verdicts.jsonl")));  // nothing was said
  for (const char* line : {"no json", "[]", R"({"a":1,"b":2})", R"({"a":1,"b":1,"duplicate":true})",
                           R"({"a":1,"duplicate":true})", R"({"a":-1,"b":2,"duplicate":true})"}) {
    put(path("out/verdicts.jsonl"), std::string(R"({"a":1,"b":2,"duplicate":true})") + "\n" + line + "\n");
    const auto other = CollectionWriter::create(fs, path("other"), test_create());
    std::string message;
    EXPECT_EQ(error_of([&] { import_collection(*other, fs, path("out")); }, &message), ErrorCode::kCorrupt) << line;
    EXPECT_NE(message.find("verdicts.jsonl line 2"), std::string::npos) << message;
    EXPECT_EQ(other->info().images, 0u);  // before anything was added
    std::filesystem::remove_all(path("other"));
  }
}

TEST_F(Verdicts, DamageIsFound) {
  writer()->set_verdicts(std::vector<Verdict>{{1, 2, false}});
  {
    store::Catalog catalog(store::catalog_path(path_), store::Database::Mode::kWrite, "");
    catalog.database().run("UPDATE verdict SET b = 3");  // the checksum covers both ids
  }
  EXPECT_FALSE(intact());
  EXPECT_THROW(kept(), Error);
}

}  // namespace
}  // namespace signet
