#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "signet/code/code_matrix.h"
#include "signet/kernel/hamming.h"

namespace signet::eval {

// Images that agree in code and label set look the same to every metric, so each such group is handled once: 60,000 images under
// 12-bit codes are some thousand groups. Groups are sorted by label set, then by code.
struct CodeGroups {
  std::size_t row_bytes = 0;             // of one code as the kernels read it
  std::vector<std::uint8_t> codes;       // size() rows
  std::vector<std::uint32_t> label_set;  // one per group
  std::vector<std::uint64_t> count;      // images in the group
  std::vector<std::uint32_t> group_of;   // one per image
  std::size_t size() const noexcept { return label_set.size(); }
  const std::uint8_t* code(std::size_t group) const noexcept { return codes.data() + group * row_bytes; }
};

CodeGroups group_codes(const CodeMatrix& codes, std::span<const std::uint32_t> label_sets);

// A query's histogram: items and relevant items by distance, 0 to bits.
struct Histogram {
  std::vector<std::uint64_t> items, relevant;
  std::uint64_t total_relevant = 0;
};

// Fills histograms of one query group after another against all groups of a database. Holds scratch: one object a thread.
class HistogramScan {
 public:
  HistogramScan(const CodeGroups& database, std::uint32_t bits);
  // relevant_set[s]: whether database label set s is relevant to the query. Cheap when the same as in the last call.
  void set_relevance(std::span<const std::uint8_t> relevant_set);
  void scan(const std::uint8_t* query, Histogram& out);

 private:
  const HammingKernel& kernel_;
  const CodeGroups& database_;
  std::uint32_t bits_;
  std::vector<std::uint8_t> relevant_;    // one per database group
  std::vector<std::uint16_t> distances_;  // one block
  std::vector<std::uint64_t> lanes_;      // kLanes interleaved histograms of (distance, relevant)
};

}  // namespace signet::eval
