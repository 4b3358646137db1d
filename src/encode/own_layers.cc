#include "encode/own_layers.h"

#include <array>
#include <cmath>

#include "signet/base/error.h"

namespace signet {
namespace {

// ||x - a||^2 in single precision with eight sums side by side, so that the compiler may use vectors without reordering anything.
float squared_distance(std::span<const float> x, const float* a) {
  constexpr std::size_t kLanes = 8;
  std::array<float, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= x.size(); i += kLanes) {
    for (std::size_t l = 0; l < kLanes; ++l) {
      const float apart = x[i + l] - a[i + l];
      sums[l] += apart * apart;
    }
  }
  float sum = 0;
  for (; i < x.size(); ++i) sum += (x[i] - a[i]) * (x[i] - a[i]);
  for (const float s : sums) sum += s;
  return sum;
}

float* radial(const Layer& layer, std::span<const float> x, float* target) {
  for (std::size_t j = 0; j < layer.out; ++j)
    *target++ = std::exp(layer.bias[j] * squared_distance(x, layer.weight.data() + j * x.size()));
  return target;
}

float* trees(const Layer& layer, std::span<const float> x, float* target) {
  const std::size_t each = layer.picks.size() / kTreeNodes / layer.out;
  const std::uint32_t* pick = layer.picks.data();
  const float *limit = layer.weight.data(), *vote = layer.bias.data();
  for (std::size_t j = 0; j < layer.out; ++j) {
    float sum = 0;
    for (std::size_t t = 0; t < each; ++t, pick += kTreeNodes, limit += kTreeNodes, vote += kTreeLeaves) {
      std::size_t node = 0;
      while (node < kTreeNodes) node = 2 * node + (x[pick[node]] >= limit[node] ? 2 : 1);
      sum += vote[node - kTreeNodes];
    }
    *target++ = sum;
  }
  return target;
}

}  // namespace

float* run_own_layer(const Layer& layer, std::span<const float> input, float* target) {
  switch (layer.kind) {
    case LayerKind::kSine:
      for (const float x : input) *target++ = std::sin(x);
      return target;
    case LayerKind::kRadial:
      return radial(layer, input, target);
    case LayerKind::kTrees:
      return trees(layer, input, target);
    default:
      fail(ErrorCode::kInternal, "layer kind ", static_cast<int>(layer.kind), " has a primitive of oneDNN");
  }
}

}  // namespace signet
