#pragma once

#include <memory>
#include <string>
#include <vector>

#include "signet/base/file_system.h"

// For tests of any room: a file system that hands everything on to the one beneath, to derive from where one function must behave
// otherwise.
namespace signet {

class ForwardingFiles : public FileSystem {
 public:
  explicit ForwardingFiles(FileSystem& beneath = real_file_system()) : beneath_(beneath) {}
  std::unique_ptr<WritableFile> create(const std::string& path) override { return beneath_.create(path); }
  std::unique_ptr<ReadableFile> open(const std::string& path) override { return beneath_.open(path); }
  std::unique_ptr<MappedFile> map(const std::string& path) override { return beneath_.map(path); }
  void rename(const std::string& from, const std::string& to) override { beneath_.rename(from, to); }
  bool rename_new(const std::string& from, const std::string& to) override { return beneath_.rename_new(from, to); }
  bool link(const std::string& from, const std::string& to) override { return beneath_.link(from, to); }
  void remove(const std::string& path) override { beneath_.remove(path); }
  void create_directory(const std::string& path) override { beneath_.create_directory(path); }
  void sync_directory(const std::string& path) override { beneath_.sync_directory(path); }
  bool exists(const std::string& path) override { return beneath_.exists(path); }
  std::uint64_t size(const std::string& path) override { return beneath_.size(path); }
  std::vector<std::string> list(const std::string& path) override { return beneath_.list(path); }

 private:
  FileSystem& beneath_;
};

}  // namespace signet
