#include "learn/validation.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "learn/batches.h"
#include "learn/labels.h"
#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

constexpr std::size_t kMostImages = 10'000, kMostQueries = 2'000;
constexpr std::size_t kLossGroup = 500;  // images whose pairs are measured together

// Within distance d: n items, r relevant, N nearer items, P nearer relevant ones. The item at place t of the tie is relevant with
// probability r/n, and then P + 1 + (t-1)(r-1)/(n-1) relevant ones are expected among the N + t up to it.
double average_precision(std::span<const std::uint32_t> items, std::span<const std::uint32_t> relevant) {
  double sum = 0, nearer = 0, nearer_relevant = 0;
  for (std::size_t d = 0; d < items.size(); ++d) {
    const double n = items[d], r = relevant[d];
    if (r > 0)
      for (double t = 1; t <= n; ++t)
        sum += r / n * (nearer_relevant + 1 + (n > 1 ? (t - 1) * (r - 1) / (n - 1) : 0)) / (nearer + t);
    nearer += n, nearer_relevant += r;
  }
  return nearer_relevant > 0 ? sum / nearer_relevant : -1;
}

struct Packed {
  std::vector<std::uint64_t> codes;
  std::size_t words = 0;
};

// Of two views of the same images, as the encoder takes it (its order of argmax does not depend on the halving).
HashNetwork::Result mean_of(const HashNetwork::Result& a, const HashNetwork::Result& b) {
  HashNetwork::Result mean;
  mean.logits = (a.logits + b.logits).div_(2);
  if (a.hash.defined()) mean.hash = (a.hash + b.hash).div_(2);
  return mean;
}

void append_codes(Packed& packed, const at::Tensor& hash) {
  const at::Tensor v = hash.to(at::kCPU).contiguous();
  const auto bits = static_cast<std::size_t>(v.size(1));
  packed.words = (bits + 63) / 64;
  const float* value = v.data_ptr<float>();
  for (std::int64_t i = 0; i < v.size(0); ++i) {
    packed.codes.resize(packed.codes.size() + packed.words);
    std::uint64_t* code = packed.codes.data() + packed.codes.size() - packed.words;
    for (std::size_t k = 0; k < bits; ++k)
      if (*value++ >= 0) code[k / 64] |= std::uint64_t{1} << (k % 64);
  }
}

// The first `length` bits, the others 0.
Packed beginnings(Packed packed, std::uint32_t length) {
  for (std::size_t i = 0; i < packed.codes.size(); ++i) {
    const std::size_t first = i % packed.words * 64;  // bit of the code that this word begins with
    if (first + 64 > length) packed.codes[i] &= first >= length ? 0 : (std::uint64_t{1} << (length - first)) - 1;
  }
  return packed;
}

// Those that are measured. Spread over all: data from folders have one class after another.
std::vector<std::size_t> measured_images(const TrainingSet& set) {
  const std::size_t all = set.validation.size(), count = std::min(all, kMostImages);
  std::vector<std::size_t> measured(count);
  for (std::size_t i = 0; i < count; ++i) measured[i] = set.validation[i * all / count];
  return measured;
}

// In groups that are spread over all images, so that each holds similar and dissimilar pairs however the images are ordered.
void measure_loss(ValidationNumbers& numbers, const at::Tensor& outputs, const TrainingSet& set,
                  std::span<const std::size_t> measured, const ValidationOptions& options) {
  const std::size_t count = numbers.images, groups = (count + kLossGroup - 1) / kLossGroup;
  numbers.soft_loss = numbers.exact_loss = 0;
  for (std::size_t g = 0; g < groups; ++g) {
    std::vector<std::size_t> positions;
    for (std::size_t i = g; i < count; i += groups) positions.push_back(measured[i]);
    const at::Tensor v = outputs.slice(0, static_cast<std::int64_t>(g), static_cast<std::int64_t>(count),
                                       static_cast<std::int64_t>(groups)),
                     similarity = label_similarity(set, positions);
    const auto loss = [&](const at::Tensor& u) {
      return nested_pair_loss(u.contiguous(), similarity, *options.pair_loss, options.beginnings).item<double>() *
             static_cast<double>(positions.size()) / static_cast<double>(count);
    };
    numbers.soft_loss += loss(v.tanh());
    numbers.exact_loss += loss(v.ge(0).to(v.scalar_type()) * 2 - 1);
  }
}

