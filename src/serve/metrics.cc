#include "serve/metrics.h"

#include <algorithm>

#include "signet/base/error.h"

namespace signet {
namespace {

void gauge(std::string& out, const char* name, const char* type, const char* help, std::uint64_t value) {
  out += concat("# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n", name, " ", value, "\n");
}

}  // namespace

Metrics::Metrics(const std::vector<std::string>& routes) {
  for (const std::string& name : routes) {
    auto route = std::make_unique<Route>();
    const std::size_t blank = std::min(name.find(' '), name.size());
    route->method = name.substr(0, blank);
    route->path = blank < name.size() ? name.substr(blank + 1) : "";
    routes_.push_back(std::move(route));
  }
}

void Metrics::observe(std::size_t index, unsigned status, double seconds, std::size_t bytes_in, std::size_t bytes_out) noexcept {
  Route& route = *routes_[index];
  const auto at = static_cast<std::size_t>(std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin());
  route.buckets[at].fetch_add(1, std::memory_order_relaxed);
  route.classes[std::min<std::size_t>(status / 100, 5)].fetch_add(1, std::memory_order_relaxed);
  route.nanoseconds.fetch_add(static_cast<std::uint64_t>(seconds * 1e9), std::memory_order_relaxed);
  bytes_in_.fetch_add(bytes_in, std::memory_order_relaxed);
  bytes_out_.fetch_add(bytes_out, std::memory_order_relaxed);
}

std::string Metrics::text(const HttpCounters& http, const Service& service) const {
  const CollectionInfo info = service.info();
  std::string out =
      "# HELP signet_request_seconds Time from a request's first line to the end of its answer.\n"
      "# TYPE signet_request_seconds histogram\n";
  for (const auto& route : routes_) {
    const std::string labels = concat("method=\"", route->method, "\",route=\"", route->path, "\"");
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < route->buckets.size(); ++i) {
      sum += route->buckets[i].load(std::memory_order_relaxed);
      out += concat("signet_request_seconds_bucket{", labels, ",le=\"",
                    i < kBounds.size() ? concat(kBounds[i]) : std::string("+Inf"), "\"} ", sum, "\n");
    }
    out += concat("signet_request_seconds_sum{", labels, "} ", static_cast<double>(route->nanoseconds.load()) / 1e9, "\n");
    out += concat("signet_request_seconds_count{", labels, "} ", sum, "\n");
  }
  out +=
      "# HELP signet_requests_total Requests answered, by the first digit of the status.\n# TYPE signet_requests_total counter\n";
  for (const auto& route : routes_) {
    for (std::size_t status = 1; status < route->classes.size(); ++status) {
      const std::uint64_t count = route->classes[status].load(std::memory_order_relaxed);
      if (count > 0) {
        out += concat("signet_requests_total{method=\"", route->method, "\",route=\"", route->path, "\",status=\"", status,
                      "xx\"} ", count, "\n");
      }
    }
  }
  gauge(out, "signet_received_bytes_total", "counter", "Bytes of request bodies.", bytes_in_.load());
  gauge(out, "signet_sent_bytes_total", "counter", "Bytes of answer bodies.", bytes_out_.load());
  gauge(out, "signet_connections", "gauge", "Connections that are open.", http.connections);
  gauge(out, "signet_connections_refused_total", "counter", "Connections beyond the limit.", http.connections_refused);
  gauge(out, "signet_connections_timed_out_total", "counter", "Connections closed because the client was too slow.",
        http.timed_out);
  gauge(out, "signet_requests_under_way", "gauge", "Requests begun and not yet answered.", http.requests);
  gauge(out, "signet_read_queue_depth", "gauge", "Requests that wait for a thread.", http.read_queue);
  gauge(out, "signet_write_queue_depth", "gauge", "Changes that wait for the writer.", http.write_queue);
  gauge(out, "signet_search_queue_depth", "gauge", "Searches and pictures to encode that wait for a pass.",
        service.searches_waiting());
  gauge(out, "signet_picture_queue_depth", "gauge", "Pictures that wait for memory.", service.pictures_waiting());
  gauge(out, "signet_body_bytes", "gauge", "Announced bytes of the bodies under way.", http.body_bytes);
  gauge(out, "signet_answer_bytes", "gauge", "Bytes of the answers that are being sent, without small ones.", http.answer_bytes);
  gauge(out, "signet_picture_bytes", "gauge", "Bytes held for pictures that are decoded, encoded, shown or compared.",
        service.picture_bytes());
  gauge(out, "signet_codes", "gauge", "Images of the collection.", info.images);
  gauge(out, "signet_removed_codes", "gauge", "Codes of removed images that are not compacted away yet.", info.removed);
  gauge(out, "signet_segments", "gauge", "Segments of the collection.", info.segments);
  gauge(out, "signet_commit", "gauge", "Number of the collection's commit that is served.", info.commit);
  gauge(out, "signet_code_bytes", "gauge", "Bytes of all segments.", info.code_bytes);
  return out;
}

}  // namespace signet
