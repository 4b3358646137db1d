#include "index/bucket_table.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace signet {

BucketTable::BucketTable(const Rows& rows, const Substring& substring, ThreadPool& pool)
    : count_(rows.size()),
      offset_words_(packed_words((std::uint64_t{1} << substring.bits()) + 1, offset_width(rows.size()))),
      id_words_(packed_words(rows.size(), position_width(rows.size()))),
      offsets_(offset_words_.data(), (std::uint64_t{1} << substring.bits()) + 1, offset_width(rows.size())),
      ids_(id_words_.data(), rows.size(), position_width(rows.size())) {
  if (count_ <= std::numeric_limits<std::uint32_t>::max()) {
    fill<std::uint32_t>(rows, substring, pool);
  } else {
    fill<std::uint64_t>(rows, substring, pool);
  }
}

BucketTable::BucketTable(const std::uint64_t* offsets, const std::uint64_t* ids, unsigned bits, std::uint64_t count) noexcept
    : count_(count),
      offsets_(offsets, (std::uint64_t{1} << bits) + 1, offset_width(count)),
      ids_(ids, count, position_width(count)) {}

void BucketTable::corrupt(const char* what, std::uint64_t value) const {
  fail(ErrorCode::kCorrupt, "a stored bucket table is damaged: ", what, " of ", value, " with ", count_,
       " codes; signet inspect --verify says where the file is damaged");
}

// Counting sort in parts: each part counts its own codes, the counts become the places where each part puts them, so that a
// bucket holds the first part's positions before the second's. Positions are placed unpacked, since two threads may not write one
// word.
template <typename Position>
void BucketTable::fill(const Rows& rows, const Substring& substring, ThreadPool& pool) {
  const std::size_t buckets = std::size_t{1} << substring.bits();
  const std::size_t parts = sorting_parts(pool.size(), count_, buckets);
  const auto edge = [&](std::size_t part) {
    return static_cast<std::size_t>(count_) / parts * part + std::min(part, static_cast<std::size_t>(count_) % parts);
  };
  std::vector<BigWords> counters;  // one array a part
  std::vector<Position*> places;
  for (std::size_t part = 0; part < parts; ++part) {
    counters.emplace_back((buckets * sizeof(Position) + 7) / 8);
    places.push_back(reinterpret_cast<Position*>(counters.back().data()));
  }
  pool.parallel_for(parts, 1, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t part = first; part < last; ++part) {
      for (std::size_t i = edge(part); i < edge(part + 1); ++i) ++places[part][substring.key(rows.at(i))];
    }
  });
  PackedWriter offsets(offset_words_.data(), offset_width(count_));
  Position next = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    offsets.put(next);
    for (std::size_t part = 0; part < parts; ++part) {
      const Position here = places[part][bucket];
      places[part][bucket] = next;
      next = static_cast<Position>(next + here);
    }
  }
  offsets.put(next);
  BigWords sorted((static_cast<std::size_t>(count_) * sizeof(Position) + 7) / 8);
  auto* positions = reinterpret_cast<Position*>(sorted.data());
  pool.parallel_for(parts, 1, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t part = first; part < last; ++part) {
      for (std::size_t i = edge(part); i < edge(part + 1); ++i)
        positions[places[part][substring.key(rows.at(i))]++] = static_cast<Position>(i);
    }
  });
  // Packing in pieces of a multiple of 64 values: each piece begins at a whole word and ends at one.
  const std::size_t pieces = std::max<std::size_t>((static_cast<std::size_t>(count_) + (1 << 20) - 1) >> 20, 1);
  pool.parallel_for(pieces, 1, [&](std::size_t first, std::size_t last, std::size_t) {
    const std::size_t begin = first << 20, end = std::min<std::size_t>(last << 20, static_cast<std::size_t>(count_));
    PackedWriter ids(id_words_.data(), position_width(count_), begin);
    for (std::size_t i = begin; i < end; ++i) ids.put(positions[i]);
  });
}

}  // namespace signet
