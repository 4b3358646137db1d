#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>

#include "apps/signet-train/process_settings.h"
#include "apps/signet/options.h"
#include "apps/signet/protocol_data.h"
#include "apps/signet/terminal.h"
#include "apps/signet/trainer_process.h"
#include "signet/base/cpu.h"
#include "signet/base/error.h"
#include "signet/base/text.h"
#include "signet/eval/protocol.h"
#include "signet/learn/train.h"

// `signet train`: a program of its own, run by signet, because it alone needs libtorch.
namespace signet::cli {
namespace {

using nlohmann::json;

struct TrainArguments {
  DataArguments data;
  TrainOptions options;
  std::uint64_t side = 0, translate = TrainOptions().translate, cutout = 0, draw_seed = 0;
  std::string out, features_out, protocol, supervision = "class", loss = "exp-product", pretrain = "both", mirror = "both",
                                           precision = "float32", optimizer = "sgd", unlabelled;
  std::string bits, alpha, cap, joint, epochs, validation, teacher_share;  // as given; empty: the default of TrainOptions
  std::vector<std::string> nested;
  std::vector<std::string> given_of_classes;  // those of kUnreadByInstance that were given
  bool natural_weight = false, full_size = false, draw_seed_given = false, dry_run = false, json = false, quiet = false;

