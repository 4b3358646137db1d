#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>

namespace signet {

// A bucket of tokens for every client: `rate` a second come in, at most twice as many are kept. Safe from many threads.
class RateLimit {
 public:
  using Clock = std::chrono::steady_clock;
  explicit RateLimit(double rate) : rate_(rate) {}  // 0: no limit
  bool take(const std::string& client, Clock::time_point now = Clock::now());

 private:
  struct Bucket {
    double tokens;
    Clock::time_point filled;
  };
  void forget(Clock::time_point now);

  const double rate_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace signet
