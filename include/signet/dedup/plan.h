#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "signet/base/file_system.h"
#include "signet/base/progress.h"
#include "signet/dedup/duplicates.h"

namespace signet {

// What dedup proposes to do, as a file that people read and change before anything happens (docs/format/dedup-plan.md).
struct PlannedFile {
  std::string path;  // absolute
  std::uint64_t bytes = 0;
  std::string sha256;                   // of the file when the plan was made; apply refuses a file that has become another
  std::uint32_t width = 0, height = 0;  // for the reader
  friend bool operator==(const PlannedFile&, const PlannedFile&) = default;
};
struct PlannedMove {
  PlannedFile file;
  DuplicateLevel level = DuplicateLevel::kNear;
  std::uint32_t distance = 0;
  friend bool operator==(const PlannedMove&, const PlannedMove&) = default;
};
struct PlannedGroup {
  PlannedFile keep;
  std::vector<PlannedMove> move;
  friend bool operator==(const PlannedGroup&, const PlannedGroup&) = default;
};
struct DedupPlan {
  std::string made;    // UTC, "2026-11-24T12:00:00Z"
  std::string method;  // "model <fingerprint>", "phash", ...
  DuplicateLevel level = DuplicateLevel::kNear;
  std::uint32_t radius = 0;
  KeepRule keep = KeepRule::kLargest;
  std::string calibration;  // JSON object, see calibrate.h; empty: the radius was given
  std::string trash;        // folder, absolute: where apply moves files to
  std::vector<PlannedGroup> groups;
};

// Whether a plan and its list can name a path: UTF-8 without line breaks and NUL.
bool can_be_planned(const std::string& path);

// Writes PATH (JSON) and PATH.list: the paths to be moved away, one a line, for the shell. Throws kInvalidArgument where a path
// cannot be planned or a plan names a file twice.
void write_plan(FileSystem& fs, const std::string& path, const DedupPlan& plan);
// Throws kCorrupt naming path and place (also where brackets nest deeper than 64), kUnsupported for a newer version.
DedupPlan read_plan(FileSystem& fs, const std::string& path);

// Which file a path leads to, links followed: equal for all names of one file, hard links too. Empty where there is none.
using FileId = std::pair<std::uint64_t, std::uint64_t>;  // device, number on it
std::optional<FileId> file_id(const std::string& path);

struct ApplyResult {
  std::size_t moved = 0;          // files that are in the trash folder now
  std::size_t already = 0;        // of them, those that an earlier, interrupted apply had moved
  std::uint64_t bytes_saved = 0;  // of all moved files
};

// Moves the files of a plan to its trash folder; nothing is ever deleted. First every file is compared with the plan: where one
// has changed, a kept one is missing, or one to be moved is a symbolic link or another name of a kept one, nothing is moved
// (kMismatch naming it). Each move is written into a journal in the trash folder (docs/format/dedup-plan.md) and synced before it
// happens, so that after a crash at any moment every file is at its place or in the trash under the name that the journal tells,
// and the same call goes on. Throws kIo where a file cannot be moved: before the first one where the trash is on another file
// system. Stopped by `progress`: kCancelled; what was moved stays so.
ApplyResult apply_plan(FileSystem& fs, const DedupPlan& plan, const ProgressFn& progress = {});

struct UndoResult {
  std::size_t restored = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> occupied;  // not restored: another file has the name now; its own is still in the trash
};

// Moves everything that the journals of a trash folder tell of back to where it was. Safe to repeat, also after a crash. Throws
// kCorrupt, before anything is moved, where a journal is damaged, names something outside the trash folder, or a place that is no
// absolute path.
UndoResult undo_moves(FileSystem& fs, const std::string& trash);

// Whether a folder holds a journal of apply; no for what is no folder or cannot be listed.
bool is_trash_folder(FileSystem& fs, const std::string& folder);

}  // namespace signet
