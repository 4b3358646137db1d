#include <algorithm>
#include <bit>
#include <span>
#include <vector>

#include "encode/layer_kinds.h"
#include "encode/onnx_fields.h"
#include "encode/onnx_file.h"
#include "encode/wire.h"
#include "signet/base/crc32c.h"
#include "signet/base/error.h"

namespace signet {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data and the fingerprint hold little-endian floats");

// The tensor that an operand index stands for.
std::string value_name(const Network& network, int index) {
  if (index < 0) return "image";
  if (index == network.hash) return "hash";
  if (index == network.features) return "features";
  if (index == network.logits) return "logits";
  return layer_name(static_cast<std::size_t>(index));
}

class GraphWriter {
 public:
  explicit GraphWriter(const Network& network)
      : network_(network), shapes_(check_network(network)), is_vector_(vector_layers(network)) {}

  WireWriter write();

 private:
  using Ints = std::vector<std::int64_t>;
  void node(const std::string& name, const char* op, const std::vector<std::string>& inputs, const std::string& output,
            const std::vector<std::pair<const char*, Ints>>& lists = {},
            const std::vector<std::pair<const char*, std::int64_t>>& numbers = {});
  void tensor(const std::string& name, const std::vector<std::uint64_t>& dims, std::span<const float> values);
  void layer(std::size_t index);
  template <typename Integer>
  void integers(const std::string& name, const std::vector<std::uint64_t>& dims, const std::vector<Integer>& values);
  std::string flattened(std::size_t index, const std::string& in);
  void linear(std::size_t index, const std::string& in, const std::string& out);
  void radial(std::size_t index, const std::string& in, const std::string& out);
  void trees(std::size_t index, const std::string& in, const std::string& out);
  void tree_weights(std::size_t index);
  void constants();
  bool has(LayerKind kind) const {
    return std::any_of(network_.layers.begin(), network_.layers.end(), [kind](const Layer& layer) { return layer.kind == kind; });
  }
  void gelu(std::size_t index, const std::string& in, const std::string& out);
  void weights(std::size_t index);
  void value(std::uint32_t field, int index);

  const Network& network_;
  std::vector<LayerShape> shapes_;
  std::vector<bool> is_vector_;
  WireWriter graph_;
};

void GraphWriter::node(const std::string& name, const char* op, const std::vector<std::string>& inputs, const std::string& output,
                       const std::vector<std::pair<const char*, Ints>>& lists,
                       const std::vector<std::pair<const char*, std::int64_t>>& numbers) {
  WireWriter node;
  for (const std::string& input : inputs) node.bytes(onnx::node::kInput, input);
  node.bytes(onnx::node::kOutput, output);
  node.bytes(onnx::node::kName, name);
  node.bytes(onnx::node::kOpType, op);
  for (const auto& [key, list] : lists) {
    WireWriter attribute;
    attribute.bytes(onnx::attribute::kName, key);
    for (const std::int64_t v : list) attribute.varint(onnx::attribute::kInts, static_cast<std::uint64_t>(v));
    attribute.varint(onnx::attribute::kType, onnx::attribute::kTypeInts);
    node.message(onnx::node::kAttribute, attribute);
  }
  for (const auto& [key, number] : numbers) {
    WireWriter attribute;
    attribute.bytes(onnx::attribute::kName, key);
    attribute.varint(onnx::attribute::kInt, static_cast<std::uint64_t>(number));
    attribute.varint(onnx::attribute::kType, onnx::attribute::kTypeInt);
    node.message(onnx::node::kAttribute, attribute);
  }
  graph_.message(onnx::graph::kNode, node);
}

void GraphWriter::tensor(const std::string& name, const std::vector<std::uint64_t>& dims, std::span<const float> values) {
  WireWriter tensor;
  for (const std::uint64_t d : dims) tensor.varint(onnx::tensor::kDims, d);
  tensor.varint(onnx::tensor::kDataType, onnx::tensor::kFloat);
  tensor.bytes(onnx::tensor::kName, name);
  tensor.borrow(onnx::tensor::kRawData, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  graph_.message(onnx::graph::kInitializer, tensor);
}

// Whole numbers are few: the message holds them itself.
template <typename Integer>
void GraphWriter::integers(const std::string& name, const std::vector<std::uint64_t>& dims, const std::vector<Integer>& values) {
  WireWriter tensor;
  for (const std::uint64_t d : dims) tensor.varint(onnx::tensor::kDims, d);
  tensor.varint(onnx::tensor::kDataType, sizeof(Integer) == 4 ? onnx::tensor::kInt32 : onnx::tensor::kInt64);
  tensor.bytes(onnx::tensor::kName, name);
  tensor.bytes(onnx::tensor::kRawData, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Integer)});
  graph_.message(onnx::graph::kInitializer, tensor);
}

