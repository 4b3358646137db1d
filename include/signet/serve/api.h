#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "signet/serve/access.h"
#include "signet/serve/http.h"
#include "signet/serve/service.h"

namespace signet {

// One line of the request log.
struct RequestLog {
  std::string id, peer, method, target, route;  // route: "POST /v1/search", or "other"
  unsigned status = 0;
  double seconds = 0;
  std::size_t bytes_in = 0, bytes_out = 0;
  Access access = Access::kNone;  // of the key that was shown, where the request came so far that it was looked at
  bool sent = true;               // false: the client went away before the answer was through
  std::string failure;            // why the collection's newest state cannot be read; empty: it can
};

struct ApiOptions {
  AccessKeys keys;
  std::size_t max_picture_bytes = std::size_t{32} << 20;
  std::size_t max_json_bytes = std::size_t{256} << 10;
  std::size_t max_bulk_bytes = std::size_t{64} << 20;
  std::size_t max_bulk_lines = 10'000;
  double rate = 0;  // requests a second of one client (its key, else its address), with bursts of twice as many; 0: no limit
  bool check_host = true;  // without keys: only requests to localhost, so that no page of another site can reach the service
  std::function<void(const RequestLog&)> log;
};

// The HTTP contract (src/serve/openapi/openapi.json, docs/http-api.md) on top of a Service: routes, keys, limits, JSON, problem
// bodies, metrics, the page. JSON exists here and nowhere below.
class Api final : public HttpHandler {
 public:
  Api(Service& service, ApiOptions options);
  ~Api() override;
  // For /metrics: asked for the server's own numbers.
  void watch(std::function<HttpCounters()> counters);
  void drain() noexcept;  // /readyz says 503 from now on

  HttpAdmission admit(const HttpRequest& request) noexcept override;
  void handle(HttpRequest& request, HttpReply reply) noexcept override;
  bool handle_at_once(HttpRequest& request, bool room, const HttpReply& reply) noexcept override;
  HttpResponse refuse(const HttpRequest& request, HttpRefusal why) noexcept override;
  void finished(const HttpRequest& request, const HttpResponse& response, double seconds, bool sent) noexcept override;
  void give_up() noexcept override;  // Service::give_up()

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The OpenAPI 3.1 document.
std::string_view openapi_document() noexcept;

}  // namespace signet
