#include "index/query_run.h"

#include <algorithm>
#include <bit>

#include "signet/base/thread_pool.h"

namespace signet {

std::size_t effective_threads(std::size_t wanted, std::size_t pieces) {
  const std::size_t threads = wanted == 0 ? available_cpus() : wanted;
  return std::clamp<std::size_t>(std::min(threads, pieces), 1, 1024);
}

std::size_t scan_pieces(std::size_t queries, std::size_t codes) noexcept {
  constexpr double kComparisons = 1 << 18;  // of a piece
  constexpr double kMost = 1e6;             // pieces: more than any threads, and a number that fits
  return 1 + static_cast<std::size_t>(std::min(static_cast<double>(queries) * static_cast<double>(codes) / kComparisons, kMost));
}

std::size_t search_pieces(std::size_t queries, std::size_t codes) noexcept {
  constexpr std::size_t kQueries = 8, kShare = 256;
  const std::size_t wanted =
      std::max((queries + kQueries - 1) / kQueries, std::min(queries, scan_pieces(queries, codes / kShare)));
  return std::min(wanted, scan_pieces(queries, codes));  // what a scan would do in one piece is not worth a thread here either
}

std::vector<Hit> to_hits(std::span<const PackedHit> packed, const Rows& rows) {
  std::vector<Hit> hits(packed.size());
  for (std::size_t i = 0; i < packed.size(); ++i) hits[i] = {rows.id(hit_position(packed[i])), hit_distance(packed[i])};
  return hits;
}

SearchStats make_stats(const char* index, const Work& work, const Stopwatch& watch) {
  SearchStats stats;
  stats.index = index;
  stats.kernel = hamming_kernel().name;
  stats.candidates = work.candidates;
  stats.buckets = work.buckets;
  stats.radius_reached = work.radius;
  stats.seconds = watch.seconds();
  return stats;
}

Work scan_rest(const Index& flat, const CodeMatrix& queries, std::span<const std::uint8_t> left, const SearchOptions& options,
               SearchResult& result) {
  std::vector<std::size_t> which;
  for (std::size_t q = 0; q < left.size(); ++q) {
    if (left[q] != 0) which.push_back(q);
  }
  if (which.empty()) return {};
  SearchResult rest = flat.search(queries.rows(which), options);
  for (std::size_t i = 0; i < which.size(); ++i) result.hits[which[i]] = std::move(rest.hits[i]);
  Work work;
  work.candidates = rest.stats.candidates;
  work.radius = rest.stats.radius_reached;
  return work;
}

std::size_t allowed_in(const IdFilter& filter, std::uint64_t begin, std::uint64_t end) noexcept {
  end = std::min<std::uint64_t>(end, filter.words.size() * 64);
  std::size_t sum = 0;
  while (begin < end) {
    const std::uint64_t in_word = std::min<std::uint64_t>(end - begin, 64 - begin % 64);
    std::uint64_t word = filter.words[begin / 64] >> (begin % 64);
    if (in_word < 64) word &= (std::uint64_t{1} << in_word) - 1;
    sum += static_cast<std::size_t>(std::popcount(word));
    begin += in_word;
  }
  return sum;
}

}  // namespace signet
