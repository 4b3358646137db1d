#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/dedup_data.h"
#include "bench/dedup_methods.h"
#include "signet/base/cpu.h"
#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/base/thread_pool.h"
#include "signet/dedup/groups.h"
#include "signet/dedup/picture_hash.h"
#include "signet/encode/encoder.h"
#ifdef SIGNET_WITH_LEARN
#include "apps/signet-train/process_settings.h"
#include "signet/learn/train.h"
#endif

// ./run bench dedup: how many planted copies each method finds at a precision of 0.99, kind by kind; how long grouping
// takes.
namespace signet::bench {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

const char kUsage[] =
    "usage: signet-bench-dedup [--data PATH] [--model FILE] [--images N] [--copies N] [--seed S] [--bits K] [--alpha X] "
    "[--epochs E]\n"
    "                          [--batch N] [--arch NAME] [--threads N] [--float32] [--group N] [--train-only] [--json]\n"
    "                          [--same FILE] [--wrong FILE] [--precision P]\n"
    "  --model FILE  the instance model; trained on the tuning half of the images and kept there where it does not exist;\n"
    "                none: perceptual hashes alone\n"
    "  --group N     codes to group for the time (1,000,000; 0: leave out)\n"
    "  --same FILE   images of the data that show the same picture, as somebody has seen: keys, with tabs between, a line for "
    "each\n"
    "                picture; all but one of them are left out\n"
    "  --wrong FILE  write down the pairs that count as wrong: method, key, key (copies as kind:key)\n"
    "  --precision P what tuning asks of the half that it sees (0.99)\n";

struct Setup {
  std::string data = "/usr/share/datasets/fashion-mnist", model, same, wrong, arch = "small";
  std::size_t images = 50'000, copies = 5'000, group = 1'000'000, batch = 0, bits = 0, threads = 0;
  std::uint64_t seed = 1;
  double alpha = 0, epochs = 0, precision = 0.99;
  bool json = false, train_only = false, float32 = false;
};

Setup parse(int count, char** values) {
  Setup s;
  const std::map<std::string, std::string*> texts = {
      {"--data", &s.data}, {"--model", &s.model}, {"--arch", &s.arch}, {"--same", &s.same}, {"--wrong", &s.wrong}};
  const std::map<std::string, std::size_t*> numbers = {{"--images", &s.images}, {"--copies", &s.copies},
                                                       {"--group", &s.group},   {"--batch", &s.batch},
                                                       {"--bits", &s.bits},     {"--threads", &s.threads}};
  const std::map<std::string, bool*> switches = {{"--json", &s.json}, {"--train-only", &s.train_only}, {"--float32", &s.float32}};
  const std::map<std::string, double*> reals = {{"--alpha", &s.alpha}, {"--epochs", &s.epochs}, {"--precision", &s.precision}};
  for (int i = 1; i < count; ++i) {
    const std::string flag = values[i];
    if (switches.contains(flag)) {
      *switches.at(flag) = true;
      continue;
    }
    if (flag == "--help" || i + 1 == count) {
      std::fputs(kUsage, stdout);
      std::exit(flag == "--help" ? 0 : 2);
    }
    const char* value = values[++i];
    if (texts.contains(flag))
      *texts.at(flag) = value;
    else if (numbers.contains(flag))
      *numbers.at(flag) = std::strtoull(value, nullptr, 10);
    else if (reals.contains(flag))
      *reals.at(flag) = std::strtod(value, nullptr);
    else if (flag == "--seed")
      s.seed = std::strtoull(value, nullptr, 10);
    else
      fail(ErrorCode::kUsage, "there is no option ", flag, "; --help lists them");
  }
  return s;
}

void say(const Setup& setup, const std::string& line) { (setup.json ? std::cerr : std::cout) << line << std::endl; }

// Trains on the tuning half where the model is not there yet.
std::string model_of(const Setup& setup, const Planted& planted) {
  const std::string path = setup.model.empty() ? "bench-dedup-model.onnx" : setup.model;
  if (!setup.model.empty() && real_file_system().exists(path)) return path;
#ifdef SIGNET_WITH_LEARN
  TrainOptions options;
  options.supervision = Supervision::kInstance;
  const InstanceDefaults defaults;
  options.bits = setup.bits > 0 ? static_cast<std::uint32_t>(setup.bits) : defaults.bits;
  options.alpha = setup.alpha > 0 ? setup.alpha : defaults.alpha;
  options.epochs = setup.epochs;
  options.arch = setup.arch;
  options.batch = setup.batch;
  options.seed = setup.seed;
  options.threads = setup.threads;
  options.bfloat16 = !setup.float32;
  options.checkpoint_folder = path + ".checkpoints";
  options.resume = real_file_system().exists(options.checkpoint_folder + "/training.sigckpt");
  double last = 0;
  const auto began = Clock::now();
  const TrainResult result = train(*tuning_half(planted), options, path, [&](const TrainProgress& p) {
    const double now = std::chrono::duration<double>(Clock::now() - began).count();
    if (now - last > 20) {
      last = now;
      std::cerr << "train " << p.step << "/" << p.steps << ", loss " << p.loss << ", " << p.images_per_second
                << " images/s, copies found " << p.validation_recall << std::endl;
    }
    return true;
  });
  say(setup, concat("trained ", path, " on the tuning half: ", options.bits, " bits, alpha ", options.alpha, ", ",
                    result.image_passes, " image passes in ", result.seconds, " s; ", 100 * result.validation_recall,
                    " % of held-out copies nearest to their original"));
  return path;
#else
  (void)planted;
  fail(ErrorCode::kUsage, path, " does not exist, and this build cannot train: give --model FILE");
#endif
}

CodeMatrix hashes(const Planted& planted, PictureHash kind, bool copies) {
  CodeMatrix codes(0, kPictureHashBits);
  if (copies)
    for (const PlantedCopy& copy : planted.copies) codes.append(picture_hash(copy.image, kind));
  else
    for (const Image& image : planted.images) codes.append(picture_hash(image, kind));
  return codes;
}

CodeMatrix encoded(const Encoder& encoder, std::size_t count, const std::function<Image(std::size_t)>& load) {
  CodeMatrix codes(0, encoder.info().bits);
  encode_all(encoder, count, load, [&](std::span<const std::size_t> indices, const Outputs& outputs) {
    const CodeMatrix block = pack_signs(outputs.hash, encoder.info().bits);
    for (std::size_t i = 0; i < indices.size(); ++i) codes.append(block.row(i));
  });
  return codes;
}

std::vector<Method> methods_of(const Setup& setup, const Planted& planted) {
  std::vector<Method> methods;
  for (const auto kind : {PictureHash::kAverage, PictureHash::kDifference, PictureHash::kDct, PictureHash::kBlockMean})
    methods.push_back({picture_hash_name(kind), {{hashes(planted, kind, false), hashes(planted, kind, true)}}});
  Method looked = methods[2];
  looked.name += "+second-look";
  looked.second_look = true;
  methods.push_back(looked);
  if (setup.model == "none") return methods;
  const Encoder encoder = Encoder::open(real_file_system(), model_of(setup, planted));
  Method instance;
  instance.name = concat("instance-", encoder.info().bits);
  instance.codes.push_back({encoded(encoder, planted.images.size(), [&](std::size_t i) { return planted.images[i]; }),
                            encoded(encoder, planted.copies.size(), [&](std::size_t i) { return planted.copies[i].image; })});
  methods.push_back(instance);
  instance.name += "+second-look";
  instance.second_look = true;
  methods.push_back(instance);
  instance.name = concat("instance-", encoder.info().bits, "+phash+second-look");  // what `signet dedup --model` does
  instance.codes.push_back(methods[2].codes.front());
  methods.push_back(instance);
  return methods;
}

Json or_null(const std::optional<std::uint32_t>& radius) { return radius ? Json(*radius) : Json(); }

std::string radii(const Method& method) {
  std::string text;
  for (const Codes& codes : method.codes) {
    text += concat(text.empty() ? "" : " or ", codes.radius);
    if (codes.trusted) text += concat(" (", *codes.trusted, " trusted)");
  }
  return text;
}

std::string name_of(const Planted& planted, std::size_t i) {
  if (i < planted.images.size()) return planted.keys[i];
  const PlantedCopy& copy = planted.copies[i - planted.images.size()];
  return concat(change_name(copy.change), ":", planted.keys[copy.source]);
}

// A million codes of one kind as a collection has them: the images' own codes, each with some twenty strangers made by flipping
// half as many bits as chance would, and one in twenty a near copy.
CodeMatrix many_codes(const Setup& setup, const Codes& own) {
  Random random(setup.seed);  // the same for each kind: near copies are near in all
  const std::uint32_t bits = own.images.bits();
  CodeMatrix codes(setup.group, bits);
  for (std::size_t i = 0; i < setup.group; ++i) {
    const bool near = i >= own.images.size() && random.below(20) == 0;
    const auto from = near ? codes.row(random.below(i)) : own.images.row(random.below(own.images.size()));
    std::copy(from.begin(), from.end(), codes.row(i).begin());
    if (i < own.images.size()) {
      std::copy(own.images.row(i).begin(), own.images.row(i).end(), codes.row(i).begin());
      continue;
    }
    Random flipped(mix_seed(setup.seed, i));
    for (std::uint64_t flips = near ? flipped.below(own.radius + 1) : bits / 4; flips > 0; --flips) {
      const std::uint64_t k = flipped.below(bits);
      codes.row(i)[k / 8] ^= static_cast<std::uint8_t>(1u << (k % 8));
    }
  }
  return codes;
}

// Grouping at the radii that keep `budget` false pairs an image, as calibration chooses them: strangers grow with the set, so the
// radii of fifty thousand images are too large for a million.
void time_grouping(const Setup& setup, const Method& method) {
  std::vector<CodeMatrix> codes;
  for (const Codes& own : method.codes) codes.push_back(many_codes(setup, own));
  StarOptions options;
  options.radius = method.codes[0].radius;
  if (codes.size() > 1) options.more = {&codes[1], method.codes[1].radius};
  const auto began = Clock::now();
  const std::size_t groups = star_groups(codes[0], options).size();
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  say(setup, concat(setup.group, " codes of ", method.name, " grouped at radius ", radii(method), " in ", seconds, " s (",
                    available_cpus(), " CPUs, ", groups, " groups)"));
}

void print_table(const std::vector<Method>& methods, const std::vector<Figures>& figures) {
  std::printf("%-12s %-9s", "recall", "");
  for (const Method& method : methods) std::printf(" %31s", method.name.c_str());
  std::printf("\n");
  for (std::size_t k = 0; k < figures[0].kinds.size(); ++k) {
    const KindFigures& row = figures[0].kinds[k];
    std::printf("%-12s %-9s", row.kind.c_str(), row.held_back ? (row.seen ? "held back" : "new kind") : "tuned");
    for (const Figures& f : figures) std::printf(" %31.4f", f.kinds[k].recall());
    std::printf("\n");
  }
  std::printf("%-22s", "precision, all pairs");
  for (const Figures& f : figures)
    std::printf(" %31.4f", f.pairs > 0 ? static_cast<double>(f.found) / static_cast<double>(f.pairs) : 1);
  std::printf("\n%-22s", "radius");
  for (const Method& method : methods) std::printf(" %31s", radii(method).c_str());
  std::printf("\n%-22s", "likeness");
  for (const Method& method : methods) std::printf(" %31.4f", method.likeness);
  std::printf("\n%-22s", "seconds to group");
  for (const Figures& f : figures) std::printf(" %31.2f", f.seconds);
  std::printf("\n");
}

int measure(const Setup& setup) {
  const auto began = Clock::now();
  const Planted planted = plant(setup.data, setup.images, setup.copies, setup.seed, setup.same);
  say(setup,
      concat(planted.describe, ": ", planted.read, " images, ", planted.twins, " left out as natural twins (correlation of ",
             kTwin, " or more; ", planted.by_list, " of them by ", setup.same.empty() ? "no list" : setup.same, "), ",
             planted.images.size(), " used, ", planted.copies.size(), " copies planted, seed ", setup.seed, ", ",
             std::chrono::duration<double>(Clock::now() - began).count(), " s"));
  if (setup.train_only) {
    model_of(setup, planted);
    return 0;
  }
  std::vector<Method> methods = methods_of(setup, planted);
  const Looks looks = look_at_all(planted);
  std::vector<Figures> figures;
  Json rows = Json::array();
  std::ofstream wrong(setup.wrong.empty() ? "/dev/null" : setup.wrong);
  for (Method& method : methods) {
    tune(method, planted, looks, setup.precision);
    figures.push_back(signet::bench::run(method, planted, looks));
    for (const KindFigures& row : figures.back().kinds)
      rows.push_back({{"method", method.name},
                      {"kind", row.kind},
                      {"held_back", row.held_back},
                      {"precision", row.precision()},
                      {"recall", row.recall()},
                      {"copies", row.copies},
                      {"kind_seen", row.seen},
                      {"near", row.copies > 0 ? static_cast<double>(row.near) / static_cast<double>(row.copies) : 0},
                      {"radius", method.codes[0].radius},
                      {"trusted", or_null(method.codes[0].trusted)},
                      {"more_radius", method.codes.size() > 1 ? Json(method.codes[1].radius) : Json()},
                      {"more_trusted", method.codes.size() > 1 ? or_null(method.codes[1].trusted) : Json()}});
    say(setup, concat(method.name, ": radius ", radii(method), ", likeness ", method.likeness, ", ", figures.back().found, " of ",
                      planted.copies.size(), " copies, ", figures.back().wrong.size(), " wrong pairs, ", figures.back().looks,
                      " second looks in ", figures.back().seconds, " s"));
    for (const auto& [a, b] : figures.back().wrong)
      wrong << method.name << '\t' << name_of(planted, a) << '\t' << name_of(planted, b) << '\n';
  }
  if (setup.group > 0) {
    Method& method = methods.back();
    constexpr double kBudget = 10;  // of `signet dedup`
    tune_for_size(method, planted, setup.group, kBudget);
    time_grouping(setup, method);
  }
  if (setup.json)
    std::cout << rows.dump(1) << std::endl;
  else
    print_table(methods, figures);
  return 0;
}

}  // namespace
}  // namespace signet::bench

int main(int count, char** values) {
#ifdef SIGNET_WITH_LEARN
  signet::cli::restart_with_settings(values);
#endif
  try {
    return signet::bench::measure(signet::bench::parse(count, values));
  } catch (const std::exception& error) {
    std::cerr << "signet-bench-dedup: " << error.what() << std::endl;
    return 4;
  }
}
