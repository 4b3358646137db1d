#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "signet/base/progress.h"
#include "signet/code/code_matrix.h"

namespace signet {

// A keeper and what is near it. Every member is within the radius of its keeper itself: there are no chains, in which two
// strangers hang together by what lies between them (docs/decisions/0100-star-groups.md).
struct StarMember {
  std::size_t item;
  std::uint32_t distance;  // to the keeper
  bool by_more = false;    // the distance is of StarOptions::more: by its first code the item is outside the radius
  friend bool operator==(const StarMember&, const StarMember&) = default;
};
struct Star {
  std::size_t keeper;
  std::vector<StarMember> members;  // by (by_more, distance, place in `order`); never empty
  friend bool operator==(const Star&, const Star&) = default;
};

// A second code of each of the same items, made in another way: near by it is as good as near by the first.
struct MoreCodes {
  const CodeMatrix* codes = nullptr;  // null: there are none
  std::uint32_t radius = 0;           // inclusive
  std::span<const CodeMatrix> poses = {};
};

struct StarOptions {
  std::uint32_t radius = 0;  // inclusive
  std::size_t threads = 0;   // 0: one per CPU
  // The first `reference` items are a reference set: never compared with each other, each is a keeper. An item behind them joins
  // the nearest of them, and only what finds none there is grouped among itself.
  std::size_t reference = 0;
  // Best first, every item once: who is kept rather than whom. Empty: as numbered.
  std::span<const std::size_t> order = {};
  // The same items turned or mirrored: a keeper is compared in all its poses, and the least distance counts. Each as long as
  // codes.
  std::span<const CodeMatrix> poses = {};
  MoreCodes more = {};
  // Asked before an item joins; called from one thread. Empty: always yes.
  std::function<bool(const Star& star, std::size_t item, std::uint32_t distance)> accept;
  ProgressFn progress;
};

// Groups codes by an exact radius join. Items are taken in order; the first that is in no group is a keeper, and every item
// within the radius (by either code, where there are two) that is in no group (and that `accept` takes) joins it. The result is
// the same for any number of threads. Memory: the index over different codes, and the neighbours of one block of queries at a
// time. Stars come in the order of their keepers (reference items by number first). Throws kInvalidArgument where order, poses or
// the second codes do not fit the codes.
std::vector<Star> star_groups(const CodeMatrix& codes, const StarOptions& options);

}  // namespace signet