// The name of the input as a vector, after a node that makes it one where it is a picture.
std::string GraphWriter::flattened(std::size_t index, const std::string& in) {
  const int input = network_.layers[index].input;
  if (input >= 0 && is_vector_[static_cast<std::size_t>(input)]) return in;
  std::string flat = layer_name(index) + "/flatten";
  node(flat, "Flatten", {in}, flat, {}, {{"axis", 1}});
  return flat;
}

void GraphWriter::linear(std::size_t index, const std::string& in, const std::string& out) {
  const std::string name = layer_name(index), flat = flattened(index, in);
  node(name, "Gemm", {flat, name + ".weight", name + ".bias"}, out, {}, {{"transB", 1}});
}

void GraphWriter::radial(std::size_t index, const std::string& in, const std::string& out) {
  const std::string name = layer_name(index), flat = flattened(index, in);
  node(name + "/row", "Unsqueeze", {flat, "radial.axis"}, name + "/row");
  node(name + "/apart", "Sub", {name + "/row", name + ".weight"}, name + "/apart");
  node(name + "/distance", "ReduceSumSquare", {name + "/apart"}, name + "/distance", {{"axes", {2}}}, {{"keepdims", 0}});
  node(name + "/scaled", "Mul", {name + "/distance", name + ".bias"}, name + "/scaled");
  node(name, "Exp", {name + "/scaled"}, out);
}

// All trees walk one level a round, side by side: "node" is where each stands (N x trees), ".first" where each one's nodes begin
// in the tables of all.
void GraphWriter::trees(std::size_t index, const std::string& in, const std::string& out) {
  const std::string name = layer_name(index), flat = flattened(index, in);
  const std::string picks = name + ".picks", limits = name + ".weight", first = name + ".first";
  std::string at = first, before;
  for (std::size_t level = 0; level < kTreeDepth; ++level) {
    const auto own = [&](const char* part) { return concat(name, "/", part, level); };
    if (level > 0) {
      at = own("at");
      node(at, "Add", {before, first}, at);
    }
    node(own("pick"), "Gather", {picks, at}, own("pick"));
    if (level == 0)  // the roots are the same for all images
      node(own("value"), "Gather", {flat, own("pick")}, own("value"), {}, {{"axis", 1}});
    else
      node(own("value"), "GatherElements", {flat, own("pick")}, own("value"), {}, {{"axis", 1}});
    node(own("limit"), "Gather", {limits, at}, own("limit"));
    node(own("right"), "GreaterOrEqual", {own("value"), own("limit")}, own("right"));
    node(own("step"), "Cast", {own("right")}, own("step"), {}, {{"to", static_cast<std::int64_t>(onnx::tensor::kInt32)}});
    std::string next = own("step");
    if (level > 0) {
      node(own("twice"), "Add", {before, before}, own("twice"));
      node(own("down"), "Add", {own("twice"), next}, own("down"));
      next = own("down");
    }
    node(own("node"), "Add", {next, "trees.one"}, own("node"));
    before = own("node");
  }
  node(name + "/leaf", "Add", {before, name + ".leaves"}, name + "/leaf");
  node(name + "/vote", "Gather", {name + ".bias", name + "/leaf"}, name + "/vote");
  node(name + "/votes", "Reshape", {name + "/vote", name + ".shape"}, name + "/votes");
  node(name, "ReduceSum", {name + "/votes", "trees.axis"}, out, {}, {{"keepdims", 0}});
}

