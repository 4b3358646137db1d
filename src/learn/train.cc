#include "signet/learn/train.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <new>
#include <nlohmann/json.hpp>

#include "learn/export.h"
#include "learn/rival.h"
#include "learn/teacher.h"
#include "learn/trainer.h"
#include "signet/base/error.h"
#include "signet/base/thread_pool.h"
#include "signet/encode/features_file.h"
#include "signet/encode/model.h"

namespace signet {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMemoryLimit = std::uint64_t{8} << 30;  // of the images held as bytes
// What the first layer's filters are fitted to: images, and pixels of them times channels (of larger pictures fewer are enough).
constexpr std::size_t kWhiteningImages = 5'000, kWhiteningBytes = 16'000'000;
constexpr const char* kVersion = "0.1.0";
constexpr const char* kLibrary = "libtorch " TORCH_VERSION;
constexpr HashLoss kOwnLosses[] = {HashLoss::kExpProduct, HashLoss::kExpInner, HashLoss::kExpBitwise};

const char* name_of(HashLoss loss) {
  return loss == HashLoss::kExpProduct ? "exp-product" : loss == HashLoss::kExpInner ? "exp-inner" : "exp-bitwise";
}
std::string loss_name(const TrainOptions& o) { return o.rival.empty() ? name_of(o.loss) : o.rival; }
const char* name_of(Pretrain pretrain) {
  return pretrain == Pretrain::kNone ? "none" : pretrain == Pretrain::kFeatures ? "features" : "both";
}

const char* name_of(Mirror mirror) {
  return mirror == Mirror::kNone ? "none" : mirror == Mirror::kTraining ? "training" : "both";
}

const char* name_of(FilterOptimizer optimizer) { return optimizer == FilterOptimizer::kSgd ? "sgd" : "muon"; }

const char* name_of(Supervision supervision) { return supervision == Supervision::kClasses ? "class" : "instance"; }

template <typename Kind>
Kind parse(const char* flag, const std::string& name, std::initializer_list<Kind> kinds, const char* all) {
  for (const Kind kind : kinds)
    if (name == name_of(kind)) return kind;
  fail(ErrorCode::kUsage, flag, " \"", name, "\" does not exist; ", all, " do");
}

void check_nested(const TrainOptions& o) {
  for (std::size_t i = 0; i < o.nested.size(); ++i)
    if (o.nested[i] < 1 || o.nested[i] >= o.bits || (i > 0 && o.nested[i] <= o.nested[i - 1]))
      fail(ErrorCode::kUsage, "--nested ", o.nested[i], " does not fit: lengths are to ascend, from 1 up to below the ", o.bits,
           " bits of the code");
}

// A method to compare with has no use for these: they would be in its record and mean nothing.
void check_rival(const TrainOptions& o) {
  if (o.rival.empty()) return;
  find_rival(o.rival);
  const TrainOptions defaults;
  const auto refuse = [&](const char* flag) {
    fail(ErrorCode::kUsage, flag, " is an option of signet's own losses and --loss ", o.rival, " does not read it; leave it out");
  };
  if (o.supervision != Supervision::kClasses) refuse("--supervision instance");
  if (o.alpha != defaults.alpha) refuse("--alpha");
  if (o.exponent_cap != defaults.exponent_cap) refuse("--exponent-cap");
  if (o.equal_pair_mass != defaults.equal_pair_mass) refuse("--natural-weight");
  if (o.joint_classification != defaults.joint_classification) refuse("--joint-classification");
  if (!o.nested.empty()) refuse("--nested");
}

// Instance training has no use for these either; none and 0 say what it does.
void check_instance(const TrainOptions& o, std::span<const std::string> given) {
  if (o.supervision != Supervision::kInstance) return;
  const TrainOptions defaults;
  const auto check = [&](const char* flag, const auto& value, bool is_silent, bool is_default) {
    if (is_silent || (is_default && std::find(given.begin(), given.end(), flag) == given.end())) return;
    fail(ErrorCode::kUsage, flag, " ", value,
         " is an option of training by classes and --supervision instance does not read it; leave it out");
  };
  check("--pretrain", name_of(o.pretrain), o.pretrain == Pretrain::kNone, o.pretrain == defaults.pretrain);
  check("--joint-classification", o.joint_classification, o.joint_classification == 0,
        o.joint_classification == defaults.joint_classification);
  check("--mirror", name_of(o.mirror), o.mirror == Mirror::kNone, o.mirror == defaults.mirror);
  check("--translate", o.translate, o.translate == 0, o.translate == defaults.translate);
  check("--cutout", o.cutout, o.cutout == 0, o.cutout == defaults.cutout);
}

void check_teacher(const TrainOptions& o) {
  if (o.teacher.empty() && o.unlabelled)
    fail(ErrorCode::kUsage, "images without labels need --teacher: the model that names their classes");
  if (!o.teacher.empty() && o.supervision != Supervision::kClasses)
    fail(ErrorCode::kUsage, "--teacher names classes, and --supervision instance has no use for them; leave one out");
  if (!(o.teacher_share > 0 && o.teacher_share <= 1))
    fail(ErrorCode::kUsage, "--teacher-share ", o.teacher_share, " must be above 0 and at most 1");
}

void check_options(const TrainOptions& o, std::span<const std::string> given = {}) {
  const auto reject = [](const auto&... parts) { fail(ErrorCode::kUsage, parts...); };
  if (o.bits < 1 || o.bits > 4096) reject("--bits ", o.bits, " must be 1 to 4096");
  if (!(o.alpha > 0 && o.alpha <= 40)) reject("--alpha ", o.alpha, " must be above 0 and at most 40");
  if (!(o.exponent_cap > 0)) reject("--exponent-cap ", o.exponent_cap, " must be above 0");
  if (!(o.joint_classification >= 0 && o.joint_classification <= 1000))
    reject("--joint-classification ", o.joint_classification, " must be 0 to 1000");
  if (o.translate > 64) reject("--translate ", o.translate, " must be 0 to 64");
  if (o.cutout > 1024) reject("--cutout ", o.cutout, " must be 0 to 1024");
  if (!(o.epochs >= 0 && o.epochs <= 1e6)) reject("--epochs ", o.epochs, " must be 0 (the default of --arch) to 1000000");
  if (o.batch != 0 && (o.batch < kLeastBatch || o.batch > 65536))
    reject("--batch ", o.batch, " must be ", kLeastBatch, " to 65536, or 0 for the default");
  if (o.side != 0 && (o.side < 16 || o.side > 1024)) reject("--size ", o.side, " must be 16 to 1024, or 0 to be chosen");
  if (!(o.validation_share >= 0 && o.validation_share <= 0.9)) reject("--validation ", o.validation_share, " must be 0 to 0.9");
  if (!(o.checkpoint_seconds >= 0)) reject("the time between checkpoints, ", o.checkpoint_seconds, " s, must not be negative");
  check_nested(o);
  check_rival(o);
  check_instance(o, given);
  check_teacher(o);
  if (!o.features_from.empty() && o.pretrain == Pretrain::kNone)
    fail(ErrorCode::kUsage, "--features-from gives the stage \"features\", which --pretrain none leaves out");
  if (o.resume && o.checkpoint_folder.empty()) fail(ErrorCode::kUsage, "--resume needs --checkpoint: the folder to go on from");
}

at::Device parse_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (name != "cuda") fail(ErrorCode::kUsage, "--device \"", name, "\" does not exist; cpu and cuda do");
  if (!at::hasCUDA())
    fail(ErrorCode::kUnsupported, "--device cuda: the libtorch that this program uses was built without CUDA; use --device cpu");
  return at::Device(at::kCUDA, 0);
}

