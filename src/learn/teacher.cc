#include "learn/teacher.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/base/text.h"

namespace signet {
namespace {

constexpr std::size_t kAskedAtOnce = 512;  // images whose pixels are copied for the encoder at once

Opinion opinion_of(std::span<const float> logits) {
  const auto best = std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - static_cast<double>(*best));
  return {static_cast<std::int32_t>(best - logits.begin()), static_cast<float>(1 / sum)};
}

bool is_right(const Opinion& opinion, const std::vector<std::int32_t>& labels) {
  return std::find(labels.begin(), labels.end(), opinion.label) != labels.end();
}

}  // namespace

std::vector<Opinion> ask_teacher(const Encoder& teacher, std::span<const std::uint8_t> pixels, const TrainingSet& geometry) {
  const std::size_t bytes = geometry.image_bytes(), count = pixels.size() / bytes;
  std::vector<Opinion> opinions;
  opinions.reserve(count);
  for (std::size_t begin = 0; begin < count; begin += kAskedAtOnce) {
    std::vector<Image> images;
    for (std::size_t i = begin; i < std::min(count, begin + kAskedAtOnce); ++i) {
      const auto one = pixels.subspan(i * bytes, bytes);
      images.push_back({geometry.width, geometry.height, geometry.channels, {one.begin(), one.end()}});
    }
    const Outputs outputs = teacher.run(images, Encoder::kLogits);
    for (std::size_t i = 0; i < images.size(); ++i)
      opinions.push_back(opinion_of(std::span(outputs.logits).subspan(i * teacher.classes(), teacher.classes())));
  }
  return opinions;
}

std::vector<TaughtImage> surest(std::span<const Opinion> opinions, double share) {
  std::map<std::int32_t, std::vector<std::size_t>> of_class;
  for (std::size_t i = 0; i < opinions.size(); ++i) of_class[opinions[i].label].push_back(i);
  std::vector<TaughtImage> taken;
  for (auto& [label, images] : of_class) {
    std::stable_sort(images.begin(), images.end(),
                     [&](std::size_t a, std::size_t b) { return opinions[a].sureness > opinions[b].sureness; });
    images.resize(static_cast<std::size_t>(std::ceil(share * static_cast<double>(images.size()))));
    for (const std::size_t i : images) taken.push_back({i, label});
  }
  std::sort(taken.begin(), taken.end(), [](const TaughtImage& a, const TaughtImage& b) { return a.image < b.image; });
  return taken;
}

double agreement(std::span<const Opinion> on_validation, const TrainingSet& set, std::span<const Opinion> opinions,
                 std::span<const TaughtImage> taken) {
  std::map<std::int32_t, float> least;
  for (const TaughtImage& one : taken) {
    const float sureness = opinions[one.image].sureness;
    const auto [place, is_new] = least.emplace(one.label, sureness);
    if (!is_new) place->second = std::min(place->second, sureness);
  }
  std::size_t asked = 0, right = 0;
  for (std::size_t v = 0; v < on_validation.size(); ++v) {
    const auto cut = least.find(on_validation[v].label);
    if (cut == least.end() || on_validation[v].sureness < cut->second) continue;
    ++asked;
    right += is_right(on_validation[v], set.labels[set.validation[v]]) ? 1 : 0;
  }
  return asked == 0 ? -1 : static_cast<double>(right) / static_cast<double>(asked);
}

Teaching teach(TrainingSet& set, const TrainOptions& options, ThreadPool& pool, std::uint64_t memory_limit,
               const std::function<bool(std::size_t done)>& keep_going) {
  if (!options.unlabelled) fail(ErrorCode::kUsage, "--teacher ", options.teacher, " was given no images to name the classes of");
  if (options.unlabelled->size() == 0)
    fail(ErrorCode::kInvalidArgument, "--teacher ", options.teacher, ": there are no images without labels (",
         options.unlabelled->describe(), "); --unlabelled names a folder of such pictures");
  EncoderOptions encoding;
  encoding.threads = pool.size();
  const Encoder teacher = Encoder::open(real_file_system(), options.teacher, encoding);
  if (teacher.classes() == 0)
    fail(ErrorCode::kInvalidArgument, "--teacher ", options.teacher,
         ": this model names no classes; one that signet train made from labelled images does");
  const std::vector<std::string> names = written_class_names(set.class_names);
  if (teacher.info().class_names != names)
    fail(ErrorCode::kMismatch, "--teacher ", options.teacher, ": this model was trained for other classes (",
         join(teacher.info().class_names), ") than the images have (", join(names), ")");
  const ReadImages images = load_unlabelled(*options.unlabelled, set, pool, memory_limit, keep_going);
  const std::vector<Opinion> opinions = ask_teacher(teacher, images.pixels, set);
  const std::vector<TaughtImage> taken = surest(opinions, options.teacher_share);
  std::vector<std::uint8_t> held_out;
  for (const std::size_t i : set.validation) held_out.insert(held_out.end(), set.image(i).begin(), set.image(i).end());
  const double agreed = agreement(ask_teacher(teacher, held_out, set), set, opinions, taken);
  add_taught(set, images, taken);
  return {teacher.info().fingerprint, images.size(), taken.size(), agreed};
}

}  // namespace signet
