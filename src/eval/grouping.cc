#include "eval/grouping.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "signet/base/error.h"
#include "signet/kernel/hamming.h"

namespace signet::eval {
namespace {

constexpr std::size_t kBlock = 4096;  // groups: 8 KiB of distances stay in the first-level cache
constexpr std::size_t kLanes =
    4;  // neighbouring items mostly share a distance; separate counters avoid waiting for the last store

}  // namespace

CodeGroups group_codes(const CodeMatrix& codes, std::span<const std::uint32_t> label_sets) {
  const std::size_t n = codes.size(), stride = codes.stride();
  if (n > std::numeric_limits<std::uint32_t>::max()) {
    fail(ErrorCode::kInvalidArgument, "an evaluation of ", n, " codes is too large; at most ",
         std::numeric_limits<std::uint32_t>::max());
  }
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  const std::uint8_t* bytes = codes.data().data();
  const auto compare = [&](std::uint32_t a, std::uint32_t b) {
    if (label_sets[a] != label_sets[b]) return label_sets[a] < label_sets[b] ? -1 : 1;
    return std::memcmp(bytes + a * stride, bytes + b * stride, stride);
  };
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return compare(a, b) < 0; });

  CodeGroups groups;
  groups.row_bytes = row_bytes(codes.bits());
  groups.group_of.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t image = order[i];
    if (i == 0 || compare(order[i - 1], image) != 0) {
      groups.label_set.push_back(label_sets[image]);
      groups.count.push_back(0);
      groups.codes.resize(groups.codes.size() + groups.row_bytes);  // the tail beyond the code's own bytes is zero
      std::memcpy(groups.codes.data() + groups.codes.size() - groups.row_bytes, bytes + image * stride, stride);
    }
    ++groups.count.back();
    groups.group_of[image] = static_cast<std::uint32_t>(groups.size() - 1);
  }
  return groups;
}

HistogramScan::HistogramScan(const CodeGroups& database, std::uint32_t bits)
    : kernel_(hamming_kernel()),
      database_(database),
      bits_(bits),
      distances_(std::min(kBlock, database.size())),
      lanes_(kLanes * 2 * (std::size_t{bits} + 1)) {}

void HistogramScan::set_relevance(std::span<const std::uint8_t> relevant_set) {
  relevant_.resize(database_.size());
  for (std::size_t g = 0; g < database_.size(); ++g) relevant_[g] = relevant_set[database_.label_set[g]];
}

void HistogramScan::scan(const std::uint8_t* query, Histogram& out) {
  std::fill(lanes_.begin(), lanes_.end(), 0);
  for (std::size_t begin = 0; begin < database_.size(); begin += kBlock) {
    const std::size_t count = std::min(kBlock, database_.size() - begin);
    kernel_.scan(query, database_.code(begin), count, database_.row_bytes, distances_.data());
    const std::uint64_t* items = database_.count.data() + begin;
    const std::uint8_t* relevant = relevant_.data() + begin;
    for (std::size_t i = 0; i < count; ++i) {
      lanes_[(std::size_t{distances_[i]} * 2 + relevant[i]) * kLanes + i % kLanes] += items[i];
    }
  }
  out.items.assign(std::size_t{bits_} + 1, 0);
  out.relevant.assign(std::size_t{bits_} + 1, 0);
  out.total_relevant = 0;
  for (std::size_t d = 0; d <= bits_; ++d) {
    const std::uint64_t* lane = lanes_.data() + d * 2 * kLanes;
    const std::uint64_t other = std::accumulate(lane, lane + kLanes, std::uint64_t{0});
    out.relevant[d] = std::accumulate(lane + kLanes, lane + 2 * kLanes, std::uint64_t{0});
    out.items[d] = other + out.relevant[d];
    out.total_relevant += out.relevant[d];
  }
}

}  // namespace signet::eval
