#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "signet/base/progress.h"
#include "signet/code/code_matrix.h"
#include "signet/dedup/groups.h"
#include "signet/store/collection.h"

namespace signet {

// In what sense two files are the same, strongest first. What is the same in one sense is so in every weaker one.
enum class DuplicateLevel {
  kSameBytes,   // equal SHA-256 of the files
  kSamePixels,  // equal pixels after decoding and turning upright
  kNear,        // codes of an instance model, or perceptual hashes, within the radius (and alike at a second look)
  kSameClass,   // codes of a class model within the radius: another picture of the same kind of thing, no duplicate
};
DuplicateLevel parse_duplicate_level(
    const std::string& name);  // same-bytes | same-pixels | near-duplicate | same-class; throws kUsage
const char* duplicate_level_name(DuplicateLevel level) noexcept;

// One picture file as dedup sees it; what is unknown stays empty.
struct DedupItem {
  std::uint64_t id = 0;  // in the collection; 0 where there is none
  std::string key;       // its path
  std::uint32_t width = 0, height = 0;
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
  std::string sha256;     // of the bytes of the file, and of nothing else
  std::string pixels;     // any digest of size and upright pixels, the same for all items
  double sharpness = -1;  // see sharpness(); < 0: unknown
  std::string file = {};  // KeepRule::kPath: where the picture lies, absolute; empty where the key says so
};

struct DedupSet {
  std::vector<DedupItem> items;
  CodeMatrix codes;            // one an item; may be empty (0 codes) for the levels that need none
  CodeMatrix more_codes = {};  // kNear: of another kind, one an item, or none at all: near by either is near
};

// All live images of a view with their codes, by id. Memory: some 300 bytes an image, no pictures.
DedupSet read_collection(const CollectionView& view, const ProgressFn& progress = {});

// Who stays. Ties go on to the next of: more pixels, more bytes, older, the smaller key, so that the answer never depends on the
// order of files.
enum class KeepRule { kLargest, kOldest, kSharpest, kPath };
struct KeepOptions {
  KeepRule rule = KeepRule::kLargest;
  std::vector<std::string> paths;  // kPath: folders (or whole keys and files), the most wanted first; others come after them
};
// Whether kPath takes an item for one of this path: its key or its file is the path, or lies below it.
bool lies_in(const DedupItem& item, const std::string& path);
KeepRule parse_keep_rule(const std::string& name);  // largest | oldest | sharpest | path; throws kUsage
const char* keep_rule_name(KeepRule rule) noexcept;
// Indices of the items, best first.
std::vector<std::size_t> keep_order(std::span<const DedupItem> items, const KeepOptions& keep);

struct FindOptions {
  DuplicateLevel level = DuplicateLevel::kNear;
  std::uint32_t radius = 0;  // kNear, kSameClass
  KeepOptions keep;
  std::size_t reference = 0;               // the first so many items are a reference set, see StarOptions
  std::span<const CodeMatrix> poses = {};  // mirrored and turned, see StarOptions
  std::uint32_t more_radius = 0;           // kNear, of DedupSet::more_codes
  std::span<const CodeMatrix> more_poses = {};
  // kNear: a second look at a pair whose codes are near. Empty: none. Called from one thread; not for pairs with equal bytes or
  // pixels, nor for those with a verdict, nor within one of the trusted radii (of codes and of more_codes; none: empty).
  std::function<bool(std::size_t keeper, std::size_t item)> second_look;
  std::optional<std::uint32_t> trusted, more_trusted;
  std::size_t threads = 0;
  ProgressFn progress;
};

struct DuplicateMember {
  std::size_t item;
  std::uint32_t distance;  // of its code to the keeper's, of more_codes where only those are near; 0 where none were compared
  DuplicateLevel level;    // the strongest that is known to hold with the keeper
  friend bool operator==(const DuplicateMember&, const DuplicateMember&) = default;
};
struct DuplicateGroup {
  std::size_t keeper;
  std::vector<DuplicateMember> members;
};

// Groups of the level asked for. Verdicts are by DedupItem::id: two images of which somebody has said that they are no duplicates
// never come into one group, at no level; two that were said to be duplicates join without a second look where their codes are
// near. Throws kInvalidArgument where the level needs something that the set does not have (codes), naming it.
std::vector<DuplicateGroup> find_duplicates(const DedupSet& set, std::span<const Verdict> verdicts, const FindOptions& options);

}  // namespace signet
