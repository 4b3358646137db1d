#include "learn/export.h"

#include <cmath>

#include "signet/base/error.h"

namespace signet {
namespace {

std::vector<float> floats(const at::Tensor& t) {
  const at::Tensor values = t.detach().to(at::kCPU, at::kFloat).contiguous();
  return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
}

class Builder {
 public:
  explicit Builder(const HashNetwork& source) : source_(source) {}

  int add(Layer layer) {
    layer.input = last_;
    result.layers.push_back(std::move(layer));
    return last_ = static_cast<int>(result.layers.size()) - 1;
  }
  int plain(LayerKind kind) {
    Layer layer;
    layer.kind = kind;
    return add(std::move(layer));
  }
  int pool() {
    Layer layer;
    layer.kind = LayerKind::kMaxPool;
    layer.kernel = layer.stride = 2;
    return add(std::move(layer));
  }
  int skip(int other) {
    Layer layer;
    layer.kind = LayerKind::kAdd;
    layer.other = other;
    return add(std::move(layer));
  }
  // kernel 0: a linear layer. norm: name of the normalisation that follows, empty for none.
  int weighted(const std::string& name, std::uint32_t kernel, std::uint32_t pad, const std::string& norm, bool shift) {
    Layer layer;
    layer.kind = kernel > 0 ? LayerKind::kConv : LayerKind::kLinear;
    layer.kernel = std::max(kernel, 1u);
    layer.pad = pad;
    const at::Tensor weight = source_.value(name + ".weight").to(at::kCPU, at::kDouble);
    layer.out = static_cast<std::uint32_t>(weight.size(0));
    layer.weight = floats(weight);
    layer.bias.assign(layer.out, 0.0f);
    if (!norm.empty())
      fold(layer, weight, norm, shift);
    else if (shift)
      layer.bias = floats(source_.value(name + ".bias"));
    return add(std::move(layer));
  }
  Network result;

 private:
  void fold(Layer& layer, const at::Tensor& weight, const std::string& norm, bool shift) const {
    const at::Tensor scale = 1 / (source_.value(norm + ".variance").to(at::kCPU, at::kDouble) + kNormEpsilon).sqrt();
    at::Tensor bias = -source_.value(norm + ".mean").to(at::kCPU, at::kDouble) * scale;
    if (shift) bias = bias + source_.value(norm + ".shift").to(at::kCPU, at::kDouble);
    std::vector<std::int64_t> size(static_cast<std::size_t>(weight.dim()), 1);
    size[0] = weight.size(0);
    layer.weight = floats(weight * scale.reshape(size));
    layer.bias = floats(bias);
  }

  const HashNetwork& source_;
  int last_ = -1;
};

void add_block(Builder& builder, std::size_t index, std::uint32_t depth) {
  const std::string block = concat("block", index + 1);
  builder.weighted(block + ".conv1", 3, 1, block + ".norm1", true);
  builder.pool();
  const int start = builder.plain(LayerKind::kGelu);
  for (std::uint32_t c = 2; c <= depth; ++c) {
    builder.weighted(concat(block, ".conv", c), 3, 1, concat(block, ".norm", c), true);
    if (depth == 3 && c == 3) builder.skip(start);
    builder.plain(LayerKind::kGelu);
  }
}

}  // namespace

Network to_network(const HashNetwork& network, Logits logits) {
  const at::NoGradGuard no_gradient;
  const NetworkShape& shape = network.shape();
  Builder builder(network);
  builder.result.channels = shape.channels, builder.result.height = shape.height, builder.result.width = shape.width;
  builder.weighted("whiten", 2, 0, "", false);
  builder.plain(LayerKind::kGelu);
  for (std::size_t b = 0; b < 3; ++b) add_block(builder, b, shape.depth);
  const int features = builder.plain(LayerKind::kGlobalMaxPool);
  const int hash = builder.weighted("hash", 0, 0, "hash.norm", false);
  int scores = -1;
  if (logits == Logits::kFromCode) {
    builder.plain(LayerKind::kTanh);
    scores = builder.weighted("classify", 0, 0, "", true);
  } else if (logits == Logits::kFromFeatures) {
    scores = builder.weighted("head", 0, 0, "", false);
    Layer& layer = builder.result.layers.back();
    layer.input = features;
    for (float& w : layer.weight) w *= static_cast<float>(kClassifierScale);
  }
  builder.result.features = features, builder.result.hash = hash, builder.result.logits = scores;
  check_network(builder.result);
  return std::move(builder.result);
}

}  // namespace signet
