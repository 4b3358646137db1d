#include "signet/serve/api.h"

#include <algorithm>
#include <new>

#include "serve/api_state.h"
#include "serve/embedded.h"
#include "signet/base/error.h"
#include "signet/image/image.h"

namespace signet {
namespace {

using api::RouteId;

constexpr const char* kRetrySeconds = "1";

std::vector<std::string> route_names() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= api::kRoutes.size(); ++i) names.push_back(api::route_name(i));
  return names;
}

// Of an Error that came out of the service while it worked on a request.
unsigned status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kUnsupported:
      return 415;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kMismatch:
      return 422;
    case ErrorCode::kBusy:
    case ErrorCode::kIo:
      return 503;  // the disk is full or gone: it may be back
    default:
      return 500;
  }
}

Refusal refusal_of(const Error& error) {
  Refusal refusal{status_of(error.code()), error.what(), {}};
  if (refusal.status == 503) refusal.headers = {{"Retry-After", error.code() == ErrorCode::kIo ? "30" : kRetrySeconds}};
  return refusal;
}

// The host of "[::1]:8080", "localhost:8080", "127.0.0.1".
std::string host_name(std::string_view header) {
  if (header.starts_with("[")) return std::string(header.substr(1, std::min(header.find(']'), header.size()) - 1));
  return std::string(header.substr(0, std::min(header.find(':'), header.size())));
}

std::string short_text(std::string_view text) { return std::string(text.substr(0, 80)); }

void check_type(const ApiRequest& request) {
  using api::BodyKind;
  const BodyKind kind = request.route().body;
  if (kind == BodyKind::kNone) return;
  const std::string type = request.type();
  const bool picture = type.starts_with("image/") || type == "application/octet-stream";
  const bool json = type == "application/json";
  if (kind == BodyKind::kLines) {
    if (type == "application/x-ndjson" || type == "application/jsonl" || json) return;
    throw Refusal{
        415, concat("the body must be application/x-ndjson, one JSON object a line, not \"", short_text(type), "\""), {}};
  }
  if (kind == BodyKind::kJson) {
    if (json) return;
    throw Refusal{415, concat("the body must be application/json, not \"", short_text(type), "\""), {}};
  }
  if (picture || (json && kind == BodyKind::kPictureOrJson)) return;
  throw Refusal{
      415,
      concat("the body must be a picture (image/png, image/jpeg, image/webp, image/bmp, image/tiff or application/octet-stream)",
             kind == BodyKind::kPictureOrJson ? " or application/json" : "", ", not \"", short_text(type), "\""),
      {}};
}

}  // namespace

HttpResponse json_response(const api::Json& value, unsigned status) {
  HttpResponse response;
  response.status = status;
  response.content_type = kJsonType;
  response.body = api::dump(value);
  return response;
}

HttpResponse problem_response(const Refusal& refusal, const HttpRequest& request) {
  HttpResponse response;
  response.status = refusal.status;
  response.content_type = "application/problem+json";
  response.body = api::problem(refusal.status, refusal.detail, request.id);
  response.headers = refusal.headers;
  return response;
}

Api::State::State(Service& service_in, ApiOptions options_in)
    : service(service_in), options(std::move(options_in)), metrics(route_names()), rate(options.rate) {}

// Without keys the only guard is that the service listens on this machine alone. A page of another site can still make the
// browser of somebody on this machine send requests here: under a name that it has pointed to 127.0.0.1 (then Host is that name),
// or blindly (then Origin is another; where browsers send none, as for an <img>, Sec-Fetch-Site says that the page is another
// one). Who is no browser sends neither. Links to the page may stand anywhere: opening it does nothing, and no other page can
// look into it.
void Api::State::check_same_origin(const ApiRequest& request) const {
  if (!options.keys.is_open() || !options.check_host) return;
  const std::string_view named = request.target.authority;
  const std::string_view host = named.empty() ? request.http.header("host") : named;
  if (!is_loopback(host_name(host))) {
    throw Refusal{
        403, concat("without keys this service answers requests to localhost only, not to \"", short_text(host), "\""), {}};
  }
  const std::string_view origin = request.http.header("origin");
  const std::size_t slashes = origin.find("://");
  const bool foreign = !origin.empty() && (slashes == std::string_view::npos || origin.substr(slashes + 3) != host);
  const std::string_view site = request.http.header("sec-fetch-site");
  const bool link = request.names(RouteId::kPage) && request.http.header("sec-fetch-mode") == "navigate";
  if (foreign || ((site == "cross-site" || site == "same-site") && !link))
    throw Refusal{403, "this request comes from a page of another site", {}};
}

