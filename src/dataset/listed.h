#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dataset/readers.h"

namespace signet::reader {

// Pictures by name: keys and labels in memory, pixels by a loader that is safe from many threads. Serves folder, tar and
// manifest.
class Listed final : public Dataset {
 public:
  struct Parts {
    std::vector<std::string> keys;
    std::vector<std::int32_t> labels;     // all lists one after another
    std::vector<std::size_t> label_ends;  // one per key: where its list ends in `labels`
    std::vector<std::string> class_names;
    std::vector<std::string> splits;      // names; empty where there are none
    std::vector<std::uint32_t> split_of;  // one per key where there are splits: index into `splits`
    std::string description;
    std::vector<std::string> left_out;
    std::function<Image(std::size_t i, const std::string& key)> load;
    std::function<std::uint64_t(std::size_t i)> encoded_bytes;     // empty: as in Dataset
    std::function<std::vector<std::byte>(std::size_t i)> encoded;  // likewise
    void add(std::string key, std::span<const std::int32_t> list) {
      keys.push_back(std::move(key));
      labels.insert(labels.end(), list.begin(), list.end());
      label_ends.push_back(labels.size());
    }
  };
  explicit Listed(Parts parts) : parts_(std::move(parts)) {}

  std::size_t size() const noexcept override { return parts_.keys.size(); }
  std::string key(std::size_t i) const override {
    check(i);
    return parts_.keys[i];
  }
  std::span<const std::int32_t> labels(std::size_t i) const override {
    check(i);
    const std::size_t begin = i == 0 ? 0 : parts_.label_ends[i - 1];
    return std::span(parts_.labels).subspan(begin, parts_.label_ends[i] - begin);
  }
  Sample get(std::size_t i) const override {
    const std::span<const std::int32_t> list = labels(i);
    return {parts_.load(i, parts_.keys[i]), {list.begin(), list.end()}, parts_.keys[i]};
  }
  std::uint64_t encoded_bytes(std::size_t i) const override {
    check(i);
    return parts_.encoded_bytes ? parts_.encoded_bytes(i) : 0;
  }
  std::vector<std::byte> encoded(std::size_t i) const override {
    check(i);
    return parts_.encoded ? parts_.encoded(i) : std::vector<std::byte>();
  }
  const std::vector<std::string>& class_names() const noexcept override { return parts_.class_names; }
  std::string describe() const override { return parts_.description; }
  std::span<const std::string> left_out() const noexcept override { return parts_.left_out; }
  std::string split(std::size_t i) const override {
    check(i);
    return parts_.splits.empty() ? std::string() : parts_.splits[parts_.split_of[i]];
  }

 private:
  void check(std::size_t i) const {
    if (i >= size()) fail_range(*this, i);
  }
  Parts parts_;
};

}  // namespace signet::reader
