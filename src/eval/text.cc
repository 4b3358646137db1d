#include "eval/text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "signet/base/error.h"
#include "signet/base/text.h"

namespace signet::eval {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Length of the well-formed UTF-8 sequence at the front of `s` (Unicode table 3-7), 0 where there is none.
std::size_t utf8_length(std::string_view s) noexcept {
  const auto at = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  const auto tail = [&](std::size_t i) { return (at(i) & 0xC0u) == 0x80u; };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool second = tail(1) && (first != 0xE0 || at(1) >= 0xA0) && (first != 0xED || at(1) <= 0x9F);
    return second && tail(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool second = tail(1) && (first != 0xF0 || at(1) >= 0x90) && (first != 0xF4 || at(1) <= 0x8F);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    const char c = text[i];
    if (length == 0) {
      out += kReplacement;
    } else if (length > 1) {
      out += text.substr(i, length);
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else if (c >= 0x20 || c == '\n' || c == '\t') {
      if (c != 0x7F) out += c;
    }
    i += length == 0 ? 1 : length;
  }
  return out;
}

std::string scroll_region(std::string_view name, std::string_view classes) {
  return concat("<div class=\"wide", classes.empty() ? "" : " ", classes, "\" tabindex=\"0\" role=\"region\" aria-label=\"",
                escape(name), "\">");
}

std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return "–";
  std::array<char, 512> buffer;  // a double has at most 309 digits before the point
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, digits).ptr;
  std::string text(buffer.data(), end);
  if (text.find_first_not_of("-0.") == std::string::npos && text[0] == '-') text.erase(0, 1);
  return text;
}

std::string plain_number(double value) {
  std::array<char, 64> buffer;
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr};
}

std::string shortest(double value) {
  std::string text = fixed(value, 2);
  while (text.find('.') != std::string::npos && (text.back() == '0' || text.back() == '.')) {
    const bool point = text.back() == '.';
    text.pop_back();
    if (point) break;
  }
  return text;
}

std::string grouped(std::uint64_t value) { return with_commas(value, "\xE2\x80\xAF"); }

std::string percent(double share, int digits) { return fixed(100 * share, digits) + "\xC2\xA0%"; }

std::string significant(double value) {
  const double size = std::abs(value);
  if (!std::isfinite(value)) return fixed(value, 0);
  if (size >= 99.5 && size < 1e18) {
    std::string text = grouped(static_cast<std::uint64_t>(std::llround(size)));
    return value < 0 ? text.insert(0, 1, '-') : text;
  }
  return fixed(value, size >= 9.95 ? 1 : size >= 0.995 ? 2 : size >= 0.0995 ? 3 : 4);
}

}  // namespace signet::eval
