#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "signet/base/file_system.h"
#include "signet/code/code_set.h"
#include "signet/index/build.h"
#include "signet/index/index.h"

namespace signet {

// index.sig (docs/format/index.md): codes, keys, labels, class names and the model's fingerprint in one memory-mapped container.
// Atomic. Throws kMismatch where keys, or labels if there are any, are not one a code; kInvalidArgument for codes without a
// length, a fingerprint of other than 64 digits and more than 2^20 class names.
void write_index_file(FileSystem& fs, const std::string& path, const CodeSet& set);

// An opened index file. Immutable, safe from many threads.
class IndexFile {
 public:
  // Throws as Container::open (kCorrupt, kUnsupported, kMismatch for a file of another kind) and as build_index for the options.
  // Kind "auto" takes what is stored in the file; where nothing is, a scan: building and measuring take longer than many
  // searches.
  static std::shared_ptr<const IndexFile> open(FileSystem& fs, const std::string& path, const BuildOptions& options = {});
  virtual ~IndexFile() = default;
  virtual const Index& index() const noexcept = 0;
  // These three throw kNotFound for an id past the end; key() and labels() throw kCorrupt where their boundaries are damaged.
  virtual std::string key(std::uint64_t id) const = 0;
  virtual std::vector<std::int32_t> labels(std::uint64_t id) const = 0;  // empty where unknown
  virtual std::vector<std::uint8_t> code(std::uint64_t id) const = 0;    // packed
  // The id of a key; may look at every key, and throws kCorrupt as key() does.
  virtual std::optional<std::uint64_t> find(const std::string& key) const = 0;
  virtual const std::vector<std::string>& class_names() const noexcept = 0;
  virtual const std::string& model() const noexcept = 0;  // fingerprint
  virtual const std::string& root() const noexcept = 0;   // what keys are relative to
  // Throws Error{kMismatch} naming both fingerprints unless `fingerprint` is this file's model (or the file knows none).
  virtual void check_model(const std::string& fingerprint, const std::string& what) const = 0;
  // Checks every byte, also of sections too large to be checked when opening. Throws Error{kCorrupt} naming the section.
  virtual void verify() const = 0;
};

}  // namespace signet
