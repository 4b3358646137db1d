// Inference and bulk encoding: signet's engine, OpenCV's dnn and libtorch run the same model file in one run, outputs compared
// first; then encode_all from memory and from a tar of JPEGs.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "bench/encode_measure.h"
#include "bench/encode_peers.h"
#include "bench/encode_tar.h"
#include "encode/engine.h"
#include "encode/test_networks.h"
#include "signet/base/cpu.h"
#include "signet/base/thread_pool.h"
#include "signet/dataset/dataset.h"
#include "signet/encode/encoder.h"

namespace signet::bench {
namespace {

using nlohmann::ordered_json;
using namespace testing_networks;

struct Options {
  std::size_t threads = 0;
  double slice = 0.5;
  int rounds = 3;
  std::size_t pictures = 4000;
  std::string only;
  bool json = false;
};

struct Case {
  std::string name;
  Network network;
  std::uint32_t bits;
};

// The networks that `signet train --arch` makes (src/learn/network.h), with random weights, at the sizes of the usual data sets.
std::vector<Case> cases() {
  std::vector<Case> all;
  all.push_back({"small 28x28x1", airbench(1, 28, {8, 32, 64, 128}, 12), 12});
  all.push_back({"small 32x32x3", airbench(3, 32, {24, 32, 64, 128}, 12), 12});
  all.push_back({"medium 28x28x1", airbench(1, 28, {8, 64, 256, 256}, 48), 48});
  all.push_back({"medium 32x32x3", airbench(3, 32, {24, 64, 256, 256}, 48), 48});
  all.push_back({"medium 48x48x1", airbench(1, 48, {8, 64, 256, 256}, 48), 48});
  return all;
}

class Bench {
 public:
  explicit Bench(const Options& options)
      : options_(options), threads_(options.threads == 0 ? available_cpus() : options.threads) {
    folder_ = std::filesystem::temp_directory_path() / concat("signet-bench-encode-", ::getpid());
    std::filesystem::create_directories(folder_);
  }
  ~Bench() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  int run();

 private:
  template <typename... Parts>
  void say(const Parts&... parts) {
    if (!options_.json) std::printf("%s\n", concat(parts...).c_str());
    std::fflush(stdout);
  }
  bool wanted(const std::string& what) const { return options_.only.empty() || what.find(options_.only) != std::string::npos; }
  void throughput(const Case& c, std::size_t threads, std::size_t batch);
  void check(std::vector<Contestant>& contestants, const std::vector<std::vector<float>>& outputs);
  void add(const std::string& kind, const Case& c, const Contestant& one, std::size_t threads, const Contestant& ours);
  void bulk_memory(const Case& c);
  void bulk_tar(const Case& c);
  double engine_alone(const Case& c, std::size_t threads, const std::vector<Image>& images) const;

