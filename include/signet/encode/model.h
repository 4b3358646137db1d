#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "signet/base/file_system.h"
#include "signet/encode/network.h"
#include "signet/image/image.h"
#include "signet/image/picture_hash.h"

namespace signet {

// What of a picture goes into the network. kPixels: x[c][y][x] = (pixel / 255 - mean[c]) / std[c], of the pixels that
// to_input_geometry gives. kGist: the 512 numbers of image/gist.h of these pixels, as 512 x 1 x 1; width and height are
// kGistSide, mean is 0 and std 1.
// kHash: the 64 numbers of picture_hash_values() of the whole picture, whatever its size, as 64 x 1 x 1; width and height say how
// large a picture is enough, mean and std as for kGist.
enum class Descriptor { kPixels, kGist, kHash };

// How a picture becomes the network's input: the same description serves training and encoding.
struct Preprocessing {
  std::uint32_t width = 0, height = 0, channels = 0;  // channels: 1 or 3
  std::vector<float> mean, std;                       // one per channel; std > 0
  bool mirror_view =
      false;  // also run the mirrored picture and average the real outputs before the sign (doubles the encode cost)
  Descriptor descriptor = Descriptor::kPixels;
  PictureHash hash = PictureHash::kAverage;  // kHash alone
  LayerShape shape() const noexcept;         // of the network's input
};

struct ModelInfo {
  std::uint32_t bits = 0;
  Preprocessing preprocessing;
  std::vector<std::string> class_names;
  std::string training_record;  // JSON object: dataset, protocol, seed, loss, alpha, stages, version, ...
  std::string fingerprint;      // SHA-256 over network and preprocessing, 64 hex digits: what codes are bound to
};

// What made images similar when the model was trained, by its training record: "class" or "instance". Empty where the record
// does not say: of models that no network was trained for, and of texts that are no record.
std::string trained_supervision(const std::string& training_record);

struct Model {
  Network network;
  ModelInfo info;
};

// The model whose code is the first `bits` bits of this one's, for every picture; features and logits stay. A model of its own,
// with its own fingerprint. Good codes where the model was trained for that length (nested). Throws kInvalidArgument unless 1 <=
// bits <= the model's; kUnsupported where the hash layer is not linear.
Model shorten(Model model, std::uint32_t bits);

// Class names as a model file has them: bytes that are not UTF-8 are replaced by U+FFFD.
std::vector<std::string> written_class_names(const std::vector<std::string>& names);

// The fingerprint of a model: SHA-256 of a canonical byte string of preprocessing, bits and layers (docs/format/model.md).
// Two models with equal fingerprints give equal codes.
std::string model_fingerprint(const Network& network, const Preprocessing& preprocessing);

// ONNX (opset 13), one file: graph, preprocessing, bits, class names, record, fingerprint as metadata (docs/format/model.md).
// Outputs are named "hash", "features", "logits". Atomic. The fingerprint is computed here, model.info.fingerprint is not read.
// Throws kInvalidArgument where bits, preprocessing, class names and network do not fit together; kCorrupt as check_network does.
void write_model(FileSystem& fs, const std::string& path, const Model& model);

// Reads what write_model wrote, byte for byte, and nothing else. Throws kCorrupt (damaged; also where any weight is not finite or
// the recomputed fingerprint differs) or kUnsupported (another program's ONNX file, or a newer signet's) naming path and place;
// never runs code from the file, never allocates more than a small multiple of its size.
Model read_model(FileSystem& fs, const std::string& path);

// The same of bytes in memory; `name` stands for the path in messages.
Model parse_model(std::span<const std::byte> bytes, const std::string& name);

// Throws kInvalidArgument unless the preprocessing gives what the network takes.
void check_input(const Preprocessing& how, const Network& network);

// Throws kInvalidArgument, `what` in the message, unless sizes are 1 to 65536, channels 1 or 3, mean and std fit and are finite,
// std > 0.
void check_preprocessing(const Preprocessing& how, const std::string& what);

// A picture of any size in the network's geometry, 8 bits: the largest centred square, resized (a network whose input is not
// square: resized without keeping the aspect ratio), then grey or colour as the network wants it. A picture that fits already
// comes back as it is. `image.channels != how.channels` tells that colours are converted.
Image to_input_geometry(const Image& image, const Preprocessing& how);

// What each of the 256 values of a pixel becomes in this channel: (value / 255 - mean) / std.
std::array<float, 256> normalised_values(const Preprocessing& how, std::size_t channel);

// One picture as the network's input, how.shape().size() floats. `mirrored`: flipped left to right.
void preprocess(const Image& image, const Preprocessing& how, float* target, bool mirrored = false);

}  // namespace signet
