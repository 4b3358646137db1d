#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "encode/engine.h"
#include "signet/base/thread_pool.h"
#include "signet/encode/encoder.h"

namespace signet {

// Sizes of what an image gives, in floats; 0: the model has no such output.
struct OutputSizes {
  std::size_t hash = 0, features = 0, logits = 0;
};

// One thread's room for running images one batch of the engine after another.
class Worker {
 public:
  Worker(const Engine& engine, const ModelInfo& info, const OutputSizes& sizes, const std::string& name);

  // The outputs of images[i] go to row first + i of `out`, whose wanted arrays are large enough already. Which images share a
  // batch changes nothing: an engine computes each image by itself. Throws kCorrupt for outputs that are no numbers.
  void run(std::span<const Image> images, Outputs& out, std::size_t first);

 private:
  void store(std::size_t slot, std::size_t row, bool second_view, Outputs& out) const;

  const ModelInfo& info_;
  const std::string& name_;
  OutputSizes sizes_;
  std::size_t batch_;
  std::size_t image_size_;
  std::unique_ptr<Session> session_;
  std::vector<float> input_;
  std::vector<float> hash_, features_, logits_;  // of one batch
};

struct EncoderState {
  EncoderState(Model m, const EncoderOptions& options);

  Model model;
  std::string name;  // for messages: its file, or what its fingerprint begins with
  OutputSizes sizes;
  std::unique_ptr<Engine> engine;
  ThreadPool pool;

  // A worker from the shelf, or a new one. Workers go back when their lease ends, so there are as many as threads ever ran at
  // once.
  class Lease {
   public:
    explicit Lease(EncoderState& state);
    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Worker& operator*() const noexcept { return *worker_; }
    Worker* operator->() const noexcept { return worker_.get(); }

   private:
    EncoderState& state_;
    std::unique_ptr<Worker> worker_;
  };

  // An Outputs with room for `count` images of what `want` asks for.
  Outputs make_outputs(std::size_t count, unsigned want) const;

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Worker>> shelf_;
};

// How encode_all reaches an Encoder's state.
struct EncoderAccess {
  static EncoderState& state(const Encoder& encoder) noexcept { return *encoder.state_; }
};

}  // namespace signet
