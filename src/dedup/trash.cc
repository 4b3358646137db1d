#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "signet/base/error.h"
#include "signet/base/sha256.h"
#include "signet/base/text.h"
#include "signet/dedup/plan.h"

namespace signet {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMostJournalBytes = std::uint64_t{4} << 30;
constexpr const char* kJournalPrefix = "journal-";
constexpr int kMostLineDepth = 16;  // of brackets in a line; those of a line that apply writes do not nest

struct Entry {
  std::string from;  // absolute
  std::string name;  // in the trash folder
  std::uint64_t bytes = 0;
};

std::string journal_name(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return kJournalPrefix + std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits + ".jsonl";
}

// The number in the name of a journal; nothing where the name is not one.
std::optional<std::uint64_t> journal_number(const std::string& name) {
  std::uint64_t number = 0;
  if (!name.starts_with(kJournalPrefix)) return std::nullopt;
  std::from_chars(name.data() + std::strlen(kJournalPrefix), name.data() + name.size(), number);
  return journal_name(number) == name ? std::optional(number) : std::nullopt;
}

// The name that file `number` of all that were moved bears in the trash folder: of a long name the end, as names have at most 255
// bytes. The journal has it whole.
std::string trash_name(std::uint64_t number, const std::string& name) {
  constexpr std::size_t kMost = 255;
  const std::string before = concat(number, "-");
  std::size_t from = name.size() - std::min(name.size(), kMost - before.size());
  while (from > 0 && from < name.size() && (static_cast<unsigned char>(name[from]) & 0xC0U) == 0x80) ++from;  // whole characters
  return before + name.substr(from);
}

// The device on which a folder lies, or will lie when it is made.
std::optional<std::uint64_t> device_for(std::string folder) {
  while (!file_id(folder) && folder != parent_path(folder)) folder = parent_path(folder);
  const auto id = file_id(folder);
  return id ? std::optional(id->first) : std::nullopt;
}

// What a line says; nothing where it is damaged.
std::optional<Entry> parse_entry(std::string_view line) {
  if (nests_deeper_than(kMostLineDepth, line)) return std::nullopt;
  const json entry = json::parse(line, nullptr, false);
  const bool good = entry.is_object() && entry.contains("from") && entry["from"].is_string() && entry.contains("name") &&
                    entry["name"].is_string() && entry.contains("bytes") && entry["bytes"].is_number_unsigned();
  if (!good) return std::nullopt;
  return Entry{entry["from"], entry["name"], entry["bytes"]};
}

// A journal may come from anywhere, and must not lead a move out of the trash folder, or to where this program happens to run.
void check_entry(const Entry& entry, const std::string& where) {
  const auto holds_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  const std::string& name = entry.name;
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos || holds_nul(name))
    fail(ErrorCode::kCorrupt, where, " has the name ", json(name).dump(-1, ' ', false, json::error_handler_t::replace),
         ", which is not that of a file in the trash folder; nothing was moved");
  if (!entry.from.starts_with('/') || holds_nul(entry.from))
    fail(ErrorCode::kCorrupt, where, " comes from ", json(entry.from).dump(-1, ' ', false, json::error_handler_t::replace),
         ", which is not an absolute path; nothing was moved");
}

// All lines of all journals, in order. A last line that was cut off tells of a move that did not happen: it is written and synced
// before the move.
std::vector<Entry> read_journals(FileSystem& fs, const std::string& trash, std::uint64_t& next_number) {
  std::vector<Entry> entries;
  next_number = 1;
  if (!fs.exists(trash)) return entries;
  std::map<std::uint64_t, std::string> journals;
  for (const std::string& name : fs.list(trash))
    if (const auto number = journal_number(name)) journals.emplace(*number, name);
  for (const auto& [number, name] : journals) {
    next_number = number + 1;  // not their count: one may have been removed
    const std::string path = join_path(trash, name);
    const std::string text = read_text_file(fs, path, kMostJournalBytes);
    for (std::size_t begin = 0, line = 1; begin < text.size(); ++line) {
      const std::size_t end = text.find('\n', begin);
      if (end == std::string_view::npos) break;
      const auto entry = parse_entry(std::string_view(text).substr(begin, end - begin));
      begin = end + 1;
      if (!entry) {
        if (begin == text.size()) break;  // the last line may be torn in its middle
        fail(ErrorCode::kCorrupt, path, ", line ", line,
             " is damaged; the files beside it were moved from where its other lines say");
      }
      check_entry(*entry, concat(path, ", line ", line));
      entries.push_back(*entry);
    }
  }
  return entries;
}

