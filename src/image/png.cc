#include <png.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "image/codec.h"
#include "signet/base/error.h"

namespace signet {
namespace codec {
namespace {

// libpng's simplified interface: it keeps messages to itself, and no jump crosses our frames. PNG data is read from memory, so a
// read past the end is its error.
struct Handle {
  png_image image{};
  Handle() { image.version = PNG_IMAGE_VERSION; }
  ~Handle() { png_image_free(&image); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
};

// The simplified reader stops after the last row, so a file cut behind it would pass unseen.
bool has_end_chunk(std::span<const std::byte> bytes) noexcept {
  for (std::size_t at = 8; bytes.size() - at >= 12;) {
    const std::size_t length = big32(bytes, at);
    if (length > bytes.size() - at - 12) return false;
    if (big32(bytes, at + 4) == 0x49454E44) return true;  // "IEND"
    at += 12 + length;
  }
  return false;
}

}  // namespace

Image decode_png(std::span<const std::byte> bytes, const std::string& name, const Header& header) {
  Handle handle;
  png_image& png = handle.image;
  const MemoryWatch memory;
  const auto damaged = [&](const char* why) {
    memory.check();
    fail(ErrorCode::kCorrupt, name, ": this PNG is truncated or damaged (", why, "); a complete file would be right");
  };
  if (png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) == 0) damaged(png.message);
  if (png.width != header.width || png.height != header.height) damaged("two sizes");
  if (!has_end_chunk(bytes)) damaged("no IEND chunk");
  // 16-bit samples without a gamma chunk are taken as sRGB like 8-bit ones, not as linear light: v16 becomes round(v16 / 257).
  png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  const bool colour = (png.format & PNG_FORMAT_FLAG_COLOR) != 0, alpha = (png.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  const std::uint32_t channels = colour ? 3 : 1;
  if (alpha) {
    png.format = colour ? PNG_FORMAT_RGBA : PNG_FORMAT_GA;
    std::vector<std::uint8_t> samples(std::size_t{png.width} * png.height * (channels + 1));
    if (png_image_finish_read(&png, nullptr, samples.data(), 0, nullptr) == 0) damaged(png.message);
    return blend_on_white(header.width, header.height, channels, samples);
  }
  png.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  Image image = blank(header.width, header.height, channels);
  if (png_image_finish_read(&png, nullptr, image.pixels.data(), 0, nullptr) == 0) damaged(png.message);
  return image;
}

}  // namespace codec

std::vector<std::byte> encode_png(const Image& image) {
  codec::check_image(image, "encode_png");
  codec::Handle handle;
  png_image& png = handle.image;
  png.width = image.width;
  png.height = image.height;
  png.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);  // one pass: an upper bound costs less than compressing twice
  std::vector<std::byte> bytes(size);
  if (png_image_write_to_memory(&png, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr) == 0) {
    fail(ErrorCode::kInternal, "encode_png: ", png.message);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace signet
