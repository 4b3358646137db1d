#include "serve/picture_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

#include "signet/base/error.h"
#include "signet/base/file_system.h"

namespace signet {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real == nullptr ? std::nullopt : std::optional<std::string>(real.get());
}

// Without ".", "..", doubled slashes and one at the end, by the text alone.
std::string plain_path(const std::string& path) {
  std::string plain = fs::path(path).lexically_normal().string();
  if (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  return plain;
}

bool is_below(const std::string& path, const std::vector<std::string>& roots) {
  for (const std::string& root : roots) {
    if (path == root || root == "/") return true;
    if (path.size() > root.size() && path.starts_with(root) && path[root.size()] == '/') return true;
  }
  return false;
}

FileStamp stamp_of(const struct stat& status) {
  const auto ns = [](const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; };
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), ns(status.st_mtim), ns(status.st_ctim)};
}

FileStamp stamp_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? stamp_of(status) : FileStamp();
}

// Whether the same file will give the same error: not so where descriptors or rights were lacking, or it went away meanwhile.
bool is_of_content(ErrorCode code) {
  return code == ErrorCode::kCorrupt || code == ErrorCode::kUnsupported || code == ErrorCode::kInvalidArgument;
}

// A file that is a name alone (O_PATH) until open(), so that what it is and where it lies is known before.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : fd_(::open(path.c_str(), O_PATH | O_CLOEXEC)) {
    if (fd_ < 0 || ::fstat(fd_, &status_) != 0) status_ = {};
  }
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  bool is_regular() const { return S_ISREG(status_.st_mode); }
  FileStamp stamp() const { return stamp_of(status_); }
  std::uint64_t size() const { return static_cast<std::uint64_t>(status_.st_size); }
  // Where the opened file lies, whatever its name has become since.
  std::string path() const {
    std::error_code failed;
    const fs::path target = fs::read_symlink(concat("/proc/self/fd/", fd_), failed);
    return failed ? std::string() : target.string();
  }
  // The very file that was looked at; false where it cannot be read. Non-blocking: whoever holds a lease on it is not waited for.
  bool open() {
    const int fd = ::open(concat("/proc/self/fd/", fd_).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return false;
    ::close(std::exchange(fd_, fd));
    return true;
  }
  // Its first bytes: so many, or all where there are no more.
  std::vector<std::byte> read(std::uint64_t most) const {
    std::vector<std::byte> bytes(static_cast<std::size_t>(std::min(most, size())));
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t got = ::pread(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return bytes;
  }

 private:
  int fd_;
  struct stat status_ {};
};

// What the beginning of a file says; the most that it may have where that says nothing (a TIFF may say it at its end).
std::uint64_t claimed_pixels(const OpenFile& file, std::uint64_t most) {
  constexpr std::uint64_t kBeginning = std::uint64_t{256} << 10;
  try {
    const ImageHeader header = read_image_header(file.read(kBeginning), "the picture");
    return std::min(most, std::uint64_t{header.width} * header.height);
  } catch (const Error&) {
    return most;
  }
}

}  // namespace

PictureSource::PictureSource(const std::vector<std::string>& roots, DecodeLimits limits, PictureMemory& memory,
                             const std::string& collection)
    : limits_(limits), memory_(memory) {
  if (const auto own = collection.empty() ? std::nullopt : real_path(collection)) own_.push_back(*own);
  for (const std::string& root : roots) {
    const auto real = root.empty() ? std::nullopt : real_path(root);
    if (!real || is_below(*real, own_) || is_catalog(stamp_of(*real))) continue;
    // Keys of a manifest are relative to the folder that it lies in.
    const bool manifest = !fs::is_directory(*real) && detect_dataset_format(*real) == DatasetFormat::kManifest;
    const std::string given = plain_path(fs::absolute(root).string());
    roots_.push_back(manifest ? parent_path(*real) : *real);
    given_.push_back(manifest ? parent_path(given) : given);
  }
}

bool PictureSource::inside(const std::string& real_path) const {
  return is_below(real_path, roots_) && !is_below(real_path, own_);
}

// Under whatever name. Locks as SQLite takes them belong to the process: it loses them when it closes any descriptor of the file
// (fcntl(2)), and then another process may take away what this one still reads and writes.
bool PictureSource::is_catalog(const FileStamp& file) const {
  for (const std::string& folder : own_) {
    for (const char* name : {"catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"}) {
      const FileStamp own = stamp_of(join_path(folder, name));
      if (own != FileStamp() && own.device == file.device && own.inode == file.inode) return true;
    }
  }
  return false;
}

bool PictureSource::named_inside(const std::string& path) const {
  const std::string plain = plain_path(path);
  return is_below(plain, roots_) || is_below(plain, given_);
}