  const std::string& written() const { return features_out.empty() ? out : features_out; }
};

void add_learning_options(OptionSet& set, TrainArguments& a) {
  const TrainOptions defaults;
  set.text("--arch", a.options.arch, "width of the network: small, medium, wide or large (small)", "NAME");
  set.text("--supervision", a.supervision,
           "what makes images similar: class (a common label) or instance (copies of one picture; needs no labels) (class)",
           "NAME");
  std::vector<std::string> losses;
  for (const LossName& loss : loss_names()) losses.push_back(loss.name);
  set.text(
      "--loss", a.loss,
      concat("reading of the exponentiated loss, or another method's loss to compare with: ", join(losses), " (exp-product)"),
      "NAME");
  set.text("--alpha", a.alpha, concat("scale of the loss's exponent, above 0, at most 40 (", defaults.alpha, ")"), "X");
  set.text("--exponent-cap", a.cap,
           concat("log of a pair's loss above which it only grows linearly, or none (", defaults.exponent_cap, ")"), "X");
  set.flag("--natural-weight", a.natural_weight, "weigh every pair the same, not similar and dissimilar pairs as groups");
  set.text("--pretrain", a.pretrain, "stages before the joint one: none, features or both (both)", "NAME");
  set.text("--joint-classification", a.joint,
           concat("weight of the classification loss in the joint stage; 0: off (", defaults.joint_classification, ")"),
           "LAMBDA");
  set.text("--mirror", a.mirror,
           "mirrored pictures: none (digits, text and signs change their meaning), training, or both: encoding then averages the "
           "outputs of a picture and its "
           "mirror image (both)",
           "NAME");
  set.flag("--full-size", a.full_size, "no progressive resizing: the first steps too see images of the full size");
  set.number("--translate", a.translate,
             concat("pixels that a training picture is shifted by at most, each way (", defaults.translate, ")"), "N", 0, 64);
  set.number("--cutout", a.cutout, "side in pixels of a square that is blanked out in each training picture; 0: none (0)", "N", 0,
             1024);
  set.texts("--nested", a.nested, "lengths whose first bits shall be good codes too, each below --bits", "K,...", ',');
  set.text("--epochs", a.epochs,
           "passes over the training images, all stages together (each takes one step at least); 0: the architecture's default",
           "N");
  set.text("--optimizer", a.optimizer,
           "what the filters learn by: sgd (Nesterov, as all weights), or muon (orthogonalised momentum) (sgd)", "NAME");
  set.number("--batch", a.options.batch, "images a step, at least 4; 0: the default", "N");
  set.number("--size", a.side,
             "side of the network's input in pixels; 0: the pictures' own where all agree and it is small, else 64", "N", 0,
             1024);
  set.text("--validation", a.validation,
           concat("share of every class kept from training to measure on (", defaults.validation_share, ")"), "SHARE");
}

void add_teacher_options(OptionSet& set, TrainArguments& a) {
  set.text("--teacher", a.options.teacher, "a model that names the classes of images without labels, to be trained on too",
           "FILE");
  set.text("--unlabelled", a.unlabelled, "those images (with --protocol: what it searches in and does not train on)", "PATH");
  set.text("--teacher-share", a.teacher_share,
           concat("of the images that the teacher gives a class, the share it is surest of (", TrainOptions().teacher_share, ")"),
           "SHARE");
}

void add_running_options(OptionSet& set, TrainArguments& a) {
  TrainOptions& o = a.options;
  set.number("--seed", o.seed, "of weights, split and batches: the same seed and threads give the same model (1)", "N");
  set.text("--device", o.device, "cpu or cuda (cpu)", "NAME");
  set.text("--precision", a.precision, "float32, or bfloat16 for the feature layers, quicker on CPUs with AVX-512 (float32)",
           "NAME");
  set.text("--checkpoint", o.checkpoint_folder, "folder for the checkpoint (OUT.checkpoint, removed at the end)", "DIR");
  set.flag("--resume", o.resume, "go on from the checkpoint, to the same weights as without the interruption");
  set.text("--features-out", a.features_out, "train the first stage alone and write it for --features-from, instead of --out",
           "FILE");
  set.text("--features-from", o.features_from, "begin after the first stage as this file holds it; the weights come out the same",
           "FILE");
  set.flag("--dry-run", a.dry_run, "check the options and stop before any image is read");
  set.text("--log", o.log_path, "append JSON lines about the run to this file", "FILE");
  set.threads(o.threads);
  set.json(a.json);
  set.quiet(a.quiet);
}

bool parse(Arguments words, TrainArguments& a) {
  Options options("train",
                  "Trains a network and its hash function together from labelled images, and writes them as one model file.",
                  "signet train --data /usr/share/datasets/fashion-mnist --bits 12 --out model.onnx\n"
                  "  --method NAME learns a shallow method instead: signet train --method itq --help explains them");
  a.data.add_to(options);
  a.data.add_derived_to(options.set());
  options->text("--protocol", a.protocol, "train on what this protocol trains on, of the train and the test part together",
                "NAME");
  options->number("--draw-seed", a.draw_seed, "of the protocol's draw (--seed)", "N");
  options->text("--bits", a.bits, "length of the codes, 1 to 4096 (12; for instance codes 64)", "K");
  options->text("--out", a.out, "the model file to write", "FILE");
  add_learning_options(options.set(), a);
  add_teacher_options(options.set(), a);
  add_running_options(options.set(), a);
  if (!options.parse(words)) return false;
  a.draw_seed_given = options->given("--draw-seed");
  for (const char* flag : kUnreadByInstance)
    if (options->given(flag)) a.given_of_classes.emplace_back(flag);
  if (a.out.empty() == a.features_out.empty()) fail(ErrorCode::kUsage, "give --out, or --features-out for the first stage alone");
  return true;
}

// `text` stays unused where it is empty.
void set_real(const char* flag, const std::string& text, double& target) {
  if (text.empty()) return;
  const std::optional<double> value = to_real(text);
  if (!value) fail(ErrorCode::kUsage, flag, " \"", text, "\" must be a number");
  target = *value;
}

void interpret(TrainArguments& a, Arguments words) {
  TrainOptions& o = a.options;
  o.supervision = parse_supervision(a.supervision);
  set_loss(o, a.loss);
  o.pretrain = parse_pretrain(a.pretrain);
  o.mirror = parse_mirror(a.mirror);
  if (a.precision != "float32" && a.precision != "bfloat16")
    fail(ErrorCode::kUsage, "--precision \"", a.precision, "\" does not exist; float32 and bfloat16 do");
  o.bfloat16 = a.precision == "bfloat16";
  o.optimizer = parse_optimizer(a.optimizer);
  const bool instance = o.supervision == Supervision::kInstance;
  const InstanceDefaults defaults;
  if (instance) o.alpha = defaults.alpha;
  double bits = instance ? defaults.bits : o.bits;
  set_real("--bits", a.bits, bits);
  if (!(bits >= 1 && bits <= 4096) || bits != std::floor(bits))
    fail(ErrorCode::kUsage, "--bits ", a.bits, " must be a whole number from 1 to 4096");
  o.bits = static_cast<std::uint32_t>(bits);
  o.side = static_cast<std::uint32_t>(a.side);
  o.translate = static_cast<std::uint32_t>(a.translate);
  o.cutout = static_cast<std::uint32_t>(a.cutout);
  set_real("--alpha", a.alpha, o.alpha);
  set_real("--joint-classification", a.joint, o.joint_classification);
  set_real("--epochs", a.epochs, o.epochs);
  set_real("--validation", a.validation, o.validation_share);
  set_real("--teacher-share", a.teacher_share, o.teacher_share);
  if (a.cap == "none")
    o.exponent_cap = std::numeric_limits<double>::infinity();
  else
    set_real("--exponent-cap", a.cap, o.exponent_cap);
  o.equal_pair_mass = !a.natural_weight;
  o.progressive_resizing = !a.full_size;
  for (const std::string& length : a.nested) {
    double value = 0;
    set_real("--nested", length, value);
    if (!(value >= 1 && value <= 4096 && value == std::floor(value)))
      fail(ErrorCode::kUsage, "--nested \"", length, "\" must be a whole number from 1 to below --bits");
    o.nested.push_back(static_cast<std::uint32_t>(value));
  }
  if (!a.draw_seed_given) a.draw_seed = o.seed;
  std::string command = "signet train";
  for (const std::string& word : words) command += " " + word;
  json record = {{"data", absolute_path(a.data.path)}, {"split", a.data.split}, {"command", command}};
  if (!a.protocol.empty()) record.update({{"protocol", a.protocol}, {"draw_seed", a.draw_seed}});
  if (a.data.leave_out_copies) record["leave_out_copies"] = true;
  if (a.data.compose) record["compose"] = true;
  if (!a.unlabelled.empty()) record["unlabelled"] = absolute_path(a.unlabelled);
  o.record = record.dump(-1, ' ', false, json::error_handler_t::replace);  // names of files need not be UTF-8
}

// Draws the progress of a run, unless quiet, and says a warning once.
class Display {
 public:
  explicit Display(bool quiet) : meter_("train", quiet), draw_(meter_.callback()) {}

