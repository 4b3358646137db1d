#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "image/codec.h"
#include "signet/base/error.h"

// The Netpbm formats PBM, PGM and PPM, plain and raw (netpbm.sourceforge.net/doc/pnm.html).
namespace signet::codec {
namespace {

bool is_space(std::uint8_t c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Numbers between blanks and comments that run from # to the end of the line.
class Tokens {
 public:
  Tokens(std::span<const std::byte> bytes, std::size_t at, const std::string& name) : bytes_(bytes), at_(at), name_(name) {}

  std::uint32_t number(std::uint32_t maximum, const char* what) {
    skip_blank();
    std::uint64_t value = 0;
    const std::size_t begin = at_;
    while (at_ < bytes_.size() && byte_at(bytes_, at_) >= '0' && byte_at(bytes_, at_) <= '9' && value <= maximum) {
      value = value * 10 + (byte_at(bytes_, at_++) - '0');
    }
    if (at_ == begin)
      fail(ErrorCode::kCorrupt, name_, ": this PNM has no number for its ", what, " at offset ", begin,
           "; it is truncated or damaged");
    if (value > maximum)
      fail(ErrorCode::kCorrupt, name_, ": this PNM has a ", what, " of more than ", maximum, " at offset ", begin);
    return static_cast<std::uint32_t>(value);
  }

  // Plain PBM: digits 0 and 1 need no blanks between them.
  bool bit() {
    skip_blank();
    if (at_ >= bytes_.size() || (byte_at(bytes_, at_) | 1) != '1') {
      fail(ErrorCode::kCorrupt, name_, ": this PNM has no 0 or 1 at offset ", at_, "; it is truncated or damaged");
    }
    return byte_at(bytes_, at_++) == '1';
  }

  std::size_t at() const noexcept { return at_; }

 private:
  void skip_blank() {
    while (at_ < bytes_.size()) {
      const std::uint8_t c = byte_at(bytes_, at_);
      if (c == '#') {
        while (at_ < bytes_.size() && byte_at(bytes_, at_) != '\n' && byte_at(bytes_, at_) != '\r') ++at_;
      } else if (is_space(c)) {
        ++at_;
      } else {
        return;
      }
    }
  }

  std::span<const std::byte> bytes_;
  std::size_t at_;
  const std::string& name_;
};

void need(std::span<const std::byte> bytes, const PnmHeader& pnm, std::uint64_t wanted, const std::string& name) {
  const std::uint64_t there = bytes.size() - pnm.data;
  if (there < wanted) {
    fail(ErrorCode::kCorrupt, name, ": this PNM of ", pnm.width, " x ", pnm.height, " has ", there, " bytes of pixels, ", wanted,
         " would be right");
  }
}

std::uint8_t scale(std::uint32_t value, std::uint32_t maximum) noexcept {
  return static_cast<std::uint8_t>((std::uint64_t{value} * 255 + maximum / 2) / maximum);
}

Image decode_bits(std::span<const std::byte> bytes, const PnmHeader& pnm, const std::string& name) {
  const std::size_t stride = (std::size_t{pnm.width} + 7) / 8;
  const bool plain = pnm.kind == '1';
  need(bytes, pnm, plain ? std::uint64_t{pnm.width} * pnm.height : std::uint64_t{stride} * pnm.height, name);
  Image image = blank(pnm.width, pnm.height, 1);
  Tokens tokens(bytes, pnm.data, name);
  for (std::size_t y = 0; y < pnm.height; ++y) {
    for (std::size_t x = 0; x < pnm.width; ++x) {
      const bool black = plain ? tokens.bit() : (byte_at(bytes, pnm.data + y * stride + x / 8) >> (7 - x % 8) & 1) != 0;
      image.pixels[y * pnm.width + x] = black ? 0 : 255;
    }
  }
  return image;
}

}  // namespace

PnmHeader parse_pnm_header(std::span<const std::byte> bytes, const std::string& name) {
  constexpr std::uint32_t kMaxSide = 1u << 30;
  PnmHeader pnm;
  pnm.kind = static_cast<char>(byte_at(bytes, 1));
  Tokens tokens(bytes, 2, name);
  pnm.width = tokens.number(kMaxSide, "width");
  pnm.height = tokens.number(kMaxSide, "height");
  if (pnm.kind != '1' && pnm.kind != '4') pnm.maximum = tokens.number(65535, "maximum");
  if (pnm.maximum == 0) fail(ErrorCode::kCorrupt, name, ": this PNM gives 0 as its maximum; 1 to 65535 would be right");
  pnm.data = tokens.at();
  if (pnm.data >= bytes.size() || !is_space(byte_at(bytes, pnm.data))) {
    fail(ErrorCode::kCorrupt, name, ": this PNM ends inside its header or has no blank behind it");
  }
  ++pnm.data;
  return pnm;
}

Image decode_pnm(std::span<const std::byte> bytes, const std::string& name, const Header&) {
  const PnmHeader pnm = parse_pnm_header(bytes, name);
  if (pnm.kind == '1' || pnm.kind == '4') return decode_bits(bytes, pnm, name);
  const std::uint32_t channels = pnm.kind == '3' || pnm.kind == '6' ? 3 : 1;
  const std::uint64_t samples = std::uint64_t{pnm.width} * pnm.height * channels;
  const bool plain = pnm.kind == '2' || pnm.kind == '3';
  const std::size_t width = pnm.maximum > 255 ? 2 : 1;
  need(bytes, pnm, plain ? samples * 2 - 1 : samples * width, name);  // plain: a digit and a blank each
  Image image = blank(pnm.width, pnm.height, channels);
  Tokens tokens(bytes, pnm.data, name);
  for (std::size_t i = 0; i < samples; ++i) {
    const std::uint32_t value = plain        ? tokens.number(pnm.maximum, "sample")
                                : width == 2 ? big16(bytes, pnm.data + 2 * i)
                                             : byte_at(bytes, pnm.data + i);
    if (value > pnm.maximum)
      fail(ErrorCode::kCorrupt, name, ": this PNM has a sample of ", value, " above its maximum ", pnm.maximum);
    image.pixels[i] = scale(value, pnm.maximum);
  }
  return image;
}

}  // namespace signet::codec
