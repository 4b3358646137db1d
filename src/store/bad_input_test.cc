// What may come from outside and must be refused, or have a defined answer: one test a kind.
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>
#include <new>

#include "store/catalog.h"
#include "store/test_collection.h"
#include "store/view.h"

namespace signet {
namespace {

class BadInputTest : public CollectionTest {
 protected:
  // Adds one record and expects it to be refused with everything left as it was.
  void refuse(CollectionWriter& writer, const ImageRecord& record, const std::string& part) {
    const CodeMatrix codes = random_codes(2, kTestBits, 1);
    const std::vector<ImageRecord> records = {test_record("good", 1), record};
    std::string message;
    EXPECT_EQ(error_of([&] { writer.add({&codes, records, kModelA}); }, &message), ErrorCode::kInvalidArgument) << part;
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_EQ(view()->info().images, 0u);
    EXPECT_EQ(view()->info().next_id, 1u);
  }
};

TEST_F(BadInputTest, AKeyTwiceInOneBatchAppliesNothing) {
  const auto writer = create();
  refuse(*writer, test_record("good", 2), "\"good\" is in the batch twice");
}

TEST_F(BadInputTest, KeysThatCannotBe) {
  const auto writer = create();
  refuse(*writer, test_record("", 1), "empty");
  refuse(*writer, test_record(std::string("a\0b", 3), 1), "NUL or a line break");
  refuse(*writer, test_record("a\nb", 1), "NUL or a line break");
  refuse(*writer, test_record("a\rb", 1), "NUL or a line break");
  refuse(*writer, test_record(std::string(kMaxKeyBytes + 1, 'k'), 1), "at most 4096");
}

TEST_F(BadInputTest, RecordsThatCannotBe) {
  const auto writer = create();
  ImageRecord record = test_record("bad", 1);
  record.user_json = "{\"a\": ";
  refuse(*writer, record, "not a JSON value");
  record.user_json = std::string(kMaxUserJsonBytes + 1, ' ');
  refuse(*writer, record, "at most 1048576");
  record = test_record("bad", 1);
  record.sha256 = std::string(64, 'A');
  refuse(*writer, record, "64 lower-case hex digits");
  record = test_record("bad", 1);
  record.labels = {2, -1};
  refuse(*writer, record, "label -1");
  record.labels = {10};
  refuse(*writer, record, "has the label 10, but the collection has 10 class names");
  record.labels.resize(kMaxLabels + 1);
  for (std::size_t i = 0; i < record.labels.size(); ++i) record.labels[i] = static_cast<std::int32_t>(i);
  refuse(*writer, record, "at most 4096");
}

TEST_F(BadInputTest, TheLongestKeyAndDeepJsonAreTaken) {
  const auto writer = create();
  ImageRecord record = test_record(std::string(kMaxKeyBytes, '\xff'), 1);  // not UTF-8 either
  record.user_json = std::string(10'000, '[') + std::string(10'000, ']');
  record.bytes = ~std::uint64_t{0} >> 1;
  record.modified_ns = std::numeric_limits<std::int64_t>::min();
  const CodeMatrix codes = random_codes(1, kTestBits, 1);
  writer->add({&codes, std::span(&record, 1), kModelA});
  naive.add(record, codes.row(0), 1);
  expect_contents(*view());
}

TEST_F(BadInputTest, CodesOfAnotherLengthOrModelAreRefused) {
  const auto writer = create();
  const auto records = test_records(1, 0);
  const CodeMatrix codes = random_codes(1, kTestBits, 1), longer = random_codes(1, kTestBits + 1, 1);
  std::string message;
  EXPECT_EQ(error_of([&] { writer->add({&longer, records, kModelA}); }), ErrorCode::kMismatch);
  EXPECT_EQ(error_of([&] { writer->add({&codes, records, kModelB}); }, &message), ErrorCode::kMismatch);
  EXPECT_NE(message.find(kModelA), std::string::npos) << message;
  EXPECT_NE(message.find(kModelB), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { writer->add({&codes, records, ""}); }), ErrorCode::kMismatch);
  EXPECT_EQ(error_of([&] { writer->add({&codes, {}, kModelA}); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { view()->check_model(kModelB, "query.png"); }, &message), ErrorCode::kMismatch);
  EXPECT_NE(message.find("query.png"), std::string::npos) << message;
  view()->check_model(kModelA, "query.png");
  EXPECT_TRUE(writer->add({nullptr, {}, kModelA}).ids.empty());  // an empty batch does nothing
}

TEST_F(BadInputTest, RefusedExistingKeyIsNamed) {
  const auto writer = create();
  grow(*writer, 5, 0);
  const CodeMatrix codes = random_codes(2, kTestBits, 1);
  const std::vector<ImageRecord> records = {test_record("new", 1), test_record("image/3.png", 3)};
  std::string message;
  EXPECT_EQ(error_of([&] { writer->add({&codes, records, kModelA}); }, &message), ErrorCode::kInvalidArgument);
  EXPECT_NE(message.find("image/3.png"), std::string::npos) << message;
  expect_contents(*view());
  EXPECT_EQ(fs.list(home + "/segments").size(), 1u);  // nothing left lying about
}

TEST_F(BadInputTest, TheSecondWriterIsToldWhoHoldsTheLock) {
  auto writer = create();
  std::string message;
  EXPECT_EQ(error_of([&] { open(); }, &message), ErrorCode::kBusy);
  EXPECT_NE(message.find(concat("process ", ::getpid(), " on host ")), std::string::npos) << message;
  EXPECT_NE(message.find("writing since 20"), std::string::npos) << message;
  writer.reset();
  open();
}

TEST_F(BadInputTest, FoldersThatCannotBecomeOrAreNoCollection) {
  EXPECT_EQ(error_of([&] { open(); }), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { Collection::open(fs, home); }), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { verify_collection(fs, home); }), ErrorCode::kNotFound);
  fs.create_directory(home);
  put(home + "/holiday.txt", "do not touch");
  EXPECT_EQ(error_of([&] { create(); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(get(home + "/holiday.txt"), "do not touch");
  fs.remove(home + "/holiday.txt");
  create();
  EXPECT_EQ(error_of([&] { create(); }), ErrorCode::kInvalidArgument);
  CreateOptions none;
  EXPECT_EQ(error_of([&] { CollectionWriter::create(fs, path("other"), none); }), ErrorCode::kInvalidArgument);
  EXPECT_FALSE(fs.exists(path("other")));
}

TEST_F(BadInputTest, AFileThatIsNoCatalog) {
  create();
  const std::string catalog = home + "/catalog.sqlite";
  put(catalog,
      "this is a text of more than a hundred bytes, and certainly not a database, whatever its name may make you believe");
  EXPECT_EQ(error_of([&] { Collection::open(fs, home); }), ErrorCode::kCorrupt);
  EXPECT_EQ(error_of([&] { open(); }), ErrorCode::kCorrupt);
  EXPECT_FALSE(verify_collection(fs, home).ok());
  put(catalog, "");
  EXPECT_EQ(error_of([&] { Collection::open(fs, home); }), ErrorCode::kCorrupt);
  EXPECT_FALSE(verify_collection(fs, home).ok());
}

TEST_F(BadInputTest, ACollectionOfANewerVersion) {
  create();
  {
    store::Database db(store::catalog_path(home), store::Database::Mode::kWrite, "");
    db.run("PRAGMA user_version = 3");
  }
  std::string message;
  EXPECT_EQ(error_of([&] { Collection::open(fs, home); }, &message), ErrorCode::kUnsupported);
  EXPECT_NE(message.find("format version 3"), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { open(); }), ErrorCode::kUnsupported);
}

TEST_F(BadInputTest, NoMemoryInSqliteIsNoDamage) {
  create();
  const store::Database db(store::catalog_path(home), store::Database::Mode::kRead, "");
  EXPECT_THROW(db.raise(SQLITE_NOMEM, "reading"), std::bad_alloc);
  EXPECT_THROW(db.raise(SQLITE_IOERR_NOMEM, "reading"), std::bad_alloc);
}

TEST_F(BadInputTest, ClassNamesMayGrowOnly) {
  const auto writer = create();
  auto names = test_create().class_names;
  names.push_back("ten");
  writer->set_class_names(names);
  EXPECT_EQ(view()->info().class_names, names);
  names[0] = "other";
  EXPECT_EQ(error_of([&] { writer->set_class_names(names); }), ErrorCode::kInvalidArgument);
  names = {"zero"};
  EXPECT_EQ(error_of([&] { writer->set_class_names(names); }), ErrorCode::kInvalidArgument);
}

// Takes the right to write away from everything below `folder`, or gives it back.
void protect(const std::string& folder, bool on) {
  using std::filesystem::perms;
  const perms read = perms::owner_read | perms::group_read | perms::others_read;
  const perms files = on ? read : perms::all;
  const perms folders = on ? read | perms::owner_exec | perms::group_exec | perms::others_exec : perms::all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    std::filesystem::permissions(entry.path(), entry.is_directory() ? folders : files);
  }
  std::filesystem::permissions(folder, folders);
}

TEST_F(BadInputTest, AReadOnlyFolderCanBeReadAndSaysWhyItCannotBeWritten) {
  auto writer = create();
  grow(*writer, 20, 0);
  writer.reset();
  protect(home, true);
  const int result = as_nobody([&] {
    try {
      const auto collection = Collection::open(fs, home);
      if (contents(*collection->view()) != naive.entries) return 1;
      if (!verify_collection(fs, home).ok()) return 2;
      CollectionWriter::open(fs, home);
      return 3;
    } catch (const Error& error) {
      return error.code() == ErrorCode::kIo && std::string(error.what()).find("writable") != std::string::npos ? 0 : 4;
    }
  });
  protect(home, false);
  EXPECT_EQ(result, 0);
}

// The folder is read-only for this process alone: another one adds meanwhile.
TEST_F(BadInputTest, AReaderThatCannotWriteTheFolderSeesNewCommits) {
  grow(*create(), 20, 0);
  protect(home, true);
  int asked[2], done[2];
  ASSERT_EQ(::pipe(asked), 0);
  ASSERT_EQ(::pipe(done), 0);
  char byte = 'x';
  const pid_t writer = ::fork();
  if (writer == 0) {
    ::close(asked[1]);
    ::close(done[0]);
    if (::read(asked[0], &byte, 1) != 1) ::_exit(1);
    try {
      protect(home, false);
      grow(*open(), 300, 20);
      protect(home, true);
    } catch (const std::exception&) {
      ::_exit(2);
    }
    ::_exit(::write(done[1], &byte, 1) == 1 ? 0 : 3);
  }
  ::close(asked[0]);
  ::close(done[1]);
  const int result = as_nobody([&] {
    try {
      const auto collection = Collection::open(fs, home);
      if (collection->view()->info().images != 20) return 1;
      if (::write(asked[1], &byte, 1) != 1 || ::read(done[0], &byte, 1) != 1) return 2;
      const auto now = collection->view();
      return now->info().images == 320 && now->list(0, 1000).size() == 320 ? 0 : 3;
    } catch (const Error&) {
      return 4;
    }
  });
  ::close(asked[1]);
  ::close(done[0]);
  ::waitpid(writer, nullptr, 0);
  protect(home, false);
  EXPECT_EQ(result, 0);
}

// A log with content and no shared index on a read-only disk: showing the file alone would be an older state.
TEST_F(BadInputTest, AReadOnlyFolderWithAHotLogIsNeverShownOld) {
  auto writer = create();
  grow(*writer, 20, 0);
  const std::string copy = path("copy");
  std::filesystem::copy(home, copy, std::filesystem::copy_options::recursive);  // as a crash would leave it
  std::filesystem::remove(copy + "/catalog.sqlite-shm");
  ASSERT_GT(std::filesystem::file_size(copy + "/catalog.sqlite-wal"), 0u);
  protect(copy, true);
  const int result = as_nobody([&] {
    try {
      return Collection::open(fs, copy)->view()->info().images == 20 ? 0 : 1;  // right, if it can be done at all
    } catch (const Error& error) {
      return error.code() == ErrorCode::kIo && std::string(error.what()).find("writable") != std::string::npos ? 0 : 2;
    }
  });
  protect(copy, false);
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace signet
