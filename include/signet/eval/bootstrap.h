#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace signet {

struct BootstrapOptions {
  std::size_t rounds = 10000;  // resamples, 100 to 10^7
  double confidence = 0.95;    // of the interval, inside (0, 1)
  std::uint64_t seed = 1;
};

// Difference of two methods measured on the same queries.
struct PairedDifference {
  double mean = 0;           // mean of a[i] - b[i]
  double low = 0, high = 0;  // percentile interval of the resampled mean; with thin tails at least the normal one
  bool significant = false;  // the interval excludes zero: "better" may be printed
};

// Paired bootstrap over queries (Efron & Tibshirani 1993, ch. 16; for retrieval Sakai 2006): queries are drawn with replacement,
// both methods' values together, so what makes a query hard for both cancels. a[i] and b[i] are one query's AP under each method
// (Metrics::ap of evaluations with the same queries, labels and database labels). It speaks of other queries, not of other seeds.
// Deterministic by seed. Throws kInvalidArgument for different or too few (< 2) queries, values that are not finite, or options
// outside their range.
PairedDifference paired_bootstrap(std::span<const double> a, std::span<const double> b, const BootstrapOptions& options = {});

// Means of several methods' values over the same resamples of their queries: [method][round]. values: one span a method, all of
// one length >= 2. Any difference of two of the methods is then paired. Deterministic by seed, whatever else is resampled beside
// it. Throws kInvalidArgument as above.
std::vector<std::vector<float>> resampled_means(std::span<const std::span<const float>> values, const BootstrapOptions& options);

}  // namespace signet
