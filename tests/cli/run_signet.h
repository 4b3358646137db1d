#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "signet/base/random.h"
#include "signet/encode/model.h"
#include "tests/support/make_data.h"

// Runs the program under test and makes what it needs. Everything happens in the fixture's own folder.
namespace signet::cli_test {

using Words = std::vector<std::string>;

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Outcome {
  int status = -1;  // exit status; 128 + signal where a signal ended it
  std::string out, err;
  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

// A program under way, its output going to files in `folder`. It does not outlive this object.
class Process {
 public:
  Process(const std::string& program, const Words& words, const std::string& folder, const Words& environment = {})
      : out_(folder + "/stdout.txt"), err_(folder + "/stderr.txt") {
    std::vector<std::string> arguments = {program};
    arguments.insert(arguments.end(), words.begin(), words.end());
    std::vector<std::string> variables = environment;
    for (char** v = environ; *v != nullptr; ++v) variables.emplace_back(*v);
    std::vector<char*> argv, envp;
    for (std::string& word : arguments) argv.push_back(word.data());
    for (std::string& word : variables) envp.push_back(word.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawnattr_t attributes;  // a shell starts what runs in its background with SIGINT ignored
    posix_spawnattr_init(&attributes);
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    posix_spawnattr_setsigdefault(&attributes, &interrupt);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    if (posix_spawn(&pid_, program.c_str(), &actions, &attributes, argv.data(), envp.data()) != 0) pid_ = -1;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Process() {
    if (pid_ <= 0) return;
    signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
  }
  bool ended() const {  // without waiting for it
    siginfo_t info{};
    return pid_ <= 0 || (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_);
  }
  // Whether `sign` comes to be true before the program ends, however slow the machine: two minutes at most.
  template <typename Sign>
  bool reaches(const Sign& sign) const {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (!sign() && !ended() && std::chrono::steady_clock::now() < give_up)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return sign();
  }
  Outcome wait() {
    Outcome outcome;
    int status = 0;
    if (pid_ > 0 && waitpid(pid_, &status, 0) == pid_) {
      outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    pid_ = -1;
    outcome.out = slurp(out_);
    outcome.err = slurp(err_);
    return outcome;
  }

 private:
  std::string out_, err_;
  pid_t pid_ = -1;
};

class CliTest : public testing::Test {
 protected:
  CliTest() : folder_(testing::TempDir()) { std::filesystem::create_directory(folder_ / "output"); }
  std::string path(const std::string& name) const { return folder_ / name; }
  Outcome signet(const Words& words, const Words& environment = {}) const {
    return Process(SIGNET_PROGRAM, words, path("output"), environment).wait();
  }
  // Runs and expects success; the output is shown where that fails.
  Outcome ok(const Words& words) const {
    Outcome outcome = signet(words);
    EXPECT_EQ(outcome.status, 0) << outcome.err << outcome.out;
    return outcome;
  }
  // Expects this exit status and one sentence on stderr which begins with the program's name and holds every one of `parts`.
  void expect_error(const Words& words, int status, const Words& parts, const Words& environment = {}) const {
    const Outcome outcome = signet(words, environment);
    std::string command;
    for (const std::string& word : words) command += " " + word;
    EXPECT_EQ(outcome.status, status) << command << "\n" << outcome.err << outcome.out;
    const std::size_t last = outcome.err.rfind("\nsignet");
    const std::string sentence = last == std::string::npos ? outcome.err : outcome.err.substr(last + 1);
    EXPECT_EQ(sentence.rfind("signet", 0), 0u) << command << "\n" << outcome.err;
    EXPECT_EQ(std::count(sentence.begin(), sentence.end(), '\n'), 1) << sentence;
    for (const std::string& part : parts)
      EXPECT_NE(sentence.find(part), std::string::npos) << command << "\nlacks: " << part << "\n" << sentence;
  }

  // Encodes the training images of path("data") with this model, indexes them, and searches with one test image, number 4: its
  // five hits.
  nlohmann::json hits_through(const std::string& model) const {
    ok({"encode", "--model", path(model), "--data", path("data"), "--split", "train", "--out", path("codes")});
    ok({"index", "--codes", path("codes"), "--out", path("index.sig")});
    ok({"export-images", "--data", path("data"), "--split", "test", "--only", "4", "--out", path("pictures")});
    const std::string picture = std::filesystem::directory_iterator(path("pictures"))->path().string();
    return ok({"search", "--index", path("index.sig"), "--model", path(model), "--image", picture, "-k", "5", "--json"})
        .json()["queries"][0]["hits"];
  }

  testdata::Folder folder_;
};

inline Layer layer(LayerKind kind, int input) {
  Layer made;
  made.kind = kind;
  made.input = input;
  return made;
}

inline Layer weighted(LayerKind kind, int input, std::uint32_t out, std::size_t fan_in, Random& random) {
  Layer made = layer(kind, input);
  made.out = out;
  for (std::size_t i = 0; i < out * fan_in; ++i)
    made.weight.push_back(static_cast<float>(random.normal() / std::sqrt(double(fan_in))));
  for (std::uint32_t i = 0; i < out; ++i) made.bias.push_back(static_cast<float>(random.normal() * 0.05));
  return made;
}

// A small network with random weights: what it says of pictures of one class is alike, because the pictures are.
inline Model random_model(std::uint32_t bits, std::uint32_t side, std::uint32_t channels, std::uint32_t classes,
                          std::uint64_t seed) {
  Random random(seed);
  Model model;
  Network& network = model.network;
  network.channels = channels;
  network.height = network.width = side;
  Layer conv = weighted(LayerKind::kConv, -1, 4, std::size_t{channels} * 9, random);
  conv.kernel = 3;
  conv.pad = 1;
  Layer pool = layer(LayerKind::kMaxPool, 1);
  pool.kernel = pool.stride = 2;
  network.layers = {conv, layer(LayerKind::kRelu, 0), pool};
  const std::size_t flat = std::size_t{4} * (side / 2) * (side / 2);
  network.layers.push_back(weighted(LayerKind::kLinear, 2, 24, flat, random));
  network.layers.push_back(weighted(LayerKind::kLinear, 3, bits, 24, random));
  network.layers.push_back(weighted(LayerKind::kLinear, 3, classes, 24, random));
  network.features = 3;
  network.hash = 4;
  network.logits = 5;
  model.info.bits = bits;
  Preprocessing& input = model.info.preprocessing;
  input.width = input.height = side;
  input.channels = channels;
  input.mean.assign(channels, 0.4f);
  input.std.assign(channels, 0.3f);
  for (std::uint32_t c = 0; c < classes; ++c) model.info.class_names.push_back("class" + std::to_string(c));
  return model;
}

inline void write_random_model(const std::string& path, std::uint32_t bits, std::uint32_t side = 16, std::uint32_t channels = 1,
                               std::uint32_t classes = 3, std::uint64_t seed = 1) {
  write_model(real_file_system(), path, random_model(bits, side, channels, classes, seed));
}

// A folder of 18 pictures in three classes, and a model to add them to the collection c with.
class PhotosTest : public CliTest {
 protected:
  void SetUp() override {
    write_random_model(path("model.onnx"), 12);
    testdata::make_class_folder(path("photos"), 3, 6, 16, 1);
  }
  nlohmann::json add(const std::string& what, const Words& more = {}) const {
    Words words = {"add", what, "--collection", path("c"), "--model", path("model.onnx"), "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return ok(words).json();
  }
  std::string photo(const std::string& name) const { return path("photos/" + name); }
};

}  // namespace signet::cli_test
