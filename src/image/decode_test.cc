#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "image/test_pictures.h"
#include "signet/base/error.h"
#include "signet/image/image.h"

// What is read, and as which pixels.
namespace signet {
namespace {

using namespace testpictures;

Image decode(const std::string& bytes, const DecodeLimits& limits = {}) {
  return decode_image(bytes_of(bytes), "picture", limits);
}

int largest_difference(const Image& a, const Image& b) {
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.height, b.height);
  EXPECT_EQ(a.channels, b.channels);
  int most = a.pixels.size() == b.pixels.size() ? 0 : 999;
  for (std::size_t i = 0; i < std::min(a.pixels.size(), b.pixels.size()); ++i)
    most = std::max(most, std::abs(a.pixels[i] - b.pixels[i]));
  return most;
}

void expect_header(const std::string& bytes, const std::string& format, std::uint32_t width, std::uint32_t height) {
  const ImageHeader header = read_image_header(bytes_of(bytes), "picture");
  EXPECT_EQ(header.format, format);
  EXPECT_EQ(header.width, width);
  EXPECT_EQ(header.height, height);
}

// The upright picture, and how it is stored under each orientation, from EXIF 2.3's description of rows and columns: orientation
// 6, for example, has the picture's top at the right-hand side.
Image stored_as(const Image& upright, int orientation) {
  const std::uint32_t w = upright.width, h = upright.height;
  const bool turned = orientation >= 5;
  Image stored{turned ? h : w, turned ? w : h, 1, std::vector<std::uint8_t>(upright.pixels.size())};
  for (std::uint32_t y = 0; y < h; ++y) {
    for (std::uint32_t x = 0; x < w; ++x) {
      std::uint32_t row = 0, column = 0;
      switch (orientation) {
        case 1:
          row = y, column = x;
          break;
        case 2:
          row = y, column = w - 1 - x;
          break;
        case 3:
          row = h - 1 - y, column = w - 1 - x;
          break;
        case 4:
          row = h - 1 - y, column = x;
          break;
        case 5:
          row = x, column = y;
          break;  // 0th row: left side, 0th column: top
        case 6:
          row = w - 1 - x, column = y;
          break;  // 0th row: right side, 0th column: top
        case 7:
          row = w - 1 - x, column = h - 1 - y;
          break;  // 0th row: right side, 0th column: bottom
        case 8:
          row = x, column = h - 1 - y;
          break;  // 0th row: left side, 0th column: bottom
        default:
          ADD_FAILURE();
      }
      stored.pixels[std::size_t{row} * stored.width + column] = upright.pixels[std::size_t{y} * w + x];
    }
  }
  return stored;
}

TEST(Decode, PngOfOursIsLossless) {
  for (std::uint32_t channels : {1u, 3u}) {
    const Image image = gradient(37, 21, channels);
    const std::string bytes = text_of(encode_png(image));
    expect_header(bytes, "png", 37, 21);
    EXPECT_EQ(decode(bytes), image);
  }
}

TEST(Decode, JpegOfOursIsClose) {
  for (std::uint32_t channels : {1u, 3u}) {
    const Image image = gradient(67, 45, channels);
    const std::string bytes = text_of(encode_jpeg(image, 95));
    expect_header(bytes, "jpeg", 67, 45);
    EXPECT_LE(largest_difference(decode(bytes), image), 8);
  }
}

TEST(Decode, JpegTurnsUprightInAllEightOrientations) {
  const Image upright = quarters(48, 32);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string stored = text_of(encode_jpeg(stored_as(upright, orientation), 100));
    for (bool big_endian : {false, true}) {
      const std::string bytes = with_jpeg_exif(stored, exif(orientation, big_endian));
      expect_header(bytes, "jpeg", 48, 32);
      EXPECT_LE(largest_difference(decode(bytes), upright), 4) << "orientation " << orientation;
    }
  }
}

TEST(Decode, PngAndTiffTurnUprightInAllEightOrientations) {
  const Image upright = quarters(6, 4);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image stored = stored_as(upright, orientation);
    std::string bytes = text_of(encode_png(stored));
    bytes.insert(33, png_chunk("eXIf", exif(orientation)));  // behind IHDR
    EXPECT_EQ(decode(bytes), upright) << "png " << orientation;
    const std::string raw(stored.pixels.begin(), stored.pixels.end());
    const std::string tif = tiff(stored.width, stored.height, raw, {.orientation = static_cast<std::uint16_t>(orientation)});
    expect_header(tif, "tiff", 6, 4);
    EXPECT_EQ(decode(tif), upright) << "tiff " << orientation;
  }
}

