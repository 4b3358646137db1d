#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "signet/base/error.h"
#include "signet/base/file_system.h"

// For tests and fuzz targets: a file system whose files are what its owner put there, read-only and in memory. Byte-flip sweeps
// and fuzzing open thousands of files a second without touching a disk.
namespace signet {

class MemoryFiles final : public FileSystem {
 public:
  MemoryFiles() = default;
  MemoryFiles(const std::string& path, std::span<const std::byte> content) { put(path, content); }

  void put(const std::string& path, std::span<const std::byte> content) {
    for (auto& [name, bytes] : files_) {
      if (name == path) {
        bytes = std::make_shared<const Bytes>(content.begin(), content.end());
        return;
      }
    }
    files_.emplace_back(path, std::make_shared<const Bytes>(content.begin(), content.end()));
  }

  std::unique_ptr<MappedFile> map(const std::string& path) override { return std::make_unique<File>(find(path)); }
  std::uint64_t size(const std::string& path) override { return find(path)->size(); }
  bool exists(const std::string& path) override {
    return std::any_of(files_.begin(), files_.end(), [&path](const auto& file) { return file.first == path; });
  }
  std::vector<std::string> list(const std::string& path) override {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : files_) {
      if (parent_path(name) == path) names.push_back(file_name(name));
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::unique_ptr<WritableFile> create(const std::string& path) override { read_only(path); }
  void rename(const std::string& from, const std::string&) override { read_only(from); }
  void remove(const std::string& path) override { read_only(path); }
  void create_directory(const std::string& path) override { read_only(path); }
  void sync_directory(const std::string& path) override { read_only(path); }

 private:
  using Bytes = std::vector<std::byte>;
  class File final : public MappedFile {
   public:
    explicit File(std::shared_ptr<const Bytes> bytes) : bytes_(std::move(bytes)) {}
    std::span<const std::byte> data() const noexcept override { return *bytes_; }

   private:
    std::shared_ptr<const Bytes> bytes_;
  };

  std::shared_ptr<const Bytes> find(const std::string& path) const {
    for (const auto& [name, bytes] : files_) {
      if (name == path) return bytes;
    }
    fail(ErrorCode::kNotFound, "cannot open ", path, ": it is not among the files in memory");
  }
  [[noreturn]] static void read_only(const std::string& path) {
    fail(ErrorCode::kIo, "cannot write ", path, ": files in memory");
  }

  std::vector<std::pair<std::string, std::shared_ptr<const Bytes>>> files_;
};

}  // namespace signet
