#pragma once

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string>

#include "signet/base/file_system.h"
#include "signet/dataset/dataset.h"

// For targets whose reader takes a path: a folder of this process, in memory where the system has such a place.
namespace signet::fuzz {

class Folder {
 public:
  Folder() {
    const std::string base =
        std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path().string();
    path_ = base + "/signet-fuzz-" + std::to_string(::getpid());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string put(const std::string& name, std::span<const std::byte> content) const {
    const std::string path = join_path(path_, name);
    const auto file = real_file_system().create(path);
    file->append(content);
    file->close();
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Every accessor of every sample (at most 32); a picture that cannot be read is an Error of its own.
template <typename Guard>
void read_samples(const Dataset& dataset, const Guard& guard) {
  dataset.describe();
  for (std::size_t i = 0; i < std::min<std::size_t>(dataset.size(), 32); ++i) {
    guard([&] {
      dataset.key(i);
      dataset.labels(i);
      dataset.split(i);
      dataset.get(i);
    });
  }
}

}  // namespace signet::fuzz
