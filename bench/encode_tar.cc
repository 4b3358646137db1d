#include "bench/encode_tar.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/image/image.h"

namespace signet::bench {
namespace {

// A coarse random picture blown up: the frequencies, and so the decoding cost, of a photograph rather than of noise.
Image picture(std::uint32_t width, std::uint32_t height, std::uint64_t seed) {
  Random random(seed);
  Image coarse{width / 8, height / 8, 3, {}};
  coarse.pixels.resize(std::size_t{coarse.width} * coarse.height * 3);
  for (std::uint8_t& p : coarse.pixels) p = static_cast<std::uint8_t>(random.below(256));
  Image image = resize(coarse, width, height);
  for (std::uint8_t& p : image.pixels) p = static_cast<std::uint8_t>((p * 7 + random.below(256)) / 8);
  return image;
}

// A ustar header: name, mode, owner, size in octal, checksum over the header with the checksum field blank.
std::array<char, 512> header(const std::string& name, std::size_t size) {
  std::array<char, 512> h{};
  std::snprintf(h.data(), 100, "%s", name.c_str());
  std::snprintf(h.data() + 100, 8, "%07o", 0644u);
  std::snprintf(h.data() + 108, 8, "%07o", 0u);
  std::snprintf(h.data() + 116, 8, "%07o", 0u);
  std::snprintf(h.data() + 124, 12, "%011zo", size);
  std::snprintf(h.data() + 136, 12, "%011o", 0u);
  std::memset(h.data() + 148, ' ', 8);
  h[156] = '0';
  std::memcpy(h.data() + 257,
              "ustar\0"
              "00",
              8);
  unsigned sum = 0;
  for (const char c : h) sum += static_cast<unsigned char>(c);
  std::snprintf(h.data() + 148, 8, "%06o", sum);
  return h;
}

}  // namespace

void write_jpeg_tar(const std::string& path, std::size_t count, std::uint32_t width, std::uint32_t height) {
  std::ofstream file(path, std::ios::binary);
  const std::string zeros(1024, '\0');
  constexpr std::size_t kDifferent = 64;  // pictures; the others repeat them under other names
  std::vector<std::vector<std::byte>> pictures;
  for (std::size_t i = 0; i < std::min(count, kDifferent); ++i) pictures.push_back(encode_jpeg(picture(width, height, i), 85));
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<std::byte>& bytes = pictures[i % kDifferent];
    const std::array<char, 512> h = header(concat("class", i % 10, "/", i, ".jpg"), bytes.size());
    file.write(h.data(), h.size());
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    file.write(zeros.data(), static_cast<std::streamsize>((512 - bytes.size() % 512) % 512));
  }
  file.write(zeros.data(), 1024);
  file.close();
  if (!file) fail(ErrorCode::kIo, path, ": writing the pictures failed");
}

}  // namespace signet::bench
