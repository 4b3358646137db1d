#include "fuzz/seed_files.h"

#include <zlib.h>

#include <cstdio>

#include "signet/base/error.h"

namespace signet::fuzz {

std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i, value >>= 8) text += static_cast<char>(value & 0xffU);
  return text;
}

std::string big(std::uint64_t value, int bytes) {
  const std::string text = little(value, bytes);
  return {text.rbegin(), text.rend()};
}

std::string joined(const std::string& first, const std::string& second) { return little(first.size(), 2) + first + second; }

std::string gzip(std::string_view content) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;  // the largest window, with gzip's head
  if (deflateInit2(&stream, 9, Z_DEFLATED, kGzip, 9, Z_DEFAULT_STRATEGY) != Z_OK)
    fail(ErrorCode::kInternal, "zlib refuses to start");
  std::string result(deflateBound(&stream, content.size()), '\0');
  std::string input(content);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const int status = deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) fail(ErrorCode::kInternal, "zlib did not finish");
  return result;
}

std::string idx_images(std::uint32_t count, std::uint32_t side) {
  std::string file = big(0x803, 4) + big(count, 4) + big(side, 4) + big(side, 4);
  for (std::uint32_t i = 0; i < count * side * side; ++i) file += static_cast<char>(i * 7 & 0xffU);
  return file;
}

std::string idx_labels(std::uint32_t count) {
  std::string file = big(0x801, 4) + big(count, 4);
  for (std::uint32_t i = 0; i < count; ++i) file += static_cast<char>(i % 10);
  return file;
}

std::string tar(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string file;
  for (const auto& [name, content] : members) {
    std::string head(512, '\0');
    const auto put = [&head](std::size_t at, const std::string& text) { head.replace(at, text.size(), text); };
    const auto octal = [](std::uint64_t value, int digits) {
      char text[32];
      std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
      return std::string(text);
    };
    put(0, name);
    put(100, octal(0644, 7));
    put(124, octal(content.size(), 11));
    put(136, octal(0, 11));
    put(148, "        ");
    put(156, "0");
    put(257, std::string("ustar\0"
                         "00",
                         8));
    unsigned sum = 0;
    for (const char c : head) sum += static_cast<unsigned char>(c);
    put(148, octal(sum, 6) + '\0');
    file += head + content + std::string((512 - content.size() % 512) % 512, '\0');
  }
  return file + std::string(1024, '\0');
}

// Two by one pixels of 24 bits; a row is padded to 8 bytes.
std::string bmp() {
  return "BM" + little(62, 4) + little(0, 4) + little(54, 4) + little(40, 4) + little(2, 4) + little(1, 4) + little(1, 2) +
         little(24, 2) + little(0, 4) + little(8, 4) + little(0, 16) + std::string("\0\0\377\377\377\377\0\0", 8);
}

// Two by one grey pixels in one strip directly behind the only directory.
std::string tiff() {
  const std::pair<int, int> tags[] = {{256, 2}, {257, 1}, {258, 8}, {259, 1}, {262, 1}, {273, 8 + 2 + 9 * 12 + 4},
                                      {277, 1}, {278, 1}, {279, 2}};
  std::string file = std::string("II*\0", 4) + little(8, 4) + little(9, 2);
  for (const auto& [tag, value] : tags) {
    file +=
        little(static_cast<std::uint64_t>(tag), 2) + little(3, 2) + little(1, 4) + little(static_cast<std::uint64_t>(value), 4);
  }
  return file + little(0, 4) + std::string("\0\377", 2);
}

// One pixel, lossless.
std::string webp() {
  return "RIFF" + little(26, 4) + "WEBPVP8L" + little(13, 4) +
         std::string("\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\x08\x07\0", 14);
}

}  // namespace signet::fuzz
