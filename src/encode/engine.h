#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "signet/encode/network.h"

namespace signet {

// The one interface behind which networks run. An Engine holds the network in its own form, immutable and shared; a Session holds
// what one thread needs to run it. A run always computes `batch()` images, on the thread that calls and on no other: what one
// image gives cannot depend on how many images there are, beside which others it stands, or how many threads work.
class Session {
 public:
  // Where a run leaves its outputs: batch x size floats each, or null where they are not wanted.
  struct Targets {
    float* hash = nullptr;
    float* features = nullptr;
    float* logits = nullptr;
  };

  virtual ~Session() = default;
  // input: batch x channels x height x width. Not thread-safe.
  virtual void run(const float* input, const Targets& targets) = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string name() const = 0;  // with version: "onednn 2.6.3"
  virtual std::size_t batch() const noexcept = 0;
  virtual std::unique_ptr<Session> make_session() const = 0;  // safe from many threads
};

// The plain definition of every layer with sums in double: the second opinion for the others, and slow.
std::unique_ptr<Engine> make_reference_engine(const Network& network);

// oneDNN. batch 0: the batch that was measured best.
std::unique_ptr<Engine> make_onednn_engine(const Network& network, std::size_t batch = 0);

std::vector<std::string> engine_names();
// "auto" or a name; throws Error{kUsage} that lists the names otherwise. The network must have passed check_network.
std::unique_ptr<Engine> make_engine(const std::string& name, const Network& network);

}  // namespace signet
