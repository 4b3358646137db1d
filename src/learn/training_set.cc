#include "learn/training_set.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <numeric>
#include <string_view>
#include <unordered_set>

#include "signet/base/error.h"
#include "signet/base/sha256.h"

namespace signet {
namespace {

struct Geometry {
  std::uint32_t width = 0, height = 0, channels = 0;
};

// Looks at up to 64 images spread over the dataset. Where an unlooked-at image differs, preprocessing makes it fit.
Geometry choose_geometry(const Dataset& data, std::uint32_t side) {
  Geometry g;
  bool first = true, same = true;
  const std::size_t step = std::max<std::size_t>(1, data.size() / 64);
  for (std::size_t i = 0; i < data.size(); i += step) {
    Image image;
    try {
      image = data.get(i).image;
    } catch (const Error&) {
      continue;  // counted when everything is read
    }
    same = same && (first || (image.width == g.width && image.height == g.height));
    g = {image.width, image.height, std::max(g.channels, image.channels)};
    first = false;
  }
  if (first) fail(ErrorCode::kInvalidArgument, data.describe(), ": none of the images looked at can be read");
  if (side > 0) return {side, side, g.channels};
  const bool fits = same && std::min(g.width, g.height) >= 16 && std::max(g.width, g.height) <= 96;
  if (fits) return g;
  const std::uint32_t chosen = same ? std::clamp<std::uint32_t>(std::min(g.width, g.height), 16, 64) : 64;
  return {chosen, chosen, g.channels};
}

// preprocess() with mean 0 and deviation 1/255 gives the resized pixels themselves: training and encoding share one resizing.
void fill_pixels(const Image& image, const Preprocessing& identity, std::vector<float>& planes, std::uint8_t* target) {
  preprocess(image, identity, planes.data());
  const std::size_t area = std::size_t{identity.width} * identity.height;
  for (std::size_t p = 0; p < area; ++p)
    for (std::size_t c = 0; c < identity.channels; ++c)
      target[p * identity.channels + c] = static_cast<std::uint8_t>(std::clamp(std::lround(planes[c * area + p]), 0l, 255l));
}

constexpr const char* kOtherWays =
    "a folder for each class would be right, or what needs no classes: --supervision instance, or --method itq --features gist";

void check_classes(const TrainingSet& set, const std::string& description) {
  std::vector<std::size_t> count(set.classes());
  for (const auto& labels : set.labels)
    for (const std::int32_t label : labels) ++count[static_cast<std::size_t>(label)];
  const auto used = std::count_if(count.begin(), count.end(), [](std::size_t n) { return n > 0; });
  if (used >= 2) return;
  if (used == 0)
    fail(ErrorCode::kInvalidArgument, description, ": no image has a label; training needs at least two classes: ", kOtherWays);
  const auto only =
      static_cast<std::size_t>(std::find_if(count.begin(), count.end(), [](std::size_t n) { return n > 0; }) - count.begin());
  fail(ErrorCode::kInvalidArgument, description, ": all images are of one class, \"", set.class_names[only],
       "\"; training needs at least two");
}

void measure_pixels(TrainingSet& set) {
  std::vector<double> sum(set.channels), squares(set.channels);
  for (const std::size_t i : set.train) {
    const auto image = set.image(i);
    std::vector<std::uint64_t> s(set.channels), q(set.channels);
    for (std::size_t p = 0; p < image.size(); ++p) {
      s[p % set.channels] += image[p];
      q[p % set.channels] += std::uint64_t{image[p]} * image[p];
    }
    for (std::size_t c = 0; c < set.channels; ++c) {
      sum[c] += static_cast<double>(s[c]);
      squares[c] += static_cast<double>(q[c]);
    }
  }
  const double count = static_cast<double>(set.train.size()) * set.width * set.height;
  set.preprocessing = {set.width, set.height, set.channels, {}, {}, false};
  for (std::size_t c = 0; c < set.channels; ++c) {
    const double mean = sum[c] / count, variance = std::max(0.0, squares[c] / count - mean * mean);
    set.preprocessing.mean.push_back(static_cast<float>(mean / 255));
    set.preprocessing.std.push_back(
        static_cast<float>(std::max(std::sqrt(variance), 1.0) / 255));  // a constant image set stays finite
  }
}

void hash_data(TrainingSet& set) {
  Sha256 sha;
  const auto update = [&sha](const auto& values) { sha.update(std::as_bytes(std::span(values))); };
  update(std::vector<std::uint32_t>{set.width, set.height, set.channels});
  update(set.pixels);
  for (const auto& labels : set.labels) {
    update(std::vector<std::size_t>{labels.size()});
    update(labels);
  }
  update(set.validation);
  set.data_hash = sha.hex();
}

std::size_t validation_copies(const TrainingSet& set) {
  const auto pixels = [&](std::size_t i) {
    const auto image = set.image(i);
    return std::string_view(reinterpret_cast<const char*>(image.data()), image.size());
  };
  std::unordered_set<std::string_view> trained;
  for (const std::size_t i : set.train) trained.insert(pixels(i));
  return static_cast<std::size_t>(
      std::count_if(set.validation.begin(), set.validation.end(), [&](std::size_t i) { return trained.contains(pixels(i)); }));
}

// Those that `wanted` takes and that can be decoded.
ReadImages read_images(const Dataset& data, const Geometry& g, const std::function<bool(std::size_t)>& wanted, ThreadPool& pool,
                       std::uint64_t memory_limit, const std::function<bool(std::size_t done)>& keep_going) {
  const std::size_t bytes = std::size_t{g.width} * g.height * g.channels;
  if (bytes > memory_limit / std::max<std::size_t>(1, data.size()))
    fail(ErrorCode::kInvalidArgument, data.describe(), ": ", data.size(), " images at ", g.width, " x ", g.height,
         " need more than the ", memory_limit >> 20, " MiB that training may hold; a smaller --size or fewer images would fit");
  ReadImages read;
  read.pixels.resize(data.size() * bytes);
  std::vector<char> readable(data.size(), 0);
  const Preprocessing identity{
      g.width, g.height, g.channels, std::vector<float>(g.channels, 0.0f), std::vector<float>(g.channels, 1.0f / 255), false};
  std::mutex mutex;
  std::size_t done = 0, first_bad = data.size();
  pool.parallel_for(data.size(), 64, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<float> planes(bytes);
    for (std::size_t i = begin; i < end; ++i) {
      if (!wanted(i)) continue;
      try {
        fill_pixels(data.get(i).image, identity, planes, read.pixels.data() + i * bytes);
        readable[i] = 1;
      } catch (const Error& error) {
        const std::lock_guard lock(mutex);
        ++read.unreadable;
        if (i < first_bad) first_bad = i, read.first_unreadable = error.what();
      }
    }
    const std::lock_guard lock(mutex);
    done += end - begin;
    if (!keep_going(done)) fail(ErrorCode::kCancelled, "stopped while the images were being read; nothing was written");
  });
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (readable[i] == 0) continue;
    std::copy_n(read.pixels.begin() + static_cast<std::ptrdiff_t>(i * bytes), bytes,
                read.pixels.begin() + static_cast<std::ptrdiff_t>(read.source.size() * bytes));
    read.source.push_back(i);
  }
  read.pixels.resize(read.source.size() * bytes);
  return read;
}

