#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "signet/code/code_matrix.h"
#include "signet/index/index.h"

namespace signet::cli {

// What a search looks through: an index file or a collection, seen alike.
class SearchTarget {
 public:
  virtual ~SearchTarget() = default;
  virtual std::string path() const = 0;
  virtual std::uint32_t bits() const = 0;
  virtual std::string model() const = 0;       // fingerprint, may be empty
  virtual std::string model_path() const = 0;  // where the model is believed to be; empty where unknown
  virtual std::string root() const = 0;        // what keys are relative to
  virtual const std::vector<std::string>& class_names() const = 0;
  virtual SearchResult search(const CodeMatrix& queries, const SearchOptions& options) const = 0;
  virtual std::string key(std::uint64_t id) const = 0;
  virtual std::vector<std::int32_t> labels(std::uint64_t id) const = 0;
  // Where only the absolute path that a relative one stands for is there, `key` becomes that. Throws Error{kNotFound}.
  virtual std::vector<std::uint8_t> code_of_key(std::string& key) const = 0;
  virtual std::vector<std::uint64_t> filter_words(std::int32_t label) const = 0;             // bitmap for IdFilter
  virtual std::string explain(const SearchOptions& options, std::size_t queries) const = 0;  // of a search for so many
  // Throws Error{kMismatch} naming both fingerprints where this holds codes of another model.
  virtual void check_model(const std::string& fingerprint, const std::string& what) const = 0;
};

// kind: how it is searched ("flat", "table", "mih", "pivot", "auto"); empty: the room's own default.
std::unique_ptr<SearchTarget> open_index_target(const std::string& path, const std::string& kind);
std::unique_ptr<SearchTarget> open_collection_target(const std::string& path, const std::string& kind);

}  // namespace signet::cli
