#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "signet/store/collection.h"
#include "signet/store/collection_writer.h"

namespace signet {

// One piece of damage: which file, where in it, what is wrong, what it means.
struct Damage {
  std::string file;     // relative to the collection, e.g. "segments/00000003.seg"
  std::string message;  // "section codes, bytes 8192 to 16383: checksum fails; ids 1025 to 2048"
};

struct VerifyReport {
  std::vector<Damage> damage;           // empty: every byte that matters was read and is right
  std::uint64_t images = 0, codes = 0;  // checked
  std::size_t segments = 0;
  std::uint64_t bytes = 0;  // read
  bool ok() const noexcept { return damage.empty(); }
};

struct ToolOptions {
  std::string sqlite_vfs;         // see ReaderOptions
  std::size_t max_damage = 1000;  // report at most so many pieces
  ProgressFn progress;
};

// Reads everything: every page of the catalog and of its log, every record's checksum, every segment, and whether they agree.
// Segments are read before they are mapped, so that a sector which the disk does not give back is damage and not the end of the
// process. Never changes anything, works beside a writer, and does not throw for damage (it throws kNotFound where there is no
// collection at all, and kIo where the system refuses to open or map a segment: that is no damage).
VerifyReport verify_collection(FileSystem& fs, const std::string& path, const ToolOptions& options = {});

struct RepairReport {
  std::vector<Damage> damage;            // found before, or where a copy had to be made of a file that goes into quarantine
  std::vector<std::string> quarantined;  // files moved to <collection>/quarantine/<time>/, relative to the collection
  std::vector<ImageRecord> lost;  // records whose code is lost (their pictures can be encoded and added again; they get new ids)
  std::vector<std::uint64_t> unnamed;   // ids whose code is intact but whose record is lost: kept under the key "recovered/<id>"
  std::vector<std::uint64_t> lost_ids;  // ids of which neither record nor code is left, as far as segments tell
  std::uint64_t kept = 0;               // images intact afterwards
  bool changed = false;
  bool losses_unknown = false;  // of an interrupted repair whose report cannot be read
};

// Brings a damaged collection back to a state that verify accepts, as the writer (takes the lock). Drops nothing silently:
// damaged files, and segment files that are not taken, are moved into quarantine (the files themselves, where the file system has
// hard links), blocks of a segment whose checksums hold are kept, and every loss is in the report, which is also left as
// report.json in the quarantine folder. Does nothing to an intact collection. Throws kIo, with everything as it was, where the
// system refuses to open or map a segment: that says nothing about its codes. Safe to repeat after a crash: a repair that was
// interrupted after its new catalog was complete is finished, and what its report.json says is in the report of this one (of
// records id, key and sha256); where that file cannot be read, `damage` names it.
RepairReport repair_collection(FileSystem& fs, const std::string& path, const ToolOptions& options = {});

// Copies a consistent state to a new folder while the collection is in use. `target` must not exist; it appears complete or not
// at all.
void backup_collection(FileSystem& fs, const std::string& path, const std::string& target, const ToolOptions& options = {});

// Leaves a folder in the form of docs/format/codes.md (codes.npy, keys.txt, labels, codes.json) plus records.jsonl with one JSON
// object an image (id, key, width, height, bytes, modified_ns, sha256, user_json as text), and, where there are verdicts,
// verdicts.jsonl (a, b, duplicate; ids as in records.jsonl): everything a collection knows. Returns the number of images. Throws
// as check_code_folder() does, and kCorrupt where a segment's checksum fails: damage gets no fresh checksum.
std::uint64_t export_collection(const CollectionView& view, FileSystem& fs, const std::string& folder,
                                const ProgressFn& progress = {});

// Adds such a folder (records.jsonl and verdicts.jsonl are optional) in batches. Throws kMismatch, before anything is added,
// where a line of records.jsonl has another key than that line of keys.txt. With keep_ids in `add`, ids of records.jsonl are
// kept. Verdicts come last, on the ids that their images have here; not where kSkip has left another picture under the key.
AddResult import_collection(CollectionWriter& writer, FileSystem& fs, const std::string& folder, const AddOptions& add = {},
                            const ProgressFn& progress = {});

}  // namespace signet