void measure_health(ValidationNumbers& numbers, const Packed& packed, std::size_t count, std::uint32_t bits,
                    std::size_t classes) {
  std::set<std::vector<std::uint64_t>> distinct;
  std::vector<std::size_t> ones(bits);
  for (std::size_t i = 0; i < count; ++i) {
    const auto* code = packed.codes.data() + i * packed.words;
    distinct.emplace(code, code + packed.words);
    for (std::size_t k = 0; k < bits; ++k) ones[k] += code[k / 64] >> (k % 64) & 1;
  }
  numbers.distinct_codes = distinct.size();
  std::size_t stuck = 0;
  for (const std::size_t n : ones) {
    const double mean = std::abs(2 * static_cast<double>(n) / static_cast<double>(count) - 1);
    numbers.worst_bit_mean = std::max(numbers.worst_bit_mean, mean);
    if (mean > 0.99) ++stuck;
  }
  const std::size_t possible = bits < 20 ? std::size_t{1} << bits : count;
  const std::size_t expected = std::min({classes, possible, count}) / 2;
  if (distinct.size() < std::max<std::size_t>(expected, 2))
    numbers.warning =
        concat("codes collapse: ", distinct.size(), " distinct codes for ", count, " validation images of ", classes, " classes");
  else if (stuck > 0 && count >= 50)
    numbers.warning = concat(stuck, " of ", bits, " bits hardly change over the validation images");
}

// Share of queries whose own row of `originals` is strictly the nearest.
double recall_at_one(const Packed& queries, const Packed& originals, std::size_t count) {
  std::size_t found = 0;
  const auto distance = [&](std::size_t q, std::size_t i) {
    int d = 0;
    for (std::size_t w = 0; w < originals.words; ++w)
      d += std::popcount(queries.codes[q * originals.words + w] ^ originals.codes[i * originals.words + w]);
    return d;
  };
  for (std::size_t q = 0; q < count; ++q) {
    const int own = distance(q, q);
    bool nearest = true;
    for (std::size_t i = 0; i < count && nearest; ++i) nearest = i == q || distance(q, i) > own;
    found += nearest ? 1u : 0u;
  }
  return static_cast<double>(found) / static_cast<double>(count);
}

constexpr std::uint64_t kCopySeed = 0x636f7079;  // the same copies in every run: numbers of runs can be compared

}  // namespace

double tie_aware_map(std::span<const std::uint64_t> codes, std::size_t words,
                     std::span<const std::vector<std::int32_t>* const> labels, std::uint32_t bits) {
  const std::size_t count = labels.size(), queries = std::min(count, kMostQueries);
  double sum = 0;
  std::size_t counted = 0;
  for (std::size_t q = 0; q < queries; ++q) {
    const std::size_t query = q * count / queries;  // spread over all
    std::vector<std::uint32_t> items(bits + 1), relevant(bits + 1);
    for (std::size_t i = 0; i < count; ++i) {
      if (i == query) continue;
      int distance = 0;
      for (std::size_t w = 0; w < words; ++w) distance += std::popcount(codes[query * words + w] ^ codes[i * words + w]);
      ++items[static_cast<std::size_t>(distance)];
      relevant[static_cast<std::size_t>(distance)] += share_label(*labels[query], *labels[i]) ? 1 : 0;
    }
    const double precision = average_precision(items, relevant);
    if (precision < 0) continue;
    sum += precision;
    ++counted;
  }
  return counted > 0 ? sum / static_cast<double>(counted) : -1;
}

ValidationOptions validation_options(const TrainOptions& options, std::size_t batch, bool hash_layer, bool bfloat16) {
  ValidationOptions measured{hash_layer, bfloat16, options.nested, {}, batch};
  if (options.rival.empty()) measured.pair_loss = pair_loss_options(options);
  return measured;
}

