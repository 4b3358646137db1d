// jpeglib.h needs FILE and size_t before it.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
// clang-format on
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "image/test_pictures.h"
#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/image/image.h"

// What is refused, how, and that nothing is printed on the way.
namespace signet {
namespace {

using namespace testpictures;

class Damaged : public testing::Test {
 protected:
  void SetUp() override { testing::internal::CaptureStderr(); }
  void TearDown() override { EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "the library must not print"; }

  static void expect_refused(const std::string& bytes, ErrorCode code, const std::vector<std::string>& words,
                             const DecodeLimits& limits = {}) {
    try {
      decode_image(bytes_of(bytes), "dir/picture.x", limits);
      FAIL() << "decoded";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_NE(std::string(error.what()).find("dir/picture.x"), std::string::npos) << error.what();
      for (const std::string& word : words)
        EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << word << " is not in: " << error.what();
    }
  }
  // Any proper prefix is an error of kind kCorrupt, never a picture.
  static void expect_prefixes_refused(const std::string& bytes, std::size_t step) {
    for (std::size_t size = 0; size < bytes.size(); size += step) expect_refused(bytes.substr(0, size), ErrorCode::kCorrupt, {});
    expect_refused(bytes.substr(0, bytes.size() - 1), ErrorCode::kCorrupt, {});
  }
  // Flips of single bits give a picture or an Error, and nothing else.
  static void survive_flips(const std::string& bytes, std::size_t rounds) {
    Random random(5);
    for (std::size_t i = 0; i < rounds; ++i) {
      std::string bad = bytes;
      for (std::uint64_t flips = 1 + random.below(3); flips > 0; --flips) {
        char& byte = bad[static_cast<std::size_t>(random.below(bad.size()))];
        byte = static_cast<char>(byte ^ (1 << random.below(8)));
      }
      try {
        const Image image = decode_image(bytes_of(bad), "flipped", {.max_pixels = 1'000'000});
        EXPECT_EQ(image.pixels.size(), std::size_t{image.width} * image.height * image.channels);
      } catch (const Error&) {
      }
    }
  }
};

std::string plain_jpeg() { return text_of(encode_jpeg(gradient(64, 48, 3), 90)); }
std::string plain_png() { return text_of(encode_png(gradient(64, 48, 3))); }

#ifdef __has_feature  // how clang says it
#define SIGNET_HAS_FEATURE(name) __has_feature(name)
#else
#define SIGNET_HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || SIGNET_HAS_FEATURE(address_sanitizer) || \
    SIGNET_HAS_FEATURE(thread_sanitizer)
constexpr bool kSanitized = true;  // ends where the system grants no more address space
#else
constexpr bool kSanitized = false;
#endif

// While it lives, the process may take so many more bytes from the system.
class LittleMemory {
 public:
  explicit LittleMemory(std::size_t bytes) {
    ::malloc_trim(0);  // what earlier tests have freed
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    ::getrlimit(RLIMIT_AS, &before_);
    rlimit little = before_;
    little.rlim_cur = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + bytes;
    ::setrlimit(RLIMIT_AS, &little);
  }
  ~LittleMemory() { ::setrlimit(RLIMIT_AS, &before_); }
  LittleMemory(const LittleMemory&) = delete;
  LittleMemory& operator=(const LittleMemory&) = delete;

 private:
  rlimit before_{};
};

// A progressive or CMYK JPEG, which signet itself never writes.
std::string special_jpeg(bool progressive, bool cmyk, std::uint32_t width = 64, std::uint32_t height = 48) {
  jpeg_compress_struct cinfo;
  jpeg_error_mgr errors;
  cinfo.err = jpeg_std_error(&errors);
  jpeg_create_compress(&cinfo);
  unsigned char* data = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&cinfo, &data, &size);
  cinfo.image_width = width;
  cinfo.image_height = height;
  cinfo.input_components = cmyk ? 4 : 3;
  cinfo.in_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&cinfo);
  jpeg_set_quality(&cinfo, 100, TRUE);
  if (progressive) jpeg_simple_progression(&cinfo);
  jpeg_start_compress(&cinfo, TRUE);
  const Image image = gradient(width, height, 3);
  std::vector<std::uint8_t> row(std::size_t{width} * 4);
  while (cinfo.next_scanline < height) {
    for (std::size_t x = 0; x < width; ++x) {
      // Adobe's inverted inks: full paper value of half, so each colour comes out as value * 128 / 255.
      for (std::size_t c = 0; c < 3; ++c)
        row[(cmyk ? 4 : 3) * x + c] = image.pixels[(std::size_t{cinfo.next_scanline} * width + x) * 3 + c];
      if (cmyk) row[4 * x + 3] = 128;
    }
    JSAMPROW line = row.data();
    jpeg_write_scanlines(&cinfo, &line, 1);
  }
  jpeg_finish_compress(&cinfo);
  std::string text(reinterpret_cast<const char*>(data), size);
  jpeg_destroy_compress(&cinfo);
  std::free(data);
  return text;
}

