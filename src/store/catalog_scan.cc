#include "store/catalog_scan.h"

#include <sqlite3.h>

#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <set>
#include <thread>

#include "signet/base/error.h"
#include "store/checksum_vfs.h"

namespace signet::store {
namespace {

constexpr std::uint64_t kFrame = kWalFrameHeader + kPageSize;

class RawFile {
 public:
  RawFile(Catalog& catalog, int which) {
    sqlite3_file_control(catalog.database().raw(), "main", which, &file_);
    if (file_ != nullptr && file_->pMethods == nullptr) file_ = nullptr;  // a log that is not open
  }
  explicit operator bool() const noexcept { return file_ != nullptr; }
  std::uint64_t size() const {
    sqlite3_int64 bytes = 0;
    return file_->pMethods->xFileSize(file_, &bytes) == SQLITE_OK ? static_cast<std::uint64_t>(bytes) : 0;
  }
  bool read(std::span<std::byte> out, std::uint64_t offset) const {
    return file_->pMethods->xRead(file_, out.data(), static_cast<int>(out.size()), static_cast<sqlite3_int64>(offset)) ==
           SQLITE_OK;
  }
  // How many frames of the log are in force, and how many of those are in the database file already, as the shared index says
  // (SQLite's wal-index: mxFrame at byte 16, nBackfill at byte 96); nothing where it cannot be read.
  struct Frames {
    std::uint32_t in_force = 0, copied = 0;
  };
  std::optional<Frames> frames() const {
    void volatile* region = nullptr;
    constexpr int kRegion = 32768;
    if (file_->pMethods->iVersion < 2 || file_->pMethods->xShmMap(file_, 0, kRegion, 0, &region) != SQLITE_OK ||
        region == nullptr) {
      return std::nullopt;
    }
    const volatile auto* bytes = static_cast<const volatile std::byte*>(region);
    const auto number = [&](int at) {
      std::uint32_t value = 0;
      for (int i = 3; i >= 0; --i) value = (value << 8) | std::to_integer<std::uint32_t>(std::byte{bytes[at + i]});
      return value;
    };
    return Frames{number(16), number(96)};
  }

 private:
  sqlite3_file* file_ = nullptr;
};

// A checkpoint may be writing the very page: what is damage fails every time.
bool page_fails(const RawFile& file, std::uint64_t index) {
  std::array<std::byte, kPageSize> page;
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    if (file.read(page, index * kPageSize) && page_is_good(page, static_cast<std::uint32_t>(index + 1))) return false;
  }
  return true;
}

// superseded: pages whose newest content is in the log only. The file's copy is no part of the state: a checkpoint that was cut
// off may have left it torn, and the next one writes it anew.
void scan_pages(const RawFile& file, const std::set<std::uint32_t>& superseded, CatalogScan& scan) {
  const std::uint64_t size = file.size();
  scan.bytes += size;
  if (size % kPageSize != 0 && superseded.empty()) {
    scan.file.push_back(concat("the file has ", size, " bytes, which is not a multiple of ", kPageSize));
  }
  for (std::uint64_t i = 0; i < size / kPageSize; ++i) {
    if (!superseded.contains(static_cast<std::uint32_t>(i + 1)) && page_fails(file, i)) {
      scan.file.push_back(
          concat("page ", i + 1, " (bytes ", i * kPageSize, " to ", (i + 1) * kPageSize - 1, "): checksum fails"));
    }
  }
}

struct LogHeader {
  std::array<std::byte, kWalHeader> bytes{};
  bool good = false, big_endian = false;
  WalSum sum;
};

LogHeader read_log_header(const RawFile& log) {
  LogHeader header;
  if (!log.read(header.bytes, 0)) return header;
  const std::uint32_t magic = big32(header.bytes.data());
  header.big_endian = magic & 1;
  header.sum = wal_sum(std::span(header.bytes).first(24), {}, header.big_endian);
  header.good = (magic == 0x377f0682 || magic == 0x377f0683) &&
                header.sum == WalSum{big32(header.bytes.data() + 24), big32(header.bytes.data() + 28)};
  return header;
}

// Checks the frames that are in force. What lies behind them with the log's salt is what a commit left that was cut off, unless
// it holds a whole commit: then recovery has stopped before it, which only damage explains.
void scan_frames(const RawFile& log, std::uint64_t size, RawFile::Frames frames, std::vector<std::string>& damage,
                 std::set<std::uint32_t>& superseded) {
  const LogHeader header = read_log_header(log);
  if (!header.good) {
    damage.push_back("header (bytes 0 to 31): checksum fails");
    return;
  }
  WalSum sum = header.sum;
  std::vector<std::byte> frame(kFrame);
  bool chained = true;
  for (std::uint64_t i = 0; kWalHeader + (i + 1) * kFrame <= size; ++i) {
    const std::uint64_t at = kWalHeader + i * kFrame;
    if (!log.read(frame, at)) {
      damage.push_back(concat("frame ", i + 1, " (byte ", at, "): cannot be read"));
      return;
    }
    const bool salted = std::memcmp(frame.data() + 8, header.bytes.data() + 16, 8) == 0;
    sum = wal_sum(std::span(frame).first(8), sum, header.big_endian);
    sum = wal_sum(std::span(frame).subspan(kWalFrameHeader), sum, header.big_endian);
    chained = chained && salted && sum == WalSum{big32(frame.data() + 16), big32(frame.data() + 20)};
    const bool commit = big32(frame.data() + 4) != 0;
    if (i >= frames.copied && i < frames.in_force) superseded.insert(big32(frame.data()));
    if (i < frames.in_force ? !chained : salted && commit && !chained) {
      damage.push_back(concat("frame ", i + 1, " (bytes ", at, " to ", at + kFrame - 1, ") or one before it: checksum fails"));
      return;
    }
  }
}

// Returns the pages whose newest content is in the log only.
std::set<std::uint32_t> scan_log(const RawFile& database, const RawFile& log, CatalogScan& scan) {
  std::set<std::uint32_t> superseded;
  // A writer may start the log anew while it is read: what is damage is there every time.
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const std::uint64_t size = log.size();
    const auto frames = database.frames().value_or(RawFile::Frames{});
    scan.log.clear();
    superseded.clear();
    if (size >= kWalHeader + kFrame || frames.in_force > 0) scan_frames(log, size, frames, scan.log, superseded);
    if (attempt == 0) scan.bytes += size;
    if (scan.log.empty()) break;
  }
  return superseded;
}

}  // namespace

CatalogScan scan_catalog(Catalog& catalog) {
  CatalogScan scan;
  const RawFile database(catalog, SQLITE_FCNTL_FILE_POINTER);
  if (!database) {
    scan.file.push_back("the file cannot be read");
    return scan;
  }
  const RawFile log(catalog, SQLITE_FCNTL_JOURNAL_POINTER);
  std::set<std::uint32_t> superseded;
  if (log) superseded = scan_log(database, log, scan);
  scan_pages(database, superseded, scan);
  return scan;
}

}  // namespace signet::store
