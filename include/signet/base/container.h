#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "signet/base/file_system.h"

namespace signet {

// The container that index files and code segments share (docs/format/container.md): magic, version, kind, a table of named
// sections, each section at an offset that is a multiple of 64 bytes, CRC-32C over the head, over the table and over every
// section.
struct ContainerSection {
  std::string name;                 // 1 to 16 characters of [a-z0-9-]
  std::span<const std::byte> data;  // borrowed
};

// Whether a file that begins so is a container. Four of the eight characters decide, so that one which was damaged behind them is
// still opened, and refused, as what it is.
bool starts_as_container(std::span<const std::byte> head) noexcept;

// Streams sections to a file atomically (temp, fsync, rename, fsync of the folder). kind: four characters, e.g. "SIDX".
class ContainerWriter {
 public:
  ContainerWriter(FileSystem& fs, std::string path, std::string kind, std::uint32_t version);
  ~ContainerWriter();  // without finish(): the temp file is removed, the old file stays
  void begin_section(const std::string& name);
  void append(std::span<const std::byte> data);  // to the section begun last
  void finish();                                 // durable when it returns

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A container mapped for reading. Opening checks the head, the table, all lengths and the CRC of every section below
// `eager_limit` bytes; larger sections are checked by verify(). Throws Error{kCorrupt} naming path, section and offset;
// kUnsupported for a newer version, kMismatch for another kind. Immutable and safe from many threads.
class Container {
 public:
  static std::shared_ptr<const Container> open(FileSystem& fs, const std::string& path, const std::string& kind,
                                               std::uint32_t max_version, std::uint64_t eager_limit = std::uint64_t{1} << 62);
  // The same of content that comes from elsewhere; `path` is for messages.
  static std::shared_ptr<const Container> open(std::unique_ptr<MappedFile> content, const std::string& path,
                                               const std::string& kind, std::uint32_t max_version,
                                               std::uint64_t eager_limit = std::uint64_t{1} << 62);
  ~Container();
  std::uint32_t version() const noexcept;
  const std::string& path() const noexcept;
  bool has(const std::string& name) const noexcept;
  std::span<const std::byte> section(const std::string& name) const;  // throws Error{kCorrupt} where it is missing
  std::vector<std::string> names() const;
  void verify() const;  // CRC of every section

 private:
  Container();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace signet
