#include "signet/encode/network.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "encode/layer_kinds.h"
#include "signet/base/error.h"
#include "signet/code/code_matrix.h"

namespace signet {
namespace {

// Bounds on what a file may ask for, far above any network that trains in reason: they keep sizes within 64-bit arithmetic and a
// small file from asking for unbounded memory or time.
constexpr std::size_t kMaxLayers = 1000;
constexpr std::uint32_t kMaxChannels = 1u << 16;
constexpr std::uint32_t kMaxKernel = 1024;
constexpr std::uint64_t kMaxTensor = std::uint64_t{1} << 26;   // floats in one layer's output
constexpr std::uint64_t kMaxWeights = std::uint64_t{1} << 29;  // floats in one layer
constexpr std::uint64_t kMaxWork = std::uint64_t{1} << 40;     // multiply-adds of one image

// A layer under check: everything that an error message needs.
struct Checked {
  const Network& network;
  std::size_t index;
  const Layer& layer() const { return network.layers[index]; }
  template <typename... Parts>
  [[noreturn]] void reject(const Parts&... parts) const {
    fail(ErrorCode::kCorrupt, "layer ", index, " (", layer_kind_name(layer().kind), ") of the network: ", parts...);
  }
};

LayerShape checked_shape(const Checked& at, std::uint64_t c, std::uint64_t h, std::uint64_t w) {
  if (c > kMaxChannels || h > kMaxImageSide || w > kMaxImageSide || c * h * w > kMaxTensor) {
    at.reject("an output of ", c, " x ", h, " x ", w, " is larger than ", kMaxTensor, " floats");
  }
  return {static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(h), static_cast<std::uint32_t>(w)};
}

// floor((side + 2 pad - kernel) / stride) + 1
std::uint32_t window_positions(const Checked& at, std::uint32_t side) {
  const Layer& layer = at.layer();
  const std::uint32_t pad = layer.kind == LayerKind::kConv ? layer.pad : 0;
  if (side + 2 * pad < layer.kernel)
    at.reject("a kernel of ", layer.kernel, " does not fit a side of ", side, " with padding ", pad);
  return (side + 2 * pad - layer.kernel) / layer.stride + 1;
}

void check_window(const Checked& at) {
  const Layer& layer = at.layer();
  if (layer.kernel < 1 || layer.kernel > kMaxKernel) at.reject("kernel is ", layer.kernel, ", it must be 1 to ", kMaxKernel);
  if (layer.stride < 1 || layer.stride > kMaxKernel) at.reject("stride is ", layer.stride, ", it must be 1 to ", kMaxKernel);
  if (layer.kind == LayerKind::kConv && layer.pad >= layer.kernel) {
    at.reject("padding is ", layer.pad, ", it must be below the kernel's ", layer.kernel);
  }
}

void check_finite(const Checked& at, const std::vector<float>& values, const char* what) {
  const auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
  if (bad != values.end()) at.reject(what, " ", bad - values.begin(), " is ", *bad, ", every one must be finite");
}

void check_trees(const Checked& at, const LayerShape& in) {
  const Layer& layer = at.layer();
  if (layer.out < 1 || layer.out > kMaxBits) at.reject("it has ", layer.out, " outputs, they must be 1 to ", kMaxBits);
  const std::size_t trees = layer.picks.size() / kTreeNodes;
  if (layer.picks.size() % kTreeNodes != 0 || trees == 0 || trees % layer.out != 0)
    at.reject(layer.picks.size(), " nodes are no whole number of trees of ", kTreeNodes, " for each of ", layer.out, " outputs");
  if (layer.weight.size() != layer.picks.size() || layer.bias.size() != trees * kTreeLeaves)
    at.reject("it has ", layer.weight.size(), " thresholds and ", layer.bias.size(), " votes, its ", trees, " trees need ",
              layer.picks.size(), " and ", trees * kTreeLeaves);
  const auto beyond = std::find_if(layer.picks.begin(), layer.picks.end(), [&](std::uint32_t p) { return p >= in.size(); });
  if (beyond != layer.picks.end()) at.reject("a node looks at value ", *beyond, ", its input has ", in.size());
  check_finite(at, layer.weight, "threshold");
  check_finite(at, layer.bias, "vote");
}

void check_radial(const Checked& at) {
  const std::vector<float>& bias = at.layer().bias;
  const auto rising = std::find_if(bias.begin(), bias.end(), [](float v) { return v > 0; });
  if (rising != bias.end()) at.reject("factor ", rising - bias.begin(), " is ", *rising, ", it must be at most 0");
}

void check_weights(const Checked& at, std::uint64_t inputs_per_output) {
  const Layer& layer = at.layer();
  if (layer.out < 1 || layer.out > kMaxChannels) at.reject("it has ", layer.out, " outputs, they must be 1 to ", kMaxChannels);
  const std::uint64_t expected = layer.out * inputs_per_output;  // < 2^16 * 2^26 * 2^20: cannot overflow
  if (expected > kMaxWeights) at.reject("it needs ", expected, " weights, more than ", kMaxWeights);
  if (layer.weight.size() != expected) at.reject("it has ", layer.weight.size(), " weights, its shape needs ", expected);
  if (layer.bias.size() != layer.out) at.reject("it has ", layer.bias.size(), " biases for ", layer.out, " outputs");
  check_finite(at, layer.weight, "weight");
  check_finite(at, layer.bias, "bias");
}

LayerShape shape_of(const Checked& at, const LayerShape& in, const LayerShape* other) {
  const Layer& layer = at.layer();
  if (!has_weights(layer.kind) && (!layer.weight.empty() || !layer.bias.empty())) at.reject("it must not have weights");
  if (layer.kind != LayerKind::kTrees && !layer.picks.empty()) at.reject("it must not have picks");
  switch (layer.kind) {
    case LayerKind::kConv:
      check_window(at);
      check_weights(at, std::uint64_t{in.c} * layer.kernel * layer.kernel);
      return checked_shape(at, layer.out, window_positions(at, in.h), window_positions(at, in.w));
    case LayerKind::kMaxPool:
      check_window(at);
      return checked_shape(at, in.c, window_positions(at, in.h), window_positions(at, in.w));
    case LayerKind::kLinear:
      check_weights(at, in.size());
      return checked_shape(at, layer.out, 1, 1);
    case LayerKind::kRadial:
      check_weights(at, in.size());
      check_radial(at);
      return checked_shape(at, layer.out, 1, 1);
    case LayerKind::kTrees:
      check_trees(at, in);
      return checked_shape(at, layer.out, 1, 1);
    case LayerKind::kGlobalMaxPool:
    case LayerKind::kGlobalAvgPool:
      return {in.c, 1, 1};
    case LayerKind::kAdd:
      if (in.c != other->c || in.h != other->h || in.w != other->w) {
        at.reject("its operands have shapes ", in.c, " x ", in.h, " x ", in.w, " and ", other->c, " x ", other->h, " x ",
                  other->w);
      }
      return in;
    case LayerKind::kGelu:
    case LayerKind::kRelu:
    case LayerKind::kTanh:
    case LayerKind::kSine:
      return in;
  }
  at.reject("unknown kind ", static_cast<int>(layer.kind));
}

void check_operand(const Checked& at, int operand, const char* what) {
  if (operand < -1 || operand >= static_cast<int>(at.index)) {
    at.reject(what, " is layer ", operand, ", it must be -1 (the network's input) or an earlier layer");
  }
}

// Vectors (what a linear layer gives) are rank 2 in ONNX and pictures rank 4, so windows do not slide over vectors and the two
// are not added.
void check_rank(const Checked& at, const std::vector<bool>& is_vector) {
  const Layer& layer = at.layer();
  const auto vector_at = [&](int i) { return i >= 0 && is_vector[static_cast<std::size_t>(i)]; };
  if (needs_picture(layer.kind) && vector_at(layer.input))
    at.reject("its input, layer ", layer.input, ", is a vector, it needs a picture");
  if (layer.kind == LayerKind::kAdd && vector_at(layer.input) != vector_at(layer.other)) {
    at.reject("one operand is a vector, the other a picture");
  }
}

void check_output(const Network& network, int index, const char* name, bool required) {
  if (index == -1 && !required) return;
  if (index < 0 || index >= static_cast<int>(network.layers.size())) {
    fail(ErrorCode::kCorrupt, "the network's ", name, " output is layer ", index, ", it has layers 0 to ",
         static_cast<int>(network.layers.size()) - 1);
  }
}

void check_outputs(const Network& network, const std::vector<LayerShape>& shapes) {
  check_output(network, network.hash, "hash", true);
  check_output(network, network.features, "features", false);
  check_output(network, network.logits, "logits", false);
  if (network.hash == network.features || network.hash == network.logits ||
      (network.features != -1 && network.features == network.logits)) {
    fail(ErrorCode::kCorrupt, "the network's hash, features and logits outputs are layers ", network.hash, ", ", network.features,
         " and ", network.logits, ", they must differ");
  }
  const LayerShape& hash = shapes[static_cast<std::size_t>(network.hash)];
  if (hash.h != 1 || hash.w != 1 || hash.c > kMaxBits) {
    fail(ErrorCode::kCorrupt, "the network's hash output has shape ", hash.c, " x ", hash.h, " x ", hash.w,
         ", it must be bits x 1 x 1 with at most ", kMaxBits, " bits");
  }
}

std::uint64_t layer_work(const Layer& layer, const LayerShape& in, const LayerShape& out) {
  if (layer.kind == LayerKind::kConv) return std::uint64_t{in.c} * layer.kernel * layer.kernel * out.size();
  if (layer.kind == LayerKind::kLinear || layer.kind == LayerKind::kRadial) return in.size() * out.size();
  return 0;
}

std::uint64_t total_work(const Network& network, const std::vector<LayerShape>& shapes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    sum += layer_work(network.layers[i], input_shape(network, shapes, network.layers[i].input), shapes[i]);
  }
  return sum;
}

}  // namespace

