#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "signet/base/clock.h"
#include "signet/base/error.h"
#include "signet/base/text.h"
#include "signet/store/collection_tools.h"
#include "store/lock.h"
#include "store/read_around.h"
#include "store/salvage.h"
#include "store/view.h"
#include "store/writer.h"

namespace signet {
namespace store {
namespace {

constexpr const char* kNewName = "new-catalog.sqlite";
constexpr const char* kLogSuffixes[] = {"-wal", "-shm"};

// A segment that the repaired collection has, and what happens to its file.
struct Chosen {
  SegmentSalvage salvage;
  SegmentRow row;  // of the repaired catalog
};

// Order of effects, so that a death anywhere leaves a collection that repair can take up again: second names (or copies) in
// quarantine, and the report; the new catalog complete under another name (from here on readers and writers refuse and ask for
// repair); files that nobody names go; the old log goes, the new catalog takes the old one's name. Everything before the new
// catalog's name is repeated from the start, everything after it is finished, and what the report says is told then.
class Repair {
 public:
  Repair(FileSystem& fs, const std::string& path, const ToolOptions& options, RepairReport& report)
      : fs_(fs), path_(path), options_(options), report_(report), salvage_(fs, path, options.sqlite_vfs) {}
  void run();
  static void finish(FileSystem& fs, const std::string& path);

 private:
  std::string file(const std::string& name) const { return join_path(path_, name); }
  void choose();
  bool choose_file(const std::string& name, const SegmentRow* row);
  HeadRow head() const;
  void check_same_codes(const HeadRow& head) const;
  void prepare(const HeadRow& head);
  void withdraw() noexcept;
  void rewrite_damaged(const HeadRow& head);
  void quarantine(const std::string& name);
  void copy_aside(const std::string& name);
  void remove_aside();
  void remove_new_catalog();
  void write_catalog(const HeadRow& head);
  void write_rows(Catalog& catalog);
  void add_row(Catalog& catalog, const ImageRecord& record);
  void add_unnamed(Catalog& catalog, std::uint64_t id);
  void lose_ids_of_files();
  void write_report() const;

