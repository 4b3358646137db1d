#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "store/blob.h"

struct sqlite3;
struct sqlite3_stmt;

namespace signet::store {

inline constexpr int kBusyMs = 10'000;  // how long a statement waits for what another connection holds

// The door to SQLite: two small owners, and every error turned into signet::Error naming the file. Not thread-safe.
class Database {
 public:
  enum class Mode { kRead, kImmutable, kWrite, kCreate };
  // vfs: the VFS under the page checksums, "" the system's. lenient: bad checksums are let through.
  Database(const std::string& path, Mode mode, const std::string& vfs, bool lenient = false);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const std::string& sql);             // one or more statements without rows of interest
  std::int64_t number(const std::string& sql);  // the first column of the first row; 0 where there is none
  std::string text(const std::string& sql);
  sqlite3* raw() const noexcept { return db_; }
  const std::string& path() const noexcept { return path_; }
  [[noreturn]] void raise(int code, const std::string& doing) const;

 private:
  std::string path_;
  sqlite3* db_ = nullptr;
};

// A prepared statement, prepared at its first use and used again. The end of a use resets it and clears what was bound.
class Statement {
 public:
  Statement(Database& db, const char* sql) : db_(&db), sql_(sql) {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // A use of the statement: bind, step, read columns; the destructor resets it, so that no row is left open behind an exception.
  class Use {
   public:
    explicit Use(Statement& statement);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    Use& bind(int index, std::uint64_t value);               // indices count from 1; throws kInvalidArgument beyond 2^63 - 1
    Use& bind(int index, std::span<const std::byte> value);  // borrowed until the end of the use
    Use& bind(int index, std::string_view value) { return bind(index, std::as_bytes(std::span(value.data(), value.size()))); }
    bool step();  // true: there is a row
    void run() {
      while (step()) {
      }
    }
    std::uint64_t number(int column) const;              // columns count from 0
    std::span<const std::byte> bytes(int column) const;  // valid until the next step
    std::string_view text(int column) const;

   private:
    Statement* statement_;
  };
  Use use() { return Use(*this); }

 private:
  Database* db_;
  const char* sql_;
  sqlite3_stmt* stmt_ = nullptr;
};

}  // namespace signet::store
