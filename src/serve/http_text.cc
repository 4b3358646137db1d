#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <optional>

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

char lower_case(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

struct TargetParts {
  std::optional<std::string_view> authority;
  std::string_view path, query;
};

TargetParts cut_target(std::string_view target) noexcept {
  constexpr std::string_view kScheme = "http://";
  TargetParts parts;
  const bool absolute =
      target.size() >= kScheme.size() &&
      std::equal(kScheme.begin(), kScheme.end(), target.begin(), [](char wanted, char c) { return lower_case(c) == wanted; });
  if (absolute) {
    target.remove_prefix(kScheme.size());
    parts.authority = target.substr(0, std::min(target.find_first_of("/?"), target.size()));
    target.remove_prefix(parts.authority->size());
  }
  const std::size_t question = std::min(target.find('?'), target.size());
  parts.path = target.substr(0, question);
  if (absolute && parts.path.empty()) parts.path = "/";
  if (question < target.size()) parts.query = target.substr(question + 1);
  return parts;
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
  const TargetParts parts = cut_target(target);
  if (!parts.path.starts_with('/'))
    fail(ErrorCode::kUsage, "the request target does not begin with a slash, nor with http:// and a host");
  // Names of users are not for a server to see (RFC 9110, 4.2.4).
  if (parts.authority && (parts.authority->empty() || parts.authority->find_first_of("@#") != std::string_view::npos))
    fail(ErrorCode::kUsage, "the request target does not name a host between http:// and its path");
  HttpTarget parsed{std::string(parts.path), {}, std::string(parts.authority.value_or(""))};
  percent_decode(parsed.path);  // so that a broken escape is an error wherever it stands
  std::string_view rest = parts.query;
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

std::string_view target_path(std::string_view target) noexcept { return cut_target(target).path; }

std::string media_type(std::string_view header) {
  std::string type(header.substr(0, std::min(header.find(';'), header.size())));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(), lower_case);
  return type;
}

}  // namespace signet
