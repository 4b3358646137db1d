#include "signet/encode/network.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/test_folder.h"
#include "encode/test_networks.h"

namespace signet {
namespace {

using namespace testing_networks;

TEST(CheckNetwork, GivesEveryLayersShape) {
  const Network network = airbench(3, 32, {24, 64, 128}, 12);
  const std::vector<LayerShape> shapes = check_network(network);
  ASSERT_EQ(shapes.size(), network.layers.size());
  const auto is = [&](std::size_t i, std::uint32_t c, std::uint32_t h, std::uint32_t w) {
    return shapes[i].c == c && shapes[i].h == h && shapes[i].w == w;
  };
  EXPECT_TRUE(is(0, 24, 31, 31));  // 2x2, no padding
  EXPECT_TRUE(is(2, 64, 31, 31));  // 3x3, padding 1
  EXPECT_TRUE(is(3, 64, 15, 15));  // the floor of 31 / 2
  EXPECT_TRUE(is(8, 128, 7, 7));
  EXPECT_TRUE(is(shapes.size() - 4, 128, 1, 1));  // global pool
  EXPECT_TRUE(is(shapes.size() - 1, 10, 1, 1));
}

TEST(CheckNetwork, CountsMultiplyAdds) {
  Builder b(3, 8, 6);
  b.conv(4, 3, 1);               // 8 * 6 * 4 outputs of 27
  b.max_pool(2, 2);              // none
  b.network.hash = b.linear(5);  // 4 * 4 * 3 inputs
  EXPECT_EQ(multiply_adds(b.network), 8u * 6 * 4 * 27 + 48u * 5);
}

// One change makes the network unsound; the message names the layer.
struct Unsound {
  const char* name;
  void (*change)(Network&);
  const char* message;
};

class CheckNetworkRejects : public testing::TestWithParam<Unsound> {};

TEST_P(CheckNetworkRejects, NamingTheLayer) {
  Network network = every_layer(3, 21, 17, 12);
  check_network(network);
  GetParam().change(network);
  std::string message;
  EXPECT_EQ(error_of([&] { check_network(network); }, &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find(GetParam().message), std::string::npos) << message;
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

INSTANTIATE_TEST_SUITE_P(
    All, CheckNetworkRejects,
    testing::Values(Unsound{"NoLayers", [](Network& n) { n.layers.clear(); }, "0 layers"},
                    Unsound{"TooManyLayers", [](Network& n) { n.layers.resize(1001, n.layers[1]); }, "1001 layers"},
                    Unsound{"NoChannels", [](Network& n) { n.channels = 0; }, "input is 0 x"},
                    Unsound{"HugeInput", [](Network& n) { n.width = n.height = 65536; }, "input is 3 x 65536 x 65536"},
                    Unsound{"OverflowingInput", [](Network& n) { n.width = n.height = n.channels = 0xffffffff; }, "input is"},
                    Unsound{"LaterOperand", [](Network& n) { n.layers[3].input = 3; }, "layer 3 (gelu)"},
                    Unsound{"OperandBelowMinusOne", [](Network& n) { n.layers[3].input = -2; }, "layer 3 (gelu)"},
                    Unsound{"LaterSecondOperand", [](Network& n) { n.layers[5].other = 9; }, "layer 5 (add)"},
                    Unsound{"NegativeSecondOperand", [](Network& n) { n.layers[5].other = -7; }, "layer 5 (add)"},
                    Unsound{"UnequalOperands", [](Network& n) { n.layers[5].other = -1; }, "layer 5 (add)"},
                    Unsound{"MissingWeight", [](Network& n) { n.layers[0].weight.pop_back(); },
                            "134 weights, its shape needs 135"},
                    Unsound{"MissingBias", [](Network& n) { n.layers[0].bias.pop_back(); }, "4 biases for 5"},
                    Unsound{"NoOutputs", [](Network& n) { n.layers[0].out = 0; }, "0 outputs"},
                    Unsound{"OverflowingOutputs", [](Network& n) { n.layers[0].out = 0xffffffff; }, "4294967295 outputs"},
                    Unsound{"NanWeight", [](Network& n) { n.layers[0].weight[7] = kNan; }, "weight 7 is nan"},
                    Unsound{"InfiniteBias", [](Network& n) { n.layers[0].bias[1] = kInf; }, "bias 1 is inf"},
                    Unsound{"WeightsWhereNoneBelong", [](Network& n) { n.layers[1].weight = {1}; }, "layer 1 (relu)"},
                    Unsound{"KernelZero", [](Network& n) { n.layers[7].kernel = 0; }, "kernel is 0"},
                    Unsound{"StrideZero", [](Network& n) { n.layers[7].stride = 0; }, "stride is 0"},
                    Unsound{"KernelLargerThanThePicture", [](Network& n) { n.layers[7].kernel = 12; }, "does not fit a side of"},
                    Unsound{"PaddingOfTheKernel", [](Network& n) { n.layers[0].pad = 3; }, "padding is 3"},
                    Unsound{"OverflowingPadding", [](Network& n) { n.layers[0].pad = 0xffffffff; }, "padding is 4294967295"},
                    Unsound{"NoHash", [](Network& n) { n.hash = -1; }, "hash output is layer -1"},
                    Unsound{"HashBehindTheEnd", [](Network& n) { n.hash = 99; }, "hash output is layer 99"},
                    Unsound{"HashIsAPicture", [](Network& n) { n.hash = 0; }, "hash output has shape"},
                    Unsound{"FeaturesBehindTheEnd", [](Network& n) { n.features = 99; }, "features output is layer 99"},
                    Unsound{"LogitsBelowMinusOne", [](Network& n) { n.logits = -2; }, "logits output is layer -2"},
                    Unsound{"TwoOutputsInOne", [](Network& n) { n.logits = n.hash; }, "they must differ"},
                    Unsound{"UnknownKind", [](Network& n) { n.layers[1].kind = static_cast<LayerKind>(77); }, "unknown"}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(CheckNetwork, RejectsAWindowOverAVector) {
  Builder b(1, 8, 8);
  b.linear(6);
  b.network.hash = b.conv(4, 1, 0);
  std::string message;
  EXPECT_EQ(error_of([&] { check_network(b.network); }, &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find("layer 1 (conv)"), std::string::npos) << message;
}

TEST(CheckNetwork, RejectsASumOfAVectorAndAPicture) {
  Builder b(6, 8, 8);
  const int vector = b.linear(6);
  b.cursor = -1;
  const int picture = b.simple(LayerKind::kGlobalMaxPool);
  b.network.hash = b.add(vector, picture);
  EXPECT_EQ(error_of([&] { check_network(b.network); }), ErrorCode::kCorrupt);
}

TEST(CheckNetwork, RejectsMoreThan4096Bits) {
  Builder b(1, 2, 2);
  b.network.hash = b.linear(4097);
  EXPECT_EQ(error_of([&] { check_network(b.network); }), ErrorCode::kCorrupt);
}

// A few weights, but hours of work: a small file must not keep a machine busy without end.
TEST(CheckNetwork, RejectsAbsurdWork) {
  Builder b(4, 1024, 1024);
  for (int i = 0; i < 20; ++i) b.conv(4, 64, 32);
  b.simple(LayerKind::kGlobalMaxPool);
  b.network.hash = b.linear(8);
  std::string message;
  EXPECT_EQ(error_of([&] { check_network(b.network); }, &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find("multiply-adds"), std::string::npos) << message;
}

}  // namespace
}  // namespace signet
