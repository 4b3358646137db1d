#include "encode/engine.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <numbers>
#include <thread>

#include "base/test_folder.h"
#include "encode/test_networks.h"

namespace signet {
namespace {

using namespace testing_networks;

struct Result {
  std::vector<float> hash, features, logits;
};

std::vector<float> random_input(const Network& network, std::size_t images, std::uint64_t seed) {
  std::vector<float> input;
  for (std::size_t i = 0; i < images; ++i) {
    const Image image = random_image(network.width, network.height, network.channels, seed + i);
    input.resize(input.size() + image.pixels.size());
    preprocess(image, preprocessing_for(network), input.data() + i * image.pixels.size());
  }
  return input;
}

Result run(const Engine& engine, const Network& network, const float* input) {
  const std::vector<LayerShape> shapes = check_network(network);
  const auto room = [&](int index) {
    return std::vector<float>(index < 0 ? 0 : engine.batch() * shapes[static_cast<std::size_t>(index)].size());
  };
  Result r{room(network.hash), room(network.features), room(network.logits)};
  engine.make_session()->run(input, {r.hash.data(), r.features.data(), r.logits.data()});
  return r;
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-4) << i;
}

// --- the reference engine against values worked out by hand

Network one_layer(Layer layer, std::uint32_t channels, std::uint32_t height, std::uint32_t width, bool flatten) {
  Network network;
  network.channels = channels;
  network.height = height;
  network.width = width;
  network.layers.push_back(std::move(layer));
  network.hash = 0;
  if (flatten) {  // hash must be a vector: sum over everything, so that each value counts differently
    const LayerShape shape = [&] {
      Network asked = network;
      Layer last;
      last.kind = LayerKind::kGlobalMaxPool;
      last.input = 0;
      asked.layers.push_back(last);
      asked.hash = 1;
      return check_network(asked)[0];
    }();
    Layer identity;
    identity.kind = LayerKind::kLinear;
    identity.input = 0;
    identity.out = static_cast<std::uint32_t>(shape.size());
    identity.weight.assign(shape.size() * shape.size(), 0.0f);
    for (std::size_t i = 0; i < shape.size(); ++i) identity.weight[i * shape.size() + i] = 1.0f;
    identity.bias.assign(shape.size(), 0.0f);
    network.layers.push_back(identity);
    network.hash = 1;
  }
  return network;
}

class EveryEngine : public testing::TestWithParam<std::string> {
 protected:
  std::vector<float> hash_of(const Network& network, const std::vector<float>& input) {
    return run(*make_engine(GetParam(), network), network, input.data()).hash;
  }
};
INSTANTIATE_TEST_SUITE_P(All, EveryEngine, testing::ValuesIn(engine_names()),
                         [](const auto& parameter) { return parameter.param; });

TEST_P(EveryEngine, ConvolvesWithPaddingAndStride) {
  Layer conv;
  conv.kind = LayerKind::kConv;
  conv.out = 1;
  conv.kernel = 3;
  conv.stride = 2;
  conv.pad = 1;
  conv.weight = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  conv.bias = {0.5f};
  // 1 2 3      windows around (0,0), (0,2), (2,0), (2,2); outside is zero
  // 4 5 6
  // 7 8 9
  const std::vector<float> out = hash_of(one_layer(conv, 1, 3, 3, true), {1, 2, 3, 4, 5, 6, 7, 8, 9});
  expect_near(out, {5 * 1 + 6 * 2 + 8 * 4 + 9 * 5 + 0.5f, 4 * 2 + 5 * 3 + 7 * 5 + 8 * 6 + 0.5f,
                    2 * 4 + 3 * 5 + 5 * 7 + 6 * 8 + 0.5f, 1 * 5 + 2 * 6 + 4 * 8 + 5 * 9 + 0.5f});
}

TEST_P(EveryEngine, PoolsMaximaAndLeavesTheRestOut) {
  Layer pool;
  pool.kind = LayerKind::kMaxPool;
  pool.kernel = 2;
  pool.stride = 2;
  const std::vector<float> out =
      hash_of(one_layer(pool, 1, 3, 5, true), {-1, -2, -3, -4, 99, -5, -6, -7, -2, 99, 99, 99, 99, 99, 99});
  expect_near(out, {-1, -2});
}

TEST_P(EveryEngine, PoolsGlobally) {
  Layer pool;
  pool.kind = LayerKind::kGlobalMaxPool;
  expect_near(hash_of(one_layer(pool, 2, 1, 3, false), {-3, -1, -2, 4, 6, 5}), {-1, 6});
  pool.kind = LayerKind::kGlobalAvgPool;
  expect_near(hash_of(one_layer(pool, 2, 1, 3, false), {-3, -1, -2, 4, 6, 5}), {-2, 5});
}

TEST_P(EveryEngine, FlattensChannelsThenRowsThenColumns) {
  Layer linear;
  linear.kind = LayerKind::kLinear;
  linear.out = 2;
  linear.weight = {1, 10, 100, 1000, 1e4f, 1e5f, 0, 0, 0, 0, 0, 1};
  linear.bias = {0, 7};
  expect_near(hash_of(one_layer(linear, 3, 1, 2, false), {1, 2, 3, 4, 5, 6}), {654321, 13});
}

TEST_P(EveryEngine, AppliesItsFunctions) {
  const std::vector<float> x{-30, -3, -1, -0.25f, 0, 0.25f, 1, 3, 30};
  const auto expected = [&](auto&& f) {
    std::vector<float> y;
    for (const float v : x) y.push_back(static_cast<float>(f(double{v})));
    return y;
  };
  Layer layer;
  layer.kind = LayerKind::kGelu;
  expect_near(hash_of(one_layer(layer, 9, 1, 1, false), x),
              expected([](double v) { return v * (1 + std::erf(v / std::numbers::sqrt2)) / 2; }));
  layer.kind = LayerKind::kTanh;
  expect_near(hash_of(one_layer(layer, 9, 1, 1, false), x), expected([](double v) { return std::tanh(v); }));
  layer.kind = LayerKind::kRelu;
  expect_near(hash_of(one_layer(layer, 9, 1, 1, false), x), expected([](double v) { return v > 0 ? v : 0; }));
  layer.kind = LayerKind::kAdd;
  layer.other = -1;
  expect_near(hash_of(one_layer(layer, 9, 1, 1, false), x), expected([](double v) { return 2 * v; }));
}

// --- oneDNN against the reference

TEST(OnednnEngine, ComputesWhatTheReferenceComputes) {
  const std::vector<Network> networks{every_layer(3, 21, 17, 12),           every_layer(1, 9, 40, 5),
                                      airbench(1, 28, {8, 16, 32, 48}, 12), airbench(3, 32, {24, 32, 64}, 48),
                                      airbench(1, 48, {3, 17, 33}, 1),      airbench(3, 7, {4, 4}, 64)};
  for (const Network& network : networks) {
    const std::vector<float> input = random_input(network, 1, 11);
    const Result expected = run(*make_reference_engine(network), network, input.data());
    const Result actual = run(*make_onednn_engine(network), network, input.data());
    expect_near(expected.hash, actual.hash);
    expect_near(expected.features, actual.features);
    expect_near(expected.logits, actual.logits);
  }
}

// Every layer of the network in turn is made the output: fusing and sharing of memory must keep each value intact.
TEST(OnednnEngine, ComputesEveryInnerValue) {
  const Network base = every_layer(3, 21, 17, 12);
  const std::vector<LayerShape> shapes = check_network(base);
  const std::vector<float> input = random_input(base, 1, 3);
  for (int i = 0; i < static_cast<int>(base.layers.size()); ++i) {
    if (i == base.hash || i == base.logits) continue;
    SCOPED_TRACE(i);
    Network network = base;
    network.features = i;
    const Result expected = run(*make_reference_engine(network), network, input.data());
    const Result actual = run(*make_onednn_engine(network), network, input.data());
    expect_near(expected.features, actual.features);
    expect_near(expected.hash, actual.hash);
  }
}

TEST(OnednnEngine, OutputsThatAreNotWantedChangeNothing) {
  const Network network = every_layer(3, 16, 16, 12);
  const auto engine = make_onednn_engine(network);
  const std::vector<float> input = random_input(network, 1, 3);
  const Result all = run(*engine, network, input.data());
  std::vector<float> hash(all.hash.size());
  engine->make_session()->run(input.data(), {hash.data(), nullptr, nullptr});
  EXPECT_EQ(hash, all.hash);
}

TEST(OnednnEngine, ASessionKeepsNothingBetweenRuns) {
  const Network network = airbench(1, 28, {8, 16, 24}, 12);
  const auto engine = make_onednn_engine(network);
  const std::vector<float> a = random_input(network, 1, 1), b = random_input(network, 1, 2);
  const auto session = engine->make_session();
  std::vector<float> first(12), other(12), again(12);
  session->run(a.data(), {first.data(), nullptr, nullptr});
  session->run(b.data(), {other.data(), nullptr, nullptr});
  session->run(a.data(), {again.data(), nullptr, nullptr});
  EXPECT_EQ(first, again);
  EXPECT_NE(first, other);
}

TEST(OnednnEngine, GivesOpenMpBackAsItWas) {
  omp_set_num_threads(7);
  const Network network = airbench(1, 12, {4, 4}, 3);
  run(*make_onednn_engine(network), network, random_input(network, 1, 1).data());
  EXPECT_EQ(omp_get_max_threads(), 7);
}

TEST(MakeEngine, RefusesAnUnknownName) {
  std::string message;
  EXPECT_EQ(error_of([] { make_engine("tpu", airbench(1, 12, {4, 4}, 3)); }, &message), ErrorCode::kUsage);
  EXPECT_NE(message.find("onednn"), std::string::npos) << message;
}

}  // namespace
}  // namespace signet
