#include "learn/trainer.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kSettleImages = 10'000;
constexpr std::size_t kLogEvery = 20;    // steps
constexpr double kAirbenchBatch = 1024;  // the rates of a plan are per this many images

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// airbench states rate and decay for 1,024 images and a momentum folded in: rate / (1024 (1 + 1 / (1 - m))) is the step for a
// summed loss.
// `step` counts over all stages: one triangle spans them, so that a stage goes on at the rate where the one before it ended. A
// triangle a stage would shake the network anew each time: 0.9 % less mAP after as many passes
// (docs/decisions/0051-one-rate-triangle.md).
Optimizer::Rates rates_at(const Plan& plan, const Stage& stage, std::size_t step) {
  const double scale = kAirbenchBatch * (1 + 1 / (1 - plan.momentum)), peak = stage.rate / scale;
  const double decay = plan.weight_decay * static_cast<double>(plan.batch) / scale, factor = rate_factor(step, plan.steps());
  return {peak * factor, peak * plan.shift_rate * factor, decay / peak, decay / (peak * plan.shift_rate),
          plan.momentum, stage.filter_rate * factor};
}

// A run that was killed may have left half a line: what follows must not be glued to it. Of a file that is no log nothing is
// dropped.
void drop_cut_line(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return;
  if (!std::filesystem::is_regular_file(path, ignored))
    fail(ErrorCode::kInvalidArgument, "--log ", path, ": is no file; give the name of a file for the log's lines");
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in || in.tellg() == std::streampos(0)) return;
  in.seekg(0);
  if (in.get() != '{')
    fail(ErrorCode::kInvalidArgument, "--log ", path, ": holds something else than a log of signet train; give another name");
  in.seekg(0, std::ios::end);
  std::streamoff end = in.tellg();
  const std::streamoff size = end;
  for (; end > 0; --end) {
    in.seekg(end - 1);
    if (in.get() == '\n') break;
  }
  std::error_code error;
  if (end < size) std::filesystem::resize_file(path, static_cast<std::uintmax_t>(end), error);
  if (error)
    fail(ErrorCode::kIo, "--log ", path, ": the half line at its end cannot be cut off (", error.message(),
         "); give a log that can be written to");
}

}  // namespace

TrainingLog::TrainingLog(const std::string& path) {
  if (path.empty()) return;
  drop_cut_line(path);
  out_.open(path, std::ios::app);
  if (!out_) fail(ErrorCode::kIo, path, ": the log cannot be opened for writing");
}

void TrainingLog::write(const std::string& json_line) {
  if (out_.is_open()) out_ << json_line << std::endl;
}

at::Tensor batch_loss(const HashNetwork::Result& out, const at::Tensor& targets, const at::Tensor& similarity, const Stage& stage,
                      const Plan& plan, const PairLossOptions& pairs, std::span<const std::uint32_t> nested) {
  const auto count = static_cast<double>(targets.size(0));
  at::Tensor loss;
  if (stage.classification > 0)
    loss = at::cross_entropy_loss(out.logits, targets, {}, at::Reduction::Sum, -100, plan.label_smoothing) * stage.classification;
  if (!stage.pair_loss) return loss;
  const at::Tensor pair = nested_pair_loss(out.code, similarity, pairs, nested) * count;
  return loss.defined() ? loss + pair : pair;
}

void settle_statistics(HashNetwork& network, const TrainingSet& set, std::size_t batch, const at::Device& device) {
  const at::NoGradGuard no_gradient;
  const std::size_t count = std::min(set.train.size(), kSettleImages), at_once = images_at_once(set, batch),
                    batches = (count + at_once - 1) / at_once;
  for (std::size_t b = 0; b < batches; ++b) {
    std::vector<std::size_t> positions;  // every batch is spread over the whole set, whatever its order
    for (std::size_t i = b; i < count; i += batches) positions.push_back(set.train[i * set.train.size() / count]);
    network.set_statistics_rate(1 / static_cast<double>(b + 1));
    network.forward(normalised_images(set, positions).to(device), HashNetwork::Mode::kTrain, true, false);
  }
}

Trainer::Trainer(const TrainingSet& set, const TrainOptions& options, const Plan& plan, const RunIdentity& identity,
                 HashNetwork& network, Optimizer& optimizer, const at::Device& device, TrainingLog& log)
    : set_(set),
      options_(options),
      plan_(plan),
      identity_(identity),
      network_(network),
      optimizer_(optimizer),
      device_(device),
      log_(log) {
  if (!options.rival.empty()) rival_.emplace(find_rival(options.rival), set, network.shape().bits, options.seed, device);
}

