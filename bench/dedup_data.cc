#include "bench/dedup_data.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>

#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/base/thread_pool.h"

namespace signet::bench {
namespace {

constexpr std::uint32_t kCoarse = 8, kFine = 32;
constexpr std::size_t kCoarseSize = kCoarse * kCoarse, kFineSize = kFine * kFine;
constexpr float kCandidate = 0.93f;  // coarse correlation below which twins are not looked for; blurring raises correlation

// Grey values at side x side, mean 0 and length 1: a scalar product is a correlation.
std::vector<float> unit_grey(const std::vector<Image>& images, std::uint32_t side, ThreadPool& pool) {
  const std::size_t size = std::size_t{side} * side;
  std::vector<float> all(images.size() * size);
  pool.parallel_for(images.size(), 64, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) {
      const Image small = resize(convert_channels(images[i], 1), side, side);
      float* row = all.data() + i * size;
      const double mean = std::accumulate(small.pixels.begin(), small.pixels.end(), 0.0) / static_cast<double>(size);
      double squares = 0;
      for (std::size_t p = 0; p < size; ++p) squares += (small.pixels[p] - mean) * (small.pixels[p] - mean);
      const double scale = 1 / std::sqrt(std::max(squares, 1e-6));
      for (std::size_t p = 0; p < size; ++p) row[p] = static_cast<float>((small.pixels[p] - mean) * scale);
    }
  });
  return all;
}

// products[j] = a . b_j for `count` rows of 64 numbers, stored column by column (number p of all rows together), so that the loop
// over rows is a vector operation.
__attribute__((target_clones("avx512f", "avx2", "default"))) void coarse_products(const float* a, const float* columns,
                                                                                  std::size_t stride, std::size_t count,
                                                                                  float* products) {
  std::fill_n(products, count, 0.0f);
  for (std::size_t p = 0; p < kCoarseSize; ++p) {
    const float factor = a[p];
    const float* column = columns + p * stride;
    for (std::size_t j = 0; j < count; ++j) products[j] += factor * column[j];
  }
}

// Which images have a twin before them that stays.
std::vector<char> find_twins(const std::vector<Image>& images, ThreadPool& pool) {
  const std::size_t n = images.size();
  const std::vector<float> coarse = unit_grey(images, kCoarse, pool), fine = unit_grey(images, kFine, pool);
  std::vector<float> columns(coarse.size());
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t p = 0; p < kCoarseSize; ++p) columns[p * n + i] = coarse[i * kCoarseSize + p];
  constexpr std::size_t kBlock = 1024;  // 256 KB of columns stay in the cache
  std::vector<std::vector<std::size_t>> twins_of(n);
  std::mutex mutex;
  pool.parallel_for((n + kBlock - 1) / kBlock, 1, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<float> products(kBlock);
    std::vector<std::pair<std::size_t, std::size_t>> found;
    for (std::size_t block = begin; block < end; ++block) {
      const std::size_t first = block * kBlock, count = std::min(kBlock, n - first);
      for (std::size_t i = 0; i < first + count; ++i) {  // i before j
        coarse_products(coarse.data() + i * kCoarseSize, columns.data() + first, n, count, products.data());
        for (std::size_t j = 0; j < count; ++j) {
          if (products[j] < kCandidate || i >= first + j) continue;
          const float *x = fine.data() + i * kFineSize, *y = fine.data() + (first + j) * kFineSize;
          if (std::inner_product(x, x + kFineSize, y, 0.0) >= kTwin) found.emplace_back(first + j, i);
        }
      }
    }
    const std::lock_guard lock(mutex);
    for (const auto& [later, earlier] : found) twins_of[later].push_back(earlier);
  });
  std::vector<char> gone(n, 0);
  for (std::size_t j = 0; j < n; ++j)
    gone[j] = std::any_of(twins_of[j].begin(), twins_of[j].end(), [&](std::size_t i) { return gone[i] == 0; });
  return gone;
}

class HalfDataset : public Dataset {
 public:
  explicit HalfDataset(const Planted& planted) : planted_(planted) {
    for (std::size_t i = 0; i < planted.images.size(); ++i)
      if (!planted.held_back[i]) which_.push_back(i);
  }
  std::size_t size() const noexcept override { return which_.size(); }
  Sample get(std::size_t i) const override { return {planted_.images[which_.at(i)], {}, key(i)}; }
  std::string key(std::size_t i) const override { return concat("image/", which_.at(i)); }
  std::span<const std::int32_t> labels(std::size_t) const override { return {}; }
  const std::vector<std::string>& class_names() const noexcept override { return names_; }
  std::string describe() const override { return concat("the tuning half of ", planted_.describe, ": ", size(), " images"); }

 private:
  const Planted& planted_;
  std::vector<std::size_t> which_;
  std::vector<std::string> names_;
};

}  // namespace

Planted plant(const std::string& path, std::size_t count, std::size_t copies, std::uint64_t seed) {
  const auto data = open_dataset(path);
  Planted planted;
  planted.describe = data->describe();
  planted.read = data->size();
  std::vector<std::size_t> order(data->size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(mix_seed(seed, 0x706c616e74));
  random.shuffle(std::span(order));
  ThreadPool pool(0);
  std::vector<Image> all(data->size());
  pool.parallel_for(all.size(), 64, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) all[i] = data->get(order[i]).image;
  });
  const std::vector<char> gone = find_twins(all, pool);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (gone[i]) ++planted.twins;
    if (!gone[i] && planted.images.size() < count) planted.images.push_back(std::move(all[i]));
  }
  if (planted.images.size() < count) {
    fail(ErrorCode::kInvalidArgument, path, " has ", planted.images.size(), " images without twins; ", count,
         " are needed (--images takes fewer)");
  }
  for (std::size_t i = 0; i < count; ++i) planted.held_back.push_back(random.below(2) == 1);
  std::vector<std::size_t> sources(count);
  std::iota(sources.begin(), sources.end(), std::size_t{0});
  random.shuffle(std::span(sources));
  for (std::size_t c = 0; c < std::min(copies, count); ++c) {
    const auto change = static_cast<Change>(c % kChangeKinds);
    planted.copies.push_back({sources[c], change, alter(planted.images[sources[c]], change, mix_seed(seed, sources[c])),
                              planted.held_back[sources[c]]});
  }
  return planted;
}

std::shared_ptr<const Dataset> tuning_half(const Planted& planted) { return std::make_shared<HalfDataset>(planted); }

}  // namespace signet::bench
