#include "learn/batches.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

constexpr std::size_t kAhead = 2;           // batches prepared while one is computed with
constexpr std::size_t kImagesPerClass = 8;  // at least, in a balanced batch with room for two classes of so many

std::uint8_t mean_pixel(const Preprocessing& p) {
  const double sum = std::accumulate(p.mean.begin(), p.mean.end(), 0.0);
  return static_cast<std::uint8_t>(std::lround(255 * sum / static_cast<double>(p.mean.size())));
}

bool single(const std::vector<std::int32_t>& labels) { return labels.size() == 1; }

float similarity_of(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  if (single(a) && single(b)) return a[0] == b[0] ? 1.0f : -1.0f;
  std::size_t shared = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j])
      ++shared, ++i, ++j;
    else if (a[i] < b[j])
      ++i;
    else
      ++j;
  }
  return 2 * static_cast<float>(shared) / static_cast<float>(a.size() + b.size() - shared) - 1;
}

}  // namespace

Sampler::Sampler(const TrainingSet& set, std::size_t batch, Balance balance, std::uint64_t seed) : batch_(batch), seed_(seed) {
  if (balance == Balance::kUniform) {
    groups_.push_back(set.train);
  } else {
    std::vector<std::vector<std::size_t>> by_class(set.classes());
    for (const std::size_t i : set.train) by_class[static_cast<std::size_t>(set.labels[i].front())].push_back(i);
    for (auto& members : by_class)
      if (!members.empty()) groups_.push_back(std::move(members));
    const std::size_t wanted = std::max(batch / kImagesPerClass, std::min<std::size_t>(2, batch / 2));
    classes_per_batch_ = std::clamp<std::size_t>(wanted, 1, groups_.size());
    round_ = groups_.size();
    if (classes_per_batch_ == 2) round_ -= round_ % 2;
  }
  cache_.resize(groups_.size() + 1);
}

const std::vector<std::size_t>& Sampler::order(std::size_t group, std::uint64_t pass) const {
  Cached& cached = cache_[group][pass % 2];
  if (cached.pass != pass) {
    const std::size_t count = group < groups_.size() ? groups_[group].size() : groups_.size();
    cached.order.resize(count);
    for (std::size_t i = 0; i < count; ++i) cached.order[i] = i;
    Random random(mix_seed(mix_seed(seed_, group), pass));
    random.shuffle(std::span(cached.order));
    cached.pass = pass;
  }
  return cached.order;
}

// Balanced: class slot q = step * P + p goes through all classes, in a new order each time round; the turn-th visit of a class
// takes its next images. Images of a class come in a new order each time through it. A batch of two classes lies within one
// round, which leaves out the last class of an odd number: the last of one order and the first of the next may be the same.
std::vector<Sampler::Pick> Sampler::picks(std::size_t step) const {
  std::vector<Pick> picks;
  picks.reserve(batch_);
  const std::size_t share = batch_ / classes_per_batch_, extra = batch_ % classes_per_batch_, most = share + (extra > 0 ? 1 : 0);
  for (std::size_t p = 0; p < classes_per_batch_; ++p) {
    const std::size_t slot = step * classes_per_batch_ + p, turn = slot / round_;
    const std::size_t group = groups_.size() == 1 ? 0 : order(groups_.size(), turn)[slot % round_];
    for (std::size_t m = 0; m < share + (p < extra ? 1 : 0); ++m) {
      const std::uint64_t item = std::uint64_t{turn} * most + m, size = groups_[group].size();
      picks.push_back({groups_[group][order(group, item / size)[item % size]], item / size});
    }
  }
  return picks;
}

at::Tensor label_similarity(const TrainingSet& set, std::span<const std::size_t> positions) {
  const std::size_t n = positions.size();
  at::Tensor similarity = at::empty({static_cast<std::int64_t>(n), static_cast<std::int64_t>(n)}, at::kFloat);
  float* target = similarity.data_ptr<float>();
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) *target++ = similarity_of(set.labels[positions[i]], set.labels[positions[j]]);
  return similarity;
}

BatchLoader::BatchLoader(const TrainingSet& set, const BatchOptions& options, std::size_t first, std::size_t end)
    : set_(set),
      options_(options),
      sampler_(set, options.views ? options.batch / 2 : options.batch, options.balance, options.seed),
      table_(normalisation_table(set.preprocessing)),
      fill_(mean_pixel(set.preprocessing)),
      made_(first),
      end_(end) {
  thread_ = std::thread([this] { work(); });
}

