// verify, repair, backup, export and import.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include "base/test_files.h"
#include "signet/base/fault_file_system.h"
#include "signet/code/code_set.h"
#include "store/catalog.h"
#include "store/segment.h"
#include "store/test_collection.h"

namespace signet {
namespace {

class ToolsTest : public CollectionTest {
 protected:
  void flip(const std::string& name, std::uint64_t offset) const {
    std::fstream file(join_path(home, name), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(static_cast<char>(byte ^ 1));
  }
  // Makes the first page of a table of the catalog unreadable.
  void damage_table(const std::string& table) const {
    std::int64_t page = 0;
    {
      store::Catalog catalog(home + "/catalog.sqlite", store::Database::Mode::kRead, "");
      page = catalog.database().number("SELECT rootpage FROM sqlite_schema WHERE name = '" + table + "'");
    }
    ASSERT_GT(page, 1) << table;
    for (std::uint64_t i = 0; i < 4096; i += 16) flip("catalog.sqlite", static_cast<std::uint64_t>(page - 1) * 4096 + i);
  }
  std::string segment(std::size_t i) { return "segments/" + fs.list(home + "/segments").at(i); }
  // Where this code lies in a segment's file.
  std::uint64_t offset_of(const std::string& name, const std::vector<std::uint8_t>& code) {
    return get(join_path(home, name)).find(std::string(code.begin(), code.end()));
  }
  // The file of this name where one repair has put it.
  std::string quarantined(const std::string& name) {
    const auto folders = fs.list(home + "/quarantine");
    return folders.size() == 1 ? get(join_path(home + "/quarantine/" + folders[0], file_name(name))) : "";
  }
  // Of 30 and of 20 images, and nobody writes.
  void make_two_segments() {
    const auto writer = create(one_segment_an_add());
    grow(*writer, 30, 0);
    grow(*writer, 20, 30);
  }
  void expect_verified() {
    const VerifyReport report = verify_collection(fs, home);
    EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.damage[0].file + ": " + report.damage[0].message);
  }
};

TEST_F(ToolsTest, VerifyCountsWhatItRead) {
  auto writer = create(one_segment_an_add());
  grow(*writer, 30, 0);
  grow(*writer, 30, 30);
  writer->remove_ids(std::vector<std::uint64_t>{4, 40});
  expect_verified();  // beside an open writer
  const VerifyReport report = verify_collection(fs, home);
  EXPECT_EQ(report.images, 58u);
  EXPECT_EQ(report.codes, 60u);
  EXPECT_EQ(report.segments, 2u);
  EXPECT_GT(report.bytes, 20'000u);
}

TEST_F(ToolsTest, RepairLeavesAnIntactCollectionAlone) {
  auto writer = create();
  grow(*writer, 30, 0);
  writer.reset();
  const RepairReport report = repair_collection(fs, home);
  EXPECT_FALSE(report.changed);
  EXPECT_FALSE(fs.exists(home + "/quarantine"));
  expect_contents(*view());
}

// However many files may be open: what cannot be opened for that is not taken for damaged, and costs no name.
TEST_F(ToolsTest, ALackOfDescriptorsIsNoDamage) {
  make_two_segments();
  put(home + "/lock", "damaged, so that repair has something to do");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int lowest = ::dup(0);  // the first number that is free
  ASSERT_GE(lowest, 0);
  ::close(lowest);
  std::size_t refused = 0, busy = 0;
  for (rlim_t more = 0;; ++more) {
    ASSERT_LT(more, 100u) << "repair never had enough";
    const rlimit few{static_cast<rlim_t>(lowest) + more, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    std::optional<ErrorCode> error;
    std::string message;
    try {
      const RepairReport report = repair_collection(fs, home);
      EXPECT_EQ(report.kept, 50u);
      EXPECT_TRUE(report.quarantined.empty());
    } catch (const Error& caught) {
      error = caught.code();
      message = caught.what();
    }
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    expect_contents(*view());
    if (!error) break;
    EXPECT_TRUE(error == ErrorCode::kIo || error == ErrorCode::kBusy) << message;
    EXPECT_TRUE(message.find("oo many") != std::string::npos) << message;
    ++refused;
    busy += error == ErrorCode::kBusy ? 1u : 0u;
  }
  EXPECT_GT(refused, 2u);
  EXPECT_GT(busy, 0u) << "the catalog itself was never what could not be opened";
  EXPECT_FALSE(fs.exists(home + "/quarantine"));
  expect_verified();
}

TEST_F(ToolsTest, ACatalogThatMayNotBeReadIsNotDamaged) {
  make_two_segments();
  std::filesystem::permissions(home + "/catalog.sqlite", std::filesystem::perms::none);
  std::filesystem::permissions(home, std::filesystem::perms::all);
  for (const char* name : {"lock", "acknowledged"}) std::filesystem::permissions(home + "/" + name, std::filesystem::perms::all);
  const auto refused = [&](const auto& tool) {
    return as_nobody([&] {
      std::string message;
      const auto code = error_of(tool, &message);
      return code == ErrorCode::kIo && message.find("catalog.sqlite: Permission denied") != std::string::npos ? 0 : 1;
    });
  };
  EXPECT_EQ(refused([&] { verify_collection(fs, home); }), 0);
  EXPECT_EQ(refused([&] { repair_collection(fs, home); }), 0);
  std::filesystem::permissions(home + "/catalog.sqlite", std::filesystem::perms::owner_all);
  expect_contents(*view());
}

// Another process that opens the catalog to write and closes it again removes the log where it believes to be the last one that
// uses it: where this process's locks are gone.
TEST_F(ToolsTest, VerifyLeavesTheLocksOfThisProcessAlone) {
  make_two_segments();
  int go[2];
  ASSERT_EQ(::pipe(go), 0);
  const pid_t other = ::fork();  // before this process has a connection: SQLite's notes of its locks would go along
  if (other == 0) {
    ::close(go[1]);  // so that a test that fails meanwhile is the end of it
    char now = 0;
    if (::read(go[0], &now, 1) != 1) ::_exit(1);
    try {
      store::Database(home + "/catalog.sqlite", store::Database::Mode::kWrite, "").number("SELECT count(*) FROM image");
    } catch (const std::exception&) {
      ::_exit(2);
    }
    ::_exit(0);
  }
  ::close(go[0]);
  const auto writer = open();
  grow(*writer, 10, 50);
  expect_verified();
  ASSERT_EQ(::write(go[1], "!", 1), 1);
  int status = -1;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  ::close(go[1]);
  EXPECT_TRUE(fs.exists(home + "/catalog.sqlite-wal"));
  grow(*writer, 10, 60);
  expect_contents(*view());
}

TEST_F(ToolsTest, RepairKeepsTheIntactBlocksOfASegment) {
  auto writer = create(one_segment_an_add());
  const auto first = grow(*writer, 3 * store::kBlockCodes, 0);
  grow(*writer, 40, 10'000);
  writer->remove_ids(std::vector<std::uint64_t>{1, 2000, 3000});
  for (const std::uint64_t id : {1, 2000, 3000}) naive.entries.erase(id);
  const std::uint64_t damaged = offset_of(segment(0), view()->code(1500));  // in the second block: ids 1025 to 2048
  writer.reset();
  flip(segment(0), damaged);
  const RepairReport report = repair_collection(fs, home);
  EXPECT_TRUE(report.changed);
  EXPECT_EQ(report.lost.size(), store::kBlockCodes - 1);  // id 2000 was removed before
  ASSERT_FALSE(report.lost.empty());
  EXPECT_EQ(report.lost.front(), naive.entries.at(1025).record);
  EXPECT_TRUE(report.unnamed.empty());
  EXPECT_TRUE(report.lost_ids.empty());
  ASSERT_FALSE(report.quarantined.empty());
  for (std::uint64_t id = 1025; id <= 2048; ++id) naive.entries.erase(id);
  EXPECT_EQ(report.kept, naive.entries.size());
  expect_contents(*view());
  expect_verified();
  const auto quarantine = fs.list(home + "/quarantine");
  ASSERT_EQ(quarantine.size(), 1u);
  EXPECT_TRUE(fs.exists(home + "/quarantine/" + quarantine[0] + "/report.json"));
  EXPECT_FALSE(repair_collection(fs, home).changed);  // once is enough
  auto again = open();
  EXPECT_GT(grow(*again, 1, 1024).ids[0], first.ids.back() + 40);  // a lost key comes back under a new id
  expect_contents(*view());
}

TEST_F(ToolsTest, RepairQuarantinesASegmentWhoseHeadIsGone) {
  make_two_segments();
  const std::string name = segment(0);
  const std::uint64_t code = offset_of(name, view()->code(5));
  flip(name, 3);
  flip(name, code);
  const RepairReport report = repair_collection(fs, home);
  EXPECT_EQ(report.lost.size(), 30u);
  EXPECT_NE(std::find(report.quarantined.begin(), report.quarantined.end(), name), report.quarantined.end());
  for (std::uint64_t id = 1; id <= 30; ++id) naive.entries.erase(id);
  expect_contents(*view());
  expect_verified();
}

// Touching a mapping where the disk cannot read would end the process.
TEST_F(ToolsTest, AnUnreadableSectorIsDamageAndCostsItsBlockAlone) {
  auto writer = create(one_segment_an_add());
  grow(*writer, 3 * store::kBlockCodes, 0);
  writer.reset();
  const std::string name = segment(0);
  FaultFileSystem faulty;
  faulty.fail_reads(join_path(home, name), 8192, 12288);  // inside the second block: codes begin at byte 64, a block has 6,144
  std::string told;
  for (const Damage& damage : verify_collection(faulty, home).damage) {
    EXPECT_EQ(damage.file, name) << damage.message;
    told += damage.message + "\n";
  }
  EXPECT_NE(told.find("bytes 8192 to 12287: cannot read " + join_path(home, name)), std::string::npos) << told;
  EXPECT_NE(told.find("codes 1024 to 2047 (ids 1025 to 2048) fail"), std::string::npos) << told;
  const RepairReport report = repair_collection(faulty, home);
  EXPECT_EQ(report.lost.size(), store::kBlockCodes);
  EXPECT_NE(std::find(report.quarantined.begin(), report.quarantined.end(), name), report.quarantined.end());
  for (std::uint64_t id = 1025; id <= 2048; ++id) naive.entries.erase(id);
  expect_contents(*view());
  expect_verified();
}

// The same where ids are in the file, which the images are compared with afterwards.
TEST_F(ToolsTest, AnUnreadableSectorIsNoDamageOfTheCatalog) {
  auto writer = create();
  grow(*writer, 3 * store::kBlockCodes, 0);
  writer->remove_ids(std::vector<std::uint64_t>{7, 1000});
  writer->compact();
  writer.reset();
  const std::string name = segment(0);
  FaultFileSystem faulty;
  faulty.fail_reads(join_path(home, name), 16384, 20480);  // ids end before byte 12,352
  const VerifyReport report = verify_collection(faulty, home);
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.images, 3 * store::kBlockCodes - 2);
  for (const Damage& damage : report.damage) EXPECT_EQ(damage.file, name) << damage.message;
}

TEST_F(ToolsTest, ASegmentWhoseEndCannotBeReadLosesNothing) {
  make_two_segments();
  const std::string name = segment(0);
  const std::uint64_t size = fs.size(join_path(home, name));
  FaultFileSystem faulty;
  faulty.fail_reads(join_path(home, name), size - 10, size);
  const RepairReport report = repair_collection(faulty, home);
  EXPECT_TRUE(report.lost.empty());
  EXPECT_NE(std::find(report.quarantined.begin(), report.quarantined.end(), name), report.quarantined.end());
  expect_contents(*view());
  expect_verified();
}

// A disk that could not read may read another time.
class QuarantineTest : public ToolsTest {
 protected:
  QuarantineTest() {
    grow(*create(one_segment_an_add()), 3 * store::kBlockCodes, 0);
    name_ = segment(0);
    segment_ = get(join_path(home, name_));
    catalog_ = get(home + "/catalog.sqlite");
    faulty_.fail_reads(join_path(home, name_), 8192, 12288);
    faulty_.fail_reads(home + "/catalog.sqlite", 4096, 8192);  // SQLite can read it
  }
  std::string name_, segment_, catalog_;
  FaultFileSystem faulty_;
};

TEST_F(QuarantineTest, HoldsTheFilesThemselves) {
  const RepairReport report = repair_collection(faulty_, home);
  EXPECT_EQ(report.lost.size(), store::kBlockCodes);
  EXPECT_EQ(quarantined(name_), segment_);
  EXPECT_EQ(quarantined("catalog.sqlite"), catalog_);
  EXPECT_FALSE(fs.exists(join_path(home, name_)));
  expect_verified();
}

struct WithoutLinks final : ForwardingFiles {
  using ForwardingFiles::ForwardingFiles;
  bool link(const std::string&, const std::string&) override { return false; }
};

TEST_F(QuarantineTest, WithoutLinksHoldsTheSegmentsAndACopyOfTheCatalogThatSaysWhatItLacks) {
  WithoutLinks files(faulty_);
  const RepairReport report = repair_collection(files, home);
  EXPECT_EQ(report.lost.size(), store::kBlockCodes);
  EXPECT_EQ(quarantined(name_), segment_);
  ASSERT_GT(catalog_.size(), 8192u);
  EXPECT_EQ(quarantined("catalog.sqlite"), catalog_.substr(0, 4096) + std::string(4096, '\0') + catalog_.substr(8192));
  const auto told = std::ranges::count_if(report.damage, [](const Damage& damage) {
    return damage.file == "catalog.sqlite" && damage.message.find("zeros in place of bytes 4096 to 8191") != std::string::npos;
  });
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(fs.exists(join_path(home, name_)));
  expect_verified();
}

// As with too little address space, from some map on.
struct WithLittleMemory final : ForwardingFiles {
  explicit WithLittleMemory(int maps) : left(maps) {}
  std::unique_ptr<MappedFile> map(const std::string& path) override {
    if (left-- <= 0) fail(ErrorCode::kIo, "cannot map ", path, ": Cannot allocate memory");
    return ForwardingFiles::map(path);
  }
  int left;
};

TEST_F(ToolsTest, NoMemoryForAMapIsNoDamage) {
  make_two_segments();
  std::string message;
  WithLittleMemory none(0);
  EXPECT_EQ(error_of([&] { verify_collection(none, home); }, &message), ErrorCode::kIo);
  EXPECT_NE(message.find("Cannot allocate memory"), std::string::npos) << message;
  damage_table("verdict");
  for (int maps = 0; maps < 4; ++maps) {  // two of them to find the damage, two to see what is good
    WithLittleMemory files(maps);
    EXPECT_EQ(error_of([&] { repair_collection(files, home); }), ErrorCode::kIo) << maps;
    EXPECT_FALSE(fs.exists(home + "/quarantine")) << maps;
  }
  EXPECT_TRUE(repair_collection(fs, home).lost.empty());
  expect_contents(*view());
  expect_verified();
}

TEST_F(ToolsTest, RepairNamesCodesWhoseRecordsAreLost) {
  auto writer = create();
  grow(*writer, 300, 0);
  writer->remove_ids(std::vector<std::uint64_t>{7});
  naive.entries.erase(7);
  writer.reset();
  // Damage every page that holds rows of ten images, wherever SQLite has put them: the records, and the index of keys.
  const std::string bytes = get(home + "/catalog.sqlite");
  std::set<std::uint64_t> pages;
  for (int i = 100; i < 110; ++i) {
    const std::string key = concat("image/", i, ".png");
    for (auto at = bytes.find(key); at != std::string::npos; at = bytes.find(key, at + 1)) pages.insert(at / 4096);
  }
  ASSERT_FALSE(pages.empty());
  for (const auto page : pages) {
    for (std::uint64_t i = 0; i < 4096; i += 16) flip("catalog.sqlite", page * 4096 + i);
  }
  EXPECT_EQ(error_of([&] { contents(*view()); }), ErrorCode::kCorrupt);
  const RepairReport report = repair_collection(fs, home);
  EXPECT_TRUE(report.changed);
  EXPECT_GE(report.unnamed.size(), 10u);
  EXPECT_LT(report.unnamed.size(), 250u);  // other pages' rows were kept
  EXPECT_TRUE(report.lost.empty());
  EXPECT_EQ(report.kept, 299u);
  for (const std::uint64_t id : report.unnamed) {
    naive.entries.at(id).record = ImageRecord{};
    naive.entries.at(id).record.id = id;
    naive.entries.at(id).record.key = concat("recovered/", id);
  }
  expect_contents(*view());
  expect_verified();
}

TEST_F(ToolsTest, RepairRebuildsACollectionFromItsSegmentsAlone) {
  make_two_segments();
  put(home + "/catalog.sqlite", "nothing is left of me");
  const RepairReport report = repair_collection(fs, home);
  EXPECT_EQ(report.unnamed.size(), 50u);
  const auto shown = view();
  EXPECT_EQ(shown->info().model, kModelA);
  EXPECT_EQ(shown->info().images, 50u);
  EXPECT_GE(shown->info().next_id, 51u);
  for (auto& [id, entry] : naive.entries) EXPECT_EQ(shown->code(id), entry.code);
  expect_verified();
}

// A log that is cut takes acknowledged commits away: nobody may read on as if nothing had happened, until repair has said what is
// lost.
TEST_F(ToolsTest, ACutLogIsNoticedAndRepairReportsWhatItTook) {
  auto writer = create(one_segment_an_add());
  grow(*writer, 10, 0);
  const std::string before = path("before");
  std::filesystem::copy(home, before, std::filesystem::copy_options::recursive);
  grow(*writer, 10, 10);
  // The state after the second add, with the log as it was before it.
  const std::string crashed = path("crashed");
  std::filesystem::copy(home, crashed, std::filesystem::copy_options::recursive);
  std::filesystem::copy_file(before + "/catalog.sqlite-wal", crashed + "/catalog.sqlite-wal",
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::remove(crashed + "/catalog.sqlite-shm");
  writer.reset();
  home = crashed;
  const std::string log = get(home + "/catalog.sqlite-wal");
  std::string message;
  EXPECT_EQ(error_of([&] { view(); }, &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find("was acknowledged"), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { open(); }), ErrorCode::kCorrupt);
  EXPECT_EQ(get(home + "/catalog.sqlite-wal"), log);
  EXPECT_FALSE(verify_collection(fs, home).ok());
  const RepairReport report = repair_collection(fs, home);
  EXPECT_EQ(quarantined("catalog.sqlite-wal"), log);
  EXPECT_EQ(report.unnamed, (std::vector<std::uint64_t>{11, 12, 13, 14, 15, 16, 17, 18, 19, 20}));  // their codes were safe
  EXPECT_EQ(report.kept, 20u);
  const auto shown = view();
  for (std::uint64_t id = 1; id <= 20; ++id) EXPECT_EQ(shown->code(id), naive.entries.at(id).code);
  expect_verified();
}

// SQLite does not see what is behind a damaged frame, and would remove it.
TEST_F(ToolsTest, AWriterThatRefusesADamagedLogLeavesItToRepair) {
  auto writer = create(one_segment_an_add());
  for (std::uint64_t i = 0; i < 3; ++i) grow(*writer, 10, i * 10);
  const std::string crashed = path("crashed");
  std::filesystem::copy(home, crashed, std::filesystem::copy_options::recursive);
  std::filesystem::remove(crashed + "/catalog.sqlite-shm");
  writer.reset();
  home = crashed;
  const std::string name = "catalog.sqlite-wal";
  flip(name, fs.size(join_path(home, name)) / 2);
  const std::string log = get(join_path(home, name));
  EXPECT_EQ(error_of([&] { open(); }), ErrorCode::kCorrupt);
  EXPECT_EQ(get(join_path(home, name)), log);
  const auto frames = std::ranges::count_if(verify_collection(fs, home).damage, [&](const Damage& damage) {
    return damage.file == name && damage.message.starts_with("frame ");
  });
  EXPECT_EQ(frames, 1);
  EXPECT_EQ(repair_collection(fs, home).kept, 30u);
  EXPECT_EQ(quarantined(name), log);
  expect_verified();
}

// The file `acknowledged` is not synced: after a loss of power it may hold an older number.
TEST_F(ToolsTest, RepairLosesNothingWhereTheAcknowledgedNumberLags) {
  auto writer = create();
  grow(*writer, 100, 0);
  const std::string older = get(home + "/acknowledged");
  grow(*writer, 100, 100);  // takes the first segment in: one file holds everything
  writer.reset();
  ASSERT_EQ(fs.list(home + "/segments").size(), 1u);
  put(home + "/acknowledged", older);
  expect_verified();
  const std::string intact = home;
  for (const std::vector<std::string>& tables : {std::vector<std::string>{"segment"}, {"segment", "state"}}) {
    home = path(concat("with-", tables.size(), "-tables-damaged"));
    std::filesystem::copy(intact, home, std::filesystem::copy_options::recursive);
    for (const auto& table : tables) damage_table(table);
    const RepairReport report = repair_collection(fs, home);
    EXPECT_EQ(report.kept, 200u) << home;
    EXPECT_TRUE(report.lost.empty()) << home;
    expect_contents(*view());
    expect_verified();
  }
}

// A segment whose commit nobody knows: written whole by a writer that died before the commit, or of a commit that the log and
// `acknowledged` have both lost.
TEST_F(ToolsTest, RepairMovesASegmentOfAnUnknownCommitAside) {
  auto writer = create(one_segment_an_add());
  grow(*writer, 30, 0);
  writer.reset();
  WriterOptions dying = one_segment_an_add();
  dying.failpoint = [&](const char* point) {
    if (point != std::string("segment-written")) return;
    std::filesystem::copy(home + "/" + segment(1), path("spare"));
    fail(ErrorCode::kIo, "died");
  };
  writer = open(dying);
  EXPECT_EQ(error_of([&] { grow(*writer, 20, 30); }), ErrorCode::kIo);
  writer.reset();
  const std::string unknown = "segments/" + store::segment_name(2), intact = home;
  for (const char* table : {"segment", "verdict"}) {  // the one that names segments; another
    home = path(std::string("damaged-") + table);
    std::filesystem::copy(intact, home, std::filesystem::copy_options::recursive);
    std::filesystem::copy(path("spare"), home + "/" + unknown);
    damage_table(table);
    const RepairReport report = repair_collection(fs, home);
    EXPECT_EQ(report.kept, 30u) << table;
    EXPECT_NE(std::find(report.quarantined.begin(), report.quarantined.end(), unknown), report.quarantined.end()) << table;
    const auto quarantine = fs.list(home + "/quarantine");
    ASSERT_EQ(quarantine.size(), 1u) << table;
    EXPECT_EQ(get(join_path(home + "/quarantine/" + quarantine[0], store::segment_name(2))), get(path("spare"))) << table;
    EXPECT_FALSE(fs.exists(home + "/" + unknown)) << table;
    expect_contents(*view());
    expect_verified();
  }
}

TEST_F(ToolsTest, LockAndAcknowledgedAreMadeAnew) {
  auto writer = create();
  grow(*writer, 10, 0);
  writer.reset();
  flip("acknowledged", 9);
  flip("lock", 20);
  EXPECT_EQ(verify_collection(fs, home).damage.size(), 2u);
  EXPECT_TRUE(repair_collection(fs, home).changed);
  expect_verified();
  expect_contents(*view());
}

TEST_F(ToolsTest, BackupIsAConsistentStateTakenWhileInUse) {
  auto writer = create(one_segment_an_add());
  grow(*writer, 25, 0);
  grow(*writer, 25, 25);
  writer->remove_ids(std::vector<std::uint64_t>{3});
  naive.entries.erase(3);
  const auto held = view();
  backup_collection(fs, home, path("backup"));
  const NaiveCollection then = naive;
  grow(*writer, 10, 100);
  writer->compact();
  EXPECT_EQ(error_of([&] { backup_collection(fs, home, path("backup")); }), ErrorCode::kInvalidArgument);
  home = path("backup");
  naive = then;
  expect_contents(*view());
  expect_verified();
  auto other = open();  // a collection like any other
  grow(*other, 5, 200);
  expect_contents(*view());
  for (const auto& name : fs.list(folder())) EXPECT_FALSE(is_temp_name(name)) << name;
}

TEST_F(ToolsTest, ASlashAfterTheBackupsNameMeansNothing) {
  auto writer = create();
  grow(*writer, 5, 0);
  backup_collection(fs, home, path("backup") + "//");
  EXPECT_EQ(error_of([&] { backup_collection(fs, home, path("backup") + "/"); }), ErrorCode::kInvalidArgument);
  home = path("backup");
  expect_contents(*view());
  expect_verified();
}

TEST_F(ToolsTest, ADamagedCollectionIsNotBackedUp) {
  auto writer = create();
  grow(*writer, 25, 0);
  writer.reset();
  flip(segment(0), 100);
  EXPECT_EQ(error_of([&] { backup_collection(fs, home, path("backup")); }), ErrorCode::kCorrupt);
  EXPECT_FALSE(fs.exists(path("backup")));
  for (const auto& name : fs.list(folder())) EXPECT_FALSE(is_temp_name(name)) << name;
}

// The section with the codes is so large that opening the segment does not check it.
TEST_F(ToolsTest, ADamagedCodeOfALargeSegmentIsNeitherShownNorExported) {
  constexpr std::uint32_t kBits = 4096;
  const std::size_t count = store::kEagerLimit / (kBits / 8);
  auto writer = CollectionWriter::create(fs, home, test_create(kBits));
  const CodeMatrix codes = random_codes(count, kBits, 1);
  writer->add({&codes, test_records(count, 0), kModelA});
  writer.reset();
  flip(segment(0), offset_of(segment(0), {codes.row(7).begin(), codes.row(7).end()}));
  const auto shown = view();
  std::string message;
  EXPECT_EQ(error_of([&] { shown->code(8); }, &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find(segment(0)), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { shown->code(8); }), ErrorCode::kCorrupt);  // it does not get better
  EXPECT_EQ(error_of([&] { shown->ids(); }), ErrorCode::kCorrupt);
  EXPECT_EQ(error_of([&] { shown->filter_words(std::vector<std::uint64_t>{8}); }), ErrorCode::kCorrupt);
  EXPECT_EQ(error_of([&] { shown->search(codes.rows(std::vector<std::size_t>{0}), {}); }), ErrorCode::kCorrupt);
  EXPECT_EQ(error_of([&] { export_collection(*shown, fs, path("export")); }), ErrorCode::kCorrupt);
  EXPECT_FALSE(fs.exists(path("export")));
}

TEST_F(ToolsTest, ExportAndImportCarryEverythingOver) {
  auto writer = create();
  grow(*writer, 40, 0);
  writer->remove_ids(std::vector<std::uint64_t>{1, 17});
  naive.entries.erase(1);
  naive.entries.erase(17);
  EXPECT_EQ(export_collection(*view(), fs, path("export")), 38u);
  writer.reset();
  home = path("other");
  writer = create();
  AddOptions keep;
  keep.keep_ids = true;
  EXPECT_EQ(import_collection(*writer, fs, path("export"), keep).added, 38u);
  expect_contents(*view());
  EXPECT_EQ(error_of([&] { import_collection(*writer, fs, path("export")); }), ErrorCode::kInvalidArgument);  // keys are there
  AddOptions skip;
  skip.on_existing = OnExisting::kSkip;
  EXPECT_EQ(import_collection(*writer, fs, path("export"), skip).skipped, 38u);
  put(path("export") + "/records.jsonl", "{\"id\": 1}\n");
  EXPECT_EQ(error_of([&] { import_collection(*writer, fs, path("export"), skip); }), ErrorCode::kMismatch);
  put(path("export") + "/records.jsonl", "{\"id\": \"one\"}\n");
  EXPECT_EQ(error_of([&] { import_collection(*writer, fs, path("export"), skip); }), ErrorCode::kCorrupt);
  expect_contents(*view());
}

TEST_F(ToolsTest, LinesThatNestBeyondReasonAreNotImported) {
  auto writer = create();
  grow(*writer, 2, 0);
  export_collection(*view(), fs, path("export"));
  writer.reset();
  home = path("other");
  writer = create();
  const std::string records = get(path("export/records.jsonl"));
  const std::string more = ",\"more\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}\n";
  const auto refused = [&](const char* place) {
    std::string message;
    EXPECT_EQ(error_of([&] { import_collection(*writer, fs, path("export")); }, &message), ErrorCode::kCorrupt);
    EXPECT_NE(message.find(place), std::string::npos) << message;
    EXPECT_NE(message.find("nest deeper than 16"), std::string::npos) << message;
    EXPECT_EQ(writer->info().images, 0u);
  };
  put(path("export/records.jsonl"), records.substr(0, records.size() - 2) + more);
  refused("records.jsonl line 2");
  put(path("export/records.jsonl"), records);
  put(path("export/verdicts.jsonl"), R"({"a":1,"b":2,"duplicate":true)" + more);
  refused("verdicts.jsonl line 1");
}

TEST_F(ToolsTest, RecordsOfOtherImagesAreNotImported) {
  auto writer = create();
  grow(*writer, 3, 0);
  ImageRecord latin = test_record("caf\xe9.png", 9);  // no UTF-8: records.jsonl holds it with a replacement
  const CodeMatrix code = random_codes(1, kTestBits, 9);
  writer->add({&code, std::span(&latin, 1), kModelA});
  export_collection(*view(), fs, path("export"));
  writer.reset();
  home = path("other");
  writer = create();
  EXPECT_EQ(import_collection(*writer, fs, path("export")).added, 4u);
  latin.id = 4;
  EXPECT_EQ(view()->find(latin.key), latin);

  const std::string records = get(path("export/records.jsonl"));
  const std::size_t second = records.find('\n') + 1, third = records.find('\n', second) + 1;
  put(path("export/records.jsonl"),
      records.substr(0, second) + records.substr(third) + records.substr(second, third - second));  // other lines
  writer.reset();
  home = path("third");
  writer = create();
  std::string message;
  EXPECT_EQ(error_of([&] { import_collection(*writer, fs, path("export")); }, &message), ErrorCode::kMismatch);
  for (const char* part : {"records.jsonl line 2", "image/2.png", "image/1.png"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
  EXPECT_EQ(writer->info().images, 0u);

  const CodeSet set = read_code_set(fs, path("export"));
  write_code_set(fs, path("export"), set);  // codes made anew: what was beside the older ones is gone
  EXPECT_EQ(import_collection(*writer, fs, path("export")).added, 4u);
  EXPECT_TRUE(view()->find("image/0.png")->sha256.empty());
}

}  // namespace
}  // namespace signet
