#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "signet/code/code_matrix.h"

namespace signet {

// Retrieval metrics from codes and labels (docs/metrics.md has the formulas and their sources).
struct EvalInput {
  const CodeMatrix* queries = nullptr;
  const CodeMatrix* database = nullptr;
  std::span<const std::vector<std::int32_t>> query_labels;      // one list a query
  std::span<const std::vector<std::int32_t>> database_labels;
  bool leave_one_out = false;      // queries == database, a query is not its own neighbour
  std::size_t cutoff = 0;          // R of mAP@R; 0: all
  std::size_t threads = 0;         // 0: one per CPU
};

struct CurvePoint { double x = 0, y = 0; };

struct CodeHealth {
  std::vector<double> bit_mean;    // share of ones, one per bit
  double mean_entropy = 0;         // mean over bits of the entropy in bits, 0 to 1
  double max_correlation = 0;      // largest |correlation| of two bits; 0 where a bit is constant
  double mean_correlation = 0;     // mean |correlation| over pairs
  std::size_t distinct_codes = 0;
  double largest_bucket = 0;       // share of images that bear the commonest code
};

struct Metrics {
  std::size_t queries = 0, database = 0, queries_without_relevant = 0;
  double map = 0, map_optimistic = 0, map_pessimistic = 0;    // tie-aware; best and worst order inside ties
  double precision_at_radius_2 = 0, recall_at_radius_2 = 0;   // a query with an empty ball counts 0 precision
  double empty_ball_share = 0;                                // queries with nothing within radius 2
  std::vector<CurvePoint> precision_at_n;                     // x = n (expected over ties), y = precision
  std::vector<CurvePoint> precision_recall;                   // by radius 0..bits: x = recall, y = precision
  std::vector<double> ap;                                     // one per query with relevant items, for bootstrap
  CodeHealth health;                                          // of the database
};

Metrics evaluate(const EvalInput& input);
CodeHealth code_health(const CodeMatrix& codes);

// Tie-aware AP of one query from its histogram: items[d] and relevant[d] at distance d, `total_relevant` the divisor (McSherry & Najork 2008,
// He et al. CVPR 2018). cutoff 0: all.
struct AveragePrecision { double expected = 0, optimistic = 0, pessimistic = 0; };
AveragePrecision average_precision(std::span<const std::uint64_t> items, std::span<const std::uint64_t> relevant, std::size_t cutoff = 0);

// Float bound: cosine ranking of real feature vectors (n x size, row-major), mAP over the same relevance rule; exact ties count as ties.
double cosine_map(std::span<const float> queries, std::span<const float> database, std::size_t size,
                  std::span<const std::vector<std::int32_t>> query_labels, std::span<const std::vector<std::int32_t>> database_labels,
                  bool leave_one_out, std::size_t threads);

}  // namespace signet
