#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/store/collection_tools.h"
#include "store/catalog_scan.h"
#include "store/lock.h"
#include "store/read_around.h"
#include "store/salvage.h"
#include "store/segment.h"
#include "store/view.h"

namespace signet {
namespace store {
namespace {

struct Restart {};  // a writer replaced what was looked at: begin anew

// A segment that the system does not let us look at (no memory for a map, a right): nothing is known of it. No Error, which would
// count as damage on its way out.
struct Refused {
  Error error;
};

// The ids of a segment, to walk beside its images. Of one that had to be read into memory because it is damaged they alone stay
// there; any other is mapped.
struct SegmentIds {
  explicit SegmentIds(std::shared_ptr<const SegmentFile> segment) : column(segment->ids()), file(std::move(segment)) {}
  void copy() {
    if (column.width != 0) offsets.assign(column.offsets, column.offsets + column.count * column.width);
    column.offsets = offsets.data();
    file.reset();
  }
  IdColumn column;
  std::shared_ptr<const SegmentFile> file;
  std::vector<std::byte> offsets;
};

// A catalog that may not be read is not one that is damaged. Asked without opening it: closing any descriptor of a file gives up
// the locks that this process's SQLite connections hold on it (https://sqlite.org/howtocorrupt.html, 2.2).
void check_readable(const std::string& path) {
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0 && errno == EACCES)
    fail(ErrorCode::kIo, "cannot read ", path, ": ", std::strerror(EACCES));
}

class Verifier {
 public:
  Verifier(FileSystem& fs, const std::string& path, const ToolOptions& options) : fs_(fs), path_(path), options_(options) {}
  VerifyReport run();

 private:
  void add(const std::string& file, const std::string& message) {
    if (report_.damage.size() < options_.max_damage) report_.damage.push_back({file, message});
  }
  // Runs a step; an Error becomes a piece of damage, but for one that passes. False where it failed.
  template <typename Step>
  bool guard(const std::string& file, const Step& step) {
    try {
      step();
      return true;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kCancelled || error.code() == ErrorCode::kBusy) throw;
      add(file, error.what());
      return false;
    }
  }
  void progress(const char* stage, std::uint64_t done, std::uint64_t total) const {
    if (options_.progress && !options_.progress({stage, done, total, ""}))
      fail(ErrorCode::kCancelled, "verification of ", path_, " was stopped");
  }
  void small_files();
  void bytes_of_catalog(Catalog& catalog);
  void rows_of_catalog(Catalog& catalog);
  void segments();
  std::shared_ptr<const SegmentFile> open(const SegmentRow& row, const std::string& name, bool& in_memory);
  void segment(const SegmentRow& row);
  void images(Catalog& catalog);
  void labels(Catalog& catalog, std::uint64_t count, std::uint64_t sum);
  void counts();

  FileSystem& fs_;
  std::string path_;
  ToolOptions options_;
  VerifyReport report_;
  HeadRow head_;
  StateRow state_;
  Tombstones tombstones_;
  std::vector<SegmentRow> rows_;
  std::vector<SegmentIds> ids_;  // of the segments that are good enough to tell
  bool rows_good_ = false;
  bool files_good_ = true;
  std::uint64_t picture_bytes_ = 0, code_bytes_ = 0, buried_ = 0;
};

const std::string kLogName = std::string(kCatalogName) + "-wal";

void Verifier::small_files() {
  if (const auto damage = lock_damage(path_)) add("lock", *damage);
  if (const auto damage = acknowledged_damage(path_)) add("acknowledged", *damage);
}

void Verifier::bytes_of_catalog(Catalog& catalog) {
  const CatalogScan scan = scan_catalog(catalog);
  report_.bytes += scan.bytes;
  for (const auto& message : scan.file) add(kCatalogName, message);
  for (const auto& message : scan.log) add(kLogName, message);
  guard(kCatalogName, [&] {
    Statement check(catalog.database(), "PRAGMA integrity_check(100)");
    for (auto row = check.use(); row.step();) {
      if (row.text(0) != "ok") add(kCatalogName, concat("SQLite: ", row.text(0)));
    }
  });
}

void Verifier::rows_of_catalog(Catalog& catalog) {
  rows_good_ = guard(kCatalogName, [&] { head_ = catalog.head(); });
  rows_good_ = guard(kCatalogName, [&] { tombstones_ = catalog.tombstones(); }) && rows_good_;
  rows_good_ = guard(kCatalogName, [&] { rows_ = catalog.segments(); }) && rows_good_;
}

// Null where it cannot be opened, which is reported. in_memory: whether it had to be read, because not all of it can be.
std::shared_ptr<const SegmentFile> Verifier::open(const SegmentRow& row, const std::string& name, bool& in_memory) {
  const std::string path = segment_path(path_, row.number);
  const std::string ids = concat("ids ", row.first_id, " to ", row.last_id, " (", row.count, ")");
  try {
    ReadFile whole = read_around(fs_, path);
    for (const Unreadable& part : whole.unreadable) add(name, unreadable_text(part));
    in_memory = whole.content != nullptr;
    if (!in_memory) whole.content = fs_.map(path);
    if (const auto damage = segment_head_damage(whole.content->data(), path)) fail(ErrorCode::kCorrupt, *damage);
    return SegmentFile::open(fs_, path_, row, head_, 0, std::move(whole.content));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kNotFound) {
      if (open_reading(fs_, path_, options_.sqlite_vfs, true)->state().commit != state_.commit) throw Restart{};
      add(name, concat("the file is missing; ", ids));
    } else if (is_about_content(error)) {
      add(name, concat(error.what(), "; ", ids));
    } else {
      throw Refused{error};
    }
    return nullptr;
  }
}

