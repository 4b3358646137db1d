#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "image/codec.h"
#include "signet/base/error.h"

// Windows and OS/2 bitmaps without compression: 1, 4, 8 bits with palette, 16, 24 and 32 bits, channel masks, alpha.
namespace signet::codec {
namespace {

constexpr std::uint32_t kRgb = 0, kBitFields = 3, kAlphaBitFields = 6;

// One channel cut out of a pixel by its mask, widened to 8 bits.
struct Channel {
  std::uint32_t mask = 0;
  std::uint8_t get(std::uint32_t pixel) const noexcept {
    const std::uint64_t maximum = mask >> std::countr_zero(mask);
    const std::uint64_t value = (pixel & mask) >> std::countr_zero(mask);
    return static_cast<std::uint8_t>((value * 255 + maximum / 2) / maximum);
  }
};

struct Layout {
  std::uint32_t bits = 0;
  std::size_t data = 0, stride = 0;
  bool from_top = false;
  std::array<Channel, 4> channels{};   // red, green, blue, alpha (mask 0: none); 16 and 32 bits
  std::span<const std::byte> palette;  // 1, 4, 8 bits
  std::size_t palette_step = 4;
};

void read_masks(std::span<const std::byte> bytes, const std::string& name, std::uint32_t header_size, std::uint32_t compression,
                Layout& layout) {
  if (compression == kRgb) {
    layout.channels = layout.bits == 16 ? std::array<Channel, 4>{{{0x7C00}, {0x03E0}, {0x001F}, {0}}}
                                        : std::array<Channel, 4>{{{0xFF0000}, {0x00FF00}, {0x0000FF}, {0}}};
    return;
  }
  const bool with_alpha = header_size >= 56 || compression == kAlphaBitFields;
  if (bytes.size() < (with_alpha ? 70u : 66u)) fail(ErrorCode::kCorrupt, name, ": this BMP ends inside its channel masks");
  for (std::size_t c = 0; c < (with_alpha ? 4u : 3u); ++c) {
    layout.channels[c].mask = little32(bytes, 54 + 4 * c);
    if (c < 3 && layout.channels[c].mask == 0) fail(ErrorCode::kCorrupt, name, ": this BMP has an empty channel mask");
  }
}

void read_palette(std::span<const std::byte> bytes, const std::string& name, std::uint32_t header_size, Layout& layout) {
  layout.palette_step = header_size == 12 ? 3 : 4;
  const std::size_t all = std::size_t{1} << layout.bits;
  const std::size_t used = header_size == 12 ? 0 : little32(bytes, 46);
  const std::size_t colours = used == 0 || used > all ? all : used;
  const std::size_t begin = 14 + std::size_t{header_size};
  if (begin > layout.data || layout.data - begin < colours * layout.palette_step) {
    fail(ErrorCode::kCorrupt, name, ": this BMP's palette of ", colours, " colours does not fit before its pixels");
  }
  layout.palette = bytes.subspan(begin, colours * layout.palette_step);
}

Layout read_layout(std::span<const std::byte> bytes, const std::string& name, const Header& header) {
  const std::uint32_t header_size = little32(bytes, 14);
  const bool core = header_size == 12;
  Layout layout;
  layout.bits = core ? little16(bytes, 24) : little16(bytes, 28);
  const std::uint32_t compression = core ? kRgb : little32(bytes, 30);
  layout.data = little32(bytes, 10);
  layout.from_top = !core && static_cast<std::int32_t>(little32(bytes, 22)) < 0;
  const bool masked = layout.bits == 16 || layout.bits == 32;
  const bool known_bits = layout.bits == 1 || layout.bits == 4 || layout.bits == 8 || layout.bits == 24 || masked;
  const bool known = compression == kRgb || (masked && (compression == kBitFields || compression == kAlphaBitFields));
  if (!known_bits || !known) {
    fail(ErrorCode::kUnsupported, name, ": this BMP has ", layout.bits, " bits a pixel and compression ", compression,
         ", which signet does not read; convert it to PNG");
  }
  // 32-bit sizes, so nothing here overflows 64 bits.
  const std::uint64_t stride = (std::uint64_t{header.width} * layout.bits + 31) / 32 * 4;
  const std::uint64_t wanted = stride * header.height;
  if (layout.data > bytes.size() || bytes.size() - layout.data < wanted) {
    fail(ErrorCode::kCorrupt, name, ": this BMP is truncated: ", bytes.size(), " bytes, ", layout.data + wanted,
         " would be right");
  }
  layout.stride = static_cast<std::size_t>(stride);
  if (masked) read_masks(bytes, name, header_size, compression, layout);
  if (layout.bits <= 8) read_palette(bytes, name, header_size, layout);
  return layout;
}

void decode_palette_row(std::span<const std::byte> row, const Layout& layout, const std::string& name,
                        std::span<std::uint8_t> target) {
  const std::size_t per_byte = 8 / layout.bits;
  for (std::size_t x = 0; x < target.size() / 3; ++x) {
    const unsigned shift = static_cast<unsigned>((per_byte - 1 - x % per_byte) * layout.bits);
    const std::size_t index = byte_at(row, x / per_byte) >> shift & ((1u << layout.bits) - 1);
    if ((index + 1) * layout.palette_step > layout.palette.size()) {
      fail(ErrorCode::kCorrupt, name, ": this BMP uses colour ", index, " of a palette of ",
           layout.palette.size() / layout.palette_step);
    }
    for (std::size_t c = 0; c < 3; ++c) target[3 * x + c] = byte_at(layout.palette, index * layout.palette_step + 2 - c);
  }
}

void decode_masked_row(std::span<const std::byte> row, const Layout& layout, std::size_t samples,
                       std::span<std::uint8_t> target) {
  for (std::size_t x = 0; x < target.size() / samples; ++x) {
    const std::uint32_t pixel = layout.bits == 16 ? little16(row, 2 * x) : little32(row, 4 * x);
    for (std::size_t c = 0; c < samples; ++c) target[samples * x + c] = layout.channels[c].get(pixel);
  }
}

}  // namespace

Image decode_bmp(std::span<const std::byte> bytes, const std::string& name, const Header& header) {
  const Layout layout = read_layout(bytes, name, header);
  const std::size_t samples = layout.channels[3].mask != 0 ? 4 : 3;
  std::vector<std::uint8_t> pixels(std::size_t{header.width} * header.height * samples);
  const std::size_t target_stride = std::size_t{header.width} * samples;
  for (std::size_t y = 0; y < header.height; ++y) {
    const std::size_t stored = layout.from_top ? y : header.height - 1 - y;
    const std::span<const std::byte> row = bytes.subspan(layout.data + stored * layout.stride, layout.stride);
    const std::span<std::uint8_t> target(pixels.data() + y * target_stride, target_stride);
    if (layout.bits <= 8) {
      decode_palette_row(row, layout, name, target);
    } else if (layout.bits == 24) {
      for (std::size_t x = 0; x < header.width; ++x) {
        for (std::size_t c = 0; c < 3; ++c) target[3 * x + c] = byte_at(row, 3 * x + 2 - c);
      }
    } else {
      decode_masked_row(row, layout, samples, target);
    }
  }
  if (samples == 4) return blend_on_white(header.width, header.height, 3, pixels);
  return {header.width, header.height, 3, std::move(pixels)};
}

}  // namespace signet::codec