LayerShape input_shape(const Network& network, const std::vector<LayerShape>& shapes, int index) {
  if (index < 0) return {network.channels, network.height, network.width};
  return shapes[static_cast<std::size_t>(index)];
}

std::vector<bool> vector_layers(const Network& network) {
  std::vector<bool> is_vector(network.layers.size(), false);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    is_vector[i] = gives_vector(layer.kind) ||
                   (!needs_picture(layer.kind) && layer.input >= 0 && is_vector[static_cast<std::size_t>(layer.input)]);
  }
  return is_vector;
}

const char* layer_kind_name(LayerKind kind) {
  switch (kind) {
    case LayerKind::kConv:
      return "conv";
    case LayerKind::kLinear:
      return "linear";
    case LayerKind::kMaxPool:
      return "max-pool";
    case LayerKind::kGlobalMaxPool:
      return "global-max-pool";
    case LayerKind::kGlobalAvgPool:
      return "global-avg-pool";
    case LayerKind::kGelu:
      return "gelu";
    case LayerKind::kRelu:
      return "relu";
    case LayerKind::kTanh:
      return "tanh";
    case LayerKind::kAdd:
      return "add";
    case LayerKind::kSine:
      return "sine";
    case LayerKind::kRadial:
      return "radial";
    case LayerKind::kTrees:
      return "trees";
  }
  return "unknown";
}

