#include "signet/base/text.h"

namespace signet {

std::string with_commas(std::uint64_t value, std::string_view between) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += between;
    text += digits[i];
  }
  return text;
}

bool nests_deeper_than(int most, std::string_view json) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (in_string) {
      if (json[i] == '\\')
        ++i;
      else if (json[i] == '"')
        in_string = false;
    } else if (json[i] == '"') {
      in_string = true;
    } else if (json[i] == '[' || json[i] == '{') {
      if (++depth > most) return true;
    } else if (json[i] == ']' || json[i] == '}') {
      --depth;
    }
  }
  return false;
}

std::string json_defect(std::string_view what) {
  constexpr std::string_view kTagEnd = "] ", kKey = "key '", kNotFound = "' not found", kWith = " with ";
  if (what.find(".parse_error.") != what.npos) return "it is no JSON";
  if (const std::size_t tag = what.find(kTagEnd); tag != what.npos) what.remove_prefix(tag + kTagEnd.size());
  std::string text(what);
  if (what.starts_with(kKey) && what.ends_with(kNotFound))
    return '"' + text.substr(kKey.size(), text.size() - kKey.size() - kNotFound.size()) + "\" is missing";
  if (what.starts_with("type must be ")) return "a value's " + text;
  const std::size_t with = what.find(kWith);
  if (!what.starts_with("cannot use ") || with == what.npos) return text;
  return "a value of type " + text.substr(with + kWith.size()) + " stands where another should";
}

}  // namespace signet
