#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "signet/base/error.h"
#include "signet/base/file_system.h"

namespace signet {

// For tests of serve: the real files, each of which can be mapped once while set: the writer reads back what it has written, and
// nobody after it.
class OnceReadable final : public FileSystem {
 public:
  void set(bool is) {
    const std::lock_guard lock(mutex_);
    set_ = is;
    mapped_.clear();
  }
  std::unique_ptr<MappedFile> map(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (set_ && !mapped_.insert(path).second) fail(ErrorCode::kIo, path, " cannot be read again");
    return files_.map(path);
  }
  std::unique_ptr<ReadableFile> open(const std::string& path) override { return files_.open(path); }
  std::unique_ptr<WritableFile> create(const std::string& path) override { return files_.create(path); }
  void rename(const std::string& from, const std::string& to) override { files_.rename(from, to); }
  bool rename_new(const std::string& from, const std::string& to) override { return files_.rename_new(from, to); }
  void remove(const std::string& path) override { files_.remove(path); }
  void create_directory(const std::string& path) override { files_.create_directory(path); }
  void sync_directory(const std::string& path) override { files_.sync_directory(path); }
  bool exists(const std::string& path) override { return files_.exists(path); }
  std::uint64_t size(const std::string& path) override { return files_.size(path); }
  std::vector<std::string> list(const std::string& path) override { return files_.list(path); }

 private:
  FileSystem& files_ = real_file_system();
  std::mutex mutex_;
  bool set_ = false;
  std::set<std::string> mapped_;
};

}  // namespace signet
