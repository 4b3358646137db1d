#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "apps/signet/data.h"
#include "apps/signet/reproduce.h"
#include "apps/signet/reproduce_record.h"
#include "apps/signet/reproduce_shallow.h"
#include "apps/signet/terminal.h"
#include "apps/signet/trainer_process.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/base/sha256.h"

namespace signet::cli {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 30;
constexpr std::size_t kKeyDigits = 12;
// Of what a run's key holds beside its options. Raised when the same options lead to other weights, so that records are made
// again.
constexpr const char* kTrainingVersion = "0.1.0";
constexpr int kLockTries = 100, kLockPause = 100'000;  // microseconds: ten seconds in all

// Options of a shallow method; the others of its row say which network's features it learns from.
constexpr std::array kShallowOptions{"method",   "features", "pca",    "rounds", "anchors",
                                     "labelled", "ridge",    "lambda", "nu",     "rows"};
// Options that the first stage does not read (TrainOptions::features_from): runs that differ in these alone share it.
constexpr std::array kLaterOptions{"loss", "alpha", "exponent-cap", "natural-weight", "joint-classification", "nested"};

template <typename Json = json>
Json parse_file(const std::string& path) {
  Json parsed = Json::parse(read_text_file(real_file_system(), path, kLargestFile), nullptr, false);
  if (!parsed.is_object()) fail(ErrorCode::kCorrupt, path, ": is no JSON object; remove it, and the run is made again");
  return parsed;
}

// One process at a time in a work folder: two would write the same checkpoints. The trainer inherits the lock, so that one whose
// parent was killed keeps the next run waiting until it has written its checkpoint.
class WorkLock {
 public:
  explicit WorkLock(const std::string& folder) : file_(open(join_path(folder, "lock").c_str(), O_CREAT | O_RDWR, 0644)) {
    if (file_ < 0) fail(ErrorCode::kIo, join_path(folder, "lock"), " cannot be opened: ", std::strerror(errno));
    for (int tries = 0; flock(file_, LOCK_EX | LOCK_NB) != 0; ++tries) {
      if (errno != EINTR && (tries == kLockTries || interrupted())) {
        close(file_);
        fail(ErrorCode::kBusy, folder, ": another signet reproduce works here; wait for it, or give another --work folder");
      }
      usleep(kLockPause);
    }
  }
  ~WorkLock() { close(file_); }
  WorkLock(const WorkLock&) = delete;
  WorkLock& operator=(const WorkLock&) = delete;

 private:
  int file_;
};

class PlanRunner {
 public:
  PlanRunner(const ExperimentPlan& plan, const ReproduceArguments& arguments)
      : plan_(plan), arguments_(arguments), protocol_(training_protocol(plan)), shallow_(arguments.threads, arguments.quiet) {
    data_.path = plan.data.starts_with('/') ? plan.data : join_path(arguments.data, plan.data);
    data_.leave_out_copies = plan.leave_out_copies;
    data_.compose = plan.compose;
  }

  void run() {
    open();
    const std::vector<PlanJob> jobs = jobs_of(plan_);
    for (const PlanJob& job : jobs) renew_texts(job);
    std::vector<const PlanJob*> missing;
    for (const PlanJob& job : jobs)
      if (!missing_records(job).empty()) missing.push_back(&job);
    say(concat(plan_.name, ": ", missing.size(), " of ", jobs.size(), " networks to train or to measure"));
    if (missing.empty()) return;
    real_file_system().create_directory(arguments_.work);
    real_file_system().create_directory(records_folder());
    const WorkLock lock(arguments_.work);
    check_options(missing);
    const double began = now_seconds();
    for (const PlanJob* job : missing) {
      if (interrupted()) fail(ErrorCode::kCancelled, "stopped on request; the same command goes on from here");
      run_job(*job);
    }
    say(concat(plan_.name, ": ", missing.size(), missing.size() == 1 ? " network" : " networks", " trained and measured in ",
               human_seconds(now_seconds() - began)));
  }

