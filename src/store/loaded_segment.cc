#include "store/loaded_segment.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

#include "signet/base/error.h"

namespace signet::store {
namespace {

// The bits of `count` positions from `from` on. live: further restriction, or null.
Words cut_filter(const IdFilter& filter, std::uint64_t from, std::uint64_t count, const Words* live) {
  Words words((count + 63) / 64, 0);
  const std::uint64_t shift = from % 64;
  for (std::uint64_t i = 0, at = from / 64; i < words.size() && at < filter.words.size(); ++i, ++at) {
    words[i] = filter.words[at] >> shift;
    if (shift != 0 && at + 1 < filter.words.size()) words[i] |= filter.words[at + 1] << (64 - shift);
  }
  if (count % 64 != 0) words.back() &= (std::uint64_t{1} << (count % 64)) - 1;
  if (live != nullptr) {
    for (std::size_t i = 0; i < words.size(); ++i) words[i] &= (*live)[i];
  }
  return words;
}

// A search as one part is asked it: positions of its own in the filter, and of them what is live.
class PartSearch {
 public:
  // part, all: borrowed.
  PartSearch(const SearchPart& part, const SearchOptions& all) : options(all) {
    if (all.filter != nullptr) {
      words_ = cut_filter(*all.filter, part.first_position, part.segment->row().count, part.live.get());
      filter_.words = words_;
    } else if (part.live != nullptr) {
      filter_.words = *part.live;
    }
    options.filter = filter_.words.empty() ? nullptr : &filter_;
  }
  PartSearch(const PartSearch&) = delete;
  PartSearch& operator=(const PartSearch&) = delete;

  // Whether the filter leaves none of its codes.
  bool is_empty() const {
    return options.filter != nullptr && std::ranges::all_of(filter_.words, [](std::uint64_t word) { return word == 0; });
  }

  SearchOptions options;  // their filter lies in this object

 private:
  Words words_;
  IdFilter filter_;
};

// The largest first: its k-th distance bounds the work in all others.
std::vector<SearchPart> in_search_order(std::span<const SearchPart> parts) {
  std::vector<SearchPart> order(parts.begin(), parts.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.segment->row().count > b.segment->row().count; });
  return order;
}

void add_stats(SearchStats& sum, const SearchStats& part) {
  if (sum.index.find(part.index) == std::string::npos) sum.index += (sum.index.empty() ? "" : "+") + part.index;
  sum.kernel = part.kernel;
  sum.candidates += part.candidates;
  sum.buckets += part.buckets;
  sum.radius_reached = std::max(sum.radius_reached, part.radius_reached);
}

bool before(const Hit& a, const Hit& b) { return a.distance != b.distance ? a.distance < b.distance : a.id < b.id; }

// Merges hits into a query's list, both sorted, and keeps the best k.
void merge_hits(std::vector<Hit>& list, std::vector<Hit>& more, std::size_t k) {
  if (list.empty()) {
    list = std::move(more);
  } else {
    const auto middle = static_cast<std::ptrdiff_t>(list.size());
    list.insert(list.end(), more.begin(), more.end());
    std::inplace_merge(list.begin(), list.begin() + middle, list.end(), before);
  }
  if (list.size() > k) list.resize(k);
}

// Beyond this distance no further hit can enter any query's list: the largest k-th distance, where all lists are full.
std::optional<std::uint32_t> reach(const std::vector<std::vector<Hit>>& lists, std::size_t k) {
  std::uint32_t worst = 0;
  for (const auto& list : lists) {
    if (list.size() < k) return std::nullopt;
    worst = std::max(worst, list.back().distance);
  }
  return worst;
}

}  // namespace

const SegmentFile& LoadedSegment::content() const {
  if (checked_.load(std::memory_order_acquire)) return *file_;
  const std::lock_guard lock(mutex_);
  if (!checked_.load(std::memory_order_relaxed)) file_->check_content();
  checked_.store(true, std::memory_order_release);
  return *file_;
}

std::unique_ptr<Index> LoadedSegment::build() const {
  BuildOptions build;
  build.kind = row().count < options_.index_from ? "flat" : options_.index;
  build.threads = options_.build_threads;
  // Without ids: hits come as positions. Ids ascend with positions, so the order (distance, position) is the order (distance,
  // id).
  return build_index({file_->codes(), static_cast<std::size_t>(row().count), file_->bits(), {}, file_->container()}, build);
}

const Index& LoadedSegment::index() const {
  if (const Index* ready = ready_.load(std::memory_order_acquire)) return *ready;
  content();
  const std::lock_guard lock(mutex_);
  if (index_ == nullptr) index_ = build();
  ready_.store(index_.get(), std::memory_order_release);
  return *index_;
}

// While a segment is in force its removed ids only become more, in the order of commits; so their number says which set it is,
// and a filter made for the same number is the same filter.
std::shared_ptr<const Words> LoadedSegment::live(const Tombstones& tombstones) const {
  std::uint64_t removed = 0;
  tombstones.for_each(row().first_id, row().last_id, [&](std::uint64_t) { ++removed; });
  if (removed == 0) return nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (live_removed_ == removed) return live_;
  }
  const IdColumn& ids = content().ids();
  auto words = std::make_shared<Words>((ids.count + 63) / 64, ~std::uint64_t{0});
  tombstones.for_each(row().first_id, row().last_id, [&](std::uint64_t id) {
    if (const auto at = ids.position(id)) (*words)[*at / 64] &= ~(std::uint64_t{1} << (*at % 64));
  });
  const std::lock_guard lock(mutex_);
  live_ = words;
  live_removed_ = removed;
  return words;
}

SearchResult search_parts(std::span<const SearchPart> parts, std::uint32_t bits, const CodeMatrix& queries,
                          const SearchOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  if (queries.bits() != bits && queries.size() > 0) {
    fail(ErrorCode::kMismatch, "queries have ", queries.bits(), " bits; the collection has ", bits);
  }
  SearchResult result;
  result.hits.resize(queries.size());
  for (const SearchPart& part : in_search_order(parts)) {
    if (options.k == 0 || queries.size() == 0) break;
    PartSearch inner(part, options);
    if (inner.is_empty()) continue;
    if (const auto limit = reach(result.hits, options.k))
      inner.options.radius = std::min(options.radius.value_or(*limit), *limit);
    SearchResult found = part.segment->index().search(queries, inner.options);
    for (std::size_t q = 0; q < queries.size(); ++q) {
      for (Hit& hit : found.hits[q]) hit.id = part.segment->content().ids().id(hit.id);
      merge_hits(result.hits[q], found.hits[q], options.k);
    }
    add_stats(result.stats, found.stats);
  }
  if (result.stats.index.empty()) result.stats.index = "flat";
  result.stats.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

std::string explain_parts(std::span<const SearchPart> parts, const SearchOptions& options, std::size_t queries) {
  std::string text;
  for (const SearchPart& part : in_search_order(parts)) {
    const PartSearch inner(part, options);
    text += concat(file_name(part.segment->path()), ": ");
    text += inner.is_empty() ? "the filter leaves none of its codes\n"
                             : concat(part.segment->row().count, " codes, ",
                                      explain_plan(part.segment->index(), inner.options, queries), "\n");
  }
  return text.empty() ? "the collection is empty\n" : text;
}

}  // namespace signet::store
