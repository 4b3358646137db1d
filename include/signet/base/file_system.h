#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signet {

// A file open for writing at its end. Destroying it without close() gives it up; what was not synced may be lost.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual void append(std::span<const std::byte> data) = 0;  // all of it, or throws Error{kIo}
  virtual void sync() = 0;                                   // data is on the disk when it returns (fsync)
  virtual void close() = 0;                                  // idempotent
};

// A whole file mapped read-only. data() stays valid for the life of the object, also after the file is renamed or removed.
class MappedFile {
 public:
  virtual ~MappedFile() = default;
  virtual std::span<const std::byte> data() const noexcept = 0;
};

// Everything that signet does to files whose loss would matter goes through this interface, so that a twin can fail on demand
// (fault_file_system.h). Paths are plain strings as the system takes them. All functions throw Error naming the path: kNotFound
// where it does not exist, kIo otherwise. Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual std::unique_ptr<WritableFile> create(const std::string& path) = 0;  // makes or truncates
  virtual std::unique_ptr<MappedFile> map(const std::string& path) = 0;       // an empty file maps to an empty span
  virtual void rename(const std::string& from, const std::string& to) = 0;    // replaces `to` atomically
  virtual void remove(const std::string& path) = 0;
  virtual void create_directory(const std::string& path) = 0;  // parents too; existing is fine
  virtual void sync_directory(const std::string& path) = 0;    // makes renames and removals in it durable
  virtual bool exists(const std::string& path) = 0;
  virtual std::uint64_t size(const std::string& path) = 0;
  virtual std::vector<std::string> list(const std::string& path) = 0;  // names in a folder, sorted, without . and ..
};

FileSystem& real_file_system() noexcept;

// Writes a file so that a reader sees the old or the new content, never a part: temp file beside it, fsync, rename, fsync of the
// folder. On any error the old file is untouched and the temp file is removed. `write` fills the file it is handed.
void write_file_atomically(FileSystem& fs, const std::string& path, const std::function<void(WritableFile&)>& write);
void write_file_atomically(FileSystem& fs, const std::string& path, std::span<const std::byte> content);

// Where unfinished files lie until they are renamed: "<path>.tmp-<thread>-<clock>", in the same folder. A process that dies
// leaves them behind; whoever owns the folder may remove every name for which is_temp_name holds.
inline constexpr char kTempMarker[] = ".tmp-";
std::string temp_path(const std::string& path);
bool is_temp_name(const std::string& name) noexcept;

// The whole content. Throws Error{kInvalidArgument} naming the limit where the file is larger than `limit` bytes.
std::vector<std::byte> read_file(FileSystem& fs, const std::string& path, std::uint64_t limit);

std::string read_text_file(FileSystem& fs, const std::string& path, std::uint64_t limit);  // the same, as characters

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::span<const std::byte> as_bytes(const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); }

// "a/b/c.txt" -> "a/b" ("." where there is no folder) and "c.txt".
std::string parent_path(const std::string& path);
std::string file_name(const std::string& path);
std::string join_path(const std::string& folder, const std::string& name);

}  // namespace signet
