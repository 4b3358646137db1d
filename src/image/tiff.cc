#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "image/codec.h"
#include "signet/base/error.h"

namespace signet::codec {
namespace {

// A read-only file in memory with a position, as TIFFClientOpenExt wants it, and the first message of libtiff about it. Handlers
// of one handle (libtiff 4.5): the process-wide ones stay as the host program set them.
struct Source {
  std::span<const std::byte> bytes;
  std::uint64_t at = 0;
  std::array<char, 256> message{};
};

tmsize_t read_some(thandle_t handle, void* target, tmsize_t size) {
  auto* source = static_cast<Source*>(handle);
  if (size <= 0 || source->at >= source->bytes.size()) return 0;
  const std::size_t count = std::min(static_cast<std::size_t>(size), source->bytes.size() - static_cast<std::size_t>(source->at));
  std::memcpy(target, source->bytes.data() + source->at, count);
  source->at += count;
  return static_cast<tmsize_t>(count);
}

tmsize_t write_nothing(thandle_t, void*, tmsize_t) { return 0; }

toff_t seek(thandle_t handle, toff_t offset, int whence) {
  auto* source = static_cast<Source*>(handle);
  source->at = whence == SEEK_SET ? offset : whence == SEEK_CUR ? source->at + offset : source->bytes.size() + offset;
  return source->at;
}

int close_nothing(thandle_t) { return 0; }

toff_t size_of(thandle_t handle) { return static_cast<Source*>(handle)->bytes.size(); }

int keep_error(TIFF*, void* user, const char* module, const char* format, va_list arguments) {
  auto* source = static_cast<Source*>(user);
  static_cast<void>(module);
  if (source->message[0] == '\0') std::vsnprintf(source->message.data(), source->message.size(), format, arguments);
  return 1;  // handled: the process-wide handler, which prints, is not called
}

int drop_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

struct CloseTiff {
  void operator()(TIFF* tiff) const noexcept { TIFFClose(tiff); }
};
using TiffHandle = std::unique_ptr<TIFF, CloseTiff>;

TiffHandle open_tiff(Source& source, std::uint64_t pixels) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(), TIFFOpenOptionsFree);
  if (options == nullptr) throw std::bad_alloc();
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_error, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), drop_warning, &source);
  // One strip or tile never needs more than 16 bytes a pixel of the whole picture.
  const std::uint64_t most = pixels * 16 + (std::uint64_t{1} << 24);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(most));
  return TiffHandle(TIFFClientOpenExt("memory", "rm", &source, read_some, write_nothing, seek, close_nothing, size_of, nullptr,
                                      nullptr, options.get()));
}

struct RgbaImage {
  TIFFRGBAImage image{};
  bool begun = false;
  ~RgbaImage() {
    if (begun) TIFFRGBAImageEnd(&image);
  }
};

// libtiff's raster: one 32-bit word a pixel, red lowest, alpha premultiplied. On white: colour + (255 - alpha).
Image from_raster(std::uint32_t width, std::uint32_t height, std::uint32_t channels, std::span<const std::uint32_t> raster) {
  Image image = blank(width, height, channels);
  for (std::size_t i = 0; i < raster.size(); ++i) {
    const std::uint32_t white = 255 - TIFFGetA(raster[i]);
    for (std::uint32_t c = 0; c < channels; ++c) {
      image.pixels[i * channels + c] =
          static_cast<std::uint8_t>(std::min<std::uint32_t>(((raster[i] >> (8 * c)) & 255) + white, 255));
    }
  }
  return image;
}

}  // namespace

Image decode_tiff(std::span<const std::byte> bytes, const std::string& name, const Header& header) {
  Source source{.bytes = bytes};
  const MemoryWatch memory;
  const auto damaged = [&](const char* why) {
    memory.check();
    fail(ErrorCode::kCorrupt, name, ": this TIFF is truncated or damaged (",
         source.message[0] != '\0' ? source.message.data() : why, "); a complete file would be right");
  };
  const std::size_t pixels = std::size_t{header.width} * header.height;
  const TiffHandle tiff = open_tiff(source, pixels);
  if (tiff == nullptr) damaged("no directory");
  std::array<char, 1024> why{};
  if (TIFFRGBAImageOK(tiff.get(), why.data()) == 0) {
    memory.check();
    fail(ErrorCode::kUnsupported, name, ": this TIFF is of a kind that signet does not read (", why.data(),
         "); convert it to PNG");
  }
  RgbaImage rgba;
  if (TIFFRGBAImageBegin(&rgba.image, tiff.get(), 1, why.data()) == 0) damaged(why.data());
  rgba.begun = true;
  if (rgba.image.width != header.width || rgba.image.height != header.height) damaged("two sizes");
  // libtiff would turn by flips alone, which is wrong for orientations 5 to 8: decode as stored, orient() does the rest.
  rgba.image.orientation = ORIENTATION_TOPLEFT;
  rgba.image.req_orientation = ORIENTATION_TOPLEFT;
  std::vector<std::uint32_t> raster(pixels);
  if (TIFFRGBAImageGet(&rgba.image, raster.data(), header.width, header.height) == 0) damaged("missing data");
  const bool grey = rgba.image.photometric == PHOTOMETRIC_MINISBLACK || rgba.image.photometric == PHOTOMETRIC_MINISWHITE;
  return from_raster(header.width, header.height, grey ? 1 : 3, raster);
}

}  // namespace signet::codec
