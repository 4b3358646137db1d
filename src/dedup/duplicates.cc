#include "signet/dedup/duplicates.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "signet/base/error.h"

namespace signet {
namespace {

constexpr std::array kLevels = {"same-bytes", "same-pixels", "near-duplicate", "same-class"};
constexpr std::array kRules = {"largest", "oldest", "sharpest", "path"};

template <typename Kind, std::size_t n>
Kind parse_name(const std::string& name, const std::array<const char*, n>& names, const char* flag) {
  std::string known;
  for (std::size_t i = 0; i < n; ++i) {
    if (name == names[i]) return static_cast<Kind>(i);
    known += std::string(i == 0 ? "" : i + 1 == n ? " and " : ", ") + names[i];
  }
  fail(ErrorCode::kUsage, flag, " \"", name, "\" does not exist; ", known, " do");
}

// What was said about pairs, by item number.
class Verdicts {
 public:
  Verdicts(std::span<const DedupItem> items, std::span<const Verdict> verdicts) {
    if (verdicts.empty()) return;
    std::unordered_map<std::uint64_t, std::size_t> item_of;
    for (std::size_t i = 0; i < items.size(); ++i)
      if (items[i].id != 0) item_of.emplace(items[i].id, i);
    for (const Verdict& verdict : verdicts) {
      const auto a = item_of.find(verdict.a), b = item_of.find(verdict.b);
      if (a == item_of.end() || b == item_of.end()) continue;  // of images that are gone
      said_[a->second].emplace(b->second, verdict.duplicate);
      said_[b->second].emplace(a->second, verdict.duplicate);
    }
  }
  std::optional<bool> of(std::size_t a, std::size_t b) const {
    const auto list = said_.find(a);
    if (list == said_.end()) return std::nullopt;
    const auto said = list->second.find(b);
    return said == list->second.end() ? std::nullopt : std::optional(said->second);
  }
  // Whether `item` was said to be no duplicate of the keeper or of a member.
  template <typename Members>
  bool forbid(std::size_t keeper, const Members& members, std::size_t item) const {
    const auto list = said_.find(item);
    if (list == said_.end()) return false;
    const auto no = [&](std::size_t other) {
      const auto said = list->second.find(other);
      return said != list->second.end() && !said->second;
    };
    return no(keeper) || std::any_of(members.begin(), members.end(), [&](const auto& member) { return no(member.item); });
  }

