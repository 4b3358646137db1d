#pragma once

#include <string>
#include <vector>

#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/eval/results.h"

// Records made up for tests of comparisons.
namespace signet::compared {

// AP of 400 queries: what makes a query hard is shared by all methods, and each has its own noise around `map`, which the mean
// is exactly.
inline std::vector<double> noisy(double map, std::uint64_t seed, std::size_t queries = 400) {
  Random hard(99), own(seed);
  std::vector<double> ap(queries);
  double mean = 0;
  for (double& value : ap) {
    value = 0.2 * (hard.uniform() - 0.5) + 0.1 * (own.uniform() - 0.5);
    mean += value / static_cast<double>(queries);
  }
  for (double& value : ap) value += map - mean;
  return ap;
}

// An empty `queries` makes a record as they were before they held values by query.
inline ResultRecord made(const std::string& method, std::uint32_t bits, std::uint64_t seed, const std::vector<double>& ap,
                         const std::string& queries = "the test part") {
  ResultRecord r;
  r.name = concat(method, '-', bits, '-', seed, ".json");
  r.plan = "plan", r.plan_title = "A plan", r.method = method, r.protocol = "cifar10-heldout", r.protocol_remark = "Remark.";
  r.dataset = "made up", r.pictures = "as published", r.cpu = "some CPU", r.version = "1";
  r.bits = r.network_bits = bits, r.seed = seed, r.threads = 2, r.queries = ap.size(), r.database = 1000;
  r.train_seconds = 120, r.image_passes = 12'000, r.distinct_codes = 300;
  for (const double value : ap) r.query_ap.push_back(static_cast<float>(value));
  r.map = 0;
  for (const double value : ap) r.map += value / static_cast<double>(ap.size());
  r.map_optimistic = r.map + 0.01, r.map_pessimistic = r.map - 0.01, r.precision_at_radius_2 = 0.5;
  r.mean_bit_entropy = 0.99, r.mean_bit_correlation = 0.1, r.max_bit_correlation = 0.3, r.largest_bucket = 0.05;
  r.query_set = queries;
  if (queries.empty()) r.query_ap.clear();
  return r;
}

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

inline std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace signet::compared