std::size_t Trainer::steps_before(std::size_t stage) const {
  std::size_t sum = 0;
  for (std::size_t s = 0; s < stage && s < plan_.stages.size(); ++s) sum += plan_.stages[s].steps;
  return sum;
}

double Trainer::seconds_now() const { return seconds_before_ + seconds_since(began_); }

void Trainer::save(const TrainingState& state) {
  if (options_.checkpoint_folder.empty()) return;
  check_weights(state);
  TrainingState now = state;
  now.seconds = seconds_now();
  save_checkpoint(real_file_system(), checkpoint_path(options_.checkpoint_folder), identity_, now, end_, network_, optimizer_);
  last_checkpoint_ = Clock::now();
}

void Trainer::run(TrainingState& state, const ProgressCallback& progress, std::size_t stages) {
  end_ = std::min(stages, plan_.stages.size());
  began_ = last_checkpoint_ = Clock::now();
  seconds_before_ = state.seconds;
  steps_at_start_ = static_cast<double>(steps_before(state.stage) + state.step);
  while (state.stage < end_) {
    run_stage(state, progress);
    ++state.stage;
    state.step = 0;
    save(state);
  }
  state.seconds = seconds_now();
}

void Trainer::run_stage(TrainingState& state, const ProgressCallback& progress) {
  const Stage& stage = plan_.stages[state.stage];
  BatchOptions batches;
  batches.batch = plan_.batch;
  batches.balance = stage.pair_loss ? Balance::kClasses : Balance::kUniform;
  batches.seed = mix_seed(options_.seed, state.stage);
  batches.similarity = stage.pair_loss;
  batches.augment = {options_.translate, options_.mirror != Mirror::kNone, options_.cutout};
  if (options_.supervision == Supervision::kInstance) batches.views = true, batches.balance = Balance::kUniform;
  BatchLoader loader(set_, batches, state.step, stage.steps);
  if (state.step == 0) optimizer_.start_stage();
  const std::size_t epoch_steps = std::max<std::size_t>(1, set_.train.size() / plan_.batch);
  while (state.step < stage.steps) {
    const Batch batch = loader.next();
    const double loss = train_step(stage, batch, state);
    check_loss(loss, stage, batch, state);
    ++state.step;
    state.image_passes += batch.positions.size();
    if (averages(stage.steps)) {
      if (state.step % kAverageEvery == 0) optimizer_.average(average_keep(state.step, stage.steps));
      if (state.step == stage.steps) optimizer_.average(1);
    }
    const std::size_t all_steps = steps_before(state.stage) + state.step;
    if (all_steps % epoch_steps == 0 || state.step == stage.steps) validate_now(stage, state);
    if (all_steps % kLogEvery == 0 || state.step == stage.steps)
      log_.write(json{{"event", "step"},
                      {"stage", stage.name},
                      {"step", all_steps},
                      {"loss", loss},
                      {"image_passes", state.image_passes},
                      {"seconds", seconds_now()}}
                     .dump());
    if (!report(stage, state, loss, progress)) {
      save(state);
      fail(ErrorCode::kCancelled, "training stopped after step ", all_steps, " of ", steps_before(end_),
           options_.checkpoint_folder.empty()
               ? "; without --checkpoint nothing is kept"
               : concat("; ", checkpoint_path(options_.checkpoint_folder), " holds everything to go on with --resume"));
    }
    if (seconds_since(last_checkpoint_) > options_.checkpoint_seconds) save(state);
  }
}

double Trainer::train_step(const Stage& stage, const Batch& batch, const TrainingState& state) {
  const at::AutoGradMode with_gradient(true);
  network_.set_statistics_rate(0.4);
  at::Tensor images = batch.images.to(device_);
  if (state.step < stage.small_steps)
    images = at::upsample_bilinear2d(images, {small_side(images.size(2)), small_side(images.size(3))}, false);
  const HashNetwork::Result out = network_.forward(images, HashNetwork::Mode::kTrain, stage.hash_layer, options_.bfloat16);
  const at::Tensor loss = loss_of(out, stage, batch, state);
  const double value = loss.item<double>() / static_cast<double>(batch.positions.size());
  if (!std::isfinite(value)) return value;  // the weights stay as they were
  loss.backward();
  optimizer_.step(rates_at(plan_, stage, steps_before(state.stage) + state.step));
  return value;
}

