#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "signet/base/error.h"
#include "signet/base/progress.h"
#include "signet/code/code_matrix.h"
#include "signet/encode/model.h"

namespace signet {

struct EncoderState;  // private: src/encode/encoder_state.h

struct EncoderOptions {
  std::size_t threads = 0;  // 0: one per CPU; at most 1024
  std::string engine =
      "auto";  // "onednn", "reference" (plain loops, slow, for comparison); "auto" = onednn. Unknown: Error{kUsage}.
};

// What the network says of n images, row-major, all of it finite. features and logits are empty unless asked for (or the model
// has none).
struct Outputs {
  std::size_t count = 0;
  std::vector<float> hash;      // count x bits: v_k, before the sign; |v_k| is the margin of bit k
  std::vector<float> features;  // count x feature_size
  std::vector<float> logits;    // count x classes
};

// Runs a model file. The outputs of an image do not depend on the images beside it, on the batch size or on the thread count.
// Immutable; run() is safe from many threads. It throws kInvalidArgument for what is no image, and kCorrupt naming the model
// where an output is no number: weights are finite in every file that can be read, but may be too large for what they are added
// up to.
class Encoder {
 public:
  // Throws as read_model, naming path, and as the constructor.
  static Encoder open(FileSystem& fs, const std::string& path, const EncoderOptions& options = {});
  // Throws kInvalidArgument where preprocessing, bits and network do not fit together, kCorrupt for a network that check_network
  // refuses, kUsage for an unknown engine and for more than 1024 threads.
  Encoder(Model model, const EncoderOptions& options);
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;
  ~Encoder();

  const ModelInfo& info() const noexcept;
  const Network& network() const noexcept;
  std::size_t feature_size() const noexcept;  // 0: the model has no features output
  std::size_t classes() const noexcept;       // 0: no logits output
  std::string engine() const;                 // "onednn 2.6.3, 2 threads"

  enum Want : unsigned { kHash = 1, kFeatures = 2, kLogits = 4 };
  Outputs run(std::span<const Image> images, unsigned want = kHash) const;

 private:
  friend struct EncoderAccess;
  std::unique_ptr<EncoderState> state_;
};

// Encodes `count` images that `load` gives (called from several threads; it reads and decodes), with flat memory: loading,
// decoding and inference overlap. An Error that load throws makes that image `skipped`; Error{kCancelled, kInternal} and anything
// else stops the run and is rethrown, and so is what sink or Encoder::run throws. `sink` gets consecutive blocks from one thread
// at a time, in ascending order: indices of the images encoded, and their outputs. Where progress returns false the run stops
// with Error{kCancelled}; sink keeps what it got.
struct BulkResult {
  struct Skipped {
    std::size_t index;
    std::string reason;
  };
  std::size_t encoded = 0;
  std::vector<Skipped> skipped;  // ascending
  double seconds = 0;
  double images_per_second = 0;
  std::string bottleneck;  // "inference", "loading" or "sink": where the threads spent most of their time
};
struct BulkOptions {
  std::size_t block = 256;  // images handed to sink at once
  unsigned want = Encoder::kHash;
};
BulkResult encode_all(const Encoder& encoder, std::size_t count, const std::function<Image(std::size_t)>& load,
                      const std::function<void(std::span<const std::size_t> indices, const Outputs&)>& sink,
                      const BulkOptions& options = {}, const ProgressFn& progress = {});

}  // namespace signet
