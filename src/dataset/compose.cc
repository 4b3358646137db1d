#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
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

constexpr std::size_t kCells = 4;  // of a 2 x 2 grid

// Half the width and height, each pixel the rounded mean of four, into a quarter of `target`.
void put_halved(const Image& source, std::size_t cell, Image& target) {
  const std::uint32_t width = target.width / 2, height = target.height / 2, channels = target.channels;
  const std::size_t left = cell % 2 * width, top = cell / 2 * height;
  const auto at = [&](std::size_t x, std::size_t y, std::size_t c) -> unsigned {
    return source.pixels[(y * source.width + x) * channels + c];
  };
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      for (std::size_t c = 0; c < channels; ++c) {
        const unsigned sum =
            at(2 * x, 2 * y, c) + at(2 * x + 1, 2 * y, c) + at(2 * x, 2 * y + 1, c) + at(2 * x + 1, 2 * y + 1, c);
        target.pixels[((top + y) * target.width + left + x) * channels + c] = static_cast<std::uint8_t>((sum + 2) / 4);
      }
    }
  }
}

class Composed final : public Dataset {
 public:
  Composed(std::shared_ptr<const Dataset> source, std::uint64_t seed) : source_(std::move(source)) {
    if (source_->size() == 0)
      fail(ErrorCode::kInvalidArgument, source_->describe(), ": there are no images to compose others from");
    for (std::size_t i = 0; i < source_->size(); ++i) {
      Random random(mix_seed(seed, i));
      std::array<std::uint8_t, kCells> cells{0, 1, 2, 3};
      random.shuffle(std::span<std::uint8_t>(cells));
      std::vector<Part> parts;
      std::vector<std::int32_t> labels;
      for (std::size_t n = 1 + random.below(kCells); n > 0; --n) {
        parts.push_back({static_cast<std::size_t>(random.below(source_->size())), cells[n - 1]});
        const auto more = source_->labels(parts.back().image);
        labels.insert(labels.end(), more.begin(), more.end());
      }
      std::sort(labels.begin(), labels.end());
      labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
      parts_.push_back(std::move(parts));
      labels_.push_back(std::move(labels));
    }
  }

  std::size_t size() const noexcept override { return parts_.size(); }
  Sample get(std::size_t i) const override {
    if (i >= size()) reader::fail_range(*this, i);
    Sample sample{{}, labels_[i], key(i)};
    Image& image = sample.image;
    std::uint32_t width = 0, height = 0;  // of every part; the composed image has even sides
    for (const Part& part : parts_[i]) {
      const Image one = source_->get(part.image).image;
      if (one.width < 2 || one.height < 2)
        fail(ErrorCode::kInvalidArgument, source_->key(part.image), ": is ", one.width, " x ", one.height,
             "; images can only be composed of images of 2 x 2 pixels or more");
      if (image.pixels.empty()) {
        width = one.width, height = one.height;
        image = {width / 2 * 2, height / 2 * 2, one.channels, {}};
        image.pixels.assign(std::size_t{image.width} * image.height * image.channels, 0);
      }
      if (one.width != width || one.height != height || one.channels != image.channels)
        fail(ErrorCode::kInvalidArgument, source_->key(part.image), ": is ", one.width, " x ", one.height,
             ", another size or colour than others; images can only be composed of images of one size");
      put_halved(one, part.cell, image);
    }
    return sample;
  }
  std::string key(std::size_t i) const override { return concat("composed/", source_->key(i)); }
  std::span<const std::int32_t> labels(std::size_t i) const override { return labels_.at(i); }
  const std::vector<std::string>& class_names() const noexcept override { return source_->class_names(); }
  std::string describe() const override { return concat("composed of one to four each: ", source_->describe()); }
  std::string split(std::size_t i) const override { return source_->split(i); }

 private:
  struct Part {
    std::size_t image;
    std::uint8_t cell;
  };
  std::shared_ptr<const Dataset> source_;
  std::vector<std::vector<Part>> parts_;
  std::vector<std::vector<std::int32_t>> labels_;
};

}  // namespace

std::shared_ptr<const Dataset> compose(std::shared_ptr<const Dataset> source, std::uint64_t seed) {
  return std::make_shared<Composed>(std::move(source), seed);
}

std::shared_ptr<const Dataset> without_copies(std::shared_ptr<const Dataset> source, const Dataset& others) {
  constexpr std::size_t kAll = ~std::size_t{0};
  std::vector<char> copy(source->size(), 0);
  for (const Overlap& pair : find_overlap(*source, others, kAll)) copy[pair.first] = 1;
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < source->size(); ++i)
    if (copy[i] == 0) kept.push_back(i);
  return kept.size() == source->size() ? source : subset(std::move(source), std::move(kept));
}

}  // namespace signet
