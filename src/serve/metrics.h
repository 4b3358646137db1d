#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "signet/serve/http.h"
#include "signet/serve/service.h"

namespace signet {

// What /metrics shows, in Prometheus' text format (version 0.0.4): a latency histogram and counts by route and status class, and
// the state of the server and the collection. Counting takes no lock.
class Metrics {
 public:
  static constexpr std::array kBounds = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0};

  explicit Metrics(const std::vector<std::string>& routes);  // "POST /v1/search", ...
  void observe(std::size_t route, unsigned status, double seconds, std::size_t bytes_in, std::size_t bytes_out) noexcept;
  std::string text(const HttpCounters& http, const Service& service) const;

 private:
  struct Route {
    std::string method, path;
    std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> buckets{};
    std::array<std::atomic<std::uint64_t>, 6> classes{};  // by status / 100
    std::atomic<std::uint64_t> nanoseconds{0};
  };
  std::vector<std::unique_ptr<Route>> routes_;
  std::atomic<std::uint64_t> bytes_in_{0}, bytes_out_{0};
};

}  // namespace signet
