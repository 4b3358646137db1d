// The layers and descriptors of format 2, which shallow methods need.
#include <gtest/gtest.h>

#include <cmath>

#include "base/test_folder.h"
#include "encode/engine.h"
#include "encode/test_networks.h"
#include "signet/encode/encoder.h"
#include "signet/image/gist.h"

namespace signet {
namespace {

using namespace testing_networks;

std::vector<float> hash_of(const Engine& engine, std::size_t bits, std::vector<float> input) {
  std::vector<float> hash(bits);
  engine.make_session()->run(input.data(), {hash.data(), nullptr, nullptr});
  return hash;
}

Network of_one(Layer layer, std::uint32_t inputs) {
  Network network;
  network.channels = inputs, network.height = network.width = 1;
  network.layers.push_back(std::move(layer));
  network.hash = 0;
  return network;
}

Layer radial() {
  Layer layer;
  layer.kind = LayerKind::kRadial;
  layer.out = 2;
  layer.weight = {1, 2, 3, 0, 0, 0};
  layer.bias = {-0.5f, 0};
  return layer;
}

// One tree on three values: the root looks at value 2, its left child (node 1) at value 0, every other node at value 1.
Layer tree() {
  Layer layer;
  layer.kind = LayerKind::kTrees;
  layer.out = 1;
  layer.picks.assign(kTreeNodes, 1);
  layer.picks[0] = 2, layer.picks[1] = 0;
  layer.weight.assign(kTreeNodes, 5);
  layer.weight[0] = 1;
  for (std::size_t leaf = 0; leaf < kTreeLeaves; ++leaf) layer.bias.push_back(static_cast<float>(leaf));
  return layer;
}

TEST(ShallowLayers, ByHandInBothEngines) {
  for (const char* name : {"reference", "onednn"}) {
    // ||(1, 2, 5) - (1, 2, 3)||^2 = 4.
    const std::vector<float> near = hash_of(*make_engine(name, of_one(radial(), 3)), 2, {1, 2, 5});
    EXPECT_NEAR(near[0], std::exp(-2.0), 1e-6) << name;
    EXPECT_EQ(near[1], 1) << name;
    // Value 2 is 0, below 1: left to node 1; value 0 is 5, not below 5: right to node 4; value 1 is 9 twice: right, right.
    // Leaves are counted from the left: 0 1 1 1 in binary.
    EXPECT_EQ(hash_of(*make_engine(name, of_one(tree(), 3)), 1, {5, 9, 0})[0], 7) << name;
    EXPECT_EQ(hash_of(*make_engine(name, of_one(tree(), 3)), 1, {5, 4, 1})[0], 8) << name;
    EXPECT_EQ(hash_of(*make_engine(name, of_one(tree(), 3)), 1, {4, 4, 0.5f})[0], 0) << name;
    Layer sine;
    sine.kind = LayerKind::kSine;
    const std::vector<float> sines = hash_of(*make_engine(name, of_one(sine, 3)), 3, {0, 1, -2});
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(sines[i], std::sin(std::vector<double>{0, 1, -2}[i]), 1e-6) << name;
  }
}

TEST(ShallowLayers, AnActivationBehindThemIsDone) {
  for (const char* name : {"reference", "onednn"}) {
    for (const Layer& layer : {radial(), tree()}) {
      Network network = of_one(layer, 3);
      Layer tanh;
      tanh.kind = LayerKind::kTanh;
      tanh.input = 0;
      network.layers.push_back(tanh);
      network.hash = 1;
      const std::size_t last = layer.out - 1;  // 1 of the radial functions, leaf 7 of the tree
      const double before = layer.kind == LayerKind::kRadial ? 1 : 7;
      EXPECT_NEAR(hash_of(*make_engine(name, network), layer.out, {5, 9, 0})[last], std::tanh(before), 1e-6) << name;
    }
  }
}

TEST(ShallowLayers, EnginesAgreeAndBatchesDoNotMatter) {
  const Network network = shallow_layers(3, 9, 7, 6);
  std::vector<float> input;
  Random random(5);
  for (std::size_t i = 0; i < 4 * 3 * 9 * 7; ++i) input.push_back(static_cast<float>(random.normal()));
  std::vector<float> batch(4 * 6);
  make_onednn_engine(network, 4)->make_session()->run(input.data(), {batch.data(), nullptr, nullptr});
  for (std::size_t n = 0; n < 4; ++n) {
    const auto first = input.begin() + static_cast<std::ptrdiff_t>(n * 189);
    const std::vector<float> one = hash_of(*make_reference_engine(network), 6, {first, first + 189});
    for (std::size_t k = 0; k < 6; ++k) EXPECT_NEAR(batch[n * 6 + k], one[k], 1e-4) << n << " " << k;
  }
}

class ShallowModelTest : public TestFolder {
 protected:
  static Model described(Descriptor descriptor, std::uint32_t size) {
    Model model = model_for(shallow_layers(size, 1, 1, 5), 5);
    model.info.preprocessing = {kGistSide, kGistSide, 3, {0, 0, 0}, {1, 1, 1}, false, descriptor, PictureHash::kDct};
    return model;
  }
  std::string written(const Model& model) {
    write_model(real_file_system(), path("m.onnx"), model);
    return get(path("m.onnx"));
  }
};

TEST_F(ShallowModelTest, ComeBackAsTheyWereWritten) {
  for (const Model& model : {model_for(shallow_layers(1, 5, 4, 5), 5), described(Descriptor::kGist, kGistSize),
                             described(Descriptor::kHash, kPictureHashBits)}) {
    written(model);
    const Model again = read_model(real_file_system(), path("m.onnx"));
    EXPECT_EQ(again.info.fingerprint, model_fingerprint(model.network, model.info.preprocessing));
    EXPECT_EQ(again.info.preprocessing.descriptor, model.info.preprocessing.descriptor);
    if (model.info.preprocessing.descriptor == Descriptor::kHash) {
      EXPECT_EQ(again.info.preprocessing.hash, model.info.preprocessing.hash);
    }
    ASSERT_EQ(again.network.layers.size(), model.network.layers.size());
    for (std::size_t i = 0; i < again.network.layers.size(); ++i) {
      EXPECT_EQ(again.network.layers[i].kind, model.network.layers[i].kind);
      EXPECT_EQ(again.network.layers[i].out, model.network.layers[i].out);
      EXPECT_EQ(again.network.layers[i].picks, model.network.layers[i].picks);
      EXPECT_EQ(again.network.layers[i].weight, model.network.layers[i].weight);
      EXPECT_EQ(again.network.layers[i].bias, model.network.layers[i].bias);
    }
  }
}

TEST_F(ShallowModelTest, FormatTwoIsOnlyWrittenWhereItIsNeeded) {
  EXPECT_NE(written(model_for(shallow_layers(1, 5, 4, 5), 5)).find("signet.format\x12\x01\x32"), std::string::npos);
  EXPECT_NE(written(model_for(airbench(1, 8, {2, 2, 2}, 4), 4)).find("signet.format\x12\x01\x31"), std::string::npos);
}

TEST_F(ShallowModelTest, EveryFlippedByteIsAnError) {
  const std::string bytes = written(described(Descriptor::kHash, kPictureHashBits));
  for (std::size_t i = 0; i < bytes.size(); i += 7) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_THROW(parse_model(as_bytes(bad), "m"), Error) << i;
  }
}

TEST_F(ShallowModelTest, UnsoundLayersAreNamed) {
  const auto message_of = [](Layer layer) {
    std::string message;
    EXPECT_EQ(error_of([&] { check_network(of_one(std::move(layer), 3)); }, &message), ErrorCode::kCorrupt);
    return message;
  };
  Layer layer = radial();
  layer.bias[1] = 0.1f;
  EXPECT_NE(message_of(layer).find("radial"), std::string::npos);
  layer = tree();
  layer.picks[14] = 3;
  EXPECT_NE(message_of(layer).find("looks at value 3"), std::string::npos);
  layer = tree();
  layer.picks.pop_back();
  EXPECT_NE(message_of(layer).find("14 nodes"), std::string::npos);
  layer = tree();
  layer.bias.pop_back();
  EXPECT_NE(message_of(layer).find("15 votes"), std::string::npos);
  layer = tree();
  layer.out = 2;
  EXPECT_NE(message_of(layer).find("each of 2 outputs"), std::string::npos);
  layer = radial();
  layer.picks = {1};
  EXPECT_NE(message_of(layer).find("picks"), std::string::npos);
}

TEST_F(ShallowModelTest, DescriptorsThatDoNotFitAreRefused) {
  Model model = described(Descriptor::kGist, kGistSize);
  model.info.preprocessing.width = 33;
  EXPECT_THROW(written(model), Error);
  model = described(Descriptor::kGist, kPictureHashBits);
  EXPECT_THROW(written(model), Error);
  model = described(Descriptor::kHash, kPictureHashBits);
  model.info.preprocessing.mean[0] = 0.5f;
  EXPECT_THROW(written(model), Error);
}

TEST_F(ShallowModelTest, TheEncoderFeedsTheDescriptor) {
  const Encoder of_gist(described(Descriptor::kGist, kGistSize), {1, "reference"});
  const Encoder of_hash(described(Descriptor::kHash, kPictureHashBits), {1, "onednn"});
  const Image image = random_image(40, 24, 3, 9);
  std::vector<float> numbers(kGistSize);
  gist(centre_square(image, kGistSide), numbers);
  EXPECT_EQ(of_gist.run({&image, 1}).hash, hash_of(*make_reference_engine(of_gist.network()), 5, numbers));
  const auto values = picture_hash_values(image, PictureHash::kDct);
  const std::vector<float> right = hash_of(*make_reference_engine(of_hash.network()), 5, {values.begin(), values.end()});
  for (std::size_t k = 0; k < 5; ++k) EXPECT_NEAR(of_hash.run({&image, 1}).hash[k], right[k], 1e-4);
}

TEST_F(ShallowModelTest, ManyPicturesAreHashedWholeAsOneIs) {
  const Encoder encoder(described(Descriptor::kHash, kPictureHashBits), {2, "auto"});
  std::vector<Image> images;
  for (std::uint32_t i = 0; i < 9; ++i) images.push_back(random_image(400 + i, 100 - 3 * i, 3, i));
  const std::vector<float> one_by_one = encoder.run(images).hash;
  std::vector<float> together(one_by_one.size());
  encode_all(
      encoder, images.size(), [&](std::size_t i) { return images[i]; },
      [&](std::span<const std::size_t> indices, const Outputs& outputs) {
        for (std::size_t i = 0; i < indices.size(); ++i)
          std::copy_n(outputs.hash.begin() + static_cast<std::ptrdiff_t>(i * 5), 5,
                      together.begin() + static_cast<std::ptrdiff_t>(indices[i] * 5));
      },
      {});
  EXPECT_EQ(together, one_by_one);
}

}  // namespace
}  // namespace signet
