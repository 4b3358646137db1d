#include "serve/rate_limit.h"

#include <algorithm>

namespace signet {
namespace {

constexpr double kBurstSeconds = 2;
constexpr std::size_t kMostClients = 10'000;

}  // namespace

// A bucket that has filled up again says the same as none.
void RateLimit::forget(Clock::time_point now) {
  std::erase_if(buckets_, [&](const auto& entry) {
    return std::chrono::duration<double>(now - entry.second.filled).count() >= kBurstSeconds;
  });
  if (buckets_.size() >= kMostClients) buckets_.clear();
}

bool RateLimit::take(const std::string& client, Clock::time_point now) {
  if (rate_ <= 0) return true;
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= kMostClients) forget(now);
  const double most = std::max(1.0, rate_ * kBurstSeconds);
  Bucket& bucket = buckets_.try_emplace(client, Bucket{most, now}).first->second;
  bucket.tokens = std::min(most, bucket.tokens + std::chrono::duration<double>(now - bucket.filled).count() * rate_);
  bucket.filled = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

}  // namespace signet