ValidationNumbers validate(HashNetwork& network, const TrainingSet& set, const ValidationOptions& options,
                           const at::Device& device) {
  ValidationNumbers numbers;
  const std::vector<std::size_t> measured = measured_images(set);
  numbers.images = measured.size();
  if (numbers.images == 0) return numbers;
  const at::NoGradGuard no_gradient;
  Packed packed;
  std::vector<at::Tensor> outputs;
  std::size_t right = 0;
  std::vector<const std::vector<std::int32_t>*> labels;
  const std::size_t at_once = images_at_once(set, options.batch);
  for (std::size_t begin = 0; begin < numbers.images; begin += at_once) {
    const auto positions = std::span(measured).subspan(begin, std::min(at_once, numbers.images - begin));
    const at::Tensor images = normalised_images(set, positions).to(device);
    const auto forward = [&](const at::Tensor& view) {
      return network.forward(view, HashNetwork::Mode::kEvaluate, options.hash_layer, options.bfloat16);
    };
    HashNetwork::Result out = forward(images);
    if (set.preprocessing.mirror_view) out = mean_of(out, forward(images.flip({3})));
    const at::Tensor best = out.logits.argmax(1).to(at::kCPU).contiguous();
    for (std::size_t i = 0; i < positions.size(); ++i) {
      labels.push_back(&set.labels[positions[i]]);
      right += std::ranges::binary_search(*labels.back(), static_cast<std::int32_t>(best.data_ptr<std::int64_t>()[i])) ? 1u : 0u;
    }
    if (!options.hash_layer) continue;
    append_codes(packed, out.hash);
    outputs.push_back(out.hash.to(at::kCPU));
  }
  numbers.accuracy = static_cast<double>(right) / static_cast<double>(numbers.images);
  if (!options.hash_layer) return numbers;
  const std::uint32_t bits = network.shape().bits;
  numbers.map = tie_aware_map(packed.codes, packed.words, labels, bits);
  for (const std::uint32_t length : options.beginnings)
    numbers.map_of_beginnings[length] = tie_aware_map(beginnings(packed, length).codes, packed.words, labels, length);
  if (options.pair_loss) measure_loss(numbers, at::cat(outputs), set, measured, options);
  measure_health(numbers, packed, numbers.images, bits, set.classes());
  return numbers;
}

ValidationNumbers validate_instance(HashNetwork& network, const TrainingSet& set, std::size_t batch, bool bfloat16,
                                    const at::Device& device) {
  ValidationNumbers numbers;
  const std::vector<std::size_t> measured = measured_images(set);
  numbers.images = measured.size();
  if (numbers.images == 0) return numbers;
  const at::NoGradGuard no_gradient;
  Packed originals, copies;
  const auto encode = [&](const at::Tensor& images, Packed& into) {
    append_codes(into, network.forward(images.to(device), HashNetwork::Mode::kEvaluate, true, bfloat16).hash);
  };
  TrainingSet altered;  // one batch of copies in the set's geometry
  altered.width = set.width, altered.height = set.height, altered.channels = set.channels;
  altered.preprocessing = set.preprocessing;
  const std::size_t at_once = images_at_once(set, batch);
  for (std::size_t begin = 0; begin < numbers.images; begin += at_once) {
    const auto positions = std::span(measured).subspan(begin, std::min(at_once, numbers.images - begin));
    encode(normalised_images(set, positions), originals);
    altered.pixels.clear();
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < positions.size(); ++i) {
      const Change change = kTuningChanges[(begin + i) % kTuningChanges.size()];
      const auto view = altered_view(set, positions[i], std::span(&change, 1), 0, mix_seed(kCopySeed, positions[i]));
      altered.pixels.insert(altered.pixels.end(), view.begin(), view.end());
      rows.push_back(i);
    }
    encode(normalised_images(altered, rows), copies);
  }
  numbers.recall = recall_at_one(copies, originals, numbers.images);
  measure_health(numbers, originals, numbers.images, network.shape().bits, numbers.images);
  return numbers;
}

}  // namespace signet
