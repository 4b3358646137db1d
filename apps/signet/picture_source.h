#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "signet/dataset/dataset.h"
#include "signet/store/collection.h"

namespace signet::cli {

struct FileStamp {
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
};

// Of a regular file; nothing for anything else.
std::optional<FileStamp> stamp_of(const std::string& path);

// Why no collection and no folder of codes can hold a picture under this key; nullptr where they can.
const char* key_defect(const std::string& key);

// A data set whose images are named by absolute paths, in which . and .. are resolved: each lies in a file of its own (a folder,
// a manifest, one picture), or all lie together in one file or set of files ("/data/photos.tar/cat/1.jpg"). Safe from many
// threads.
class PictureSource {
 public:
  // `format`: the one that `data` was opened from `path` with.
  PictureSource(std::shared_ptr<const Dataset> data, const std::string& path, DatasetFormat format = DatasetFormat::kAuto);
  std::string key(std::size_t i) const;
  const Dataset& data() const { return *data_; }
  const std::string& root() const { return root_; }    // what keys begin with, but for those of a manifest that say otherwise
  bool lists_folder() const { return lists_folder_; }  // the pictures are those that were found in the folder root()
  std::optional<FileStamp> own_file(std::size_t i) const { return stamp_of(key(i)); }
  std::int64_t container_time() const { return container_ ? container_->modified_ns : 0; }

  // Whether load() tells of the bytes of an encoded picture: of its file, or of a member of a tar. Otherwise of its pixels.
  bool is_encoded(std::size_t i) const { return data_->encoded_bytes(i) > 0 || own_file(i).has_value(); }
  // Fills what the picture itself says into `record` (whose key is set) and returns its pixels.
  Image load(std::size_t i, const DecodeLimits& limits, ImageRecord& record) const;

 private:
  std::shared_ptr<const Dataset> data_;
  std::string root_;
  bool lists_folder_;
  std::optional<FileStamp> container_;  // the one file that holds all pictures
};

}  // namespace signet::cli
