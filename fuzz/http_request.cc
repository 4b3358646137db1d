// What clients send, past the HTTP library: the request target, a JSON query, a line of a bulk request, a verdict; and what
// decides about them: a file of keys, a model's record. The first byte says which.
#include "fuzz/fuzz.h"
#include "serve/api_json.h"
#include "serve/routes.h"
#include "signet/serve/access.h"
#include "signet/serve/http.h"

namespace {

using namespace signet;

void target_of(const std::string& text) {
  const HttpTarget target = parse_target(text);
  fuzz::require(!target.path.empty() && target.path.front() == '/', "a path begins with a slash");
  fuzz::require(target.path.size() <= text.size(), "a path is a part of its target");
  std::size_t decoded = 0;
  for (const auto& [name, value] : target.query) decoded += name.size() + value.size();
  fuzz::require(decoded <= text.size(), "decoding does not lengthen");
  for (const char* method : {"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"}) {
    const api::RouteMatch match = api::match_route(method, target.path);
    fuzz::require(match.route <= api::kOtherRoute, "a route, or none");
    if (match.route == api::kOtherRoute) continue;
    const std::string parameter = percent_decode(match.parameter);
    fuzz::require(parameter.find('\0') == std::string::npos, "no NUL in a parameter");
  }
}

void query_of(const std::string& text) {
  const SearchQuery query = api::search_query(api::parse_object(text), 12);
  if (const auto* code = std::get_if<SearchQuery::Code>(&query.query)) {
    fuzz::require(code->packed.size() == 2 && code->packed[1] < 16, "a code of 12 bits");
  }
}

void line_of(const std::string& text) {
  const BulkItem item = api::bulk_item(api::parse_object(text), 12);
  fuzz::require(item.code.empty() || item.code.size() == 2, "a code of 12 bits");
  fuzz::require(item.picture.size() <= text.size(), "base64 does not lengthen");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  signet::fuzz::value_or_error([&] {
    switch (data[0] % 7) {
      case 0:
        return target_of(text);
      case 1:
        return query_of(text);
      case 2:
        return line_of(text);
      case 3:
        return signet::fuzz::require(signet::media_type(text).size() <= text.size(), "a media type is a part of its header");
      case 4:
        return static_cast<void>(api::verdict_of(api::parse_object(text)));
      case 5:
        return signet::fuzz::require(api::duplicate_levels(text).size() == 3, "three levels, whatever the record says");
      default:
        return static_cast<void>(signet::AccessKeys::parse(text, "keys").allowed(text));
    }
  });
  return 0;
}