void GraphWriter::tree_weights(std::size_t index) {
  const Layer& layer = network_.layers[index];
  const std::string name = layer_name(index);
  const std::size_t trees = layer.picks.size() / kTreeNodes;
  std::vector<std::int32_t> picks(layer.picks.begin(), layer.picks.end()), first, leaves;
  for (std::size_t t = 0; t < trees; ++t) {
    first.push_back(static_cast<std::int32_t>(t * kTreeNodes));
    leaves.push_back(static_cast<std::int32_t>(t * kTreeLeaves) - static_cast<std::int32_t>(kTreeNodes));
  }
  tensor(name + ".weight", {layer.weight.size()}, layer.weight);
  tensor(name + ".bias", {layer.bias.size()}, layer.bias);
  integers(name + ".picks", {picks.size()}, picks);
  integers(name + ".first", {first.size()}, first);
  integers(name + ".leaves", {leaves.size()}, leaves);
  // 0: as many images as come in.
  integers(name + ".shape", {3}, std::vector<std::int64_t>{0, layer.out, static_cast<std::int64_t>(trees / layer.out)});
}

void GraphWriter::gelu(std::size_t index, const std::string& in, const std::string& out) {
  const std::string name = layer_name(index);
  node(name + "/scaled", "Mul", {in, "gelu.sqrt1_2"}, name + "/scaled");
  node(name + "/erf", "Erf", {name + "/scaled"}, name + "/erf");
  node(name + "/plus", "Add", {name + "/erf", "gelu.one"}, name + "/plus");
  node(name + "/half", "Mul", {name + "/plus", "gelu.half"}, name + "/half");
  node(name, "Mul", {in, name + "/half"}, out);
}

void GraphWriter::layer(std::size_t index) {
  const Layer& layer = network_.layers[index];
  const std::string name = layer_name(index);
  const std::string in = value_name(network_, layer.input);
  const std::string out = value_name(network_, static_cast<int>(index));
  const std::int64_t k = layer.kernel, s = layer.stride, p = layer.pad;
  switch (layer.kind) {
    case LayerKind::kConv:
      return node(name, "Conv", {in, name + ".weight", name + ".bias"}, out,
                  {{"kernel_shape", {k, k}}, {"strides", {s, s}}, {"pads", {p, p, p, p}}});
    case LayerKind::kMaxPool:
      return node(name, "MaxPool", {in}, out, {{"kernel_shape", {k, k}}, {"strides", {s, s}}});
    case LayerKind::kLinear:
      return linear(index, in, out);
    case LayerKind::kGelu:
      return gelu(index, in, out);
    case LayerKind::kGlobalMaxPool:
      return node(name, "GlobalMaxPool", {in}, out);
    case LayerKind::kGlobalAvgPool:
      return node(name, "GlobalAveragePool", {in}, out);
    case LayerKind::kRelu:
      return node(name, "Relu", {in}, out);
    case LayerKind::kTanh:
      return node(name, "Tanh", {in}, out);
    case LayerKind::kAdd:
      return node(name, "Add", {in, value_name(network_, layer.other)}, out);
    case LayerKind::kSine:
      return node(name, "Sin", {in}, out);
    case LayerKind::kRadial:
      return radial(index, in, out);
    case LayerKind::kTrees:
      return trees(index, in, out);
  }
}

void GraphWriter::weights(std::size_t index) {
  const Layer& layer = network_.layers[index];
  if (!has_weights(layer.kind)) return;
  if (layer.kind == LayerKind::kTrees) return tree_weights(index);
  const LayerShape in = input_shape(network_, shapes_, layer.input);
  const std::string name = layer_name(index);
  if (layer.kind == LayerKind::kConv) {
    tensor(name + ".weight", {layer.out, in.c, layer.kernel, layer.kernel}, layer.weight);
  } else {
    tensor(name + ".weight", {layer.out, in.size()}, layer.weight);
  }
  tensor(name + ".bias", {layer.out}, layer.bias);
}

// A graph input or output: float32, the first dimension free, the others as the layer gives them.
void GraphWriter::value(std::uint32_t field, int index) {
  const LayerShape s = input_shape(network_, shapes_, index);
  const bool vector = index >= 0 && is_vector_[static_cast<std::size_t>(index)];
  WireWriter shape, batch;
  batch.bytes(onnx::dimension::kParam, "N");
  shape.message(onnx::shape::kDim, batch);
  for (const std::uint32_t d : vector ? std::vector<std::uint32_t>{s.c} : std::vector<std::uint32_t>{s.c, s.h, s.w}) {
    WireWriter dim;
    dim.varint(onnx::dimension::kValue, d);
    shape.message(onnx::shape::kDim, dim);
  }
  WireWriter tensor, type, info;
  tensor.varint(onnx::tensor_type::kElemType, onnx::tensor::kFloat);
  tensor.message(onnx::tensor_type::kShape, shape);
  type.message(onnx::type::kTensorType, tensor);
  info.bytes(onnx::value_info::kName, value_name(network_, index));
  info.message(onnx::value_info::kType, type);
  graph_.message(field, info);
}

