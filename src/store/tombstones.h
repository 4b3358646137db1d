#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "store/blob.h"

namespace signet::store {

// Removed ids whose codes are still in segments, as chunks of bits (docs/format/collection.md, table tombstone).
class Tombstones {
 public:
  static constexpr std::uint64_t kChunkIds = 8192;
  using Chunk = std::array<std::uint64_t, kChunkIds / 64>;

  bool contains(std::uint64_t id) const {
    const auto it = chunks_.find(id / kChunkIds);
    return it != chunks_.end() && ((it->second[id % kChunkIds / 64] >> (id % 64)) & 1);
  }
  // Returns the chunk that changed.
  const Chunk& add(std::uint64_t id) {
    Chunk& chunk = chunks_[id / kChunkIds];
    chunk[id % kChunkIds / 64] |= std::uint64_t{1} << (id % 64);
    return chunk;
  }
  void put(std::uint64_t number, const Chunk& chunk) { chunks_[number] = chunk; }
  void clear() { chunks_.clear(); }
  bool empty() const noexcept { return chunks_.empty(); }
  const std::map<std::uint64_t, Chunk>& chunks() const noexcept { return chunks_; }

  // Calls visit(id) for every removed id in [first, last], ascending.
  template <typename Visit>
  void for_each(std::uint64_t first, std::uint64_t last, const Visit& visit) const {
    for (auto it = chunks_.lower_bound(first / kChunkIds); it != chunks_.end() && it->first <= last / kChunkIds; ++it) {
      for (std::size_t word = 0; word < it->second.size(); ++word) {
        for (std::uint64_t bits = it->second[word]; bits != 0; bits &= bits - 1) {
          const std::uint64_t id = it->first * kChunkIds + word * 64 + static_cast<std::uint64_t>(std::countr_zero(bits));
          if (id >= first && id <= last) visit(id);
        }
      }
    }
  }
  std::uint64_t count(std::uint64_t first, std::uint64_t last) const {
    std::uint64_t n = 0;
    for_each(first, last, [&](std::uint64_t) { ++n; });
    return n;
  }

 private:
  std::map<std::uint64_t, Chunk> chunks_;
};

}  // namespace signet::store