  void dry_run() const {
    const std::vector<PlanJob> jobs = jobs_of(plan_);
    std::vector<const PlanJob*> all;
    all.reserve(jobs.size());
    for (const PlanJob& job : jobs) all.push_back(&job);
    check_options(all);
  }

  // Returns the seconds of one core that training took.
  double list() {
    open();
    const std::vector<PlanJob> jobs = jobs_of(plan_);
    std::size_t there = 0;
    double seconds = 0;                    // of one core
    std::map<std::string, double> shared;  // likewise, by the stage or the features that several networks share
    for (const PlanJob& job : jobs) {
      const std::size_t all = job.measured.size() * plan_.protocols.size(), missing = missing_records(job).size();
      std::cout << plan_.name << "  " << job.method << "  " << job.bits << " bits  seed " << job.seed << "  " << all - missing
                << " of " << all << " records\n";
      if (missing > 0) continue;
      const json record = parse_file(record_path(job, {job.measured.front(), plan_.protocols.front()}));
      const double cores = record.value("threads", 1.0), common = record.value("shared_seconds", 0.0);
      seconds += cores * (record.value("train_seconds", 0.0) - common - record.value("teacher_seconds", 0.0));
      shared[shared_key_of(job)] = cores * common;
      ++there;
    }
    for (const auto& part : shared) seconds += part.second;
    std::cout << plan_.name << ": " << there << " of " << jobs.size() << " networks are there; training them took "
              << std::llround(seconds / 60) << " minutes of one core, stages that they share counted once\n";
    return seconds;
  }

 private:
  void open() {
    try {
      whole_ = open_dataset(data_.path, data_.dataset_options());
      const std::vector<std::string> splits = dataset_splits(data_.path, data_.dataset_options());
      has_train_part_ = splits.size() > 1 && std::find(splits.begin(), splits.end(), "train") != splits.end();
    } catch (const Error& error) {
      const bool elsewhere = !plan_.data.starts_with('/') && !real_file_system().exists(data_.path);
      fail(error.code(), "plan ", plan_.name, ": ", error.what(),
           elsewhere ? "; --data DIR names the folder in which it lies" : "");
    }
  }

  void say(const std::string& text) const {
    if (!arguments_.quiet) note("reproduce", text);
  }
  std::string records_folder() const { return join_path(arguments_.results, "records"); }
  std::string record_path(const PlanJob& job, const WantedRecord& wanted) const {
    return join_path(records_folder(),
                     concat(plan_.name, "_", wanted.second, "_", job.method, "_", wanted.first, "_s", job.seed, ".json"));
  }

  // Everything that a network depends on, as far as the plan decides it. Part of every record: another plan under the same name
  // makes the record missing again.
  json identity(const PlanJob& job) const {
    json all = {{"data", whole_->describe()}, {"copies", plan_.leave_out_copies},
                {"compose", plan_.compose},   {"protocol", protocol_},
                {"bits", job.bits},           {"seed", job.seed},
                {"train", job.train},         {"version", kTrainingVersion}};
    if (job.teacher != nullptr) all["teacher"] = identity(*job.teacher);
    return all;
  }
  static std::string short_hash(const json& value) { return sha256_hex(as_bytes(value.dump())).substr(0, kKeyDigits); }
  std::string key_of(const PlanJob& job) const { return short_hash(identity(job)); }
  std::string features_key_of(const PlanJob& job) const {
    json shared = identity(job);
    shared.erase("bits");
    for (const char* name : kLaterOptions) shared["train"].erase(name);
    return short_hash(shared);
  }
  // Options of later stages say nothing of it, and need not fit the length that the trainer takes where none is given.
  std::vector<std::string> features_words(PlanJob job, const std::string& teacher = kTeacher) const {
    for (const char* name : kLaterOptions) job.train.erase(name);
    return common_words(job, teacher);
  }
  static bool has_features_stage(const PlanJob& job) {
    const auto found = job.train.find("pretrain");
    return found == job.train.end() || found->second != std::vector<std::string>{"none"};
  }

