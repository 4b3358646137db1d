#include "signet/base/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>

#include "base/rename_new.h"
#include "signet/base/error.h"

namespace signet {
namespace {

[[noreturn]] void fail_system(const std::string& path, const char* what, int error) {
  const ErrorCode code = error == ENOENT || error == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo;
  fail(code, "cannot ", what, " ", path, ": ", std::generic_category().message(error));
}

constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;  // Linux reads and writes at most 2^31 - 4096 bytes a call

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept {
    if (fd_ >= 0) ::close(release());
  }

 private:
  int fd_;
};

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  void append(std::span<const std::byte> data) override {
    check_open();
    while (!data.empty()) {
      const ssize_t written = ::write(fd_.get(), data.data(), std::min(data.size(), kMostAtOnce));
      if (written < 0) {
        if (errno == EINTR) continue;
        fail_system(path_, "write", errno);
      }
      data = data.subspan(static_cast<std::size_t>(written));
    }
  }

  void sync() override {
    check_open();
    if (::fsync(fd_.get()) != 0) fail_system(path_, "sync", errno);
  }

  void close() override {
    const int fd = fd_.release();
    if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) fail_system(path_, "close", errno);  // Linux has closed it also on EINTR
  }

 private:
  void check_open() const {
    if (fd_.get() < 0) fail(ErrorCode::kInternal, path_, " is written after it was closed");
  }
  Descriptor fd_;
  std::string path_;
};

class PosixReadableFile final : public ReadableFile {
 public:
  PosixReadableFile(Descriptor fd, std::uint64_t size, std::string path)
      : fd_(std::move(fd)), size_(size), path_(std::move(path)) {}
  std::uint64_t size() const noexcept override { return size_; }
  std::size_t read(std::uint64_t offset, std::span<std::byte> out) const override {
    const std::size_t count = std::min(out.size(), kMostAtOnce);
    ssize_t n = 0;
    do {
      n = ::pread(fd_.get(), out.data(), count, static_cast<off_t>(offset));
    } while (n < 0 && errno == EINTR);
    if (n < 0) fail_system(path_, "read", errno);
    return static_cast<std::size_t>(n);
  }

 private:
  Descriptor fd_;
  std::uint64_t size_;
  std::string path_;
};

// A regular file, open for reading.
Descriptor open_regular(const std::string& path, std::size_t& size) {
  // O_NONBLOCK: opening a pipe that nobody writes must not hang; it is refused below. Regular files ignore the flag.
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) fail_system(path, "open", errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail_system(path, "read", errno);
  if (S_ISDIR(info.st_mode)) fail(ErrorCode::kIo, "cannot read ", path, ": it is a folder, not a file");
  if (!S_ISREG(info.st_mode)) fail(ErrorCode::kIo, "cannot read ", path, ": it is not a regular file");
  size = static_cast<std::size_t>(info.st_size);
  return fd;
}

class PosixMappedFile final : public MappedFile {
 public:
  PosixMappedFile(const std::byte* data, std::size_t size) : data_(data), size_(size) {}
  ~PosixMappedFile() override {
    if (size_ > 0) ::munmap(const_cast<std::byte*>(data_), size_);
  }
  PosixMappedFile(const PosixMappedFile&) = delete;
  PosixMappedFile& operator=(const PosixMappedFile&) = delete;
  std::span<const std::byte> data() const noexcept override { return {data_, size_}; }

 private:
  const std::byte* data_;
  std::size_t size_;
};