void Api::State::check_access(const ApiRequest& request, Access shown) {
  const Access needed = request.route().access;
  if (needed == Access::kWrite && !service.writable())
    throw Refusal{403, "this service was started without the right to change its collection", {}};
  if (needed == Access::kNone || options.keys.is_open()) return;
  if (shown == Access::kNone) {
    throw Refusal{
        401, "this needs a key, in the header \"Authorization: Bearer KEY\"", {{"WWW-Authenticate", "Bearer realm=\"signet\""}}};
  }
  if (shown < needed) throw Refusal{403, "this needs the write key; the key that was shown may only read", {}};
}

void Api::State::check_rate(const HttpRequest& request, const AccessKeys::Match& shown) {
  if (!rate.take(shown.key.empty() ? request.peer : std::string(shown.key)))
    throw Refusal{429, "this client sends more requests than it may; wait and try again", {{"Retry-After", kRetrySeconds}}};
}

void Api::State::admit(const HttpRequest& http, const AccessKeys::Match& shown, HttpAdmission& admission) {
  const ApiRequest request(http);
  check_same_origin(request);
  if (request.match.route == api::kOtherRoute) {
    if (request.match.allow.empty()) throw Refusal{404, "there is nothing at this path; /openapi.json lists what there is", {}};
    throw Refusal{405,
                  concat("this path knows ", request.match.allow, " and not ", short_text(http.method)),
                  {{"Allow", request.match.allow}}};
  }
  const api::Route& route = request.route();
  if (route.lane != HttpLane::kInline) check_rate(http, shown);
  check_access(request, shown.access);
  check_type(request);
  admission.lane = route.lane;
  switch (route.body) {
    case api::BodyKind::kNone:
      admission.max_body = 0;
      break;
    case api::BodyKind::kPicture:
      admission.max_body = options.max_picture_bytes;
      break;
    case api::BodyKind::kJson:
      admission.max_body = options.max_json_bytes;
      break;
    case api::BodyKind::kPictureOrJson:
      admission.max_body = request.type() == "application/json" ? options.max_json_bytes : options.max_picture_bytes;
      break;
    case api::BodyKind::kLines:
      admission.max_body = options.max_bulk_bytes;
      break;
  }
}

