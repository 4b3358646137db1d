#include <algorithm>
#include <charconv>

#include "serve/api_state.h"
#include "serve/embedded.h"
#include "signet/base/error.h"
#include "signet/base/text.h"

namespace signet {
namespace {

using api::RouteId;

void check_parameters(const ApiRequest& request, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : request.target.query) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string names = join(known);
    throw Refusal{
        422,
        concat("there is no parameter \"", name.substr(0, 64), "\" here", names.empty() ? "" : "; the parameters are ", names),
        {}};
  }
}

// One that has one value: taking the first of several would answer another question than was asked.
std::optional<std::string> parameter(const ApiRequest& request, std::string_view name) {
  std::optional<std::string> found;
  for (const auto& [key, value] : request.target.query) {
    if (key != name) continue;
    if (found) throw Refusal{422, concat("the parameter \"", name, "\" is given more than once; it takes one value here"), {}};
    found = value;
  }
  return found;
}

std::uint64_t parse_number(const std::string& text, std::string_view name) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    throw Refusal{422, concat(name, " must be a whole number from 0, not \"", text.substr(0, 64), "\""), {}};
  return value;
}

std::optional<std::uint64_t> number(const ApiRequest& request, std::string_view name) {
  const auto text = parameter(request, name);
  if (!text) return std::nullopt;
  return parse_number(*text, name);
}

void check_encodes(const Service& service) {
  if (!service.can_encode()) {
    throw Refusal{
        422, "this service has no model, so it cannot encode pictures; search by code or key, or start it with --model", {}};
  }
}

std::string_view content_type(std::string_view path) {
  struct Kind {
    std::string_view ending, type;
  };
  static constexpr std::array kKinds = {Kind{".html", "text/html; charset=utf-8"},
                                        Kind{".js", "text/javascript; charset=utf-8"},
                                        Kind{".css", "text/css; charset=utf-8"},
                                        Kind{".svg", "image/svg+xml"},
                                        Kind{".png", "image/png"},
                                        Kind{".ico", "image/x-icon"},
                                        Kind{".json", "application/json"},
                                        Kind{".txt", "text/plain; charset=utf-8"}};
  for (const Kind& kind : kKinds) {
    if (path.ends_with(kind.ending)) return kind.type;
  }
  return "application/octet-stream";
}

// Everything comes from this server. Pictures that are fetched with a key, dropped or drawn are painted on canvases.
constexpr const char* kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action "
    "'none'; frame-ancestors 'none'";

std::span<const std::byte> bytes_of(const std::string& text) { return as_bytes(text); }

}  // namespace

HttpResponse Api::State::dispatch(const ApiRequest& request) {
  switch (request.route().id) {
    case RouteId::kCollection:
      return collection();
    case RouteId::kSearch:
      break;  // replies by itself
    case RouteId::kEncode:
      return encode(request);
    case RouteId::kImages:
      return images(request);
    case RouteId::kImageGet:
      return image(request);
    case RouteId::kImagePut:
      return put(request);
    case RouteId::kImageDelete:
      return remove(request);
    case RouteId::kBulk:
      return bulk(request);
    case RouteId::kThumbnail:
      return thumbnail(request);
    case RouteId::kMap:
      return map(request);
    case RouteId::kDuplicates:
      return duplicates(request);
    case RouteId::kVerdicts:
      return verdicts(request);
    case RouteId::kVerdictPut:
      return put_verdict(request);
    case RouteId::kVerdictDelete:
      return delete_verdict(request);
    case RouteId::kHealth:
      return json_response({{"status", "ok"}});
    case RouteId::kReady:
      return ready();
    case RouteId::kMetrics:
      return metrics_page();
    case RouteId::kOpenApi: {
      HttpResponse response;
      response.content_type = kJsonType;
      response.body = openapi_document();
      return response;
    }
    case RouteId::kPage:
      return page(request);
    case RouteId::kOther:
      break;
  }
  throw Refusal{404, "there is nothing at this path", {}};
}

HttpResponse Api::State::collection() { return json_response(api::to_json(service.summary())); }

