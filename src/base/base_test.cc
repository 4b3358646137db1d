// Errors, random numbers, SHA-256, CPU features.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "signet/base/base64.h"
#include "signet/base/cpu.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/base/random.h"
#include "signet/base/sha256.h"
#include "signet/base/text.h"

namespace signet {
namespace {

TEST(Error, CarriesCodeAndSentence) {
  try {
    fail(ErrorCode::kMismatch, "index.sig: ", 12, " bits where ", 16, " are needed");
    FAIL() << "fail() returned";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMismatch);
    EXPECT_STREQ(error.what(), "index.sig: 12 bits where 16 are needed");
  }
}

TEST(Error, ExitStatusOfEveryCode) {
  EXPECT_EQ(exit_status(ErrorCode::kUsage), 2);
  EXPECT_EQ(exit_status(ErrorCode::kInternal), 4);
  EXPECT_EQ(exit_status(ErrorCode::kCancelled), 130);
  for (const ErrorCode code : {ErrorCode::kInvalidArgument, ErrorCode::kNotFound, ErrorCode::kCorrupt, ErrorCode::kMismatch,
                               ErrorCode::kUnsupported, ErrorCode::kBusy, ErrorCode::kIo}) {
    EXPECT_EQ(exit_status(code), 3);
  }
}

TEST(Text, WhatIsWrongWithJsonIsSaidInOurWords) {
  EXPECT_EQ(json_defect("[json.exception.out_of_range.403] key 'method' not found"), "\"method\" is missing");
  EXPECT_EQ(json_defect("[json.exception.parse_error.101] parse error at line 1, column 1: syntax error"), "it is no JSON");
  EXPECT_EQ(json_defect("[json.exception.type_error.302] type must be number, but is null"),
            "a value's type must be number, but is null");
  EXPECT_EQ(json_defect("[json.exception.type_error.304] cannot use at() with number"),
            "a value of type number stands where another should");
  EXPECT_EQ(json_defect("[json.exception.out_of_range.401] array index 1 is out of range"), "array index 1 is out of range");
  EXPECT_EQ(json_defect(""), "");
}

// The published reference code of xoshiro256**, run from the state {1, 2, 3, 4}, begins 11520, 0, 1509978240; here the state
// comes from SplitMix64, whose first outputs for seed 0 are published too. Both together fix the sequence for ever: files depend
// on it.
TEST(Random, SequenceOfASeedNeverChanges) {
  Random random(0);
  std::array<std::uint64_t, 4> s{0xe220a8397b1dcdafU, 0x6e789e6aa1b965f4U, 0x06c45d188009454fU, 0xf88bb8a8724c81ecU};
  const auto rotate = [](std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); };
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t expected = rotate(s[1] * 5, 7) * 9;
    const std::uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    ASSERT_EQ(random.next(), expected) << i;
  }
}

TEST(Random, BelowIsInRangeAndEven) {
  Random random(7);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60000; ++i) ++counts.at(random.below(6));
  for (const int count : counts) EXPECT_NEAR(count, 10000, 500);  // 5 standard deviations of 91 and some
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.below(1), 0U);
  const std::uint64_t large = (std::uint64_t{1} << 63) + 1;  // rejects nearly half of all draws
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.below(large), large);
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  Random random(3);
  constexpr int kDraws = 200000;
  double sum = 0;
  double normal_sum = 0;
  double normal_squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    const double z = random.normal();
    ASSERT_TRUE(std::isfinite(z));
    normal_sum += z;
    normal_squares += z * z;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);
  EXPECT_NEAR(normal_sum / kDraws, 0.0, 0.015);
  EXPECT_NEAR(normal_squares / kDraws, 1.0, 0.02);
}

TEST(Random, ShuffleIsAPermutationOfTheSeed) {
  std::vector<int> a(100);
  std::iota(a.begin(), a.end(), 0);
  std::vector<int> b = a;
  const std::vector<int> sorted = a;
  Random(5).shuffle(std::span(a));
  Random(5).shuffle(std::span(b));
  EXPECT_EQ(a, b);
  EXPECT_NE(a, sorted);
  EXPECT_TRUE(std::is_permutation(a.begin(), a.end(), sorted.begin()));
}

TEST(Random, MixedSeedsDiffer) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (std::uint64_t stream = 0; stream < 50; ++stream) seen.insert(mix_seed(seed, stream));
  }
  EXPECT_EQ(seen.size(), 2500U);
}

TEST(Sha256, VectorsOfFips180) {
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex(as_bytes("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, PiecesGiveTheWhole) {
  Sha256 hash;
  const std::string text(1000000, 'a');
  for (std::size_t i = 0; i < text.size(); i += 999)
    hash.update(as_bytes(text).subspan(i, std::min<std::size_t>(999, text.size() - i)));
  EXPECT_EQ(hash.hex(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_THROW(hash.hex(), Error);
  EXPECT_THROW(hash.update({}), Error);
}

// The compiler's own detection is an independent second opinion.
TEST(Cpu, AgreesWithTheCompiler) {
#if defined(__x86_64__)
  EXPECT_EQ(cpu_features().sse42, __builtin_cpu_supports("sse4.2") != 0);
  EXPECT_EQ(cpu_features().popcnt, __builtin_cpu_supports("popcnt") != 0);
  EXPECT_EQ(cpu_features().avx2, __builtin_cpu_supports("avx2") != 0);
  EXPECT_EQ(cpu_features().avx512f, __builtin_cpu_supports("avx512f") != 0);
  EXPECT_EQ(cpu_features().avx512bw, __builtin_cpu_supports("avx512bw") != 0);
  EXPECT_EQ(cpu_features().avx512vl, __builtin_cpu_supports("avx512vl") != 0);
  EXPECT_EQ(cpu_features().avx512vpopcntdq, __builtin_cpu_supports("avx512vpopcntdq") != 0);
#endif
  EXPECT_FALSE(cpu_name().empty());
#if defined(__x86_64__)
  EXPECT_NE(cpu_name().find(" (family "), std::string::npos) << cpu_name();
#endif
}

}  // namespace
TEST(Base64, IsThatOfRfc4648) {
  // Section 10 of the RFC.
  const std::vector<std::pair<std::string, std::string>> vectors = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"},
                                                                    {"\xfb\xff", "+/8="}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(to_base64(std::as_bytes(std::span(plain))), encoded);
    const auto bytes = from_base64(encoded);
    ASSERT_TRUE(bytes) << encoded;
    EXPECT_TRUE(std::ranges::equal(*bytes, std::as_bytes(std::span(plain)))) << encoded;
  }
  for (const char* wrong : {"Zg", "Zg=", "Z===", "Zm9v!mFy", "Zg==Zg==", "-_8="}) EXPECT_FALSE(from_base64(wrong)) << wrong;
}

}  // namespace signet
