#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "index/bucket_table.h"
#include "index/mih_plan.h"
#include "signet/base/container.h"

namespace signet {

// What a query costs with one kind of index, measured when it is built: ns a query at several k, straight lines between them on
// logarithmic axes.
struct CostCurve {
  struct Point {
    double k, ns;
  };
  std::vector<Point> points;
  double at(double k) const noexcept;  // infinite where nothing was measured
};

// Everything that a planned index measured, so that a stored one need not measure again: opening must not read all codes.
struct PlanRecord {
  double scan_one_ns = 0, scan_batch_ns = 0;  // a code, for one query alone and for each of many
  CostCurve curve;                            // of the table or of multi-index hashing
  std::vector<double> within;                 // [d]: share of codes within d of a query like them
  UnitCosts costs;
  std::vector<std::vector<double>> shell_candidates;  // [table][shell]
};
std::string plan_to_json(const PlanRecord& record);
// Throws Error{kCorrupt} naming `what` for anything else.
PlanRecord plan_from_json(std::string_view text, const std::string& what);

// Substrings and their tables in the sections bucket-head, bucket-offsets and bucket-ids of a container (docs/format/index.md).
void store_buckets(ContainerWriter& writer, std::uint64_t count, std::span<const Substring> substrings,
                   std::span<const BucketTable> tables);
struct StoredBuckets {
  std::vector<Substring> substrings;
  std::vector<BucketTable> tables;  // views of the container's memory
};
// Throws Error{kCorrupt} where the sections do not fit the rows or each other.
StoredBuckets load_buckets(const Container& file, const Rows& rows);

}  // namespace signet
