#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "signet/base/file_system.h"
#include "signet/encode/network.h"
#include "signet/image/image.h"

namespace signet {

// How a picture becomes the network's input: the same description serves training and encoding.
//   x[c][y][x] = (pixel / 255 - mean[c]) / std[c], after centre_square / resize to width x height and conversion to `channels`.
struct Preprocessing {
  std::uint32_t width = 0, height = 0, channels = 0;
  std::vector<float> mean, std;   // one per channel
  bool mirror_view = false;       // also run the mirrored picture and average the real outputs before the sign (doubles the encode cost)
};

struct ModelInfo {
  std::uint32_t bits = 0;
  Preprocessing preprocessing;
  std::vector<std::string> class_names;
  std::string training_record;    // JSON object: dataset, protocol, seed, loss, alpha, stages, version, ...
  std::string fingerprint;        // SHA-256 over network and preprocessing, 64 hex digits: what codes are bound to
};

struct Model {
  Network network;
  ModelInfo info;
};

// The fingerprint of a model: SHA-256 of a canonical byte string of preprocessing, bits and layers (docs/format/model.md).
// Two models with equal fingerprints give equal codes.
std::string model_fingerprint(const Network& network, const Preprocessing& preprocessing);

// ONNX (opset 13), one file: graph, preprocessing, bits, class names, record, fingerprint as metadata. Outputs are named "hash",
// "features", "logits". Atomic. model.info.fingerprint is computed here.
void write_model(FileSystem& fs, const std::string& path, const Model& model);

// Reads what write_model wrote: only the operators it emits. Throws kCorrupt / kUnsupported naming path and node; never runs code from the
// file, never allocates more than a small multiple of its size. The fingerprint is recomputed and must match.
Model read_model(FileSystem& fs, const std::string& path);

// The preprocessing of one picture into channels x height x width floats.
void preprocess(const Image& image, const Preprocessing& how, float* target);

}  // namespace signet
