#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/rows.h"
#include "index/substrings.h"

namespace signet {

constexpr std::size_t kMaxTables = 64;
constexpr unsigned kMaxKeyBits = 28;  // of a substring: a table has 2^bits buckets

// What the parts of a search cost on this machine with these codes, in nanoseconds. Measured when an index is built.
struct UnitCosts {
  double bucket = 3;        // looking at one bucket
  double candidate = 6;     // reading one candidate's code and computing its distance
  double scan = 0.5;        // a code, in a flat scan for one query
  double scan_batch = 0.1;  // a code and query, in a flat scan for many at once
};

// One step of multi-index hashing: all buckets of one table at one distance from the query's substring.
struct MihStep {
  std::uint32_t table = 0, shell = 0;
  double buckets = 0;      // binomial(bits, shell)
  double candidates = 0;   // expected in them, for a query like the stored codes
  double cost_so_far = 0;  // ns, of all steps up to and including this one
};

// A sample of the stored codes and what they ask: positions used as queries, and for each the distances of its nearest others.
struct MihSample {
  std::vector<std::uint64_t> positions;
  std::vector<std::uint64_t> queries;
  std::vector<std::uint32_t> tenth;  // distance of each query's 10th nearest other code
};

// In which order shells are visited. After steps that explored radius r_j in table j (-1: not at all), every code within
// sum over j of (r_j + 1) - 1 has been met: a code that is farther than r_j from the query on every substring is at least sum(r_j
// + 1) away. Each step adds one to that sum, so after step s (from 0) everything within distance s is known, whatever the order:
// the cheapest next shell is taken first (the general pigeonhole principle of Qin et al. 2018; Norouzi et al. 2014 take turns).
struct MihPlan {
  std::vector<Substring> substrings;
  std::vector<std::vector<double>> shell_candidates;  // [table][shell], expected
  std::vector<MihStep> steps;                         // until one table is exhausted: then everything has been met
  void schedule(const UnitCosts& costs);
  // Expected cost in ns until everything within `radius` is known; infinite beyond the last step.
  double cost_within(std::uint32_t radius) const noexcept;
  // Expected cost in ns for the ten nearest of a query of the sample, where those above scan_ns are scanned instead.
  double cost_for(const MihSample& sample, double scan_ns) const noexcept;
};

MihSample sample_codes(const Rows& rows, std::uint64_t seed, std::size_t threads);

// Substrings for these codes: numbers and lengths are tried on the sample, and the cheapest for the ten nearest neighbours is
// taken among those whose tables fit the memory budget. tables, bits: force them where not 0.
MihPlan plan_mih(const Rows& rows, const MihSample& sample, const UnitCosts& costs, std::size_t tables = 0, unsigned bits = 0);

// Bytes that the tables of a plan will take.
std::uint64_t mih_bytes(std::uint64_t count, const std::vector<Substring>& substrings) noexcept;

}  // namespace signet