BatchLoader::~BatchLoader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BatchLoader::work() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stop_ || ready_.size() < kAhead; });
      if (stop_ || made_ == end_) return;
    }
    try {
      Batch batch = make(made_);
      const std::lock_guard lock(mutex_);
      ready_.push_back(std::move(batch));
      ++made_;
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
      stop_ = true;
    }
    changed_.notify_all();
  }
}

Batch BatchLoader::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return error_ || !ready_.empty(); });
  if (ready_.empty()) std::rethrow_exception(error_);
  Batch batch = std::move(ready_.front());
  ready_.erase(ready_.begin());
  lock.unlock();
  changed_.notify_all();
  return batch;
}

float* BatchLoader::put(std::span<const std::uint8_t> image, float* pixel) const {
  if (set_.channels == 1) {
    for (const std::uint8_t value : image) *pixel++ = table_[value];
  } else {
    for (std::size_t p = 0; p < image.size(); ++p) *pixel++ = table_[(p % set_.channels) * 256 + image[p]];
  }
  return pixel;
}

at::Tensor view_similarity(std::span<const std::size_t> positions) {
  const auto n = static_cast<std::int64_t>(positions.size());
  at::Tensor similarity = at::empty({n, n}, at::kFloat);
  float* value = similarity.data_ptr<float>();
  for (const std::size_t a : positions)
    for (const std::size_t b : positions) *value++ = a == b ? 1.0f : -1.0f;
  return similarity;
}

std::vector<std::uint8_t> altered_view(const TrainingSet& set, std::size_t position, std::span<const Change> changes,
                                       double plain, std::uint64_t seed) {
  const auto pixels = set.image(position);
  const Image image{set.width, set.height, set.channels, {pixels.begin(), pixels.end()}};
  Image view = to_input_geometry(alter_several(image, changes, plain, seed), set.preprocessing);
  return convert_channels(view, set.channels).pixels;  // a grey JPEG of colour pixels does not occur, but costs nothing to allow
}

// One view is plain half of the time: what dedup compares is mostly a copy with its original.
Batch BatchLoader::make_views(std::size_t step) const {
  const std::vector<Sampler::Pick> picks = sampler_.picks(step);
  Batch batch;
  batch.step = step;
  const auto n = static_cast<std::int64_t>(2 * picks.size());
  batch.images = at::empty({n, set_.channels, set_.height, set_.width},
                           at::TensorOptions(at::kFloat).memory_format(at::MemoryFormat::ChannelsLast));
  batch.targets = at::zeros({n, static_cast<std::int64_t>(set_.classes())}, at::kFloat);
  float* pixel = batch.images.data_ptr<float>();
  for (const Sampler::Pick& pick : picks) {
    const std::uint64_t seed = mix_seed(mix_seed(options_.seed, pick.position), pick.pass);
    pixel = put(altered_view(set_, pick.position, kTuningChanges, 0.5, mix_seed(seed, 1)), pixel);
    pixel = put(altered_view(set_, pick.position, kTuningChanges, 0, mix_seed(seed, 2)), pixel);
    batch.positions.insert(batch.positions.end(), 2, pick.position);
  }
  batch.similarity = view_similarity(batch.positions);
  return batch;
}

Batch BatchLoader::make(std::size_t step) const {
  if (options_.views) return make_views(step);
  const std::vector<Sampler::Pick> picks = sampler_.picks(step);
  const auto n = static_cast<std::int64_t>(picks.size());
  Batch batch;
  batch.step = step;
  batch.images = at::empty({n, set_.channels, set_.height, set_.width},
                           at::TensorOptions(at::kFloat).memory_format(at::MemoryFormat::ChannelsLast));
  batch.targets = at::zeros({n, static_cast<std::int64_t>(set_.classes())}, at::kFloat);
  float *pixel = batch.images.data_ptr<float>(), *target = batch.targets.data_ptr<float>();
  std::vector<std::uint8_t> augmented(set_.image_bytes());
  for (const Sampler::Pick& pick : picks) {
    batch.positions.push_back(pick.position);
    augment(set_.image(pick.position), set_.width, set_.height, set_.channels, options_.augment,
            mix_seed(options_.seed, pick.position), pick.pass, augmented, fill_);
    pixel = put(augmented, pixel);
    const auto& labels = set_.labels[pick.position];
    for (const std::int32_t label : labels) target[label] = 1.0f / static_cast<float>(labels.size());
    target += set_.classes();
  }
  if (options_.similarity) batch.similarity = label_similarity(set_, batch.positions);
  return batch;
}

}  // namespace signet
