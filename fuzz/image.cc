// Pictures: header and pixels agree, limits hold, and whatever was decoded can be turned into a network's input.
#include "signet/image/image.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signet;
  const auto bytes = fuzz::input(data, size);
  ImageHeader header;
  fuzz::value_or_error([&] { header = read_image_header(bytes, "x"); });
  fuzz::value_or_error([&] {
    DecodeLimits limits;
    limits.max_pixels = 1 << 20;
    if (size % 3 == 0) limits.target_side = 16;
    const Image image = decode_image(bytes, "x", limits);
    fuzz::require(!header.format.empty(), "what can be decoded has a readable header");
    fuzz::require(image.channels == 1 || image.channels == 3, "grey or colour");
    fuzz::require(std::uint64_t{image.width} * image.height <= limits.max_pixels, "within the limit");
    fuzz::require(image.pixels.size() == std::size_t{image.width} * image.height * image.channels, "all pixels");
    fuzz::require(limits.target_side != 0 || (image.width == header.width && image.height == header.height), "the header's size");
    fuzz::require(centre_square(image, 8).pixels.size() == std::size_t{64} * image.channels, "a network's input");
  });
  return 0;
}