// Names the damaged codes of a segment by id.
void Verifier::segment(const SegmentRow& row) {
  const std::string name = join_path("segments", segment_name(row.number));
  bool in_memory = false;
  const auto file = open(row, name, in_memory);
  if (file == nullptr) {
    files_good_ = false;
    return;
  }
  report_.bytes += row.file_size;
  const bool good = guard(name, [&] { file->verify(); });
  if (!good) {
    for (const std::uint64_t block : file->damaged_blocks()) {
      const std::uint64_t from = block * kBlockCodes, to = std::min<std::uint64_t>(from + kBlockCodes, row.count) - 1;
      add(name, concat("codes ", from, " to ", to, " (ids ", file->ids().id(from), " to ", file->ids().id(to),
                       ") fail their checksum"));
    }
  }
  if (!file->ids_are_good()) {
    files_good_ = false;
    return;
  }
  const std::size_t used = head_.bits % 8;
  if (used != 0) {
    for (std::uint64_t i = 0; good && i < row.count; ++i) {
      if (file->code(i).back() >> used) {
        add(name, concat("the code of id ", file->ids().id(i), " has bits set beyond its ", head_.bits));
        break;
      }
    }
  }
  ids_.emplace_back(file);
  if (in_memory) ids_.back().copy();
}

void Verifier::segments() {
  report_.segments = rows_.size();
  std::uint64_t done = 0;
  for (const SegmentRow& row : rows_) {
    code_bytes_ += row.file_size;
    report_.codes += row.count;
    if (done > 0 && rows_[done - 1].last_id >= row.first_id) {
      add(kCatalogName, concat("segments ", rows_[done - 1].number, " and ", row.number, " have overlapping ids"));
      files_good_ = false;
    }
    segment(row);
    progress("segments", ++done, rows_.size());
  }
}

// Walks images and segments' ids side by side, both ascending: every id has either a record or a tombstone.
void Verifier::images(Catalog& catalog) {
  std::size_t file = 0;
  std::uint64_t position = 0, label_count = 0, label_sum = 0;
  const auto next_code = [&]() -> std::optional<std::uint64_t> {
    while (file < ids_.size() && position == ids_[file].column.count) {
      ++file;
      position = 0;
    }
    if (file == ids_.size()) return std::nullopt;
    return ids_[file].column.id(position++);
  };
  const auto unnamed = [&](std::uint64_t id) {
    if (tombstones_.contains(id)) {
      ++buried_;
    } else {
      add(kCatalogName, concat("id ", id, " has a code, but neither a record nor a tombstone"));
    }
  };
  std::optional<std::uint64_t> code = next_code();
  Statement all(catalog.database(), "SELECT id, key, body FROM image ORDER BY id");
  const bool read = guard(kCatalogName, [&] {
    for (auto row = all.use(); row.step();) {
      const std::uint64_t id = row.number(0);
      ++report_.images;
      guard(kCatalogName, [&] {
        const ImageRecord record = decode_image_row(id, row.text(1), row.bytes(2));
        check_key(record.key);
        picture_bytes_ += record.bytes;
        for (const auto label : record.labels) {
          ++label_count;
          label_sum += mix_seed(static_cast<std::uint64_t>(label), id);
        }
      });
      for (; code && *code < id; code = next_code()) unnamed(*code);
      const bool coded = code && *code == id;
      if (coded) code = next_code();
      if (!coded && files_good_)
        add(kCatalogName, concat("image ", id, " (key \"", row.text(1), "\") has a record, but no code"));
      if (tombstones_.contains(id)) add(kCatalogName, concat("image ", id, " has a record and a tombstone"));
      if (report_.images % 65536 == 0) progress("images", report_.images, state_.images);
    }
  });
  if (!read) return;
  for (; code; code = next_code()) unnamed(*code);
  guard(kCatalogName, [&] { catalog.verdicts(); });
  labels(catalog, label_count, label_sum);
}

