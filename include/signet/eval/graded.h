#pragma once

#include <cstddef>
#include <vector>

#include "signet/eval/metrics.h"

namespace signet {

// Metrics for several labels an image, where relevance has degrees. Gain of a pair: shared labels / labels of either (Jaccard), 0
// to 1; relevant: gain above 0. Both are expected over random orders inside equal distances, like mAP.
struct GradedMetrics {
  std::size_t queries = 0, queries_without_relevant = 0;  // the latter are left out of the means
  std::size_t cutoff = 0;                                 // n of NDCG@n; 0: the whole database
  double ndcg = 0;  // sum over ranks i <= n of (2^g_i - 1) / log2(i + 1), by that of the best order (Jarvelin & Kekalainen 2002)
  double weighted_map =
      0;  // over relevant ranks i: mean gain of the first i, averaged over relevant items (Zhao et al., CVPR 2015)
  std::vector<double> ndcg_by_query, weighted_ap;  // one per query with relevant items, in query order
};

// input.cutoff is the n of NDCG; weighted mAP always ranks the whole database. Throws as evaluate() does. With one label an image
// weighted_map equals map.
GradedMetrics evaluate_graded(const EvalInput& input);

}  // namespace signet