  // A shallow method on features of a network that the plan trains, not of a model that it names: the first stage that the plan's
  // networks of the same options share.
  static bool on_first_stage(const PlanJob& job) {
    const auto features = job.train.find("features");
    return job.is_shallow() && features != job.train.end() && !features->second.empty() &&
           features->second.front().starts_with("network") && !job.train.contains("model");
  }
  static PlanJob part_of(PlanJob job, bool of_method) {
    std::erase_if(job.train, [&](const auto& option) {
      const bool of_shallow = std::find(kShallowOptions.begin(), kShallowOptions.end(), option.first) != kShallowOptions.end();
      return of_shallow != of_method;
    });
    return job;
  }
  static PlanJob first_stage(const PlanJob& job) { return part_of(job, false); }
  static PlanJob shallow_part(const PlanJob& job) { return part_of(job, true); }

  // Of what a record's shared_seconds count.
  std::string shared_key_of(const PlanJob& job) const {
    if (on_first_stage(job)) return features_key_of(first_stage(job));
    if (!job.is_shallow()) return features_key_of(job);
    return features_key(shallow_request(job));
  }

  std::vector<WantedRecord> missing_records(const PlanJob& job) const {
    std::vector<WantedRecord> missing;
    for (const std::uint32_t bits : job.measured) {
      for (const std::string& protocol : plan_.protocols) {
        const std::string path = record_path(job, {bits, protocol});
        if (!real_file_system().exists(path) || parse_file(path).value("run", "") != key_of(job))
          missing.emplace_back(bits, protocol);
      }
    }
    return missing;
  }

  // What the plan says about its numbers decides none of them: records that are there take over what it says now.
  void renew_texts(const PlanJob& job) const {
    for (const std::uint32_t bits : job.measured) {
      for (const std::string& protocol : plan_.protocols) {
        const std::string path = record_path(job, {bits, protocol});
        if (!real_file_system().exists(path)) continue;
        auto record = parse_file<nlohmann::ordered_json>(path);
        if (record.value("run", "") != key_of(job)) continue;
        const auto before = record;
        record["plan_title"] = plan_.title, record["plan_text"] = plan_.text, record["remark"] = job.remark;
        if (plan_.goal >= 0) record["goal"] = plan_.goal;
        if (plan_.goal < 0) record.erase("goal");
        if (plan_.headline) record["headline"] = true;
        if (!plan_.headline) record.erase("headline");
        if (record != before) write_file_atomically(real_file_system(), path, as_bytes(record.dump(2) + "\n"));
      }
    }
  }

  // teacher: the file of the network that is the job's teacher, where it has one.
  std::vector<std::string> common_words(const PlanJob& job, const std::string& teacher = kTeacher) const {
    std::vector<std::string> words = {"--data", data_.path, "--seed", std::to_string(job.seed)};
    if (data_.leave_out_copies) words.emplace_back("--leave-out-copies");
    if (data_.compose) words.emplace_back("--compose");
    if (!protocol_.empty())
      words.insert(words.end(), {"--protocol", protocol_});
    else if (has_train_part_)
      words.insert(words.end(), {"--split", "train"});
    for (const auto& [name, values] : job.train) {
      words.push_back("--" + name);
      if (name == "precision" && arguments_.float32)
        words.emplace_back("float32");
      else
        words.insert(words.end(), values.begin(), values.end());
    }
    if (job.teacher != nullptr) words.insert(words.end(), {"--teacher", teacher});
    return words;
  }
  std::vector<std::string> model_words(const PlanJob& job, const std::string& teacher = kTeacher) const {
    std::vector<std::string> words = common_words(job, teacher);
    words.insert(words.end(), {"--bits", std::to_string(job.bits)});
    return words;
  }