// Whether the file is what the plan saw.
bool unchanged(FileSystem& fs, const PlannedFile& file, const std::string& path) {
  if (fs.size(path) != file.bytes) return false;
  return sha256_hex(fs.map(path)->data()) == file.sha256;
}

class Apply {
 public:
  Apply(FileSystem& fs, const DedupPlan& plan, const ProgressFn& progress) : fs_(fs), plan_(plan), progress_(progress) {}

  ApplyResult run() {
    for (const Entry& entry : read_journals(fs_, plan_.trash, number_)) {
      moved_before_[entry.from] = entry.name;
      ++names_;
    }
    check();
    if (!todo_.empty()) start_journal();
    for (std::size_t i = 0; i < todo_.size(); ++i) {
      if (progress_ && !progress_({"move", i, todo_.size(), ""}))
        fail(ErrorCode::kCancelled, "stopped after ", result_.moved, " files, which are in ", plan_.trash,
             "; the same command goes on, and undo brings them back");
      move(*todo_[i]);
    }
    return result_;
  }

 private:
  // Where an earlier apply has put the file of a plan, if it did and the file is not back at its place.
  bool is_in_trash(const PlannedFile& file) const {
    const auto before = moved_before_.find(file.path);
    return before != moved_before_.end() && !fs_.exists(file.path) && fs_.exists(join_path(plan_.trash, before->second));
  }

  void check() {
    for (const PlannedGroup& group : plan_.groups) {
      check_one(group.keep, "is kept by the plan");
      for (const PlannedMove& move : group.move) {
        if (is_in_trash(move.file)) {
          ++result_.already, ++result_.moved;
          result_.bytes_saved += move.file.bytes;
          continue;
        }
        check_one(move.file, "is moved by the plan");
        todo_.push_back(&move.file);
      }
      if (progress_ && !progress_({"compare with the plan", result_.moved + todo_.size(), 0, ""}))
        fail(ErrorCode::kCancelled, "stopped while files were compared with the plan; nothing was moved");
    }
    check_names();
  }

  // No name of a file that stays is moved, whichever group keeps it, and no link, whose content stays where it is. Nor is half of
  // a plan done because the other half lies on another disk.
  void check_names() const {
    std::map<FileId, std::string> kept;
    for (const PlannedGroup& group : plan_.groups)
      if (const auto id = file_id(group.keep.path)) kept.emplace(*id, group.keep.path);
    const auto device = device_for(plan_.trash);
    for (const PlannedFile* file : todo_) {
      std::error_code ignored;
      if (std::filesystem::is_symlink(file->path, ignored))
        fail(ErrorCode::kMismatch, file->path,
             " is moved by the plan, but it is a symbolic link and not a picture; nothing was moved, make a new plan");
      const auto id = file_id(file->path);
      const auto same = id ? kept.find(*id) : kept.end();
      if (same != kept.end())
        fail(ErrorCode::kMismatch, file->path, " is moved by the plan, but it is another name of ", same->second,
             ", which is kept; nothing was moved, make a new plan");
      const auto folder = file_id(parent_path(file->path));  // overlay file systems name another device for files
      if (folder && device && folder->first != *device)
        fail(ErrorCode::kIo, file->path, " is on another file system than the trash folder ", plan_.trash,
             ", where no move leads to; nothing was moved, make a new plan with --trash DIR on the disk of the pictures");
    }
  }

