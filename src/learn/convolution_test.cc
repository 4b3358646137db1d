#include "learn/convolution.h"

#include <gtest/gtest.h>

#include "signet/base/random.h"

namespace signet {
namespace {

using at::Tensor;

constexpr at::MemoryFormat kLayout = at::MemoryFormat::ChannelsLast;

Tensor random(const std::vector<std::int64_t>& size, std::uint64_t seed) {
  Random source(seed);
  Tensor x = at::empty(size, at::kFloat);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data_ptr<float>()[i] = static_cast<float>(source.normal());
  return x;
}

struct Gradients {
  Tensor y, of_x, of_weight;
};

// Of the sum of y times fixed numbers.
template <typename Convolution>
Gradients run(const Convolution& convolution, const Tensor& x, const Tensor& weight) {
  const Tensor a = x.detach().clone(at::MemoryFormat::Preserve).set_requires_grad(true),
               b = weight.detach().clone().set_requires_grad(true), y = convolution(a, b);
  (y * random(y.sizes().vec(), 3).to(y.scalar_type())).sum().backward();
  return {y.detach(), a.grad(), b.grad()};
}

Tensor libtorch(const Tensor& x, const Tensor& weight) { return at::conv2d(x, weight, {}, 1, 1); }

double error(const Tensor& got, const Tensor& exact) {
  return ((got.to(at::kDouble) - exact).abs().max() / exact.abs().max()).item<double>();
}

struct Case {
  std::int64_t images, in, out, height, width;
};

// Sides that are whole tiles and that are not, the least that pay, channels within a run, several runs and a part of one. The
// first has 260 tiles: several runs of tiles a thread, the last one shorter, and work for three threads.
const Case kCases[] = {{13, 72, 88, 15, 17}, {2, 8, 16, 4, 4}, {3, 16, 8, 7, 9}, {1, 24, 64, 31, 31}, {5, 72, 136, 3, 3},
                       {2, 136, 72, 5, 6},   {3, 8, 8, 2, 4},  {3, 8, 8, 4, 2},  {40, 8, 8, 12, 16},  {0, 8, 8, 8, 8}};

TEST(Convolution, AgreesWithLibtorchInDouble) {
  const int before = at::get_num_threads();
  for (const int threads : {1, 3}) {
    at::set_num_threads(threads);
    for (const Case& c : kCases) {
      const std::string name = testing::PrintToString(std::vector<std::int64_t>{c.images, c.in, c.out, c.height, c.width});
      const Tensor x = random({c.images, c.in, c.height, c.width}, 1).contiguous(kLayout),
                   weight = random({c.out, c.in, 3, 3}, 2);
      ASSERT_FALSE(c.images > 0 && winograd_conv3x3(x, weight).equal(libtorch(x, weight))) << name << " is left to libtorch";
      const Gradients ours = run(winograd_conv3x3, x, weight), exact = run(libtorch, x.to(at::kDouble), weight.to(at::kDouble));
      ASSERT_EQ(ours.y.sizes(), exact.y.sizes()) << name;
      EXPECT_TRUE(ours.y.is_contiguous(kLayout)) << name;
      if (c.images == 0) continue;
      EXPECT_LT(error(ours.y, exact.y), 3e-5) << name;
      EXPECT_LT(error(ours.of_x, exact.of_x), 3e-5) << name;
      EXPECT_LT(error(ours.of_weight, exact.of_weight), 3e-5) << name;
      const Gradients again = run(winograd_conv3x3, x, weight);
      EXPECT_TRUE(again.y.equal(ours.y) && again.of_x.equal(ours.of_x) && again.of_weight.equal(ours.of_weight)) << name;
    }
  }
  at::set_num_threads(before);
}

// Tiles of their own sums: not libtorch's last digits. Without that the test above could pass with libtorch's convolution alone.
TEST(Convolution, IsItsOwnWhereItPays) {
  const Tensor weight = random({16, 16, 3, 3}, 2);
  const auto is_libtorch = [&](const Tensor& x) { return winograd_conv3x3(x, weight).equal(libtorch(x, weight)); };
  EXPECT_FALSE(is_libtorch(random({4, 16, 15, 15}, 1).contiguous(kLayout)));
  EXPECT_TRUE(is_libtorch(random({4, 16, 2, 2}, 1).contiguous(kLayout))) << "mostly border";
  EXPECT_TRUE(is_libtorch(random({4, 16, 15, 15}, 1))) << "not channels last";
}

TEST(Convolution, LeavesOtherTensorsToLibtorch) {
  const auto is_libtorch = [](std::int64_t channels, at::ScalarType type) {
    const Tensor x = random({2, channels, 16, 16}, 1).contiguous(kLayout).to(type);
    const Tensor weight = random({8, channels, 3, 3}, 2).to(type);
    return winograd_conv3x3(x, weight).equal(libtorch(x, weight));
  };
  EXPECT_FALSE(is_libtorch(16, at::kFloat));
  EXPECT_TRUE(is_libtorch(12, at::kFloat));
  EXPECT_TRUE(is_libtorch(16, at::kDouble));
  EXPECT_TRUE(is_libtorch(16, at::kBFloat16));
  const Tensor x = random({2, 16, 16, 16}, 1).contiguous(kLayout);
  EXPECT_THROW(winograd_conv3x3(x, random({8, 8, 3, 3}, 2)), c10::Error) << "filters for other channels";
  EXPECT_EQ(winograd_conv3x3(x, random({8, 16, 5, 5}, 2)).size(2), 14) << "5 x 5 filters";
}

TEST(Convolution, TakesFiltersInAnyLayout) {
  const Tensor x = random({2, 16, 8, 8}, 1).contiguous(kLayout), weight = random({8, 16, 3, 3}, 2);
  EXPECT_TRUE(winograd_conv3x3(x, weight.contiguous(kLayout)).equal(winograd_conv3x3(x, weight)));
}

// A first layer has no gradient to hand on.
TEST(Convolution, GradientOfTheWeightAlone) {
  const Tensor x = random({2, 8, 8, 8}, 1).contiguous(kLayout);
  const Tensor weight = random({8, 8, 3, 3}, 2).set_requires_grad(true), exact = weight.detach().clone().set_requires_grad(true);
  winograd_conv3x3(x, weight).square().sum().backward();
  libtorch(x, exact).square().sum().backward();
  EXPECT_LT(error(weight.grad(), exact.grad().to(at::kDouble)), 3e-5);
}

}  // namespace
}  // namespace signet
