// What repair owes where the head of a segment is damaged, and what it leaves behind where it cannot go on.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "model.h"
#include "signet/base/container.h"
#include "signet/base/fault_file_system.h"
#include "store/catalog.h"
#include "store/salvage.h"
#include "store/segment.h"

namespace signet {
namespace {

constexpr std::uint64_t kHeadBytes = 96;
constexpr std::uint64_t kModelAt = 48;  // in the head

class RepairTest : public testing::Test {
 protected:
  // Two segments: one with ids of 4 bytes, and one with consecutive ids and a removed image.
  RepairTest() {
    make("start", kModelA);
    reset();
    {
      store::Catalog catalog(join_path(home(), store::kCatalogName), store::Database::Mode::kRead, "");
      head_ = catalog.head();
      rows_ = catalog.segments();
    }
    expected_ = shown();
  }
  void make(const std::string& name, const std::string& model) const {
    CreateOptions options = test_create();
    options.model = model;
    const auto writer = CollectionWriter::create(fs_, folder_.path(name), options, one_segment_an_add());
    const auto add = [&](std::size_t count, std::uint64_t first) {
      const CodeMatrix codes = random_codes(count, kTestBits, first + 1);
      const auto records = test_records(count, first);
      writer->add({&codes, records, model});
    };
    add(30, 0);
    writer->remove_ids(std::vector<std::uint64_t>{7, 9});
    writer->compact();
    add(20, 30);
    writer->remove_ids(std::vector<std::uint64_t>{35});
  }
  std::string home() const { return folder_.path("collection"); }
  void reset() const {
    std::filesystem::remove_all(home());
    std::filesystem::copy(folder_.path("start"), home(), std::filesystem::copy_options::recursive);
  }
  std::map<std::uint64_t, NaiveCollection::Entry> shown() const { return contents(*Collection::open(fs_, home())->view()); }

  std::string segment(const store::SegmentRow& row) const { return store::segment_path(home(), row.number); }
  // Where a section begins in the file.
  std::uint64_t offset_of(const std::string& path, const std::string& section) const {
    const auto container = Container::open(fs_, path, "SSEG", store::kSegmentVersion);
    const auto wanted = container->section(section);
    const auto bytes = read_file(fs_, path, 1 << 24);
    return static_cast<std::uint64_t>(std::search(bytes.begin(), bytes.end(), wanted.begin(), wanted.end()) - bytes.begin());
  }
  static void flip(const std::string& path, std::uint64_t offset, unsigned mask) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(static_cast<char>(static_cast<unsigned>(byte) ^ mask));
  }
  // Every usual-th; with an effort of ten and above, every one.
  static std::uint64_t stride(std::uint64_t usual) {
    return effort() >= 10 ? 1 : std::max<std::uint64_t>(1, static_cast<std::uint64_t>(static_cast<double>(usual) / effort()));
  }
  std::vector<std::string> quarantines() const {
    const std::string folder = home() + "/quarantine";
    return fs_.exists(folder) ? fs_.list(folder) : std::vector<std::string>{};
  }
  // Of a damaged file that holds all its codes.
  void expect_all_kept(const store::SegmentSalvage& salvage, const store::SegmentRow& row, const std::string& where) const {
    ASSERT_NE(salvage.file, nullptr) << where;
    EXPECT_FALSE(salvage.intact) << where;
    EXPECT_EQ(salvage.kept, row.count) << where;
    EXPECT_TRUE(salvage.keep.empty()) << where;
    EXPECT_EQ(salvage.file->row(), row) << where;
    EXPECT_EQ(salvage.file->bits(), head_.bits) << where;
    EXPECT_EQ(salvage.file->model(), head_.model) << where;
  }
  void expect_every_quarantine_has_its_report(const std::string& where) const {
    for (const auto& name : quarantines())
      EXPECT_TRUE(fs_.exists(home() + "/quarantine/" + name + "/report.json")) << where << ": " << name;
  }
  // The catalog's content, then the names of segments and of unfinished catalogs.
  std::vector<std::string> left() const {
    const auto catalog = read_file(fs_, home() + "/" + store::kCatalogName, 1 << 24);
    std::vector<std::string> all{std::string(as_text(catalog))};
    for (const auto& name : fs_.list(home() + "/segments")) all.push_back(name);
    for (const auto& name : fs_.list(home())) {
      if (name.starts_with("new-catalog")) all.push_back(name);
    }
    return all;
  }
  void expect_verified(const std::string& where) const {
    const VerifyReport report = verify_collection(fs_, home());
    EXPECT_TRUE(report.ok()) << where << ": " << report.damage[0].file << ": " << report.damage[0].message;
  }

