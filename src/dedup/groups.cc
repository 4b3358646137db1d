#include "signet/dedup/groups.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <numeric>
#include <tuple>

#include "signet/base/error.h"
#include "signet/index/build.h"

namespace signet {
namespace {

constexpr std::size_t kBlock = 4096;            // queries at once, at most
constexpr std::size_t kHitsAtOnce = 4'000'000;  // what a block may bring, by the last block's measure

// The different codes of some items, an index over them, and which items have each. A million equal codes are one code: they cost
// no pairs.
class DistinctCodes {
 public:
  // items: in the order in which those of equal codes are to come.
  DistinctCodes(const CodeMatrix& codes, std::vector<std::size_t> items, std::size_t threads) : items_(std::move(items)) {
    std::stable_sort(items_.begin(), items_.end(), [&](std::size_t a, std::size_t b) {
      return std::memcmp(codes.row(a).data(), codes.row(b).data(), codes.stride()) < 0;
    });
    CodeMatrix distinct(0, codes.bits());
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (i > 0 && std::ranges::equal(codes.row(items_[i]), codes.row(items_[i - 1]))) continue;
      distinct.append(codes.row(items_[i]));
      begin_.push_back(i);
    }
    begin_.push_back(items_.size());
    BuildOptions build;
    build.threads = threads;
    index_ = build_index(source_of(std::make_shared<const CodeMatrix>(std::move(distinct))), build);
  }
  std::span<const std::size_t> items(std::uint64_t code) const {
    return std::span(items_).subspan(begin_[code], begin_[code + 1] - begin_[code]);
  }
  const Index& index() const { return *index_; }

 private:
  std::vector<std::size_t> items_, begin_;
  std::unique_ptr<Index> index_;
};

using HitLists = std::vector<std::vector<Hit>>;  // one list a query

// One kind of codes: what is compared within which radius.
struct Space {
  const CodeMatrix& codes;
  std::uint32_t radius;
  std::span<const CodeMatrix> poses;
};

class Grouping {
 public:
  Grouping(const CodeMatrix& codes, const StarOptions& options) : codes_(codes), options_(options), taken_(codes.size(), 0) {
    spaces_.push_back({codes, options.radius, options.poses});
    if (options.more.codes != nullptr) spaces_.push_back({*options.more.codes, options.more.radius, options.more.poses});
    rank_.resize(codes.size());
    order_.assign(options.order.begin(), options.order.end());
    if (order_.empty()) {
      order_.resize(codes.size());
      std::iota(order_.begin(), order_.end(), std::size_t{0});
    }
    check();
    for (std::size_t i = 0; i < order_.size(); ++i) rank_[order_[i]] = i;
  }

  std::vector<Star> run() {
    std::vector<std::size_t> fresh;
    for (const std::size_t item : order_)
      if (item >= options_.reference) fresh.push_back(item);
    if (options_.reference > 0) join_reference(fresh);
    std::erase_if(fresh, [&](std::size_t item) { return taken_[item] != 0; });
    group(fresh);
    return std::move(stars_);
  }

 private:
  void check() const {
    bool good = order_.size() == codes_.size() && options_.reference <= codes_.size();
    std::vector<char> seen(codes_.size(), 0);
    for (const std::size_t item : order_) good = good && item < seen.size() && !std::exchange(seen[item], 1);
    for (const Space& space : spaces_) {
      good = good && space.codes.size() == codes_.size();
      for (const CodeMatrix& pose : space.poses) good = good && pose.size() == codes_.size() && pose.bits() == space.codes.bits();
    }
    if (!good) {
      fail(ErrorCode::kInvalidArgument, "grouping ", codes_.size(),
           " codes needs every one of them once in `order`, and as many codes of each pose and of the second kind");
    }
  }

  // One index for each kind of codes.
  std::vector<DistinctCodes> indexes(const std::vector<std::size_t>& items) const {
    std::vector<DistinctCodes> all;
    for (const Space& space : spaces_) all.emplace_back(space.codes, items, options_.threads);
    return all;
  }

  // Neighbours of items in the index, in any pose, as (distance, code) by code; several poses may name the same code.
  HitLists neighbours(const DistinctCodes& among, const Space& space, std::span<const std::size_t> items) const {
    SearchOptions search;
    search.k = kAllHits;
    search.radius = space.radius;
    search.threads = options_.threads;
    HitLists hits = among.index().search(space.codes.rows(items), search).hits;
    for (const CodeMatrix& pose : space.poses) {
      const auto more = among.index().search(pose.rows(items), search).hits;
      for (std::size_t i = 0; i < hits.size(); ++i) hits[i].insert(hits[i].end(), more[i].begin(), more[i].end());
    }
    if (!space.poses.empty()) {
      for (auto& list : hits) {
        std::sort(list.begin(), list.end(),
                  [](const Hit& a, const Hit& b) { return std::pair(a.id, a.distance) < std::pair(b.id, b.distance); });
        list.erase(std::unique(list.begin(), list.end(), [](const Hit& a, const Hit& b) { return a.id == b.id; }), list.end());
      }
    }
    return hits;
  }

