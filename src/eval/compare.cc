#include "signet/eval/compare.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "eval/compare_parts.h"
#include "eval/spread.h"
#include "eval/text.h"
#include "signet/base/error.h"
#include "signet/base/text.h"

namespace signet {
namespace eval {
namespace {

using Records = std::vector<const ResultRecord*>;

auto row_key(const ResultRecord& r) { return std::tie(r.bits, r.network_bits, r.method, r.plan); }

// The rows of one section, and their names.
std::vector<ComparedRow> rows_of(const Records& records) {
  std::vector<ComparedRow> rows;
  std::map<std::string, std::set<std::string>> plans;  // of a method
  for (const ResultRecord* r : records) {
    plans[r->method].insert(r->plan);
    if (rows.empty() || row_key(rows.back().first()) != row_key(*r)) rows.emplace_back();
    rows.back().records.push_back(r);
  }
  for (ComparedRow& row : rows) {
    const ResultRecord& r = row.first();
    row.name = plans[r.method].size() > 1 ? concat(r.method, " (", r.plan, ")") : r.method;
    row.map = spread_of(row.records, [](const ResultRecord& one) { return one.map; });
  }
  std::stable_sort(rows.begin(), rows.end(), [](const ComparedRow& a, const ComparedRow& b) {
    return std::make_pair(a.first().bits, -a.map.mean) < std::make_pair(b.first().bits, -b.map.mean);
  });
  return rows;
}

// A published row stands in ours where it is the same method at a length that we measured; else by itself.
void place_published(ComparedSection& section, const std::vector<PublishedRow>& published) {
  if (section.first().cutoff > 0) return;  // what others printed ranks the whole database
  for (const PublishedRow& row : published) {
    if (row.protocol != section.first().protocol) continue;
    std::set<std::uint32_t> placed;
    for (ComparedRow& ours : section.rows) {
      const std::uint32_t bits = ours.first().bits;
      const bool same = std::find(row.ours.begin(), row.ours.end(), ours.first().method) != row.ours.end();
      if (!same || ours.published != nullptr || !row.map.contains(bits)) continue;
      ours.published = &row;
      placed.insert(bits);
    }
    for (const auto& [bits, value] : row.map)
      if (!placed.contains(bits)) section.published.push_back({&row, bits});
  }
}

void refuse_duplicates(const Records& sorted) {
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    const ResultRecord &a = *sorted[i - 1], &b = *sorted[i];
    if (section_key(a) == section_key(b) && row_key(a) == row_key(b) && a.seed == b.seed)
      fail(ErrorCode::kInvalidArgument, a.name,
           a.name == b.name ? " is given twice" : concat(" and ", b.name, " are records of one run"), " (", a.method, ", ",
           a.bits, " bits, seed ", a.seed, ", ", a.protocol, "); a run counts once, so leave one of them out");
  }
}

Records chosen(const std::vector<ResultRecord>& records, const std::string& protocol) {
  if (records.empty()) fail(ErrorCode::kInvalidArgument, "there is no record to compare");
  Records some;
  std::set<std::string> there;
  for (const ResultRecord& r : records) {
    there.insert(r.protocol);
    if (protocol.empty() || r.protocol == protocol) some.push_back(&r);
  }
  if (some.empty()) fail(ErrorCode::kNotFound, "no record is of the protocol \"", protocol, "\"; these are: ", join(there));
  std::sort(some.begin(), some.end(), [](const ResultRecord* a, const ResultRecord* b) {
    return std::tuple_cat(section_key(*a), row_key(*a), std::tie(a->seed, a->name)) <
           std::tuple_cat(section_key(*b), row_key(*b), std::tie(b->seed, b->name));
  });
  return some;
}

}  // namespace
}  // namespace eval

std::string measure_of(const ResultRecord& r) {
  return r.cutoff > 0 ? concat(r.protocol, ", the first ", r.cutoff, " places alone") : r.protocol;
}

Comparison compare_results(std::vector<ResultRecord> records, std::vector<PublishedRow> published,
                           const CompareOptions& options) {
  Comparison result;
  result.options = options;
  result.records = std::make_shared<const std::vector<ResultRecord>>(std::move(records));
  result.published = std::make_shared<const std::vector<PublishedRow>>(std::move(published));
  const eval::Records all = eval::chosen(*result.records, options.protocol);
  eval::refuse_duplicates(all);
  for (auto begin = all.begin(); begin != all.end();) {
    const auto end =
        std::find_if(begin, all.end(), [&](const ResultRecord* r) { return section_key(*r) != section_key(**begin); });
    ComparedSection section;
    section.rows = eval::rows_of({begin, end});
    const ResultRecord& first = section.first();
    section.heading = measure_of(first);
    eval::place_published(section, *result.published);
    eval::judge_section(section, options);
    result.sections.push_back(std::move(section));
    begin = end;
  }
  std::set<std::string> measured;
  for (const ComparedSection& s : result.sections) measured.insert(s.first().protocol);
  for (const PublishedRow& row : *result.published)
    for (const auto& [bits, value] : row.map)
      if (!measured.contains(row.protocol)) result.elsewhere.push_back({&row, bits});
  return result;
}

}  // namespace signet
