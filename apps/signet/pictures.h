#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "signet/dataset/dataset.h"

namespace signet::cli {

// Finds pictures again by their key, for showing them and for encoding them anew. A key is a file (absolute, or relative to
// `root`), or a member of a data set: "photos.tar/cat/1.jpg", "fashion-mnist/t10k/00017". Safe from many threads.
class PictureLibrary {
 public:
  explicit PictureLibrary(std::string root, DecodeLimits limits = {}) : root_(std::move(root)), limits_(limits) {}

  // The picture, or nothing where it is gone or unreadable; `why` (may be null) then says which.
  std::optional<Image> find(const std::string& key, std::string* why = nullptr);

  // Where a key's own file would lie.
  std::string path_of(const std::string& key) const;

 private:
  struct Opened {
    std::shared_ptr<const Dataset> data;  // null: not a data set
    std::string why;
    std::unordered_map<std::string, std::size_t> position;  // by key
  };
  const Opened& open(const std::string& path);

  std::string root_;
  DecodeLimits limits_;
  std::mutex mutex_;  // guards opened_; an entry does not change once it is there
  std::map<std::string, Opened> opened_;
};

// A PNG of the picture, at most `side` pixels wide and high, as base64; small pictures are enlarged by a whole factor without
// smoothing.
std::string thumbnail_base64(const Image& image, std::uint32_t side);

std::string escape_html(const std::string& text);

}  // namespace signet::cli
