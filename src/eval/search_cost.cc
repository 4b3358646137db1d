#include "signet/eval/search_cost.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "signet/base/error.h"
#include "signet/index/build.h"

namespace signet {
namespace {

constexpr std::size_t kBatch = 10;  // a batch's hits are held at once: at most ten times the database

std::vector<std::uint32_t> radii_of(const std::vector<RadiusPoint>& by_radius, const SearchCostOptions& options) {
  std::vector<std::uint32_t> radii;
  for (const RadiusPoint& p : by_radius) {
    radii.push_back(p.radius);
    if (p.recall >= options.enough_recall && p.radius >= kTableRadius) break;
  }
  const std::size_t most = std::max<std::uint32_t>(2, options.most_points);
  if (radii.size() <= most) return radii;
  std::vector<std::uint32_t> some;
  for (std::size_t i = 0; i < most; ++i) some.push_back(radii[i * (radii.size() - 1) / (most - 1)]);
  const auto place = std::lower_bound(some.begin(), some.end(), kTableRadius);
  if (*place != kTableRadius && std::binary_search(radii.begin(), radii.end(), kTableRadius)) some.insert(place, kTableRadius);
  return some;
}

std::vector<CodeMatrix> batches_of(const CodeMatrix& queries, std::size_t most) {
  const std::size_t count = std::min(queries.size(), std::max<std::size_t>(1, most));
  std::vector<CodeMatrix> batches;
  for (std::size_t begin = 0; begin < count; begin += kBatch) {
    std::vector<std::size_t> rows(std::min(kBatch, count - begin));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = (begin + i) * queries.size() / count;
    batches.push_back(queries.rows(rows));
  }
  return batches;
}

// Seconds a query.
double time_radius(const Index& index, const std::vector<CodeMatrix>& batches, const SearchOptions& search, double enough) {
  double seconds = 0;
  std::size_t asked = 0;
  for (const CodeMatrix& batch : batches) {
    seconds += index.search(batch, search).stats.seconds;
    asked += batch.size();
    if (seconds > enough) break;
  }
  return seconds / static_cast<double>(asked);
}

}  // namespace

std::vector<SearchCost> measure_search(const CodeMatrix& queries, const CodeMatrix& database,
                                       const std::vector<RadiusPoint>& by_radius, const SearchCostOptions& options) {
  if (queries.size() == 0 || database.size() == 0)
    fail(ErrorCode::kInvalidArgument, "the cost of search needs queries and a database, not ", queries.size(), " and ",
         database.size(), " codes");
  constexpr std::uint32_t kWidestTable = 24;
  const auto shared = std::make_shared<const CodeMatrix>(database);
  const std::vector<CodeMatrix> batches = batches_of(queries, options.queries);
  const auto build = [&](const std::string& kind) {
    BuildOptions how;
    how.kind = kind;
    return build_index(source_of(shared), how);
  };
  const std::unique_ptr<Index> scan = build("flat");
  std::vector<SearchCost> costs;
  for (const std::string kind : {"flat", "table", "mih"}) {
    if (kind == "table" && database.bits() > kWidestTable) continue;
    const std::unique_ptr<Index> other = kind == "flat" ? nullptr : build(kind);
    const Index& index = other == nullptr ? *scan : *other;
    for (const std::uint32_t radius : radii_of(by_radius, options)) {
      SearchOptions search;
      search.k = kAllHits;
      search.radius = radius;
      // Also warms the caches, of the scan itself too, before a time is taken.
      if (index.search(batches[0], search).hits != scan->search(batches[0], search).hits)
        fail(ErrorCode::kInternal, "the index \"", kind, "\" answers otherwise than a scan at radius ", radius);
      const double seconds = time_radius(index, batches, search, options.seconds_a_point);
      costs.push_back({kind, radius, seconds * 1e6});
      if (seconds > options.slowest) break;
    }
  }
  return costs;
}

}  // namespace signet
