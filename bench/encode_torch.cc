#include <torch/version.h>

#include <algorithm>
#include <vector>

#include "bench/encode_peers.h"
#include "learn/torch.h"
#include "signet/base/error.h"

namespace signet::bench {
namespace {

// The network in libtorch's functions as training uses them: inference mode, batch normalisation folded, dense layers as 1x1
// convolutions (Debian's libtorch is linked to the reference BLAS, which would be slower).
class TorchPeer final : public Peer {
 public:
  TorchPeer(const Network& network, std::size_t threads, bool channels_last)
      : network_(network),
        shapes_(check_network(network)),
        threads_(static_cast<int>(threads)),
        format_(channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous) {
    for (std::size_t i = 0; i < network.layers.size(); ++i) add_weights(i);
  }
  std::string name() const override { return format_ == at::MemoryFormat::ChannelsLast ? "libtorch nhwc" : "libtorch nchw"; }
  std::string version() const override { return TORCH_VERSION; }

  void run(const float* images, std::size_t n, float* hash) override {
    at::set_num_threads(threads_);
    const c10::InferenceMode inference;
    const std::vector<std::int64_t> size{static_cast<std::int64_t>(n), network_.channels, network_.height, network_.width};
    const at::Tensor input = at::from_blob(const_cast<float*>(images), size, at::kFloat).contiguous(format_);  // only read
    std::vector<at::Tensor> values;
    for (std::size_t i = 0; i <= static_cast<std::size_t>(network_.hash); ++i) {
      const int from = network_.layers[i].input;
      const at::Tensor& x = from < 0 ? input : values[static_cast<std::size_t>(from)];
      values.push_back(layer(i, x, values));
    }
    const at::Tensor out = values.back().contiguous();
    std::copy_n(out.data_ptr<float>(), out.numel(), hash);
  }

 private:
  void add_weights(std::size_t index) {
    const Layer& layer = network_.layers[index];
    const LayerShape in = layer.input < 0 ? LayerShape{network_.channels, network_.height, network_.width}
                                          : shapes_[static_cast<std::size_t>(layer.input)];
    const std::int64_t k = layer.kernel;
    const bool conv = layer.kind == LayerKind::kConv;
    const std::vector<std::int64_t> size = conv
                                               ? std::vector<std::int64_t>{layer.out, in.c, k, k}
                                               : std::vector<std::int64_t>{layer.out, static_cast<std::int64_t>(in.size()), 1, 1};
    const auto tensor = [](const std::vector<float>& v, const std::vector<std::int64_t>& s) {
      return v.empty() ? at::Tensor() : at::from_blob(const_cast<float*>(v.data()), s, at::kFloat).clone();
    };
    weights_.push_back(tensor(layer.weight, size));
    if (weights_.back().defined()) weights_.back() = weights_.back().contiguous(format_);
    biases_.push_back(tensor(layer.bias, {layer.out}));
  }

  at::Tensor layer(std::size_t index, const at::Tensor& x, const std::vector<at::Tensor>& values) const {
    const Layer& layer = network_.layers[index];
    const std::int64_t k = layer.kernel, s = layer.stride, p = layer.pad;
    switch (layer.kind) {
      case LayerKind::kConv:
        return at::conv2d(x, weights_[index], biases_[index], at::IntArrayRef{s, s}, at::IntArrayRef{p, p});
      case LayerKind::kLinear:
        return at::conv2d(x.reshape({x.size(0), -1, 1, 1}), weights_[index], biases_[index]);
      case LayerKind::kMaxPool:
        return at::max_pool2d(x, {k, k}, {s, s});
      case LayerKind::kGlobalMaxPool:
        return at::amax(x, {2, 3}, true);
      case LayerKind::kGlobalAvgPool:
        return at::mean(x, {2, 3}, true);
      case LayerKind::kGelu:
        return at::gelu(x);
      case LayerKind::kRelu:
        return at::relu(x);
      case LayerKind::kTanh:
        return at::tanh(x);
      case LayerKind::kAdd:
        return x + values[static_cast<std::size_t>(layer.other)];
      case LayerKind::kSine:
      case LayerKind::kRadial:
      case LayerKind::kTrees:
        break;  // of shallow hash functions, where there is no convolution to compare
    }
    fail(ErrorCode::kUnsupported, "layer ", index,
         " is of a shallow hash function, and libtorch has no such layer; compare a trained network");
  }

  const Network& network_;
  std::vector<LayerShape> shapes_;
  std::vector<at::Tensor> weights_, biases_;
  int threads_;
  at::MemoryFormat format_;
};

}  // namespace

std::unique_ptr<Peer> make_torch_peer(const Network& network, std::size_t threads, bool channels_last) {
  return std::make_unique<TorchPeer>(network, threads, channels_last);
}

}  // namespace signet::bench
