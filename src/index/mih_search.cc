#include "index/mih_search.h"

#include <algorithm>

namespace signet {

MihSearch::MihSearch(const Rows& rows, const MihPlan& plan, std::span<const BucketTable> tables, const UnitCosts& costs,
                     MihScratch& scratch)
    : rows_(rows), plan_(plan), tables_(tables), costs_(costs), scratch_(scratch), kernel_(hamming_kernel()) {}

bool MihSearch::run(const std::uint8_t* query, const SearchOptions& options, double budget, Collector& collector, Work& work) {
  query_ = query;
  filter_ = options.filter;
  collector_ = &collector;
  work_ = &work;
  spent_ = 0;
  pending_ = 0;  // of a query that was given up
  budget_ = budget;
  scratch_.explored.assign(tables_.size(), 0);
  const std::uint32_t radius = effective_radius(options, rows_.largest_distance());
  for (std::uint32_t s = 0; s < plan_.steps.size(); ++s) {
    if (spent_ + plan_.steps[s].buckets * costs_.bucket > budget_ || !visit(plan_.steps[s])) return false;
    ++scratch_.explored[table_];
    work.radius = std::max(work.radius, s);
    // Everything within s is known now (mih_plan.h), ties at distance s included.
    if (s >= radius || (collector.full() && collector.limit() <= s)) return true;
  }
  return true;  // a table was exhausted, so every code was met
}

// All buckets of the step's table whose value differs from the query's substring in exactly `shell` bits.
bool MihSearch::visit(const MihStep& step) {
  table_ = step.table;
  const BucketTable& table = tables_[table_];
  const Substring& substring = plan_.substrings[table_];
  const std::uint32_t key = substring.key(query_);
  std::uint32_t combination = static_cast<std::uint32_t>((std::uint64_t{1} << step.shell) - 1);
  while (true) {
    const std::size_t keys = next_keys(combination, substring.bits(), key);
    if (keys == 0) break;
    for (std::size_t i = 0; i < keys; ++i) table.prefetch_bucket(scratch_.keys[i]);
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < keys; ++i) {
      scratch_.ranges[i] = table.bucket(scratch_.keys[i]);
      if (scratch_.ranges[i].size() != 0) table.prefetch_position(scratch_.ranges[i].begin);
      total += scratch_.ranges[i].size();
    }
    work_->buckets += keys;
    spent_ += static_cast<double>(keys) * costs_.bucket + static_cast<double>(total) * costs_.candidate;
    if (spent_ > budget_) return false;
    for (std::size_t i = 0; i < keys; ++i) take_range(table, scratch_.ranges[i]);
    if (step.shell == 0) break;  // one bucket, and no next combination of no bits
  }
  flush();
  return true;
}

// The next values of the shell: combinations of `shell` bits in ascending order.
std::size_t MihSearch::next_keys(std::uint32_t& combination, unsigned bits, std::uint32_t key) {
  const std::uint64_t end = std::uint64_t{1} << bits;
  std::size_t count = 0;
  std::uint64_t c = combination;
  while (c < end && count < MihScratch::kKeys) {
    scratch_.keys[count++] = key ^ static_cast<std::uint32_t>(c);
    if (c == 0) break;
    c = next_combination(c);
  }
  combination = static_cast<std::uint32_t>(c);  // below 2^29, since keys have at most 28 bits
  return count;
}

void MihSearch::take_range(const BucketTable& table, const BucketTable::Range& range) {
  for (std::uint64_t entry = range.begin; entry < range.end; ++entry) {
    const std::uint64_t position = table.position(entry);
    if (filter_ != nullptr && !filter_->allows(position)) continue;
    const std::uint8_t* code = rows_.at(position);
    __builtin_prefetch(code);
    if (rows_.row() > 64) __builtin_prefetch(code + 64);
    scratch_.positions[pending_++] = position;
    if (pending_ == MihScratch::kCandidates) flush();
  }
}

void MihSearch::flush() {
  if (pending_ == 0) return;
  kernel_.gather(query_, rows_.data(), scratch_.positions.data(), pending_, rows_.row(), scratch_.distances.data());
  const std::uint16_t bound = collector_->bound();
  for (std::size_t i = 0; i < pending_; ++i) {
    if (scratch_.distances[i] < bound && !met_before(scratch_.positions[i]))
      collector_->add(scratch_.distances[i], scratch_.positions[i]);
  }
  collector_->tighten();
  work_->candidates += pending_;
  pending_ = 0;
}

// In one of the shells that are done already. Its own table does not count: there it lies in the shell being visited, and only
// there.
bool MihSearch::met_before(std::uint64_t position) const {
  const std::uint8_t* code = rows_.at(position);
  for (std::uint32_t t = 0; t < tables_.size(); ++t) {
    if (t != table_ && scratch_.explored[t] != 0 && plan_.substrings[t].distance(query_, code) < scratch_.explored[t])
      return true;
  }
  return false;
}

}  // namespace signet
