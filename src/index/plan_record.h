#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/bucket_table.h"
#include "index/mih_plan.h"
#include "index/pivot_cells.h"
#include "signet/base/container.h"

namespace signet {

// What a query costs, measured at several points: ns a query at each k, or at each radius.
struct CostCurve {
  struct Point {
    double at, ns;
  };
  std::vector<Point> points;  // ascending in `at`
  // Between points a straight line on logarithmic axes, which goes on beyond the last; infinite where nothing was measured.
  double for_k(double k) const noexcept;
  // Between points the logarithm of the cost runs straight with the radius; infinite beyond the last.
  double for_radius(double radius) const noexcept;
};

enum class Kind : std::uint8_t { kFlat, kTable, kMih, kPivot };
inline constexpr std::size_t kKinds = 4;
inline constexpr std::array<const char*, kKinds> kKindNames{"flat", "table", "mih", "pivot"};

// What one kind of index costs with these codes: queries that come together, by k and by radius (with k of "all"), and how much
// more a query costs that comes alone.
struct KindCosts {
  CostCurve k, radius;
  double alone_ns = 0;
};

// Everything that a planned index measured, so that a stored one need not measure again: opening must not read all codes.
struct PlanRecord {
  std::array<std::optional<KindCosts>, kKinds> kinds;  // absent: not there
  std::vector<double> within;                          // [d]: share of codes within d of a query like them
  UnitCosts costs;                                     // of multi-index hashing
  std::vector<std::vector<double>> shell_candidates;   // [table][shell], of multi-index hashing
};
std::string plan_to_json(const PlanRecord& record);
// Nothing for a plan of another version. Throws Error{kCorrupt} naming `what` for anything that is no plan.
std::optional<PlanRecord> plan_from_json(std::string_view text, const std::string& what);

// Substrings and their tables in the sections bucket-head, bucket-offsets and bucket-ids of a container (docs/format/index.md).
void store_buckets(ContainerWriter& writer, std::uint64_t count, std::span<const Substring> substrings,
                   std::span<const BucketTable* const> tables);
struct StoredBuckets {
  std::vector<Substring> substrings;
  std::vector<BucketTable> tables;  // views of the container's memory
};
// whole_first: the first is a direct table, whose bits are those of the others too. Throws Error{kCorrupt} where the sections do
// not fit the rows or each other.
StoredBuckets load_buckets(const Container& file, const Rows& rows, bool whole_first);

// Pivots and their cells in the sections cell-head, cell-pivots, cell-reach, cell-offsets, cell-codes and cell-ids.
void store_cells(ContainerWriter& writer, const PivotCells& cells);
// A view of the container's memory. Throws Error{kCorrupt} where the sections do not fit the rows or each other.
PivotCells load_cells(const Container& file, const Rows& rows);

}  // namespace signet
