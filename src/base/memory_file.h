#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "signet/base/error.h"
#include "signet/base/file_system.h"

// For tests and fuzz targets: a file system in memory. Byte-flip sweeps, fuzzing and sweeps over every fault (a FaultFileSystem
// above it) open and sync thousands of files a second without a disk.
namespace signet {

class MemoryFiles final : public FileSystem {
 public:
  MemoryFiles() = default;
  MemoryFiles(const std::string& path, std::span<const std::byte> content) { put(path, content); }

  // Makes or replaces a file, and the folders above it.
  void put(const std::string& path, std::span<const std::byte> content) {
    create_directory(parent_path(path));
    const std::lock_guard lock(mutex_);
    files_[path] = std::make_shared<Bytes>(content.begin(), content.end());
  }

  std::unique_ptr<WritableFile> create(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (!is_folder(parent_path(path))) missing(path);
    if (folders_.contains(path)) fail(ErrorCode::kIo, "cannot create ", path, ": it is a folder");
    return std::make_unique<Writer>(files_[path] = std::make_shared<Bytes>());
  }
  std::unique_ptr<ReadableFile> open(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    return std::make_unique<Reading>(*find(path));
  }
  std::unique_ptr<MappedFile> map(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    return std::make_unique<Mapping>(*find(path));
  }
  void rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    rename_locked(from, to);
  }
  bool rename_new(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    if (files_.contains(to) || is_folder(to)) return false;
    rename_locked(from, to);
    return true;
  }
  void remove(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (files_.erase(path) > 0) return;
    if (!folders_.contains(path)) missing(path);
    if (!names_in(path).empty()) fail(ErrorCode::kIo, "cannot remove ", path, ": it is not empty");
    folders_.erase(path);
  }
  void create_directory(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    for (std::string part = path; !is_folder(part); part = parent_path(part)) {
      if (files_.contains(part)) fail(ErrorCode::kIo, "cannot create the folder ", path, ": ", part, " is a file");
      folders_.insert(part);
    }
  }
  void sync_directory(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (!is_folder(path)) missing(path);
  }
  bool exists(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    return files_.contains(path) || is_folder(path);
  }
  std::uint64_t size(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    return find(path)->size();
  }
  std::vector<std::string> list(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (!is_folder(path)) missing(path);
    return names_in(path);
  }

 private:
  using Bytes = std::vector<std::byte>;

  class Writer final : public WritableFile {
   public:
    explicit Writer(std::shared_ptr<Bytes> bytes) : bytes_(std::move(bytes)) {}
    void append(std::span<const std::byte> data) override { bytes_->insert(bytes_->end(), data.begin(), data.end()); }
    void sync() override {}
    void close() override {}

   private:
    std::shared_ptr<Bytes> bytes_;
  };
  class Reading final : public ReadableFile {
   public:
    explicit Reading(Bytes bytes) : bytes_(std::move(bytes)) {}
    std::uint64_t size() const noexcept override { return bytes_.size(); }
    std::size_t read(std::uint64_t offset, std::span<std::byte> out) const override {
      const auto rest = std::span(bytes_).subspan(std::min<std::uint64_t>(offset, bytes_.size()));
      const auto part = rest.first(std::min(rest.size(), out.size()));
      std::ranges::copy(part, out.begin());
      return part.size();
    }

   private:
    Bytes bytes_;
  };
  class Mapping final : public MappedFile {
   public:
    explicit Mapping(Bytes bytes) : bytes_(std::move(bytes)) {}
    std::span<const std::byte> data() const noexcept override { return bytes_; }

   private:
    Bytes bytes_;
  };

  [[noreturn]] static void missing(const std::string& path) { fail(ErrorCode::kNotFound, "cannot find ", path, " in memory"); }
  bool is_folder(const std::string& path) const { return path == "." || path == "/" || folders_.contains(path); }
  std::shared_ptr<Bytes> find(const std::string& path) const {
    const auto found = files_.find(path);
    if (found == files_.end()) missing(path);
    return found->second;
  }
  void rename_locked(const std::string& from, const std::string& to) {
    if (!files_.contains(from) && !folders_.contains(from)) missing(from);
    if (!is_folder(parent_path(to))) missing(to);
    const auto moved = [&](const std::string& path) {
      return path == from || path.starts_with(from + "/") ? to + path.substr(from.size()) : path;
    };
    files_.erase(to);
    std::map<std::string, std::shared_ptr<Bytes>> files;
    for (const auto& [path, bytes] : files_) files[moved(path)] = bytes;
    std::set<std::string> folders;
    for (const std::string& path : folders_) folders.insert(moved(path));
    files_ = std::move(files);
    folders_ = std::move(folders);
  }
  std::vector<std::string> names_in(const std::string& folder) const {
    std::vector<std::string> names;
    const auto add = [&](const std::string& path) {
      if (parent_path(path) == folder) names.push_back(file_name(path));
    };
    for (const auto& [path, bytes] : files_) add(path);
    for (const std::string& path : folders_) add(path);
    std::sort(names.begin(), names.end());
    return names;
  }

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Bytes>> files_;
  std::set<std::string> folders_;
};

}  // namespace signet
