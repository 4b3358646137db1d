#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "serve/api_json.h"
#include "serve/metrics.h"
#include "serve/rate_limit.h"
#include "serve/routes.h"
#include "signet/serve/api.h"

namespace signet {

// An answer that is not the one asked for, thrown inside the Api.
struct Refusal {
  unsigned status;
  std::string detail;
  HttpFields headers = {};
};

// A request with its target taken apart.
struct ApiRequest {
  explicit ApiRequest(const HttpRequest& request)
      : http(request), target(parse_target(request.target)), match(api::match_route(request.method, target.path)) {}
  const HttpRequest& http;
  HttpTarget target;
  api::RouteMatch match;
  const api::Route& route() const { return api::kRoutes[match.route]; }  // where there is one
  bool names(api::RouteId id) const { return match.route != api::kOtherRoute && route().id == id; }
  std::string type() const { return media_type(http.header("content-type")); }
  std::string parameter() const { return percent_decode(match.parameter); }
};

inline constexpr const char* kJsonType = "application/json";

struct Api::State {
  State(Service& service_in, ApiOptions options_in);

  void admit(const HttpRequest& request, const AccessKeys::Match& shown, HttpAdmission& admission);
  void check_access(const ApiRequest& request, Access shown);
  void check_same_origin(const ApiRequest& request) const;
  void check_rate(const HttpRequest& request, const AccessKeys::Match& shown);
  HttpResponse dispatch(const ApiRequest& request);
  HttpResponse collection();
  SearchQuery search_query(const ApiRequest& request) const;
  void search(const HttpRequest& request, const SearchQuery& query, HttpReply reply);  // replies where it does not throw
  // The same, or false, where the query's picture would have to wait for memory.
  bool search_at_once(const HttpRequest& request, SearchQuery& query, const HttpReply& reply);
  HttpResponse encode(const ApiRequest& request);
  HttpResponse images(const ApiRequest& request);
  HttpResponse image(const ApiRequest& request);
  HttpResponse put(const ApiRequest& request);
  HttpResponse remove(const ApiRequest& request);
  HttpResponse bulk(const ApiRequest& request);
  HttpResponse thumbnail(const ApiRequest& request);
  HttpResponse map(const ApiRequest& request);
  HttpResponse duplicates(const ApiRequest& request);
  HttpResponse verdicts(const ApiRequest& request);
  HttpResponse put_verdict(const ApiRequest& request);
  HttpResponse delete_verdict(const ApiRequest& request);
  HttpResponse ready() const;
  HttpResponse metrics_page();
  HttpResponse page(const ApiRequest& request) const;

  Service& service;
  const ApiOptions options;
  Metrics metrics;
  RateLimit rate;
  std::mutex counters_mutex;
  std::function<HttpCounters()> counters;
  std::atomic<bool> draining{false};
};

// What `make` gives, or a problem body of what it throws; with the headers that every answer has.
template <typename Make>
HttpResponse respond(const HttpRequest& request, Make&& make) noexcept;
HttpResponse respond_with(const HttpRequest& request, const std::function<HttpResponse()>& make) noexcept;
HttpResponse problem_response(const Refusal& refusal, const HttpRequest& request);
HttpResponse json_response(const api::Json& value, unsigned status = 200);

template <typename Make>
HttpResponse respond(const HttpRequest& request, Make&& make) noexcept {
  return respond_with(request, std::ref(make));  // by reference: to make a function of it asks for no memory
}

}  // namespace signet