  FileSystem& fs_;
  std::string path_;
  ToolOptions options_;
  RepairReport& report_;
  CatalogSalvage salvage_;
  std::vector<Chosen> chosen_;          // by id
  std::set<std::string> aside_;         // segment files that are not taken as they are
  std::set<std::string> copied_;        // names in quarantine of copies; the others are second names
  std::vector<std::uint64_t> written_;  // numbers of new segments
  StateRow state_;
  std::string quarantine_;
  std::size_t at_ = 0;  // cursor over chosen_ while rows are written
  std::uint64_t position_ = 0;
};

// Which segments make up the collection: those that the catalog names; where it cannot be trusted to name all (unreadable, or
// older than what was acknowledged), every file but those of commits beyond the newest that is known. The acknowledged number
// may lag, so it only ever raises that bound: without a readable state row there is no bound, and a batch that was never
// acknowledged comes in with names of recovery rather than one that was being lost. Of two files whose ids overlap, the newer was
// made from the whole of the older. What is not taken is kept aside, because no evidence here is good enough to delete by.
void Repair::choose() {
  const std::uint64_t acknowledged = read_acknowledged(path_);
  const bool trusted = salvage_.segments && salvage_.state && salvage_.state->commit >= acknowledged;
  std::map<std::uint64_t, const SegmentRow*> named;
  if (salvage_.segments) {
    for (const SegmentRow& row : *salvage_.segments) named.emplace(row.number, &row);
  }
  std::vector<std::pair<std::uint64_t, std::string>> names;
  if (fs_.exists(file("segments"))) {
    for (const auto& name : fs_.list(file("segments"))) {
      if (const auto number = segment_number(name)) names.emplace_back(*number, name);
    }
  }
  std::sort(names.rbegin(), names.rend());
  state_ = salvage_.state.value_or(StateRow{});
  state_.commit = std::max(state_.commit, acknowledged);
  for (const auto& [number, name] : names) {
    state_.next_segment = std::max(state_.next_segment, number + 1);
    const auto row = named.find(number);
    const bool is_named = row != named.end();
    if ((trusted && !is_named) || !choose_file(name, is_named ? row->second : nullptr)) aside_.insert(name);
  }
  if (salvage_.segments) {
    for (const SegmentRow& row : *salvage_.segments) state_.next_id = std::max(state_.next_id, row.last_id + 1);
  }
  std::sort(chosen_.begin(), chosen_.end(), [](const Chosen& a, const Chosen& b) { return a.row.first_id < b.row.first_id; });
}

// Whether the file itself is taken; of one that is damaged, what is good of it is. row: null where the catalog does not name it.
bool Repair::choose_file(const std::string& name, const SegmentRow* row) {
  Chosen one;
  one.salvage = salvage_segment(fs_, join_path(file("segments"), name), row, salvage_.head ? &*salvage_.head : nullptr);
  if (one.salvage.file == nullptr) return false;
  one.row = one.salvage.file->row();
  state_.next_id = std::max(state_.next_id, one.row.last_id + 1);
  if (row == nullptr && salvage_.state && one.row.commit > state_.commit) return false;
  for (const Chosen& newer : chosen_) {
    if (newer.row.first_id <= one.row.last_id && one.row.first_id <= newer.row.last_id) return false;
  }
  const bool intact = one.salvage.intact;
  if (one.salvage.kept > 0) chosen_.push_back(std::move(one));
  return intact;
}

HeadRow Repair::head() const {
  if (salvage_.head) return *salvage_.head;
  if (chosen_.empty())
    fail(ErrorCode::kCorrupt, path_, " cannot be repaired: neither the catalog's head nor any segment can be read");
  HeadRow head;  // class names and paths are lost
  head.bits = chosen_.front().salvage.file->bits();
  head.model = chosen_.front().salvage.file->model();
  return head;
}

void Repair::check_same_codes(const HeadRow& head) const {
  for (const Chosen& one : chosen_) {
    const SegmentFile& segment = *one.salvage.file;
    if (segment.bits() == head.bits && segment.model() == head.model) continue;
    fail(ErrorCode::kCorrupt, segment.path(), " holds codes of ", segment.bits(), " bits of the model ", segment.model(), ", ",
         salvage_.head ? "the catalog names " : "other segments ", head.bits, " of ", head.model,
         "; repair cannot tell which belong to this collection");
  }
}

void Repair::rewrite_damaged(const HeadRow& head) {
  for (Chosen& one : chosen_) {
    if (one.salvage.intact) continue;
    const SegmentFile& old = *one.salvage.file;
    const Piece piece{old.codes(), old.ids(), one.salvage.keep.empty() ? nullptr : &one.salvage.keep};
    const std::uint64_t number = state_.next_segment++;
    written_.push_back(number);  // before it is written: its name may be there although writing failed
    one.row = write_segment(fs_, path_, {number, state_.commit + 1, head.bits, head.model}, std::span(&piece, 1));
    one.salvage.file = SegmentFile::open(fs_, path_, one.row, head);
  }
}

// Gives a file a second name in quarantine; the first one goes when nobody names it any more. Not a copy, where that can be: what
// could not be read may be read at another time, or by a tool that rescues data, as long as the file itself is there.
void Repair::quarantine(const std::string& name) {
  if (!fs_.exists(file(name))) return;
  if (!fs_.link(file(name), join_path(quarantine_, file_name(name)))) copy_aside(name);
  report_.quarantined.push_back(name);
}

// Zeros in place of what cannot be read. Reading the catalog past SQLite drops this process's POSIX locks on it, which is
// harmless here: the writer lock is held, and the file is about to be replaced.
void Repair::copy_aside(const std::string& name) {
  copied_.insert(file_name(name));
  std::vector<Unreadable> parts;
  write_file_atomically(fs_, join_path(quarantine_, file_name(name)), [&](WritableFile& copy) {
    parts = read_around(fs_, file(name), [&](std::span<const std::byte> piece) { copy.append(piece); });
  });
  for (const Unreadable& part : parts) {
    if (report_.damage.size() < options_.max_damage)
      report_.damage.push_back({name, concat("its copy in quarantine has zeros in place of ", unreadable_text(part))});
  }
}

// The original takes the place of its copy, for the same reason.
void Repair::remove_aside() {
  for (const auto& name : aside_) {
    const std::string path = join_path(file("segments"), name);
    try {
      if (copied_.contains(name)) fs_.rename(path, join_path(quarantine_, name));
    } catch (const Error&) {  // quarantine may lie on another disk: then the copy is what stays
    }
    if (fs_.exists(path)) fs_.remove(path);
  }
}

void Repair::add_unnamed(Catalog& catalog, std::uint64_t id) {
  ImageRecord record;
  record.id = id;
  record.key = concat("recovered/", id);
  while (catalog.id_of(record.key)) record.key += "-again";
  catalog.insert_image(record);
  ++state_.images;
  report_.unnamed.push_back(id);
}

// Takes the codes up to `record` in, then the record itself if its code is there.
void Repair::add_row(Catalog& catalog, const ImageRecord& record) {
  bool coded = false;
  while (at_ < chosen_.size() && !coded) {
    const IdColumn& ids = chosen_[at_].salvage.file->ids();
    if (position_ == ids.count) {
      ++at_;
      position_ = 0;
      continue;
    }
    const std::uint64_t id = ids.id(position_);
    if (id > record.id) break;
    ++position_;
    coded = id == record.id;
    if (coded || salvage_.tombstones.contains(id)) continue;
    add_unnamed(catalog, id);
  }
  if (record.key.empty()) return;  // the call that only finishes
  state_.next_id = std::max(state_.next_id, record.id + 1);
  if (!coded) {
    report_.lost.push_back(record);
  } else if (catalog.id_of(record.key)) {
    add_unnamed(catalog, record.id);  // two rows of one key: pages of different times
  } else {
    catalog.insert_image(record);
    ++state_.images;
    state_.picture_bytes += record.bytes;
  }
}

void Repair::write_rows(Catalog& catalog) {
  state_.images = state_.removed = state_.picture_bytes = state_.code_bytes = 0;
  for (const Chosen& one : chosen_) {
    catalog.insert_segment(one.row);
    state_.code_bytes += one.row.file_size;
  }
  salvage_.images([&](const ImageRecord& record) { add_row(catalog, record); });
  ImageRecord last;
  last.id = ~std::uint64_t{0};
  add_row(catalog, last);
  // Tombstones of codes that are still there; the others have done their work.
  Tombstones kept;
  for (const Chosen& one : chosen_) {
    const SegmentFile& segment = *one.salvage.file;
    salvage_.tombstones.for_each(segment.row().first_id, segment.row().last_id, [&](std::uint64_t id) {
      if (!segment.ids().position(id) || catalog.get(id)) return;
      kept.add(id);
      ++state_.removed;
    });
  }
  for (const auto& [chunk, bits] : kept.chunks()) catalog.put_tombstones(chunk, bits);
  for (const Verdict& verdict : salvage_.verdicts()) {
    if (catalog.get(verdict.a) && catalog.get(verdict.b)) catalog.put_verdict(verdict);
  }
  ++state_.commit;
  state_.tombstones_commit = state_.commit;
  catalog.put_state(state_);
  report_.kept = state_.images;
}

void Repair::remove_new_catalog() {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    if (fs_.exists(file(kNewName) + suffix)) fs_.remove(file(kNewName) + suffix);
  }
}

void Repair::write_catalog(const HeadRow& head) {
  remove_new_catalog();
  Catalog::create(file(kNewName), head, {}, options_.sqlite_vfs);
  {
    Catalog catalog(file(kNewName), Database::Mode::kWrite, options_.sqlite_vfs);
    catalog.trust_log();
    catalog.begin_write();
    write_rows(catalog);
    catalog.commit();
    catalog.database().run("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  fs_.sync_directory(path_);
}

// Ids of segments that are gone as a whole, and that no record told of.
void Repair::lose_ids_of_files() {
  if (!salvage_.segments) return;
  std::set<std::uint64_t> told;
  for (const ImageRecord& record : report_.lost) told.insert(record.id);
  for (const SegmentRow& row : *salvage_.segments) {
    const bool there = std::any_of(chosen_.begin(), chosen_.end(), [&](const Chosen& one) {
      return one.row.first_id <= row.last_id && row.first_id <= one.row.last_id;
    });
    for (std::uint64_t id = row.first_id; !there && row.last_id - row.first_id + 1 == row.count && id <= row.last_id; ++id) {
      if (!told.contains(id) && !salvage_.tombstones.contains(id)) report_.lost_ids.push_back(id);
    }
  }
}

void Repair::write_report() const {
  using nlohmann::json;
  json out = {
      {"kept", report_.kept}, {"unnamed", report_.unnamed}, {"lost_ids", report_.lost_ids}, {"quarantined", report_.quarantined}};
  out["damage"] = json::array();
  for (const Damage& damage : report_.damage) out["damage"].push_back({{"file", damage.file}, {"message", damage.message}});
  out["lost"] = json::array();
  for (const ImageRecord& record : report_.lost)
    out["lost"].push_back({{"id", record.id}, {"key", record.key}, {"sha256", record.sha256}});
  write_file_atomically(fs_, join_path(quarantine_, "report.json"),
                        as_bytes(out.dump(1, ' ', false, json::error_handler_t::replace) + "\n"));
}

void Repair::finish(FileSystem& fs, const std::string& path) {
  const std::string repaired = join_path(path, kRepairedName);
  for (const char* suffix : kLogSuffixes) {
    if (fs.exists(catalog_path(path) + suffix)) fs.remove(catalog_path(path) + suffix);
  }
  fs.sync_directory(path);  // the old log must be gone before the new catalog has its name: it would be replayed into it
  fs.rename(repaired, catalog_path(path));
  fs.sync_directory(path);
}

// Everything up to the point where the collection becomes another, all of it beside what is there.
void Repair::prepare(const HeadRow& head) {
  fs_.create_directory(quarantine_);
  fs_.sync_directory(path_);
  fs_.sync_directory(file("quarantine"));
  for (const auto& name : aside_) quarantine(join_path("segments", name));
  quarantine(kCatalogName);
  quarantine(kCatalogName + std::string("-wal"));
  fs_.sync_directory(quarantine_);
  fs_.create_directory(file("segments"));
  rewrite_damaged(head);
  write_catalog(head);
  lose_ids_of_files();
  write_report();
}

// Takes back an attempt that failed: what it was made of is still in its place. Without a report nobody could tell what lies in
// quarantine; a new segment that no catalog names could be taken for one that was lost; and on a full disk all of it would stand
// in the way of the next attempt. Not so where the new catalog has its name after all: then the attempt is to be finished.
void Repair::withdraw() noexcept {
  const auto try_to = [](const auto& step) {
    try {
      step();
    } catch (const std::exception&) {  // the attempt's own error is the one to tell
    }
  };
  bool counts = true;
  try_to([&] { counts = fs_.exists(file(kRepairedName)); });
  if (counts) return;
  for (const std::uint64_t number : written_) {
    try_to([&] {
      const std::string path = segment_path(path_, number);
      if (fs_.exists(path)) fs_.remove(path);
    });
  }
  try_to([&] { remove_new_catalog(); });
  try_to([&] {
    for (const auto& name : fs_.list(quarantine_)) fs_.remove(join_path(quarantine_, name));
    fs_.remove(quarantine_);
  });
}

void Repair::run() {
  quarantine_ = join_path(file("quarantine"), std::to_string(unix_ns()));
  choose();
  const HeadRow head = this->head();
  check_same_codes(head);
  try {
    prepare(head);
    fs_.rename(file(kNewName), file(kRepairedName));
  } catch (...) {
    withdraw();
    throw;
  }
  fs_.sync_directory(path_);
  remove_aside();
  write_acknowledged(path_, state_.commit);
  finish(fs_, path_);  // last: as long as this is to be done, the next call knows that nobody was told what was lost
  report_.changed = true;
}

// The report that an attempt has left. Of lost records it has id, key and SHA-256. Throws kCorrupt for what is no report.
RepairReport read_report(FileSystem& fs, const std::string& path) {
  using nlohmann::json;
  constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;
  constexpr int kMostDepth = 3;
  const std::string text = read_text_file(fs, path, kMostBytes);
  if (nests_deeper_than(kMostDepth, text)) fail(ErrorCode::kCorrupt, path, ": brackets nest deeper than ", kMostDepth);
  const auto number = [](const json& value) { return value.get_ref<const json::number_unsigned_t&>(); };
  RepairReport report;
  try {
    const json in = json::parse(text);
    for (const json& one : in.at("damage"))
      report.damage.push_back({one.at("file").get<std::string>(), one.at("message").get<std::string>()});
    in.at("quarantined").get_to(report.quarantined);
    for (const json& id : in.at("unnamed")) report.unnamed.push_back(number(id));
    for (const json& id : in.at("lost_ids")) report.lost_ids.push_back(number(id));
    for (const json& one : in.at("lost")) {
      ImageRecord& record = report.lost.emplace_back();
      record.id = number(one.at("id"));
      one.at("key").get_to(record.key);
      one.at("sha256").get_to(record.sha256);
    }
  } catch (const json::exception& error) {
    fail(ErrorCode::kCorrupt, path, " is no report of a repair: ", json_defect(error.what()));
  }
  return report;
}

// What an attempt that is to be finished has told nobody. Its folder is the newest: any later attempt would have finished it.
RepairReport report_of_interrupted(FileSystem& fs, const std::string& path) {
  std::string name = "quarantine";
  try {
    std::pair<std::size_t, std::string> newest;  // of numbers the longer one is the larger
    for (const auto& time : fs.list(join_path(path, name))) {
      if (time.find_first_not_of("0123456789") == time.npos) newest = std::max(newest, std::pair(time.size(), time));
    }
    if (newest.second.empty()) fail(ErrorCode::kNotFound, join_path(path, name), " has no folder of a repair");
    name = join_path(join_path(name, newest.second), "report.json");
    return read_report(fs, join_path(path, name));
  } catch (const Error& error) {
    RepairReport report;
    report.losses_unknown = true;
    report.damage.push_back({name, concat("an interrupted repair is finished, but what it lost cannot be told: ", error.what())});
    return report;
  }
}

}  // namespace
}  // namespace store

RepairReport repair_collection(FileSystem& fs, const std::string& path, const ToolOptions& options) {
  const std::string repaired = join_path(path, store::kRepairedName);
  if (!is_collection(fs, path) && !fs.exists(repaired))
    fail(ErrorCode::kNotFound, path, " is not a collection (no ", store::kCatalogName, " in it)");
  RepairReport report;
  VerifyReport verified;
  {
    const store::WriterLock lock(path);
    if (fs.exists(repaired)) {
      report = store::report_of_interrupted(fs, path);
      store::Repair::finish(fs, path);
      report.changed = true;
    }
    verified = verify_collection(fs, path, options);
    report.damage.insert(report.damage.end(), verified.damage.begin(), verified.damage.end());
    report.kept = verified.images;
    const auto of_catalog = [](const Damage& damage) { return damage.file != "lock" && damage.file != "acknowledged"; };
    if (std::ranges::any_of(verified.damage, of_catalog)) store::Repair(fs, path, options, report).run();
  }
  if (!verified.damage.empty()) {  // opening signs the lock; a commit renews the acknowledged number
    const auto writer = CollectionWriter::open(fs, path, {.merge_limit = 1, .sqlite_vfs = options.sqlite_vfs, .failpoint = {}});
    writer->reserve_ids_below(writer->info().next_id + 1);
    report.changed = true;
  }
  return report;
}

}  // namespace signet
