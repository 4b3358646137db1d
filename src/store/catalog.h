#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/rows.h"
#include "store/sqlite.h"
#include "store/tombstones.h"

namespace signet::store {

inline constexpr std::int64_t kApplicationId = 0x53474e54;  // "SGNT"
inline constexpr std::int64_t kFormatVersion = 2;           // 2: the table verdict
inline constexpr const char* kCatalogName = "catalog.sqlite";

// The catalog of a collection: typed reads and writes of its rows. Every row read has its checksum checked. Transactions are the
// caller's. Not thread-safe.
class Catalog {
 public:
  // Makes a new catalog file with one commit in it.
  static void create(const std::string& path, const HeadRow& head, const StateRow& state, const std::string& vfs);
  // Throws kUnsupported for a newer format, kCorrupt for a file that is no catalog.
  Catalog(const std::string& path, Database::Mode mode, const std::string& vfs, bool lenient = false);

  Database& database() noexcept { return db_; }
  void begin_read() { db_.run("BEGIN"); }
  void begin_write() { db_.run("BEGIN IMMEDIATE"); }
  void commit() { db_.run("COMMIT"); }
  void rollback() noexcept;  // also where no transaction is open
  // Brings a catalog of an older version to kFormatVersion, inside a write transaction.
  bool is_old() { return version() < kFormatVersion; }
  void upgrade();

  // A connection for writing leaves the log as it is when it is closed, until this is called: SQLite takes what comes before a
  // damaged frame for the whole log, and the last connection would remove the rest with it.
  void trust_log() noexcept;
  // Copies the log into the file, as far as others do not read an older state, and cuts it to nothing where nobody reads from it;
  // waits for them so long. Not having come to the end is no error.
  void empty_log(std::chrono::milliseconds patience);

  // Opened as a file that nobody changes (Database::Mode::kImmutable): SQLite locks nothing then, and trusts the pages that it
  // has read for ever.
  bool is_immutable() const noexcept { return opened_.has_value(); }
  // Whether it may show what is no longer so: another file has taken this one's name; or it is immutable, and the file has
  // changed all the same or has got a log.
  bool outdated();
  bool reusable();  // not outdated, and a later change could be told
  // Throws kBusy where it is immutable and its file has changed. A log alone does no harm: what is read is an older state, and
  // all of one.
  void check_unchanged();

  HeadRow head();
  StateRow state();
  std::vector<SegmentRow> segments();  // by id
  Tombstones tombstones();
  std::optional<std::uint64_t> id_of(const std::string& key);
  std::optional<ImageRecord> find(const std::string& key);
  std::optional<ImageRecord> get(std::uint64_t id);
  std::vector<ImageRecord> list(std::uint64_t after_id, std::size_t limit);
  std::vector<std::uint64_t> ids_with_label(std::int32_t label);
  bool has_labels();
  // The smallest label from `from` on that an image has, and how many have it.
  std::optional<std::pair<std::int32_t, std::uint64_t>> count_label(std::uint64_t from);
  std::vector<std::string> keys_with_prefix(const std::string& prefix);

  std::vector<Verdict> verdicts();  // none in a catalog of version 1

  void put_head(const HeadRow& row);
  void put_state(const StateRow& row);
  void insert_segment(const SegmentRow& row);
  void erase_segment(std::uint64_t number);
  void insert_image(const ImageRecord& record);
  void update_image(const ImageRecord& before, const ImageRecord& after);  // same id and key
  void erase_image(const ImageRecord& record);
  void put_tombstones(std::uint64_t chunk, const Tombstones::Chunk& bits);
  void erase_tombstones();
  void put_verdict(const Verdict& verdict);  // a < b
  bool erase_verdict(std::uint64_t a, std::uint64_t b);
  void erase_stale_verdicts();  // on images that are gone

 private:
  // What stat() tells of a file.
  struct Stamp {
    std::uint64_t device = 0, inode = 0, size = 0;
    std::int64_t modified_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  // An immutable catalog's file, looked at before it was opened.
  struct Opened {
    Stamp stamp;
    std::int64_t at_ns = 0;
  };
  static Stamp stamp_of(const std::string& path) noexcept;
  bool written_since() const;  // immutable, and its file is not what it was

  std::int64_t version() { return db_.number("PRAGMA user_version"); }
  void check_kind();
  void put_labels(const ImageRecord& record);
  void erase_labels(const ImageRecord& record);

  std::optional<Opened> opened_;  // before db_: it is looked at first
  Database db_;
  Statement get_head_{db_, "SELECT body FROM head WHERE id = 1"};
  Statement put_head_{db_, "INSERT OR REPLACE INTO head(id, body) VALUES (1, ?1)"};
  Statement get_state_{db_, "SELECT body FROM state WHERE id = 1"};
  Statement put_state_{db_, "INSERT OR REPLACE INTO state(id, body) VALUES (1, ?1)"};
  Statement get_segments_{db_, "SELECT number, body FROM segment ORDER BY number"};
  Statement put_segment_{db_, "INSERT INTO segment(number, body) VALUES (?1, ?2)"};
  Statement erase_segment_{db_, "DELETE FROM segment WHERE number = ?1"};
  Statement get_tombstones_{db_, "SELECT chunk, body FROM tombstone ORDER BY chunk"};
  Statement put_tombstone_{db_, "INSERT OR REPLACE INTO tombstone(chunk, body) VALUES (?1, ?2)"};
  Statement id_of_{db_, "SELECT id FROM image WHERE key = ?1"};
  Statement find_{db_, "SELECT id, key, body FROM image WHERE key = ?1"};
  Statement get_{db_, "SELECT id, key, body FROM image WHERE id = ?1"};
  Statement list_{db_, "SELECT id, key, body FROM image WHERE id > ?1 ORDER BY id LIMIT ?2"};
  Statement put_image_{db_, "INSERT INTO image(id, key, body) VALUES (?1, ?2, ?3)"};
  Statement update_image_{db_, "UPDATE image SET body = ?2 WHERE id = ?1"};
  Statement erase_image_{db_, "DELETE FROM image WHERE id = ?1"};
  Statement with_label_{db_, "SELECT id FROM label WHERE label = ?1 ORDER BY id"};
  Statement any_label_{db_, "SELECT EXISTS(SELECT 1 FROM label)"};
  Statement count_label_{db_,
                         "SELECT min(label), count(*) FROM label WHERE label = (SELECT min(label) FROM label WHERE label >= ?1)"};
  Statement keys_from_{db_, "SELECT key FROM image WHERE key >= ?1 ORDER BY key"};
  Statement put_label_{db_, "INSERT INTO label(label, id) VALUES (?1, ?2)"};
  Statement get_verdicts_{db_, "SELECT a, b, body FROM verdict ORDER BY a, b"};
  Statement put_verdict_{db_, "INSERT OR REPLACE INTO verdict(a, b, body) VALUES (?1, ?2, ?3)"};
  Statement find_verdict_{db_, "SELECT 1 FROM verdict WHERE a = ?1 AND b = ?2"};
  Statement erase_verdict_{db_, "DELETE FROM verdict WHERE a = ?1 AND b = ?2"};
  Statement erase_label_{db_, "DELETE FROM label WHERE label = ?1 AND id = ?2"};
};

Bytes encode_tombstones(std::uint64_t chunk, const Tombstones::Chunk& bits);
Tombstones::Chunk decode_tombstones(std::uint64_t chunk, std::span<const std::byte> body);

}  // namespace signet::store
