#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "signet/encode/network.h"

namespace signet::bench {

// Another engine that runs the same network: n images of normalised floats in, n x bits hash outputs out.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual std::string name() const = 0;  // "opencv", "libtorch nhwc"
  virtual std::string version() const = 0;
  virtual void run(const float* images, std::size_t n, float* hash) = 0;
};

// Reads the model file with OpenCV's own importer. threads are a setting of the whole process, made anew by every run.
std::unique_ptr<Peer> make_opencv_peer(const Network& network, const std::string& onnx_path, std::size_t threads);

// Empty where this build has no libtorch. channels_last: NHWC tensors, else NCHW.
std::unique_ptr<Peer> make_torch_peer(const Network& network, std::size_t threads, bool channels_last);

}  // namespace signet::bench
