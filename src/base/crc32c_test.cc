#include "signet/base/crc32c.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "base/crc32c_kernels.h"
#include "signet/base/cpu.h"
#include "signet/base/file_system.h"
#include "signet/base/random.h"

namespace signet {
namespace {

std::vector<std::byte> random_bytes(std::size_t size, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next());
  return bytes;
}

// One bit at a time, straight from the definition.
std::uint32_t by_definition(std::uint32_t state, std::span<const std::byte> data) {
  for (const std::byte byte : data) {
    state ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) state = (state >> 1) ^ ((state & 1U) != 0 ? crc::kPolynomial : 0U);
  }
  return state;
}

std::vector<std::byte> bytes_from(std::initializer_list<unsigned> values) {
  std::vector<std::byte> bytes;
  for (const unsigned value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

TEST(Crc32c, VectorsOfRfc3720) {
  std::vector<std::byte> rising(32);
  std::vector<std::byte> falling(32);
  for (std::size_t i = 0; i < 32; ++i) {
    rising[i] = static_cast<std::byte>(i);
    falling[i] = static_cast<std::byte>(31 - i);
  }
  EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0})), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0xff})), 0x62a8ab43U);
  EXPECT_EQ(crc32c(rising), 0x46dd794eU);
  EXPECT_EQ(crc32c(falling), 0x113fdb5cU);
  const auto command = bytes_from({0x01, 0xc0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0,
                                   0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0,    0});
  EXPECT_EQ(crc32c(command), 0xd9963a56U);
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U);
}

TEST(Crc32c, NothingLeavesItAsItWas) {
  EXPECT_EQ(crc32c({}), 0U);
  EXPECT_EQ(crc32c({}, 0x12345678U), 0x12345678U);
}

TEST(Crc32c, ContinuesWhereItWasCut) {
  const auto bytes = random_bytes(10000, 1);
  const std::span<const std::byte> all(bytes);
  for (const std::size_t cut : {0U, 1U, 7U, 3072U, 4097U, 10000U}) {
    EXPECT_EQ(crc32c(all.subspan(cut), crc32c(all.first(cut))), crc32c(all)) << cut;
  }
}

class Crc32cKernel : public testing::TestWithParam<crc::Kernel> {};

// Every length around the block sizes, every alignment.
TEST_P(Crc32cKernel, EqualsTheDefinition) {
  const auto bytes = random_bytes(3 * 3072 + 64, 2);
  for (const std::size_t size : {0U, 1U, 7U, 8U, 9U, 63U, 255U, 1023U, 1024U, 3071U, 3072U, 3073U, 3080U, 6144U, 9216U, 9217U}) {
    for (std::size_t start = 0; start < 9; ++start) {
      const auto part = std::span(bytes).subspan(start, size);
      EXPECT_EQ(GetParam()(0xdeadbeefU, part.data(), part.size()), by_definition(0xdeadbeefU, part)) << size << " at " << start;
    }
  }
}

std::vector<crc::Kernel> kernels() {
  std::vector<crc::Kernel> list{crc::portable};
  if (crc::sse42_compiled() && cpu_features().sse42) list.push_back(crc::sse42);
  return list;
}
INSTANTIATE_TEST_SUITE_P(All, Crc32cKernel, testing::ValuesIn(kernels()));

}  // namespace
}  // namespace signet
