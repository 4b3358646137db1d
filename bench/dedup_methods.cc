#include "bench/dedup_methods.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "signet/base/thread_pool.h"
#include "signet/dedup/calibrate.h"
#include "signet/dedup/duplicates.h"
#include "signet/index/build.h"

namespace signet::bench {
namespace {

constexpr std::size_t kMostPairs = 150'000;  // near by one kind of codes that tuning looks at
constexpr std::uint32_t kFar = std::numeric_limits<std::uint32_t>::max();

CodeMatrix joined(const CodeMatrix& a, const CodeMatrix& b) {
  std::vector<std::uint8_t> packed(a.data().begin(), a.data().end());
  packed.insert(packed.end(), b.data().begin(), b.data().end());
  return {a.bits(), std::move(packed)};
}

struct Pair {
  std::array<std::uint32_t, 2> distances;
  bool right;
  double likeness;
  std::size_t a, b;
};

// The numbers of what tuning may see: images of its half, then their copies of its kinds (counting on behind all images).
std::vector<std::size_t> tuning_items(const Planted& planted) {
  std::vector<std::size_t> items;
  for (std::size_t i = 0; i < planted.images.size(); ++i)
    if (!planted.held_back[i]) items.push_back(i);
  for (std::size_t c = 0; c < planted.copies.size(); ++c)
    if (!planted.copies[c].held_back && is_tuning_change(planted.copies[c].change)) items.push_back(planted.images.size() + c);
  return items;
}

bool is_planted(const Planted& planted, std::size_t a, std::size_t b) {
  const std::size_t images = planted.images.size();
  if (a > b) std::swap(a, b);
  return a < images && b >= images && planted.copies[b - images].source == a;
}

using Near = std::set<std::pair<std::size_t, std::size_t>>;  // places in tuning_items(), the smaller first

// The pairs within the largest radius that brings at most kMostPairs, or radius 0.
Near near_pairs(const CodeMatrix& all, const std::vector<std::size_t>& items, std::uint32_t& radius) {
  const auto codes = std::make_shared<const CodeMatrix>(all.rows(items));
  const auto index = build_index(source_of(codes));
  Near pairs;
  for (std::uint32_t r = 0; r <= codes->bits() / 2; ++r) {
    SearchOptions search;
    search.k = kAllHits;
    search.radius = r;
    search.threads = 0;
    Near now;
    const auto hits = index->search(*codes, search).hits;
    for (std::size_t a = 0; a < hits.size(); ++a)
      for (const Hit& hit : hits[a])
        if (hit.id > a) now.emplace(a, hit.id);
    if (now.size() > kMostPairs && r > 0) break;
    pairs = std::move(now), radius = r;
    if (pairs.size() > kMostPairs) break;
  }
  return pairs;
}

constexpr double kSample = 500;  // images whose strangers are counted

std::size_t originals_among(const std::vector<std::size_t>& items, const Planted& planted) {
  return static_cast<std::size_t>(std::lower_bound(items.begin(), items.end(), planted.images.size()) - items.begin());
}

// Other images within each radius of kSample images of the tuning half, as many as a set of `count` images would have.
std::vector<double> strangers_within(const Codes& codes, const std::vector<std::size_t>& items, std::size_t originals,
                                     std::size_t count) {
  std::vector<double> within(codes.images.bits() + 1, 0.0);
  const auto sample = std::min(static_cast<std::size_t>(kSample), originals);
  for (std::size_t s = 0; s < sample; ++s)
    for (std::size_t i = 0; i < originals; ++i)
      if (i != s) within[hamming_distance(codes.images.row(items[s]), codes.images.row(items[i]))] += 1;
  const double scale = static_cast<double>(count) / static_cast<double>(originals) * kSample / static_cast<double>(sample);
  double sum = 0;
  for (double& value : within) value = sum += value * scale;
  return within;
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
  const std::vector<std::size_t> items = tuning_items(planted);
  std::vector<CodeMatrix> all;
  std::array<std::uint32_t, 2> most{};
  Near near;
  for (std::size_t s = 0; s < method.codes.size(); ++s) {
    all.push_back(joined(method.codes[s].images, method.codes[s].copies));
    near.merge(near_pairs(all[s], items, most[s]));
  }
  std::vector<Pair> pairs;
  for (const auto& [a, b] : near) {
    Pair pair{{0, kFar}, is_planted(planted, items[a], items[b]), 0, items[a], items[b]};
    for (std::size_t s = 0; s < all.size(); ++s) pair.distances[s] = hamming_distance(all[s].row(pair.a), all[s].row(pair.b));
    pairs.push_back(pair);
  }
  if (method.second_look) {
    ThreadPool pool(0);
    pool.parallel_for(pairs.size(), 64, [&](std::size_t begin, std::size_t end, std::size_t) {
      for (std::size_t i = begin; i < end; ++i) pairs[i].likeness = likeness(looks.of(pairs[i].a), looks.of(pairs[i].b));
    });
    for (Codes& codes : method.codes)
      codes.trusted = trusted_radius(strangers_within(codes, items, originals_among(items, planted), planted.images.size()),
                                     CalibrationOptions{}.trust_budget * kSample);
    for (Pair& pair : pairs)  // as alike as can be
      for (std::size_t s = 0; s < all.size(); ++s)
        if (method.codes[s].trusted && pair.distances[s] <= *method.codes[s].trusted) pair.likeness = 1;
  }
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.likeness > b.likeness; });
  std::size_t best = 0;
  for (std::uint32_t first = 0; first <= most[0]; ++first)
    for (std::uint32_t more = 0; more <= most[1]; ++more) {
      // The lowest threshold at which enough of what passes is right: from the most alike pair down.
      std::size_t right = 0, passed = 0;
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        const Pair& pair = pairs[i];
        if (pair.distances[0] <= first || (method.codes.size() > 1 && pair.distances[1] <= more))
          ++passed, right += pair.right ? 1 : 0;
        const bool end = i + 1 == pairs.size() || pairs[i + 1].likeness < pair.likeness;
        if (!end || right <= best || static_cast<double>(right) < precision * static_cast<double>(passed)) continue;
        best = right;
        method.codes[0].radius = first;
        if (method.codes.size() > 1) method.codes[1].radius = more;
        method.likeness = method.second_look ? pair.likeness : 0;
      }
    }
}

