#include "store/sqlite.h"

#include <sqlite3.h>

#include <cerrno>
#include <limits>
#include <memory>
#include <new>
#include <utility>

#include "signet/base/error.h"
#include "store/checksum_vfs.h"

namespace signet::store {
namespace {

// file: URI of a path: what has a meaning in a URI is written in hex.
std::string uri_of(const std::string& path, Database::Mode mode, bool lenient) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '%' || c == '?' || c == '#' || byte < 0x21 || byte > 0x7e) {
      uri += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    } else {
      uri += c;
    }
  }
  char separator = '?';
  if (mode == Database::Mode::kImmutable) {
    uri += "?immutable=1";
    separator = '&';
  }
  if (lenient) uri += concat(separator, kLenientParameter, "=1");
  return uri;
}

ErrorCode code_of(int rc) {
  if (rc == SQLITE_IOERR_DATA || rc == SQLITE_IOERR_CORRUPTFS) return ErrorCode::kCorrupt;
  switch (rc & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      return ErrorCode::kCorrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kBusy;
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return ErrorCode::kIo;
    case SQLITE_TOOBIG:
      return ErrorCode::kInvalidArgument;
    default:
      return ErrorCode::kInternal;
  }
}

// A lack of memory is no Error: it would be taken for damage by those who look for that.
void check_memory(int rc) {
  if ((rc & 0xff) == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM) throw std::bad_alloc();
}

// Nor is a lack of descriptors, of this process or of the system, anything about the file; it passes.
void check_descriptors(int rc, sqlite3* db, const std::string& path) {
  if ((rc & 0xff) != SQLITE_CANTOPEN || db == nullptr) return;
  if (const int error = sqlite3_system_errno(db); error != EMFILE && error != ENFILE) return;
  fail(ErrorCode::kBusy, path,
       " cannot be opened, because too many files are open already; close some, or raise the limit (ulimit -n)");
}

}  // namespace

Database::Database(const std::string& path, Mode mode, const std::string& vfs, bool lenient) : path_(path) {
  int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  flags |= mode == Mode::kCreate  ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
           : mode == Mode::kWrite ? SQLITE_OPEN_READWRITE
                                  : SQLITE_OPEN_READONLY;
  const int rc = sqlite3_open_v2(uri_of(path, mode, lenient).c_str(), &db_, flags, checksum_vfs(vfs).c_str());
  if (rc != SQLITE_OK) {
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> failed(std::exchange(db_, nullptr), &sqlite3_close);
    check_memory(rc);
    check_descriptors(rc, failed.get(), path);
    fail(code_of(rc), path, " cannot be opened: ", failed ? sqlite3_errmsg(failed.get()) : sqlite3_errstr(rc));
  }
  sqlite3_busy_timeout(db_, kBusyMs);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);  // a damaged file must not run anything
  sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_limit(db_, SQLITE_LIMIT_LENGTH, 64 << 20);  // of one row: a damaged length does not allocate more
}

Database::~Database() { sqlite3_close(db_); }

void Database::raise(int code, const std::string& doing) const {
  check_memory(code);
  check_descriptors(code, db_, path_);
  const ErrorCode kind = code_of(code);
  if (code == SQLITE_IOERR_DATA)
    fail(kind, path_, ": the checksum of a page or log frame fails while ", doing, "; verify names the place");
  if (kind == ErrorCode::kCorrupt)
    fail(kind, path_, " is damaged (", sqlite3_errmsg(db_), ") while ", doing, "; verify names the place");
  if ((code & 0xff) == SQLITE_FULL) fail(kind, path_, ": the disk is full while ", doing, "; this step has changed nothing");
  if ((code & 0xff) == SQLITE_READONLY) fail(kind, path_, " cannot be written (read-only file, folder or disk) while ", doing);
  fail(kind, path_, ": ", sqlite3_errmsg(db_), " (SQLite code ", code, ") while ", doing);
}

void Database::run(const std::string& sql) {
  const int rc = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) raise(sqlite3_extended_errcode(db_), sql.substr(0, 60));
}

std::int64_t Database::number(const std::string& sql) {
  Statement statement(*this, sql.c_str());
  auto use = statement.use();
  return use.step() ? static_cast<std::int64_t>(use.number(0)) : 0;
}

std::string Database::text(const std::string& sql) {
  Statement statement(*this, sql.c_str());
  auto use = statement.use();
  return use.step() ? std::string(use.text(0)) : std::string();
}

Statement::~Statement() { sqlite3_finalize(stmt_); }

Statement::Use::Use(Statement& statement) : statement_(&statement) {
  if (statement.stmt_ != nullptr) return;
  const int rc =
      sqlite3_prepare_v3(statement.db_->raw(), statement.sql_, -1, SQLITE_PREPARE_PERSISTENT, &statement.stmt_, nullptr);
  if (rc != SQLITE_OK) statement.db_->raise(rc, concat("preparing ", std::string_view(statement.sql_).substr(0, 60)));
}

Statement::Use::~Use() {
  sqlite3_reset(statement_->stmt_);
  sqlite3_clear_bindings(statement_->stmt_);
}

Statement::Use& Statement::Use::bind(int index, std::uint64_t value) {
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    fail(ErrorCode::kInvalidArgument, "the number ", value, " is beyond what a catalog stores (2^63 - 1)");
  }
  const int rc = sqlite3_bind_int64(statement_->stmt_, index, static_cast<sqlite3_int64>(value));
  if (rc != SQLITE_OK) statement_->db_->raise(rc, "binding a number");
  return *this;
}

Statement::Use& Statement::Use::bind(int index, std::span<const std::byte> value) {
  const int rc = value.empty() ? sqlite3_bind_zeroblob(statement_->stmt_, index, 0)
                               : sqlite3_bind_blob64(statement_->stmt_, index, value.data(), value.size(), SQLITE_STATIC);
  if (rc != SQLITE_OK) statement_->db_->raise(rc, "binding bytes");
  return *this;
}

bool Statement::Use::step() {
  const int rc = sqlite3_step(statement_->stmt_);
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  statement_->db_->raise(rc, concat("running ", std::string_view(statement_->sql_).substr(0, 60)));
}

std::uint64_t Statement::Use::number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_->stmt_, column));
}

std::span<const std::byte> Statement::Use::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_->stmt_, column);
  const int size = sqlite3_column_bytes(statement_->stmt_, column);
  return {static_cast<const std::byte*>(data), data == nullptr ? 0 : static_cast<std::size_t>(size)};
}

std::string_view Statement::Use::text(int column) const {
  const auto data = bytes(column);
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

}  // namespace signet::store
