#include "baseline/max_flow.h"

#include <algorithm>
#include <limits>

namespace signet::baseline {
namespace {

constexpr std::uint32_t kUnseen = std::numeric_limits<std::uint32_t>::max();

}  // namespace

BinaryEnergy::BinaryEnergy(std::size_t variables)
    : source_(static_cast<std::uint32_t>(variables)), sink_(source_ + 1), unary_(variables), out_(variables + 2) {}

void BinaryEnergy::add_unary(std::size_t i, std::int64_t weight) { unary_[i] += weight; }

void BinaryEnergy::add_pair(std::size_t i, std::size_t j, std::int64_t weight) {
  // weight * z_i z_j costs -2 weight more where the signs differ: an edge of that capacity both ways.
  if (weight != 0) connect(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j), -2 * weight, -2 * weight);
}

void BinaryEnergy::connect(std::uint32_t from, std::uint32_t to, std::int64_t room, std::int64_t back) {
  out_[from].push_back(static_cast<std::uint32_t>(edges_.size()));
  edges_.push_back({to, room});
  out_[to].push_back(static_cast<std::uint32_t>(edges_.size()));
  edges_.push_back({from, back});
}

bool BinaryEnergy::layer() {
  level_.assign(out_.size(), kUnseen);
  std::vector<std::uint32_t> queue{source_};
  level_[source_] = 0;
  for (std::size_t at = 0; at < queue.size(); ++at) {
    for (const std::uint32_t e : out_[queue[at]]) {
      if (edges_[e].room == 0 || level_[edges_[e].to] != kUnseen) continue;
      level_[edges_[e].to] = level_[queue[at]] + 1;
      queue.push_back(edges_[e].to);
    }
  }
  return level_[sink_] != kUnseen;
}

// Depth is at most the number of layers, which is at most the number of variables: a few hundred here.
std::int64_t BinaryEnergy::push(std::uint32_t node, std::int64_t amount) {
  if (node == sink_) return amount;
  std::int64_t sent = 0;
  for (std::uint32_t& i = next_[node]; i < out_[node].size() && sent < amount; ++i) {
    Edge& edge = edges_[out_[node][i]];
    if (edge.room == 0 || level_[edge.to] != level_[node] + 1) continue;
    const std::int64_t through = push(edge.to, std::min(amount - sent, edge.room));
    edge.room -= through;
    edges_[out_[node][i] ^ 1].room += through;
    sent += through;
    if (sent == amount) break;  // the edge may have room left: it is looked at again
  }
  return sent;
}

std::vector<int> BinaryEnergy::minimise() {
  // The source's side is +1. weight * z_i: the sign that costs more is charged 2 |weight|.
  for (std::uint32_t i = 0; i < source_; ++i) {
    if (unary_[i] < 0) connect(source_, i, -2 * unary_[i], 0);
    if (unary_[i] > 0) connect(i, sink_, 2 * unary_[i], 0);
  }
  while (layer()) {
    next_.assign(out_.size(), 0);
    while (push(source_, std::numeric_limits<std::int64_t>::max()) > 0) {
    }
  }
  // Of all minimum cuts the one with the most +1: a variable is -1 only where the sink can still be reached from it.
  std::vector<int> z(source_, 1);
  std::vector<std::uint32_t> queue{sink_};
  for (std::size_t at = 0; at < queue.size(); ++at) {
    for (const std::uint32_t e : out_[queue[at]]) {
      const std::uint32_t from = edges_[e].to;
      if (edges_[e ^ 1].room == 0 || from >= source_ || z[from] < 0) continue;
      z[from] = -1;
      queue.push_back(from);
    }
  }
  return z;
}

}  // namespace signet::baseline