  // The same by every kind of codes.
  std::vector<HitLists> neighbours(const std::vector<DistinctCodes>& among, std::span<const std::size_t> items) {
    std::vector<HitLists> hits;
    std::size_t total = 0;
    for (std::size_t s = 0; s < spaces_.size(); ++s) {
      hits.push_back(neighbours(among[s], spaces_[s], items));
      for (const auto& list : hits.back()) total += list.size();
    }
    const std::size_t each = total / std::max<std::size_t>(1, items.size()) + 1;
    block_ = std::clamp<std::size_t>(kHitsAtOnce / each, 1, kBlock);
    return hits;
  }

  // The items of the codes near item number `i` of the block that `usable` takes, each once, by (by_more, distance, rank).
  template <typename Usable>
  std::vector<StarMember> expand(const std::vector<DistinctCodes>& among, const std::vector<HitLists>& hits, std::size_t i,
                                 const Usable& usable) const {
    std::vector<StarMember> found;
    for (std::size_t s = 0; s < spaces_.size(); ++s)
      for (const Hit& hit : hits[s][i])
        for (const std::size_t item : among[s].items(hit.id))
          if (usable(item)) found.push_back({item, hit.distance, s > 0});
    if (spaces_.size() > 1) {  // found by both: the first counts
      std::sort(found.begin(), found.end(), [](const StarMember& a, const StarMember& b) {
        return std::pair(a.item, a.by_more) < std::pair(b.item, b.by_more);
      });
      found.erase(
          std::unique(found.begin(), found.end(), [](const StarMember& a, const StarMember& b) { return a.item == b.item; }),
          found.end());
    }
    sort_members(found);
    return found;
  }

  void sort_members(std::vector<StarMember>& members) const {
    std::sort(members.begin(), members.end(), [&](const StarMember& a, const StarMember& b) {
      return std::tuple(a.by_more, a.distance, rank_[a.item]) < std::tuple(b.by_more, b.distance, rank_[b.item]);
    });
  }

  bool accepted(const Star& star, const StarMember& member) const {
    return !options_.accept || options_.accept(star, member.item, member.distance);
  }

  void report(const char* stage, std::size_t done, std::size_t total) const {
    if (options_.progress && !options_.progress({stage, done, total, ""}))
      fail(ErrorCode::kCancelled, "the search for duplicates was stopped");
  }

  void join_reference(const std::vector<std::size_t>& fresh) {
    std::vector<std::size_t> members;
    for (const std::size_t item : order_)
      if (item < options_.reference) members.push_back(item);
    const std::vector<DistinctCodes> among = indexes(members);
    std::map<std::size_t, Star> stars;
    for (std::size_t at = 0; at < fresh.size();) {
      const auto items = std::span(fresh).subspan(at, std::min(block_, fresh.size() - at));
      const auto hits = neighbours(among, items);
      for (std::size_t i = 0; i < items.size(); ++i) {
        for (const StarMember& near : expand(among, hits, i, [](std::size_t) { return true; })) {
          const auto place = stars.try_emplace(near.item, Star{near.item, {}}).first;
          if (!accepted(place->second, {items[i], near.distance, near.by_more})) continue;
          place->second.members.push_back({items[i], near.distance, near.by_more});
          taken_[items[i]] = 1;
          break;
        }
      }
      at += items.size();
      report("against the reference", at, fresh.size());
    }
    for (auto& [keeper, star] : stars) {
      if (star.members.empty()) continue;
      sort_members(star.members);
      stars_.push_back(std::move(star));
    }
  }

  void group(const std::vector<std::size_t>& fresh) {
    if (fresh.size() < 2) return;
    const std::vector<DistinctCodes> among = indexes(fresh);
    std::vector<std::size_t> block;
    for (std::size_t at = 0; at < fresh.size();) {
      block.clear();
      for (; at < fresh.size() && block.size() < block_; ++at)
        if (taken_[fresh[at]] == 0) block.push_back(fresh[at]);
      if (block.empty()) break;
      const auto hits = neighbours(among, block);
      for (std::size_t i = 0; i < block.size(); ++i) {
        if (std::exchange(taken_[block[i]], 1) != 0) continue;  // has joined another of this block meanwhile
        Star star{block[i], {}};
        for (const StarMember& near : expand(among, hits, i, [&](std::size_t item) { return taken_[item] == 0; })) {
          if (!accepted(star, near)) continue;
          taken_[near.item] = 1;
          star.members.push_back(near);
        }
        if (!star.members.empty()) stars_.push_back(std::move(star));
      }
      report("group", at, fresh.size());
    }
  }

  const CodeMatrix& codes_;
  const StarOptions& options_;
  std::vector<Space> spaces_;
  std::vector<char> taken_;
  std::vector<std::size_t> order_, rank_;
  std::size_t block_ = 256;
  std::vector<Star> stars_;
};

}  // namespace

std::vector<Star> star_groups(const CodeMatrix& codes, const StarOptions& options) { return Grouping(codes, options).run(); }

}  // namespace signet
