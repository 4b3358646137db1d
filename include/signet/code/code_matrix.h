#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signet {

inline constexpr std::uint32_t kMaxBits = 4096;

// Bytes of one packed code at rest: ceil(bits / 8).
constexpr std::size_t bytes_per_code(std::uint32_t bits) noexcept { return (bits + 7) / 8; }

// The bits of a code's last byte that must be zero.
constexpr std::uint8_t padding_mask(std::uint32_t bits) noexcept {
  return bits % 8 == 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(0xffU << (bits % 8));
}

// Throws Error{kInvalidArgument} unless 1 <= bits <= kMaxBits; `what` names the flag or file.
void check_bits(std::uint64_t bits, std::string_view what);

// n packed codes of `bits` bits, one after another without gaps, owned. Bit k of a code is bit k % 8 of byte k / 8, least
// significant first; unused high bits of the last byte are zero (an invariant: the constructors check or clear them).
class CodeMatrix {
 public:
  CodeMatrix() = default;
  CodeMatrix(std::size_t count, std::uint32_t bits);  // all zero; throws kInvalidArgument as check_bits
  CodeMatrix(std::uint32_t bits,
             std::vector<std::uint8_t> packed);  // throws kInvalidArgument on a wrong length or set padding bits

  std::size_t size() const noexcept { return count_; }
  std::uint32_t bits() const noexcept { return bits_; }
  std::size_t stride() const noexcept { return bytes_per_code(bits_); }  // bytes from one code to the next
  std::span<const std::uint8_t> row(std::size_t i) const noexcept { return {data_.data() + i * stride(), stride()}; }
  std::span<std::uint8_t> row(std::size_t i) noexcept { return {data_.data() + i * stride(), stride()}; }
  std::span<const std::uint8_t> data() const noexcept { return data_; }
  bool bit(std::size_t i, std::uint32_t k) const noexcept { return (row(i)[k / 8] >> (k % 8)) & 1; }
  // One more row of stride() bytes. Throws kMismatch for another length, kInvalidArgument for set padding bits and where bits()
  // is 0.
  void append(std::span<const std::uint8_t> code);
  // Copies the rows named, in that order. Throws kInvalidArgument for one that is not there.
  CodeMatrix rows(std::span<const std::size_t> which) const;

  friend bool operator==(const CodeMatrix&, const CodeMatrix&) = default;

 private:
  std::size_t count_ = 0;
  std::uint32_t bits_ = 0;
  std::vector<std::uint8_t> data_;
};

// h_k = sign(v_k), sign(0) = +1: bit k is 1 where v_k >= 0. outputs: n x bits, row-major. Throws kInvalidArgument on NaN,
// where outputs are not a whole number of codes, and as check_bits.
CodeMatrix pack_signs(std::span<const float> outputs, std::uint32_t bits);

// Hamming distance of two packed codes of equal length. The plain definition, for tests and single pairs; blocks go to kernel/.
std::uint32_t hamming_distance(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept;

// Lower-case hex of the packed bytes in storage order; from_hex throws kInvalidArgument on a wrong length, digit or padding bit.
std::string to_hex(std::span<const std::uint8_t> code);
std::vector<std::uint8_t> from_hex(std::string_view hex, std::uint32_t bits);

}  // namespace signet
