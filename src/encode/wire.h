#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace signet {

// The protobuf wire format, as much as a model file needs. A message is built first and then added to the one around it. Weights
// are borrowed, not copied: a model of hundreds of megabytes is written, and compared with a file, without a second copy in
// memory.
class WireWriter {
 public:
  void varint(std::uint32_t field, std::uint64_t value);
  void bytes(std::uint32_t field, std::string_view value);
  void borrow(std::uint32_t field, std::string_view value);  // value must outlive the writer
  void message(std::uint32_t field, const WireWriter& value);

  std::uint64_t size() const noexcept { return size_; }
  // Calls f(std::string_view) for the pieces of the message in order.
  template <typename F>
  void for_each_piece(F&& f) const {
    for (const Piece& piece : pieces_) {
      f(std::string_view(piece.own));
      f(piece.borrowed);
    }
  }
  std::string joined() const;

 private:
  struct Piece {
    std::string own;
    std::string_view borrowed;  // follows `own`
  };
  void append(std::string_view text);
  void raw_varint(std::uint64_t value);
  std::vector<Piece> pieces_;
  std::uint64_t size_ = 0;
};

// One message: next() moves to a field and is false at the end; then number(), and varint() or bytes() of it. Borrows from the
// file and allocates nothing, so a hostile file cannot make it grow. Throws Error{kCorrupt} with the offset in the file for
// truncated or malformed input, and where a field has another wire type than asked for.
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
