#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace signet {

// 8-bit pixels, rows from the top, channels interleaved: pixel (x, y) channel c is at (y * width + x) * channels + c.
// channels: 1 (grey) or 3 (red, green, blue, in this order).
struct Image {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t channels = 0;
  std::vector<std::uint8_t> pixels;
  std::span<const std::uint8_t> row(std::uint32_t y) const {
    return {pixels.data() + std::size_t{y} * width * channels, std::size_t{width} * channels};
  }
  friend bool operator==(const Image&, const Image&) = default;
};

// Limits checked on the file's header before pixels are allocated.
struct DecodeLimits {
  std::uint64_t max_pixels = 256'000'000;  // width * height
  std::uint64_t max_bytes = 1ull << 30;    // of the encoded file
  std::uint32_t target_side = 0;  // where > 0: a JPEG is decoded at 1/2, 1/4 or 1/8 as long as both sides stay >= 2 * this
};

struct ImageHeader {
  std::string format;       // "jpeg", "png", "bmp", "webp", "tiff", "pnm"
  std::uint32_t width = 0;  // of the upright picture, which is what decode_image gives without a target_side
  std::uint32_t height = 0;
};

// Reads format and size without decoding; the first kilobytes of a file are mostly enough. Throws kCorrupt (`name` in the
// message) where the bytes are no image, kUnsupported for kinds that signet does not read (GIF, HEIF, AVIF, JPEG 2000, ...,
// animated WebP).
ImageHeader read_image_header(std::span<const std::byte> bytes, const std::string& name);

// Decodes to 8 bits, turned upright by its EXIF orientation (JPEG, PNG, WebP, TIFF). Grey files give 1 channel, all others 3:
// palettes are expanded, CMYK is mixed to RGB, 16-bit samples are rounded to 8, alpha is blended on white in stored values.
// Colour profiles are not applied. Throws kInvalidArgument over a limit (before pixels are allocated), kCorrupt where the data is
// truncated, damaged or no image, kUnsupported for a kind that is not read, kBusy where its pixels do not fit into the memory
// that is free now, always with `name`. Prints nothing. Thread-safe.
Image decode_image(std::span<const std::byte> bytes, const std::string& name, const DecodeLimits& limits = {});

// These and all below throw kInvalidArgument for an image whose sides, channels and bytes do not fit together; encode_jpeg also
// for another quality and for a side above 65,500.
std::vector<std::byte> encode_png(const Image& image);
std::vector<std::byte> encode_jpeg(const Image& image, int quality);  // quality 1 to 100

// Grey -> RGB repeats the channel; RGB -> grey is Rec. 601 luma (0.299, 0.587, 0.114). Throws kInvalidArgument unless
// channels is 1 or 3.
Image convert_channels(const Image& image, std::uint32_t channels);

// Area averaging when shrinking, bilinear when growing. The aspect ratio is not kept. Throws kInvalidArgument unless width
// and height are at least 1 and their product is at most 2^30.
Image resize(const Image& image, std::uint32_t width, std::uint32_t height);

// The largest centred square, then resize: how a picture of any shape becomes a network's input. Throws as
// resize.
Image centre_square(const Image& image, std::uint32_t side);

}  // namespace signet