namespace {

// Runs what makes an answer; what it throws becomes a problem body.
HttpResponse answer_of(const HttpRequest& request, const std::function<HttpResponse()>& make) {
  try {
    return make();
  } catch (const Refusal& refusal) {
    return problem_response(refusal, request);
  } catch (const Error& error) {
    return problem_response(refusal_of(error), request);
  } catch (const std::bad_alloc&) {
    return problem_response({503, "there is not enough memory for this now", {{"Retry-After", kRetrySeconds}}}, request);
  } catch (const std::exception& error) {
    return problem_response({500, error.what(), {}}, request);
  }
}

Refusal busy() { return {503, "too many requests are under way; try again", {{"Retry-After", kRetrySeconds}}}; }

constexpr std::size_t kSmallBytes = std::size_t{64} << 10, kSmallPixels = std::size_t{256} * 256;

// Whether all but the pass over the codes takes some microseconds: nothing is looked up, and a picture is as small as a thumbnail
// and of a kind whose decoding takes no longer than its pixels do (a JPEG may have hundreds of scans).
bool is_small(const SearchQuery& query) {
  if (!query.labels.empty()) return false;
  if (std::holds_alternative<SearchQuery::Code>(query.query)) return true;
  const auto* picture = std::get_if<SearchQuery::Picture>(&query.query);
  if (picture == nullptr) return false;
  try {
    const ImageHeader header = read_image_header(picture->bytes, "the picture");
    return (header.format == "png" || header.format == "bmp" || header.format == "pnm") &&
           std::uint64_t{header.width} * header.height <= kSmallPixels;
  } catch (const Error&) {
    return true;  // no picture: decoding says so, as soon
  }
}

void add_common_headers(HttpResponse& response) {
  const auto has = [&](std::string_view name) {
    return std::any_of(response.headers.begin(), response.headers.end(), [&](const auto& field) { return field.first == name; });
  };
  if (!has("Cache-Control")) response.headers.emplace_back("Cache-Control", "no-store");
  if (!has("Content-Security-Policy"))
    response.headers.emplace_back("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
}

}  // namespace

Api::Api(Service& service, ApiOptions options) : state_(std::make_unique<State>(service, std::move(options))) {}

Api::~Api() = default;

void Api::watch(std::function<HttpCounters()> counters) {
  const std::lock_guard lock(state_->counters_mutex);
  state_->counters = std::move(counters);
}

void Api::drain() noexcept { state_->draining.store(true); }

void Api::give_up() noexcept { state_->service.give_up(); }

// The key is looked for here and nowhere else: its digest costs more than all other checks. The note of the request tells
// finished() what it may do.
HttpAdmission Api::admit(const HttpRequest& request) noexcept {
  HttpAdmission admission;
  try {
    const AccessKeys::Match shown = state_->options.keys.match(request.header("authorization"));
    admission.note = static_cast<unsigned>(shown.access);
    state_->admit(request, shown, admission);
  } catch (...) {
    admission.refused = true;
    admission.refusal = respond(request, []() -> HttpResponse { throw; });  // what was thrown above
  }
  return admission;
}

HttpResponse respond_with(const HttpRequest& request, const std::function<HttpResponse()>& make) noexcept {
  try {
    HttpResponse response = answer_of(request, make);
    add_common_headers(response);
    return response;
  } catch (...) {  // no memory even for a problem: this needs none
    HttpResponse response;
    response.status = 503;
    return response;
  }
}

void Api::handle(HttpRequest& request, HttpReply reply) noexcept {
  bool later = false;  // the search replies, and the request may be gone before this returns
  HttpResponse response = respond(request, [&] {
    const ApiRequest parsed(request);
    if (!parsed.names(RouteId::kSearch)) return state_->dispatch(parsed);
    HttpResponse none;  // made before: once a search is asked nothing may fail any more
    state_->search(request, state_->search_query(parsed), reply);
    later = true;
    return none;
  });
  if (!later) reply(std::move(response));
}

bool Api::handle_at_once(HttpRequest& request, bool room, const HttpReply& reply) noexcept {
  if (request.body.size() > kSmallBytes) return false;
  bool later = false, taken = true;
  HttpResponse response = respond(request, [&] {
    HttpResponse none;
    const ApiRequest parsed(request);
    taken = parsed.names(RouteId::kSearch);
    if (!taken) return none;
    SearchQuery query = state_->search_query(parsed);
    taken = is_small(query);
    if (!taken) return none;
    if (!room) throw busy();
    later = taken = state_->search_at_once(request, query, reply);
    return none;
  });
  if (taken && !later) reply(std::move(response));
  return taken;
}

HttpResponse Api::refuse(const HttpRequest& request, HttpRefusal why) noexcept {
  HttpResponse response = respond(request, [&]() -> HttpResponse {
    const HttpFields retry = {{"Retry-After", kRetrySeconds}};
    switch (why) {
      case HttpRefusal::kBodyTooLarge:
        throw Refusal{413, "the body is larger than this path takes", {}};
      case HttpRefusal::kLengthMissing:
        throw Refusal{411, "a body needs the header Content-Length, and must not be sent in chunks", {}};
      case HttpRefusal::kTargetTooLong:
        throw Refusal{414, "the request target is too long", {}};
      case HttpRefusal::kHeadersTooLarge:
        throw Refusal{431, "the request's headers are too large", {}};
      case HttpRefusal::kBusy:
        throw busy();
      case HttpRefusal::kTooManyConnections:
        throw Refusal{503, "too many connections are open; try again", retry};
      case HttpRefusal::kStopping:
        throw Refusal{503, "the service is being stopped; nothing was done", {{"Retry-After", "5"}}};
    }
    throw Refusal{500, "an unknown limit", {}};
  });
  response.close = why == HttpRefusal::kTooManyConnections;
  return response;
}

void Api::finished(const HttpRequest& request, const HttpResponse& response, double seconds, bool sent) noexcept {
  try {
    const std::size_t route = api::match_route(request.method, target_path(request.target)).route;
    state_->metrics.observe(route, response.status, seconds, request.body.size(), response.body.size());
    if (!state_->options.log) return;
    RequestLog line;
    line.id = request.id;
    line.peer = request.peer;
    line.method = request.method;
    line.target = request.target;
    line.route = api::route_name(route);
    line.status = response.status;
    line.seconds = seconds;
    line.bytes_in = request.body.size();
    line.bytes_out = response.body.size();
    line.access = static_cast<Access>(request.note);
    line.sent = sent;
    line.failure = state_->service.failure();
    state_->options.log(line);
  } catch (const std::exception&) {  // a line of the log is lost, not the service
  }
}

std::string_view openapi_document() noexcept { return openapi_files().front().content; }

}  // namespace signet
