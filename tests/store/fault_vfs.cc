#include "fault_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <vector>

#include "signet/base/random.h"

namespace signet {
namespace {

using Content = std::vector<char>;

Content read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_all(const std::string& path, const Content& content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
}

struct Change {
  std::int64_t offset;  // of a write, or the new size where `data` is empty
  Content data;
};

struct Tracked {
  bool exists_durably = false;
  bool deleted = false;
  Content durable;
  std::vector<Change> pending;  // since the last sync
};

void apply(Content& content, const Change& change) {
  const auto at = static_cast<std::size_t>(change.offset);
  if (change.data.empty()) {
    content.resize(at);
    return;
  }
  if (content.size() < at + change.data.size()) content.resize(at + change.data.size());
  std::copy(change.data.begin(), change.data.end(), content.begin() + static_cast<std::ptrdiff_t>(at));
}

struct FaultFile {
  sqlite3_file base;
  FaultVfs::State* state;
  Tracked* tracked;  // null: a file whose loss does not matter (temporary)
};
constexpr std::size_t kOffset = (sizeof(FaultFile) + 15) / 16 * 16;
sqlite3_file* real(sqlite3_file* f) { return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(f) + kOffset); }
FaultFile* self(sqlite3_file* f) { return reinterpret_cast<FaultFile*>(f); }

}  // namespace

struct FaultVfs::State {
  std::string name;
  sqlite3_vfs vfs{};
  sqlite3_vfs* below = nullptr;
  std::mutex mutex;
  std::map<std::string, Tracked> files;
  std::uint64_t operations = 0, fail_at = 0;
  Kind kind = Kind::kIoError;
  bool persistent = false, hit = false, dead = false;
  std::function<void()> on_cut;

  // Counts an operation. SQLITE_OK where it may go on.
  int step(int error) {
    std::function<void()> then;
    {
      const std::lock_guard lock(mutex);
      ++operations;
      if (dead) return error;
      const bool now = fail_at != 0 && (operations == fail_at || (persistent && operations > fail_at));
      if (!now) return SQLITE_OK;
      hit = true;
      if (kind == Kind::kPowerLoss) {
        dead = true;
        then = on_cut;
      }
    }
    if (then) then();
    return kind == Kind::kNoSpace ? SQLITE_FULL : error;
  }
};

namespace {

FaultVfs::State* state_of(sqlite3_vfs* v) { return static_cast<FaultVfs::State*>(v->pAppData); }
sqlite3_vfs* below(sqlite3_vfs* v) { return state_of(v)->below; }

int x_close(sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); }
int x_read(sqlite3_file* f, void* p, int n, sqlite3_int64 o) { return real(f)->pMethods->xRead(real(f), p, n, o); }

int x_write(sqlite3_file* f, const void* data, int n, sqlite3_int64 offset) {
  FaultVfs::State* state = self(f)->state;
  const int rc = state->step(SQLITE_IOERR_WRITE);
  int amount = n;
  if (rc != SQLITE_OK) {
    const std::lock_guard lock(state->mutex);
    amount = state->dead && !state->hit ? 0 : n / 2;  // the failing write itself gets half-way
    if (state->dead && state->operations != state->fail_at) amount = 0;
  }
  if (amount > 0) {
    const int written = real(f)->pMethods->xWrite(real(f), data, amount, offset);
    if (written != SQLITE_OK) return written;
    const std::lock_guard lock(state->mutex);
    const char* bytes = static_cast<const char*>(data);
    if (self(f)->tracked != nullptr) self(f)->tracked->pending.push_back({offset, Content(bytes, bytes + amount)});
  }
  return rc;
}

int x_truncate(sqlite3_file* f, sqlite3_int64 size) {
  FaultVfs::State* state = self(f)->state;
  if (const int rc = state->step(SQLITE_IOERR_TRUNCATE); rc != SQLITE_OK) return rc;
  const int rc = real(f)->pMethods->xTruncate(real(f), size);
  const std::lock_guard lock(state->mutex);
  if (rc == SQLITE_OK && self(f)->tracked != nullptr) self(f)->tracked->pending.push_back({size, {}});
  return rc;
}

// Not passed on: what is synced is what this VFS remembers, and real disks only make tests slow.
int x_sync(sqlite3_file* f, int) {
  FaultVfs::State* state = self(f)->state;
  if (const int rc = state->step(SQLITE_IOERR_FSYNC); rc != SQLITE_OK) {
    return rc == SQLITE_FULL ? SQLITE_IOERR_FSYNC : rc;
  }
  const std::lock_guard lock(state->mutex);
  if (Tracked* tracked = self(f)->tracked; tracked != nullptr) {
    for (const Change& change : tracked->pending) apply(tracked->durable, change);
    tracked->pending.clear();
    tracked->exists_durably = true;
  }
  return SQLITE_OK;
}

int x_size(sqlite3_file* f, sqlite3_int64* n) { return real(f)->pMethods->xFileSize(real(f), n); }
int x_lock(sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); }
int x_unlock(sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
int x_reserved(sqlite3_file* f, int* out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); }
int x_control(sqlite3_file* f, int op, void* arg) {
  // A size hint would change the file behind our back.
  return op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_MMAP_SIZE ? SQLITE_NOTFOUND
                                                                      : real(f)->pMethods->xFileControl(real(f), op, arg);
}
int x_sector(sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); }
int x_device(sqlite3_file*) { return 0; }  // promises nothing
int x_shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
  return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}