class PosixFileSystem final : public FileSystem {
 public:
  std::unique_ptr<WritableFile> create(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) fail_system(path, "create", errno);
    return std::make_unique<PosixWritableFile>(fd, path);
  }

  std::unique_ptr<ReadableFile> open(const std::string& path) override {
    std::size_t size = 0;
    Descriptor fd = open_regular(path, size);
    return std::make_unique<PosixReadableFile>(std::move(fd), size, path);
  }

  std::unique_ptr<MappedFile> map(const std::string& path) override {
    std::size_t size = 0;
    const Descriptor fd = open_regular(path, size);
    if (size == 0) return std::make_unique<PosixMappedFile>(nullptr, 0);
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (address == MAP_FAILED) fail_system(path, "map", errno);
    return std::make_unique<PosixMappedFile>(static_cast<const std::byte*>(address), size);
  }

  void rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) fail_system(concat(from, " to ", to), "rename", errno);
  }

  bool rename_new(const std::string& from, const std::string& to) override {
    const int error = rename_without_replacing(from, to);
    if (error != 0 && error != EEXIST) fail_system(concat(from, " to ", to), "rename", error);
    return error == 0;
  }

  bool link(const std::string& from, const std::string& to) override {
    if (::link(from.c_str(), to.c_str()) == 0) return true;
    if (errno != EXDEV && !means_no_links(errno)) fail_system(concat(from, " to ", to), "link", errno);
    return false;
  }

  void remove(const std::string& path) override {
    if (::remove(path.c_str()) != 0) fail_system(path, "remove", errno);
  }

  void create_directory(const std::string& path) override {
    if (path.empty()) fail(ErrorCode::kInvalidArgument, "cannot create a folder without a name");
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
      const std::string part = path.substr(0, end);
      struct stat info {};
      if (::mkdir(part.c_str(), 0777) == 0) {
        sync_folder(parent_path(part), true);
      } else if (errno != EEXIST) {
        const int error = errno;  // a parent on a read-only disk that exists already is fine
        if (::stat(part.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) fail_system(part, "create the folder", error);
      } else if (::stat(part.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
        fail(ErrorCode::kIo, "cannot create the folder ", path, ": ", part, " is a file");
      }
      if (end == std::string::npos) return;
    }
  }

  void sync_directory(const std::string& path) override { sync_folder(path, false); }

  bool exists(const std::string& path) override {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    fail_system(path, "look at", errno);
  }

  std::uint64_t size(const std::string& path) override {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) fail_system(path, "look at", errno);
    return static_cast<std::uint64_t>(info.st_size);
  }

  std::vector<std::string> list(const std::string& path) override {
    struct Close {
      void operator()(DIR* folder) const noexcept { ::closedir(folder); }
    };
    const std::unique_ptr<DIR, Close> folder(::opendir(path.c_str()));
    if (!folder) fail_system(path, "list", errno);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(folder.get())) {
      const std::string name(entry->d_name);
      if (name != "." && name != "..") names.push_back(name);
      errno = 0;
    }
    if (errno != 0) fail_system(path, "list", errno);
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  // closed_is_fine: for a folder that may be written and not read (a drop box, mode 1733). Only what can be opened for reading
  // can be synced, so there is no stronger promise to get from it than from a file system that has nothing to sync for folders
  // (EINVAL, some network ones).
  static void sync_folder(const std::string& path, bool closed_is_fine) {
    const Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) {
      if (errno == EACCES && closed_is_fine) return;
      fail_system(path, "open the folder", errno);
    }
    if (::fsync(fd.get()) != 0 && errno != EINVAL) fail_system(path, "sync the folder", errno);
  }
};

}  // namespace

// Deliberately never destroyed: it has no state, and objects with static lifetime may still use it on the way out. Where there is
// no memory for it, there is no going on either.
FileSystem& real_file_system() noexcept {
  static PosixFileSystem* const kInstance = new PosixFileSystem;  // NOLINT(bugprone-unhandled-exception-at-new)
  return *kInstance;
}

// The thread's id is unique in the machine at any moment, the clock separates two files of one thread.
std::string temp_path(const std::string& path) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return concat(path, kTempMarker, ::gettid(), "-", now);
}

bool is_temp_name(const std::string& name) noexcept { return name.rfind(kTempMarker) != std::string::npos; }

void write_file_atomically(FileSystem& fs, const std::string& path, const std::function<void(WritableFile&)>& write) {
  const std::string temp = temp_path(path);
  const std::unique_ptr<WritableFile> file = fs.create(temp);
  try {
    write(*file);
    file->sync();
    file->close();
    fs.rename(temp, path);
  } catch (...) {
    try {
      file->close();
      fs.remove(temp);
    } catch (const Error&) {  // the first error is the one to tell
    }
    throw;
  }
  fs.sync_directory(parent_path(path));
}

void write_file_atomically(FileSystem& fs, const std::string& path, std::span<const std::byte> content) {
  write_file_atomically(fs, path, [content](WritableFile& file) { file.append(content); });
}

std::vector<std::byte> read_file(FileSystem& fs, const std::string& path, std::uint64_t limit) {
  const std::unique_ptr<ReadableFile> file = fs.open(path);
  if (file->size() > limit) {
    fail(ErrorCode::kInvalidArgument, path, " has ", file->size(), " bytes, more than the ", limit,
         " that are read of such a file");
  }
  std::vector<std::byte> content(file->size());
  for (std::size_t done = 0; done < content.size();) {
    const std::size_t n = file->read(done, std::span(content).subspan(done));
    if (n == 0) {
      fail(ErrorCode::kIo, "cannot read ", path, ": it had ", content.size(), " bytes and became shorter while it was read, ",
           done, " bytes; try again when nobody writes it");
    }
    done += n;
  }
  return content;
}

std::string read_text_file(FileSystem& fs, const std::string& path, std::uint64_t limit) {
  return std::string(as_text(read_file(fs, path, limit)));
}

std::string parent_path(const std::string& path) {
  const std::size_t last = path.find_last_not_of('/');
  if (last == std::string::npos) return path.empty() ? "." : "/";
  const std::size_t slash = path.rfind('/', last);
  if (slash == std::string::npos) return ".";
  const std::size_t end = path.find_last_not_of('/', slash);
  return end == std::string::npos ? "/" : path.substr(0, end + 1);
}

std::string file_name(const std::string& path) {
  const std::size_t last = path.find_last_not_of('/');
  if (last == std::string::npos) return "";
  const std::size_t slash = path.rfind('/', last);
  return slash == std::string::npos ? path.substr(0, last + 1) : path.substr(slash + 1, last - slash);
}

std::string join_path(const std::string& folder, const std::string& name) {
  if (folder.empty() || name.starts_with('/')) return name;
  return folder.ends_with('/') ? folder + name : folder + "/" + name;
}

}  // namespace signet
