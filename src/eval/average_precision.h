#pragma once

#include <cstddef>
#include <cstdint>

#include "signet/eval/metrics.h"

namespace signet::eval {

// H(first + count) - H(first) = sum of 1 / i for i in (first, first + count], to about 1e-15 relative.
double harmonic_difference(std::uint64_t first, std::uint64_t count) noexcept;

// Sums the terms of a ranking group by group, nearest first. Only ranks up to `cutoff` count.
class PrecisionSum {
 public:
  explicit PrecisionSum(std::uint64_t cutoff) noexcept : cutoff_(cutoff) {}
  void add_group(std::uint64_t items, std::uint64_t relevant) noexcept;  // relevant <= items, equal distance
  AveragePrecision over(std::uint64_t total_relevant) const noexcept;    // divided by min(cutoff, total_relevant)

 private:
  std::uint64_t cutoff_;
  std::uint64_t before_ = 0, relevant_before_ = 0;
  AveragePrecision sum_;
};

}  // namespace signet::eval