  // That check options and train nothing.
  std::vector<std::string> dry_words(const PlanJob& job) const {
    std::vector<std::string> words = model_words(job);
    words.insert(words.end(), {"--out", "model.onnx", "--dry-run", "--quiet"});
    return words;
  }
  ShallowRequest shallow_request(const PlanJob& job) const {
    std::vector<std::string> words = dry_words(on_first_stage(job) ? shallow_part(job) : job);
    if (on_first_stage(job)) words.insert(words.end(), {"--model", kFirstStage});
    ShallowRequest request;
    parse_shallow(words, request);
    return request;
  }

  // An option that does not exist shall not be found after hours. Of several lengths the first is enough: plans name the shortest
  // first, which allows least. The trainer checks all in one start, most of which is loading libtorch.
  void check_options(const std::vector<const PlanJob*>& jobs) const {
    std::set<std::vector<std::string>> checked;
    std::vector<std::string> of_trainer;
    const auto ask_trainer = [&of_trainer](const std::vector<std::string>& words) {
      if (!of_trainer.empty()) of_trainer.emplace_back(kAndThen);
      of_trainer.insert(of_trainer.end(), words.begin(), words.end());
    };
    for (const PlanJob* job : jobs) {
      PlanJob any = *job;
      any.seed = 1;
      if (!checked.insert(common_words(any)).second) continue;
      if (!job->is_shallow()) {
        ask_trainer(dry_words(any));
        continue;
      }
      shallow_request(any);  // throws
      if (on_first_stage(any)) {
        std::vector<std::string> first = features_words(first_stage(any));
        first.insert(first.end(), {"--features-out", kFirstStage, "--dry-run", "--quiet"});
        if (checked.insert(first).second) ask_trainer(first);
      }
    }
    if (!of_trainer.empty()) run_trainer(of_trainer);
  }

  // Trains into work/<name> unless it is there, going on where a run was cut off. Its numbers are kept beside it, written last.
  json train(std::vector<std::string> words, const char* flag, const std::string& name) const {
    const std::string path = join_path(arguments_.work, name), numbers = path + ".json", checkpoint = path + ".checkpoint";
    FileSystem& fs = real_file_system();
    if (fs.exists(numbers) && fs.exists(path)) return parse_file(numbers);
    words.insert(words.end(), {flag, path, "--checkpoint", checkpoint, "--log", path + ".jsonl", "--json"});
    if (fs.exists(join_path(checkpoint, "training.sigckpt"))) words.emplace_back("--resume");
    if (arguments_.threads > 0) words.insert(words.end(), {"--threads", std::to_string(arguments_.threads)});
    if (arguments_.quiet) words.emplace_back("--quiet");
    const TrainerOutcome outcome = run_trainer(words);
    json result = json::parse(outcome.output, nullptr, false);
    if (!result.is_object()) fail(ErrorCode::kInternal, "signet-train printed no JSON object");
    result["peak_memory_mib"] = outcome.peak_memory_mib;
    write_file_atomically(fs, numbers, as_bytes(result.dump(2)));
    std::filesystem::remove_all(checkpoint);
    return result;
  }

  void run_shallow(const PlanJob& job) {
    say(concat(job.method, ", ", job.bits, " bits, seed ", job.seed));
    TrainedNetwork network;
    network.key = key_of(job);
    network.model = join_path(arguments_.work, network.key + ".onnx");
    network.words = model_words(job);
    std::vector<std::string> words = network.words;
    if (on_first_stage(job)) {
      const PlanJob first = first_stage(job), own = shallow_part(job);
      const std::string features = features_key_of(first) + ".features";
      network.features = train(features_words(first), "--features-out", features);
      network.features_log = join_path(arguments_.work, features + ".jsonl");
      network.before = {features_words(first)};
      network.before.front().insert(network.before.front().end(), {"--features-out", kFirstStage});
      network.words = words = model_words(own);
      network.words.insert(network.words.end(), {"--model", kFirstStage});
      words.insert(words.end(), {"--model", join_path(arguments_.work, features)});
    }
    words.insert(words.end(), {"--out", network.model});
    network.numbers = shallow_.learn(words);
    measure(job, network);
  }

