#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <optional>

#include "encode/layer_kinds.h"
#include "encode/onnx_fields.h"
#include "encode/onnx_file.h"
#include "encode/wire.h"
#include "signet/base/error.h"

namespace signet {
namespace {

// Views into the file of what a node and a tensor say.
struct NodeView {
  std::string_view name, op, output;
  std::vector<std::string_view> inputs;
  std::uint64_t kernel = 1, stride = 1, pad = 0;
};

void read_attribute(WireReader reader, NodeView& node) {
  std::string_view name;
  std::uint64_t first = 0;
  while (reader.next()) {
    if (reader.number() == onnx::attribute::kName) name = reader.bytes();
    if (reader.number() == onnx::attribute::kInts) first = reader.varint();
  }
  if (name == "kernel_shape") node.kernel = first;
  if (name == "strides") node.stride = first;
  if (name == "pads") node.pad = first;
}

NodeView read_node(WireReader reader) {
  constexpr std::size_t kMostInputs = 3;
  NodeView node;
  while (reader.next()) {
    switch (reader.number()) {
      case onnx::node::kInput:
        if (node.inputs.size() == kMostInputs) fail(ErrorCode::kUnsupported, "node \"", node.name, "\" has more than 3 inputs");
        node.inputs.push_back(reader.bytes());
        break;
      case onnx::node::kOutput:
        node.output = reader.bytes();
        break;
      case onnx::node::kName:
        node.name = reader.bytes();
        break;
      case onnx::node::kOpType:
        node.op = reader.bytes();
        break;
      case onnx::node::kAttribute:
        read_attribute(reader.message(), node);
        break;
      default:
        break;
    }
  }
  return node;
}

class GraphReader {
 public:
  Network read(WireReader graph);

 private:
  void node(const NodeView& node);
  void tensor(WireReader reader);
  void image_shape(WireReader value);
  void add_weights(std::size_t index);
  int operand(const NodeView& node, std::size_t which) const;

  Network network_;
  std::map<std::string_view, int> values_{{"image", -1}};
  std::map<std::string, std::string_view, std::less<>> raw_;
  bool has_image_ = false;
};

int GraphReader::operand(const NodeView& node, std::size_t which) const {
  if (node.inputs.size() <= which) fail(ErrorCode::kCorrupt, "node \"", node.name, "\" has ", node.inputs.size(), " inputs");
  const auto found = values_.find(node.inputs[which]);
  if (found == values_.end())
    fail(ErrorCode::kCorrupt, "node \"", node.name, "\" reads \"", node.inputs[which], "\", which no earlier node writes");
  return found->second;
}

std::optional<LayerKind> kind_of(std::string_view op) {
  static const std::map<std::string_view, LayerKind> kKinds{
      {"Conv", LayerKind::kConv},
      {"Gemm", LayerKind::kLinear},
      {"Relu", LayerKind::kRelu},
      {"MaxPool", LayerKind::kMaxPool},
      {"Tanh", LayerKind::kTanh},
      {"GlobalMaxPool", LayerKind::kGlobalMaxPool},
      {"Add", LayerKind::kAdd},
      {"GlobalAveragePool", LayerKind::kGlobalAvgPool},
      {"Sin", LayerKind::kSine},
      // Of several nodes, the last one bears the layer's own name.
      {"Mul", LayerKind::kGelu},
      {"Exp", LayerKind::kRadial},
      {"ReduceSum", LayerKind::kTrees},
  };
  const auto found = kKinds.find(op);
  return found == kKinds.end() ? std::nullopt : std::optional(found->second);
}

std::uint32_t small_number(const NodeView& node, std::uint64_t value) {
  if (value > std::numeric_limits<std::uint32_t>::max() / 4)
    fail(ErrorCode::kCorrupt, "node \"", node.name, "\" has the attribute value ", value);
  return static_cast<std::uint32_t>(value);
}

void GraphReader::node(const NodeView& node) {
  if (node.name.find('/') != std::string_view::npos) {  // inside a layer of several nodes: stands for what the layer reads
    for (const std::string_view input : node.inputs) {
      const auto found = values_.find(input);
      if (found == values_.end()) continue;  // a tensor
      values_.emplace(node.output, found->second);
      return;
    }
    return;
  }
  const std::optional<LayerKind> kind = kind_of(node.op);
  if (!kind)
    fail(ErrorCode::kUnsupported, "node \"", node.name, "\" has the operator \"", node.op, "\", which signet does not write");
  const auto index = static_cast<int>(network_.layers.size());
  if (node.name != layer_name(network_.layers.size()))
    fail(ErrorCode::kCorrupt, "node \"", node.name, "\" stands where layer", index, " was expected");
  Layer layer;
  layer.kind = *kind;
  layer.input = operand(node, 0);
  if (layer.kind == LayerKind::kAdd) layer.other = operand(node, 1);
  if (has_window(layer.kind)) {
    layer.kernel = small_number(node, node.kernel);
    layer.stride = small_number(node, node.stride);
  }
  if (layer.kind == LayerKind::kConv) layer.pad = small_number(node, node.pad);
  if (node.output == "hash") network_.hash = index;
  if (node.output == "features") network_.features = index;
  if (node.output == "logits") network_.logits = index;
  values_.emplace(node.output, index);
  network_.layers.push_back(std::move(layer));
}

void GraphReader::tensor(WireReader reader) {
  std::string_view name, raw;
  while (reader.next()) {
    if (reader.number() == onnx::tensor::kName) name = reader.bytes();
    if (reader.number() == onnx::tensor::kRawData) raw = reader.bytes();
  }
  if (raw.size() % sizeof(float) != 0)
    fail(ErrorCode::kCorrupt, "tensor \"", name, "\" has ", raw.size(), " bytes, not a multiple of 4");
  if (!raw_.emplace(name, raw).second) fail(ErrorCode::kCorrupt, "tensor \"", name, "\" occurs twice");
}

// Moves the tensors of a layer into it. Each is taken out of the table, so a small file cannot have one tensor copied a thousand
// times.
void GraphReader::add_weights(std::size_t index) {
  Layer& layer = network_.layers[index];
  if (!has_weights(layer.kind)) return;
  const auto take = [&](const char* suffix, auto& target) {
    const auto found = raw_.find(layer_name(index) + suffix);
    if (found == raw_.end()) fail(ErrorCode::kCorrupt, "tensor \"", layer_name(index), suffix, "\" is missing");
    target.resize(found->second.size() / sizeof(float));
    if (!target.empty()) std::memcpy(target.data(), found->second.data(), found->second.size());
    raw_.erase(found);
  };
  take(".weight", layer.weight);
  take(".bias", layer.bias);
  if (layer.kind != LayerKind::kTrees) {
    layer.out = static_cast<std::uint32_t>(layer.bias.size());
    return;
  }
  take(".picks", layer.picks);
  std::vector<std::uint32_t> shape;  // 64-bit numbers: images, outputs, trees an output
  take(".shape", shape);
  if (shape.size() != 6) fail(ErrorCode::kCorrupt, "tensor \"", layer_name(index), ".shape\" must have three numbers");
  layer.out = shape[2];
}

// ValueInfoProto -> TypeProto -> Tensor -> TensorShapeProto -> three dimensions after the free one.
void GraphReader::image_shape(WireReader value) {
  std::vector<std::uint32_t> dims;
  const auto descend = [](WireReader from, std::uint32_t field) {
    while (from.next()) {
      if (from.number() == field) return from.message();
    }
    fail(ErrorCode::kCorrupt, "the graph's input has no shape");
  };
  WireReader shape =
      descend(descend(descend(value, onnx::value_info::kType), onnx::type::kTensorType), onnx::tensor_type::kShape);
  while (shape.next() && dims.size() < 4) {
    WireReader dim = shape.message();
    std::uint64_t size = 0;
    while (dim.next()) {
      if (dim.number() == onnx::dimension::kValue) size = dim.varint();
    }
    dims.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(size, std::numeric_limits<std::uint32_t>::max())));
  }
  if (dims.size() != 4) fail(ErrorCode::kCorrupt, "the graph's input has ", dims.size(), " dimensions, it must have 4");
  network_.channels = dims[1];
  network_.height = dims[2];
  network_.width = dims[3];
  has_image_ = true;
}

