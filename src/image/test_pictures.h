#pragma once

#include <tiffio.h>
#include <unistd.h>
#include <webp/encode.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "signet/base/file_system.h"
#include "signet/image/image.h"

// Encoded pictures made byte by byte, so that tests reach variants that signet itself never writes.
namespace signet::testpictures {

inline std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string text_of(std::span<const std::byte> bytes) { return std::string(as_text(bytes)); }

inline std::string big(std::uint32_t value, int width) {
  std::string text;
  for (int i = width - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}
inline std::string little(std::uint32_t value, int width) {
  std::string text;
  for (int i = 0; i < width; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

// Every pixel differs from its neighbours, smooth enough for lossy codecs.
inline Image gradient(std::uint32_t width, std::uint32_t height, std::uint32_t channels) {
  Image image{width, height, channels, {}};
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      const std::uint32_t values[3] = {40 + 160 * x / width, 30 + 180 * y / height, 200 - 90 * (x + y) / (width + height)};
      for (std::uint32_t c = 0; c < channels; ++c) image.pixels.push_back(static_cast<std::uint8_t>(values[c]));
    }
  }
  return image;
}

// A picture whose four quarters have clearly different values: what orientation it is in shows after any codec.
inline Image quarters(std::uint32_t width, std::uint32_t height) {
  Image image{width, height, 1, {}};
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x)
      image.pixels.push_back(static_cast<std::uint8_t>(30 + 60 * ((y >= height / 2) * 2 + (x >= width / 2))));
  }
  return image;
}

// The EXIF structure with one tag, orientation.
inline std::string exif(int orientation, bool big_endian = false) {
  if (big_endian)
    return "MM" + big(42, 2) + big(8, 4) + big(1, 2) + big(274, 2) + big(3, 2) + big(1, 4) +
           big(static_cast<std::uint32_t>(orientation), 2) + big(0, 2) + big(0, 4);
  return "II" + little(42, 2) + little(8, 4) + little(1, 2) + little(274, 2) + little(3, 2) + little(1, 4) +
         little(static_cast<std::uint32_t>(orientation), 2) + little(0, 2) + little(0, 4);
}

inline std::string with_jpeg_exif(const std::string& jpeg, const std::string& tiff) {
  const std::string body = std::string("Exif\0\0", 6) + tiff;
  return jpeg.substr(0, 2) + "\xFF\xE1" + big(static_cast<std::uint32_t>(body.size() + 2), 2) + body + jpeg.substr(2);
}

inline std::string png_chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto crc =
      static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())));
  return big(static_cast<std::uint32_t>(data.size()), 4) + body + big(crc, 4);
}

inline std::string zipped(const std::string& raw) {
  uLongf size = compressBound(static_cast<uLong>(raw.size()));
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(raw.data()),
           static_cast<uLong>(raw.size()));
  packed.resize(size);
  return packed;
}

// rows: the samples of each row as stored. colour type: 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA. extra: chunks before
// IDAT.
inline std::string png(std::uint32_t width, std::uint32_t height, int depth, int colour, const std::vector<std::string>& rows,
                       const std::string& extra = {}) {
  std::string raw;
  for (const std::string& row : rows) raw += '\0' + row;
  std::string head = big(width, 4) + big(height, 4);
  head += static_cast<char>(depth);
  head += static_cast<char>(colour);
  head += std::string(3, '\0');
  return "\x89PNG\r\n\x1A\n" + png_chunk("IHDR", head) + extra + png_chunk("IDAT", zipped(raw)) + png_chunk("IEND", "");
}

inline std::string webp(const Image& image, bool lossless) {
  std::uint8_t* data = nullptr;
  const int w = static_cast<int>(image.width), h = static_cast<int>(image.height);
  const std::size_t size = lossless ? WebPEncodeLosslessRGB(image.pixels.data(), w, h, w * 3, &data)
                                    : WebPEncodeRGB(image.pixels.data(), w, h, w * 3, 95, &data);
  std::string text(reinterpret_cast<const char*>(data), size);
  WebPFree(data);
  return text;
}

// An uncompressed TIFF. The samples are those of the file, so samples_per_pixel and bits decide their layout.
struct Tiff {
  std::uint16_t bits = 8, samples = 1, photometric = PHOTOMETRIC_MINISBLACK, orientation = 1, compression = COMPRESSION_NONE;
  bool alpha = false;
};
inline std::string tiff(std::uint32_t width, std::uint32_t height, const std::string& samples, const Tiff& how) {
  char name[] = "/tmp/signet-tiff-XXXXXX";
  const int fd = ::mkstemp(name);
  TIFF* out = TIFFFdOpen(fd, name, "w");
  TIFFSetField(out, TIFFTAG_IMAGEWIDTH, width);
  TIFFSetField(out, TIFFTAG_IMAGELENGTH, height);
  TIFFSetField(out, TIFFTAG_BITSPERSAMPLE, how.bits);
  TIFFSetField(out, TIFFTAG_SAMPLESPERPIXEL, how.samples);
  TIFFSetField(out, TIFFTAG_PHOTOMETRIC, how.photometric);
  TIFFSetField(out, TIFFTAG_ORIENTATION, how.orientation);
  TIFFSetField(out, TIFFTAG_COMPRESSION, how.compression);
  TIFFSetField(out, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(out, TIFFTAG_ROWSPERSTRIP, height);
  if (how.alpha) {
    const std::uint16_t kind = EXTRASAMPLE_UNASSALPHA;
    TIFFSetField(out, TIFFTAG_EXTRASAMPLES, 1, &kind);
  }
  const std::size_t stride = samples.size() / height;
  for (std::uint32_t y = 0; y < height; ++y) TIFFWriteScanline(out, const_cast<char*>(samples.data()) + y * stride, y, 0);
  TIFFClose(out);
  std::ifstream in(name, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  ::unlink(name);
  return text;
}

// BMP with the 40-byte header. body: what follows the header, palette or masks included; `gap`: their bytes.
inline std::string bmp(std::int32_t width, std::int32_t height, int bits, std::uint32_t compression, const std::string& body,
                       std::uint32_t gap = 0) {
  return "BM" + little(static_cast<std::uint32_t>(54 + body.size()), 4) + little(0, 4) + little(54 + gap, 4) + little(40, 4) +
         little(static_cast<std::uint32_t>(width), 4) + little(static_cast<std::uint32_t>(height), 4) + little(1, 2) +
         little(static_cast<std::uint32_t>(bits), 2) + little(compression, 4) + std::string(20, '\0') + body;
}

inline std::vector<int> values(const Image& image) { return {image.pixels.begin(), image.pixels.end()}; }

}  // namespace signet::testpictures
