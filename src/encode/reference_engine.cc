#include <algorithm>
#include <cmath>
#include <limits>

#include "encode/engine.h"
#include "encode/layer_kinds.h"

namespace signet {
namespace {

using Tensor = std::vector<float>;

// Value at (y, x) of a plane, zero outside.
float at_or_zero(const float* plane, const LayerShape& in, std::int64_t y, std::int64_t x) {
  if (y < 0 || x < 0 || y >= in.h || x >= in.w) return 0.0f;
  return plane[static_cast<std::size_t>(y) * in.w + static_cast<std::size_t>(x)];
}

double conv_at(const Layer& layer, const Tensor& in, const LayerShape& shape, std::uint32_t o, std::uint32_t y, std::uint32_t x) {
  double sum = layer.bias[o];
  const float* weight = layer.weight.data() + std::size_t{o} * shape.c * layer.kernel * layer.kernel;
  for (std::uint32_t c = 0; c < shape.c; ++c) {
    const float* plane = in.data() + std::size_t{c} * shape.h * shape.w;
    for (std::uint32_t i = 0; i < layer.kernel; ++i) {
      for (std::uint32_t j = 0; j < layer.kernel; ++j) {
        const std::int64_t row = std::int64_t{y} * layer.stride + i - layer.pad;
        const std::int64_t column = std::int64_t{x} * layer.stride + j - layer.pad;
        sum += double{*weight++} * double{at_or_zero(plane, shape, row, column)};
      }
    }
  }
  return sum;
}

void conv(const Layer& layer, const Tensor& in, const LayerShape& shape, Tensor& out, const LayerShape& out_shape) {
  std::size_t n = 0;
  for (std::uint32_t o = 0; o < out_shape.c; ++o) {
    for (std::uint32_t y = 0; y < out_shape.h; ++y) {
      for (std::uint32_t x = 0; x < out_shape.w; ++x) out[n++] = static_cast<float>(conv_at(layer, in, shape, o, y, x));
    }
  }
}

void linear(const Layer& layer, const Tensor& in, Tensor& out) {
  for (std::size_t o = 0; o < out.size(); ++o) {
    double sum = layer.bias[o];
    for (std::size_t i = 0; i < in.size(); ++i) sum += double{layer.weight[o * in.size() + i]} * double{in[i]};
    out[o] = static_cast<float>(sum);
  }
}

void radial(const Layer& layer, const Tensor& in, Tensor& out) {
  for (std::size_t o = 0; o < out.size(); ++o) {
    double distance = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double apart = double{in[i]} - double{layer.weight[o * in.size() + i]};
      distance += apart * apart;
    }
    out[o] = static_cast<float>(std::exp(double{layer.bias[o]} * distance));
  }
}

void trees(const Layer& layer, const Tensor& in, Tensor& out) {
  const std::size_t each = layer.picks.size() / kTreeNodes / layer.out;
  for (std::size_t o = 0; o < out.size(); ++o) {
    double sum = 0;
    for (std::size_t t = o * each; t < (o + 1) * each; ++t) {
      std::size_t node = 0;
      while (node < kTreeNodes) {
        const std::size_t at = t * kTreeNodes + node;
        node = 2 * node + (in[layer.picks[at]] >= layer.weight[at] ? 2 : 1);
      }
      sum += double{layer.bias[t * kTreeLeaves + node - kTreeNodes]};
    }
    out[o] = static_cast<float>(sum);
  }
}

void max_pool(std::uint32_t kernel_h, std::uint32_t kernel_w, std::uint32_t stride, const Tensor& in, const LayerShape& shape,
              Tensor& out, const LayerShape& out_shape) {
  std::size_t n = 0;
  for (std::uint32_t c = 0; c < out_shape.c; ++c) {
    const float* plane = in.data() + std::size_t{c} * shape.h * shape.w;
    for (std::uint32_t y = 0; y < out_shape.h; ++y) {
      for (std::uint32_t x = 0; x < out_shape.w; ++x) {
        float best = -std::numeric_limits<float>::infinity();
        for (std::uint32_t i = 0; i < kernel_h; ++i) {
          for (std::uint32_t j = 0; j < kernel_w; ++j) {
            best = std::max(best, at_or_zero(plane, shape, std::int64_t{y} * stride + i, std::int64_t{x} * stride + j));
          }
        }
        out[n++] = best;
      }
    }
  }
}

void global_average(const Tensor& in, const LayerShape& shape, Tensor& out) {
  const std::size_t area = std::size_t{shape.h} * shape.w;
  for (std::size_t c = 0; c < shape.c; ++c) {
    double sum = 0;
    for (std::size_t i = 0; i < area; ++i) sum += double{in[c * area + i]};
    out[c] = static_cast<float>(sum / static_cast<double>(area));
  }
}

float gelu(float x) { return static_cast<float>(0.5 * x * (1.0 + std::erf(double{x} * M_SQRT1_2))); }

class ReferenceSession final : public Session {
 public:
  ReferenceSession(const Network& network, const std::vector<LayerShape>& shapes) : network_(network), shapes_(shapes) {
    for (const LayerShape& shape : shapes) tensors_.emplace_back(shape.size());
  }

