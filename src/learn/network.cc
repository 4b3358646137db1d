#include "learn/network.h"

#include <cmath>
#include <stdexcept>

#include "learn/activation.h"
#include "learn/convolution.h"
#include "learn/matrix.h"
#include "learn/pool.h"
#include "signet/base/cpu.h"
#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

using at::Tensor;

// Uniform in +-1/sqrt(fan in), from our own generator: the same on every machine and for every version of libtorch.
Tensor uniform_weight(const std::vector<std::int64_t>& size, std::int64_t fan_in, Random& random) {
  Tensor w = at::empty(size, at::kFloat);
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  float* data = w.data_ptr<float>();
  for (std::int64_t i = 0; i < w.numel(); ++i) data[i] = static_cast<float>((2 * random.uniform() - 1) * bound);
  return w;
}

// The first `in` output channels copy the input (dirac), the others start random.
Tensor identity_conv(std::int64_t out, std::int64_t in, Random& random) {
  Tensor w = uniform_weight({out, in, 3, 3}, in * 9, random);
  for (std::int64_t c = 0; c < std::min(in, out); ++c) {
    w[c].zero_();
    w[c][c][1][1] = 1;
  }
  return w;
}

std::string conv_name(std::size_t block, std::size_t conv) { return concat("block", block + 1, ".conv", conv + 1); }
std::string norm_name(std::size_t block, std::size_t conv) { return concat("block", block + 1, ".norm", conv + 1); }

}  // namespace

NetworkShape network_shape(const std::string& arch, std::uint32_t channels, std::uint32_t height, std::uint32_t width,
                           std::uint32_t classes, std::uint32_t bits) {
  NetworkShape shape{channels, height, width, {32, 64, 128}, 2, classes, bits};
  if (arch == "medium") {
    shape.widths = {64, 256, 256};
  } else if (arch == "wide") {
    shape.widths = {128, 384, 384};
  } else if (arch == "large") {
    shape.widths = {128, 384, 512};
    shape.depth = 3;
  } else if (arch != "small") {
    fail(ErrorCode::kUsage, "--arch \"", arch, "\" does not exist; small, medium, wide and large do");
  }
  if (height < 16 || width < 16)
    fail(ErrorCode::kInvalidArgument, "the network's input must be at least 16 x 16 pixels, and is ", width, " x ", height);
  return shape;
}

HashNetwork::HashNetwork(const NetworkShape& shape, std::uint64_t seed, const at::Device& device) : shape_(shape) {
  Random random(mix_seed(seed, 0x6e6574));
  const std::int64_t whitened = std::int64_t{8} * shape.channels, features = shape.widths[2];
  add("whiten.weight", Role::kFrozen, at::zeros({whitened, shape.channels, 2, 2}));
  std::int64_t in = whitened;
  for (std::size_t b = 0; b < 3; ++b) {
    for (std::size_t c = 0; c < shape.depth; ++c) {
      add(conv_name(b, c) + ".weight", Role::kFilter, identity_conv(shape.widths[b], in, random));
      add_norm(norm_name(b, c), shape.widths[b], true);
      in = shape.widths[b];
    }
  }
  add("head.weight", Role::kWeight, uniform_weight({shape.classes, features}, features, random));
  add("hash.weight", Role::kWeight, uniform_weight({shape.bits, features}, features, random));
  add_norm("hash.norm", shape.bits, false);
  add("classify.weight", Role::kWeight, uniform_weight({shape.classes, shape.bits}, shape.bits, random));
  add("classify.bias", Role::kWeight, at::zeros({shape.classes}));
  for (Parameter& p : parameters_) p.value = p.value.to(device).set_requires_grad(is_trained(p.role));
}

Tensor& HashNetwork::add(const std::string& name, Role role, Tensor value) {
  return parameters_.emplace_back(Parameter{name, role, std::move(value)}).value;
}

void HashNetwork::add_norm(const std::string& name, std::int64_t width, bool shift) {
  if (shift) add(name + ".shift", Role::kNormShift, at::zeros({width}));
  add(name + ".mean", Role::kStatistic, at::zeros({width}));
  add(name + ".variance", Role::kStatistic, at::ones({width}));
}

