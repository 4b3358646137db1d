#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "signet/serve/access.h"
#include "signet/serve/http.h"

namespace signet::api {

enum class BodyKind { kNone, kPicture, kJson, kPictureOrJson, kLines };

enum class RouteId {
  kCollection,
  kSearch,
  kEncode,
  kImages,
  kImageGet,
  kImagePut,
  kImageDelete,
  kBulk,
  kThumbnail,
  kMap,
  kDuplicates,
  kVerdicts,
  kVerdictPut,
  kVerdictDelete,
  kHealth,
  kReady,
  kMetrics,
  kOpenApi,
  kPage,
  kOther,
};

struct Route {
  RouteId id;
  std::string_view method;
  std::string_view pattern;  // "/v1/images/{key}": the last part may be a parameter, which takes the whole rest of the path
  Access access;
  HttpLane lane;
  BodyKind body;
};

inline constexpr std::array kRoutes = {
    Route{RouteId::kCollection, "GET", "/v1/collection", Access::kRead, HttpLane::kRead, BodyKind::kNone},
    Route{RouteId::kSearch, "POST", "/v1/search", Access::kRead, HttpLane::kRead, BodyKind::kPictureOrJson},
    Route{RouteId::kEncode, "POST", "/v1/encode", Access::kRead, HttpLane::kRead, BodyKind::kPicture},
    Route{RouteId::kImages, "GET", "/v1/images", Access::kRead, HttpLane::kRead, BodyKind::kNone},
    Route{RouteId::kImageGet, "GET", "/v1/images/{key}", Access::kRead, HttpLane::kRead, BodyKind::kNone},
    Route{RouteId::kImagePut, "PUT", "/v1/images/{key}", Access::kWrite, HttpLane::kWrite, BodyKind::kPicture},
    Route{RouteId::kImageDelete, "DELETE", "/v1/images/{key}", Access::kWrite, HttpLane::kWrite, BodyKind::kNone},
    Route{RouteId::kBulk, "POST", "/v1/images:bulk", Access::kWrite, HttpLane::kWrite, BodyKind::kLines},
    Route{RouteId::kThumbnail, "GET", "/v1/thumbnails/{id}", Access::kRead, HttpLane::kRead, BodyKind::kNone},
    Route{RouteId::kMap, "GET", "/v1/map", Access::kRead, HttpLane::kRead, BodyKind::kNone},
    Route{RouteId::kDuplicates, "GET", "/v1/duplicates", Access::kRead, HttpLane::kRead, BodyKind::kNone},
    Route{RouteId::kVerdicts, "GET", "/v1/verdicts", Access::kRead, HttpLane::kRead, BodyKind::kNone},
    Route{RouteId::kVerdictPut, "PUT", "/v1/verdicts/{pair}", Access::kWrite, HttpLane::kWrite, BodyKind::kJson},
    Route{RouteId::kVerdictDelete, "DELETE", "/v1/verdicts/{pair}", Access::kWrite, HttpLane::kWrite, BodyKind::kNone},
    Route{RouteId::kHealth, "GET", "/healthz", Access::kNone, HttpLane::kInline, BodyKind::kNone},
    Route{RouteId::kReady, "GET", "/readyz", Access::kNone, HttpLane::kInline, BodyKind::kNone},
    Route{RouteId::kMetrics, "GET", "/metrics", Access::kRead, HttpLane::kInline, BodyKind::kNone},
    Route{RouteId::kOpenApi, "GET", "/openapi.json", Access::kNone, HttpLane::kInline, BodyKind::kNone},
    Route{RouteId::kPage, "GET", "/", Access::kNone, HttpLane::kInline, BodyKind::kNone},
};
inline constexpr std::size_t kOtherRoute = kRoutes.size();  // what no route takes, for counting

struct RouteMatch {
  std::size_t route = kOtherRoute;  // of kRoutes; kOtherRoute: the path or the method is unknown
  std::string parameter;            // raw
  std::string allow;                // the methods of a path that is known, where the method is not: "GET, HEAD"
};

// path: raw, without the query. HEAD is taken as GET. Every file of the page is the route "/".
RouteMatch match_route(std::string_view method, std::string_view path);
std::string route_name(std::size_t route);  // "POST /v1/search", "other"

}  // namespace signet::api