  void run(const float* input, const Targets& targets) override {
    input_.assign(input, input + std::size_t{network_.channels} * network_.height * network_.width);
    for (std::size_t i = 0; i < network_.layers.size(); ++i) run_layer(i);
    copy(network_.hash, targets.hash);
    copy(network_.features, targets.features);
    copy(network_.logits, targets.logits);
  }

 private:
  const Tensor& operand(int index) const { return index < 0 ? input_ : tensors_[static_cast<std::size_t>(index)]; }

  void copy(int index, float* target) const {
    if (index >= 0 && target != nullptr) std::copy(operand(index).begin(), operand(index).end(), target);
  }

  void run_layer(std::size_t index) {
    const Layer& layer = network_.layers[index];
    const Tensor& in = operand(layer.input);
    const LayerShape shape = input_shape(network_, shapes_, layer.input);
    Tensor& out = tensors_[index];
    const auto each = [&](auto&& f) { std::transform(in.begin(), in.end(), out.begin(), f); };
    switch (layer.kind) {
      case LayerKind::kConv:
        return conv(layer, in, shape, out, shapes_[index]);
      case LayerKind::kLinear:
        return linear(layer, in, out);
      case LayerKind::kMaxPool:
        return max_pool(layer.kernel, layer.kernel, layer.stride, in, shape, out, shapes_[index]);
      case LayerKind::kGlobalMaxPool:
        return max_pool(shape.h, shape.w, 1, in, shape, out, shapes_[index]);
      case LayerKind::kGlobalAvgPool:
        return global_average(in, shape, out);
      case LayerKind::kGelu:
        return each(gelu);
      case LayerKind::kRelu:
        return each([](float x) { return std::max(x, 0.0f); });
      case LayerKind::kTanh:
        return each([](float x) { return std::tanh(x); });
      case LayerKind::kSine:
        return each([](float x) { return std::sin(x); });
      case LayerKind::kRadial:
        return radial(layer, in, out);
      case LayerKind::kTrees:
        return trees(layer, in, out);
      case LayerKind::kAdd:
        std::transform(in.begin(), in.end(), operand(layer.other).begin(), out.begin(), [](float a, float b) { return a + b; });
        return;
    }
  }

  const Network& network_;
  const std::vector<LayerShape>& shapes_;
  Tensor input_;
  std::vector<Tensor> tensors_;
};

class ReferenceEngine final : public Engine {
 public:
  explicit ReferenceEngine(const Network& network) : network_(network), shapes_(check_network(network)) {}
  std::string name() const override { return "reference"; }
  std::size_t batch() const noexcept override { return 1; }
  std::unique_ptr<Session> make_session() const override { return std::make_unique<ReferenceSession>(network_, shapes_); }

 private:
  Network network_;
  std::vector<LayerShape> shapes_;
};

}  // namespace

std::unique_ptr<Engine> make_reference_engine(const Network& network) { return std::make_unique<ReferenceEngine>(network); }

}  // namespace signet