TEST_F(Damaged, Empty) { expect_refused("", ErrorCode::kCorrupt, {"is empty"}); }

TEST_F(Damaged, NoPicture) { expect_refused("hello, world", ErrorCode::kCorrupt, {"no picture that signet reads", "JPEG, PNG"}); }

TEST_F(Damaged, KnownKindsThatAreNotRead) {
  expect_refused("GIF89a and so on", ErrorCode::kUnsupported, {"GIF", "convert it to PNG or JPEG"});
  expect_refused(std::string("\0\0\0\x1c"
                             "ftypavif",
                             12),
                 ErrorCode::kUnsupported, {"AVIF"});
  expect_refused(std::string("\0\0\0\x1c"
                             "ftypheic",
                             12),
                 ErrorCode::kUnsupported, {"HEIF"});
}

TEST_F(Damaged, JpegTruncatedAnywhere) { expect_prefixes_refused(plain_jpeg(), 23); }

TEST_F(Damaged, JpegProgressiveIsReadAndItsTruncationSeen) {
  const std::string whole = special_jpeg(true, false);
  EXPECT_EQ(decode_image(bytes_of(whole), "progressive").width, 64u);
  expect_prefixes_refused(whole, 101);  // a cut between two scans too: the picture would only be blurred
}

TEST_F(Damaged, JpegCmykIsMixedToRgb) {
  const Image image = decode_image(bytes_of(special_jpeg(false, true)), "cmyk"), original = gradient(64, 48, 3);
  ASSERT_EQ(image.channels, 3u);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) ASSERT_NEAR(image.pixels[i], original.pixels[i] * 128 / 255, 8) << i;
}

TEST_F(Damaged, JpegWithoutItsEndMark) {
  const std::string whole = plain_jpeg();
  expect_refused(whole.substr(0, whole.size() - 2), ErrorCode::kCorrupt, {"truncated"});
}

TEST_F(Damaged, JpegDamagedInItsData) {
  std::string bad = plain_jpeg();
  for (std::size_t i = bad.size() * 3 / 4; i < bad.size() * 3 / 4 + 40; ++i) bad[i] = static_cast<char>(0xFF);
  expect_refused(bad, ErrorCode::kCorrupt, {});
}

TEST_F(Damaged, JpegHeaderOverThePixelLimitIsRefusedBeforeAllocation) {
  std::string huge = plain_jpeg();
  const std::size_t frame = huge.find("\xFF\xC0");
  huge.replace(frame + 5, 4, "\xFF\xFF\xFF\xFF");  // 65,535 x 65,535
  expect_refused(huge, ErrorCode::kInvalidArgument, {"65535 x 65535", "4294836225", "256000000"});
}

TEST_F(Damaged, JpegOfTwelveBitsIsUnsupported) {
  std::string deep = plain_jpeg();
  deep[deep.find("\xFF\xC0") + 4] = 12;
  expect_refused(deep, ErrorCode::kUnsupported, {"JPEG", "12"});
}

TEST_F(Damaged, PixelsBeyondAllCountingAreRefusedWhateverTheLimit) {
  const std::string claim = "II*" + std::string(1, '\0') + little(8, 4) + little(2, 2) + little(256, 2) + little(4, 2) +
                            little(1, 4) + little(0xFFFFFFFF, 4) + little(257, 2) + little(4, 2) + little(1, 4) +
                            little(0xFFFFFFFF, 4) + little(0, 4);
  expect_refused(claim, ErrorCode::kInvalidArgument, {"4294967295 x 4294967295"}, {.max_pixels = UINT64_MAX});
}

TEST_F(Damaged, PngTruncatedAnywhere) { expect_prefixes_refused(plain_png(), 17); }

TEST_F(Damaged, PngWithAFlippedByteOfPixels) {
  std::string bad = plain_png();
  const std::size_t at = bad.find("IDAT") + 4 + 60;
  bad[at] = static_cast<char>(bad[at] ^ 0x01);
  expect_refused(bad, ErrorCode::kCorrupt, {"PNG"});
}