  FileSystem& fs_ = real_file_system();
  FastFolder folder_;
  store::HeadRow head_;
  std::vector<store::SegmentRow> rows_;
  std::map<std::uint64_t, NaiveCollection::Entry> expected_;
};

TEST_F(RepairTest, EveryFlipInASegmentsHeadIsMendedFromTheCatalog) {
  ASSERT_EQ(rows_.size(), 2u);
  for (const store::SegmentRow& row : rows_) {
    const std::string path = segment(row);
    const std::uint64_t begin = offset_of(path, "head");
    for (std::uint64_t at = begin; at < begin + kHeadBytes && !HasFailure(); at += stride(1)) {
      for (const unsigned mask : {0x01u, 0x02u, 0x04u, 0x08u, 0x10u, 0x20u, 0x40u, 0x80u, 0xFFu}) {
        const std::string where = concat(path, " byte ", at, " mask ", mask);
        flip(path, at, mask);
        const store::SegmentSalvage salvage = store::salvage_segment(fs_, path, &row, &head_);
        flip(path, at, mask);
        ASSERT_NO_FATAL_FAILURE(expect_all_kept(salvage, row, where));
      }
    }
    EXPECT_TRUE(store::salvage_segment(fs_, path, &row, &head_).intact);
  }
}

TEST_F(RepairTest, ADamagedHeadCostsNoCode) {
  for (const store::SegmentRow& row : rows_) {
    const std::uint64_t begin = offset_of(segment(row), "head");
    for (std::uint64_t at = begin; at < begin + kHeadBytes && !HasFailure(); at += stride(12)) {
      reset();
      const std::string where = concat(segment(row), " byte ", at);
      flip(segment(row), at, 1u << (at / 4 % 8));
      const RepairReport report = repair_collection(fs_, home());
      EXPECT_TRUE(report.changed) << where;
      EXPECT_TRUE(report.lost.empty()) << where;
      EXPECT_TRUE(report.lost_ids.empty()) << where;
      EXPECT_TRUE(report.unnamed.empty()) << where;
      EXPECT_EQ(report.kept, expected_.size()) << where;
      EXPECT_EQ(shown(), expected_) << where;
      EXPECT_EQ(quarantines().size(), 1u) << where;
      expect_every_quarantine_has_its_report(where);
      expect_verified(where);
    }
  }
}

// The row alone mends what it repeats; a row that does not lead to the checksum of the file's own head is one of another file.
TEST_F(RepairTest, AHeadIsOnlyMendedByWhatFits) {
  const store::SegmentRow &row = rows_.at(0), &other = rows_.at(1);
  const std::string path = segment(row);
  const std::uint64_t begin = offset_of(path, "head");
  flip(path, begin + 8, 1);  // the count
  const auto by_row = store::salvage_segment(fs_, path, &row, nullptr);
  ASSERT_NE(by_row.file, nullptr);
  EXPECT_EQ(by_row.file->row(), row);
  EXPECT_EQ(by_row.file->model(), kModelA);
  EXPECT_EQ(store::salvage_segment(fs_, path, nullptr, &head_).file, nullptr);
  EXPECT_EQ(store::salvage_segment(fs_, path, &other, &head_).file, nullptr);
}

TEST_F(RepairTest, ADamagedHeadAndADamagedCodeCostTheBlockAlone) {
  std::filesystem::remove_all(home());
  {
    const auto writer = CollectionWriter::create(fs_, home(), test_create(), one_segment_an_add());
    const CodeMatrix codes = random_codes(2 * store::kBlockCodes, kTestBits, 1);
    const auto records = test_records(2 * store::kBlockCodes, 0);
    writer->add({&codes, records, kModelA});
  }
  const auto before = shown();
  const std::string path = store::segment_path(home(), 1);
  const std::uint64_t codes_at = offset_of(path, "codes"), head_at = offset_of(path, "head");
  flip(path, codes_at, 1);
  flip(path, head_at + kModelAt, 1);
  const RepairReport report = repair_collection(fs_, home());
  EXPECT_EQ(report.lost.size(), store::kBlockCodes);  // the first block
  std::map<std::uint64_t, NaiveCollection::Entry> rest(before.upper_bound(store::kBlockCodes), before.end());
  EXPECT_EQ(shown(), rest);
  expect_verified(path);
}

TEST_F(RepairTest, VerifyNamesADamagedHeadAndNotWhatItSays) {
  const store::SegmentRow& row = rows_.at(1);
  const std::uint64_t begin = offset_of(segment(row), "head");
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{16}, kModelAt + 3, std::uint64_t{84}}) {
    reset();
    flip(segment(row), begin + at, 1);
    const VerifyReport report = verify_collection(fs_, home());
    ASSERT_EQ(report.damage.size(), 1u) << at;
    EXPECT_EQ(report.damage[0].file, "segments/" + store::segment_name(row.number)) << at;
    const std::string& message = report.damage[0].message;
    EXPECT_NE(message.find(concat("section 'head' is damaged (96 bytes at offset ", begin)), std::string::npos) << message;
    EXPECT_NE(message.find(concat("ids ", row.first_id, " to ", row.last_id)), std::string::npos) << message;
  }
}

