#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "signet/base/random.h"
#include "signet/encode/model.h"

// Networks and pictures that the tests of this room (and the benchmark) make up: random weights, so that nothing cancels by
// symmetry.
namespace signet::testing_networks {

// Adds layers; each reads the layer at `cursor` and becomes the cursor itself.
class Builder {
 public:
  Builder(std::uint32_t channels, std::uint32_t height, std::uint32_t width, std::uint64_t seed = 1) : random_(seed) {
    network.channels = channels;
    network.height = height;
    network.width = width;
  }
  int conv(std::uint32_t out, std::uint32_t kernel, std::uint32_t pad, std::uint32_t stride = 1) {
    Layer layer = plain(LayerKind::kConv);
    layer.out = out;
    layer.kernel = kernel;
    layer.pad = pad;
    layer.stride = stride;
    return weighted(std::move(layer), std::size_t{shape().c} * kernel * kernel);
  }
  int linear(std::uint32_t out) {
    Layer layer = plain(LayerKind::kLinear);
    layer.out = out;
    return weighted(std::move(layer), shape().size());
  }
  int simple(LayerKind kind) { return push(plain(kind)); }
  int max_pool(std::uint32_t kernel, std::uint32_t stride) {
    Layer layer = plain(LayerKind::kMaxPool);
    layer.kernel = kernel;
    layer.stride = stride;
    return push(std::move(layer));
  }
  int add(int a, int b) {
    Layer layer = plain(LayerKind::kAdd);
    layer.input = a;
    layer.other = b;
    return push(std::move(layer));
  }

  Network network;
  int cursor = -1;  // -1: the picture

 private:
  Layer plain(LayerKind kind) const {
    Layer layer;
    layer.kind = kind;
    layer.input = cursor;
    return layer;
  }
  LayerShape shape() const {
    return cursor < 0 ? LayerShape{network.channels, network.height, network.width} : shapes_[static_cast<std::size_t>(cursor)];
  }
  int weighted(Layer layer, std::size_t inputs) {
    const double scale = std::sqrt(2.0 / static_cast<double>(inputs));
    layer.weight.resize(layer.out * inputs);
    for (float& w : layer.weight) w = static_cast<float>(random_.normal() * scale);
    layer.bias.resize(layer.out);
    for (float& b : layer.bias) b = static_cast<float>(random_.normal() * 0.1);
    return push(std::move(layer));
  }
  int push(Layer layer) {
    cursor = layer.input;
    const LayerShape in = shape();
    LayerShape out = in;
    if (layer.kind == LayerKind::kConv || layer.kind == LayerKind::kMaxPool) {
      out.h = (in.h + 2 * layer.pad - layer.kernel) / layer.stride + 1;
      out.w = (in.w + 2 * layer.pad - layer.kernel) / layer.stride + 1;
    }
    if (layer.kind == LayerKind::kGlobalMaxPool || layer.kind == LayerKind::kGlobalAvgPool || layer.kind == LayerKind::kLinear)
      out.h = out.w = 1;
    if (layer.out > 0) out.c = layer.out;
    shapes_.push_back(out);
    network.layers.push_back(std::move(layer));
    return cursor = static_cast<int>(network.layers.size()) - 1;
  }

