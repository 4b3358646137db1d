#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "image/codec.h"
#include "signet/base/error.h"
#include "webp/decode.h"

namespace signet::codec {
namespace {

constexpr std::uint16_t kTagWidth = 256, kTagHeight = 257, kTagOrientation = 274;

bool has_text(std::span<const std::byte> bytes, std::size_t at, std::string_view text) noexcept {
  if (at > bytes.size() || text.size() > bytes.size() - at) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (byte_at(bytes, at + i) != static_cast<std::uint8_t>(text[i])) return false;
  }
  return true;
}

int orientation_of(std::span<const std::byte> tiff) noexcept {
  const std::optional<std::uint64_t> value = tiff_tag(tiff, kTagOrientation);
  return value && *value >= 1 && *value <= 8 ? static_cast<int>(*value) : 1;
}

[[noreturn]] void truncated(const std::string& name, const char* format) {
  fail(ErrorCode::kCorrupt, name, ": this ", format, " ends inside its header; a complete file would be right");
}

constexpr std::string_view kExifMark("Exif\0\0", 6);

// ITU T.81 annex B: segments of 0xFF, marker, length. The size is in the first start-of-frame; EXIF's APP1 comes before it.
Header parse_jpeg(std::span<const std::byte> bytes, const std::string& name) {
  Header header{.format = Format::kJpeg};
  std::size_t at = 2;
  while (true) {
    while (at < bytes.size() && byte_at(bytes, at) != 0xFF) ++at;  // garbage between segments, which decoders skip too
    while (at < bytes.size() && byte_at(bytes, at) == 0xFF) ++at;  // fill bytes
    if (at >= bytes.size()) truncated(name, "JPEG");
    const std::uint8_t marker = byte_at(bytes, at++);
    if (marker == 0x00 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) continue;  // without a length
    if (marker == 0xD9 || marker == 0xDA) fail(ErrorCode::kCorrupt, name, ": this JPEG has no frame header before its data");
    if (bytes.size() - at < 2) truncated(name, "JPEG");
    const std::size_t length = big16(bytes, at);
    if (length < 2)
      fail(ErrorCode::kCorrupt, name, ": this JPEG has a segment of length ", length, " at offset ", at,
           "; at least 2 would be right");
    const bool frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame) {
      if (bytes.size() - at < 8 || length < 8) truncated(name, "JPEG");
      header.height = big16(bytes, at + 3);
      header.width = big16(bytes, at + 5);
      return header;
    }
    if (length > bytes.size() - at) truncated(name, "JPEG");
    const std::span<const std::byte> body = bytes.subspan(at + 2, length - 2);
    if (marker == 0xE1 && has_text(body, 0, kExifMark)) header.orientation = orientation_of(body.subspan(kExifMark.size()));
    at += length;
  }
}

// PNG (ISO 15948): IHDR first; eXIf (extension 1.5.0) anywhere before IEND.
Header parse_png(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < 8 + 8 + 13) truncated(name, "PNG");
  if (!has_text(bytes, 12, "IHDR")) fail(ErrorCode::kCorrupt, name, ": this PNG does not begin with an IHDR chunk");
  Header header{.format = Format::kPng, .width = big32(bytes, 16), .height = big32(bytes, 20)};
  for (std::size_t at = 8; bytes.size() - at >= 12;) {
    const std::size_t length = big32(bytes, at);
    if (length > bytes.size() - at - 12) break;  // truncated later on: the decoder's business
    if (has_text(bytes, at + 4, "eXIf")) header.orientation = orientation_of(bytes.subspan(at + 8, length));
    at += 12 + length;
  }
  return header;
}

Header parse_webp(std::span<const std::byte> bytes, const std::string& name) {
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), &features);
  if (status == VP8_STATUS_NOT_ENOUGH_DATA) truncated(name, "WebP");
  if (status != VP8_STATUS_OK) fail(ErrorCode::kCorrupt, name, ": this WebP has a damaged header");
  if (features.has_animation != 0)
    fail(ErrorCode::kUnsupported, name, ": this WebP is an animation; a still picture would be right");
  Header header{.format = Format::kWebp,
                .width = static_cast<std::uint32_t>(features.width),
                .height = static_cast<std::uint32_t>(features.height)};
  for (std::size_t at = 12; at <= bytes.size() && bytes.size() - at >= 8;) {  // RIFF chunks, padded to even length
    const std::size_t length = little32(bytes, at + 4);
    if (length > bytes.size() - at - 8) break;
    if (has_text(bytes, at, "EXIF")) {
      std::span<const std::byte> body = bytes.subspan(at + 8, length);
      if (has_text(body, 0, kExifMark)) body = body.subspan(kExifMark.size());  // some writers keep JPEG's mark
      header.orientation = orientation_of(body);
    }
    at += 8 + length + (length & 1);
  }
  return header;
}

