#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "signet/code/code_matrix.h"
#include "signet/eval/metrics.h"
#include "signet/eval/results.h"

namespace signet {

inline constexpr std::uint32_t kTableRadius = 2;  // what the tables of results show the time of: always measured

struct SearchCostOptions {
  std::size_t queries = 100;       // at most so many, evenly spaced
  double seconds_a_point = 0.03;   // no further batch of ten queries after that
  double slowest = 0.02;           // seconds a query: an index that takes longer is not asked for larger radii
  double enough_recall = 0.995;    // no radius beyond kTableRadius and the first that finds this share of the relevant images
  std::uint32_t most_points = 24;  // radii an index, evenly spaced; kTableRadius beside them
};

// What precision and recall cost (Cai 2017, "A Revisit of Hashing Algorithms for Approximate Nearest Neighbor Search": methods
// are to be compared by the time that a precision or recall takes, not by the radius). Every exact kind of index that can hold
// the codes ("flat", "table", "mih") answers for everything within a growing radius, on one thread; `by_radius` are the metrics
// of the same codes. Answers are compared with the scan's before they are timed. Throws kMismatch for codes of different length,
// kInvalidArgument for an empty side, kInternal where two kinds of index disagree.
std::vector<SearchCost> measure_search(const CodeMatrix& queries, const CodeMatrix& database,
                                       const std::vector<RadiusPoint>& by_radius, const SearchCostOptions& options = {});

}  // namespace signet
