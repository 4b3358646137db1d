#include "store/blob.h"

#include <array>

#include "signet/base/crc32c.h"
#include "signet/base/error.h"

namespace signet::store {

std::uint32_t blob_crc(std::span<const std::byte> fields, std::uint64_t row, std::string_view key) noexcept {
  std::array<std::byte, 8> prefix{};
  for (std::size_t i = 0; i < 8; ++i) prefix[i] = static_cast<std::byte>(row >> (8 * i));
  std::uint32_t crc = crc32c(prefix);
  crc = crc32c(std::as_bytes(std::span(key.data(), key.size())), crc);
  return crc32c(fields, crc);
}

void BlobWriter::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) data_.push_back(static_cast<std::byte>(value | 0x80));
  data_.push_back(static_cast<std::byte>(value));
}

void BlobWriter::zigzag(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  varint((bits << 1) ^ (value < 0 ? ~std::uint64_t{0} : 0));
}

void BlobWriter::bytes(std::span<const std::byte> value) {
  varint(value.size());
  raw(value);
}

void BlobWriter::raw(std::span<const std::byte> value) { data_.insert(data_.end(), value.begin(), value.end()); }

Bytes BlobWriter::seal(std::uint64_t row, std::string_view key) {
  const std::uint32_t crc = blob_crc(data_, row, key);
  for (int i = 0; i < 4; ++i) data_.push_back(static_cast<std::byte>(crc >> (8 * i)));
  return std::move(data_);
}

BlobReader::BlobReader(std::span<const std::byte> body, std::uint64_t row, std::string_view key, std::string what)
    : what_(std::move(what)) {
  if (body.size() < 4) corrupt("is shorter than its checksum");
  data_ = body.first(body.size() - 4);
  std::uint32_t stored = 0;
  for (std::size_t i = 0; i < 4; ++i) stored |= std::to_integer<std::uint32_t>(body[data_.size() + i]) << (8 * i);
  if (stored != blob_crc(data_, row, key)) corrupt("fails its checksum");
}

void BlobReader::corrupt(const char* why) const { fail(ErrorCode::kCorrupt, what_, " ", why); }

std::uint64_t BlobReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (at_ == data_.size()) corrupt("ends inside a number");
    const auto byte = std::to_integer<std::uint64_t>(data_[at_++]);
    if (shift == 63 && byte > 1) corrupt("holds a number beyond 64 bits");
    value |= (byte & 0x7f) << shift;
    if (byte == 0 && shift > 0) corrupt("spells a number longer than its shortest form");
    if (byte < 0x80) return value;
  }
  corrupt("holds a number beyond 64 bits");
}

std::uint64_t BlobReader::varint_below(std::uint64_t limit) {
  const std::uint64_t value = varint();
  if (value >= limit) corrupt("holds a number outside its range");
  return value;
}

std::int64_t BlobReader::zigzag() {
  const std::uint64_t value = varint();
  return static_cast<std::int64_t>((value >> 1) ^ (value & 1 ? ~std::uint64_t{0} : 0));
}

std::span<const std::byte> BlobReader::raw(std::size_t count) {
  if (count > left()) corrupt("ends inside a field");
  const auto field = data_.subspan(at_, count);
  at_ += count;
  return field;
}

std::span<const std::byte> BlobReader::bytes() {
  const std::uint64_t count = varint();
  if (count > left()) corrupt("ends inside a field");
  return raw(static_cast<std::size_t>(count));
}

std::string BlobReader::text() {
  const auto field = bytes();
  return {reinterpret_cast<const char*>(field.data()), field.size()};
}

void BlobReader::end() {
  if (left() != 0) corrupt("has bytes after its last field");
}

}  // namespace signet::store
