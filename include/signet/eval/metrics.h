#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "signet/code/code_matrix.h"

namespace signet {

// Retrieval metrics from codes and labels (docs/metrics.md has the formulas and their sources). All functions are pure: no state,
// safe from many threads, and their results do not depend on the number of threads, bit for bit.

// Two items are relevant to each other where their label lists share an entry. An empty list means "unknown": relevant to
// nothing. Order and repetition inside a list do not matter.
struct EvalInput {
  const CodeMatrix* queries = nullptr;
  const CodeMatrix* database = nullptr;
  std::span<const std::vector<std::int32_t>> query_labels;     // one list a query
  std::span<const std::vector<std::int32_t>> database_labels;  // one list a database item
  bool leave_one_out = false;  // queries and database hold the same codes in the same order; a query is not its own neighbour
  std::size_t cutoff = 0;      // R of mAP@R; 0: all
  std::size_t threads = 0;     // 0: one per CPU
};

struct CurvePoint {
  double x = 0, y = 0;
};

// What a user who picks a search radius gets. Sums over queries, so that an empty ball needs no convention.
struct RadiusPoint {
  std::uint32_t radius = 0;  // inclusive
  double items = 0;          // mean number of items within the radius
  double precision = 0;      // relevant items within the radius of all queries / items within it; 0 where there is none
  double recall = 0;         // relevant items within the radius of all queries / all relevant items
};

struct CodeHealth {
  std::vector<double> bit_mean;     // share of ones, one per bit
  double mean_entropy = 0;          // mean over bits of the entropy in bits, 0 to 1
  double max_correlation = 0;       // largest |correlation| of two bits; a constant bit correlates with nothing (0)
  double mean_correlation = 0;      // mean |correlation| over pairs
  std::vector<double> correlation;  // bits x bits, row-major, 1 on the diagonal; only up to kMaxCorrelationBits bits, else empty
  std::size_t distinct_codes = 0;
  double largest_bucket = 0;  // share of images that bear the commonest code
};
inline constexpr std::uint32_t kMaxCorrelationBits = 512;

struct Metrics {
  std::size_t queries = 0, database = 0;
  std::size_t queries_without_relevant = 0;                  // left out of every mean below
  double map = 0, map_optimistic = 0, map_pessimistic = 0;   // tie-aware; best and worst order inside ties
  double precision_at_radius_2 = 0, recall_at_radius_2 = 0;  // means over queries; a query with an empty ball counts 0 precision
  double empty_ball_share = 0;                               // queries with nothing within radius 2
  std::vector<CurvePoint>
      precision_at_n;  // x = n = 1, 2, ..., 9, 10, 20, ... up to the database; y = precision, expected over ties
  std::vector<CurvePoint> precision_recall;  // x = recall, y = precision, ascending radius; radii that find nothing are left out
  std::vector<RadiusPoint> by_radius;        // radius 0, 1, ... up to the first at which everything is found
  std::vector<double> ap;                    // one per query with relevant items, in query order, for the bootstrap
  CodeHealth health;                         // of the database
};

// Throws kInvalidArgument for absent codes, label lists that do not fit, an empty side or a leave-one-out input whose sides
// differ; kMismatch for codes of different length.
Metrics evaluate(const EvalInput& input);
CodeHealth code_health(const CodeMatrix& codes);  // all zero and empty for no codes

// Tie-aware average precision of one query from its histogram: items[d] and relevant[d] <= items[d] at distance d (McSherry &
// Najork 2008; He et al. CVPR 2018). expected: over random orders inside equal distances; optimistic and pessimistic: the best
// and the worst such order. The divisor is the number of relevant items, with a cutoff R the smaller of it and R; 0 everywhere
// where nothing is relevant. Throws kInvalidArgument where the spans differ in length or relevant[d] > items[d].
struct AveragePrecision {
  double expected = 0, optimistic = 0, pessimistic = 0;
};
AveragePrecision average_precision(std::span<const std::uint64_t> items, std::span<const std::uint64_t> relevant,
                                   std::size_t cutoff = 0);

// Float bound: mAP of the cosine ranking of real feature vectors (n x size, row-major) by the same relevance rule; equal float32
// cosines are ties. A zero vector has cosine 0 with everything. Throws kInvalidArgument for values that are not finite and sizes
// that do not fit.
double cosine_map(std::span<const float> queries, std::span<const float> database, std::size_t size,
                  std::span<const std::vector<std::int32_t>> query_labels,
                  std::span<const std::vector<std::int32_t>> database_labels, bool leave_one_out, std::size_t threads);

// Class-id bound: the arg-max class of a network as a code of max(1, ceil(log2 class_count)) bits, bit k = bit k of the class
// number. Throws kInvalidArgument for a class outside [0, class_count).
CodeMatrix class_id_codes(std::span<const std::int32_t> classes, std::size_t class_count);

}  // namespace signet