void tune_for_size(Method& method, const Planted& planted, std::size_t count, double budget) {
  const std::vector<std::size_t> items = tuning_items(planted);
  const std::size_t originals = originals_among(items, planted);
  std::vector<std::vector<double>> strangers;  // an image, by kind of codes and radius
  for (const Codes& codes : method.codes) {
    strangers.push_back(strangers_within(codes, items, originals, count));
    for (double& value : strangers.back()) value /= kSample;
  }
  if (strangers.size() == 1) strangers.emplace_back(1, 0.0);
  std::size_t best = 0;
  for (std::uint32_t first = 0; first < strangers[0].size(); ++first)
    for (std::uint32_t more = 0; more < strangers[1].size(); ++more) {
      if (strangers[0][first] + strangers[1][more] > budget) break;
      std::size_t found = 0;
      for (std::size_t i = originals; i < items.size(); ++i) {
        const std::size_t c = items[i] - planted.images.size();
        const auto near = [&](const Codes& codes, std::uint32_t radius) {
          return hamming_distance(codes.images.row(planted.copies[c].source), codes.copies.row(c)) <= radius;
        };
        found += near(method.codes[0], first) || (method.codes.size() > 1 && near(method.codes[1], more));
      }
      if (found <= best) continue;
      best = found;
      method.codes[0].radius = first;
      if (method.codes.size() > 1) method.codes[1].radius = more;
    }
}

Figures run(const Method& method, const Planted& planted, const Looks& looks) {
  const std::size_t images = planted.images.size();
  DedupSet set;
  set.codes = joined(method.codes[0].images, method.codes[0].copies);
  if (method.codes.size() > 1) set.more_codes = joined(method.codes[1].images, method.codes[1].copies);
  for (std::size_t i = 0; i < images + planted.copies.size(); ++i) {
    const Image& image = i < images ? planted.images[i] : planted.copies[i - images].image;
    DedupItem item;
    item.key = std::to_string(i);
    item.width = image.width, item.height = image.height, item.bytes = image.pixels.size();
    set.items.push_back(std::move(item));
  }
  FindOptions options;
  options.radius = method.codes[0].radius, options.trusted = method.codes[0].trusted;
  if (method.codes.size() > 1) options.more_radius = method.codes[1].radius, options.more_trusted = method.codes[1].trusted;
  Figures figures;
  if (method.second_look)
    options.second_look = [&](std::size_t a, std::size_t b) {
      ++figures.looks;
      return likeness(looks.of(a), looks.of(b)) >= method.likeness;
    };
  const auto began = std::chrono::steady_clock::now();
  const auto groups = find_duplicates(set, {}, options);
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
    const auto c = static_cast<std::size_t>(&copy - planted.copies.data());
    row.near += std::any_of(method.codes.begin(), method.codes.end(), [&](const Codes& codes) {
      return hamming_distance(codes.images.row(copy.source), codes.copies.row(c)) <= codes.radius;
    });
  }
  const auto copy_of = [&](std::size_t i) { return i < images ? nullptr : &planted.copies[i - images]; };
  for (const DuplicateGroup& group : groups)
    for (const DuplicateMember& member : group.members) {
      ++figures.pairs;
      const PlantedCopy *a = copy_of(group.keeper), *b = copy_of(member.item);
      if (is_planted(planted, group.keeper, member.item)) {
        ++rows[row_of(*(a != nullptr ? a : b))].found;
        ++figures.found;
        continue;
      }
      figures.wrong.emplace_back(group.keeper, member.item);
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