  void check_one(const PlannedFile& file, const char* role) const {
    if (!fs_.exists(file.path))
      fail(ErrorCode::kMismatch, file.path, " ", role, ", but it is gone; nothing was moved, make a new plan");
    if (!unchanged(fs_, file, file.path))
      fail(ErrorCode::kMismatch, file.path, " ", role, ", but it has changed since; nothing was moved, make a new plan");
  }

  void start_journal() {
    fs_.create_directory(plan_.trash);
    fs_.sync_directory(parent_path(plan_.trash));
    const std::string path = join_path(plan_.trash, journal_name(number_));
    const std::string unnamed = temp_path(path);  // under its own name it would be made over that of another apply
    journal_ = fs_.create(unnamed);
    journal_->sync();
    if (!fs_.rename_new(unnamed, path)) {
      fs_.remove(unnamed);
      fail(ErrorCode::kMismatch, path,
           " has just been made by another dedup apply; nothing was moved, try again when that is done");
    }
    fs_.sync_directory(plan_.trash);
  }

  // The journal first, then the move: a line without a move is harmless, a move without a line would be a lost file.
  void move(const PlannedFile& file) {
    std::string name;
    do {
      name = trash_name(++names_, file_name(file.path));
    } while (fs_.exists(join_path(plan_.trash, name)));
    const std::string line = json{{"from", file.path}, {"name", name}, {"bytes", file.bytes}}.dump() + "\n";
    journal_->append(as_bytes(line));
    journal_->sync();
    if (!fs_.rename_new(file.path, join_path(plan_.trash, name)))
      fail(ErrorCode::kMismatch, join_path(plan_.trash, name), " has just been made by somebody else; ", file.path,
           " was not moved, try again when that is done");
    fs_.sync_directory(plan_.trash);  // the new name first: after a power loss there may be two, never none
    fs_.sync_directory(parent_path(file.path));
    ++result_.moved;
    result_.bytes_saved += file.bytes;
  }

  FileSystem& fs_;
  const DedupPlan& plan_;
  const ProgressFn& progress_;
  std::map<std::string, std::string> moved_before_;
  std::vector<const PlannedFile*> todo_;
  std::unique_ptr<WritableFile> journal_;
  std::uint64_t number_ = 1;
  std::size_t names_ = 0;
  ApplyResult result_;
};

}  // namespace

std::optional<FileId> file_id(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return FileId(info.st_dev, info.st_ino);
}

bool is_trash_folder(FileSystem& fs, const std::string& folder) {
  try {
    const std::vector<std::string> names = fs.list(folder);
    return std::any_of(names.begin(), names.end(), [](const std::string& name) { return journal_number(name).has_value(); });
  } catch (const Error&) {
    return false;
  }
}

ApplyResult apply_plan(FileSystem& fs, const DedupPlan& plan, const ProgressFn& progress) {
  return Apply(fs, plan, progress).run();
}

UndoResult undo_moves(FileSystem& fs, const std::string& trash) {
  if (!fs.exists(trash)) fail(ErrorCode::kNotFound, trash, " does not exist; it is the trash folder that dedup apply has named");
  std::uint64_t next = 0;
  std::vector<Entry> entries = read_journals(fs, trash, next);
  if (next == 1) fail(ErrorCode::kNotFound, trash, " holds no journal of dedup apply; nothing can be undone from it");
  std::reverse(entries.begin(), entries.end());
  UndoResult result;
  for (const Entry& entry : entries) {
    const std::string here = join_path(trash, entry.name);
    if (!fs.exists(here)) continue;  // was not moved, or is back already
    fs.create_directory(parent_path(entry.from));
    if (!fs.rename_new(here, entry.from)) {
      result.occupied.push_back(entry.from);
      continue;
    }
    fs.sync_directory(parent_path(entry.from));
    fs.sync_directory(trash);
    ++result.restored;
    result.bytes += entry.bytes;
  }
  return result;
}

}  // namespace signet