// libtorch's thread count is one number for the process: put back when a run ends.
class ThreadCount {
 public:
  explicit ThreadCount(std::size_t threads) : before_(at::get_num_threads()) { at::set_num_threads(static_cast<int>(threads)); }
  ~ThreadCount() { at::set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

// Everything that the weights depend on. Names of options are the flags', as messages about a checkpoint show them.
json shaping_options(const TrainOptions& o, const Plan& plan, const TrainingSet& set, std::size_t threads,
                     const at::Device& device) {
  return {{"bits", o.bits},
          {"arch", o.arch},
          {"loss", loss_name(o)},
          {"alpha", o.alpha},
          {"exponent-cap", std::isfinite(o.exponent_cap) ? json(o.exponent_cap) : json("none")},
          {"equal-pair-mass", o.equal_pair_mass},
          {"pretrain", name_of(o.pretrain)},
          {"joint-classification", o.joint_classification},
          {"mirror", name_of(o.mirror)},
          {"progressive-resizing", o.progressive_resizing},
          {"translate", o.translate},
          {"cutout", o.cutout},
          {"nested", o.nested},
          {"optimizer", name_of(o.optimizer)},
          {"steps", plan.steps()},
          {"batch", plan.batch},
          {"width", set.width},
          {"height", set.height},
          {"channels", set.channels},
          {"seed", o.seed},
          {"threads", threads},
          {"device", o.device},
          {"precision", o.bfloat16 ? "bfloat16" : "float32"},
          {"convolution", convolves_by_winograd(device) ? "winograd" : "libtorch"},
          {"library", kLibrary},
          {"version", kVersion}};
}

// Those that the stage "features" depends on: all but what only later stages read. The number of all steps counts, because one
// triangle of learning rates spans all stages. What is not named here counts, so that a new
// option that nobody thought of makes a features file refused, never wrongly accepted.
json features_options(json shaping, const Plan& plan) {
  for (const char* later :
       {"bits", "loss", "alpha", "exponent-cap", "equal-pair-mass", "pretrain", "joint-classification", "nested"})
    shaping.erase(later);
  shaping["features-steps"] = plan.stages.front().steps;
  return shaping;
}

json to_json(const Teaching& t) {
  return {{"fingerprint", t.fingerprint},
          {"unlabelled_images", t.unlabelled},
          {"taught_images", t.taught},
          {"agreement", t.agreement >= 0 ? json(t.agreement) : json()}};
}

// What a record says of a run's options: of instance training none that it does not read. Checkpoints have those all the same, so
// that the ones that are there can be gone on with.
json recorded_options(const TrainOptions& o, const RunIdentity& identity) {
  json options = json::parse(identity.options);
  if (o.supervision != Supervision::kInstance) return options;
  for (const char* flag : kUnreadByInstance) options.erase(flag + 2);
  options.erase("progressive-resizing");
  return options;
}

// A joint stage that does not classify leaves the features' classifier as it was (docs/reproduce.md says so beside the numbers).
// After a rival's stage it is of no use: the features have moved on further.
Logits trained_logits(const TrainOptions& o, const Plan& plan) {
  if (plan.classifies(plan.stages.size() - 1)) return Logits::kFromCode;
  return plan.stages.size() > 1 && o.rival.empty() ? Logits::kFromFeatures : Logits::kNone;
}

json training_record(const TrainOptions& o, const Plan& plan, const TrainingSet& set, const Dataset& data,
                     const RunIdentity& identity, const TrainingState& state, const TrainedFeatures& shared,
                     const Teaching& teaching, const ValidationNumbers& v) {
  json record = o.record.empty() ? json::object() : json::parse(o.record, nullptr, false);
  if (!record.is_object()) fail(ErrorCode::kInvalidArgument, "the record to merge into the model must be a JSON object");
  record.update({{"dataset", data.describe()},
                 {"data_hash", set.data_hash},
                 {"training_images", set.train.size()},
                 {"validation_images", set.validation.size()},
                 {"validation_copies", set.validation_copies},
                 {"seed", o.seed},
                 {"loss", loss_name(o)},
                 {"epochs", static_cast<double>(state.image_passes) / static_cast<double>(set.train.size())},
                 {"image_passes", state.image_passes},
                 {"train_seconds", state.seconds},
                 {"shared_image_passes", shared.image_passes},
                 {"shared_seconds", shared.seconds},
                 {"version", kVersion},
                 {"library", kLibrary},
                 {"options", recorded_options(o, identity)},
                 {"stages", json::array()}});
  if (o.rival.empty()) record["alpha"] = o.alpha;
  if (!o.teacher.empty()) record["teacher"] = to_json(teaching);
  for (const Stage& s : plan.stages)
    record["stages"].push_back({{"name", s.name}, {"steps", s.steps}, {"rate", s.rate}, {"classification", s.classification}});
  if (v.images > 0 && o.supervision == Supervision::kInstance)
    record["validation"] = {
        {"recall", v.recall}, {"images", v.images}, {"distinct_codes", v.distinct_codes}, {"worst_bit_mean", v.worst_bit_mean}};
  else if (v.images > 0)
    record["validation"] = {{"map", v.map},
                            {"accuracy", v.accuracy >= 0 ? json(v.accuracy) : json()},
                            {"images", v.images},
                            {"distinct_codes", v.distinct_codes},
                            {"worst_bit_mean", v.worst_bit_mean}};
  return record;
}

void begin_or_resume(const TrainOptions& options, const RunIdentity& identity, TrainingState& state, HashNetwork& network,
                     Optimizer& optimizer) {
  if (options.checkpoint_folder.empty()) return;
  FileSystem& fs = real_file_system();
  const std::string path = checkpoint_path(options.checkpoint_folder);
  if (options.resume) {
    if (!fs.exists(path)) fail(ErrorCode::kNotFound, path, ": there is no checkpoint to go on from; leave out --resume to begin");
    state = load_checkpoint(fs, path, identity, network, optimizer);
  } else if (checkpoint_is_unfinished(fs, path)) {
    fail(ErrorCode::kInvalidArgument, path,
         ": an unfinished run is kept here; add --resume to go on with it, or remove the file to begin anew");
  }
  remove_unfinished_checkpoints(fs, path);  // not before it is sure that this run may write here: another may be at it
}

void fit_whitening(HashNetwork& network, const TrainingSet& set) {
  const std::size_t count =
      std::min({set.train.size(), kWhiteningImages, std::max<std::size_t>(1, kWhiteningBytes / set.image_bytes())});
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < count; ++i) positions.push_back(set.train[i * set.train.size() / count]);
  network.fit_whitening(normalised_images(set, positions));
}

// Backward takes about twice the forward pass: 3 passes of 2 operations a multiply-add, in proportion to the pixels.
double pflop_of(const Network& network, const Plan& plan, std::size_t stages, std::uint64_t image_passes) {
  double small = 0;
  for (std::size_t s = 0; s < stages; ++s) small += static_cast<double>(plan.stages[s].small_steps * plan.batch);
  const double pixels = static_cast<double>(small_side(network.height) * small_side(network.width)) /
                        static_cast<double>(std::uint64_t{network.height} * network.width);
  return 6e-15 * static_cast<double>(multiply_adds(network)) * (static_cast<double>(image_passes) - small * (1 - pixels));
}

// Everything that a run works on.
struct Run {
  const Dataset& data;
  const TrainOptions& options;
  const std::function<bool(const TrainProgress&)>& progress;
  at::Device device;
  TrainingSet set;
  Plan plan;
  RunIdentity identity, features_identity;
  HashNetwork network;
  TrainedFeatures shared;
  TrainingState state;
  Teaching teaching;
};

TrainResult result_of(const Run& run, const Network& network) {
  TrainResult result;
  result.image_passes = run.state.image_passes;
  result.seconds = run.state.seconds;
  result.shared_image_passes = run.shared.image_passes;
  result.shared_seconds = run.shared.seconds;
  result.unreadable = run.set.unreadable, result.first_unreadable = run.set.first_unreadable;
  result.validation_images = run.set.validation.size(), result.validation_copies = run.set.validation_copies;
  result.unlabelled_images = run.teaching.unlabelled, result.taught_images = run.teaching.taught;
  result.teacher_agreement = run.teaching.agreement;
  result.images_per_second = static_cast<double>(run.state.image_passes) / std::max(run.state.seconds, 1e-9);
  result.validation_accuracy = run.state.validation_accuracy;
  result.added_steps = run.plan.added_steps;
  result.pflop = pflop_of(network, run.plan, run.state.stage, run.state.image_passes);
  return result;
}

// A last step can leave what no loss has seen yet.
void check_weights(const HashNetwork& network) {
  for (const Parameter& p : network.parameters())
    if (!p.value.isfinite().all().item<bool>())
      fail(ErrorCode::kInternal, "training ended with weights that are no numbers (", p.name,
           "), so no model was written; a smaller --alpha, an --exponent-cap or --precision float32 may help");
}

TrainResult finish(Run& run, const std::string& model_path, TrainingLog& log) {
  settle_statistics(run.network, run.set, run.plan.batch, run.device);
  check_weights(run.network);
  const std::size_t batch = run.plan.batch;
  ValidationNumbers v = run.options.supervision == Supervision::kInstance
                            ? validate_instance(run.network, run.set, batch, false, run.device)
                            : validate(run.network, run.set, validation_options(run.options, batch, true, false), run.device);
  if (!run.plan.classifies(run.plan.stages.size() - 1)) v.accuracy = -1;
  Model model;
  model.network = to_network(run.network, trained_logits(run.options, run.plan));
  model.info.bits = run.options.bits;
  model.info.preprocessing = run.set.preprocessing;
  model.info.class_names = run.set.class_names;
  model.info.training_record =
      training_record(run.options, run.plan, run.set, run.data, run.identity, run.state, run.shared, run.teaching, v).dump();
  write_model(real_file_system(), model_path, model);
  TrainResult result = result_of(run, model.network);
  result.model_path = model_path;
  result.fingerprint = model_fingerprint(model.network, run.set.preprocessing);
  result.validation_map = v.map, result.validation_accuracy = v.accuracy, result.validation_recall = v.recall;
  result.validation_map_of_beginnings = v.map_of_beginnings;
  log.write(json{{"event", "done"},
                 {"model", model_path},
                 {"fingerprint", result.fingerprint},
                 {"image_passes", result.image_passes},
                 {"seconds", result.seconds},
                 {"map", v.map},
                 {"accuracy", v.accuracy},
                 {"recall", v.recall},
                 {"pflop", result.pflop}}
                .dump(-1, ' ', false, json::error_handler_t::replace));  // names of files need not be UTF-8
  return result;
}

// The network after its first stage as a model whose features can be read. Its statistics are settled as a finished model's are;
// the run's own stay as training left them, for that is what the next stage goes on from.
Model first_stage_model(Run& run) {
  const at::NoGradGuard no_gradient;
  std::vector<at::Tensor> kept;
  for (const Parameter& p : run.network.parameters()) kept.push_back(p.value.detach().clone());
  settle_statistics(run.network, run.set, run.plan.batch, run.device);
  Model model{to_network(run.network, Logits::kFromFeatures), {}};
  for (std::size_t i = 0; i < kept.size(); ++i) run.network.parameters()[i].value.copy_(kept[i]);
  model.info.bits = run.options.bits;
  model.info.preprocessing = run.set.preprocessing;
  model.info.class_names = run.set.class_names;
  return model;
}

TrainResult finish_features(Run& run, const std::string& path, TrainingLog& log) {
  const TrainedFeatures features{run.state.image_passes, run.state.seconds, run.state.validation_accuracy};
  const Model model = first_stage_model(run);
  save_features(real_file_system(), path, run.features_identity, features, run.network, model_bytes(model, path));
  TrainResult result = result_of(run, model.network);
  log.write(json{{"event", "done"},
                 {"features", path},
                 {"image_passes", result.image_passes},
                 {"seconds", result.seconds},
                 {"accuracy", result.validation_accuracy},
                 {"pflop", result.pflop}}
                .dump(-1, ' ', false, json::error_handler_t::replace));
  return result;
}

Plan plan_for(const TrainOptions& options, std::size_t images, bool features_alone) {
  Plan plan = make_plan(options, images);
  if ((features_alone || !options.features_from.empty()) && plan.stages.front().hash_layer)
    fail(ErrorCode::kInvalidArgument,
         "these options have no stage \"features\" to be trained alone; --pretrain features or both has");
  return plan;
}

std::function<bool(std::size_t)> reading(const char* what, std::size_t count,
                                         const std::function<bool(const TrainProgress&)>& progress) {
  return [=](std::size_t done) {
    TrainProgress p;
    p.stage = what;
    p.step = done, p.steps = count;
    return !progress || progress(p);
  };
}

TrainingSet load_images(const Dataset& data, const TrainOptions& options, ThreadPool& pool,
                        const std::function<bool(const TrainProgress&)>& progress) {
  return load_training_set(data, options.side, options.validation_share, options.seed, pool, kMemoryLimit,
                           reading("reading images", data.size(), progress), options.supervision == Supervision::kClasses);
}

void log_start(const Run& run, TrainingLog& log) {
  log.write(json{{"event", run.state.image_passes > run.shared.image_passes ? "resume" : "start"},
                 {"dataset", run.data.describe()},
                 {"training_images", run.set.train.size()},
                 {"validation_images", run.set.validation.size()},
                 {"unreadable", run.set.unreadable},
                 {"steps", run.plan.steps()},
                 {"image_passes", run.state.image_passes},
                 {"options", recorded_options(run.options, run.identity)}}
                .dump());
}

// The weights and the state that training begins with: fresh, after a shared stage, or from a checkpoint.
void begin(Run& run, Optimizer& optimizer) {
  fit_whitening(run.network, run.set);
  if (!run.options.features_from.empty()) {
    run.shared = load_features(real_file_system(), run.options.features_from, run.features_identity, run.network);
    run.state.stage = 1;
    run.state.image_passes = run.shared.image_passes;
    run.state.seconds = run.shared.seconds;
    run.state.validation_accuracy = run.shared.validation_accuracy;
  }
  begin_or_resume(run.options, run.identity, run.state, run.network, optimizer);
}

TrainResult train_checked(const Dataset& data, const TrainOptions& options, const std::string& path, bool features_alone,
                          const std::function<bool(const TrainProgress&)>& progress) {
  check_options(options);
  const at::Device device = parse_device(options.device);
  const std::size_t threads = options.threads > 0 ? options.threads : available_cpus();
  const ThreadCount thread_count(threads);
  TrainingLog log(options.log_path);
  ThreadPool pool(threads);
  TrainingSet set = load_images(data, options, pool, progress);
  Teaching teaching;
  if (!options.teacher.empty())
    teaching = teach(set, options, pool, kMemoryLimit,
                     reading("reading images without labels", options.unlabelled ? options.unlabelled->size() : 0, progress));
  const bool instance = options.supervision == Supervision::kInstance;
  set.preprocessing.mirror_view = options.mirror == Mirror::kBoth && !instance;
  Plan plan = plan_for(options, set.train.size(), features_alone);
  json shaping = shaping_options(options, plan, set, threads, device);
  if (instance) shaping["supervision"] = name_of(options.supervision);  // absent: by classes, as in older records
  const json early = features_options(shaping, plan);
  const NetworkShape shape = network_shape(options.arch, set.channels, set.height, set.width,
                                           static_cast<std::uint32_t>(std::max<std::size_t>(1, set.classes())), options.bits);
  const RunIdentity features_identity{early.dump(), set.data_hash, data.describe()};
  Run run{data,
          options,
          progress,
          device,
          std::move(set),
          std::move(plan),
          features_alone ? features_identity : RunIdentity{shaping.dump(), features_identity.data_hash, data.describe()},
          features_identity,
          HashNetwork(shape, options.seed, device),
          {},
          {},
          std::move(teaching)};
  Optimizer optimizer(run.network, options.bfloat16);
  begin(run, optimizer);
  log_start(run, log);
  Trainer(run.set, options, run.plan, run.identity, run.network, optimizer, device, log)
      .run(run.state, progress, features_alone ? 1 : Trainer::kAllStages);
  return features_alone ? finish_features(run, path, log) : finish(run, path, log);
}

// Errors of libtorch as ours. It has no type for a lack of memory of the CPU.
template <typename Body>
TrainResult guarded(const Body& body) {
  try {
    return body();
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    for (const char* said : {"allocate memory", "not enough memory", "out of memory"})
      if (text.find(said) != std::string::npos) throw std::bad_alloc();
    fail(ErrorCode::kInternal, "libtorch: ", text);
  }
}

}  // namespace

