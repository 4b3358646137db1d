#include "signet/code/code_matrix.h"

#include <bit>
#include <cmath>
#include <limits>

#include "signet/base/error.h"

namespace signet {
namespace {

std::size_t checked_bytes(std::size_t count, std::uint32_t bits) {
  check_bits(bits, "code length");
  const std::size_t stride = bytes_per_code(bits);
  if (count > std::numeric_limits<std::ptrdiff_t>::max() / stride) {
    fail(ErrorCode::kInvalidArgument, count, " codes of ", bits, " bits do not fit into memory");
  }
  return count * stride;
}

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

void check_bits(std::uint64_t bits, std::string_view what) {
  if (bits < 1 || bits > kMaxBits)
    fail(ErrorCode::kInvalidArgument, what, ": ", bits, " bits; a code has 1 to ", kMaxBits, " bits");
}

CodeMatrix::CodeMatrix(std::size_t count, std::uint32_t bits) : count_(count), bits_(bits), data_(checked_bytes(count, bits)) {}

CodeMatrix::CodeMatrix(std::uint32_t bits, std::vector<std::uint8_t> packed) : bits_(bits), data_(std::move(packed)) {
  check_bits(bits, "code length");
  if (data_.size() % stride() != 0) {
    fail(ErrorCode::kInvalidArgument, data_.size(), " bytes are not a whole number of codes of ", bits, " bits (", stride(),
         " bytes each)");
  }
  count_ = data_.size() / stride();
  const std::uint8_t padding = padding_mask(bits);
  if (padding == 0) return;
  for (std::size_t i = 0; i < count_; ++i) {
    if ((row(i).back() & padding) != 0) {
      fail(ErrorCode::kInvalidArgument, "code ", i, " has bits set beyond its ", bits, " bits; they must be zero");
    }
  }
}

void CodeMatrix::append(std::span<const std::uint8_t> code) {
  if (bits_ == 0) fail(ErrorCode::kInvalidArgument, "a code is appended to codes without a length");
  if (code.size() != stride()) {
    fail(ErrorCode::kMismatch, "a code of ", code.size(), " bytes does not fit codes of ", bits_, " bits (", stride(), " bytes)");
  }
  if ((code.back() & padding_mask(bits_)) != 0) {
    fail(ErrorCode::kInvalidArgument, "a code has bits set beyond its ", bits_, " bits; they must be zero");
  }
  if (code.data() >= data_.data() && code.data() < data_.data() + data_.size()) {  // a row of this matrix: insert() may move it
    const std::vector<std::uint8_t> copy(code.begin(), code.end());
    data_.insert(data_.end(), copy.begin(), copy.end());
  } else {
    data_.insert(data_.end(), code.begin(), code.end());
  }
  ++count_;
}

CodeMatrix CodeMatrix::rows(std::span<const std::size_t> which) const {
  CodeMatrix chosen;
  chosen.bits_ = bits_;
  chosen.data_.reserve(which.size() * stride());
  for (const std::size_t i : which) {
    if (i >= count_) fail(ErrorCode::kInvalidArgument, "row ", i, " of ", count_, " codes does not exist");
    const auto code = row(i);
    chosen.data_.insert(chosen.data_.end(), code.begin(), code.end());
  }
  chosen.count_ = which.size();
  return chosen;
}

CodeMatrix pack_signs(std::span<const float> outputs, std::uint32_t bits) {
  check_bits(bits, "code length");
  if (outputs.size() % bits != 0) {
    fail(ErrorCode::kInvalidArgument, outputs.size(), " outputs are not a whole number of codes of ", bits, " bits");
  }
  CodeMatrix codes(outputs.size() / bits, bits);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::span<std::uint8_t> code = codes.row(i);
    const std::span<const float> values = outputs.subspan(i * bits, bits);
    for (std::uint32_t k = 0; k < bits; ++k) {
      if (std::isnan(values[k])) fail(ErrorCode::kInvalidArgument, "output ", k, " of code ", i, " is not a number");
      if (values[k] >= 0) code[k / 8] = static_cast<std::uint8_t>(code[k / 8] | (1U << (k % 8)));
    }
  }
  return codes;
}

std::uint32_t hamming_distance(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept {
  std::uint32_t distance = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    distance += static_cast<std::uint32_t>(std::popcount(static_cast<std::uint8_t>(a[i] ^ b[i])));
  return distance;
}

std::string to_hex(std::span<const std::uint8_t> code) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * code.size());
  for (const std::uint8_t byte : code) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::vector<std::uint8_t> from_hex(std::string_view hex, std::uint32_t bits) {
  check_bits(bits, "code length");
  const std::size_t digits = 2 * bytes_per_code(bits);
  if (hex.size() != digits) {
    fail(ErrorCode::kInvalidArgument, "a code of ", bits, " bits is ", digits, " hex digits, not ", hex.size());
  }
  std::vector<std::uint8_t> code(bytes_per_code(bits));
  for (std::size_t i = 0; i < hex.size(); ++i) {
    const int value = hex_value(hex[i]);
    if (value < 0) fail(ErrorCode::kInvalidArgument, "hex code: digit ", i, " is not one of 0-9 and a-f");
    code[i / 2] = static_cast<std::uint8_t>(code[i / 2] << 4 | value);
  }
  if ((code.back() & padding_mask(bits)) != 0) {
    fail(ErrorCode::kInvalidArgument, "hex code ", hex, " has bits set beyond its ", bits, " bits; they must be zero");
  }
  return code;
}

}  // namespace signet