SearchQuery Api::State::search_query(const ApiRequest& request) const {
  check_parameters(request, {"k", "radius", "label", "offset", "limit"});
  SearchQuery query;
  if (request.type() == "application/json") {
    query = api::search_query(api::parse_object(request.http.body), service.bits());
  } else {
    check_encodes(service);
    query.query = SearchQuery::Picture{bytes_of(request.http.body)};
  }
  if (const auto k = number(request, "k")) query.k = *k;
  if (const auto radius = number(request, "radius"))
    query.radius = static_cast<std::uint32_t>(std::min<std::uint64_t>(*radius, kMaxBits));
  if (const auto offset = number(request, "offset")) query.offset = *offset;
  if (const auto limit = number(request, "limit")) query.limit = *limit;
  const HttpFields& named = request.target.query;
  if (std::ranges::any_of(named, [](const auto& field) { return field.first == "label"; })) query.labels.clear();
  for (const auto& [name, value] : named) {
    if (name == "label" && !value.empty()) query.labels.push_back(value);
  }
  return query;
}

void Api::State::search(const HttpRequest& request, const SearchQuery& query, HttpReply reply) {
  service.search(query, [&request, bits = service.bits(), reply = std::move(reply)](const SearchAnswer& answer,
                                                                                    const std::exception_ptr& error) {
    reply(respond(request, [&] {
      if (error) std::rethrow_exception(error);
      HttpResponse response;
      response.content_type = kJsonType;
      response.body = api::search_body(answer, bits);
      return response;
    }));
  });
}

bool Api::State::search_at_once(const HttpRequest& request, SearchQuery& query, const HttpReply& reply) {
  if (auto* picture = std::get_if<SearchQuery::Picture>(&query.query)) picture->at_once = true;
  try {
    search(request, query, reply);
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kBusy) throw;
    return false;
  }
}

HttpResponse Api::State::encode(const ApiRequest& request) {
  check_parameters(request, {});
  check_encodes(service);
  return json_response(api::to_json(service.encode(bytes_of(request.http.body)), service.bits()));
}

HttpResponse Api::State::images(const ApiRequest& request) {
  check_parameters(request, {"after", "limit", "label", "offset"});
  ImagesQuery query;
  query.after = number(request, "after").value_or(0);
  query.offset = number(request, "offset").value_or(0);
  query.limit = number(request, "limit").value_or(query.limit);
  query.label = parameter(request, "label").value_or("");
  return json_response(api::to_json(service.images(query)));
}

HttpResponse Api::State::image(const ApiRequest& request) {
  check_parameters(request, {});
  return json_response(api::to_json(service.image(request.parameter())));
}

HttpResponse Api::State::put(const ApiRequest& request) {
  check_parameters(request, {"label"});
  check_encodes(service);
  const std::string key = request.parameter();
  const PutResult result = service.put(key, bytes_of(request.http.body), parameter(request, "label"));
  return json_response({{"id", result.id}, {"key", key}, {"created", result.created}}, result.created ? 201 : 200);
}

HttpResponse Api::State::remove(const ApiRequest& request) {
  check_parameters(request, {});
  service.remove(request.parameter());
  HttpResponse response;
  response.status = 204;
  return response;
}

HttpResponse Api::State::bulk(const ApiRequest& request) {
  check_parameters(request, {});
  struct Line {
    std::string key, error;  // error: the line is no item
    std::size_t item = 0;
  };
  std::vector<Line> lines;
  std::vector<BulkItem> items;
  const std::uint32_t bits = service.bits();
  std::string_view rest = request.http.body;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (lines.size() >= options.max_bulk_lines)
      throw Refusal{413, concat("a bulk request has at most ", options.max_bulk_lines, " lines; nothing was added"), {}};
    Line line;
    try {
      const api::Json object = api::parse_object(text);
      if (const auto key = object.find("key"); key != object.end() && key->is_string()) line.key = key->get<std::string>();
      items.push_back(api::bulk_item(object, bits));
      line.item = items.size() - 1;
    } catch (const Error& error) {
      line.error = error.what();
    }
    lines.push_back(std::move(line));
  }
  if (std::any_of(items.begin(), items.end(), [](const BulkItem& item) { return item.code.empty(); })) check_encodes(service);
  const std::vector<BulkOutcome> outcomes = service.add(std::move(items));
  HttpResponse response;
  response.content_type = "application/x-ndjson";
  for (const Line& line : lines) {
    const BulkOutcome outcome = line.error.empty() ? outcomes[line.item] : BulkOutcome{0, line.error};
    response.body += api::dump(api::to_json(line.key, outcome)) + "\n";
  }
  return response;
}