TEST_F(RepairTest, ARefusalLeavesNoQuarantine) {
  make("other", kModelB);
  const store::SegmentRow& row = rows_.at(1);
  std::filesystem::copy_file(store::segment_path(folder_.path("other"), row.number), segment(row),
                             std::filesystem::copy_options::overwrite_existing);
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      repair_collection(fs_, home());
      ADD_FAILURE() << "a segment of another model was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << error.what();
      EXPECT_NE(std::string(error.what()).find(kModelB), std::string::npos) << error.what();
    }
    EXPECT_EQ(quarantines(), std::vector<std::string>{});
  }
}

// Whatever frames ids and codes is repeated by the catalog, or not needed.
TEST_F(RepairTest, AFlipBesideIdsAndCodesCostsNothing) {
  for (const store::SegmentRow& row : rows_) {
    const std::string path = segment(row);
    const auto intact = store::SegmentFile::open_alone(fs_, path);
    const std::vector<std::uint8_t> codes(intact->codes().begin(), intact->codes().end());
    const std::uint64_t codes_at = offset_of(path, "codes");
    const std::uint64_t ids_end = 64 + row.count * intact->ids().width;
    for (std::uint64_t at = 0; at < row.file_size && !HasFailure(); at += stride(1)) {
      if ((at >= 64 && at < ids_end) || (at >= codes_at && at < codes_at + codes.size())) continue;
      flip(path, at, 1u << (at % 8));
      const store::SegmentSalvage salvage = store::salvage_segment(fs_, path, &row, &head_);
      flip(path, at, 1u << (at % 8));
      const std::string where = concat(path, " byte ", at);
      ASSERT_NO_FATAL_FAILURE(expect_all_kept(salvage, row, where));
      EXPECT_TRUE(std::ranges::equal(salvage.file->codes(), codes)) << where;
      for (std::uint64_t i = 0; i < row.count; ++i) ASSERT_EQ(salvage.file->ids().id(i), intact->ids().id(i)) << where;
    }
  }
}

TEST_F(RepairTest, WithoutItsFrameASegmentIsTakenOnlyWhole) {
  for (const store::SegmentRow& row : rows_) {
    const std::string path = segment(row);
    const std::uint64_t codes_at = offset_of(path, "codes"), end = codes_at + row.count * ((kTestBits + 7) / 8);
    flip(path, 0, 1);
    EXPECT_EQ(store::salvage_segment(fs_, path, &row, nullptr).file, nullptr) << path;
    EXPECT_EQ(store::salvage_segment(fs_, path, nullptr, &head_).file, nullptr) << path;
    EXPECT_EQ(store::salvage_segment(fs_, path, &rows_[row.number == rows_[0].number], &head_).file, nullptr) << path;
    flip(path, codes_at, 1);
    EXPECT_EQ(store::salvage_segment(fs_, path, &row, &head_).file, nullptr) << path;
    flip(path, codes_at, 1);
    std::filesystem::resize_file(path, end);
    EXPECT_EQ(store::salvage_segment(fs_, path, &row, &head_).kept, row.count) << path;
    std::filesystem::resize_file(path, end - 1);
    EXPECT_EQ(store::salvage_segment(fs_, path, &row, &head_).file, nullptr) << path;
  }
}

// Repairs of a collection whose first segment has lost its codes, interrupted at every operation in turn.
class InterruptedRepair : public RepairTest {
 protected:
  InterruptedRepair() : codes_at_(offset_of(segment(rows_.at(0)), "codes")) {}
  void damage() const {
    reset();
    flip(segment(rows_.at(0)), codes_at_, 1);
  }
  std::string repaired() const { return home() + "/repaired-catalog.sqlite"; }
  // Nothing works from this operation on. False where there are not so many.
  bool interrupt(std::uint64_t operation) const {
    damage();
    FaultFileSystem faulty;
    faulty.fail_at(operation, Fault::kIoError, true);
    try {
      repair_collection(faulty, home());
    } catch (const Error&) {
    }
    return faulty.fault_hit();
  }
  // At the first operation after which there is something to finish.
  void interrupt_late() const {
    for (std::uint64_t n = 1; interrupt(n) && !fs_.exists(repaired()); ++n) {
    }
    ASSERT_TRUE(fs_.exists(repaired()));
  }
  static std::map<std::uint64_t, std::string> lost_of(const RepairReport& report) {
    std::map<std::uint64_t, std::string> lost;
    for (const ImageRecord& record : report.lost) lost[record.id] = record.key + record.sha256;
    return lost;
  }
  std::uint64_t codes_at_;
};

