#include <algorithm>
#include <cmath>

#include "signet/base/base64.h"
#include "signet/base/error.h"
#include "signet/eval/results.h"

namespace signet {

constexpr double kUnit = 65535;

std::string pack_ap(std::span<const double> ap) {
  std::vector<std::byte> bytes;
  bytes.reserve(2 * ap.size());
  for (const double value : ap) {
    const auto level = static_cast<unsigned>(std::lround(std::clamp(value, 0.0, 1.0) * kUnit));
    bytes.push_back(static_cast<std::byte>(level & 255));
    bytes.push_back(static_cast<std::byte>(level >> 8));
  }
  return to_base64(bytes);
}

std::vector<float> unpack_ap(std::string_view text) {
  const std::optional<std::vector<std::byte>> bytes = from_base64(text);
  if (!bytes || bytes->size() % 2 != 0) fail(ErrorCode::kCorrupt, "packed average precisions are no base64 of 16-bit numbers");
  std::vector<float> ap(bytes->size() / 2);
  for (std::size_t i = 0; i < ap.size(); ++i) {
    const unsigned level = std::to_integer<unsigned>((*bytes)[2 * i]) | std::to_integer<unsigned>((*bytes)[2 * i + 1]) << 8;
    ap[i] = static_cast<float>(level / kUnit);
  }
  return ap;
}

}  // namespace signet
