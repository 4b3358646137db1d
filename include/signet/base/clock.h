#pragma once

#include <cstdint>
#include <string>

namespace signet {

std::int64_t unix_ns() noexcept;  // since 1970, by the wall clock, in nanoseconds

// The wall clock's time in UTC as ISO 8601: 2031-05-04T03:02:01Z, with milliseconds 2031-05-04T03:02:01.007Z.
enum class TimeDigits { kSeconds, kMilliseconds };
std::string utc_now(TimeDigits digits = TimeDigits::kSeconds);
std::string utc_text(std::int64_t unix_ns, TimeDigits digits);

}  // namespace signet