const Tensor& HashNetwork::value(const std::string& name) const {
  for (const Parameter& p : parameters_)
    if (p.name == name) return p.value;
  throw std::out_of_range("no parameter " + name);
}

void HashNetwork::fit_whitening(const Tensor& images) {
  const at::NoGradGuard no_gradient;
  const Tensor x = images.to(at::kCPU, at::kDouble);
  const std::int64_t size = x.size(1) * 4;
  const Tensor patches = x.unfold(2, 2, 1).unfold(3, 2, 1).permute({0, 2, 3, 1, 4, 5}).reshape({-1, size});
  // Not centred, as the layer has no shift: second moments are what the outputs' mean squares are made of.
  const Tensor moments = at::matmul(patches.t(), patches).div_(static_cast<double>(patches.size(0)));
  const auto [values, vectors] = at::linalg_eigh(moments);
  Tensor filters = (vectors.t() / (values + 5e-4).sqrt().unsqueeze(1)).reshape({size, x.size(1), 2, 2});
  // An eigenvector's sign is arbitrary: fixed by its largest entry, though filter and negative are both there, so that channel
  // order is too.
  for (std::int64_t i = 0; i < size; ++i) {
    const Tensor flat = filters[i].flatten();
    if (flat[flat.abs().argmax()].item<double>() < 0) filters[i].neg_();
  }
  Tensor weight = value("whiten.weight");
  weight.copy_(at::cat({filters, -filters}));
}

// With AVX-512 bfloat16 is the quick way to train, and Winograd's was not measured (docs/decisions/0116).
bool convolves_by_winograd(const at::Device& device) { return device.is_cpu() && !cpu_features().avx512f; }

Tensor HashNetwork::convolve(const Tensor& x, const std::string& name, std::int64_t pad) const {
  const Tensor weight = value(name + ".weight").to(x.scalar_type());
  return pad == 1 && convolves_by_winograd(x.device()) ? winograd_conv3x3(x, weight) : at::conv2d(x, weight, {}, 1, pad);
}

Tensor HashNetwork::normalise(const Tensor& x, const std::string& name, Mode mode) {
  const bool shifted = name != "hash.norm";
  return at::batch_norm(x, {}, shifted ? value(name + ".shift") : Tensor(), value(name + ".mean"), value(name + ".variance"),
                        mode == Mode::kTrain, statistics_rate_, kNormEpsilon, false);
}

Tensor HashNetwork::block(Tensor x, std::size_t index, Mode mode) {
  x = fast_max_pool(convolve(x, conv_name(index, 0), 1));
  x = fast_gelu(normalise(x, norm_name(index, 0), mode));
  const Tensor skip = x;
  for (std::size_t c = 1; c < shape_.depth; ++c) {
    x = normalise(convolve(x, conv_name(index, c), 1), norm_name(index, c), mode);
    if (shape_.depth == 3 && c == 2) x = x + skip;
    x = fast_gelu(x);
  }
  return x;
}

Tensor HashNetwork::features(const Tensor& images, Mode mode, bool bfloat16) {
  Tensor x = images.to(bfloat16 ? at::kBFloat16 : at::kFloat);
  x = fast_gelu(convolve(x, "whiten", 0));
  for (std::size_t b = 0; b < 3; ++b) x = block(x, b, mode);
  return x.amax({2, 3}).to(at::kFloat);
}

HashNetwork::Result HashNetwork::forward(const Tensor& images, Mode mode, bool hash_layer, bool bfloat16) {
  Result r;
  r.features = features(images, mode, bfloat16);
  if (!hash_layer) {
    r.logits = product_with_transposed(r.features, value("head.weight")) * kClassifierScale;
    return r;
  }
  r.hash = normalise(product_with_transposed(r.features, value("hash.weight")), "hash.norm", mode);
  r.code = r.hash.tanh();
  r.logits = product_with_transposed(r.code, value("classify.weight")) + value("classify.bias");
  return r;
}

}  // namespace signet
