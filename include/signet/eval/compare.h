#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "signet/eval/bootstrap.h"
#include "signet/eval/results.h"

namespace signet {

// Hashing methods side by side, from records alone (docs/compare.md). What is comparable shares a section: one protocol with its
// cutoff and rules, on one data set. Nothing of one section is ever set beside something of another.

struct CompareOptions {
  std::string protocol;            // only this one; empty: all
  std::string against = "signet";  // the method that the others are compared with, where a section has it
  BootstrapOptions bootstrap;      // confidence: of all comparisons of a section together
};

// Mean and sample standard deviation over seeds; count 0: nothing was measured.
struct Spread {
  double mean = 0, deviation = 0;
  std::size_t count = 0;
};
Spread spread_of(std::span<const double> values);

// A row's mAP minus the reference's, by a paired bootstrap over queries, widened by how trainings of this plan and length differ.
struct ComparedDifference {
  enum class Verdict { kNone, kReference, kBetter, kWorse, kNotShown, kNotCompared };
  static constexpr std::size_t kNoRow = ~std::size_t{0};
  Verdict verdict = Verdict::kNone;    // kNone: the section has no reference at this length
  std::size_t against = kNoRow;        // place of the reference in the section's rows; its own for kReference
  double mean = 0, low = 0, high = 0;  // for kBetter, kWorse, kNotShown
  bool these_trainings_alone = false;  // too few were repeated with other seeds: the interval speaks of other queries alone
  std::string why_not;                 // for kNotCompared: one sentence
};

// One number that others printed.
struct PublishedNumber {
  const PublishedRow* row = nullptr;
  std::uint32_t bits = 0;
  double map() const { return row->map.at(bits); }
};

// One method at one code length: all its seeds.
struct ComparedRow {
  std::string name;                          // the method; with its plan where two plans have rows of this name
  std::vector<const ResultRecord*> records;  // ascending seeds
  Spread map;
  ComparedDifference difference;
  const PublishedRow* published = nullptr;  // what others printed for the same method and length under the same protocol
  const ResultRecord& first() const { return *records.front(); }
};

struct ComparedSection {
  std::string heading;                     // "cifar10-full", with the cutoff where there is one
  std::vector<ComparedRow> rows;           // by length, then mAP, best first
  std::vector<PublishedNumber> published;  // of this protocol, without those that stand in a row
  std::vector<std::string> sentences;      // who wins at each length, and what is not shown
  std::size_t comparisons = 0;             // bootstrap intervals of this section
  double confidence = 0;                   // of each of them, so that all together have the one asked for
  const ResultRecord& first() const { return rows.front().first(); }
};

struct Comparison {
  std::shared_ptr<const std::vector<ResultRecord>> records;
  std::shared_ptr<const std::vector<PublishedRow>> published;
  CompareOptions options;
  std::vector<ComparedSection> sections;
  std::vector<PublishedNumber> elsewhere;  // published under protocols that no record has: for reading alone
};

// Deterministic; the order of `records` does not matter. Throws kInvalidArgument where there is no record or two records are of
// one run (method, plan, code length, seed and protocol), naming both; kNotFound listing the protocols that there are where none
// is of options.protocol.
Comparison compare_results(std::vector<ResultRecord> records, std::vector<PublishedRow> published, const CompareOptions& options);

// The difference of two rows' mAP with its interval (docs/compare.md has the method). Queries are paired by the records' query
// sets; where the two sides have six seeds or more the interval is widened by what these alone differ (compare_results knows
// more: all rows of a length). Throws kMismatch with one sentence where the records have no values by query or none of the same
// queries.
PairedDifference compare_rows(const std::vector<const ResultRecord*>& row, const std::vector<const ResultRecord*>& reference,
                              const BootstrapOptions& options);

// Pictures of the examples by the name of the record's file, then by key: base64 of a small PNG.
using ExamplePictures = std::map<std::string, std::map<std::string, std::string>>;
// A JSON object {"pictures": {key: base64}}. Throws kCorrupt naming `name`; what is no PNG of at most 16 kB is refused.
std::map<std::string, std::string> parse_pictures(const std::string& json, const std::string& name);

// Words of tables, the same wherever a comparison is shown.
std::string spread_text(const Spread& spread, int digits);       // "0.9079 ± 0.0001", "–" for none
std::string verdict_text(const ComparedDifference& difference);  // "better", "no difference shown", "–" for kNone
std::string bits_text(const ComparedRow& row);                   // "12", "12 of 48"

// One self-contained HTML page: no network, one small script for sorting that the page's own policy names by its hash; readable
// and complete without it. Every text is escaped.
std::string compare_html(const Comparison& comparison, const ExamplePictures& pictures = {});
std::string compare_json(const Comparison& comparison);  // docs/compare.md lists the keys

}  // namespace signet
