#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "signet/base/file_system.h"
#include "signet/base/progress.h"
#include "signet/code/code_matrix.h"
#include "signet/index/index.h"

namespace signet {

// A collection is a folder (docs/format/collection.md): immutable code segments plus a SQLite catalog in WAL mode, which is the
// only commit point. One writer and many readers, in several processes. An id names one code for ever: ids grow, are never used
// again, and survive compaction, backup and migration; a key whose code or picture changes gets a new id. This header reads;
// collection_writer.h changes; collection_tools.h verifies, repairs, copies, exports and imports.
inline constexpr std::size_t kMaxKeyBytes = 4096;
inline constexpr std::size_t kMaxUserJsonBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxLabels = 4096;  // of one image

struct ImageRecord {
  std::string key;       // unique inside the collection; 1 to kMaxKeyBytes bytes without NUL, line feed or carriage return
  std::uint64_t id = 0;  // given by the collection, from 1; stable for ever
  std::vector<std::int32_t> labels;     // class indices, >= 0; kept sorted and without repetition
  std::uint32_t width = 0, height = 0;  // of the picture file, 0 unknown
  std::uint64_t bytes = 0;       // of the picture file, or a tar's member; of pixels where they lie in an idx or CIFAR file
  std::int64_t modified_ns = 0;  // its modification time, nanoseconds since 1970
  std::string sha256;            // of the picture file, 64 lower-case hex digits; empty unknown
  std::string user_json;         // free for the user; a JSON value or empty
  friend bool operator==(const ImageRecord&, const ImageRecord&) = default;
};

// What somebody has said about two images: they show the same picture, or they do not, however alike their codes are. Kept so
// that nobody is asked twice. Bound to ids: a key whose picture changes (another SHA-256, or where that is not known, another
// code) gets a new id, and with it no verdicts.
struct Verdict {
  std::uint64_t a = 0, b = 0;  // ids, a < b
  bool duplicate = false;
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

struct CollectionInfo {
  std::uint32_t bits = 0;
  std::string model;                     // fingerprint that codes are bound to; empty: unknown
  std::string model_path;                // where the model was, informative
  std::string root;                      // what keys are relative to, informative
  std::vector<std::string> class_names;  // index = label
  std::uint64_t images = 0;              // live
  std::uint64_t removed = 0;             // codes of removed images not yet compacted away
  std::uint64_t next_id = 1;             // every id ever given is below
  std::uint64_t commit = 0;              // grows by at least one with every change
  std::size_t segments = 0;
  std::uint64_t code_bytes = 0;     // of all segment files
  std::uint64_t catalog_bytes = 0;  // of the catalog with its log
  std::uint64_t picture_bytes = 0;  // sum of `bytes` over live images: what the codes stand for
};

// A consistent view: exactly what was committed when it was taken, whatever happens to the collection afterwards (removals and
// compaction included). Immutable, safe from many threads. Holds the segments mapped and a read transaction of the catalog: keep
// it for a request or a batch, not for a day, because the catalog's log cannot be recycled past the oldest view.
class CollectionView {
 public:
  virtual ~CollectionView() = default;
  virtual CollectionInfo info() const = 0;

  // Exact: equals a naive scan of the live codes; hits carry ids, by distance, then id. options.filter has words of
  // filter_words() of this view. Throws kMismatch for queries of another length, kCorrupt where a segment's checksum fails:
  // before codes or ids of a segment are first used, here or in code(), ids() and filter_words(), it is checked once
  // (ReaderOptions).
  virtual SearchResult search(const CodeMatrix& queries, const SearchOptions& options) const = 0;

  // Throws kMismatch naming both fingerprints unless `fingerprint` is the collection's model (or the collection knows none).
  // `what` names the query or file. Call it before search() with codes that a model made.
  virtual void check_model(const std::string& fingerprint, const std::string& what) const = 0;

  virtual std::optional<ImageRecord> find(const std::string& key) const = 0;
  virtual std::optional<ImageRecord> get(std::uint64_t id) const = 0;
  virtual std::vector<std::uint8_t> code(std::uint64_t id) const = 0;                          // throws kNotFound, kCorrupt
  virtual std::vector<ImageRecord> list(std::uint64_t after_id, std::size_t limit) const = 0;  // ids > after_id, ascending
  virtual std::vector<std::uint64_t> ids() const = 0;                               // of all images, ascending; reads no records
  virtual std::vector<std::uint64_t> ids_with_label(std::int32_t label) const = 0;  // ascending
  // How many images have each label that any has. Reads all of that once, but neither ids nor records.
  virtual std::map<std::int32_t, std::uint64_t> label_counts() const = 0;
  virtual bool has_labels() const = 0;  // whether any image has one
  // The words of an IdFilter that allows these ids, which ascend. Ids that do not exist are left out. One bit a stored code,
  // however large the ids are.
  virtual std::vector<std::uint64_t> filter_words(std::span<const std::uint64_t> ids) const = 0;
  // All of them, by (a, b). Those of images that were removed since may still be among them.
  virtual std::vector<Verdict> verdicts() const = 0;
  // How each segment would be searched for so many queries together, for people.
  virtual std::string explain(const SearchOptions& options, std::size_t queries) const = 0;
};

struct ReaderOptions {
  // How segments are searched: "flat" needs no preparation; "auto", "table", "mih" or "pivot" are built in memory at a segment's
  // first search (or by prepare()) and kept for as long as the segment is in force. Segments below `index_from` codes stay flat.
  std::string index = "flat";
  std::size_t index_from = 1 << 16;
  std::size_t build_threads = 1;
  bool check_before_use = true;  // CRC of a segment before its first use in this process; costs about one extra scan, once
  std::string sqlite_vfs;        // name of the registered SQLite VFS underneath; empty: the system's. Tests put faults there.
};

// A collection opened for reading. Works on a read-only disk. Safe from many threads.
class Collection {
 public:
  // Throws kNotFound where there is no collection, kUnsupported for a newer format, kCorrupt naming file and place of damage.
  static std::shared_ptr<Collection> open(FileSystem& fs, const std::string& path, const ReaderOptions& options = {});
  virtual ~Collection() = default;
  virtual const std::string& path() const noexcept = 0;
  // The newest committed state, also when another process has committed it just now. Cheap where nothing changed: then it is the
  // same view as before, as long as somebody holds that one, unless the catalog's log has become large; one taken later is not in
  // its way. Who keeps a view for the next questions asks for it again before each of them, or a few times a second.
  virtual std::shared_ptr<const CollectionView> view() = 0;
  // The same as a view of its own, whose read transaction begins here, also where nothing changed.
  virtual std::shared_ptr<const CollectionView> new_view() = 0;
  // Builds the indexes of the newest state ahead of the first search; does nothing for "flat".
  virtual void prepare(const ProgressFn& progress = {}) = 0;
};

// Whether `path` is a folder that holds a collection's catalog.
bool is_collection(FileSystem& fs, const std::string& path);

}  // namespace signet
