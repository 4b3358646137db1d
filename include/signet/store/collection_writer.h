#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "signet/store/collection.h"

namespace signet {

struct CreateOptions {
  std::uint32_t bits = 0;  // 1 to kMaxBits, required
  std::string model;  // fingerprint, 64 lower-case hex digits; empty: unknown, then only batches of unknown origin are accepted
  std::string model_path;  // informative
  std::string root;        // informative
  std::vector<std::string> class_names;
};

struct WriterOptions {
  // Trailing segments no larger than the one being written are merged into it up to this many codes, so that many small adds
  // leave few segments.
  std::uint64_t merge_limit = std::uint64_t{4} << 20;
  std::string sqlite_vfs;  // see ReaderOptions
  // Called with the name of every step between two effects on the disk ("segment-written", "committed", ...;
  // docs/format/collection.md lists them). For tests that die there; what it throws is treated like a failure of the step.
  std::function<void(const char*)> failpoint;
};

// One batch: codes and the records that belong to them, in the same order. `model` is the fingerprint of the model that made the
// codes.
struct AddBatch {
  const CodeMatrix* codes = nullptr;
  std::span<const ImageRecord> records;  // id is ignored unless keep_ids
  std::string model;
  // Class names to append to those of the collection in the same commit; records may have their numbers. As with set_class_names,
  // none where images have labels and the collection has no names (kInvalidArgument).
  std::span<const std::string> new_classes = {};
};

enum class OnExisting {
  kRefuse,   // a key that exists makes the whole batch fail with kInvalidArgument naming it
  kReplace,  // upsert: the record is replaced; the id stays where the code is the same and the SHA-256 of the two pictures, where
             // both are known, too; else the key gets a new id and the old one is removed
  kSkip,     // what is there stays as it is
};

struct AddOptions {
  OnExisting on_existing = OnExisting::kRefuse;
  bool keep_ids = false;  // use records[i].id: ascending and not below next_id; for migration and import into an empty collection
};

struct AddResult {
  std::vector<std::uint64_t> ids;  // one a record: the id that its key has now
  std::size_t added = 0, replaced = 0, updated = 0,
              skipped = 0;  // new key / new code or picture / only the record changed / left alone (also: nothing changed)
};

struct RemoveResult {
  std::size_t removed = 0;
  std::vector<std::string> missing_keys;  // asked for, not there
  std::vector<std::uint64_t> missing_ids;
};

struct CompactResult {
  std::size_t segments_before = 0, segments_after = 0;
  std::uint64_t codes_dropped = 0;  // of removed images
  std::uint64_t bytes_before = 0, bytes_after = 0;
};

// The one writer of a collection. Every call that returns is durable: it survives kill -9 and power loss. A call that throws has
// changed nothing, with one exception: after a commit that failed half-way (kIo from the disk) the state is the old or the new
// one, and the writer refuses further calls until it is opened again. Not thread-safe; views may be taken and searched by other
// threads all the while. A commit that takes the catalog's log past another 64 MB waits up to two seconds for views that are in
// the way of a new log.
class CollectionWriter {
 public:
  // Makes a new collection and opens it. The folder must not exist or be empty (kInvalidArgument).
  static std::unique_ptr<CollectionWriter> create(FileSystem& fs, const std::string& path, const CreateOptions& create,
                                                  const WriterOptions& options = {});
  // Throws kBusy naming process, host and start time of the writer that holds the lock; kIo on a read-only disk. Removes what a
  // writer that died left behind.
  static std::unique_ptr<CollectionWriter> open(FileSystem& fs, const std::string& path, const WriterOptions& options = {});
  virtual ~CollectionWriter() = default;

  virtual CollectionInfo info() const = 0;
  // The writer's own lookup of what is committed, for deciding what needs encoding.
  virtual std::optional<ImageRecord> find(const std::string& key) const = 0;
  virtual std::vector<std::string> keys_with_prefix(const std::string& prefix) const = 0;  // in bytewise order; reads no records

  // All or nothing, one commit. Throws kInvalidArgument for a key twice in the batch (naming it), for a bad key, label, hash or
  // JSON; kMismatch for another length or model. An empty batch does nothing, and one that changes nothing makes no commit.
  virtual AddResult add(const AddBatch& batch, const AddOptions& options = {}) = 0;
  // One commit, none where nothing is removed; unknown ones are reported, not an error.
  virtual RemoveResult remove_keys(std::span<const std::string> keys) = 0;
  virtual RemoveResult remove_ids(std::span<const std::uint64_t> ids) = 0;
  // Replaces the records of existing keys without touching codes (labels, user_json, ...); throws kNotFound naming a key that is
  // not there.
  virtual void update(std::span<const ImageRecord> records) = 0;

  // One commit. The newest verdict on a pair holds; a and b may come in either order. Throws kInvalidArgument where a == b,
  // kNotFound naming an id that is not there; nothing is changed then.
  virtual void set_verdicts(std::span<const Verdict> verdicts) = 0;
  // Forgets what was said about these pairs (`duplicate` is not looked at); returns how many there were. One commit, none where
  // nothing was said.
  virtual std::size_t erase_verdicts(std::span<const Verdict> pairs) = 0;

  // The names may be appended to; existing ones keep their places (kInvalidArgument otherwise). kInvalidArgument too for the
  // first names where images have labels already: those are numbers that were given without them.
  virtual void set_class_names(const std::vector<std::string>& names) = 0;
  virtual void set_origin(const std::string& model_path, const std::string& root) = 0;
  // Ids below `id` will not be given any more (a migrated collection starts where the old one ended).
  virtual void reserve_ids_below(std::uint64_t id) = 0;

  // Rewrites the segments without the codes of removed images, as few segments as `max_codes` allows, drops verdicts
  // on removed images, and shrinks the catalog.
  // Ids stay. Views taken earlier go on working.
  virtual CompactResult compact(std::uint64_t max_codes = std::uint64_t{1} << 30, const ProgressFn& progress = {}) = 0;
};

}  // namespace signet
