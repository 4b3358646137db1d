#include "learn/network.h"

#include <gtest/gtest.h>

#include <limits>

#include "learn/activation.h"
#include "learn/export.h"
#include "learn/pool.h"
#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/encode/encoder.h"

namespace signet {
namespace {

using at::Tensor;

NetworkShape tiny(std::uint32_t channels, std::uint32_t height, std::uint32_t width, std::uint32_t depth) {
  return {channels, height, width, {8, 12, 20}, depth, 5, 9};
}

std::vector<Image> random_images(std::size_t count, const NetworkShape& shape) {
  Random random(3);
  std::vector<Image> images;
  for (std::size_t i = 0; i < count; ++i) {
    Image image{shape.width, shape.height, shape.channels, {}};
    for (std::size_t p = 0; p < std::size_t{shape.width} * shape.height * shape.channels; ++p)
      image.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
    images.push_back(std::move(image));
  }
  return images;
}

Preprocessing preprocessing_of(const NetworkShape& shape) {
  return {shape.width,
          shape.height,
          shape.channels,
          std::vector<float>(shape.channels, 0.4f),
          std::vector<float>(shape.channels, 0.3f),
          false};
}

Tensor tensor_of(const std::vector<Image>& images, const Preprocessing& how) {
  Tensor x = at::empty({static_cast<std::int64_t>(images.size()), how.channels, how.height, how.width}, at::kFloat);
  for (std::size_t i = 0; i < images.size(); ++i) preprocess(images[i], how, x[static_cast<std::int64_t>(i)].data_ptr<float>());
  return x;
}

// Weights, shifts and statistics away from their start, as after training.
void disturb(HashNetwork& network, const Tensor& images) {
  const at::NoGradGuard no_gradient;
  Random random(4);
  network.fit_whitening(images);
  for (Parameter& p : network.parameters()) {
    if (!is_trained(p.role)) continue;
    float* data = p.value.data_ptr<float>();
    for (std::int64_t i = 0; i < p.value.numel(); ++i) data[i] += static_cast<float>(0.1 * random.normal());
  }
  for (int i = 0; i < 3; ++i) network.forward(images, HashNetwork::Mode::kTrain, true, false);
}

void expect_near(const std::vector<float>& got, const Tensor& expected, const char* what) {
  const Tensor flat = expected.detach().contiguous();
  ASSERT_EQ(static_cast<std::int64_t>(got.size()), flat.numel()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], flat.data_ptr<float>()[i], 1e-4) << what << " " << i;
}

class Export : public testing::TestWithParam<NetworkShape> {};

TEST_P(Export, TheEngineSaysWhatLibtorchSays) {
  const NetworkShape shape = GetParam();
  const Preprocessing how = preprocessing_of(shape);
  const std::vector<Image> images = random_images(24, shape);
  const Tensor x = tensor_of(images, how);
  HashNetwork network(shape, 1, at::kCPU);
  disturb(network, x);
  for (const Logits logits : {Logits::kFromCode, Logits::kFromFeatures, Logits::kNone}) {
    const at::NoGradGuard no_gradient;
    const auto expected = network.forward(x, HashNetwork::Mode::kEvaluate, true, false);
    Model model{to_network(network, logits), {}};
    model.info.bits = shape.bits;
    model.info.preprocessing = how;
    const Encoder encoder(std::move(model), {1, "auto"});
    const Outputs got =
        encoder.run(images, Encoder::kHash | Encoder::kFeatures | (logits == Logits::kNone ? 0u : unsigned{Encoder::kLogits}));
    expect_near(got.hash, expected.hash, "hash");
    expect_near(got.features, expected.features, "features");
    for (std::size_t i = 0; i < got.hash.size(); ++i) {
      const float own = expected.hash.contiguous().data_ptr<float>()[i];
      ASSERT_TRUE(std::abs(own) < 1e-3f || (got.hash[i] >= 0) == (own >= 0)) << i;
    }
    if (logits == Logits::kFromCode) expect_near(got.logits, expected.logits, "logits");
    if (logits == Logits::kFromFeatures)
      expect_near(got.logits, network.forward(x, HashNetwork::Mode::kEvaluate, false, false).logits, "logits");
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Export,
                         testing::Values(tiny(1, 28, 28, 2), tiny(3, 32, 32, 2), tiny(3, 32, 32, 3), tiny(1, 48, 48, 3),
                                         tiny(3, 16, 21, 2)));

// Values and gradients against libtorch's own, for a tensor in each memory layout that the network makes, far into both tails.
TEST(Gelu, AgreesWithLibtorch) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const double tolerance = type == at::kFloat ? 1e-6 : 1e-2;
    Tensor x = at::linspace(-30, 30, 3 * 5 * 7 * 11, at::kFloat).reshape({3, 5, 7, 11}).to(type);
    for (const Tensor& layout : {x, x.contiguous(at::MemoryFormat::ChannelsLast), x.slice(3, 0, 11, 2)}) {
      const Tensor ours = layout.detach().clone(at::MemoryFormat::Preserve).set_requires_grad(true);
      const Tensor exact = layout.to(at::kDouble).detach().set_requires_grad(true);
      const Tensor pull = at::arange(layout.numel(), at::kDouble).remainder(7).sub(3).reshape(layout.sizes());
      (fast_gelu(ours) * pull.to(type)).sum().backward();
      (at::gelu(exact) * pull).sum().backward();
      EXPECT_TRUE(at::allclose(fast_gelu(ours).to(at::kDouble), at::gelu(exact), tolerance, tolerance));
      EXPECT_TRUE(at::allclose(ours.grad().to(at::kDouble), exact.grad(), tolerance, 3 * tolerance));
    }
  }
  const Tensor odd = at::tensor({std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(), 1e30f});
  EXPECT_TRUE(at::allclose(fast_gelu(odd), odd, 0, 0, true));
}

