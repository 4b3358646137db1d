#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "signet/base/file_system.h"

namespace signet::store {

// The writer lock of a collection (docs/format/collection.md): held from construction to destruction, released by the kernel
// however the process ends.
class WriterLock {
 public:
  // Throws kBusy naming process, host and start of the holder, kIo where the file cannot be made or written.
  explicit WriterLock(const std::string& collection);
  ~WriterLock();
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  int fd_ = -1;
};

// What is wrong with the text of the lock file, or nothing. A file of zeros or none at all is fine.
std::optional<std::string> lock_damage(const std::string& collection);

// The evidence of the newest acknowledged commit. Written without a sync: it may lag behind, never run ahead.
void write_acknowledged(const std::string& collection, std::uint64_t commit) noexcept;
// 0 where there is no evidence (no file, a file of another length, a failing checksum).
std::uint64_t read_acknowledged(const std::string& collection);
std::optional<std::string> acknowledged_damage(const std::string& collection);

}  // namespace signet::store