TEST_F(InterruptedRepair, IsToldByTheCallThatFinishesIt) {
  damage();
  const RepairReport whole = repair_collection(fs_, home());
  ASSERT_EQ(whole.lost.size(), rows_[0].count);
  const auto kept = shown();
  int finished = 0;
  for (std::uint64_t n = 1; interrupt(n) && !HasFailure(); ++n) {
    const std::string where = concat("interrupted at operation ", n);
    const bool to_finish = fs_.exists(repaired());
    const bool in_force = !to_finish && verify_collection(fs_, home()).ok();
    const RepairReport report = repair_collection(fs_, home());
    EXPECT_EQ(shown(), kept) << where;
    expect_verified(where);
    if (in_force) continue;
    finished += to_finish ? 1 : 0;
    EXPECT_TRUE(report.changed) << where;
    EXPECT_EQ(lost_of(report), lost_of(whole)) << where;
    EXPECT_EQ(report.lost_ids, whole.lost_ids) << where;
    EXPECT_EQ(report.unnamed, whole.unnamed) << where;
    EXPECT_EQ(report.quarantined, whole.quarantined) << where;
    EXPECT_EQ(report.kept, whole.kept) << where;
    EXPECT_FALSE(report.damage.empty()) << where;
  }
  EXPECT_GT(finished, 2);
}

TEST_F(InterruptedRepair, NamesTheReportThatCannotBeRead) {
  for (const char* content : {"", "no report", "{\"damage\": [[[[]]]]}", "{\"damage\": [{\"file\": 1}]}", "{\"damage\": []}"}) {
    interrupt_late();
    ASSERT_EQ(quarantines().size(), 1u);
    const std::string name = "quarantine/" + quarantines()[0] + "/report.json";
    if (*content == '\0') {
      std::filesystem::remove(home() + "/" + name);
    } else {
      write_file_atomically(fs_, home() + "/" + name, as_bytes(content));
    }
    const RepairReport report = repair_collection(fs_, home());
    EXPECT_TRUE(report.changed) << content;
    ASSERT_EQ(report.damage.size(), 1u) << content;
    EXPECT_EQ(report.damage[0].file, name) << content;
    EXPECT_NE(report.damage[0].message.find("cannot be told"), std::string::npos) << report.damage[0].message;
    EXPECT_TRUE(report.losses_unknown) << content;
    EXPECT_TRUE(report.lost.empty()) << content;
    expect_verified(content);
  }
}

// A disk that fails once, and one that is full from some operation on.
TEST_F(RepairTest, AFailedAttemptLeavesNothingBehind) {
  const std::uint64_t at = offset_of(segment(rows_.at(0)), "head") + kModelAt;
  int withdrawn = 0;
  for (const Fault kind : {Fault::kIoError, Fault::kNoSpace}) {
    for (std::uint64_t n = 1; !HasFailure(); n += stride(2)) {
      const std::string where = concat("fault ", static_cast<int>(kind), " at operation ", n);
      reset();
      flip(segment(rows_.at(0)), at, 1);
      const auto before = left();
      FaultFileSystem faulty;
      faulty.fail_at(n, kind, kind == Fault::kNoSpace);
      try {
        repair_collection(faulty, home());
      } catch (const Error& error) {
        EXPECT_NE(error.code(), ErrorCode::kInternal) << where << ": " << error.what();
      }
      if (!faulty.fault_hit()) break;
      expect_every_quarantine_has_its_report(where);
      const auto now = left();
      const bool counts = now.front() != before.front() || fs_.exists(home() + "/repaired-catalog.sqlite");
      EXPECT_TRUE(counts || now == before) << where;
      withdrawn += counts ? 0 : 1;
      repair_collection(fs_, home());
      EXPECT_EQ(shown(), expected_) << where;
      expect_verified(where);
      ASSERT_LT(n, 1000u);
    }
  }
  EXPECT_GT(withdrawn, 0);
}

}  // namespace
}  // namespace signet