// What the layers of a kind share.
void GraphWriter::constants() {
  // Borrowed by the graph, as the weights are.
  static constexpr float kRootOfHalf = 0.70710678118654752f, kOne = 1.0f, kHalf = 0.5f;
  if (has(LayerKind::kGelu)) {
    tensor("gelu.sqrt1_2", {}, {&kRootOfHalf, 1});
    tensor("gelu.one", {}, {&kOne, 1});
    tensor("gelu.half", {}, {&kHalf, 1});
  }
  if (has(LayerKind::kRadial)) integers("radial.axis", {1}, std::vector<std::int64_t>{1});
  if (has(LayerKind::kTrees)) {
    integers("trees.one", {}, std::vector<std::int32_t>{1});
    integers("trees.axis", {1}, std::vector<std::int64_t>{2});
  }
}

WireWriter GraphWriter::write() {
  for (std::size_t i = 0; i < network_.layers.size(); ++i) layer(i);
  graph_.bytes(onnx::graph::kName, "signet");
  for (std::size_t i = 0; i < network_.layers.size(); ++i) weights(i);
  constants();
  value(onnx::graph::kInputs, -1);
  value(onnx::graph::kOutputs, network_.hash);
  if (network_.features >= 0) value(onnx::graph::kOutputs, network_.features);
  if (network_.logits >= 0) value(onnx::graph::kOutputs, network_.logits);
  return std::move(graph_);
}

WireWriter metadata_entry(std::string_view key, std::string_view value) {
  WireWriter entry;
  entry.bytes(onnx::entry::kKey, key);
  entry.bytes(onnx::entry::kValue, value);
  return entry;
}

std::string hex8(std::uint32_t value) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text.push_back(kDigits[(value >> shift) & 15]);
  return text;
}

constexpr std::size_t kCrcDigits = 8;

// The last entry of a file up to its digits: tag and length of the entry, key, tag and length of the value.
std::string closing_entry_head() {
  WireWriter file;
  file.message(onnx::model::kMetadata, metadata_entry(kClosingCrcKey, hex8(0)));
  std::string bytes = file.joined();
  bytes.resize(bytes.size() - kCrcDigits);
  return bytes;
}

std::uint32_t crc_of(std::string_view text, std::uint32_t previous = 0) {
  return crc32c(std::as_bytes(std::span(text.data(), text.size())), previous);
}

}  // namespace

std::string layer_name(std::size_t index) { return concat("layer", index); }

WireWriter encode_onnx(const Network& network, const OnnxMetadata& metadata) {
  WireWriter file;
  file.varint(onnx::model::kIrVersion, onnx::kIrVersion);
  file.bytes(onnx::model::kProducerName, "signet");
  file.message(onnx::model::kGraph, GraphWriter(network).write());
  WireWriter opset;
  opset.bytes(onnx::opset::kDomain, "");
  opset.varint(onnx::opset::kVersion, onnx::kOperatorSet);
  file.message(onnx::model::kOpsetImport, opset);
  for (const auto& [key, value] : metadata) file.message(onnx::model::kMetadata, metadata_entry(key, value));
  std::uint32_t crc = 0;
  file.for_each_piece([&](std::string_view piece) { crc = crc_of(piece, crc); });
  crc = crc_of(closing_entry_head(), crc);
  file.message(onnx::model::kMetadata, metadata_entry(kClosingCrcKey, hex8(crc)));
  return file;
}

ClosingCrc check_closing_crc(std::string_view bytes) {
  const std::string head = closing_entry_head();
  if (bytes.size() < head.size() + kCrcDigits) return ClosingCrc::kAbsent;
  const std::string_view covered = bytes.substr(0, bytes.size() - kCrcDigits);
  if (!covered.ends_with(head)) return ClosingCrc::kAbsent;
  return hex8(crc_of(covered)) == bytes.substr(covered.size()) ? ClosingCrc::kRight : ClosingCrc::kWrong;
}

}  // namespace signet
