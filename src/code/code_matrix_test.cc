#include "signet/code/code_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/test_folder.h"
#include "signet/base/random.h"

namespace signet {
namespace {

std::vector<float> random_outputs(std::size_t count, std::uint32_t bits, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> outputs(count * bits);
  for (float& value : outputs) value = static_cast<float>(random.normal());
  return outputs;
}

TEST(Bits, OneToTheMost) {
  check_bits(1, "--bits");
  check_bits(4096, "--bits");
  for (const std::uint64_t bits : {std::uint64_t{0}, std::uint64_t{4097}, std::uint64_t{1} << 32}) {
    std::string message;
    EXPECT_EQ(error_of([&] { check_bits(bits, "--bits"); }, &message), ErrorCode::kInvalidArgument);
    EXPECT_NE(message.find("--bits: " + std::to_string(bits)), std::string::npos) << message;
  }
  EXPECT_EQ(bytes_per_code(1), 1U);
  EXPECT_EQ(bytes_per_code(8), 1U);
  EXPECT_EQ(bytes_per_code(9), 2U);
}

class SignsOf : public testing::TestWithParam<std::uint32_t> {};

TEST_P(SignsOf, BitKIsTheSignOfOutputK) {
  const std::uint32_t bits = GetParam();
  const std::vector<float> outputs = random_outputs(5, bits, bits);
  const CodeMatrix codes = pack_signs(outputs, bits);
  ASSERT_EQ(codes.size(), 5U);
  EXPECT_EQ(codes.bits(), bits);
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::uint32_t k = 0; k < bits; ++k) EXPECT_EQ(codes.bit(i, k), outputs[i * bits + k] >= 0) << i << " " << k;
  }
  // Padding stays zero: what was packed is accepted as packed data.
  EXPECT_EQ(CodeMatrix(bits, {codes.data().begin(), codes.data().end()}), codes);
}

TEST_P(SignsOf, DistanceCountsDifferingBits) {
  const std::uint32_t bits = GetParam();
  const CodeMatrix codes = pack_signs(random_outputs(2, bits, 1), bits);
  std::uint32_t expected = 0;
  for (std::uint32_t k = 0; k < bits; ++k) expected += codes.bit(0, k) != codes.bit(1, k) ? 1U : 0U;
  EXPECT_EQ(hamming_distance(codes.row(0), codes.row(1)), expected);
  EXPECT_EQ(hamming_distance(codes.row(1), codes.row(1)), 0U);
}

TEST_P(SignsOf, HexThereAndBack) {
  const std::uint32_t bits = GetParam();
  const CodeMatrix codes = pack_signs(random_outputs(1, bits, 2), bits);
  const std::string hex = to_hex(codes.row(0));
  EXPECT_EQ(hex.size(), 2 * bytes_per_code(bits));
  const std::vector<std::uint8_t> back = from_hex(hex, bits);
  EXPECT_TRUE(std::equal(back.begin(), back.end(), codes.row(0).begin(), codes.row(0).end()));
}

INSTANTIATE_TEST_SUITE_P(Lengths, SignsOf, testing::Values(1, 7, 8, 9, 12, 16, 63, 64, 65, 255, 4095, 4096));

TEST(PackSigns, ZeroIsPlusOne) {
  const std::vector<float> outputs{0.0F, -0.0F, -1e-30F, std::numeric_limits<float>::infinity()};
  EXPECT_EQ(pack_signs(outputs, 4).row(0)[0], 0b1011);
}

TEST(PackSigns, RefusesWhatIsNoCode) {
  EXPECT_EQ(error_of([] { pack_signs(std::vector<float>(5), 4); }), ErrorCode::kInvalidArgument);
  std::string message;
  EXPECT_EQ(error_of([] { pack_signs(std::vector<float>{1, 1, 1, std::nanf("")}, 2); }, &message), ErrorCode::kInvalidArgument);
  EXPECT_NE(message.find("output 1 of code 1"), std::string::npos) << message;
}

TEST(CodeMatrix, ChecksLengthAndPadding) {
  EXPECT_EQ(CodeMatrix(12, {0xff, 0x0f}).size(), 1U);
  EXPECT_EQ(error_of([] { CodeMatrix(12, {0xff, 0x1f}); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { CodeMatrix(12, {1, 2, 3}); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { CodeMatrix(0, {}); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { CodeMatrix(std::numeric_limits<std::size_t>::max() / 2, 64); }), ErrorCode::kInvalidArgument);
}

TEST(CodeMatrix, AppendsAndPicksRows) {
  CodeMatrix codes(0, 12);
  codes.append(std::vector<std::uint8_t>{1, 0});
  codes.append(std::vector<std::uint8_t>{2, 0});
  for (int i = 0; i < 20; ++i) codes.append(codes.row(0));  // also a row of itself
  EXPECT_EQ(codes.size(), 22U);
  EXPECT_EQ(codes.row(21)[0], 1);
  EXPECT_EQ(codes.rows(std::vector<std::size_t>{1, 0, 1}), CodeMatrix(12, {2, 0, 1, 0, 2, 0}));
  EXPECT_EQ(codes.rows({}).bits(), 12U);
  EXPECT_EQ(error_of([&] { codes.append(std::vector<std::uint8_t>{1}); }), ErrorCode::kMismatch);
  EXPECT_EQ(error_of([&] { codes.append(std::vector<std::uint8_t>{1, 0x10}); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { codes.rows(std::vector<std::size_t>{22}); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { CodeMatrix().append(std::vector<std::uint8_t>{1}); }), ErrorCode::kInvalidArgument);
}

TEST(Hex, StorageOrderLowerCase) {
  EXPECT_EQ(to_hex(std::vector<std::uint8_t>{0x0f, 0xa0}), "0fa0");
  EXPECT_EQ(from_hex("0FA0", 16), (std::vector<std::uint8_t>{0x0f, 0xa0}));
  EXPECT_EQ(error_of([] { from_hex("0fa", 16); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { from_hex("0fg0", 16); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { from_hex("0fa0", 12); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace signet
