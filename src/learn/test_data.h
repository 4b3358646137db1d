#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/dataset/dataset.h"

namespace signet {

// A small labelled set made at run time: class c is a bright bar at its own place on noise. Labels are the caller's.
class BarDataset : public Dataset {
 public:
  BarDataset(std::vector<std::vector<std::int32_t>> labels, std::size_t classes, std::uint32_t side = 16,
             std::uint32_t channels = 1)
      : labels_(std::move(labels)), side_(side), channels_(channels) {
    for (std::size_t c = 0; c < classes; ++c) names_.push_back(concat("bar", c));
  }
  std::size_t size() const noexcept override { return labels_.size(); }
  std::string key(std::size_t i) const override { return concat("bar/", i); }
  std::span<const std::int32_t> labels(std::size_t i) const override { return labels_[i]; }
  const std::vector<std::string>& class_names() const noexcept override { return names_; }
  std::string describe() const override { return concat("bars, ", size(), " images"); }

  Sample get(std::size_t i) const override {
    if (i == unreadable) fail(ErrorCode::kCorrupt, key(i), ": is damaged");
    Random random(mix_seed(noise_seed, i));
    Sample sample{{side_, side_, channels_, {}}, labels_[i], key(i)};
    for (std::uint32_t y = 0; y < side_; ++y)
      for (std::uint32_t x = 0; x < side_; ++x)
        for (std::uint32_t c = 0; c < channels_; ++c) sample.image.pixels.push_back(pixel(i, x, y, random));
    return sample;
  }
  std::size_t unreadable = ~std::size_t{0};
  std::uint64_t noise_seed = 7;

 private:
  std::uint8_t pixel(std::size_t i, std::uint32_t x, std::uint32_t y, Random& random) const {
    const auto noise = static_cast<std::uint8_t>(random.below(60));
    const auto period = static_cast<std::uint32_t>(names_.size());
    for (const std::int32_t label : labels_[i]) {
      // Even classes are rows, odd ones columns, so that mirroring keeps them apart.
      const std::uint32_t at = label % 2 == 0 ? y : x, place = static_cast<std::uint32_t>(label) * side_ / period;
      if (at >= place && at < place + 2) return static_cast<std::uint8_t>(190 + noise);
    }
    return noise;
  }
  std::vector<std::vector<std::int32_t>> labels_;
  std::vector<std::string> names_;
  std::uint32_t side_, channels_;
};

// Pictures that can be told apart, without labels: some rectangles of random place, size and brightness on a slope.
class SceneDataset : public Dataset {
 public:
  SceneDataset(std::size_t size, std::uint64_t seed, std::uint32_t side = 16) : size_(size), seed_(seed), side_(side) {}
  std::size_t size() const noexcept override { return size_; }
  std::string key(std::size_t i) const override { return concat("scene/", i); }
  std::span<const std::int32_t> labels(std::size_t) const override { return {}; }
  const std::vector<std::string>& class_names() const noexcept override { return names_; }
  std::string describe() const override { return concat("scenes, ", size_, " images"); }

  Sample get(std::size_t i) const override {
    Random random(mix_seed(seed_, i));
    Image image{side_, side_, 1, std::vector<std::uint8_t>(std::size_t{side_} * side_)};
    const double across = 6 * random.uniform() - 3, down = 6 * random.uniform() - 3;
    const auto pixel = [&](std::uint32_t x, std::uint32_t y) -> std::uint8_t& { return image.pixels[y * side_ + x]; };
    for (std::uint32_t y = 0; y < side_; ++y)
      for (std::uint32_t x = 0; x < side_; ++x)
        pixel(x, y) = static_cast<std::uint8_t>(120 + across * (x - side_ / 2.0) + down * (y - side_ / 2.0));
    for (int r = 0; r < 5; ++r) {
      const auto left = static_cast<std::uint32_t>(random.below(side_ - 2)),
                 top = static_cast<std::uint32_t>(random.below(side_ - 2));
      const auto width = static_cast<std::uint32_t>(3 + random.below(side_ / 2)),
                 height = static_cast<std::uint32_t>(3 + random.below(side_ / 2));
      const auto value = static_cast<std::uint8_t>(random.below(256));
      for (std::uint32_t y = top; y < std::min(side_, top + height); ++y)
        for (std::uint32_t x = left; x < std::min(side_, left + width); ++x) pixel(x, y) = value;
    }
    return {image, {}, key(i)};
  }

 private:
  std::size_t size_;
  std::uint64_t seed_;
  std::uint32_t side_;
  std::vector<std::string> names_;
};

inline std::vector<std::vector<std::int32_t>> labels_in_turn(std::size_t count, std::int32_t classes) {
  std::vector<std::vector<std::int32_t>> labels;
  for (std::size_t i = 0; i < count; ++i) labels.push_back({static_cast<std::int32_t>(i % static_cast<std::size_t>(classes))});
  return labels;
}

}  // namespace signet
