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

// A file open for reading. A part that the disk does not give back, or a file that becomes shorter, is an error here; who touches
// such a part of a mapping is killed by the system.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  virtual std::uint64_t size() const noexcept = 0;  // when it was opened
  // Reads from `offset` on and returns how many bytes: fewer than there is room for at the end, and before a part that cannot be
  // read; none only at the end. Throws Error{kIo} where the first byte cannot be read.
  virtual std::size_t read(std::uint64_t offset, std::span<std::byte> out) const = 0;
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
  virtual std::unique_ptr<ReadableFile> open(const std::string& path) = 0;
  virtual std::unique_ptr<MappedFile> map(const std::string& path) = 0;     // an empty file maps to an empty span
  virtual void rename(const std::string& from, const std::string& to) = 0;  // replaces `to` atomically
  // Renames unless `to` exists, also when it comes to be at the last moment: false, and nothing is changed.
  virtual bool rename_new(const std::string& from, const std::string& to) = 0;
  // Gives a file a second name, which does not exist yet. False where the file system has no hard links, or none from the one
  // folder to the other; nothing is changed then.
  virtual bool link(const std::string& /*from*/, const std::string& /*to*/) { return false; }
  virtual void remove(const std::string& path) = 0;
  // Parents too, existing is fine; those that it makes are durable, but for one in a folder that may be written and not read.
  virtual void create_directory(const std::string& path) = 0;
  virtual void sync_directory(const std::string& path) = 0;  // makes renames and removals in it durable
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

// The whole content, read and not mapped. Throws Error{kInvalidArgument} naming the limit where the file is larger than `limit`
// bytes, kIo where a part of it cannot be read or it becomes shorter meanwhile.
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
