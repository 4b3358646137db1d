#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace signet {

// A trained network as data: a list of layers in the order of execution, every tensor float32 and one image at a time (C, H, W).
// Batch normalisation is already folded into the weights. learn/ makes it, model.h reads and writes it as ONNX, the engines run
// it.
enum class LayerKind {
  kConv,           // 2-D convolution, zero padding, with bias; weight: out x in x kernel x kernel
  kLinear,         // on the flattened input; weight: out x in, with bias
  kMaxPool,        // kernel, stride, no padding, floor
  kGlobalMaxPool,  // (C, H, W) -> (C, 1, 1)
  kGlobalAvgPool,  // (C, H, W) -> (C, 1, 1)
  kGelu,           // x * (1 + erf(x / sqrt 2)) / 2
  kRelu,
  kTanh,
  kAdd,     // elementwise sum of two layers' outputs of equal shape
  kSine,    // sin x
  kRadial,  // exp(bias_j ||x - weight_j||^2) on the flattened input; weight: out x in, bias: out, each at most 0
  kTrees,   // sums of votes of decision trees on the flattened input, see Layer::picks
};

struct Layer {
  LayerKind kind = LayerKind::kRelu;
  int input = -1;            // index of the layer whose output it reads; -1: the network's input
  int other = -1;            // kAdd only: the second operand
  std::uint32_t out = 0;     // kConv, kLinear, kRadial, kTrees: output channels
  std::uint32_t kernel = 1;  // kConv, kMaxPool
  std::uint32_t stride = 1;
  std::uint32_t pad = 0;  // kConv
  std::vector<float> weight;
  std::vector<float> bias;
  // kTrees: as many trees an output as picks.size() / kTreeNodes / out. Node n of a tree sends x to node 2n + 2 where
  // x[picks[n]] >= weight[n], else to 2n + 1; the first that is no node any more, less kTreeNodes, is the leaf, whose vote stands
  // in bias. picks and weight: kTreeNodes a tree; bias: kTreeLeaves a tree.
  std::vector<std::uint32_t> picks;
};
inline constexpr std::uint32_t kMaxImageSide = 1u << 16;  // that a network takes, and of a layer's output
inline constexpr std::size_t kTreeDepth = 4, kTreeNodes = 15, kTreeLeaves = 16;

struct Network {
  std::uint32_t channels = 0, height = 0, width = 0;  // of the input
  std::vector<Layer> layers;
  int hash = -1;      // index of the layer that gives the K real outputs v (before any tanh or sign)
  int features = -1;  // layer whose output is the feature vector before the hash layer; -1: none
  int logits = -1;    // layer that gives the class scores; -1: none
};

struct LayerShape {
  std::uint32_t c = 0, h = 0, w = 0;
  std::size_t size() const noexcept { return std::size_t{c} * h * w; }
};

// Output shape of every layer. Throws Error{kCorrupt} naming the layer where indices, sizes or weights do not fit together: a
// Network that passes is safe to run.
std::vector<LayerShape> check_network(const Network& network);

// Multiply-adds of one image, for GFLOP/s figures (1 multiply-add = 2 FLOP).
std::uint64_t multiply_adds(const Network& network);

}  // namespace signet
