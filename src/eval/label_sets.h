#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace signet::eval {

// Numbers the distinct label sets of an evaluation, so that relevance is decided once a pair of sets and not once a pair of
// images.
class LabelSets {
 public:
  LabelSets() = default;
  LabelSets(const LabelSets&) = delete;  // sets_ points into ids_
  LabelSets& operator=(const LabelSets&) = delete;
  std::uint32_t add(const std::vector<std::int32_t>& labels);  // the number of this set, new or known
  std::size_t size() const noexcept { return sets_.size(); }
  const std::vector<std::int32_t>& set(std::uint32_t id) const noexcept { return *sets_[id]; }  // sorted, distinct

  // relevant[i] = 1 where set i shares a label with set `query`. An empty set shares with nothing.
  void relevant_to(std::uint32_t query, std::vector<std::uint8_t>& relevant) const;
  // gain[i] = labels that set i shares with set `query` / labels of either; 0 where it shares none.
  void gains_of(std::uint32_t query, std::vector<double>& gain) const;

 private:
  std::map<std::vector<std::int32_t>, std::uint32_t> ids_;
  std::vector<const std::vector<std::int32_t>*> sets_;  // keys of ids_: a map's nodes never move
};

// A set number an image.
std::vector<std::uint32_t> number_labels(std::span<const std::vector<std::int32_t>> labels, LabelSets& sets);

}  // namespace signet::eval
