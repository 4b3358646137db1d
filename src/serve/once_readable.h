#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/test_files.h"
#include "signet/base/error.h"

namespace signet {

// For tests of serve: the real files, each of which can be mapped once while set: the writer reads back what it has written, and
// nobody after it.
class OnceReadable final : public ForwardingFiles {
 public:
  void set(bool is) {
    const std::lock_guard lock(mutex_);
    set_ = is;
    mapped_.clear();
  }
  std::unique_ptr<MappedFile> map(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (set_ && !mapped_.insert(path).second) fail(ErrorCode::kIo, path, " cannot be read again");
    return ForwardingFiles::map(path);
  }

 private:
  std::mutex mutex_;
  bool set_ = false;
  std::set<std::string> mapped_;
};

}  // namespace signet
