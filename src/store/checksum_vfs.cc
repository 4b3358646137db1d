#include "store/checksum_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "signet/base/crc32c.h"
#include "signet/base/error.h"

namespace signet::store {
namespace {

enum class Role { kDatabase, kLog, kOther };

// What SQLite sees as a file: our methods, followed in memory by the file of the VFS underneath.
struct CheckedFile {
  sqlite3_file base;
  Role role;
  bool lenient;
};
constexpr std::size_t kFileOffset = (sizeof(CheckedFile) + 15) / 16 * 16;

CheckedFile* self(sqlite3_file* file) { return reinterpret_cast<CheckedFile*>(file); }
sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + kFileOffset); }
sqlite3_vfs* under(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

bool is_page(int amount, sqlite3_int64 offset) {
  return amount == static_cast<int>(kPageSize) && offset % static_cast<int>(kPageSize) == 0;
}
constexpr sqlite3_int64 kFrameSize = sqlite3_int64{kWalFrameHeader} + sqlite3_int64{kPageSize};
bool is_frame_body(int amount, sqlite3_int64 offset) {
  const auto at = offset - static_cast<sqlite3_int64>(kWalHeader);
  return amount == static_cast<int>(kPageSize) && at >= 0 && at % kFrameSize == static_cast<sqlite3_int64>(kWalFrameHeader);
}

// A frame's checksum continues that of the frame before it (or the log's header), so two small reads are enough to check one
// frame. While a reader may read a frame, neither it nor the one before it changes: the log is only reset when nobody reads from
// it, and the writer never rewrites frames because it runs with cache_spill off.
int check_frame(sqlite3_file* log, const void* body, sqlite3_int64 offset) {
  std::array<std::byte, kWalFrameHeader> header;
  std::array<std::byte, 8> before;
  std::array<std::byte, 4> magic;
  const sqlite3_int64 start = offset - static_cast<sqlite3_int64>(kWalFrameHeader);
  const sqlite3_int64 previous = start == static_cast<sqlite3_int64>(kWalHeader) ? 24 : start - kFrameSize + 16;
  int rc = log->pMethods->xRead(log, magic.data(), 4, 0);
  if (rc == SQLITE_OK) rc = log->pMethods->xRead(log, before.data(), 8, previous);
  if (rc == SQLITE_OK) rc = log->pMethods->xRead(log, header.data(), static_cast<int>(header.size()), start);
  if (rc != SQLITE_OK) return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_IOERR_DATA : rc;
  const bool big_endian = big32(magic.data()) & 1;
  WalSum sum{big32(before.data()), big32(before.data() + 4)};
  sum = wal_sum(std::span(header).first(8), sum, big_endian);
  sum = wal_sum({static_cast<const std::byte*>(body), kPageSize}, sum, big_endian);
  return sum == WalSum{big32(header.data() + 16), big32(header.data() + 20)} ? SQLITE_OK : SQLITE_IOERR_DATA;
}

int x_close(sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); }

int x_read(sqlite3_file* f, void* data, int amount, sqlite3_int64 offset) {
  const int rc = real(f)->pMethods->xRead(real(f), data, amount, offset);
  if (rc != SQLITE_OK || self(f)->lenient) return rc;
  if (self(f)->role == Role::kDatabase) {
    // SQLite reads a page, or a few bytes of the header; a page of another size means that the header's size field is damaged.
    if (!is_page(amount, offset)) return amount >= 512 ? SQLITE_IOERR_DATA : rc;
    const auto number = static_cast<std::uint32_t>(offset / static_cast<int>(kPageSize)) + 1;
    return page_is_good({static_cast<const std::byte*>(data), kPageSize}, number) ? SQLITE_OK : SQLITE_IOERR_DATA;
  }
  if (self(f)->role == Role::kLog && is_frame_body(amount, offset)) return check_frame(real(f), data, offset);
  return rc;
}

int x_write(sqlite3_file* f, const void* data, int amount, sqlite3_int64 offset) {
  if (self(f)->role != Role::kDatabase || !is_page(amount, offset))
    return real(f)->pMethods->xWrite(real(f), data, amount, offset);
  std::array<std::byte, kPageSize> page;
  std::memcpy(page.data(), data, kPageSize);
  const std::uint32_t crc = page_crc(page, static_cast<std::uint32_t>(offset / static_cast<int>(kPageSize)) + 1);
  std::memset(page.data() + kPageSize - kPageReserved, 0, kPageReserved);
  std::memcpy(page.data() + kPageSize - kPageReserved, &crc, sizeof crc);
  return real(f)->pMethods->xWrite(real(f), page.data(), amount, offset);
}

int x_truncate(sqlite3_file* f, sqlite3_int64 size) { return real(f)->pMethods->xTruncate(real(f), size); }
int x_sync(sqlite3_file* f, int flags) { return real(f)->pMethods->xSync(real(f), flags); }
int x_file_size(sqlite3_file* f, sqlite3_int64* size) { return real(f)->pMethods->xFileSize(real(f), size); }
int x_lock(sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); }
int x_unlock(sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
int x_check_lock(sqlite3_file* f, int* out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); }
int x_file_control(sqlite3_file* f, int op, void* arg) {
  // Mapped reads would go past the checks.
  return op == SQLITE_FCNTL_MMAP_SIZE ? SQLITE_NOTFOUND : real(f)->pMethods->xFileControl(real(f), op, arg);
}
int x_sector_size(sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); }
int x_device(sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
int x_shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
  return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}
