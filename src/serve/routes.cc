#include "serve/routes.h"

#include <algorithm>

#include "serve/embedded.h"

namespace signet::api {
namespace {

bool is_page_file(std::string_view path) {
  const auto files = page_files();
  return std::any_of(files.begin(), files.end(), [&](const EmbeddedFile& file) { return file.path == path; });
}

// Whether `pattern` takes `path`, and what its parameter is.
bool takes(const Route& route, std::string_view path, std::string& parameter) {
  if (route.id == RouteId::kPage) return path == "/" || is_page_file(path.substr(1));
  const std::size_t brace = route.pattern.find('{');
  if (brace == std::string_view::npos) return path == route.pattern;
  if (path.size() <= brace || path.substr(0, brace) != route.pattern.substr(0, brace)) return false;
  parameter = path.substr(brace);
  return true;
}

}  // namespace

RouteMatch match_route(std::string_view method, std::string_view path) {
  RouteMatch match;
  if (path.empty()) return match;
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  for (std::size_t i = 0; i < kRoutes.size(); ++i) {
    if (!takes(kRoutes[i], path, match.parameter)) continue;
    if (kRoutes[i].method == wanted) {
      match.route = i;
      match.allow.clear();
      return match;
    }
    match.allow += (match.allow.empty() ? "" : ", ") + std::string(kRoutes[i].method == "GET" ? "GET, HEAD" : kRoutes[i].method);
  }
  return match;
}

std::string route_name(std::size_t route) {
  if (route >= kRoutes.size()) return "other";
  return std::string(kRoutes[route].method) + " " + std::string(kRoutes[route].pattern);
}

}  // namespace signet::api