TEST(Decode, WebpTurnsUpright) {
  const Image upright = convert_channels(quarters(6, 4), 3);
  const Image stored = convert_channels(stored_as(quarters(6, 4), 6), 3);
  const std::string plain = webp(stored, true);
  // An extended file: VP8X with the EXIF flag, the picture's own chunk, EXIF.
  const std::string tag = exif(6);
  const std::string body = "WEBPVP8X" + little(10, 4) + little(8, 4) + little(stored.width - 1, 3) +
                           little(stored.height - 1, 3) + plain.substr(12) + "EXIF" +
                           little(static_cast<std::uint32_t>(tag.size()), 4) + tag;
  const std::string bytes = "RIFF" + little(static_cast<std::uint32_t>(body.size()), 4) + body;
  expect_header(bytes, "webp", 6, 4);
  EXPECT_EQ(decode(bytes), upright);
}

TEST(Decode, AbsurdOrientationIsLeftAlone) {
  const std::string stored = text_of(encode_jpeg(quarters(48, 32), 100));
  for (const std::string& tag : {exif(0), exif(9), exif(6).substr(0, 12), std::string("II*\0\xFF\xFF\xFF\xFF", 8)}) {
    EXPECT_EQ(decode(with_jpeg_exif(stored, tag)), decode(stored));
  }
}

TEST(Decode, JpegSmallerAsLongAsTwiceTheTargetIsLeft) {
  const std::string bytes = text_of(encode_jpeg(gradient(400, 320, 3), 90));
  const auto width_for = [&](std::uint32_t side) { return decode(bytes, {.target_side = side}).width; };
  EXPECT_EQ(width_for(0), 400u);
  EXPECT_EQ(width_for(20), 50u);
  EXPECT_EQ(width_for(21), 100u);  // 320 / 8 = 40 < 42
  EXPECT_EQ(width_for(80), 200u);
  EXPECT_EQ(width_for(81), 400u);
  EXPECT_LE(largest_difference(decode(bytes, {.target_side = 20}), resize(gradient(400, 320, 3), 50, 40)), 8);
}

TEST(Decode, JpegWithGarbageBetweenSegmentsIsWhole) {
  std::string bytes = text_of(encode_jpeg(gradient(20, 20, 1), 90));
  const Image plain = decode(bytes);
  bytes.insert(20, "\xFF\xFF\xFF");  // fill bytes before the next marker
  EXPECT_EQ(decode(bytes), plain);
}

TEST(Decode, PngSixteenBitsAreRoundedNotCut) {
  const std::string row = big(0, 2) + big(0x00FF, 2) + big(0x7FFF, 2) + big(0x8000, 2) + big(0xFFFF, 2);
  EXPECT_EQ(values(decode(png(5, 1, 16, 0, {row}))), (std::vector<int>{0, 1, 127, 128, 255}));
}

TEST(Decode, PngGreyOfFewBits) {
  EXPECT_EQ(values(decode(png(8, 1, 1, 0, {"\xA5"}))), (std::vector<int>{255, 0, 255, 0, 0, 255, 0, 255}));
  EXPECT_EQ(values(decode(png(2, 1, 4, 0, {"\x1F"}))), (std::vector<int>{17, 255}));
}

TEST(Decode, PngPaletteBecomesColour) {
  const std::string palette = png_chunk("PLTE", std::string("\x0A\x14\x1E\xC8\xD2\xDC", 6));
  const Image image = decode(png(2, 1, 8, 3, {std::string("\x01\x00", 2)}, palette));
  EXPECT_EQ(image.channels, 3u);
  EXPECT_EQ(values(image), (std::vector<int>{200, 210, 220, 10, 20, 30}));
}

TEST(Decode, PngAlphaIsBlendedOnWhite) {
  EXPECT_EQ(values(decode(png(3, 1, 8, 6, {std::string("\x64\x00\xC8\xFF\x64\x00\xC8\x80\x64\x00\xC8\x00", 12)}))),
            (std::vector<int>{100, 0, 200, 177, 127, 227, 255, 255, 255}));
  EXPECT_EQ(values(decode(png(2, 1, 8, 4, {std::string("\x64\x80\x00\x00", 4)}))), (std::vector<int>{177, 255}));
}

TEST(Decode, PngTransparentPaletteEntryBecomesWhite) {
  const std::string extra =
      png_chunk("PLTE", std::string("\x0A\x14\x1E\xC8\xD2\xDC", 6)) + png_chunk("tRNS", std::string("\x00", 1));
  EXPECT_EQ(values(decode(png(2, 1, 8, 3, {std::string("\x01\x00", 2)}, extra))),
            (std::vector<int>{200, 210, 220, 255, 255, 255}));
}

TEST(Decode, WebpLossyAndLossless) {
  const Image image = gradient(31, 17, 3);
  expect_header(webp(image, true), "webp", 31, 17);
  EXPECT_EQ(decode(webp(image, true)), image);
  EXPECT_LE(largest_difference(decode(webp(image, false)), image), 24);
}