int x_shm_lock(sqlite3_file* f, int offset, int n, int flags) { return real(f)->pMethods->xShmLock(real(f), offset, n, flags); }
void x_shm_barrier(sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); }
int x_shm_unmap(sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); }

constexpr sqlite3_io_methods kMethods = {2,          x_close,       x_read,      x_write,   x_truncate, x_sync,   x_size,
                                         x_lock,     x_unlock,      x_reserved,  x_control, x_sector,   x_device, x_shm_map,
                                         x_shm_lock, x_shm_barrier, x_shm_unmap, nullptr,   nullptr};

int x_open(sqlite3_vfs* v, const char* name, sqlite3_file* f, int flags, int* out) {
  FaultVfs::State* state = state_of(v);
  f->pMethods = nullptr;
  real(f)->pMethods = nullptr;
  const bool matters = name != nullptr && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
  const bool there = name != nullptr && std::filesystem::exists(name);
  if (!there && matters && (flags & SQLITE_OPEN_CREATE) != 0) {
    if (const int rc = state->step(SQLITE_CANTOPEN); rc != SQLITE_OK) return rc;
  }
  const int rc = below(v)->xOpen(below(v), name, real(f), flags, out);
  if (real(f)->pMethods == nullptr) return rc;
  f->pMethods = &kMethods;
  self(f)->state = state;
  self(f)->tracked = nullptr;
  if (matters) {
    const std::lock_guard lock(state->mutex);
    const auto [entry, fresh] = state->files.try_emplace(name);
    if (fresh && there) {  // what was there before this VFS saw it is durable
      entry->second.durable = read_all(name);
      entry->second.exists_durably = true;
    }
    entry->second.deleted = false;
    self(f)->tracked = &entry->second;
  }
  return rc;
}

int x_delete(sqlite3_vfs* v, const char* name, int sync) {
  FaultVfs::State* state = state_of(v);
  if (const int rc = state->step(SQLITE_IOERR_DELETE); rc != SQLITE_OK) return rc;
  const int rc = below(v)->xDelete(below(v), name, 0);
  const std::lock_guard lock(state->mutex);
  if (const auto it = state->files.find(name); rc == SQLITE_OK && it != state->files.end()) {
    it->second.deleted = true;
    if (sync != 0) it->second.exists_durably = false;
    it->second.pending.clear();
    if (!it->second.exists_durably) it->second.durable.clear();
  }
  return rc;
}

int x_access(sqlite3_vfs* v, const char* name, int flags, int* out) { return below(v)->xAccess(below(v), name, flags, out); }
int x_path(sqlite3_vfs* v, const char* name, int n, char* out) { return below(v)->xFullPathname(below(v), name, n, out); }
int x_random(sqlite3_vfs* v, int n, char* out) { return below(v)->xRandomness(below(v), n, out); }
int x_sleep(sqlite3_vfs* v, int us) { return below(v)->xSleep(below(v), us); }
int x_time(sqlite3_vfs* v, double* out) { return below(v)->xCurrentTime(below(v), out); }
int x_error(sqlite3_vfs* v, int n, char* out) { return below(v)->xGetLastError(below(v), n, out); }
int x_time64(sqlite3_vfs* v, sqlite3_int64* out) { return below(v)->xCurrentTimeInt64(below(v), out); }

}  // namespace

FaultVfs::FaultVfs() : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.below = sqlite3_vfs_find(nullptr);
  s.name = "fault-" + std::to_string(reinterpret_cast<std::uintptr_t>(state_.get()));
  s.vfs.iVersion = 2;
  s.vfs.szOsFile = static_cast<int>(kOffset) + s.below->szOsFile;
  s.vfs.mxPathname = s.below->mxPathname;
  s.vfs.zName = s.name.c_str();
  s.vfs.pAppData = state_.get();
  s.vfs.xOpen = x_open;
  s.vfs.xDelete = x_delete;
  s.vfs.xAccess = x_access;
  s.vfs.xFullPathname = x_path;
  s.vfs.xRandomness = x_random;
  s.vfs.xSleep = x_sleep;
  s.vfs.xCurrentTime = x_time;
  s.vfs.xGetLastError = x_error;
  s.vfs.xCurrentTimeInt64 = x_time64;
  sqlite3_vfs_register(&s.vfs, 0);
}

FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(&state_->vfs); }

const std::string& FaultVfs::name() const { return state_->name; }
std::uint64_t FaultVfs::operations() const { return state_->operations; }
bool FaultVfs::hit() const { return state_->hit; }
void FaultVfs::persistent(bool on) { state_->persistent = on; }
void FaultVfs::on_cut(std::function<void()> then) { state_->on_cut = std::move(then); }
void FaultVfs::cut_power() { state_->dead = true; }

void FaultVfs::fail_at(std::uint64_t operation, Kind kind) {
  state_->fail_at = operation;
  state_->kind = kind;
  state_->hit = false;
}

void FaultVfs::lose_power(std::uint64_t seed) {
  State& s = *state_;
  Random random(seed);
  for (auto& [path, file] : s.files) {
    Content content = file.durable;
    for (const Change& change : file.pending) {
      if (seed != 0 && random.below(2) == 0) apply(content, change);
    }
    const bool back = file.deleted && file.exists_durably && (seed == 0 || random.below(2) == 0);
    const bool stays = file.deleted ? back : file.exists_durably || seed != 0;
    std::filesystem::remove(path + "-shm");
    if (stays) {
      write_all(path, content);
    } else {
      std::filesystem::remove(path);
    }
  }
  s.files.clear();
  s.dead = s.hit = s.persistent = false;
  s.fail_at = 0;
}

}  // namespace signet
