#include "signet/base/clock.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace signet {

std::int64_t unix_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string utc_text(std::int64_t unix_ns, TimeDigits digits) {
  const std::time_t seconds = unix_ns / 1'000'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string result(text.data(), size);
  if (digits == TimeDigits::kMilliseconds) {
    std::snprintf(text.data(), text.size(), ".%03d", static_cast<int>(unix_ns / 1'000'000 % 1000));
    result += text.data();
  }
  return result + 'Z';
}

std::string utc_now(TimeDigits digits) { return utc_text(unix_ns(), digits); }

}  // namespace signet
