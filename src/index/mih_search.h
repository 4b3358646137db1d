#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/bucket_table.h"
#include "index/collector.h"
#include "index/mih_plan.h"
#include "index/query_run.h"
#include "index/rows.h"

namespace signet {

// What one thread needs to answer queries by multi-index hashing, whatever their number.
struct MihScratch {
  static constexpr std::size_t kKeys = 128, kCandidates = 256;
  std::array<std::uint32_t, kKeys> keys;
  std::array<BucketTable::Range, kKeys> ranges;
  std::array<std::uint64_t, kCandidates> positions;
  std::array<std::uint16_t, kCandidates> distances;
  std::vector<std::uint32_t> explored;  // shells done, a table each
};

// One query. Memory is far away, so work is laid out in three waves over a batch: bucket boundaries, positions, codes; each wave
// asks the memory for what the next needs.
class MihSearch {
 public:
  MihSearch(const Rows& rows, const MihPlan& plan, std::span<const BucketTable> tables, const UnitCosts& costs,
            MihScratch& scratch);

  // False where a scan costs less than what is left to do; `budget`: ns that may be spent. The collector is then of no use.
  bool run(const std::uint8_t* query, const SearchOptions& options, double budget, Collector& collector, Work& work);

 private:
  bool visit(const MihStep& step);
  std::size_t next_keys(std::uint32_t& combination, unsigned bits, std::uint32_t key);
  void take_range(const BucketTable& table, const BucketTable::Range& range);
  void flush();
  bool met_before(std::uint64_t position) const;

  const Rows& rows_;
  const MihPlan& plan_;
  std::span<const BucketTable> tables_;
  const UnitCosts& costs_;
  MihScratch& scratch_;
  const HammingKernel& kernel_;
  const std::uint8_t* query_ = nullptr;
  const IdFilter* filter_ = nullptr;
  Collector* collector_ = nullptr;
  Work* work_ = nullptr;
  std::uint32_t table_ = 0;
  std::size_t pending_ = 0;
  double spent_ = 0, budget_ = 0;
};

}  // namespace signet