 private:
  std::unordered_map<std::size_t, std::unordered_map<std::size_t, bool>> said_;
};

DuplicateLevel level_of(const DedupItem& a, const DedupItem& b, DuplicateLevel weakest) {
  if (!a.sha256.empty() && a.sha256 == b.sha256) return DuplicateLevel::kSameBytes;
  if (!a.pixels.empty() && a.pixels == b.pixels) return DuplicateLevel::kSamePixels;
  return weakest;
}

bool within(const CodeMatrix& codes, std::optional<std::uint32_t> radius, std::size_t a, std::size_t b) {
  return radius && codes.size() > 0 && hamming_distance(codes.row(a), codes.row(b)) <= *radius;
}

bool is_at_or_below(const std::string& key, const std::string& path) {
  return key.starts_with(path) && (key.size() == path.size() || path.ends_with('/') || key[path.size()] == '/');
}

// Groups of equal digests: the same rules as stars (best first, no reference against itself, verdicts), without codes.
std::vector<DuplicateGroup> exact_groups(const DedupSet& set, const Verdicts& verdicts, const FindOptions& options,
                                         const std::vector<std::size_t>& order) {
  const bool bytes = options.level == DuplicateLevel::kSameBytes;
  std::unordered_map<std::string_view, std::vector<std::size_t>> same;
  std::vector<std::string_view> digests;  // in order of their best item
  const auto take = [&](std::size_t item) {
    const std::string_view digest = bytes ? set.items[item].sha256 : set.items[item].pixels;
    if (digest.empty()) return;
    auto& list = same[digest];
    if (list.empty()) digests.push_back(digest);
    list.push_back(item);
  };
  for (const std::size_t item : order)  // reference items first: they are the keepers
    if (item < options.reference) take(item);
  for (const std::size_t item : order)
    if (item >= options.reference) take(item);
  std::vector<DuplicateGroup> groups;
  for (const std::string_view digest : digests) {
    std::vector<std::size_t> left = same[digest];
    while (!left.empty()) {  // once, unless verdicts part them
      DuplicateGroup group{left.front(), {}};
      std::vector<std::size_t> rest;
      for (const std::size_t item : std::span(left).subspan(1)) {
        if (item < options.reference) continue;
        if (verdicts.forbid(group.keeper, group.members, item))
          rest.push_back(item);
        else
          group.members.push_back({item, 0, level_of(set.items[group.keeper], set.items[item], options.level)});
      }
      if (!group.members.empty()) groups.push_back(std::move(group));
      left = std::move(rest);
    }
  }
  return groups;
}

}  // namespace

DuplicateLevel parse_duplicate_level(const std::string& name) { return parse_name<DuplicateLevel>(name, kLevels, "--level"); }
const char* duplicate_level_name(DuplicateLevel level) noexcept { return kLevels[static_cast<std::size_t>(level)]; }
KeepRule parse_keep_rule(const std::string& name) { return parse_name<KeepRule>(name, kRules, "--keep"); }
const char* keep_rule_name(KeepRule rule) noexcept { return kRules[static_cast<std::size_t>(rule)]; }

DedupSet read_collection(const CollectionView& view, const ProgressFn& progress) {
  constexpr std::size_t kPage = 10'000;
  const CollectionInfo info = view.info();
  DedupSet set;
  set.codes = CodeMatrix(0, info.bits);
  set.items.reserve(info.images);
  for (std::uint64_t after = 0;;) {
    const std::vector<ImageRecord> records = view.list(after, kPage);
    if (records.empty()) return set;
    after = records.back().id;
    for (const ImageRecord& r : records) {
      set.items.push_back({r.id, r.key, r.width, r.height, r.bytes, r.modified_ns, r.sha256, "", -1});
      set.codes.append(view.code(r.id));
    }
    if (progress && !progress({"read", set.items.size(), info.images, ""}))
      fail(ErrorCode::kCancelled, "reading the collection was stopped");
  }
}

bool lies_in(const DedupItem& item, const std::string& path) {
  return is_at_or_below(item.key, path) || (!item.file.empty() && is_at_or_below(item.file, path));
}

std::vector<std::size_t> keep_order(std::span<const DedupItem> items, const KeepOptions& keep) {
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // The rule's own measure, smaller is better.
  const auto measure = [&](const DedupItem& item) -> double {
    switch (keep.rule) {
      case KeepRule::kLargest:
        return 0;  // the first of the ties below
      case KeepRule::kOldest:
        return static_cast<double>(item.modified_ns);
      case KeepRule::kSharpest:
        return -item.sharpness;
      case KeepRule::kPath: {
        const auto found =
            std::find_if(keep.paths.begin(), keep.paths.end(), [&](const std::string& path) { return lies_in(item, path); });
        return static_cast<double>(found - keep.paths.begin());
      }
    }
    return 0;
  };
  std::vector<double> rank;
  rank.reserve(items.size());
  for (const DedupItem& item : items) rank.push_back(measure(item));
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto key = [&](std::size_t i) {
      const DedupItem& item = items[i];
      return std::tuple(rank[i], ~(std::uint64_t{item.width} * item.height), ~item.bytes, item.modified_ns,
                        std::string_view(item.key), i);
    };
    return key(a) < key(b);
  });
  return order;
}

std::vector<DuplicateGroup> find_duplicates(const DedupSet& set, std::span<const Verdict> said, const FindOptions& options) {
  const std::vector<std::size_t> order = keep_order(set.items, options.keep);
  const Verdicts verdicts(set.items, said);
  if (options.level <= DuplicateLevel::kSamePixels) return exact_groups(set, verdicts, options, order);
  if (set.codes.size() != set.items.size()) {
    fail(ErrorCode::kInvalidArgument, "the level ", duplicate_level_name(options.level), " needs a code of each of the ",
         set.items.size(), " images, and there are ", set.codes.size());
  }
  StarOptions stars;
  stars.radius = options.radius;
  stars.threads = options.threads;
  stars.reference = options.reference;
  stars.order = order;
  stars.poses = options.poses;
  if (options.level == DuplicateLevel::kNear && set.more_codes.size() > 0)
    stars.more = {&set.more_codes, options.more_radius, options.more_poses};
  stars.progress = options.progress;
  stars.accept = [&](const Star& star, std::size_t item, std::uint32_t) {
    if (verdicts.forbid(star.keeper, star.members, item)) return false;
    if (options.level != DuplicateLevel::kNear || !options.second_look) return true;
    if (verdicts.of(star.keeper, item)) return true;
    if (level_of(set.items[star.keeper], set.items[item], options.level) < options.level) return true;
    if (within(set.codes, options.trusted, star.keeper, item) || within(set.more_codes, options.more_trusted, star.keeper, item))
      return true;
    return options.second_look(star.keeper, item);
  };
  std::vector<DuplicateGroup> groups;
  for (const Star& star : star_groups(set.codes, stars)) {
    DuplicateGroup group{star.keeper, {}};
    for (const StarMember& member : star.members)
      group.members.push_back(
          {member.item, member.distance, level_of(set.items[star.keeper], set.items[member.item], options.level)});
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace signet
