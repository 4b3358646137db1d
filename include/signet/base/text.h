#pragma once

#include <cstdint>
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

// "60,000"; or with something else between groups of three digits.
std::string with_commas(std::uint64_t value, std::string_view between = ",");

// Whether brackets of a JSON text nest deeper than `most`, by looking at brackets and quotes alone. To be asked before a parser
// sees text from outside: it would allocate some hundred bytes for each of millions of brackets, and what prints a parsed value
// goes as deep into the stack as they nest.
bool nests_deeper_than(int most, std::string_view json);

// What is wrong with a JSON text, in words for its reader, from what nlohmann's exception says: `"bits" is missing` for
// "[json.exception.out_of_range.403] key 'bits' not found".
std::string json_defect(std::string_view what);

}  // namespace signet