TEST_F(Damaged, PngHeaderOverThePixelLimitIsRefusedBeforeAllocation) {
  std::string bytes = plain_png();
  const std::string head = big(1'000'000, 4) + big(1'000'000, 4) + std::string("\x08\x02\0\0\0", 5);
  bytes = bytes.substr(0, 8) + png_chunk("IHDR", head) + bytes.substr(33);
  expect_refused(bytes, ErrorCode::kInvalidArgument, {"1000000 x 1000000", "1000000000000"});
}

TEST_F(Damaged, PngOfNoSize) {
  std::string bytes = plain_png();
  bytes = bytes.substr(0, 8) + png_chunk("IHDR", big(0, 4) + big(5, 4) + std::string("\x08\x02\0\0\0", 5)) + bytes.substr(33);
  expect_refused(bytes, ErrorCode::kCorrupt, {"0 x 5"});
}

TEST_F(Damaged, OtherKindsTruncated) {
  expect_prefixes_refused(webp(gradient(40, 30, 3), false), 13);
  expect_prefixes_refused(webp(gradient(40, 30, 3), true), 13);
  expect_prefixes_refused("P6\n4 4 255\n" + std::string(48, 'x'), 1);
  expect_prefixes_refused("P2 2 2 255\n10 20 30 4", 1);
  expect_prefixes_refused(bmp(4, 4, 24, 0, std::string(48, 'x')), 1);
}

TEST_F(Damaged, TiffTruncated) {
  const std::string whole = tiff(40, 30, std::string(1200, 'x'), {});
  for (std::size_t size = 0; size + 1 < whole.size(); size += 31) {
    try {
      decode_image(bytes_of(whole.substr(0, size)), "cut");
      ADD_FAILURE() << size;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << error.what();
      if (size > 0) {
        EXPECT_NE(std::string(error.what()).find("this TIFF is truncated or damaged"), std::string::npos) << error.what();
      }
    }
  }
  for (const std::string& mark :
       {std::string("II*\0", 4), std::string("MM\0*", 4), std::string("II+\0", 4), std::string("MM\0+", 4)})
    expect_refused(mark, ErrorCode::kCorrupt, {"this TIFF is truncated or damaged"});
  expect_refused("II*no mark of a TIFF", ErrorCode::kCorrupt, {"no picture that signet reads"});
}

TEST_F(Damaged, TiffOfFloatsIsUnsupported) {
  expect_refused(tiff(2, 1, std::string(8, 'x'), {.bits = 32}), ErrorCode::kUnsupported, {"TIFF"});
}

TEST_F(Damaged, HeadersOverThePixelLimit) {
  const DecodeLimits limits{.max_pixels = 11};
  for (const std::string& bytes :
       {text_of(encode_jpeg(gradient(4, 3, 1), 90)), text_of(encode_png(gradient(4, 3, 1))), webp(gradient(4, 3, 3), true),
        tiff(4, 3, std::string(12, 'x'), {}), "P5 4 3 255\n" + std::string(12, 'x'), bmp(4, 3, 24, 0, std::string(36, 'x'))}) {
    expect_refused(bytes, ErrorCode::kInvalidArgument, {"4 x 3 = 12 pixels", "at most 11"}, limits);
    EXPECT_EQ(decode_image(bytes_of(bytes), "fits", {.max_pixels = 12}).width, 4u);
  }
}

TEST_F(Damaged, FileOverTheByteLimit) {
  expect_refused(plain_png(), ErrorCode::kInvalidArgument, {"at most 100"}, {.max_bytes = 100});
}

TEST_F(Damaged, BmpOfHugeClaims) {
  expect_refused(bmp(0x7FFFFFFF, 0x7FFFFFFF, 32, 0, "x"), ErrorCode::kInvalidArgument, {"2147483647 x 2147483647"});
  expect_refused(bmp(16'000, 16'000, 32, 0, "x"), ErrorCode::kCorrupt, {"truncated"});
  expect_refused(bmp(4, 4, 24, 1, std::string(48, 'x')), ErrorCode::kUnsupported, {"compression 1"});
  expect_refused(bmp(1, 1, 8, 0, little(0, 4), 0), ErrorCode::kCorrupt, {"palette"});
}

