#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace signet {

// The protobuf wire format, as much as a model file needs. Writing appends fields to a string; a message is built first and then
// added as bytes. Reading borrows from the file and allocates nothing, so a hostile file cannot make it grow.
class WireWriter {
 public:
  void varint(std::uint32_t field, std::uint64_t value);
  void bytes(std::uint32_t field, std::string_view value);
  void message(std::uint32_t field, const WireWriter& value) { bytes(field, value.data_); }
  void reserve(std::size_t size) { data_.reserve(size); }
  const std::string& data() const noexcept { return data_; }
  std::string take() && noexcept { return std::move(data_); }

 private:
  void raw_varint(std::uint64_t value);
  std::string data_;
};

// One message: next() moves to a field and is false at the end; then number(), and varint() or bytes() of it. Throws
// Error{kCorrupt} with the offset in the file for truncated or malformed input, and where a field has another wire type than
// asked for.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : WireReader(message, message.data()) {}
  bool next();
  std::uint32_t number() const noexcept { return number_; }
  std::uint64_t varint() const;
  std::string_view bytes() const;
  WireReader message() const { return WireReader(bytes(), start_); }

 private:
  WireReader(std::string_view message, const char* start) : rest_(message), start_(start) {}
  std::uint64_t read_varint();
  std::size_t offset() const noexcept { return static_cast<std::size_t>(rest_.data() - start_); }

  std::string_view rest_;
  const char* start_;  // of the whole file, for offsets in messages
  std::uint32_t number_ = 0;
  std::uint32_t type_ = 0;
  std::uint64_t value_ = 0;
  std::string_view bytes_;
};

}  // namespace signet
