#include "encode/wire.h"

#include "signet/base/error.h"

namespace signet {
namespace {

// Wire types of the protobuf encoding.
constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kFixed64 = 1;
constexpr std::uint32_t kLength = 2;
constexpr std::uint32_t kFixed32 = 5;

}  // namespace

void WireWriter::append(std::string_view text) {
  if (pieces_.empty() || !pieces_.back().borrowed.empty()) pieces_.emplace_back();
  pieces_.back().own.append(text);
  size_ += text.size();
}

void WireWriter::raw_varint(std::uint64_t value) {
  char bytes[10];
  std::size_t n = 0;
  while (value >= 0x80) {
    bytes[n++] = static_cast<char>((value & 0x7f) | 0x80);
    value >>= 7;
  }
  bytes[n++] = static_cast<char>(value);
  append({bytes, n});
}

void WireWriter::varint(std::uint32_t field, std::uint64_t value) {
  raw_varint(std::uint64_t{field} << 3 | kVarint);
  raw_varint(value);
}

void WireWriter::bytes(std::uint32_t field, std::string_view value) {
  raw_varint(std::uint64_t{field} << 3 | kLength);
  raw_varint(value.size());
  append(value);
}

void WireWriter::borrow(std::uint32_t field, std::string_view value) {
  raw_varint(std::uint64_t{field} << 3 | kLength);
  raw_varint(value.size());
  pieces_.back().borrowed = value;
  size_ += value.size();
}

void WireWriter::message(std::uint32_t field, const WireWriter& value) {
  raw_varint(std::uint64_t{field} << 3 | kLength);
  raw_varint(value.size_);
  for (const Piece& piece : value.pieces_) {
    append(piece.own);
    pieces_.back().borrowed = piece.borrowed;
    size_ += piece.borrowed.size();
  }
}

std::string WireWriter::joined() const {
  std::string all;
  all.reserve(size_);
  for_each_piece([&](std::string_view piece) { all.append(piece); });
  return all;
}

std::uint64_t WireReader::read_varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) fail(ErrorCode::kCorrupt, "offset ", offset(), ": the file ends inside a number");
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  fail(ErrorCode::kCorrupt, "offset ", offset(), ": a number of more than 64 bits");
}

bool WireReader::next() {
  if (rest_.empty()) return false;
  const std::size_t at = offset();
  const std::uint64_t tag = read_varint();
  if (tag >> 3 == 0 || tag >> 32 != 0) fail(ErrorCode::kCorrupt, "offset ", at, ": ", tag >> 3, " is no field number");
  number_ = static_cast<std::uint32_t>(tag >> 3);
  type_ = static_cast<std::uint32_t>(tag & 7);
  std::uint64_t length = 0;
  switch (type_) {
    case kVarint:
      value_ = read_varint();
      break;
    case kFixed64:
      length = 8;
      break;
    case kFixed32:
      length = 4;
      break;
    case kLength:
      length = read_varint();
      break;
    default:
      fail(ErrorCode::kCorrupt, "offset ", at, ": field ", number_, " has the unknown wire type ", type_);
  }
  if (length > rest_.size()) {
    fail(ErrorCode::kCorrupt, "offset ", at, ": field ", number_, " claims ", length, " bytes, ", rest_.size(), " are left");
  }
  bytes_ = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return true;
}

std::uint64_t WireReader::varint() const {
  if (type_ != kVarint)
    fail(ErrorCode::kCorrupt, "offset ", offset(), ": field ", number_, " has wire type ", type_, ", a number was expected");
  return value_;
}

std::string_view WireReader::bytes() const {
  if (type_ != kLength)
    fail(ErrorCode::kCorrupt, "offset ", offset(), ": field ", number_, " has wire type ", type_, ", bytes were expected");
  return bytes_;
}

}  // namespace signet
