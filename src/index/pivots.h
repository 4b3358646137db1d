#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/mih_plan.h"
#include "index/rows.h"
#include "signet/base/thread_pool.h"

namespace signet {

// Codes that stand for the groups in which the stored codes lie, in rows like theirs.
struct Pivots {
  static constexpr std::size_t kMost = 8192;
  std::size_t count = 0, row = 0;
  std::vector<std::uint64_t> words;
  const std::uint8_t* data() const noexcept { return reinterpret_cast<const std::uint8_t*>(words.data()); }
  const std::uint8_t* at(std::size_t pivot) const noexcept { return data() + pivot * row; }
};

// The nearest pivot of a code (the first of equals) and the distance to it.
struct Nearest {
  std::uint16_t pivot = 0, distance = 0;
};
// nearest[i] for i < count codes, one after another in rows like the pivots'. There must be a pivot.
void find_nearest(const std::uint8_t* codes, std::size_t count, const Pivots& pivots, Nearest* nearest);

struct PivotPlan {
  Pivots pivots;
  double codes = 0;  // expected to be read for the ten nearest of a query like the stored codes
  double ns = 0;     // what that, and the distances to all pivots, cost
};

// Learns pivots from a sample: seeds are drawn one after another, with a strong preference for codes far from all seeds so far
// (as k-means++ does, Arthur & Vassilvitskii 2007, but with a higher power, since here a group without a pivot costs far more
// than one with two); then each moves to the bitwise majority of its codes a few times (Lloyd). Several numbers are tried and the
// cheapest for the ten nearest neighbours of the sample's queries is taken. code_ns: reading a code of a flat scan. count: force
// it where not 0. The same for every pool.
PivotPlan plan_pivots(const Rows& rows, const MihSample& sample, double code_ns, std::uint64_t seed, ThreadPool& pool,
                      std::size_t count = 0);

}  // namespace signet