bool PictureSource::load_file(const std::string& path, std::uint32_t target_side, double wait_seconds,
                              DecodedPicture& picture) const {
  OpenFile file(path);
  if (!file.is_regular() || !inside(file.path()) || is_catalog(file.stamp()) || !file.open()) return false;
  if (file.size() > limits_.max_bytes) {
    fail(ErrorCode::kInvalidArgument, "the picture's file has ", file.size(), " bytes; at most ", limits_.max_bytes, " are read");
  }
  DecodeLimits limits = limits_;
  limits.target_side = target_side;
  limits.max_pixels = claimed_pixels(file, limits_.max_pixels);  // and no more, should somebody write to it meanwhile
  picture.memory = memory_.take(file.size() + decoding_bytes(limits.max_pixels), wait_seconds);
  picture.image = decode_image(file.read(file.size()), "the picture", limits);
  picture.memory.shrink(picture.image.pixels.size());
  return true;
}

// A folder changes with every file that comes, and hardly ever becomes a data set by that: it is not listed for each picture that
// is gone.
bool PictureSource::Opened::holds() const {
  constexpr auto kAtLeast = std::chrono::seconds(2);
  std::error_code ignored;
  const bool folder = data == nullptr && files.size() == 1 && fs::is_directory(files.front().first, ignored);
  if (folder && std::chrono::steady_clock::now() - found < kAtLeast) return true;
  return std::all_of(files.begin(), files.end(), [](const auto& file) { return stamp_of(file.first) == file.second; });
}

// One opens a data set, and who wants it too waits for that and uses it.
std::shared_ptr<const PictureSource::Opened> PictureSource::open(const std::string& path) {
  constexpr std::size_t kMost = 500;  // each may hold some files open
  const std::lock_guard lock(mutex_);
  if (const auto known = opened_.find(path); known != opened_.end() && known->second->holds()) return known->second;
  // All that no longer hold, so that files which are gone take no room on the disk.
  std::erase_if(opened_, [](const auto& entry) { return !entry.second->holds(); });
  if (opened_.size() >= kMost) opened_.clear();
  const auto opened = std::make_shared<Opened>();
  if (look(path, *opened)) opened_.emplace(path, opened);
  return opened;
}

// Stamps are taken before their files are opened: one that is written to meanwhile has another one afterwards. What is no Error
// (no memory) is not remembered either.
bool PictureSource::look(const std::string& path, Opened& opened) const {
  opened.files.emplace_back(path, stamp_of(path));
  try {
    // A folder of picture files has no members beyond its files, which were looked for before: listing it would be for nothing.
    const auto format = detect_dataset_format(path);
    if (format != DatasetFormat::kTar && format != DatasetFormat::kIdx && format != DatasetFormat::kCifar) return true;
    const DatasetOptions options{*format, "", limits_};
    for (const std::string& file : dataset_files(path, options)) {
      opened.files.emplace_back(file, stamp_of(file));
      const auto real = real_path(file);
      if (!real || !inside(*real) || is_catalog(opened.files.back().second)) return true;
    }
    opened.data = open_dataset(path, options);
    opened.position.reserve(opened.data->size());
    for (std::size_t i = 0; i < opened.data->size(); ++i) opened.position.emplace(opened.data->key(i), i);
    return true;
  } catch (const Error& error) {  // then it is no data set, and holds no member
    opened.data = nullptr;
    return is_of_content(error.code());
  }
}

// The longest part of the path that exists is the data set, the rest is the name inside it.
bool PictureSource::load_member(const std::string& path, double wait_seconds, DecodedPicture& picture) {
  std::error_code ignored;
  for (std::string container = parent_path(path); container.size() > 1 && named_inside(container);
       container = parent_path(container)) {
    if (!fs::exists(container, ignored)) continue;
    const auto real = real_path(container);
    if (!real || !inside(*real) || is_catalog(stamp_of(*real))) return false;
    const auto opened = open(*real);
    if (opened->data == nullptr) return false;
    const auto at = opened->position.find(path.substr(container.size() + 1));
    if (at == opened->position.end()) return false;
    // How many pixels it has is not known before.
    const std::uint64_t bytes = opened->data->encoded_bytes(at->second) + decoding_bytes(limits_.max_pixels);
    picture.memory = memory_.take(bytes, wait_seconds);
    picture.image = opened->data->get(at->second).image;
    picture.memory.shrink(picture.image.pixels.size());
    return true;
  }
  return false;
}

DecodedPicture PictureSource::load(const std::string& key, std::uint32_t target_side, double wait_seconds) {
  DecodedPicture picture;
  std::vector<std::string> paths;
  if (!key.empty() && key.front() == '/') {
    paths.push_back(key);
  } else {
    for (const std::string& root : roots_) paths.push_back(join_path(root, key));
  }
  for (const std::string& path : paths) {
    if (!named_inside(path)) continue;
    if (load_file(path, target_side, wait_seconds, picture) || load_member(path, wait_seconds, picture)) return picture;
  }
  fail(ErrorCode::kNotFound,
       "the picture of this image is gone, or its key names none inside the folders whose pictures are served; --root must be "
       "given as the keys spell it");
}

}  // namespace signet
