#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "serve/picture_memory.h"
#include "signet/dataset/dataset.h"

namespace signet {

// Tells a file from any other, and from itself after it was written to; all zeros where there is none.
struct FileStamp {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified_ns = 0, changed_ns = 0;  // no program can set the latter back
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// Finds the pictures of keys again, inside given roots only: a key is a file, or a member of a data set file or folder
// ("photos.tar/cat/1.jpg", "fashion-mnist/t10k/00017"); a relative one is looked for under each root. A path that does not begin
// with a root, as it was given or where its links lead, is not even looked at; of one that does, where a link leads is what
// counts, and what is opened is what is checked. A data set file that was rewritten is opened anew; who still reads from it as it
// was goes on. Files of the collection itself are never opened, whatever leads to them. Safe from many threads.
class PictureSource {
 public:
  // Roots that do not exist are left out: their pictures are gone. `memory` must outlive this and what load() gives.
  // `collection`: its folder; empty: there is none.
  PictureSource(const std::vector<std::string>& roots, DecodeLimits limits, PictureMemory& memory,
                const std::string& collection = {});
  // Throws kNotFound, without a path in the message, where there is no such picture inside the roots; kBusy where there is no
  // memory for it within `wait_seconds`; kCorrupt, kUnsupported, kInvalidArgument as decode_image.
  DecodedPicture load(const std::string& key, std::uint32_t target_side, double wait_seconds);

 private:
  // A data set, or the finding that there is none; either as long as none of its files has changed.
  struct Opened {
    std::vector<std::pair<std::string, FileStamp>> files;  // the path itself, and those that the data set lies in
    std::chrono::steady_clock::time_point found = std::chrono::steady_clock::now();
    std::shared_ptr<const Dataset> data;                    // null: not a data set
    std::unordered_map<std::string, std::size_t> position;  // by key
    bool holds() const;
  };
  bool inside(const std::string& real_path) const;
  bool is_catalog(const FileStamp& file) const;
  bool named_inside(const std::string& path) const;  // by its text alone
  bool load_file(const std::string& path, std::uint32_t target_side, double wait_seconds, DecodedPicture& picture) const;
  bool load_member(const std::string& path, double wait_seconds, DecodedPicture& picture);
  std::shared_ptr<const Opened> open(const std::string& path);
  bool look(const std::string& path, Opened& opened) const;  // whether the finding may be remembered

  std::vector<std::string> roots_;  // real paths
  std::vector<std::string> given_;  // the same roots as their keys may spell them, absolute
  std::vector<std::string> own_;    // the real path of the collection, where there is one
  DecodeLimits limits_;
  PictureMemory& memory_;
  std::mutex mutex_;  // guards opened_; an entry does not change once it is there
  std::map<std::string, std::shared_ptr<const Opened>> opened_;
};

}  // namespace signet