// The table must be the same set of pairs as the records hold: equal counts and equal sums of a hash say so without sorting
// either.
void Verifier::labels(Catalog& catalog, std::uint64_t count, std::uint64_t sum) {
  Statement all(catalog.database(), "SELECT label, id FROM label");
  guard(kCatalogName, [&] {
    for (auto row = all.use(); row.step();) {
      --count;
      sum -= mix_seed(row.number(0), row.number(1));
    }
    if (count != 0 || sum != 0) add(kCatalogName, "table label does not repeat the labels of the images");
  });
}

void Verifier::counts() {
  const auto same = [&](const char* what, std::uint64_t stated, std::uint64_t counted) {
    if (stated != counted) add(kCatalogName, concat("the state row says ", stated, " ", what, ", but there are ", counted));
  };
  same("images", state_.images, report_.images);
  same("bytes of pictures", state_.picture_bytes, picture_bytes_);
  same("bytes of segments", state_.code_bytes, code_bytes_);
  if (files_good_) same("removed images", state_.removed, buried_);
  if (!rows_.empty() && rows_.back().last_id >= state_.next_id)
    add(kCatalogName, concat("the next id ", state_.next_id, " was given already"));
  const bool given =
      std::any_of(rows_.begin(), rows_.end(), [&](const SegmentRow& row) { return row.number >= state_.next_segment; });
  if (given) add(kCatalogName, "the next segment's number was given already");
}

VerifyReport Verifier::run() {
  check_readable(catalog_path(path_));
  small_files();
  const std::uint64_t acknowledged = read_acknowledged(path_);
  bool state_good = false;
  guard(kCatalogName, [&] {
    const auto connection = open_reading(fs_, path_, options_.sqlite_vfs, true);
    Catalog& catalog = *connection;
    catalog.begin_read();
    state_good = guard(kCatalogName, [&] { state_ = catalog.state(); });
    if (state_good) guard(kLogName, [&] { check_acknowledged(path_, acknowledged, state_.commit, catalog.is_immutable()); });
    bytes_of_catalog(catalog);
    rows_of_catalog(catalog);
    const std::size_t before = report_.damage.size();
    if (rows_good_) segments();
    if (rows_good_ && state_good) images(catalog);
    if (rows_good_ && state_good && report_.damage.size() == before) counts();
    catalog.rollback();
    if (catalog.outdated()) throw Restart{};
  });
  // The lenient connection above takes any application id or version: the strict one says whether readers get in.
  if (report_.ok()) guard(kCatalogName, [&] { open_reading(fs_, path_, options_.sqlite_vfs)->state(); });
  return report_;
}

}  // namespace
}  // namespace store

VerifyReport verify_collection(FileSystem& fs, const std::string& path, const ToolOptions& options) {
  if (!is_collection(fs, path)) fail(ErrorCode::kNotFound, path, " is not a collection (no ", store::kCatalogName, " in it)");
  for (int attempt = 1;; ++attempt) {
    try {
      return store::Verifier(fs, path, options).run();
    } catch (const store::Restart&) {
      if (attempt == 50) fail(ErrorCode::kBusy, path, " changes faster than it can be verified; try again when its writer rests");
    } catch (const store::Refused& refused) {
      throw refused.error;
    }
  }
}

}  // namespace signet