  void run_job(const PlanJob& job) {
    if (job.is_shallow()) return run_shallow(job);
    measure(job, train_network(job));
  }

  TrainedNetwork train_network(const PlanJob& job) const {
    TrainedNetwork network, teacher;
    if (job.teacher != nullptr) teacher = train_network(*job.teacher);
    say(concat(job.method, ", ", job.bits, " bits, seed ", job.seed));
    network.key = key_of(job);
    const std::string name = network.key + ".onnx";
    std::vector<std::string> words = model_words(job, teacher.model);
    if (has_features_stage(job)) {
      const std::string features = features_key_of(job) + ".features";
      network.features = train(features_words(job, teacher.model), "--features-out", features);
      network.features_log = join_path(arguments_.work, features + ".jsonl");
      words.insert(words.end(), {"--features-from", join_path(arguments_.work, features)});
    }
    network.numbers = train(words, "--out", name);
    network.log = join_path(arguments_.work, name + ".jsonl");
    network.model = join_path(arguments_.work, name);
    network.words = model_words(job);
    if (job.teacher != nullptr) count_teacher(network, teacher);
    return network;
  }

  // What the teacher took is part of what its student took.
  static void count_teacher(TrainedNetwork& network, const TrainedNetwork& teacher) {
    json& own = network.numbers;
    for (const char* key : {"train_seconds", "image_passes", "pflop"})
      own[key] = own.at(key).get<double>() + teacher.numbers.at(key).get<double>();
    own["image_passes"] = static_cast<std::uint64_t>(own["image_passes"].get<double>());
    own["teacher_seconds"] = teacher.numbers.at("train_seconds");
    own["teacher_image_passes"] = teacher.numbers.at("image_passes");
    network.before = teacher.before;
    network.before.push_back(teacher.words);
    network.before.back().insert(network.before.back().end(), {"--out", kTeacher});
  }

  void measure(const PlanJob& job, const TrainedNetwork& network) {
    RecordSource source{plan_, job, network, data_, *whole_, arguments_.threads, arguments_.quiet, arguments_.float32};
    if (job.is_shallow()) {
      source.encode = [this](const Encoder& encoder, const Dataset& data, const std::string& root) {
        return shallow_.encode(encoder, data, root);
      };
      source.overlaps = &shallow_.overlaps(job.seed);
    }
    measure_network(source, missing_records(job), [&](const MeasuredRecord& measured) {
      const std::string path = record_path(job, {measured.bits, measured.protocol});
      // Examples of one network a row are enough to look at. Written first: a record that is there is complete.
      if (is_first_seed(job))
        write_file_atomically(real_file_system(), std::filesystem::path(path).replace_extension(".pictures").string(),
                              as_bytes(measured.pictures));
      write_file_atomically(real_file_system(), path, as_bytes(measured.record));
    });
  }
  bool is_first_seed(const PlanJob& job) const {
    for (const PlanJob& other : jobs_of(plan_))
      if (other.method == job.method && other.bits == job.bits && other.seed < job.seed) return false;
    return true;
  }

  const ExperimentPlan& plan_;
  const ReproduceArguments& arguments_;
  std::string protocol_;
  DataArguments data_;
  std::shared_ptr<const Dataset> whole_;
  bool has_train_part_ = false;
  ShallowBench shallow_;
};

}  // namespace

void run_plan(const ExperimentPlan& plan, const ReproduceArguments& arguments) { PlanRunner(plan, arguments).run(); }

double list_plan(const ExperimentPlan& plan, const ReproduceArguments& arguments) { return PlanRunner(plan, arguments).list(); }

void check_plan(const ExperimentPlan& plan, const ReproduceArguments& arguments) { PlanRunner(plan, arguments).dry_run(); }

}  // namespace signet::cli
