#include "index/collector.h"

#include <algorithm>
#include <limits>

namespace signet {

Collector::Collector(std::size_t k, std::uint32_t radius, std::uint32_t largest, Arrival arrival)
    : arrival_(arrival), histogram_(std::size_t{largest} + 1) {
  restart(k, radius);
}

void Collector::restart(std::size_t k, std::uint32_t radius) noexcept {
  k_ = k;
  limit_ = std::min(radius, static_cast<std::uint32_t>(histogram_.size() - 1));
  within_ = 0;
  std::fill(histogram_.begin(), histogram_.end(), 0);
  hits_.clear();
  // Twice k, so that each compaction is paid for by k candidates; 1,000 more, so that it is rare for small k. Without overflow
  // for k of "all", where the buffer is the result and nothing is ever dropped.
  constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
  compact_at_ = k_ > kNever / 4 ? kNever : 2 * k_ + 1000;
  set_bound();
}

void Collector::set_bound() noexcept {
  if (k_ == 0) {
    bound_ = 0;
    return;
  }
  const bool tie_lost = within_ >= k_ && arrival_ == Arrival::kAscending;
  bound_ = static_cast<std::uint16_t>(tie_lost ? limit_ : limit_ + 1);
}

void Collector::compact() {
  tighten();
  if (hits_.size() <= k_) return;
  std::nth_element(hits_.begin(), hits_.begin() + static_cast<std::ptrdiff_t>(k_), hits_.end());
  hits_.resize(k_);
}

std::span<const PackedHit> Collector::finish() {
  if (hits_.size() > k_) {
    std::nth_element(hits_.begin(), hits_.begin() + static_cast<std::ptrdiff_t>(k_), hits_.end());
    hits_.resize(k_);
  }
  std::sort(hits_.begin(), hits_.end());
  return hits_;
}

std::vector<PackedHit> Collector::take() {
  finish();
  std::vector<PackedHit> hits = std::move(hits_);
  hits_.clear();
  return hits;
}

std::vector<PackedHit> merge_hits(std::vector<std::vector<PackedHit>> lists, std::size_t k) {
  std::vector<PackedHit> merged = std::move(lists.front());
  for (std::size_t i = 1; i < lists.size(); ++i) {
    const auto middle = static_cast<std::ptrdiff_t>(merged.size());
    merged.insert(merged.end(), lists[i].begin(), lists[i].end());
    std::inplace_merge(merged.begin(), merged.begin() + middle, merged.end());
    if (merged.size() > k) merged.resize(k);
  }
  return merged;
}

}  // namespace signet