std::vector<LayerShape> check_network(const Network& network) {
  if (network.channels < 1 || network.height < 1 || network.width < 1 || network.channels > kMaxChannels ||
      network.height > kMaxImageSide || network.width > kMaxImageSide ||
      std::uint64_t{network.channels} * network.height * network.width > kMaxTensor) {
    fail(ErrorCode::kCorrupt, "the network's input is ", network.channels, " x ", network.height, " x ", network.width,
         ", each side must be at least 1 and the whole at most ", kMaxTensor, " values");
  }
  if (network.layers.empty() || network.layers.size() > kMaxLayers) {
    fail(ErrorCode::kCorrupt, "the network has ", network.layers.size(), " layers, it must have 1 to ", kMaxLayers);
  }
  std::vector<LayerShape> shapes;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Checked at{network, i};
    const Layer& layer = network.layers[i];
    check_operand(at, layer.input, "its input");
    if (layer.kind == LayerKind::kAdd) check_operand(at, layer.other, "its second operand");
    const LayerShape other = layer.kind == LayerKind::kAdd ? input_shape(network, shapes, layer.other) : LayerShape{};
    shapes.push_back(shape_of(at, input_shape(network, shapes, layer.input), &other));
  }
  const std::vector<bool> is_vector = vector_layers(network);
  for (std::size_t i = 0; i < network.layers.size(); ++i) check_rank({network, i}, is_vector);
  check_outputs(network, shapes);
  if (total_work(network, shapes) > kMaxWork) {
    fail(ErrorCode::kCorrupt, "the network needs ", total_work(network, shapes), " multiply-adds an image, more than ", kMaxWork);
  }
  return shapes;
}

std::uint64_t multiply_adds(const Network& network) { return total_work(network, check_network(network)); }

}  // namespace signet
