// What training costs beside the network itself: images per second of a bare loop, the same network in libtorch's own operations
// forward and backward over one fixed batch, and of the trainer (augmentation, batches, loss, optimiser, averaging) on the same
// network, batch and threads, in turns, so that a busy machine disturbs both alike. Prints JSON.
//
//   signet-bench-train [--arch small] [--size 28] [--channels 1] [--bits 12] [--batch 500] [--steps 10] [--rounds 5]
//   [--bfloat16 0] [--optimizer sgd] [--threads all]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/signet-train/process_settings.h"
#include "learn/export.h"
#include "learn/test_data.h"
#include "learn/trainer.h"
#include "signet/base/cpu.h"

namespace {

using namespace signet;
using Clock = std::chrono::steady_clock;

struct Setup {
  std::string arch = "small";
  std::uint32_t size = 28, channels = 1, bits = 12;
  std::size_t batch = 500, steps = 10, rounds = 5;
  bool bfloat16 = false;
  std::string optimizer = "sgd";
  std::size_t threads = available_cpus();
};

// The trainer's network as a user of libtorch writes it.
class TorchNetwork {
 public:
  TorchNetwork(const HashNetwork& network, at::ScalarType type) : network_(network), type_(type) {}

  at::Tensor logits(const at::Tensor& images, bool hash_layer) const {
    at::Tensor x = at::gelu(convolve(images.to(type_), "whiten", 0));
    for (int b = 1; b <= 3; ++b) x = block(x, concat("block", b));
    x = x.amax({2, 3}).to(at::kFloat);
    if (!hash_layer) return at::linear(x, network_.value("head.weight")) * kClassifierScale;
    const at::Tensor code = normalise(at::linear(x, network_.value("hash.weight")), "hash.norm", {}).tanh();
    return at::linear(code, network_.value("classify.weight"), network_.value("classify.bias"));
  }

 private:
  at::Tensor block(at::Tensor x, const std::string& name) const {
    x = at::max_pool2d(convolve(x, name + ".conv1", 1), 2);
    x = at::gelu(shifted(x, name + ".norm1"));
    const at::Tensor skip = x;
    x = at::gelu(shifted(convolve(x, name + ".conv2", 1), name + ".norm2"));
    return network_.shape().depth == 3 ? at::gelu(shifted(convolve(x, name + ".conv3", 1), name + ".norm3") + skip) : x;
  }
  at::Tensor convolve(const at::Tensor& x, const std::string& name, std::int64_t pad) const {
    return at::conv2d(x, network_.value(name + ".weight").to(type_), {}, 1, pad);
  }
  at::Tensor shifted(const at::Tensor& x, const std::string& name) const {
    return normalise(x, name, network_.value(name + ".shift"));
  }
  at::Tensor normalise(const at::Tensor& x, const std::string& name, const at::Tensor& shift) const {
    return at::batch_norm(x, {}, shift, network_.value(name + ".mean"), network_.value(name + ".variance"), true, 0.4,
                          kNormEpsilon, false);
  }