TrainResult train(const Dataset& data, const TrainOptions& options, const std::string& model_path,
                  const std::function<bool(const TrainProgress&)>& progress) {
  return guarded([&] { return train_checked(data, options, model_path, false, progress); });
}

TrainResult train_features(const Dataset& data, const TrainOptions& options, const std::string& features_path,
                           const std::function<bool(const TrainProgress&)>& progress) {
  if (!options.features_from.empty())
    fail(ErrorCode::kUsage,
         "--features-out trains the stage \"features\", which --features-from would replace; give one of them");
  return guarded([&] { return train_checked(data, options, features_path, true, progress); });
}

void check_train_options(const TrainOptions& options, std::span<const std::string> given) {
  check_options(options, given);
  parse_device(options.device);
  network_shape(options.arch, 1, 32, 32, 2, options.bits);
  make_plan(options, 1000);
}

std::vector<LossName> loss_names() {
  std::vector<LossName> names;
  for (const HashLoss loss : kOwnLosses) names.push_back({name_of(loss), "after Mu & Liu, AAAI 2017"});
  for (const Rival& rival : rivals()) names.push_back({rival.name, rival.source});
  return names;
}

void set_loss(TrainOptions& options, const std::string& name) {
  options.rival.clear();
  for (const HashLoss loss : kOwnLosses) {
    options.loss = loss;
    if (name == name_of(loss)) return;
  }
  options.loss = TrainOptions().loss;
  options.rival = find_rival(name).name;
}

Pretrain parse_pretrain(const std::string& name) {
  return parse("--pretrain", name, {Pretrain::kNone, Pretrain::kFeatures, Pretrain::kBoth}, "none, features and both");
}

Supervision parse_supervision(const std::string& name) {
  return parse("--supervision", name, {Supervision::kClasses, Supervision::kInstance}, "class and instance");
}

Mirror parse_mirror(const std::string& name) {
  return parse("--mirror", name, {Mirror::kNone, Mirror::kTraining, Mirror::kBoth}, "none, training and both");
}

FilterOptimizer parse_optimizer(const std::string& name) {
  return parse("--optimizer", name, {FilterOptimizer::kSgd, FilterOptimizer::kMuon}, "sgd and muon");
}

}  // namespace signet