// Summed over the batch's images.
at::Tensor Trainer::loss_of(const HashNetwork::Result& out, const Stage& stage, const Batch& batch,
                            const TrainingState& state) const {
  if (stage.pair_loss && rival_) {
    const double progress = static_cast<double>(state.step) / static_cast<double>(stage.steps);
    return (*rival_)(network_, out, batch, progress) * static_cast<double>(batch.positions.size());
  }
  const at::Tensor similarity = batch.similarity.defined() ? batch.similarity.to(device_) : at::Tensor();
  return batch_loss(out, batch.targets.to(device_), similarity, stage, plan_, pair_loss_options(options_), options_.nested);
}

void Trainer::check_loss(double loss, const Stage& stage, const Batch& batch, const TrainingState& state) const {
  if (std::isfinite(loss)) return;
  std::string images;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, batch.positions.size()); ++i)
    images += concat(i > 0 ? ", " : "", set_.source[batch.positions[i]]);
  fail(ErrorCode::kInternal, "the loss became ", loss, " in stage ", stage.name, " at batch ", state.step + 1, " of ",
       stage.steps, " (images number ", images, ", ... of the data)", advice());
}

// The loss of a batch is looked at before its step: what the last step made of the weights nothing has looked at yet.
void Trainer::check_weights(const TrainingState& state) const {
  const std::string name = not_finite(network_, optimizer_);
  if (name.empty()) return;
  fail(ErrorCode::kInternal, "training has weights that are no numbers (", name, ") after step ",
       steps_before(state.stage) + state.step, " of ", steps_before(end_), advice());
}

std::string Trainer::advice() const {
  const bool kept = !options_.checkpoint_folder.empty() && real_file_system().exists(checkpoint_path(options_.checkpoint_folder));
  return concat("; a smaller --alpha or --precision float32 may help",
                kept ? concat(", and ", options_.checkpoint_folder, " keeps the last good checkpoint") : std::string());
}

void Trainer::validate_now(const Stage& stage, TrainingState& state) {
  if (set_.validation.empty()) return;
  if (options_.supervision == Supervision::kInstance) return validate_copies(stage, state);
  ValidationNumbers v =
      validate(network_, set_, validation_options(options_, plan_.batch, stage.hash_layer, options_.bfloat16), device_);
  if (!plan_.classifies(state.stage)) v.accuracy = -1;
  state.validation_accuracy = v.accuracy;
  if (stage.hash_layer) state.validation_map = v.map;
  warning_ = v.warning;
  json numbers = json::object();
  if (v.accuracy >= 0) numbers["accuracy"] = v.accuracy;
  if (stage.hash_layer) numbers["map"] = v.map;
  for (const auto& [length, map] : v.map_of_beginnings) numbers["map_of_beginnings"][std::to_string(length)] = map;
  if (v.soft_loss >= 0) numbers.update({{"soft_loss", v.soft_loss}, {"exact_loss", v.exact_loss}});
  log_validation(stage, state, v, numbers);
}

void Trainer::validate_copies(const Stage& stage, TrainingState& state) {
  const ValidationNumbers v = validate_instance(network_, set_, plan_.batch, options_.bfloat16, device_);
  state.validation_recall = v.recall;
  warning_ = v.warning;
  log_validation(stage, state, v, {{"recall", v.recall}});
}

void Trainer::log_validation(const Stage& stage, const TrainingState& state, const ValidationNumbers& v, const json& numbers) {
  json line = {{"event", "validation"},
               {"stage", stage.name},
               {"step", steps_before(state.stage) + state.step},
               {"image_passes", state.image_passes},
               {"seconds", seconds_now()},
               {"images", v.images}};
  line.update(numbers);
  if (stage.hash_layer) line.update({{"distinct_codes", v.distinct_codes}, {"worst_bit_mean", v.worst_bit_mean}});
  if (!v.warning.empty()) line["warning"] = v.warning;
  log_.write(line.dump());
}

bool Trainer::report(const Stage& stage, const TrainingState& state, double loss, const ProgressCallback& progress) {
  const std::size_t done = steps_before(state.stage) + state.step, all = steps_before(end_);
  if (!progress) return true;
  const double steps = static_cast<double>(done) - steps_at_start_, seconds = seconds_since(began_);
  const auto images = static_cast<double>(set_.train.size()), batch = static_cast<double>(plan_.batch);
  TrainProgress p;
  p.stage = stage.name;
  p.step = done, p.steps = all;
  p.epoch = static_cast<double>(done) * batch / images, p.epochs = static_cast<double>(all) * batch / images;
  p.loss = loss;
  p.images_per_second = steps * batch / std::max(seconds, 1e-9);
  p.seconds_left = seconds / std::max(steps, 1.0) * static_cast<double>(all - done);
  p.validation_map = state.validation_map;
  p.validation_recall = state.validation_recall;
  p.warning = warning_;
  return progress(p);
}

}  // namespace signet
