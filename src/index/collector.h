#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace signet {

// A hit as one word, distance above position: comparing words is comparing by (distance, position), the order of results.
using PackedHit = std::uint64_t;
constexpr PackedHit pack_hit(std::uint32_t distance, std::uint64_t position) noexcept {
  return static_cast<std::uint64_t>(distance) << 48 | position;
}
constexpr std::uint32_t hit_distance(PackedHit hit) noexcept { return static_cast<std::uint32_t>(hit >> 48); }
constexpr std::uint64_t hit_position(PackedHit hit) noexcept { return hit & ((std::uint64_t{1} << 48) - 1); }

// The k nearest of what it is shown, for one query. Candidates go to a buffer and into a histogram of distances; the histogram
// gives the distance of the k-th nearest so far, which is the bound for the candidates to come: no heap, constant work a
// candidate.
class Collector {
 public:
  enum class Arrival {
    kAscending,  // positions only grow: a later candidate at the k-th distance has lost its tie already
    kAny,
  };

  // Keeps at most k hits with distance <= radius. `largest`: no distance is above it.
  Collector(std::size_t k, std::uint32_t radius, std::uint32_t largest, Arrival arrival);

  // A candidate matters only if its distance is below this.
  std::uint16_t bound() const noexcept { return bound_; }

  // Precondition: distance is below what bound() was at some time.
  void add(std::uint32_t distance, std::uint64_t position) {
    if (distance >= bound_) return;
    ++histogram_[distance];
    ++within_;
    hits_.push_back(pack_hit(distance, position));
    if (hits_.size() >= compact_at_) compact();
  }

  // Lowers the bound as far as the candidates so far allow. Called after each block of them.
  void tighten() noexcept {
    while (within_ >= k_ && limit_ > 0 && within_ - histogram_[limit_] >= k_) within_ -= histogram_[limit_--];
    set_bound();
  }

  // At least k candidates at distance <= limit() were seen.
  bool full() const noexcept { return within_ >= k_; }
  std::uint32_t limit() const noexcept { return limit_; }  // the radius, and once full the k-th distance after tighten()

  // The result, ascending. Leaves the collector empty.
  std::vector<PackedHit> take();
  // The same, valid until the next change, with the memory kept for the next query: begin with restart().
  std::span<const PackedHit> finish();
  void restart(std::size_t k, std::uint32_t radius) noexcept;

 private:
  void set_bound() noexcept;
  void compact();

  std::size_t k_ = 0;
  std::uint32_t limit_ = 0;
  std::uint16_t bound_ = 0;
  Arrival arrival_;
  std::uint64_t within_ = 0;  // candidates seen at distance <= limit_
  std::size_t compact_at_ = 0;
  std::vector<std::uint64_t> histogram_;
  std::vector<PackedHit> hits_;
};

// The k first of lists that are ascending each, where every position of a list is below those of the next.
std::vector<PackedHit> merge_hits(std::vector<std::vector<PackedHit>> lists, std::size_t k);

}  // namespace signet
