#include "signet/code/first_bits.h"

#include <gtest/gtest.h>

#include <vector>

#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

TEST(FirstBits, AreTheBitsThatTheLongerCodesBeginWith) {
  Random random(1);
  std::vector<float> outputs(50 * 29);
  for (float& v : outputs) v = static_cast<float>(random.normal());
  const CodeMatrix codes = pack_signs(outputs, 29);
  for (const std::uint32_t bits : {1u, 7u, 8u, 9u, 24u, 29u}) {
    const CodeMatrix shorter = first_bits(codes, bits);
    ASSERT_EQ(shorter.size(), 50u);
    ASSERT_EQ(shorter.bits(), bits);
    for (std::size_t i = 0; i < 50; ++i)
      for (std::uint32_t k = 0; k < bits; ++k) EXPECT_EQ(shorter.bit(i, k), codes.bit(i, k));
    const auto bytes = shorter.data();
    EXPECT_EQ(CodeMatrix(bits, {bytes.begin(), bytes.end()}), shorter);  // its padding is clear
  }
  EXPECT_THROW(first_bits(codes, 0), Error);
  EXPECT_THROW(first_bits(codes, 30), Error);
}

}  // namespace
}  // namespace signet
