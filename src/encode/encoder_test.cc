#include "signet/encode/encoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "base/test_folder.h"
#include "encode/engine.h"
#include "encode/test_networks.h"

namespace signet {
namespace {

using namespace testing_networks;

constexpr unsigned kEverything = Encoder::kHash | Encoder::kFeatures | Encoder::kLogits;

std::vector<Image> random_images(std::size_t count, const Network& network) {
  std::vector<Image> images;
  for (std::size_t i = 0; i < count; ++i)
    images.push_back(random_image(network.width, network.height, network.channels, 100 + i));
  return images;
}

Encoder encoder_for(const Model& model, std::size_t threads, const std::string& engine = "auto") {
  EncoderOptions options;
  options.threads = threads;
  options.engine = engine;
  return {model, options};
}

bool same(const Outputs& a, const Outputs& b) {
  return a.count == b.count && a.hash == b.hash && a.features == b.features && a.logits == b.logits;
}

TEST(Encoder, GivesWhatItsEngineGives) {
  const Model model = model_for(every_layer(3, 16, 16, 12), 12);
  const Encoder fast = encoder_for(model, 2), plain = encoder_for(model, 1, "reference");
  const std::vector<Image> images = random_images(5, model.network);
  const Outputs a = fast.run(images, kEverything), b = plain.run(images, kEverything);
  ASSERT_EQ(a.count, 5u);
  ASSERT_EQ(a.hash.size(), 5u * 12);
  ASSERT_EQ(a.features.size(), 5u * fast.feature_size());
  ASSERT_EQ(a.logits.size(), 5u * 10);
  for (std::size_t i = 0; i < a.hash.size(); ++i) EXPECT_NEAR(a.hash[i], b.hash[i], 1e-4);
  for (std::size_t i = 0; i < a.features.size(); ++i) EXPECT_NEAR(a.features[i], b.features[i], 1e-4);
  for (std::size_t i = 0; i < a.logits.size(); ++i) EXPECT_NEAR(a.logits[i], b.logits[i], 1e-4);
  EXPECT_EQ(plain.engine(), "reference, 1 thread");
  EXPECT_NE(fast.engine().find("onednn 2."), std::string::npos) << fast.engine();
}

TEST(Encoder, GivesOnlyWhatIsWanted) {
  const Model model = model_for(airbench(1, 12, {4, 8}, 12), 12);
  const Encoder encoder = encoder_for(model, 1);
  const std::vector<Image> images = random_images(3, model.network);
  const Outputs all = encoder.run(images, kEverything), features = encoder.run(images, Encoder::kFeatures);
  EXPECT_EQ(features.features, all.features);
  EXPECT_TRUE(features.hash.empty());
  EXPECT_TRUE(features.logits.empty());
  EXPECT_EQ(encoder.run({}, kEverything).count, 0u);
}

// Bit for bit, whatever stands beside an image and however many threads there are: codes must not depend on how they were made.
TEST(Encoder, OutputsDoNotDependOnBatchSizeOrThreads) {
  for (const Network& network : {airbench(1, 28, {8, 32, 48, 64}, 12), every_layer(3, 19, 23, 12)}) {
    for (const bool mirror : {false, true}) {
      Model model = model_for(network, 12);
      model.info.preprocessing.mirror_view = mirror;
      const std::vector<Image> images = random_images(37, network);
      const Outputs expected = encoder_for(model, 1).run(images, kEverything);
      for (const std::size_t threads : {2u, 3u, 8u})
        EXPECT_TRUE(same(encoder_for(model, threads).run(images, kEverything), expected)) << threads;
      const Encoder encoder = encoder_for(model, 2);
      for (const std::size_t batch : {1u, 2u, 5u, 16u, 36u}) {
        std::vector<float> hash;
        for (std::size_t at = 0; at < images.size(); at += batch) {
          const Outputs part = encoder.run(std::span(images).subspan(at, std::min(batch, images.size() - at)));
          hash.insert(hash.end(), part.hash.begin(), part.hash.end());
        }
        EXPECT_EQ(hash, expected.hash) << batch;
      }
    }
  }
}

TEST(Encoder, RunIsSafeFromManyThreads) {
  const Model model = model_for(airbench(1, 28, {8, 16, 24}, 12), 12);
  const Encoder encoder = encoder_for(model, 2);
  const std::vector<Image> images = random_images(24, model.network);
  const Outputs expected = encoder.run(images, kEverything);
  std::vector<std::thread> threads;
  std::vector<int> right(4, 0);
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) right[t] += same(encoder.run(images, kEverything), expected);
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(right, std::vector<int>(4, 5));
}

TEST(Encoder, AveragesTheMirroredView) {
  Model model = model_for(airbench(3, 16, {4, 8}, 12), 12);
  const Image image = random_image(16, 16, 3, 1);
  Image mirrored = image;
  for (std::size_t y = 0; y < 16; ++y) {
    for (std::size_t x = 0; x < 16; ++x) {
      for (std::size_t c = 0; c < 3; ++c) mirrored.pixels[(y * 16 + x) * 3 + c] = image.pixels[(y * 16 + 15 - x) * 3 + c];
    }
  }
  const Encoder single = encoder_for(model, 1);
  const Outputs a = single.run({&image, 1}, kEverything), b = single.run({&mirrored, 1}, kEverything);
  model.info.preprocessing.mirror_view = true;
  const Outputs both = encoder_for(model, 1).run({&image, 1}, kEverything);
  for (std::size_t k = 0; k < 12; ++k) EXPECT_EQ(both.hash[k], (a.hash[k] + b.hash[k]) * 0.5f);
  for (std::size_t k = 0; k < both.logits.size(); ++k) EXPECT_EQ(both.logits[k], (a.logits[k] + b.logits[k]) * 0.5f);
  EXPECT_NE(a.hash, b.hash);
}

// Pictures of any size and colour are brought to the network's geometry.
TEST(Encoder, TakesGreyPicturesForAColourModel) {
  const Model model = model_for(airbench(3, 16, {4, 8}, 12), 12);
  const Encoder encoder = encoder_for(model, 1);
  const Image grey = random_image(40, 30, 1, 1);
  const Image ready = to_input_geometry(grey, model.info.preprocessing);
  ASSERT_EQ(ready.channels, 3u);
  EXPECT_EQ(encoder.run({&grey, 1}).hash, encoder.run({&ready, 1}).hash);
}

class EncoderFileTest : public TestFolder {};

TEST_F(EncoderFileTest, OpensAModelFile) {
  const Model model = model_for(airbench(1, 28, {8, 16, 24}, 12), 12);
  write_model(real_file_system(), path("m.onnx"), model);
  const Encoder encoder = Encoder::open(real_file_system(), path("m.onnx"));
  const std::vector<Image> images = random_images(3, model.network);
  EXPECT_TRUE(same(encoder.run(images, kEverything), encoder_for(model, 1).run(images, kEverything)));
  EXPECT_EQ(encoder.info().fingerprint, model_fingerprint(model.network, model.info.preprocessing));
  EXPECT_EQ(encoder.info().bits, 12u);
  EXPECT_EQ(encoder.classes(), 10u);
}

// Weights that a file may hold, and outputs that no code can be made of.
TEST_F(EncoderFileTest, OutputsThatAreNoNumbersAreTheModelsFault) {
  Model model = model_for(airbench(1, 12, {4, 8}, 12), 12);
  for (float& value : model.network.layers.front().weight) value *= 1e3f;  // features are far from 0 ...
  for (float& value : model.network.layers[static_cast<std::size_t>(model.network.hash)].weight)
    value = 3e38f;  // ... and too far
  write_model(real_file_system(), path("m.onnx"), model);
  const Encoder encoder = Encoder::open(real_file_system(), path("m.onnx"), {1, "auto"});
  const std::vector<Image> images = random_images(3, model.network);
  const auto expect = [&](const Encoder& tried, const std::string& name, const auto& body) {
    try {
      body(tried);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
      EXPECT_NE(std::string(error.what()).find(name + ": this model gives values that are no numbers"), std::string::npos)
          << error.what();
    }
  };
  const auto run = [&](const Encoder& tried) { tried.run(images); };
  expect(encoder, path("m.onnx"), run);
  expect(encoder, path("m.onnx"), [&](const Encoder& tried) {
    encode_all(
        tried, images.size(), [&](std::size_t i) { return images[i]; }, [](std::span<const std::size_t>, const Outputs&) {});
  });
  expect(encoder_for(model, 1), encoder.info().fingerprint.substr(0, 12), run);
  EXPECT_EQ(encoder.run(images, Encoder::kFeatures).features.size(), 3 * encoder.feature_size());  // these are numbers
}

TEST(Encoder, RefusesWhatDoesNotFit) {
  const Model good = model_for(airbench(1, 12, {4, 8}, 12), 12);
  Model bad = good;
  bad.info.bits = 13;
  EXPECT_EQ(error_of([&] { encoder_for(bad, 1); }), ErrorCode::kInvalidArgument);
  bad = good;
  bad.info.preprocessing.width = 13;
  EXPECT_EQ(error_of([&] { encoder_for(bad, 1); }), ErrorCode::kInvalidArgument);
  bad = good;
  bad.network.layers[0].weight[0] = NAN;
  EXPECT_EQ(error_of([&] { encoder_for(bad, 1); }), ErrorCode::kCorrupt);
  EXPECT_EQ(error_of([&] { encoder_for(good, 1, "tpu"); }), ErrorCode::kUsage);
  EXPECT_EQ(error_of([&] { encoder_for(good, 5000); }), ErrorCode::kUsage);
  const Image broken{12, 12, 1, {1, 2, 3}};
  const Encoder encoder = encoder_for(good, 1);
  EXPECT_EQ(error_of([&] { encoder.run({&broken, 1}); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace signet