TEST_F(Damaged, PnmOfHugeClaims) {
  expect_refused("P6 16000 16000 255\nxxx", ErrorCode::kCorrupt, {"768000000 would be right"});
  expect_refused("P5 99999999999 1 255\nx", ErrorCode::kCorrupt, {"width"});
  expect_refused("P5 1 1 70000\nx", ErrorCode::kCorrupt, {"maximum"});
  expect_refused("P2 1 1 9 10", ErrorCode::kCorrupt, {"sample"});
  expect_refused("P5 1 1 9\nx", ErrorCode::kCorrupt, {"above its maximum 9"});
}

TEST_F(Damaged, BitFlipsNeverCrash) {
  survive_flips(plain_jpeg(), 300);
  survive_flips(special_jpeg(true, false), 100);
  survive_flips(plain_png(), 300);
  survive_flips(webp(gradient(40, 30, 3), false), 200);
  survive_flips(webp(gradient(40, 30, 3), true), 200);
  survive_flips(
      tiff(20, 20, std::string(1200, 'y'), {.samples = 3, .photometric = PHOTOMETRIC_RGB, .compression = COMPRESSION_LZW}), 300);
  survive_flips(bmp(8, 8, 24, 0, std::string(192, 'x')), 300);
  survive_flips("P3 2 2 255 1 2 3 4 5 6 7 8 9 10 11 12", 300);
  survive_flips(with_jpeg_exif(plain_jpeg(), exif(6)), 200);
}

// The coefficients of a progressive picture are more than the thousand bytes that libjpeg is told to do with.
TEST_F(Damaged, JpegThatMayNotTakeItsMemoryIsNotDamaged) {
  const std::string whole = special_jpeg(true, false, 64, 400);
  ::setenv("JPEGMEM", "1", 1);
  expect_refused(whole, ErrorCode::kBusy, {"64 x 400 pixels", "memory"});
  ::unsetenv("JPEGMEM");
  EXPECT_EQ(decode_image(bytes_of(whole), "progressive").height, 400u);
}

// There is memory for the pixels, where they are made first, and not for what the library needs beside them.
TEST_F(Damaged, LackOfMemoryInsideALibraryIsNoDamage) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer ends the process where memory ends";
  ::mallopt(M_MMAP_THRESHOLD, 1 << 17);  // what is freed goes back to the system at once
  constexpr std::size_t kMega = 1'000'000;
  const std::pair<std::string, std::size_t> pictures[] = {
      {special_jpeg(true, false, 2048, 2048), 6 * kMega},                          // coefficients: 12.6 MB
      {webp(gradient(1024, 1024, 3), true), 5 * kMega},                            // pixels: 3.1 MB, then 4.2 MB
      {tiff(2048, 2048, std::string(std::size_t{1} << 22, 'x'), {}), 19 * kMega},  // pixels: 16.8 MB, then 4.2 MB
      {png(kMega, 1, 8, 2, {std::string(3 * kMega, 'x')}), 5 * kMega}};            // pixels: 3 MB, then 6 MB
  for (const auto& [bytes, memory] : pictures) {
    {
      const LittleMemory little(memory);
      expect_refused(bytes, ErrorCode::kBusy, {"memory that is free now"});
    }
    EXPECT_NO_THROW(decode_image(bytes_of(bytes), "enough"));
  }
}

TEST_F(Damaged, DecodingIsSafeFromManyThreads) {
  const std::string good = plain_jpeg(), bad = plain_jpeg().substr(0, 600), picture = plain_png(),
                    tif = tiff(20, 20, std::string(400, 'y'), {});
  std::vector<std::thread> threads;
  std::vector<int> count(4, 0);
  for (std::size_t t = 0; t < count.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        count[t] += decode_image(bytes_of(good), "good").width == 64;
        count[t] += decode_image(bytes_of(picture), "png").width == 64;
        count[t] += decode_image(bytes_of(tif), "tiff").width == 20;
        try {
          decode_image(bytes_of(bad), "bad");
        } catch (const Error&) {
          ++count[t];
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, std::vector<int>(4, 80));
}

TEST_F(Damaged, EncodersRefuseImpossibleImages) {
  EXPECT_THROW(encode_png({4, 4, 1, std::vector<std::uint8_t>(15)}), Error);
  EXPECT_THROW(encode_png({0, 4, 1, {}}), Error);
  EXPECT_THROW(encode_png({2, 2, 2, std::vector<std::uint8_t>(8)}), Error);
  EXPECT_THROW(encode_jpeg(gradient(4, 4, 1), 0), Error);
  EXPECT_THROW(encode_jpeg(gradient(4, 4, 1), 101), Error);
  EXPECT_THROW(encode_jpeg(gradient(70'000, 1, 1), 90), Error);
}

}  // namespace
}  // namespace signet
