#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string>

#include "signet/image/image.h"

// What the codecs of this room share. Each decoder gives the stored picture; decode.cc checks limits before and turns it upright
// after.
namespace signet::codec {

enum class Format { kJpeg, kPng, kBmp, kWebp, kTiff, kPnm };

struct Header {
  Format format = Format::kJpeg;
  std::uint32_t width = 0, height = 0;  // as stored
  int orientation = 1;                  // EXIF 2.3 tag 0x0112, 1 to 8; 1 where absent or absurd
};

const char* format_name(Format format) noexcept;

// Never reads outside `bytes`, allocates nothing but messages. Throws kCorrupt, kUnsupported (a picture of a kind that signet
// does not read).
Header parse_header(std::span<const std::byte> bytes, const std::string& name);

// The first value of a numeric tag of the first directory of a TIFF structure, classic or big; EXIF blocks are such structures.
std::optional<std::uint64_t> tiff_tag(std::span<const std::byte> tiff, std::uint16_t tag) noexcept;

// Width and height of a PNM and what follows from them.
struct PnmHeader {
  char kind = '0';  // '1' to '6'
  std::uint32_t width = 0, height = 0, maximum = 1;
  std::size_t data = 0;  // offset of the first sample
};
PnmHeader parse_pnm_header(std::span<const std::byte> bytes, const std::string& name);

// The caller has parsed the header and checked the limits. All throw kCorrupt, kUnsupported for a variant they do not read, and
// std::bad_alloc, which decode_image turns into kBusy, where memory is lacking, inside the libraries too.
Image decode_jpeg(std::span<const std::byte> bytes, const std::string& name, const Header& header, std::uint32_t target_side);
Image decode_png(std::span<const std::byte> bytes, const std::string& name, const Header& header);
Image decode_bmp(std::span<const std::byte> bytes, const std::string& name, const Header& header);
Image decode_webp(std::span<const std::byte> bytes, const std::string& name, const Header& header);
Image decode_tiff(std::span<const std::byte> bytes, const std::string& name, const Header& header);
Image decode_pnm(std::span<const std::byte> bytes, const std::string& name, const Header& header);

// Turns a stored picture upright: orientation as in EXIF, 1 to 8.
Image orient(Image image, int orientation);

// `samples`: interleaved pixels of channels + 1 values, the last one alpha, not premultiplied. Blended on white in the stored
// (gamma) space.
Image blend_on_white(std::uint32_t width, std::uint32_t height, std::uint32_t channels, std::span<const std::uint8_t> samples);

Image blank(std::uint32_t width, std::uint32_t height, std::uint32_t channels);

// Throws kInvalidArgument unless size, channels and the number of pixels agree and nothing is zero.
void check_image(const Image& image, const char* what);

// libpng and libtiff say by words alone that memory is lacking. malloc() also says so by errno, which their refusals of what a
// file claims do not touch. It may be left so where malloc() then found memory elsewhere: a damaged picture is called busy once.
class MemoryWatch {
 public:
  MemoryWatch() noexcept { errno = 0; }
  void check() const {  // to be asked once a call has failed
    if (errno == ENOMEM) throw std::bad_alloc();
  }
};

inline std::uint8_t byte_at(std::span<const std::byte> bytes, std::size_t at) noexcept {
  return std::to_integer<std::uint8_t>(bytes[at]);
}
// The caller guarantees that the bytes exist.
inline std::uint32_t big16(std::span<const std::byte> b, std::size_t at) noexcept {
  return static_cast<std::uint32_t>(byte_at(b, at)) << 8 | byte_at(b, at + 1);
}
inline std::uint32_t big32(std::span<const std::byte> b, std::size_t at) noexcept {
  return big16(b, at) << 16 | big16(b, at + 2);
}
inline std::uint32_t little16(std::span<const std::byte> b, std::size_t at) noexcept {
  return static_cast<std::uint32_t>(byte_at(b, at + 1)) << 8 | byte_at(b, at);
}
inline std::uint32_t little32(std::span<const std::byte> b, std::size_t at) noexcept {
  return little16(b, at + 2) << 16 | little16(b, at);
}

}  // namespace signet::codec
