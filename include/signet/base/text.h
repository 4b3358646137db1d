#pragma once

#include <string>
#include <string_view>

namespace signet {

// The words with `between` between them: join(std::vector{"a", "b"}) is "a, b". Of anything that can be appended to a string.
template <typename Words>
std::string join(const Words& words, std::string_view between = ", ") {
  std::string text;
  bool first = true;
  for (const auto& word : words) {
    if (!first) text += between;
    text += word;
    first = false;
  }
  return text;
}

}  // namespace signet
