#include "bench/dedup_data.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <mutex>
#include <numeric>
#include <sstream>
#include <unordered_map>

#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/base/thread_pool.h"

namespace signet::bench {
namespace {

constexpr std::uint32_t kCoarse = 8, kFine = 32;
constexpr std::size_t kCoarseSize = kCoarse * kCoarse, kFineSize = kFine * kFine;
constexpr float kCandidate = 0.7f;  // coarse correlation below which twins are not looked for; blurring raises correlation
// A twin may be shifted by up to an eighth of the side, or cut to three quarters of it: two templates of 24 x 24, the middle of a
// picture and the whole of it made smaller, are looked for at every place of the other.
constexpr std::uint32_t kWindow = 24, kPlaces = kFine - kWindow + 1;
constexpr std::size_t kWindowSize = kWindow * kWindow, kTemplates = 2;

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

// What finding a picture in another takes.
struct Views {
  std::vector<float> pictures;   // n x 32 x 32
  std::vector<float> templates;  // n x 2 x 24 x 24, each of mean 0 and length 1
  std::vector<float> lengths;    // n x 9 x 9: of each window less its mean
};

void unit(float* values, std::size_t size) {
  const float mean = std::accumulate(values, values + size, 0.0f) / static_cast<float>(size);
  float squares = 0;
  for (std::size_t p = 0; p < size; ++p) values[p] -= mean, squares += values[p] * values[p];
  const float scale = 1 / std::sqrt(std::max(squares, 1e-6f));
  for (std::size_t p = 0; p < size; ++p) values[p] *= scale;
}

float length_of_window(const float* picture, std::size_t x, std::size_t y) {
  float sum = 0, squares = 0;
  for (std::size_t row = y; row < y + kWindow; ++row) {
    for (std::size_t p = row * kFine + x; p < row * kFine + x + kWindow; ++p)
      sum += picture[p], squares += picture[p] * picture[p];
  }
  return std::sqrt(std::max(squares - sum * sum / static_cast<float>(kWindowSize), 1e-6f));
}

Views views_of(const std::vector<Image>& images, ThreadPool& pool) {
  Views views;
  views.pictures = unit_grey(images, kFine, pool);
  views.templates.resize(images.size() * kTemplates * kWindowSize);
  views.lengths.resize(images.size() * kPlaces * kPlaces);
  pool.parallel_for(images.size(), 64, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t i = begin; i < end; ++i) {
      const float* picture = views.pictures.data() + i * kFineSize;
      float* middle = views.templates.data() + i * kTemplates * kWindowSize;
      const Image whole = resize(convert_channels(images[i], 1), kWindow, kWindow);
      for (std::size_t p = 0; p < kWindowSize; ++p) {
        middle[p] = picture[(p / kWindow + kPlaces / 2) * kFine + p % kWindow + kPlaces / 2];
        middle[kWindowSize + p] = whole.pixels[p];
      }
      unit(middle, kWindowSize);
      unit(middle + kWindowSize, kWindowSize);
      for (std::size_t place = 0; place < kPlaces * kPlaces; ++place)
        views.lengths[i * kPlaces * kPlaces + place] = length_of_window(picture, place % kPlaces, place / kPlaces);
    }
  });
  return views;
}

// Largest correlation of a template (mean 0, length 1) with the windows of a picture, those `step` apart.
__attribute__((target_clones("avx512f", "avx2", "default"))) float best_place(const float* sample, const float* picture,
                                                                              const float* lengths, std::size_t step) {
  float best = -1;
  for (std::size_t y = 0; y < kPlaces; y += step) {
    for (std::size_t x = 0; x < kPlaces; x += step) {
      float columns[kWindow] = {};  // sums that do not depend on each other are a vector operation
      for (std::size_t row = 0; row < kWindow; ++row) {
        const float *a = sample + row * kWindow, *b = picture + (y + row) * kFine + x;
        for (std::size_t p = 0; p < kWindow; ++p) columns[p] += a[p] * b[p];
      }
      best = std::max(best, std::accumulate(columns, columns + kWindow, 0.0f) / lengths[y * kPlaces + x]);
    }
  }
  return best;
}

bool are_twins(const Views& views, std::size_t i, std::size_t j) {
  constexpr float kHopeful = 0.7f;  // at places two pixels apart
  for (const auto& [from, in] : {std::pair(i, j), std::pair(j, i)}) {
    const float *picture = views.pictures.data() + in * kFineSize, *lengths = views.lengths.data() + in * kPlaces * kPlaces;
    for (std::size_t which = 0; which < kTemplates; ++which) {
      const float* sample = views.templates.data() + (from * kTemplates + which) * kWindowSize;
      if (best_place(sample, picture, lengths, 2) >= kHopeful && best_place(sample, picture, lengths, 1) >= kTwin) return true;
    }
  }
  return false;
}

// Which images have a twin before them that stays.
std::vector<char> find_twins(const std::vector<Image>& images, ThreadPool& pool) {
  const std::size_t n = images.size();
  const std::vector<float> coarse = unit_grey(images, kCoarse, pool);
  const Views views = views_of(images, pool);
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
          if (products[j] >= kCandidate && i < first + j && are_twins(views, i, first + j)) found.emplace_back(first + j, i);
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

// Leaves out all but the first that is left of each line of the list. Returns how many.
std::size_t leave_out_listed(const std::string& file, const std::vector<std::string>& keys, std::vector<char>& gone) {
  std::unordered_map<std::string, std::size_t> place;
  for (std::size_t i = 0; i < keys.size(); ++i) place.emplace(keys[i], i);
  std::ifstream lines(file);
  if (!lines) fail(ErrorCode::kNotFound, file, ": cannot be read");
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::vector<std::size_t> left;
    for (std::string key; std::getline(words, key, '\t');) {
      const auto found = place.find(key);
      if (found != place.end() && !gone[found->second]) left.push_back(found->second);
    }
    std::sort(left.begin(), left.end());
    for (std::size_t i = 1; i < left.size(); ++i) gone[left[i]] = 1, ++count;
  }
  return count;
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

Planted plant(const std::string& path, std::size_t count, std::size_t copies, std::uint64_t seed, const std::string& same) {
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
  std::vector<std::string> keys;
  for (const std::size_t i : order) keys.push_back(data->key(i));
  std::vector<char> gone = find_twins(all, pool);
  if (!same.empty()) planted.by_list = leave_out_listed(same, keys, gone);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (gone[i]) ++planted.twins;
    if (gone[i] || planted.images.size() >= count) continue;
    planted.images.push_back(std::move(all[i]));
    planted.keys.push_back(keys[i]);
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
