#include "store/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "signet/base/clock.h"
#include "signet/base/crc32c.h"
#include "signet/base/error.h"

namespace signet::store {
namespace {

constexpr std::size_t kLockBytes = 256;
constexpr std::size_t kAckBytes = 24;
constexpr std::string_view kAckMagic = "SGNTACK1";

std::string lock_path(const std::string& collection) { return join_path(collection, "lock"); }
std::string ack_path(const std::string& collection) { return join_path(collection, "acknowledged"); }

std::string host_name() {
  std::array<char, 64> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

std::string crc_line(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const std::uint32_t crc = crc32c(std::as_bytes(std::span(text.data(), text.size())));
  std::string line = "crc ";
  for (int shift = 28; shift >= 0; shift -= 4) line += kDigits[(crc >> shift) & 15];
  return line + "\n";
}

std::string lock_text() {
  std::string text = concat("signet-lock 1\npid ", ::getpid(), "\nhost ", host_name(), "\nstart ", utc_now(), "\n");
  text += crc_line(text);
  text.resize(kLockBytes, ' ');
  return text;
}

// The beginning of a small file. Not mapped: the writer may cut the file short at any moment, and touching a mapping beyond the
// end kills.
std::string read_some(int fd, std::size_t count) {
  std::string text(count, '\0');
  const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
  text.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return text;
}

std::string read_lock(int fd) { return read_some(fd, kLockBytes + 1); }

// Empty where there is no such file.
std::string read_ack(const std::string& collection) {
  const int fd = ::open(ack_path(collection).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text = read_some(fd, kAckBytes + 1);
  ::close(fd);
  return text;
}

bool is_good_lock(const std::string& text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return c == '\0'; })) return true;
  const auto at = text.find("crc ");
  if (text.size() != kLockBytes || at == std::string::npos) return false;
  std::string expected = text.substr(0, at) + crc_line(std::string_view(text).substr(0, at));
  expected.resize(kLockBytes, ' ');
  return expected == text;
}

// "process 17 on host x since ...", from the lines of a lock file.
std::string holder_of(const std::string& text) {
  const auto field = [&](const std::string& name) -> std::string {
    const auto at = text.find("\n" + name + " ");
    if (!is_good_lock(text) || at == std::string::npos) return "unknown";
    const auto begin = at + name.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  return concat("process ", field("pid"), " on host ", field("host"), ", writing since ", field("start"));
}

}  // namespace

WriterLock::WriterLock(const std::string& collection) {
  const std::string path = lock_path(collection);
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0)
    fail(ErrorCode::kIo, path, " cannot be opened for writing: ", std::strerror(errno), "; a writer needs a writable collection");
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    const std::string holder = holder_of(read_lock(fd_));
    ::close(fd_);
    if (error == EWOULDBLOCK)
      fail(ErrorCode::kBusy, collection, " is open for writing by ", holder, "; there can be one writer at a time");
    fail(ErrorCode::kIo, path, " cannot be locked: ", std::strerror(error));
  }
  // One write of a fixed size: a reader of the file sees the old text or the new one. A failure costs others the name of the
  // holder only.
  const std::string text = lock_text();
  if (::pwrite(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size())) {
    if (::ftruncate(fd_, static_cast<off_t>(kLockBytes)) != 0) return;
  }
}

WriterLock::~WriterLock() { ::close(fd_); }

std::optional<std::string> lock_damage(const std::string& collection) {
  const int fd = ::open(lock_path(collection).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  const std::string text = read_lock(fd);
  ::close(fd);
  if (is_good_lock(text)) return std::nullopt;
  return "the text that names the writer fails its checksum; harmless, the next writer signs anew";
}

void write_acknowledged(const std::string& collection, std::uint64_t commit) noexcept {
  std::array<std::byte, kAckBytes> data{};
  std::memcpy(data.data(), kAckMagic.data(), kAckMagic.size());
  std::memcpy(data.data() + 8, &commit, 8);
  const std::uint32_t crc = crc32c(std::span(data).first(16));
  std::memcpy(data.data() + 16, &crc, 4);
  // Written over in one piece, never cut: a reader sees the old number or the new one. A failure is no harm: this is evidence
  // only, the commit itself is safe, and an older number accuses nobody.
  const int fd = ::open(ack_path(collection).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return;
  [[maybe_unused]] const ssize_t written = ::pwrite(fd, data.data(), data.size(), 0);
  ::close(fd);
}

std::uint64_t read_acknowledged(const std::string& collection) {
  const std::string data = read_ack(collection);
  if (data.size() != kAckBytes) return 0;
  std::uint64_t commit = 0;
  std::uint32_t crc = 0, zero = 0;
  std::memcpy(&commit, data.data() + 8, 8);
  std::memcpy(&crc, data.data() + 16, 4);
  std::memcpy(&zero, data.data() + 20, 4);
  const bool good = data.starts_with(kAckMagic) && zero == 0 && crc == crc32c(std::as_bytes(std::span(data.data(), 16)));
  return good ? commit : 0;
}

std::optional<std::string> acknowledged_damage(const std::string& collection) {
  const std::string data = read_ack(collection);
  if (data.size() < kAckBytes || (data.size() == kAckBytes && read_acknowledged(collection) != 0)) return std::nullopt;
  return "the number of the newest acknowledged commit fails its checksum; the next commit writes it anew";
}

}  // namespace signet::store
