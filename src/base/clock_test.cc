#include "signet/base/clock.h"

#include <gtest/gtest.h>

namespace signet {
namespace {

TEST(Clock, WritesTimesInUtc) {
  constexpr std::int64_t kTime = 1'936'062'121'007'999'999;
  EXPECT_EQ(utc_text(kTime, TimeDigits::kSeconds), "2031-05-09T03:02:01Z");
  EXPECT_EQ(utc_text(kTime, TimeDigits::kMilliseconds), "2031-05-09T03:02:01.007Z");
  EXPECT_EQ(utc_text(0, TimeDigits::kMilliseconds), "1970-01-01T00:00:00.000Z");
  const std::int64_t before = unix_ns();
  const std::string now = utc_now(TimeDigits::kMilliseconds);
  EXPECT_GE(now, utc_text(before, TimeDigits::kMilliseconds));
  EXPECT_LE(now, utc_text(unix_ns(), TimeDigits::kMilliseconds));
}

}  // namespace
}  // namespace signet