  Random random_;
  std::vector<LayerShape> shapes_;
};

// The shape that training makes: whitening convolution, three blocks, features, hash layer, tanh, logits.
inline Network airbench(std::uint32_t channels, std::uint32_t side, const std::vector<std::uint32_t>& widths, std::uint32_t bits,
                        std::uint64_t seed = 1) {
  Builder b(channels, side, side, seed);
  b.conv(widths[0], 2, 0);
  b.simple(LayerKind::kGelu);
  for (std::size_t i = 1; i < widths.size(); ++i) {
    b.conv(widths[i], 3, 1);
    b.max_pool(2, 2);
    b.simple(LayerKind::kGelu);
    b.conv(widths[i], 3, 1);
    b.simple(LayerKind::kGelu);
  }
  b.network.features = b.simple(LayerKind::kGlobalMaxPool);
  b.network.hash = b.linear(bits);
  b.simple(LayerKind::kTanh);
  b.network.logits = b.linear(10);
  return std::move(b.network);
}

// Every kind of layer: residual sums of pictures and of vectors, strides, windows that leave a rest, a linear layer on a whole
// picture, odd channel counts, a value with several readers, a layer that nobody reads.
inline Network every_layer(std::uint32_t channels, std::uint32_t height, std::uint32_t width, std::uint32_t bits) {
  Builder b(channels, height, width);
  b.conv(5, 3, 1);
  const int trunk = b.simple(LayerKind::kRelu);
  b.conv(5, 3, 1);
  b.simple(LayerKind::kGelu);
  const int branch = b.conv(5, 1, 0);
  b.add(trunk, branch);
  b.conv(19, 3, 1, 2);
  b.max_pool(3, 2);
  const int picture = b.simple(LayerKind::kGelu);
  b.linear(bits);
  const int flat = b.simple(LayerKind::kTanh);
  b.cursor = picture;
  b.simple(LayerKind::kGlobalMaxPool);
  b.cursor = picture;
  b.network.features = b.simple(LayerKind::kGlobalAvgPool);
  const int averaged = b.linear(bits);
  b.network.hash = b.add(flat, averaged);
  b.network.logits = b.linear(10);
  return std::move(b.network);
}

// The kinds of shallow methods: radial functions of a picture, a linear layer on them, sines, and trees on both sums.
inline Network shallow_layers(std::uint32_t channels, std::uint32_t height, std::uint32_t width, std::uint32_t bits,
                              std::uint64_t seed = 1) {
  Builder b(channels, height, width, seed);
  Random random(seed + 1);
  b.linear(4);
  b.network.layers.back().kind = LayerKind::kRadial;
  for (float& v : b.network.layers.back().bias) v = -0.05f - std::abs(v);
  b.linear(5);
  b.network.features = b.simple(LayerKind::kSine);
  b.linear(bits);
  Layer& trees = b.network.layers.back();
  trees.kind = LayerKind::kTrees;
  constexpr std::size_t kTreesEach = 3;
  trees.weight.clear(), trees.bias.clear();
  for (std::size_t i = 0; i < bits * kTreesEach * kTreeNodes; ++i) {
    trees.picks.push_back(static_cast<std::uint32_t>(random.below(5)));
    trees.weight.push_back(static_cast<float>(random.normal() * 0.3));
  }
  for (std::size_t i = 0; i < bits * kTreesEach * kTreeLeaves; ++i) trees.bias.push_back(static_cast<float>(random.normal()));
  b.network.hash = b.cursor;
  return std::move(b.network);
}

inline Preprocessing preprocessing_for(const Network& network) {
  Preprocessing how;
  how.width = network.width;
  how.height = network.height;
  how.channels = network.channels;
  for (std::uint32_t c = 0; c < network.channels; ++c) {
    how.mean.push_back(0.45f + 0.01f * static_cast<float>(c));
    how.std.push_back(0.25f + 0.01f * static_cast<float>(c));
  }
  return how;
}

inline Model model_for(Network network, std::uint32_t bits) {
  Model model;
  model.info.bits = bits;
  model.info.preprocessing = preprocessing_for(network);
  model.info.class_names = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "caf\xc3\xa9 \"9\""};
  model.info.training_record = R"({"dataset":"made up","seed":7})";
  model.network = std::move(network);
  return model;
}

inline Image random_image(std::uint32_t width, std::uint32_t height, std::uint32_t channels, std::uint64_t seed) {
  Image image{width, height, channels, {}};
  image.pixels.resize(std::size_t{width} * height * channels);
  Random random(seed);
  for (std::uint8_t& p : image.pixels) p = static_cast<std::uint8_t>(random.below(256));
  return image;
}

}  // namespace signet::testing_networks
