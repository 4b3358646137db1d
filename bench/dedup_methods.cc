#include "bench/dedup_methods.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>

#include "signet/base/thread_pool.h"
#include "signet/dedup/duplicates.h"
#include "signet/index/build.h"

namespace signet::bench {
namespace {

constexpr std::size_t kMostPairs = 150'000;  // looked at twice while tuning

CodeMatrix joined(const CodeMatrix& a, const CodeMatrix& b) {
  std::vector<std::uint8_t> packed(a.data().begin(), a.data().end());
  packed.insert(packed.end(), b.data().begin(), b.data().end());
  return {a.bits(), std::move(packed)};
}

struct Pair {
  std::uint32_t distance;
  bool right;
  double likeness;
  std::size_t a, b;
};

// The pairs of the tuning part, nearest first, up to the radius at which there are too many.
std::vector<Pair> tuning_pairs(const Method& method, const Planted& planted, std::size_t& wanted) {
  std::vector<std::size_t> images, copies;
  for (std::size_t i = 0; i < planted.images.size(); ++i) {
    if (planted.held_back[i]) continue;
    images.push_back(i);
  }
  for (std::size_t c = 0; c < planted.copies.size(); ++c)
    if (!planted.copies[c].held_back && is_tuning_change(planted.copies[c].change)) copies.push_back(c);
  wanted = copies.size();
  const auto codes = std::make_shared<const CodeMatrix>(joined(method.images.rows(images), method.copies.rows(copies)));
  const auto index = build_index(source_of(codes));
  std::vector<Pair> pairs;
  for (std::uint32_t radius = 0; radius <= codes->bits() / 2; ++radius) {
    SearchOptions search;
    search.k = kAllHits;
    search.radius = radius;
    search.threads = 0;
    const auto hits = index->search(*codes, search).hits;
    std::vector<Pair> now;
    for (std::size_t a = 0; a < hits.size(); ++a)
      for (const Hit& hit : hits[a]) {
        if (hit.id <= a) continue;
        const bool right =
            a < images.size() && hit.id >= images.size() && images[a] == planted.copies[copies[hit.id - images.size()]].source;
        const auto number = [&](std::size_t i) {
          return i < images.size() ? images[i] : planted.images.size() + copies[i - images.size()];
        };
        now.push_back({hit.distance, right, 0, number(a), number(hit.id)});
      }
    if (now.size() > kMostPairs && !pairs.empty()) break;
    pairs = std::move(now);
    if (pairs.size() > kMostPairs) break;
  }
  return pairs;
}

}  // namespace

Looks look_at_all(const Planted& planted) {
  Looks looks{std::vector<Thumbnail>(planted.images.size()), std::vector<Thumbnail>(planted.copies.size())};
  ThreadPool pool(0);
  pool.parallel_for(planted.images.size(), 64, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) looks.images[i] = make_thumbnail(planted.images[i]);
  });
  for (std::size_t c = 0; c < planted.copies.size(); ++c) looks.copies[c] = make_thumbnail(planted.copies[c].image);
  return looks;
}

void tune(Method& method, const Planted& planted, const Looks& looks, double precision) {
  std::size_t wanted = 0;
  std::vector<Pair> pairs = tuning_pairs(method, planted, wanted);
  const auto look = [&](std::size_t i) -> const Thumbnail& {
    return i < looks.images.size() ? looks.images[i] : looks.copies[i - looks.images.size()];
  };
  if (method.second_look) {
    ThreadPool pool(0);
    pool.parallel_for(pairs.size(), 64, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) pairs[i].likeness = likeness(look(pairs[i].a), look(pairs[i].b));
    });
  }
  std::size_t best = 0;
  std::uint32_t most = 0;
  for (const Pair& pair : pairs) most = std::max(most, pair.distance);
  for (std::uint32_t radius = 0; radius <= most; ++radius) {
    // The lowest threshold at which enough of what passes is right: from the most alike pair down.
    std::vector<const Pair*> near;
    for (const Pair& pair : pairs)
      if (pair.distance <= radius) near.push_back(&pair);
    std::sort(near.begin(), near.end(), [](const Pair* a, const Pair* b) { return a->likeness > b->likeness; });
    std::size_t right = 0, all = 0;
    for (std::size_t i = 0; i < near.size(); ++i) {
      ++all;
      right += near[i]->right ? 1 : 0;
      const bool end = i + 1 == near.size() || near[i + 1]->likeness < near[i]->likeness;
      if (end && right > best && static_cast<double>(right) >= precision * static_cast<double>(all)) {
        best = right;
        method.radius = radius;
        method.likeness = method.second_look ? near[i]->likeness : 0;
      }
    }
  }
}

Figures run(const Method& method, const Planted& planted, const Looks& looks) {
  const std::size_t images = planted.images.size();
  DedupSet set;
  set.codes = joined(method.images, method.copies);
  for (std::size_t i = 0; i < images + planted.copies.size(); ++i) {
    const Image& image = i < images ? planted.images[i] : planted.copies[i - images].image;
    DedupItem item;
    item.key = std::to_string(i);
    item.width = image.width, item.height = image.height, item.bytes = image.pixels.size();
    set.items.push_back(std::move(item));
  }
  FindOptions options;
  options.radius = method.radius;
  const auto look = [&](std::size_t i) -> const Thumbnail& { return i < images ? looks.images[i] : looks.copies[i - images]; };
  if (method.second_look)
    options.second_look = [&](std::size_t a, std::size_t b) { return likeness(look(a), look(b)) >= method.likeness; };
  const auto began = std::chrono::steady_clock::now();
  const auto groups = find_duplicates(set, {}, options);
  Figures figures;
  figures.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();

  const auto row_of = [](const PlantedCopy& copy) {
    return std::pair(static_cast<std::size_t>(copy.change), copy.held_back || !is_tuning_change(copy.change));
  };
  std::map<std::pair<std::size_t, bool>, KindFigures> rows;
  for (const PlantedCopy& copy : planted.copies) {
    KindFigures& row = rows[row_of(copy)];
    row.kind = change_name(copy.change);
    row.seen = is_tuning_change(copy.change);
    row.held_back = row_of(copy).second;
    ++row.copies;
  }
  const auto copy_of = [&](std::size_t i) { return i < images ? nullptr : &planted.copies[i - images]; };
  for (const DuplicateGroup& group : groups)
    for (const DuplicateMember& member : group.members) {
      ++figures.pairs;
      const PlantedCopy *a = copy_of(group.keeper), *b = copy_of(member.item);
      const bool right = (a != nullptr && b == nullptr && a->source == member.item) ||
                         (b != nullptr && a == nullptr && b->source == group.keeper);
      if (right) {
        ++rows[row_of(*(a != nullptr ? a : b))].found;
        ++figures.found;
        continue;
      }
      for (const PlantedCopy* copy : {a, b})
        if (copy != nullptr) rows[row_of(*copy)].wrong += 1;
      if (a == nullptr && b == nullptr) ++figures.pairs_of_originals;
    }
  for (auto& [key, row] : rows) {
    row.wrong += static_cast<double>(figures.pairs_of_originals) * static_cast<double>(row.copies) /
                 static_cast<double>(planted.copies.size());
    figures.kinds.push_back(row);
  }
  return figures;
}

}  // namespace signet::bench