std::vector<std::int32_t> sorted_labels(std::span<const std::int32_t> given) {
  std::vector<std::int32_t> labels(given.begin(), given.end());
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  return labels;
}

}  // namespace

TrainingSet load_training_set(const Dataset& data, std::uint32_t side, double validation_share, std::uint64_t seed,
                              ThreadPool& pool, std::uint64_t memory_limit,
                              const std::function<bool(std::size_t done)>& keep_going, bool labelled) {
  if (data.size() == 0) fail(ErrorCode::kInvalidArgument, data.describe(), ": there are no images to train on");
  if (labelled && data.class_names().size() < 2)
    fail(ErrorCode::kInvalidArgument, data.describe(), ": training needs at least two classes, and there are ",
         data.class_names().size(), "; ", kOtherWays);
  const Geometry g = choose_geometry(data, side);
  TrainingSet set;
  set.width = g.width, set.height = g.height, set.channels = g.channels;
  if (labelled) set.class_names = data.class_names();
  ReadImages read = read_images(
      data, g, [&](std::size_t i) { return !labelled || !data.labels(i).empty(); }, pool, memory_limit, keep_going);
  std::vector<std::size_t> position(data.size(), data.size());
  for (const std::size_t i : read.source) {
    position[i] = set.labels.size();
    set.labels.push_back(labelled ? sorted_labels(data.labels(i)) : std::vector<std::int32_t>());
  }
  set.pixels = std::move(read.pixels), set.source = std::move(read.source);
  set.unreadable = read.unreadable, set.first_unreadable = std::move(read.first_unreadable);
  if (labelled) check_classes(set, data.describe());
  if (!labelled && set.size() < 2)
    fail(ErrorCode::kInvalidArgument, data.describe(), ": ", set.size(),
         " images can be read; at least two are needed to tell apart");
  const SplitIndices split = stratified_split(data, validation_share, seed);
  for (const std::size_t i : split.first)
    if (position[i] < data.size()) set.train.push_back(position[i]);
  for (const std::size_t i : split.second)
    if (position[i] < data.size()) set.validation.push_back(position[i]);
  if (set.train.empty())
    fail(ErrorCode::kInvalidArgument, data.describe(), ": none of the ", set.size(),
         " images that can be read is left to train on; a smaller --validation leaves more");
  set.validation_copies = validation_copies(set);
  measure_pixels(set);
  hash_data(set);
  return set;
}