  Options options_;
  std::size_t threads_;
  std::filesystem::path folder_;
  ordered_json rows_ = ordered_json::array();
  bool wrong_ = false;
};

std::vector<Image> images_for(const Network& network, std::size_t count) {
  std::vector<Image> images;
  for (std::size_t i = 0; i < count; ++i) images.push_back(random_image(network.width, network.height, network.channels, i));
  return images;
}

void Bench::check(std::vector<Contestant>& contestants, const std::vector<std::vector<float>>& outputs) {
  for (Contestant& c : contestants) c.call();
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    for (std::size_t k = 0; k < outputs[0].size(); ++k) {
      contestants[i].largest_difference =
          std::max(contestants[i].largest_difference, double{std::fabs(outputs[i][k] - outputs[0][k])});
    }
    if (!(contestants[i].largest_difference < 1e-3)) {
      wrong_ = true;
      say("WRONG: ", contestants[i].name, " differs by ", contestants[i].largest_difference);
    }
  }
}

void Bench::add(const std::string& kind, const Case& c, const Contestant& one, std::size_t threads, const Contestant& ours) {
  const double gflops = 2e-9 * static_cast<double>(multiply_adds(c.network)) * one.images_per_second;
  const double times = one.images_per_second / ours.images_per_second;
  rows_.push_back({{"case", kind},
                   {"network", c.name},
                   {"engine", one.name},
                   {"version", one.version},
                   {"threads", threads},
                   {"batch", one.images},
                   {"images_per_second", one.images_per_second},
                   {"ms_per_image", 1000 / one.images_per_second},
                   {"gflops", gflops},
                   {"relative_to_signet", times},
                   {"largest_difference", one.largest_difference}});
  if (options_.json) return;
  std::printf("%-10s %-15s %-14s %-8s threads %zu batch %-4zu %9.0f images/s %8.3f ms %7.1f GFLOP/s  x%.2f  differs %.0e\n",
              kind.c_str(), c.name.c_str(), one.name.c_str(), one.version.c_str(), threads, one.images, one.images_per_second,
              1000 / one.images_per_second, gflops, times, one.largest_difference);
  std::fflush(stdout);
}

// All engines from the same pixels or, for the peers, from the floats that preprocessing made of them (so that they are not
// slowed down by it).
void Bench::throughput(const Case& c, std::size_t threads, std::size_t batch) {
  const Model model = model_for(c.network, c.bits);
  const std::string path = folder_ / "model.onnx";
  write_model(real_file_system(), path, model);
  EncoderOptions encoder_options;
  encoder_options.threads = threads;
  const Encoder encoder = Encoder::open(real_file_system(), path, encoder_options);
  const std::vector<Image> images = images_for(c.network, batch);
  const std::size_t size = std::size_t{c.network.channels} * c.network.height * c.network.width;
  std::vector<float> floats(batch * size);
  for (std::size_t i = 0; i < batch; ++i) preprocess(images[i], model.info.preprocessing, floats.data() + i * size);

  std::vector<std::unique_ptr<Peer>> peers;
  peers.push_back(make_opencv_peer(c.network, path, threads));
  for (const bool channels_last : {false, true}) peers.push_back(make_torch_peer(c.network, threads, channels_last));
  std::erase(peers, nullptr);
  std::vector<std::vector<float>> outputs(peers.size() + 1, std::vector<float>(batch * c.bits));
  std::vector<Contestant> contestants;
  const std::string engine = encoder.engine();  // "onednn 2.6.3, 2 threads"
  contestants.push_back({"signet", engine.substr(engine.find(' ') + 1, engine.find(',') - engine.find(' ') - 1), batch,
                         [&] { outputs[0] = encoder.run(images).hash; }});
  for (std::size_t i = 0; i < peers.size(); ++i) {
    contestants.push_back(
        {peers[i]->name(), peers[i]->version(), batch, [&, i] { peers[i]->run(floats.data(), batch, outputs[i + 1].data()); }});
  }
  check(contestants, outputs);
  race(contestants, options_.slice, options_.rounds);
  for (const Contestant& one : contestants) add(batch == 1 ? "one-image" : "throughput", c, one, threads, contestants[0]);
}

// The engine alone: normalised floats in, every thread over and over on its own session. What bulk encoding is measured against.
double Bench::engine_alone(const Case& c, std::size_t threads, const std::vector<Image>& images) const {
  const auto engine = make_engine("auto", c.network);
  const Preprocessing how = preprocessing_for(c.network);
  const std::size_t each = 512;
  const double seconds = seconds_of([&] {
    std::vector<std::jthread> running;
    for (std::size_t t = 0; t < threads; ++t) {
      running.emplace_back([&, t] {
        const auto session = engine->make_session();
        std::vector<float> input(std::size_t{how.channels} * how.height * how.width), hash(c.bits);
        preprocess(images[t], how, input.data());
        for (std::size_t i = 0; i < each; ++i) session->run(input.data(), {hash.data(), nullptr, nullptr});
      });
    }
  });
  return static_cast<double>(each * threads) / seconds;
}

void Bench::bulk_memory(const Case& c) {
  const Encoder encoder(model_for(c.network, c.bits), {threads_, "auto"});
  const std::vector<Image> images = images_for(c.network, 256);
  double alone = 0, bulk = 0;
  for (int round = 0; round < options_.rounds; ++round) {
    alone = std::max(alone, engine_alone(c, threads_, images));
    const BulkResult result = encode_all(
        encoder, 512 * threads_, [&](std::size_t i) { return images[i % images.size()]; },
        [](std::span<const std::size_t>, const Outputs&) {});
    bulk = std::max(bulk, result.images_per_second);
  }
  rows_.push_back({{"case", "bulk-memory"},
                   {"network", c.name},
                   {"threads", threads_},
                   {"images_per_second", bulk},
                   {"engine_images_per_second", alone},
                   {"share_of_engine", bulk / alone}});
  say("bulk from memory  ", c.name, "  threads ", threads_, "  ", static_cast<int>(bulk), " images/s, the engine alone ",
      static_cast<int>(alone), ": ", static_cast<int>(100 * bulk / alone), " %");
}

void Bench::bulk_tar(const Case& c) {
  const std::string path = folder_ / "pictures.tar";
  constexpr std::uint32_t kWidth = 640, kHeight = 480;
  write_jpeg_tar(path, options_.pictures, kWidth, kHeight);
  DatasetOptions data_options;
  data_options.limits.target_side = std::max(c.network.width, c.network.height);
  const auto data = open_dataset(path, data_options);
  const Encoder encoder(model_for(c.network, c.bits), {threads_, "auto"});
  const double memory_before = own_memory_mb();
  BusyThreads busy_threads;
  double memory = memory_before;
  const auto load = [&](std::size_t i) {
    busy_threads.here();
    return data->get(i).image;
  };
  const auto sink = [&](std::span<const std::size_t>, const Outputs&) { memory = std::max(memory, own_memory_mb()); };
  const BulkResult result = encode_all(encoder, data->size(), load, sink);
  const double busy = busy_threads.share();
  if (!result.skipped.empty()) wrong_ = true;
  rows_.push_back({{"case", "bulk-tar"},
                   {"network", c.name},
                   {"threads", threads_},
                   {"pictures", data->size()},
                   {"picture_size", concat(kWidth, "x", kHeight)},
                   {"images_per_second", result.images_per_second},
                   {"busy_share", busy},
                   {"bottleneck", result.bottleneck},
                   {"skipped", result.skipped.size()},
                   {"memory_growth_mb", memory - memory_before}});
  say("bulk from a tar   ", c.name, "  threads ", threads_, "  ", data->size(), " JPEGs of ", kWidth, "x", kHeight, ": ",
      static_cast<int>(result.images_per_second), " images/s, threads running or ready to run ", static_cast<int>(100 * busy),
      " % of the time, bottleneck ", result.bottleneck, ", memory grew by ", static_cast<int>(memory - memory_before), " MB");
}

int Bench::run() {
  say("CPU ", cpu_name(), ", ", available_cpus(), " CPUs, build ", SIGNET_BUILD_TYPE, ", compiler ", __VERSION__);
  for (const Case& c : cases()) {
    if (!wanted(c.name)) continue;
    for (std::size_t threads = 1; threads <= threads_; threads = threads < threads_ ? threads_ : threads + 1)
      throughput(c, threads, 64);
    for (std::size_t threads = 1; threads <= threads_; threads = threads < threads_ ? threads_ : threads + 1)
      throughput(c, threads, 1);
    bulk_memory(c);
  }
  bulk_tar(cases()[1]);
  if (options_.json) std::printf("%s\n", rows_.dump(2).c_str());
  return wrong_ ? 1 : 0;
}

}  // namespace
}  // namespace signet::bench

int main(int argc, char** argv) {
  signet::bench::Options options;
  CLI::App app{"signet-bench-encode: inference engines on the same networks, and bulk encoding"};
  app.add_option("--threads", options.threads, "most threads; 0 = one per CPU");
  app.add_option("--slice", options.slice, "seconds of one measurement");
  app.add_option("--rounds", options.rounds, "measurements of each engine; the best counts");
  app.add_option("--pictures", options.pictures, "JPEGs in the tar");
  app.add_option("--only", options.only, "networks whose name contains this, e.g. \"small 28\"");
  app.add_flag("--json", options.json, "an array of objects instead of lines");
  CLI11_PARSE(app, argc, argv);
  try {
    return signet::bench::Bench(options).run();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "signet-bench-encode: %s\n", e.what());
    return 4;
  }
}