int x_shm_lock(sqlite3_file* f, int offset, int n, int flags) { return real(f)->pMethods->xShmLock(real(f), offset, n, flags); }
void x_shm_barrier(sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); }
int x_shm_unmap(sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); }

constexpr sqlite3_io_methods kMethods = {2,           x_close,   x_read,     x_write,       x_truncate,     x_sync,
                                         x_file_size, x_lock,    x_unlock,   x_check_lock,  x_file_control, x_sector_size,
                                         x_device,    x_shm_map, x_shm_lock, x_shm_barrier, x_shm_unmap,    nullptr,
                                         nullptr};

int x_open(sqlite3_vfs* vfs, const char* name, sqlite3_file* f, int flags, int* out_flags) {
  f->pMethods = nullptr;
  self(f)->role = flags & SQLITE_OPEN_MAIN_DB ? Role::kDatabase : flags & SQLITE_OPEN_WAL ? Role::kLog : Role::kOther;
  self(f)->lenient = self(f)->role != Role::kOther && name != nullptr && sqlite3_uri_boolean(name, kLenientParameter, 0) != 0;
  real(f)->pMethods = nullptr;
  const int rc = under(vfs)->xOpen(under(vfs), name, real(f), flags, out_flags);
  if (real(f)->pMethods != nullptr) f->pMethods = &kMethods;
  return rc;
}

int x_delete(sqlite3_vfs* v, const char* name, int sync) { return under(v)->xDelete(under(v), name, sync); }
int x_access(sqlite3_vfs* v, const char* name, int flags, int* out) { return under(v)->xAccess(under(v), name, flags, out); }
int x_full_path(sqlite3_vfs* v, const char* name, int n, char* out) { return under(v)->xFullPathname(under(v), name, n, out); }
int x_random(sqlite3_vfs* v, int n, char* out) { return under(v)->xRandomness(under(v), n, out); }
int x_sleep(sqlite3_vfs* v, int us) { return under(v)->xSleep(under(v), us); }
int x_time(sqlite3_vfs* v, double* out) { return under(v)->xCurrentTime(under(v), out); }
int x_last_error(sqlite3_vfs* v, int n, char* out) { return under(v)->xGetLastError(under(v), n, out); }
int x_time64(sqlite3_vfs* v, sqlite3_int64* out) { return under(v)->xCurrentTimeInt64(under(v), out); }

struct NamedVfs {
  std::string name;
  sqlite3_vfs vfs{};
};

}  // namespace

std::string checksum_vfs(const std::string& base) {
  static std::mutex mutex;  // SQLite's own list is guarded, looking and adding together is not
  const std::lock_guard lock(mutex);
  sqlite3_vfs* below = sqlite3_vfs_find(base.empty() ? nullptr : base.c_str());
  if (below == nullptr) fail(ErrorCode::kInvalidArgument, "no SQLite VFS is named \"", base, "\"");
  std::string name = concat("signet-", base.empty() ? "default" : below->zName);
  // A VFS of tests may have been unregistered and another registered under its name: the one below must be the one found now.
  if (const sqlite3_vfs* known = sqlite3_vfs_find(name.c_str()); known != nullptr && known->pAppData == below) return name;
  auto entry = std::make_unique<NamedVfs>();
  entry->name = name;
  sqlite3_vfs& vfs = entry->vfs;
  vfs.iVersion = 2;
  vfs.szOsFile = static_cast<int>(kFileOffset) + below->szOsFile;
  vfs.mxPathname = below->mxPathname;
  vfs.zName = entry->name.c_str();
  vfs.pAppData = below;
  vfs.xOpen = x_open;
  vfs.xDelete = x_delete;
  vfs.xAccess = x_access;
  vfs.xFullPathname = x_full_path;
  vfs.xRandomness = x_random;
  vfs.xSleep = x_sleep;
  vfs.xCurrentTime = x_time;
  vfs.xGetLastError = x_last_error;
  vfs.xCurrentTimeInt64 = x_time64;
  if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) fail(ErrorCode::kInternal, "SQLite refuses to register the VFS ", name);
  static std::vector<std::unique_ptr<NamedVfs>> registered;  // SQLite keeps the pointer for the life of the process
  registered.push_back(std::move(entry));
  return name;
}

std::uint32_t page_crc(std::span<const std::byte> page, std::uint32_t number) noexcept {
  std::array<std::byte, 4> prefix;
  for (std::size_t i = 0; i < 4; ++i) prefix[i] = static_cast<std::byte>(number >> (8 * i));
  return crc32c(page.first(kPageSize - kPageReserved), crc32c(prefix));
}

bool page_is_good(std::span<const std::byte> page, std::uint32_t number) noexcept {
  std::uint64_t stored = 0;
  std::memcpy(&stored, page.data() + kPageSize - kPageReserved, kPageReserved);
  if (stored == page_crc(page, number)) return true;
  return std::all_of(page.begin(), page.end(), [](std::byte b) { return b == std::byte{0}; });
}

std::uint32_t big32(const std::byte* p) noexcept {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = (value << 8) | std::to_integer<std::uint32_t>(p[i]);
  return value;
}

WalSum wal_sum(std::span<const std::byte> data, WalSum sum, bool big_endian) noexcept {
  for (std::size_t i = 0; i + 8 <= data.size(); i += 8) {
    std::uint32_t a = big32(data.data() + i), b = big32(data.data() + i + 4);
    if (!big_endian) {
      a = __builtin_bswap32(a);
      b = __builtin_bswap32(b);
    }
    sum.s0 += a + sum.s1;
    sum.s1 += b + sum.s0;
  }
  return sum;
}

}  // namespace signet::store
