#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace signet::baseline {

// Minimum of a submodular energy over z in {-1, +1}^n: sum_i unary_i z_i + sum_{i<j} pair_ij z_i z_j, all pair_ij <= 0, as a
// minimum cut (Kolmogorov & Zabih 2004), found by Dinic's algorithm. Whole numbers: exact, and the same everywhere.
class BinaryEnergy {
 public:
  explicit BinaryEnergy(std::size_t variables);
  void add_unary(std::size_t i, std::int64_t weight);                // weight * z_i
  void add_pair(std::size_t i, std::size_t j, std::int64_t weight);  // weight * z_i * z_j, weight <= 0, i != j
  std::vector<int> minimise();                                       // once; where both signs are as good, +1

 private:
  struct Edge {
    std::uint32_t to;
    std::int64_t room;  // residual capacity; the reverse edge stands at index ^ 1
  };
  void connect(std::uint32_t from, std::uint32_t to, std::int64_t room, std::int64_t back);
  bool layer();
  std::int64_t push(std::uint32_t node, std::int64_t amount);

  std::uint32_t source_, sink_;
  std::vector<std::int64_t> unary_;
  std::vector<Edge> edges_;
  std::vector<std::vector<std::uint32_t>> out_;
  std::vector<std::uint32_t> level_, next_;
};

}  // namespace signet::baseline
