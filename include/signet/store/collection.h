#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "signet/base/file_system.h"
#include "signet/base/progress.h"
#include "signet/code/code_matrix.h"
#include "signet/index/index.h"

namespace signet {

// A collection is a folder (docs/format/collection.md): immutable code segments plus a SQLite catalog in WAL mode, which is the only commit
// point. One writer and many readers, in several processes; ids are never used again.
struct ImageRecord {
  std::string key;                       // unique inside the collection
  std::uint64_t id = 0;                  // given by the collection; stable for ever
  std::vector<std::int32_t> labels;
  std::uint32_t width = 0, height = 0;   // of the picture file, 0 unknown
  std::uint64_t bytes = 0;               // of the picture file
  std::int64_t modified_ns = 0;          // its modification time
  std::string sha256;                    // of the picture file, empty unknown
  std::string user_json;                 // free for the user; must be a JSON value or empty
};

struct CollectionInfo {
  std::uint32_t bits = 0;
  std::string model;                     // fingerprint that codes are bound to
  std::string model_path;                // where the model was, informative
  std::vector<std::string> class_names;
  std::uint64_t images = 0;              // live
  std::uint64_t removed = 0;             // tombstones not yet compacted
  std::size_t segments = 0;
  std::uint64_t code_bytes = 0, catalog_bytes = 0, picture_bytes = 0;
};

// A consistent view: what was committed when it was taken. Immutable, safe from many threads.
class CollectionView {
 public:
  virtual ~CollectionView() = default;
  virtual CollectionInfo info() const = 0;
  virtual SearchResult search(const CodeMatrix& queries, const SearchOptions& options) const = 0;          // hits carry ids; options.filter is by id
  virtual std::optional<ImageRecord> find(const std::string& key) const = 0;
  virtual std::optional<ImageRecord> get(std::uint64_t id) const = 0;
  virtual std::vector<std::uint8_t> code(std::uint64_t id) const = 0;
  virtual std::vector<ImageRecord> list(std::uint64_t after_id, std::size_t limit) const = 0;              // ascending ids
  virtual std::vector<std::uint64_t> ids_with_label(std::int32_t label) const = 0;
};

}  // namespace signet
