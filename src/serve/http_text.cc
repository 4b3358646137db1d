#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "signet/base/error.h"
#include "signet/serve/http.h"

namespace signet {
namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool is_loopback(const std::string& address) {
  if (address == "localhost") return true;
  in_addr four{};
  if (inet_pton(AF_INET, address.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
  in6_addr six{};
  return inet_pton(AF_INET6, address.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space) c = ' ';
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) fail(ErrorCode::kUsage, "the request target has a % that is not followed by two hex digits");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') fail(ErrorCode::kUsage, "the request target holds a NUL byte");
    decoded += c;
  }
  return decoded;
}

HttpTarget parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/') fail(ErrorCode::kUsage, "the request target does not begin with a slash");
  const std::size_t question = std::min(target.find('?'), target.size());
  HttpTarget parsed{std::string(target.substr(0, question)), {}};
  percent_decode(parsed.path);  // so that a broken escape is an error wherever it stands
  std::string_view rest = question < target.size() ? target.substr(question + 1) : std::string_view();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string_view value = equals < part.size() ? part.substr(equals + 1) : std::string_view();
    parsed.query.emplace_back(percent_decode(part.substr(0, equals), true), percent_decode(value, true));
  }
  return parsed;
}

std::string media_type(std::string_view header) {
  std::string type(header.substr(0, std::min(header.find(';'), header.size())));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(),
                 [](unsigned char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c); });
  return type;
}

}  // namespace signet