HttpResponse Api::State::thumbnail(const ApiRequest& request) {
  check_parameters(request, {"size"});
  const std::uint64_t id = parse_number(request.parameter(), "the id");
  const std::uint64_t size = std::min<std::uint64_t>(number(request, "size").value_or(96), 1u << 20);
  const ImageRecord record = service.record(id);
  HttpResponse response;
  // An id names one code for ever; its picture's file may change, which the next `signet add` sees.
  const std::string tag = concat("\"", id, "-", record.bytes, "-", record.modified_ns, "-", size, "\"");
  response.headers = {{"ETag", tag}, {"Cache-Control", "private, max-age=3600"}};
  if (request.http.header("if-none-match") == tag) {
    response.status = 304;
    return response;
  }
  SmallPicture thumbnail = service.thumbnail(record, static_cast<std::uint32_t>(size));
  response.content_type = thumbnail.content_type;
  response.body = std::move(thumbnail.bytes);
  return response;
}

HttpResponse Api::State::map(const ApiRequest& request) {
  check_parameters(request, {"limit"});
  return json_response(api::to_json(*service.map(number(request, "limit").value_or(20'000))));
}

HttpResponse Api::State::duplicates(const ApiRequest& request) {
  check_parameters(request, {"level", "radius", "offset", "limit"});
  const std::vector<std::string> levels = api::duplicate_levels(service.training_record());
  DuplicatesQuery query;
  query.level = parse_duplicate_level(levels.back());
  if (const auto level = parameter(request, "level")) {
    if (std::find(levels.begin(), levels.end(), *level) == levels.end()) {
      throw Refusal{
          422,
          concat("level must be one of ", join(levels), " with the codes of this collection, not \"", level->substr(0, 64), "\""),
          {}};
    }
    query.level = parse_duplicate_level(*level);
  }
  if (const auto radius = number(request, "radius"))
    query.radius = static_cast<std::uint32_t>(std::min<std::uint64_t>(*radius, kMaxBits));
  query.offset = number(request, "offset").value_or(0);
  query.limit = number(request, "limit").value_or(query.limit);
  return json_response(api::to_json(service.duplicates(query)));
}

HttpResponse Api::State::verdicts(const ApiRequest& request) {
  check_parameters(request, {"offset", "limit"});
  return json_response(
      api::to_json(service.verdicts(number(request, "offset").value_or(0), number(request, "limit").value_or(100))));
}

namespace {

// "12-34" names the images 12 and 34.
std::pair<std::uint64_t, std::uint64_t> parse_pair(const std::string& text) {
  const std::size_t dash = std::min(text.find('-'), text.size());
  if (dash == text.size())
    throw Refusal{422, concat("a pair of images is two ids with a dash between them, not \"", text.substr(0, 64), "\""), {}};
  return {parse_number(text.substr(0, dash), "the first id"), parse_number(text.substr(dash + 1), "the second id")};
}

}  // namespace

HttpResponse Api::State::put_verdict(const ApiRequest& request) {
  check_parameters(request, {});
  const auto [a, b] = parse_pair(request.parameter());
  const bool duplicate = api::verdict_of(api::parse_object(request.http.body));
  return json_response(api::to_json({std::min(a, b), std::max(a, b), duplicate}, service.set_verdict(a, b, duplicate)));
}

HttpResponse Api::State::delete_verdict(const ApiRequest& request) {
  check_parameters(request, {});
  const auto [a, b] = parse_pair(request.parameter());
  service.erase_verdict(a, b);
  HttpResponse response;
  response.status = 204;
  return response;
}

HttpResponse Api::State::ready() const {
  if (draining.load()) throw Refusal{503, "the service is being stopped", {{"Retry-After", "5"}}};
  if (!service.ready()) throw Refusal{503, "the newest state of the collection cannot be read", {{"Retry-After", "5"}}};
  return json_response({{"status", "ready"}});
}

HttpResponse Api::State::metrics_page() {
  HttpResponse response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  std::function<HttpCounters()> count;
  {
    const std::lock_guard lock(counters_mutex);
    count = counters;
  }
  const HttpCounters now = count ? count() : HttpCounters{};
  response.body = metrics.text(now, service);
  return response;
}

HttpResponse Api::State::page(const ApiRequest& request) const {
  const std::string_view path =
      request.target.path == "/" ? std::string_view("index.html") : std::string_view(request.target.path).substr(1);
  for (const EmbeddedFile& file : page_files()) {
    if (file.path != path) continue;
    HttpResponse response;
    response.content_type = content_type(path);
    response.body = file.content;
    // The build names what lies in assets/ by its content.
    response.headers = {{"Cache-Control", path.starts_with("assets/") ? "public, max-age=31536000, immutable" : "no-cache"},
                        {"Content-Security-Policy", kPagePolicy}};
    return response;
  }
  throw Refusal{404, "the page has no such file", {}};
}

}  // namespace signet
