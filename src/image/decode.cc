#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <utility>

#include "image/codec.h"
#include "signet/base/error.h"
#include "signet/image/image.h"

namespace signet {
namespace {

// Whatever the caller allows: bytes of a picture are then counted in 64 bits without overflow.
constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 40;

Image decode_stored(std::span<const std::byte> bytes, const std::string& name, const codec::Header& header,
                    std::uint32_t target_side) {
  switch (header.format) {
    case codec::Format::kJpeg:
      return codec::decode_jpeg(bytes, name, header, target_side);
    case codec::Format::kPng:
      return codec::decode_png(bytes, name, header);
    case codec::Format::kBmp:
      return codec::decode_bmp(bytes, name, header);
    case codec::Format::kWebp:
      return codec::decode_webp(bytes, name, header);
    case codec::Format::kTiff:
      return codec::decode_tiff(bytes, name, header);
    case codec::Format::kPnm:
      return codec::decode_pnm(bytes, name, header);
  }
  fail(ErrorCode::kInternal, name, ": no decoder");
}

}  // namespace

ImageHeader read_image_header(std::span<const std::byte> bytes, const std::string& name) {
  const codec::Header header = codec::parse_header(bytes, name);
  ImageHeader result{codec::format_name(header.format), header.width, header.height};
  if (header.orientation >= 5) std::swap(result.width, result.height);
  return result;
}

Image decode_image(std::span<const std::byte> bytes, const std::string& name, const DecodeLimits& limits) {
  if (bytes.size() > limits.max_bytes) {
    fail(ErrorCode::kInvalidArgument, name, ": is ", bytes.size(), " bytes; at most ", limits.max_bytes, " are read");
  }
  const codec::Header header = codec::parse_header(bytes, name);
  // Both sides are 32 bits wide, so the product fits.
  const std::uint64_t pixels = std::uint64_t{header.width} * header.height;
  const std::uint64_t most = std::min(limits.max_pixels, kMostPixels);
  if (pixels > most) {
    fail(ErrorCode::kInvalidArgument, name, ": claims ", header.width, " x ", header.height, " = ", pixels, " pixels; at most ",
         most, " are read");
  }
  try {
    return codec::orient(decode_stored(bytes, name, header, limits.target_side), header.orientation);
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::kBusy, name, ": ", header.width, " x ", header.height,
         " pixels do not fit into the memory that is free now; with more of it they can be read");
  }
}

}  // namespace signet
