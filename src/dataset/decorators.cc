#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dataset/readers.h"
#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/dataset/dataset.h"

namespace signet {
namespace {

class Subset final : public Dataset {
 public:
  Subset(std::shared_ptr<const Dataset> source, std::vector<std::size_t> indices)
      : source_(std::move(source)), indices_(std::move(indices)) {}

  std::size_t size() const noexcept override { return indices_.size(); }
  Sample get(std::size_t i) const override { return source_->get(at(i)); }
  std::string key(std::size_t i) const override { return source_->key(at(i)); }
  std::span<const std::int32_t> labels(std::size_t i) const override { return source_->labels(at(i)); }
  const std::vector<std::string>& class_names() const noexcept override { return source_->class_names(); }
  std::string describe() const override { return concat(size(), " of ", source_->describe()); }
  std::string split(std::size_t i) const override { return source_->split(at(i)); }

 private:
  std::size_t at(std::size_t i) const {
    if (i >= size()) reader::fail_range(*this, i);
    return indices_[i];
  }
  std::shared_ptr<const Dataset> source_;
  std::vector<std::size_t> indices_;
};

class Concatenation final : public Dataset {
 public:
  explicit Concatenation(std::vector<std::shared_ptr<const Dataset>> parts) : parts_(std::move(parts)) {
    for (const auto& part : parts_) ends_.push_back(size() + part->size());
  }

  std::size_t size() const noexcept override { return ends_.empty() ? 0 : ends_.back(); }
  Sample get(std::size_t i) const override {
    const auto [part, at] = find(i);
    return part->get(at);
  }
  std::string key(std::size_t i) const override {
    const auto [part, at] = find(i);
    return part->key(at);
  }
  std::span<const std::int32_t> labels(std::size_t i) const override {
    const auto [part, at] = find(i);
    return part->labels(at);
  }
  std::string split(std::size_t i) const override {
    const auto [part, at] = find(i);
    return part->split(at);
  }
  const std::vector<std::string>& class_names() const noexcept override { return parts_.front()->class_names(); }
  std::string describe() const override {
    std::string text;
    for (const auto& part : parts_) text += (text.empty() ? "" : " + ") + part->describe();
    return text;
  }

 private:
  std::pair<const Dataset*, std::size_t> find(std::size_t i) const {
    if (i >= size()) reader::fail_range(*this, i);
    const auto p = static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), i) - ends_.begin());
    return {parts_[p].get(), i - (p == 0 ? 0 : ends_[p - 1])};
  }
  std::vector<std::shared_ptr<const Dataset>> parts_;
  std::vector<std::size_t> ends_;
};

}  // namespace

std::string Dataset::split(std::size_t) const { return {}; }

std::shared_ptr<const Dataset> subset(std::shared_ptr<const Dataset> source, std::vector<std::size_t> indices) {
  for (const std::size_t i : indices) {
    if (i >= source->size()) reader::fail_range(*source, i);
  }
  return std::make_shared<Subset>(std::move(source), std::move(indices));
}

std::shared_ptr<const Dataset> concatenate(std::vector<std::shared_ptr<const Dataset>> parts) {
  if (parts.empty()) fail(ErrorCode::kInvalidArgument, "concatenate: there are no data sets to join");
  for (const auto& part : parts) {
    if (part->class_names() != parts.front()->class_names()) {
      fail(ErrorCode::kMismatch, "\"", part->describe(), "\" and \"", parts.front()->describe(),
           "\" name different classes; data sets that are joined must name the same, in the same order");
    }
  }
  return std::make_shared<Concatenation>(std::move(parts));
}

SplitIndices stratified_split(const Dataset& source, double share, std::uint64_t seed) {
  if (!(share >= 0 && share < 1))
    fail(ErrorCode::kInvalidArgument, "a share of ", share, " cannot be split off; 0 <= share < 1 would be right");
  // In an order that (seed, class) decides alone. The first label decides a multi-label image's class; unlabelled images are a
  // class of their own.
  std::map<std::int32_t, std::vector<std::size_t>> classes;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const std::span<const std::int32_t> labels = source.labels(i);
    classes[labels.empty() ? -1 : labels.front()].push_back(i);
  }
  SplitIndices split;
  for (auto& [label, members] : classes) {
    Random random(mix_seed(seed, static_cast<std::uint64_t>(label)));
    random.shuffle(std::span(members));
    const auto moved = static_cast<std::ptrdiff_t>(
        std::min<std::size_t>(std::lround(share * static_cast<double>(members.size())), members.size() - 1));
    split.second.insert(split.second.end(), members.begin(), members.begin() + moved);
    split.first.insert(split.first.end(), members.begin() + moved, members.end());
  }
  std::sort(split.first.begin(), split.first.end());
  std::sort(split.second.begin(), split.second.end());
  return split;
}

}  // namespace signet
