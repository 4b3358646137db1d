#include <algorithm>
#include <map>
#include <unordered_set>

#include "serve/service_state.h"
#include "signet/base/error.h"

namespace signet {
namespace {

constexpr std::size_t kMostMembers = 200;  // of one group in an answer

using Said = std::map<std::pair<std::uint64_t, std::uint64_t>, bool>;

Said said_in(const CollectionState& state) {
  Said said;
  for (const Verdict& verdict : state.view().verdicts()) said[{verdict.a, verdict.b}] = verdict.duplicate;
  return said;
}

std::optional<bool> of_pair(const Said& said, std::uint64_t a, std::uint64_t b) {
  const auto at = said.find(std::minmax(a, b));
  return at == said.end() ? std::nullopt : std::optional(at->second);
}

// Groups that were found in an earlier state, without what has been said or removed since.
std::vector<FoundDuplicates::Group> brought_up(const FoundDuplicates& found, const CollectionState& now, const Said& said) {
  if (found.commit == now.info().commit) return found.groups;
  const auto ids = now.ids();
  const auto there = [&](std::uint64_t id) { return std::binary_search(ids->begin(), ids->end(), id); };
  std::vector<FoundDuplicates::Group> groups;
  for (const FoundDuplicates::Group& group : found.groups) {
    if (!there(group.keeper)) continue;
    FoundDuplicates::Group left{group.keeper, {}};
    std::copy_if(group.members.begin(), group.members.end(), std::back_inserter(left.members),
                 [&](const auto& member) { return there(member.id) && of_pair(said, group.keeper, member.id) != false; });
    if (!left.members.empty()) groups.push_back(std::move(left));
  }
  return groups;
}

std::pair<std::uint64_t, std::uint64_t> ordered(std::uint64_t a, std::uint64_t b) {
  if (a == b) fail(ErrorCode::kInvalidArgument, "a verdict is on two images; ", a, " is one");
  return std::minmax(a, b);
}

}  // namespace

DuplicatesPage Service::duplicates(const DuplicatesQuery& query) const {
  state_->check_limit(query.limit);
  const bool by_codes = query.level >= DuplicateLevel::kNear;
  if (query.radius && !by_codes)
    fail(ErrorCode::kInvalidArgument, "the level ", duplicate_level_name(query.level), " compares no codes and takes no radius");
  DuplicatesPage page;
  page.level = query.level;
  page.radius = by_codes ? query.radius.value_or(std::min(state_->options.duplicates_radius, state_->code_bits)) : 0;
  // Beyond half of the bits lie codes that have less to do with each other than strangers.
  if (page.radius > state_->code_bits / 2)
    fail(ErrorCode::kInvalidArgument, "radius must be 0 to ", state_->code_bits / 2, ", not ", page.radius);
  const auto asked = state_->live->state();
  const auto found = state_->duplicates->find(asked, page.level, page.radius);
  const auto now = state_->live->state();
  const Said said = said_in(*now);
  const auto groups = brought_up(*found, *now, said);
  page.total = groups.size();
  page.offset = query.offset;
  for (const auto& group : groups) page.others += group.members.size();
  for (std::size_t g = std::min(query.offset, groups.size()); g < groups.size() && page.groups.size() < query.limit; ++g) {
    auto keep = now->view().get(groups[g].keeper);
    if (!keep) continue;
    DuplicatesPage::Group shown{state_->entry(*now, std::move(*keep)), groups[g].members.size(), {}};
    for (const auto& member : groups[g].members) {
      if (shown.others.size() >= kMostMembers) break;
      auto record = now->view().get(member.id);
      if (!record) continue;
      shown.others.push_back(
          {state_->entry(*now, std::move(*record)), member.distance, member.level, of_pair(said, groups[g].keeper, member.id)});
    }
    page.groups.push_back(std::move(shown));
  }
  return page;
}

std::optional<bool> Service::set_verdict(std::uint64_t a, std::uint64_t b, bool duplicate) {
  state_->check_writable();
  const auto pair = ordered(a, b);
  return state_->change([&](CollectionWriter& writer) {
    const auto known = of_pair(said_in(*state_->newest()), a, b);
    const Verdict verdict{pair.first, pair.second, duplicate};
    if (known != duplicate) writer.set_verdicts(std::span(&verdict, 1));
    return known;
  });
}

void Service::erase_verdict(std::uint64_t a, std::uint64_t b) {
  state_->check_writable();
  const auto pair = ordered(a, b);
  const Verdict verdict{pair.first, pair.second, false};
  const std::size_t erased =
      state_->change([&](CollectionWriter& writer) { return writer.erase_verdicts(std::span(&verdict, 1)); });
  if (erased == 0) fail(ErrorCode::kNotFound, "nothing was said about the images ", pair.first, " and ", pair.second);
}

VerdictsPage Service::verdicts(std::size_t offset, std::size_t limit) const {
  state_->check_limit(limit);
  const auto now = state_->live->state();
  const std::vector<Verdict> all = now->view().verdicts();
  VerdictsPage page;
  page.total = all.size();
  page.offset = offset;
  const std::size_t first = std::min(offset, all.size());
  page.verdicts.assign(all.begin() + static_cast<std::ptrdiff_t>(first),
                       all.begin() + static_cast<std::ptrdiff_t>(first + std::min(limit, all.size() - first)));
  return page;
}

}  // namespace signet
