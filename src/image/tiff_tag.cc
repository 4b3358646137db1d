#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "image/codec.h"

namespace signet::codec {
namespace {

// Reads numbers of either byte order; the caller has checked that they are inside.
class Numbers {
 public:
  Numbers(std::span<const std::byte> bytes, bool little) : bytes_(bytes), little_(little) {}
  bool has(std::uint64_t at, std::uint64_t count) const noexcept { return at <= bytes_.size() && count <= bytes_.size() - at; }
  std::uint64_t get(std::size_t at, unsigned width) const noexcept {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < width; ++i) value = value << 8 | byte_at(bytes_, little_ ? at + width - 1 - i : at + i);
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  bool little_;
};

// Bytes of one value of a TIFF field type that holds an unsigned number; 0 for the others.
unsigned width_of_type(std::uint64_t type) noexcept {
  switch (type) {
    case 1:
      return 1;  // BYTE
    case 3:
      return 2;  // SHORT
    case 4:
      return 4;  // LONG
    case 16:
      return 8;  // LONG8
    default:
      return 0;
  }
}

}  // namespace

std::optional<std::uint64_t> tiff_tag(std::span<const std::byte> tiff, std::uint16_t tag) noexcept {
  if (tiff.size() < 8) return std::nullopt;
  const std::uint8_t order = byte_at(tiff, 0);
  if ((order != 'I' && order != 'M') || byte_at(tiff, 1) != order) return std::nullopt;
  const Numbers in(tiff, order == 'I');
  const std::uint64_t version = in.get(2, 2);
  if (version != 42 && version != 43) return std::nullopt;
  // BigTIFF (version 43) has 8-byte offsets and counts; its first directory's offset stands at 8 instead of 4.
  const bool big = version == 43;
  if (big && tiff.size() < 16) return std::nullopt;
  const std::uint64_t directory = big ? in.get(8, 8) : in.get(4, 4);
  const unsigned head = big ? 8 : 2, field = big ? 20 : 12, inlined = big ? 8 : 4;
  if (!in.has(directory, head)) return std::nullopt;
  const std::uint64_t count = in.get(directory, head);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = directory + head + i * field;
    if (!in.has(at, field)) return std::nullopt;  // also ends an absurd count
    if (in.get(at, 2) != tag) continue;
    const unsigned width = width_of_type(in.get(at + 2, 2));
    const std::uint64_t values = big ? in.get(at + 4, 8) : in.get(at + 4, 4);
    const std::uint64_t value = at + field - inlined;
    if (width == 0 || values == 0 || values > inlined / width) return std::nullopt;
    return in.get(value, width);
  }
  return std::nullopt;
}

}  // namespace signet::codec