  const HashNetwork& network_;
  at::ScalarType type_;
};

double seconds_of(const std::function<void()>& body) {
  const auto begin = Clock::now();
  body();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

class Bench {
 public:
  explicit Bench(const Setup& setup) : setup_(setup) {
    const BarDataset data(labels_in_turn(setup.batch * 8, 10), 10, setup.size, setup.channels);
    ThreadPool pool(0);
    set_ = load_training_set(data, 0, 0, 1, pool, std::uint64_t{4} << 30, [](std::size_t) { return true; });
    options_.bits = setup.bits, options_.arch = setup.arch, options_.bfloat16 = setup.bfloat16;
    options_.optimizer = parse_optimizer(setup.optimizer);
    options_.checkpoint_folder.clear();
    shape_ = network_shape(setup.arch, setup.channels, setup.size, setup.size, 10, setup.bits);
  }

  // Both must be one network before their times are compared.
  void check_network() {
    HashNetwork network(shape_, 1, at::kCPU);
    const at::Tensor images = normalised_images(set_, std::span(set_.train).first(64));
    network.fit_whitening(images);
    for (const bool hash_layer : {false, true}) {
      const at::Tensor bare = TorchNetwork(network, at::kFloat).logits(images, hash_layer);
      const at::Tensor ours = network.forward(images, HashNetwork::Mode::kTrain, hash_layer, false).logits;
      if (!at::allclose(bare, ours, 1e-3, 1e-3)) fail(ErrorCode::kInternal, "the bare loop's network is not the trainer's");
    }
  }

  // The loss must be right before its time is of interest: at binary codes it is exp(-alpha y c).
  void check_loss() const {
    std::vector<std::size_t> some(set_.train.begin(), set_.train.begin() + 64);
    const at::Tensor y = label_similarity(set_, some);
    const at::Tensor h = at::rand({64, setup_.bits}).sub_(0.5).sign_();
    const at::Tensor exact = (at::matmul(h, h.t()) * y * (-options_.alpha / setup_.bits)).exp();
    const double error =
        ((pair_log_loss(h, y, {options_.loss, options_.alpha, INFINITY, true}).exp() - exact) / exact).abs().max().item<double>();
    if (!(error < 1e-4)) fail(ErrorCode::kInternal, "the loss is wrong by a factor of ", error, " at binary codes");
  }

  nlohmann::json measure(const Stage& kind) {
    std::vector<double> bare, whole;
    HashNetwork network(shape_, 1, at::kCPU);
    network.fit_whitening(normalised_images(set_, std::span(set_.train).first(200)));
    bare_loop(network, kind, 2);  // caches and oneDNN's own choice of kernels
    for (std::size_t r = 0; r < setup_.rounds; ++r) {
      bare.push_back(seconds_of([&] { bare_loop(network, kind, setup_.steps); }));
      whole.push_back(seconds_of([&] { trainer(network, kind); }));
    }
    const double images = static_cast<double>(setup_.batch * setup_.steps);
    const double flop = 6.0 * static_cast<double>(multiply_adds(to_network(network, Logits::kFromCode)));
    return {{"stage", kind.name},
            {"bare_images_per_second", images / median(bare)},
            {"trainer_images_per_second", images / median(whole)},
            {"trainer_over_bare_time", median(whole) / median(bare)},
            {"bare_gflop_per_second", flop * images / median(bare) * 1e-9},
            {"trainer_gflop_per_second", flop * images / median(whole) * 1e-9}};
  }

 private:
  // Forward, the cheapest loss there is, backward; one batch, always the same.
  void bare_loop(HashNetwork& network, const Stage& kind, std::size_t steps) const {
    const at::Tensor images = normalised_images(set_, std::span(set_.train).first(setup_.batch));
    const TorchNetwork bare(network, setup_.bfloat16 ? at::kBFloat16 : at::kFloat);
    for (std::size_t s = 0; s < steps; ++s) {
      bare.logits(images, kind.hash_layer).square().sum().backward();
      for (Parameter& p : network.parameters()) p.value.mutable_grad() = at::Tensor();
    }
  }

  void trainer(HashNetwork& network, Stage kind) {
    kind.steps = setup_.steps;
    Plan plan;
    plan.batch = setup_.batch;
    plan.stages = {kind};
    const RunIdentity identity{"{}", set_.data_hash, "bench"};
    Optimizer optimizer(network, setup_.bfloat16);
    TrainingLog log("");
    TrainingState state;
    Trainer(set_, options_, plan, identity, network, optimizer, at::kCPU, log).run(state, [](const TrainProgress&) {
      return true;
    });
  }

  Setup setup_;
  TrainingSet set_;
  TrainOptions options_;
  NetworkShape shape_;
};

Setup parse(int count, char** values) {
  std::map<std::string, std::string> given;
  for (int i = 1; i + 1 < count; i += 2) given[values[i]] = values[i + 1];
  Setup s;
  const auto number = [&](const char* name, std::size_t fallback) {
    const auto found = given.find(name);
    return found == given.end() ? fallback : static_cast<std::size_t>(std::strtoull(found->second.c_str(), nullptr, 10));
  };
  if (given.contains("--arch")) s.arch = given["--arch"];
  s.size = static_cast<std::uint32_t>(number("--size", s.size)),
  s.channels = static_cast<std::uint32_t>(number("--channels", s.channels));
  s.bits = static_cast<std::uint32_t>(number("--bits", s.bits));
  s.batch = std::max<std::size_t>(64, number("--batch", s.batch)), s.steps = std::max<std::size_t>(1, number("--steps", s.steps));
  s.rounds = std::max<std::size_t>(1, number("--rounds", s.rounds)), s.bfloat16 = number("--bfloat16", 0) != 0;
  if (given.contains("--optimizer")) s.optimizer = given["--optimizer"];
  s.threads = std::max<std::size_t>(1, number("--threads", s.threads));
  return s;
}

}  // namespace

int main(int count, char** values) {
  signet::cli::restart_with_settings(values);
  try {
    const Setup setup = parse(count, values);
    at::set_num_threads(static_cast<int>(setup.threads));
    Bench bench(setup);
    bench.check_network();
    bench.check_loss();
    nlohmann::json result = {{"cpu", cpu_name()},
                             {"threads", at::get_num_threads()},
                             {"build", SIGNET_BUILD_TYPE},
                             {"arch", setup.arch},
                             {"input", concat(setup.channels, "x", setup.size, "x", setup.size)},
                             {"bits", setup.bits},
                             {"batch", setup.batch},
                             {"steps", setup.steps},
                             {"rounds", setup.rounds},
                             {"precision", setup.bfloat16 ? "bfloat16" : "float32"},
                             {"optimizer", setup.optimizer},
                             {"stages", nlohmann::json::array()}};
    result["stages"].push_back(bench.measure({"features", 0, false, false, 1, 1}));
    result["stages"].push_back(bench.measure({"joint", 0, true, true, 0.1, 1}));
    std::cout << result.dump(2) << std::endl;
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "signet-bench-train: " << error.what() << std::endl;
    return 4;
  }
}