ReadImages load_unlabelled(const Dataset& data, const TrainingSet& beside, ThreadPool& pool, std::uint64_t memory_limit,
                           const std::function<bool(std::size_t done)>& keep_going) {
  return read_images(
      data, {beside.width, beside.height, beside.channels}, [](std::size_t) { return true; }, pool,
      memory_limit - std::min<std::uint64_t>(memory_limit, beside.pixels.size()), keep_going);
}

void add_taught(TrainingSet& set, const ReadImages& images, std::span<const TaughtImage> taught) {
  const std::size_t bytes = set.image_bytes(), first = set.source.empty() ? 0 : set.source.back() + 1;
  for (const TaughtImage& one : taught) {
    const auto pixels = std::span(images.pixels).subspan(one.image * bytes, bytes);
    set.train.push_back(set.size());
    set.pixels.insert(set.pixels.end(), pixels.begin(), pixels.end());
    set.labels.push_back({one.label});
    set.source.push_back(first + images.source[one.image]);
  }
  if (set.unreadable == 0) set.first_unreadable = images.first_unreadable;
  set.unreadable += images.unreadable;
  set.validation_copies = validation_copies(set);
  hash_data(set);
}

std::size_t images_at_once(const TrainingSet& set, std::size_t batch) {
  constexpr std::size_t kMost = 500, kLeast = 64, kSmallArea = 32 * 32, kBytes = kMost * 96 * 96 * 3;
  const bool small = std::size_t{set.width} * set.height <= kSmallArea;
  return std::clamp<std::size_t>(kBytes / set.image_bytes(), 1, small ? kMost : std::clamp(batch, kLeast, kMost));
}

std::vector<float> normalisation_table(const Preprocessing& preprocessing) {
  std::vector<float> table;
  for (std::size_t c = 0; c < preprocessing.channels; ++c) {
    const std::array<float, 256> values = normalised_values(preprocessing, c);
    table.insert(table.end(), values.begin(), values.end());
  }
  return table;
}

at::Tensor normalised_images(const TrainingSet& set, std::span<const std::size_t> positions) {
  const auto n = static_cast<std::int64_t>(positions.size());
  at::Tensor images = at::empty({n, set.channels, set.height, set.width},
                                at::TensorOptions(at::kFloat).memory_format(at::MemoryFormat::ChannelsLast));
  const std::vector<float> table = normalisation_table(set.preprocessing);
  float* target = images.data_ptr<float>();
  for (const std::size_t i : positions)
    for (std::size_t p = 0; const std::uint8_t value : set.image(i)) *target++ = table[(p++ % set.channels) * 256 + value];
  return images;
}

}  // namespace signet