Header parse_bmp(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < 26) truncated(name, "BMP");
  const std::uint32_t size = little32(bytes, 14);
  Header header{.format = Format::kBmp};
  if (size == 12) {  // OS/2 1.x
    header.width = little16(bytes, 18);
    header.height = little16(bytes, 20);
    return header;
  }
  if (size < 40 || size > 256)
    fail(ErrorCode::kCorrupt, name, ": this BMP has an information header of ", size, " bytes; 12 or 40 to 124 would be right");
  if (bytes.size() < 54) truncated(name, "BMP");
  const auto width = static_cast<std::int32_t>(little32(bytes, 18));
  const auto height = static_cast<std::int32_t>(little32(bytes, 22));  // negative: rows from the top
  if (width < 0) fail(ErrorCode::kCorrupt, name, ": this BMP claims a width of ", width);
  header.width = static_cast<std::uint32_t>(width);
  header.height = static_cast<std::uint32_t>(height < 0 ? -std::int64_t{height} : std::int64_t{height});
  return header;
}

Header parse_tiff(std::span<const std::byte> bytes, const std::string& name) {
  const std::optional<std::uint64_t> width = tiff_tag(bytes, kTagWidth), height = tiff_tag(bytes, kTagHeight);
  if (!width || !height)
    fail(ErrorCode::kCorrupt, name,
         ": this TIFF is truncated or damaged (its first directory gives no width and height); a complete file would be right");
  constexpr std::uint64_t kMaxSide = 0xFFFFFFFFu;
  Header header{.format = Format::kTiff, .orientation = orientation_of(bytes)};
  header.width = static_cast<std::uint32_t>(std::min(*width, kMaxSide));  // beyond any limit either way
  header.height = static_cast<std::uint32_t>(std::min(*height, kMaxSide));
  return header;
}

Header parse_pnm(std::span<const std::byte> bytes, const std::string& name) {
  const PnmHeader pnm = parse_pnm_header(bytes, name);
  return {.format = Format::kPnm, .width = pnm.width, .height = pnm.height};
}

// Kinds of picture that users have and signet does not read: told apart from rubbish, so that the message can say what to do.
const char* known_but_unread(std::span<const std::byte> bytes) noexcept {
  if (has_text(bytes, 0, "GIF87a") || has_text(bytes, 0, "GIF89a")) return "GIF";
  if (has_text(bytes, 4, "ftypavif") || has_text(bytes, 4, "ftypavis")) return "AVIF";
  if (has_text(bytes, 4, "ftyp")) return "HEIF or video";
  if (has_text(bytes, 4, "jP  ") || has_text(bytes, 0, "\xFF\x4F\xFF\x51")) return "JPEG 2000";
  if (has_text(bytes, 0, "\x76\x2f\x31\x01")) return "OpenEXR";
  if (has_text(bytes, 0, "#?RADIANCE")) return "Radiance HDR";
  if (has_text(bytes, 0, "P7\n") || has_text(bytes, 0, "Pf\n") || has_text(bytes, 0, "PF\n")) return "PAM or PFM";
  if (has_text(bytes, 0, "8BPS")) return "Photoshop";
  if (has_text(bytes, 0, "\xFF\x0A") || has_text(bytes, 4, "JXL ")) return "JPEG XL";
  return nullptr;
}

// Both byte orders, classic and big. Each mark holds a NUL, so its length has to be said.
bool is_tiff(std::span<const std::byte> bytes) noexcept {
  constexpr std::string_view kMarks[] = {{"II*\0", 4}, {"MM\0*", 4}, {"II+\0", 4}, {"MM\0+", 4}};
  return std::any_of(std::begin(kMarks), std::end(kMarks), [&](std::string_view mark) { return has_text(bytes, 0, mark); });
}

Header parse_any(std::span<const std::byte> bytes, const std::string& name) {
  if (has_text(bytes, 0, "\xFF\xD8\xFF")) return parse_jpeg(bytes, name);
  if (has_text(bytes, 0, "\x89PNG\r\n\x1A\n")) return parse_png(bytes, name);
  if (has_text(bytes, 0, "RIFF") && has_text(bytes, 8, "WEBP")) return parse_webp(bytes, name);
  if (is_tiff(bytes)) return parse_tiff(bytes, name);
  if (has_text(bytes, 0, "BM")) return parse_bmp(bytes, name);
  if (bytes.size() >= 3 && byte_at(bytes, 0) == 'P' && byte_at(bytes, 1) >= '1' && byte_at(bytes, 1) <= '6')
    return parse_pnm(bytes, name);
  if (const char* kind = known_but_unread(bytes)) {
    fail(ErrorCode::kUnsupported, name, ": is ", kind, ", which signet does not read; convert it to PNG or JPEG");
  }
  if (bytes.empty()) fail(ErrorCode::kCorrupt, name, ": is empty; a JPEG, PNG, WebP, TIFF, BMP or PNM picture would be right");
  fail(ErrorCode::kCorrupt, name,
       ": is no picture that signet reads; a JPEG, PNG, WebP, TIFF, BMP or PNM picture would be right");
}

}  // namespace

const char* format_name(Format format) noexcept {
  switch (format) {
    case Format::kJpeg:
      return "jpeg";
    case Format::kPng:
      return "png";
    case Format::kBmp:
      return "bmp";
    case Format::kWebp:
      return "webp";
    case Format::kTiff:
      return "tiff";
    case Format::kPnm:
      return "pnm";
  }
  return "unknown";
}

Header parse_header(std::span<const std::byte> bytes, const std::string& name) {
  const Header header = parse_any(bytes, name);
  if (header.width == 0 || header.height == 0) {
    fail(ErrorCode::kCorrupt, name, ": claims a size of ", header.width, " x ", header.height, "; at least 1 x 1 would be right");
  }
  return header;
}

}  // namespace signet::codec