Network GraphReader::read(WireReader graph) {
  constexpr std::size_t kMostLayers = 1000;  // check_network's limit, before anything larger is built
  while (graph.next()) {
    switch (graph.number()) {
      case onnx::graph::kNode:
        node(read_node(graph.message()));
        if (network_.layers.size() > kMostLayers) fail(ErrorCode::kCorrupt, "the network has more than ", kMostLayers, " layers");
        break;
      case onnx::graph::kInitializer:
        tensor(graph.message());
        break;
      case onnx::graph::kInputs:
        if (has_image_) fail(ErrorCode::kUnsupported, "the graph has more than one input");
        image_shape(graph.message());
        break;
      default:
        break;
    }
  }
  for (std::size_t i = 0; i < network_.layers.size(); ++i) add_weights(i);
  return std::move(network_);
}

std::pair<std::string, std::string> read_entry(WireReader reader) {
  std::pair<std::string, std::string> entry;
  while (reader.next()) {
    if (reader.number() == onnx::entry::kKey) entry.first = reader.bytes();
    if (reader.number() == onnx::entry::kValue) entry.second = reader.bytes();
  }
  return entry;
}

}  // namespace

OnnxMetadata decode_onnx_metadata(std::string_view bytes) {
  constexpr std::size_t kMostEntries = 64;
  OnnxMetadata metadata;
  WireReader model(bytes);
  while (model.next()) {
    if (model.number() == onnx::model::kMetadata && metadata.size() < kMostEntries)
      metadata.push_back(read_entry(model.message()));
  }
  return metadata;
}

OnnxFile decode_onnx(std::string_view bytes) {
  OnnxFile file;
  WireReader model(bytes);
  bool has_graph = false;
  while (model.next()) {
    if (model.number() != onnx::model::kGraph) continue;
    if (has_graph) fail(ErrorCode::kCorrupt, "the file has two graphs");
    has_graph = true;
    file.network = GraphReader().read(model.message());
  }
  if (!has_graph) fail(ErrorCode::kCorrupt, "the file has no graph");
  file.metadata = decode_onnx_metadata(bytes);
  if (!file.metadata.empty() && file.metadata.back().first == kClosingCrcKey) file.metadata.pop_back();
  return file;
}

}  // namespace signet
