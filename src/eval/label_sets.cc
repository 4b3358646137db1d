#include "eval/label_sets.h"

#include <algorithm>

namespace signet::eval {
namespace {

bool share_one(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) noexcept {
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    if (*i == *j) return true;
    *i < *j ? ++i : ++j;
  }
  return false;
}

}  // namespace

std::uint32_t LabelSets::add(const std::vector<std::int32_t>& labels) {
  std::vector<std::int32_t> sorted = labels;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  const auto [place, is_new] = ids_.try_emplace(std::move(sorted), static_cast<std::uint32_t>(sets_.size()));
  if (is_new) sets_.push_back(&place->first);
  return place->second;
}

void LabelSets::relevant_to(std::uint32_t query, std::vector<std::uint8_t>& relevant) const {
  relevant.resize(size());
  for (std::uint32_t i = 0; i < size(); ++i) relevant[i] = share_one(set(query), set(i)) ? 1 : 0;
}

void LabelSets::gains_of(std::uint32_t query, std::vector<double>& gain) const {
  gain.resize(size());
  for (std::uint32_t i = 0; i < size(); ++i) {
    const auto &a = set(query), &b = set(i);
    std::size_t shared = 0;
    for (const std::int32_t label : a) shared += std::binary_search(b.begin(), b.end(), label) ? 1 : 0;
    gain[i] = shared == 0 ? 0 : static_cast<double>(shared) / static_cast<double>(a.size() + b.size() - shared);
  }
}

std::vector<std::uint32_t> number_labels(std::span<const std::vector<std::int32_t>> labels, LabelSets& sets) {
  std::vector<std::uint32_t> ids(labels.size());
  std::transform(labels.begin(), labels.end(), ids.begin(), [&](const auto& list) { return sets.add(list); });
  return ids;
}

}  // namespace signet::eval
