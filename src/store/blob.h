#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signet::store {

using Bytes = std::vector<std::byte>;

// The bodies of the catalog's rows (docs/format/collection.md): fields, then CRC-32C over a prefix (the row's primary key) and
// the fields.
class BlobWriter {
 public:
  void varint(std::uint64_t value);
  void zigzag(std::int64_t value);
  void bytes(std::span<const std::byte> value);  // with its length
  void text(std::string_view value) { bytes(std::as_bytes(std::span(value.data(), value.size()))); }
  void raw(std::span<const std::byte> value);  // without
  // Appends the checksum and gives the body away.
  Bytes seal(std::uint64_t row, std::string_view key = {});

 private:
  Bytes data_;
};

// Reads a body; every function throws Error{kCorrupt} naming `what` where the bytes end early or contradict themselves.
class BlobReader {
 public:
  // Checks the checksum first.
  BlobReader(std::span<const std::byte> body, std::uint64_t row, std::string_view key, std::string what);
  std::uint64_t varint();
  std::uint64_t varint_below(std::uint64_t limit);  // kCorrupt where the value is not below limit
  std::int64_t zigzag();
  std::span<const std::byte> bytes();
  std::string text();
  std::span<const std::byte> raw(std::size_t count);
  std::size_t left() const noexcept { return data_.size() - at_; }
  void end();  // kCorrupt where something is left

 private:
  [[noreturn]] void corrupt(const char* why) const;
  std::span<const std::byte> data_;
  std::size_t at_ = 0;
  std::string what_;
};

std::uint32_t blob_crc(std::span<const std::byte> fields, std::uint64_t row, std::string_view key) noexcept;

}  // namespace signet::store
