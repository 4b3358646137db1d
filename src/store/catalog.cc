#include "store/catalog.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "signet/base/clock.h"
#include "signet/base/error.h"
#include "store/checksum_vfs.h"

namespace signet::store {
namespace {

constexpr const char* kSchema =
    "CREATE TABLE head(id INTEGER PRIMARY KEY, body BLOB NOT NULL);"
    "CREATE TABLE state(id INTEGER PRIMARY KEY, body BLOB NOT NULL);"
    "CREATE TABLE segment(number INTEGER PRIMARY KEY, body BLOB NOT NULL);"
    "CREATE TABLE image(id INTEGER PRIMARY KEY, key BLOB NOT NULL, body BLOB NOT NULL);"
    "CREATE UNIQUE INDEX image_key ON image(key);"
    "CREATE TABLE label(label INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY(label, id)) WITHOUT ROWID;"
    "CREATE TABLE tombstone(chunk INTEGER PRIMARY KEY, body BLOB NOT NULL);";

// What version 2 adds.
constexpr const char* kVerdictSchema =
    "CREATE TABLE verdict(a INTEGER NOT NULL, b INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(a, b)) WITHOUT ROWID;";

std::uint64_t label_number(std::int32_t label) { return static_cast<std::uint64_t>(label); }

ImageRecord record_of(const Statement::Use& row) { return decode_image_row(row.number(0), row.text(1), row.bytes(2)); }

}  // namespace

void Catalog::create(const std::string& path, const HeadRow& head, const StateRow& state, const std::string& vfs) {
  Database db(path, Database::Mode::kCreate, vfs);
  int reserve = static_cast<int>(kPageReserved);
  if (const int rc = sqlite3_file_control(db.raw(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve); rc != SQLITE_OK) {
    db.raise(rc, "reserving room for page checksums");
  }
  // After the reservation, which the page size would otherwise fix at none.
  db.run(concat("PRAGMA page_size = ", kPageSize, "; PRAGMA auto_vacuum = INCREMENTAL"));
  if (db.text("PRAGMA journal_mode = WAL") != "wal")
    fail(ErrorCode::kIo, path, ": SQLite cannot keep a write-ahead log on this file system");
  db.run("PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
  db.run(concat("PRAGMA application_id = ", kApplicationId, "; PRAGMA user_version = ", kFormatVersion));
  db.run(kSchema);
  db.run(kVerdictSchema);
  const auto put = [&](const char* sql, const Bytes& body) {
    Statement statement(db, sql);
    statement.use().bind(1, body).run();
  };
  put("INSERT INTO head(id, body) VALUES (1, ?1)", encode_head(head));
  put("INSERT INTO state(id, body) VALUES (1, ?1)", encode_state(state));
  db.run("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
}

Catalog::Catalog(const std::string& path, Database::Mode mode, const std::string& vfs, bool lenient)
    : opened_(mode == Database::Mode::kImmutable ? std::optional(Opened{stamp_of(path), unix_ns()}) : std::nullopt),
      db_(path, mode, vfs, lenient) {
  if (mode == Database::Mode::kWrite) sqlite3_db_config(db_.raw(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (!lenient) check_kind();
  if (mode == Database::Mode::kWrite) {
    // cache_spill off: no frame of an unfinished transaction goes into the log, so frames are never rewritten (checksum_vfs.cc
    // relies on it).
    db_.run("PRAGMA synchronous = FULL; PRAGMA cache_spill = 0; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000");
  } else {
    db_.run("PRAGMA query_only = 1; PRAGMA cache_size = -8192");
  }
}

void Catalog::check_kind() {
  const std::int64_t application = db_.number("PRAGMA application_id");
  if (application != kApplicationId)
    fail(ErrorCode::kCorrupt, db_.path(), " is a database, but not a collection's catalog (application id ", application, ")");
  const std::int64_t version = db_.number("PRAGMA user_version");
  if (version > kFormatVersion) {
    fail(ErrorCode::kUnsupported, db_.path(), " has format version ", version, "; this build reads up to ", kFormatVersion,
         ": use a newer signet");
  }
  if (version < 1) fail(ErrorCode::kCorrupt, db_.path(), " has format version ", version, ", which never existed");
}

void Catalog::upgrade() { db_.run(concat(kVerdictSchema, "PRAGMA user_version = ", kFormatVersion)); }

void Catalog::trust_log() noexcept { sqlite3_db_config(db_.raw(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr); }

void Catalog::empty_log(std::chrono::milliseconds patience) {
  sqlite3_busy_timeout(db_.raw(), static_cast<int>(patience.count()));
  const int rc = sqlite3_wal_checkpoint_v2(db_.raw(), "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_timeout(db_.raw(), kBusyMs);
  if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY) db_.raise(rc, "copying the log into it");
}

void Catalog::rollback() noexcept {
  if (sqlite3_get_autocommit(db_.raw()) == 0) sqlite3_exec(db_.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
}

Catalog::Stamp Catalog::stamp_of(const std::string& path) noexcept {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  const std::int64_t seconds = info.st_mtim.tv_sec;
  return {info.st_dev, info.st_ino, static_cast<std::uint64_t>(info.st_size), seconds * 1'000'000'000 + info.st_mtim.tv_nsec};
}

bool Catalog::written_since() const { return opened_ && stamp_of(db_.path()) != opened_->stamp; }

bool Catalog::outdated() {
  if (opened_) return written_since() || stamp_of(db_.path() + "-wal").size > 0;
  int moved = 0;
  return sqlite3_file_control(db_.raw(), "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

// Times of files are coarse, on vfat two seconds: a file that was written a moment before it was opened may be written again and
// keep its time.
bool Catalog::reusable() {
  constexpr std::int64_t kSettledNs = 3'000'000'000;
  return !outdated() && (!opened_ || opened_->at_ns - opened_->stamp.modified_ns > kSettledNs);
}

void Catalog::check_unchanged() {
  if (!written_since()) return;
  fail(ErrorCode::kBusy, db_.path(), " was written while it was read as a file that nobody writes, because its folder cannot be ",
       "written here; try again, with a new view");
}

HeadRow Catalog::head() {
  auto row = get_head_.use();
  if (!row.step()) fail(ErrorCode::kCorrupt, db_.path(), " has no head row");
  return decode_head(row.bytes(0));
}

StateRow Catalog::state() {
  auto row = get_state_.use();
  if (!row.step()) fail(ErrorCode::kCorrupt, db_.path(), " has no state row");
  return decode_state(row.bytes(0));
}

std::vector<SegmentRow> Catalog::segments() {
  std::vector<SegmentRow> rows;
  for (auto row = get_segments_.use(); row.step();) rows.push_back(decode_segment(row.number(0), row.bytes(1)));
  std::sort(rows.begin(), rows.end(), [](const SegmentRow& a, const SegmentRow& b) { return a.first_id < b.first_id; });
  return rows;
}

Tombstones Catalog::tombstones() {
  Tombstones all;
  for (auto row = get_tombstones_.use(); row.step();) all.put(row.number(0), decode_tombstones(row.number(0), row.bytes(1)));
  return all;
}

std::optional<std::uint64_t> Catalog::id_of(const std::string& key) {
  auto row = id_of_.use();
  row.bind(1, std::string_view(key));
  if (!row.step()) return std::nullopt;
  return row.number(0);
}

std::optional<ImageRecord> Catalog::find(const std::string& key) {
  auto row = find_.use();
  row.bind(1, std::string_view(key));
  if (!row.step()) return std::nullopt;
  return record_of(row);
}

std::optional<ImageRecord> Catalog::get(std::uint64_t id) {
  if (id >> 63) return std::nullopt;
  auto row = get_.use();
  row.bind(1, id);
  if (!row.step()) return std::nullopt;
  return record_of(row);
}

std::vector<ImageRecord> Catalog::list(std::uint64_t after_id, std::size_t limit) {
  std::vector<ImageRecord> records;
  if (after_id >> 63) return records;
  auto row = list_.use();
  row.bind(1, after_id).bind(2, std::min<std::uint64_t>(limit, std::uint64_t{1} << 62));
  while (row.step()) records.push_back(record_of(row));
  return records;
}

std::vector<std::uint64_t> Catalog::ids_with_label(std::int32_t label) {
  std::vector<std::uint64_t> ids;
  if (label < 0) return ids;
  auto row = with_label_.use();
  row.bind(1, label_number(label));
  while (row.step()) ids.push_back(row.number(0));
  return ids;
}

bool Catalog::has_labels() {
  auto row = any_label_.use();
  return row.step() && row.number(0) != 0;
}

std::optional<std::pair<std::int32_t, std::uint64_t>> Catalog::count_label(std::uint64_t from) {
  auto row = count_label_.use();
  if (!row.bind(1, from).step() || row.number(1) == 0) return std::nullopt;
  const std::uint64_t label = row.number(0);
  if (label > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max()))
    fail(ErrorCode::kCorrupt, db_.path(), " has an image of the label ", label, ", which is none; verify names the place");
  return std::pair(static_cast<std::int32_t>(label), row.number(1));
}

std::vector<std::string> Catalog::keys_with_prefix(const std::string& prefix) {
  std::vector<std::string> keys;
  auto row = keys_from_.use();
  row.bind(1, std::string_view(prefix));
  while (row.step()) {
    const std::string_view key = as_text(row.bytes(0));
    if (!key.starts_with(prefix)) break;
    keys.emplace_back(key);
  }
  return keys;
}

std::vector<Verdict> Catalog::verdicts() {
  std::vector<Verdict> all;
  if (version() < 2) return all;
  for (auto row = get_verdicts_.use(); row.step();) all.push_back(decode_verdict(row.number(0), row.number(1), row.bytes(2)));
  return all;
}

void Catalog::put_verdict(const Verdict& verdict) {
  const Bytes body = encode_verdict(verdict);
  put_verdict_.use().bind(1, verdict.a).bind(2, verdict.b).bind(3, body).run();
}

bool Catalog::erase_verdict(std::uint64_t a, std::uint64_t b) {
  if (!find_verdict_.use().bind(1, a).bind(2, b).step()) return false;
  erase_verdict_.use().bind(1, a).bind(2, b).run();
  return true;
}

void Catalog::erase_stale_verdicts() {
  db_.run("DELETE FROM verdict WHERE a NOT IN (SELECT id FROM image) OR b NOT IN (SELECT id FROM image)");
}

void Catalog::put_head(const HeadRow& row) {
  const Bytes body = encode_head(row);
  put_head_.use().bind(1, body).run();
}

void Catalog::put_state(const StateRow& row) {
  const Bytes body = encode_state(row);
  put_state_.use().bind(1, body).run();
}

void Catalog::insert_segment(const SegmentRow& row) {
  const Bytes body = encode_segment(row);
  put_segment_.use().bind(1, row.number).bind(2, body).run();
}

void Catalog::erase_segment(std::uint64_t number) { erase_segment_.use().bind(1, number).run(); }

void Catalog::put_labels(const ImageRecord& record) {
  for (const auto label : record.labels) put_label_.use().bind(1, label_number(label)).bind(2, record.id).run();
}

void Catalog::erase_labels(const ImageRecord& record) {
  for (const auto label : record.labels) erase_label_.use().bind(1, label_number(label)).bind(2, record.id).run();
}

void Catalog::insert_image(const ImageRecord& record) {
  const Bytes body = encode_image(record);
  put_image_.use().bind(1, record.id).bind(2, std::string_view(record.key)).bind(3, body).run();
  put_labels(record);
}

void Catalog::update_image(const ImageRecord& before, const ImageRecord& after) {
  const Bytes body = encode_image(after);
  update_image_.use().bind(1, after.id).bind(2, body).run();
  if (before.labels == after.labels) return;
  erase_labels(before);
  put_labels(after);
}

void Catalog::erase_image(const ImageRecord& record) {
  erase_image_.use().bind(1, record.id).run();
  erase_labels(record);
}

void Catalog::put_tombstones(std::uint64_t chunk, const Tombstones::Chunk& bits) {
  const Bytes body = encode_tombstones(chunk, bits);
  put_tombstone_.use().bind(1, chunk).bind(2, body).run();
}

void Catalog::erase_tombstones() { db_.run("DELETE FROM tombstone"); }

Bytes encode_tombstones(std::uint64_t chunk, const Tombstones::Chunk& bits) {
  BlobWriter out;
  out.raw(std::as_bytes(std::span(bits)));
  return out.seal(chunk);
}

Tombstones::Chunk decode_tombstones(std::uint64_t chunk, std::span<const std::byte> body) {
  BlobReader in(body, chunk, {}, concat("the catalog's tombstone row ", chunk));
  Tombstones::Chunk bits{};
  std::memcpy(bits.data(), in.raw(sizeof bits).data(), sizeof bits);
  in.end();
  return bits;
}

}  // namespace signet::store