// Bit for bit, gradients too: even and odd sizes, ties (whole numbers meet often), a NaN and both layouts; channels above and
// below the width of a vector.
TEST(MaxPool, EqualsLibtorch) {
  Random random(6);
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    for (const std::vector<std::int64_t>& size :
         std::vector<std::vector<std::int64_t>>{{3, 40, 8, 6}, {2, 5, 7, 9}, {1, 64, 2, 3}}) {
      Tensor x = at::empty(size, at::kFloat);
      for (std::int64_t i = 0; i < x.numel(); ++i) x.data_ptr<float>()[i] = static_cast<float>(random.below(7)) - 3;
      x.flatten()[1] = std::numeric_limits<float>::quiet_NaN();
      for (const at::MemoryFormat layout : {at::MemoryFormat::ChannelsLast, at::MemoryFormat::Contiguous}) {
        const Tensor ours = x.to(type).contiguous(layout).detach().clone().set_requires_grad(true);
        const Tensor theirs = ours.detach().clone().set_requires_grad(true);
        const Tensor got = fast_max_pool(ours), expected = at::max_pool2d(theirs, 2);
        ASSERT_TRUE(at::allclose(got, expected, 0, 0, true)) << type << " " << at::IntArrayRef(size);
        const Tensor pull = at::arange(1, expected.numel() + 1, type).reshape(expected.sizes());
        (got * pull).sum().backward();
        (expected * pull).sum().backward();
        EXPECT_TRUE(ours.grad().equal(theirs.grad())) << type << " " << at::IntArrayRef(size);
      }
    }
  }
}

TEST(HashNetwork, WhiteningGivesUnitSecondMoments) {
  const NetworkShape shape = tiny(3, 20, 20, 2);
  Random random(5);
  Tensor x = at::empty({30, 3, 20, 20}, at::kFloat);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data_ptr<float>()[i] = static_cast<float>(random.normal());
  x = x + at::avg_pool2d(x, 5, 1, 2) * 4;  // neighbouring pixels go together, as in pictures
  HashNetwork network(shape, 1, at::kCPU);
  network.fit_whitening(x);
  const Tensor y = at::conv2d(x, network.value("whiten.weight").narrow(0, 0, 12)).permute({0, 2, 3, 1}).reshape({-1, 12});
  const Tensor moments = at::matmul(y.t(), y) / static_cast<double>(y.size(0));
  EXPECT_LT((moments - at::eye(12)).abs().max().item<double>(), 0.05);
  EXPECT_TRUE(network.value("whiten.weight").narrow(0, 12, 12).equal(-network.value("whiten.weight").narrow(0, 0, 12)));
}

TEST(HashNetwork, ConvolutionsStartAsTheIdentity) {
  const HashNetwork network(tiny(1, 20, 20, 2), 1, at::kCPU);
  const Tensor x = at::arange(8 * 36, at::kFloat).reshape({1, 8, 6, 6});
  const Tensor y = at::conv2d(x, network.value("block1.conv2.weight"), {}, 1, 1);
  EXPECT_TRUE(y.equal(x));
}

TEST(HashNetwork, TheSeedDecidesTheWeights) {
  const NetworkShape shape = tiny(1, 20, 20, 2);
  const HashNetwork a(shape, 1, at::kCPU), same(shape, 1, at::kCPU), other(shape, 2, at::kCPU);
  EXPECT_TRUE(a.value("hash.weight").equal(same.value("hash.weight")));
  EXPECT_FALSE(a.value("hash.weight").equal(other.value("hash.weight")));
}

TEST(HashNetwork, Bfloat16IsCloseToFloat32) {
  const NetworkShape shape = tiny(3, 32, 32, 2);
  const Tensor x = tensor_of(random_images(16, shape), preprocessing_of(shape));
  HashNetwork network(shape, 1, at::kCPU);
  disturb(network, x);
  const at::NoGradGuard no_gradient;
  const auto exact = network.forward(x, HashNetwork::Mode::kEvaluate, true, false),
             rough = network.forward(x, HashNetwork::Mode::kEvaluate, true, true);
  EXPECT_EQ(rough.hash.scalar_type(), at::kFloat);
  EXPECT_LT((exact.features - rough.features).abs().max().item<double>(), 0.1 * exact.features.abs().max().item<double>());
}

TEST(NetworkShape, UnknownNamesAndTinyInputsAreRefused) {
  EXPECT_EQ(network_shape("medium", 3, 32, 32, 10, 12).widths[2], 256u);
  EXPECT_EQ(network_shape("wide", 3, 32, 32, 10, 12).widths[2], 384u);
  EXPECT_THROW(network_shape("huge", 3, 32, 32, 10, 12), Error);
  EXPECT_THROW(network_shape("small", 3, 15, 32, 10, 12), Error);
}

}  // namespace
}  // namespace signet