  bool operator()(const TrainProgress& p) {
    if (!p.warning.empty() && p.warning != warned_) {
      meter_.clear();
      note("train", concat("warning: ", p.warning, " (stage ", p.stage, ", epoch ", fixed(p.epoch, 1), ")"));
    }
    warned_ = p.warning;
    std::string detail;
    if (p.epochs > 0) {
      detail = concat("epoch ", fixed(p.epoch, 1), "/", fixed(p.epochs, 1), "  loss ", fixed(p.loss, 4), "  ",
                      static_cast<std::uint64_t>(p.images_per_second), " images/s  ", human_seconds(p.seconds_left), " left");
      if (p.validation_recall >= 0) detail += concat("  copies found ", fixed(p.validation_recall, 4));
      if (p.validation_map >= 0) detail += concat("  validation mAP ", fixed(p.validation_map, 4));
    }
    return draw_({p.stage, p.step, p.steps, detail});
  }

 private:
  Meter meter_;
  ProgressFn draw_;
  std::string warned_;
};

void print_result(const TrainArguments& a, const TrainResult& r) {
  if (r.unreadable > 0) warn_of_unreadable(r.unreadable, r.first_unreadable);
  if (r.validation_copies > 0)
    note("train", concat("warning: ", with_commas(r.validation_copies), " of ", counted(r.validation_images, "validation image"),
                         " have the same pixels as an image that is trained on, so validation numbers are a little too good; "
                         "signet dedup finds copies"));
  if (r.added_steps > 0 && !r.model_path.empty())
    note("train", concat("every stage takes one step at least: ", counted(r.added_steps, "step"),
                         " more than --epochs asks for; a smaller --batch makes steps smaller"));
  const auto number = [](double value) { return value < 0 ? json() : json(value); };
  if (a.json) {
    json beginnings = json::object();
    for (const auto& [length, map] : r.validation_map_of_beginnings) beginnings[std::to_string(length)] = map;
    std::cout << json{{"model", r.model_path.empty() ? json() : json(r.model_path)},
                      {"fingerprint", r.fingerprint},
                      {"bits", a.options.bits},
                      {"seed", a.options.seed},
                      {"image_passes", r.image_passes},
                      {"train_seconds", r.seconds},
                      {"shared_image_passes", r.shared_image_passes},
                      {"shared_seconds", r.shared_seconds},
                      {"images_per_second", r.images_per_second},
                      {"validation_map", number(r.validation_map)},
                      {"validation_map_of_beginnings", beginnings},
                      {"validation_accuracy", number(r.validation_accuracy)},
                      {"validation_recall", number(r.validation_recall)},
                      {"unreadable", r.unreadable},
                      {"unlabelled_images", r.unlabelled_images},
                      {"taught_images", r.taught_images},
                      {"teacher_agreement", number(r.teacher_agreement)},
                      {"pflop", r.pflop}}
                     .dump(2, ' ', false, json::error_handler_t::replace)
              << '\n';
    return;
  }
  std::cout << a.written() << ": ";
  if (!r.model_path.empty()) std::cout << a.options.bits << " bits, fingerprint " << r.fingerprint.substr(0, 12) << ", ";
  std::cout << with_commas(r.image_passes) << " image passes in " << human_seconds(r.seconds) << " ("
            << static_cast<std::uint64_t>(r.images_per_second) << " images/s)\n";
  if (r.validation_recall >= 0)
    std::cout << "validation: " << fixed(100 * r.validation_recall, 2)
              << " % of altered copies are nearer to their original than to any other held-out image\n";
  std::string numbers;
  if (r.validation_map >= 0) numbers = concat("mAP ", fixed(r.validation_map, 4), " among the held-out training images");
  if (r.validation_accuracy >= 0) numbers += concat(numbers.empty() ? "" : ", ", "accuracy ", fixed(r.validation_accuracy, 4));
  if (r.taught_images > 0)
    std::cout << "teacher: " << with_commas(r.taught_images) << " of " << with_commas(r.unlabelled_images)
              << " images without labels were trained on with the classes it named"
              << (r.teacher_agreement < 0 ? std::string()
                                          : concat("; of held-out images that it is as sure of, it names ",
                                                   fixed(100 * r.teacher_agreement, 1), " % rightly"))
              << '\n';
  if (!numbers.empty()) std::cout << "validation: " << numbers << '\n';
}

void check_teacher(const TrainArguments& a) {
  const bool teacher = !a.options.teacher.empty(), part = !a.protocol.empty();
  if (!teacher && !a.unlabelled.empty())
    fail(ErrorCode::kUsage, "--unlabelled ", a.unlabelled, " needs --teacher: the model that names the classes of these images");
  if (!teacher && !a.teacher_share.empty())
    fail(ErrorCode::kUsage, "--teacher-share ", a.teacher_share, " needs --teacher: the model that names classes");
  if (teacher && a.unlabelled.empty() && !part)
    fail(ErrorCode::kUsage, "--teacher ", a.options.teacher, " needs --unlabelled: the images whose classes it shall name");
  if (teacher && a.unlabelled.empty() && !find_protocol(a.protocol).database_was_trained_on)
    fail(ErrorCode::kUsage, "--teacher ", a.options.teacher, ": --protocol ", a.protocol,
         " searches images that training must not see, so give others by --unlabelled");
}

// libtorch has vector code for bfloat16 where a CPU has AVX-512 alone; elsewhere it works number by number (docs/train.md).
void warn_of_slow_bfloat16(const TrainOptions& o) {
  const CpuFeatures& cpu = cpu_features();
  if (!o.bfloat16 || !o.device.starts_with("cpu") || (cpu.avx512bw && cpu.avx512vl)) return;
  note("train",
       "warning: this CPU has no AVX-512, without which --precision bfloat16 takes many times as long as --precision float32 (of "
       "plans: signet reproduce --float32)");
}

// What the teacher is asked about; nothing without one.
std::shared_ptr<const Dataset> open_unlabelled(const TrainArguments& a) {
  if (a.options.teacher.empty()) return nullptr;
  if (a.unlabelled.empty()) return part_of_protocol(a.data, a.protocol, "unlabelled", a.draw_seed);
  DataArguments source = a.data;
  source.path = a.unlabelled;
  source.split.clear();
  source.format = "auto";  // --format and --leave-out-copies say something of --data alone
  source.leave_out_copies = false;
  return source.open();
}

int run(Arguments words) {
  TrainArguments a;
  if (!parse(words, a)) return 0;
  const bool own_folder = a.options.checkpoint_folder.empty();
  if (own_folder) a.options.checkpoint_folder = a.written() + ".checkpoint";
  if (!a.dry_run)
    if (a.protocol.empty()) a.data.prefer_train_part("training on", a.quiet);
  check_teacher(a);
  interpret(a, words);
  check_train_options(a.options, a.given_of_classes);
  if (!a.protocol.empty()) find_protocol(a.protocol);
  if (!a.quiet) warn_of_slow_bfloat16(a.options);
  if (a.dry_run) return 0;
  if (a.features_out.empty())
    check_output_file("--out", a.out, Output::kModel);
  else
    check_output_file("--features-out", a.features_out, Output::kFeatures);
  check_output_folder("--checkpoint", a.options.checkpoint_folder);
  if (const std::string& teacher = a.options.teacher; !teacher.empty() && !real_file_system().exists(teacher))
    fail(ErrorCode::kNotFound, "--teacher ", teacher, ": there is no such file");  // found before images are read
  catch_interrupts();
  const auto data = a.protocol.empty() ? a.data.open() : part_of_protocol(a.data, a.protocol, "train", a.draw_seed);
  a.options.unlabelled = open_unlabelled(a);
  Display display(a.quiet);
  const TrainResult result = a.features_out.empty() ? train(*data, a.options, a.out, std::ref(display))
                                                    : train_features(*data, a.options, a.features_out, std::ref(display));
  if (own_folder) {
    std::error_code ignored;  // a checkpoint of a finished run that stays behind does no harm
    std::filesystem::remove(join_path(a.options.checkpoint_folder, "training.sigckpt"), ignored);
    std::filesystem::remove(a.options.checkpoint_folder, ignored);
  }
  print_result(a, result);
  return 0;
}

int report(const std::string& message, ErrorCode code) {
  std::cout.flush();
  std::cerr << "signet train: " << message << '\n';
  return exit_status(code);
}

// One run, or several with kAndThen between them: up to the first that fails.
int run_each(const std::vector<std::string>& words) {
  for (auto begin = words.begin();; ++begin) {
    const auto end = std::find(begin, words.end(), kAndThen);
    const int status = run(Arguments(begin, end));
    if (status != 0 || end == words.end()) return status;
    begin = end;
  }
}

int main_of(const std::vector<std::string>& words) {
  try {
    const int status = run_each(words);
    if (!std::cout.flush()) fail(ErrorCode::kIo, "the results could not be written to standard output (is the disk full?)");
    return status;
  } catch (const Error& error) {
    return report(error.what(), error.code());
  } catch (const std::bad_alloc&) {
    return report("there is not enough memory for this; a smaller --batch or --size needs less", ErrorCode::kInternal);
  } catch (const std::exception& error) {
    return report(concat("an internal error, please report it: ", error.what()), ErrorCode::kInternal);
  }
}

}  // namespace
}  // namespace signet::cli

int main(int count, char** values) {
  signet::cli::restart_with_settings(values);
  return signet::cli::main_of(std::vector<std::string>(values + 1, values + count));
}
