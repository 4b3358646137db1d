#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "image/codec.h"
#include "signet/base/error.h"
#include "webp/decode.h"

namespace signet::codec {

Image decode_webp(std::span<const std::byte> bytes, const std::string& name, const Header& header) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  WebPBitstreamFeatures features;
  const auto damaged = [&] {
    fail(ErrorCode::kCorrupt, name, ": this WebP is truncated or damaged; a complete file would be right");
  };
  if (WebPGetFeatures(data, bytes.size(), &features) != VP8_STATUS_OK) damaged();
  if (features.has_alpha != 0) {
    std::vector<std::uint8_t> samples(std::size_t{header.width} * header.height * 4);
    if (WebPDecodeRGBAInto(data, bytes.size(), samples.data(), samples.size(), static_cast<int>(header.width * 4)) == nullptr)
      damaged();
    return blend_on_white(header.width, header.height, 3, samples);
  }
  Image image = blank(header.width, header.height, 3);
  if (WebPDecodeRGBInto(data, bytes.size(), image.pixels.data(), image.pixels.size(), static_cast<int>(header.width * 3)) ==
      nullptr)
    damaged();
  return image;
}

}  // namespace signet::codec