TEST(Decode, TiffGreyColourAlphaInvertedAndSixteenBits) {
  EXPECT_EQ(values(decode(tiff(2, 1, "\x0A\xC8", {}))), (std::vector<int>{10, 200}));
  EXPECT_EQ(values(decode(tiff(2, 1, "\x0A\xC8", {.photometric = PHOTOMETRIC_MINISWHITE}))), (std::vector<int>{245, 55}));
  EXPECT_EQ(values(decode(tiff(1, 1, "\x0A\x14\x1E", {.samples = 3, .photometric = PHOTOMETRIC_RGB}))),
            (std::vector<int>{10, 20, 30}));
  EXPECT_EQ(values(decode(
                tiff(1, 1, std::string("\x64\x00\xC8\x80", 4), {.samples = 4, .photometric = PHOTOMETRIC_RGB, .alpha = true}))),
            (std::vector<int>{177, 127, 227}));
  EXPECT_EQ(values(decode(tiff(2, 1, little(0xFFFF, 2) + little(0, 2), {.bits = 16}))), (std::vector<int>{255, 0}));
  EXPECT_EQ(decode(tiff(40, 3, std::string(120, '\x37'), {.compression = COMPRESSION_LZW})).pixels,
            std::vector<std::uint8_t>(120, 0x37));
}

TEST(Decode, PnmOfEveryKind) {
  EXPECT_EQ(values(decode("P1 # comment\n3 2\n101\n0 1 0")), (std::vector<int>{0, 255, 0, 255, 0, 255}));
  EXPECT_EQ(values(decode("P2 2 1 9\n0 9\n")), (std::vector<int>{0, 255}));
  EXPECT_EQ(values(decode("P3 1 1 255 1 2 3")), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(values(decode("P4\n9 1\n\xA0\x80")), (std::vector<int>{0, 255, 0, 255, 255, 255, 255, 255, 0}));
  EXPECT_EQ(values(decode("P5\n2 1 255\n\x0A\xC8")), (std::vector<int>{10, 200}));
  EXPECT_EQ(values(decode(std::string("P5\n2 1 65535\n\xFF\xFF\x00\x00", 17))), (std::vector<int>{255, 0}));
  EXPECT_EQ(values(decode("P6\n1 1 255\n\x01\x02\x03")), (std::vector<int>{1, 2, 3}));
  expect_header("P6\n70 80 255\n", "pnm", 70, 80);
}

TEST(Decode, BmpOfEveryDepth) {
  const std::string palette = little(0x00302010, 4) + little(0x00DCD2C8, 4);  // blue lowest
  std::string one = bmp(2, 1, 1, 0, palette + little(0x40, 4), 8);
  one.replace(46, 4, little(2, 4));  // colours used
  EXPECT_EQ(values(decode(one)), (std::vector<int>{0x30, 0x20, 0x10, 0xDC, 0xD2, 0xC8}));
  std::string eight = bmp(1, 1, 8, 0, palette + little(1, 4), 8);
  eight.replace(46, 4, little(2, 4));
  EXPECT_EQ(values(decode(eight)), (std::vector<int>{0xDC, 0xD2, 0xC8}));
  const std::string rows = std::string("\x01\x02\x03\x00", 4) + std::string("\x04\x05\x06\x00", 4);
  EXPECT_EQ(values(decode(bmp(1, 2, 24, 0, rows))), (std::vector<int>{6, 5, 4, 3, 2, 1}));   // rows from the bottom
  EXPECT_EQ(values(decode(bmp(1, -2, 24, 0, rows))), (std::vector<int>{3, 2, 1, 6, 5, 4}));  // and from the top
  EXPECT_EQ(values(decode(bmp(1, 1, 16, 0, little(0x7C1F, 4)))), (std::vector<int>{255, 0, 255}));
  EXPECT_EQ(values(decode(bmp(1, 1, 32, 0, little(0x11223344, 4)))), (std::vector<int>{0x22, 0x33, 0x44}));
  const std::string masks = little(0xF800, 4) + little(0x07E0, 4) + little(0x001F, 4);
  EXPECT_EQ(values(decode(bmp(1, 1, 16, 3, masks + little(0x07E0, 4), 12))), (std::vector<int>{0, 255, 0}));
}

TEST(Decode, BmpAlphaIsBlendedOnWhite) {
  std::string bytes = bmp(
      1, 1, 32, 3, little(0xFF0000, 4) + little(0xFF00, 4) + little(0xFF, 4) + little(0xFF000000, 4) + little(0x806400C8, 4), 16);
  bytes.replace(14, 4, little(56, 4));
  EXPECT_EQ(values(decode(bytes)), (std::vector<int>{177, 127, 227}));
}

}  // namespace
}  // namespace signet
