#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "image/codec.h"
#include "signet/base/error.h"
#include "webp/decode.h"

namespace signet::codec {
namespace {

// Into memory of the caller, `channels` bytes a pixel: 3 or, with alpha, 4.
VP8StatusCode decode_into(std::span<const std::byte> bytes, std::uint32_t width, std::uint32_t channels,
                          std::span<std::uint8_t> pixels) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) return VP8_STATUS_INVALID_PARAM;  // another version than the header's
  config.output.colorspace = channels == 4 ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {pixels.data(), static_cast<int>(width * channels), pixels.size()};
  return WebPDecode(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), &config);
}

}  // namespace

Image decode_webp(std::span<const std::byte> bytes, const std::string& name, const Header& header) {
  WebPBitstreamFeatures features;
  const auto check = [&](VP8StatusCode status) {
    if (status == VP8_STATUS_OK) return;
    if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
    fail(ErrorCode::kCorrupt, name, ": this WebP is truncated or damaged; a complete file would be right");
  };
  check(WebPGetFeatures(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), &features));
  if (features.has_alpha != 0) {
    std::vector<std::uint8_t> samples(std::size_t{header.width} * header.height * 4);
    check(decode_into(bytes, header.width, 4, samples));
    return blend_on_white(header.width, header.height, 3, samples);
  }
  Image image = blank(header.width, header.height, 3);
  check(decode_into(bytes, header.width, 3, image.pixels));
  return image;
}

}  // namespace signet::codec
