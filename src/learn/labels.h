#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace signet {

// Whether two images' labels, sorted, have one in common.
inline bool share_label(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  if (a.size() == 1 && b.size() == 1) return a[0] == b[0];
  return std::any_of(a.begin(), a.end(), [&b](std::int32_t label) { return std::binary_search(b.begin(), b.end(), label); });
}

}  // namespace signet
