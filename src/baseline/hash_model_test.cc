#include "signet/baseline/hash_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/image/alter.h"
#include "signet/image/gist.h"

namespace signet {
namespace {

// Pictures of three classes: stripes across, stripes down, a chequerboard; each with noise.
Image picture(std::size_t label, std::uint64_t seed, std::uint32_t side = 12) {
  Random random(seed);
  Image image{side, side, 1, {}};
  for (std::uint32_t y = 0; y < side; ++y)
    for (std::uint32_t x = 0; x < side; ++x) {
      const std::uint32_t at = label == 0 ? x : label == 1 ? y : x + y;
      image.pixels.push_back(static_cast<std::uint8_t>((at / 3 % 2 == 0 ? 60 : 160) + random.below(60)));
    }
  return image;
}

struct Learned {
  std::vector<Image> images;
  std::vector<std::vector<std::int32_t>> labels;
  FeatureExtractor extractor;
  std::vector<float> values;
};

std::vector<float> features(const FeatureExtractor& extractor, const std::vector<Image>& images) {
  std::vector<float> values(images.size() * extractor.size());
  const FeatureReader reader(extractor);
  for (std::size_t i = 0; i < images.size(); ++i)
    reader.read(images[i], std::span(values).subspan(i * extractor.size(), extractor.size()));
  return values;
}

Learned learned(FeatureExtractor extractor, std::size_t pca = 0) {
  Learned l;
  for (std::size_t i = 0; i < 150; ++i) {
    l.images.push_back(picture(i % 3, i));
    l.labels.push_back({static_cast<std::int32_t>(i % 3)});
  }
  l.extractor = std::move(extractor);
  l.values = features(l.extractor, l.images);
  if (pca > 0) {
    l.extractor = project(l.extractor, fit_pca({l.values, l.extractor.size(), {}}, pca));
    l.values = features(l.extractor, l.images);
  }
  return l;
}

BaselineOptions few(std::uint32_t bits) {
  BaselineOptions options;
  options.bits = bits, options.anchors = 40, options.labelled = 100, options.rounds = 5;
  return options;
}

// conv, relu, pool (its features), hash.
Model small_network() {
  Model network;
  network.info.bits = 2;
  network.info.preprocessing = pixel_features(12, 12, 1).preprocessing;
  network.network.channels = 1, network.network.height = network.network.width = 12;
  Layer conv;
  conv.kind = LayerKind::kConv;
  conv.out = 6, conv.kernel = 3, conv.pad = 1;
  Random random(4);
  for (std::size_t i = 0; i < 54; ++i) conv.weight.push_back(static_cast<float>(random.normal()));
  conv.bias.assign(6, 0.1f);
  Layer relu, pool, hash;
  relu.kind = LayerKind::kRelu, relu.input = 0;
  pool.kind = LayerKind::kGlobalMaxPool, pool.input = 1;
  hash.kind = LayerKind::kLinear, hash.input = 2, hash.out = 2, hash.weight.assign(12, 0.5f), hash.bias = {0, 0};
  network.network.layers = {conv, relu, pool, hash};
  network.network.features = 2, network.network.hash = 3;
  return network;
}

// Outputs that are further apart than rounding explains.
std::size_t apart(const std::vector<float>& given, const std::vector<float>& right, float tolerance = 2e-3f) {
  EXPECT_EQ(given.size(), right.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < std::min(given.size(), right.size()); ++i)
    count += !(std::abs(given[i] - right[i]) <= tolerance * (1 + std::abs(right[i])));
  return count;
}

// A value next to a tree's threshold may fall on the other side.
std::size_t allowed_apart(const std::string& method, std::size_t outputs) { return method == "fasthash" ? outputs / 100 : 0; }

class EveryMethodsModel : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Baseline, EveryMethodsModel, testing::ValuesIn(baseline_names()), [](const auto& param_info) {
  std::string name = param_info.param;
  std::erase(name, '-');
  return name;
});

TEST_P(EveryMethodsModel, GivesTheMethodsOwnOutputs) {
  for (const std::size_t pca : {0, 20}) {
    const Learned l = learned(pixel_features(12, 12, 1), pca);
    const auto hasher = fit_baseline(GetParam(), {l.values, l.extractor.size(), l.labels}, few(6));
    const Model model = make_hash_model(l.extractor, *hasher, {"a", "b", "c"}, "{}");
    const Encoder encoder(model, {1, "auto"});
    const std::vector<float> right = hasher->outputs(l.values), given = encoder.run(l.images).hash;
    EXPECT_LE(apart(given, right), allowed_apart(GetParam(), right.size())) << "pca " << pca;
  }
}

// The method learns from the mean of both views' features, its model gives the mean of both views' outputs.
TEST_P(EveryMethodsModel, AveragesTheOutputsOfBothViewsOfAMirroredModel) {
  FeatureExtractor both = pixel_features(12, 12, 1);
  both.preprocessing.mirror_view = true;
  const Learned l = learned(both, 20);
  const auto hasher = fit_baseline(GetParam(), {l.values, l.extractor.size(), l.labels}, few(6));
  const std::vector<float> given = Encoder(make_hash_model(l.extractor, *hasher, {}, "{}"), {1, "auto"}).run(l.images).hash;

  FeatureExtractor one = l.extractor;
  one.preprocessing.mirror_view = false;
  std::vector<Image> mirrored;
  for (const Image& image : l.images) mirrored.push_back(mirror(image));
  std::vector<float> right = hasher->outputs(features(one, l.images));
  const std::vector<float> other = hasher->outputs(features(one, mirrored));
  for (std::size_t i = 0; i < right.size(); ++i) right[i] = (right[i] + other[i]) / 2;
  EXPECT_LE(apart(given, right), 2 * allowed_apart(GetParam(), right.size()));
  EXPECT_EQ(apart(given, hasher->outputs(l.values)) == 0, hasher->affine() != nullptr);
}

TEST_P(EveryMethodsModel, SitsOnTheFeaturesOfANetwork) {
  for (const bool map : {false, true}) {
    if (map && needs_covariance(GetParam())) continue;  // of 864 numbers: seconds, and nothing new
    const Learned l = learned(network_features(small_network(), map, "n.onnx"));
    BaselineOptions options = few(4);
    options.rows = l.extractor.matrix_rows();
    const auto hasher = fit_baseline(GetParam(), {l.values, l.extractor.size(), l.labels}, options);
    const Encoder encoder(make_hash_model(l.extractor, *hasher, {}, "{}"), {1, "auto"});
    const std::vector<float> right = hasher->outputs(l.values), given = encoder.run(l.images).hash;
    // Few features make kernels that hardly differ, and weights that are large.
    EXPECT_LE(apart(given, right, 2e-2f), allowed_apart(GetParam(), right.size())) << "map " << map;
  }
}

TEST(HashModel, AProjectionAndALinearMethodBecomeOneLayer) {
  const Learned l = learned(pixel_features(12, 12, 1), 20);
  const auto hasher = fit_baseline("itq", {l.values, l.extractor.size(), l.labels}, few(6));
  EXPECT_EQ(make_hash_model(l.extractor, *hasher, {}, "{}").network.layers.size(), 1u);
  const auto kernel = fit_baseline("ksh", {l.values, l.extractor.size(), l.labels}, few(6));
  EXPECT_EQ(make_hash_model(l.extractor, *kernel, {}, "{}").network.layers.size(), 3u);
}

TEST(HashModel, GistAndFeaturesOfANetworkAreEmbedded) {
  const Learned of_gist = learned(gist_features(1));
  ASSERT_EQ(of_gist.extractor.size(), kGistSize);
  const auto hasher = fit_baseline("itq", {of_gist.values, kGistSize, of_gist.labels}, few(8));
  const Model first = make_hash_model(of_gist.extractor, *hasher, {}, "{}");
  EXPECT_EQ(Encoder(first, {1, "auto"}).run(of_gist.images).hash.size(), 150u * 8);

  Model network = small_network();
  const Learned of_network = learned(network_features(network, false, "n.onnx"));
  EXPECT_EQ(of_network.extractor.size(), 6u);
  EXPECT_EQ(of_network.values, Encoder(network, {1, "auto"}).run(of_network.images, Encoder::kFeatures).features);
  const auto second = fit_baseline("itq", {of_network.values, 6, of_network.labels}, few(4));
  const Model made = make_hash_model(of_network.extractor, *second, {}, "{}");
  EXPECT_EQ(made.network.layers.size(), 4u);  // the old hash layer is gone
  EXPECT_EQ(made.network.features, 2);

  const FeatureExtractor maps = network_features(network, true, "n.onnx");
  EXPECT_EQ(maps.size(), 6u * 144);
  EXPECT_EQ(maps.matrix_rows(), 6u);
  network.network.features = -1;
  EXPECT_THROW(network_features(network, false, "n.onnx"), Error);
}

TEST(HashModel, PictureHashesAreModelsToo) {
  for (const auto kind : {PictureHash::kAverage, PictureHash::kDifference, PictureHash::kDct, PictureHash::kBlockMean}) {
    const Encoder encoder(picture_hash_model(kind, "{}"), {1, "auto"});
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const Image image = picture(seed % 3, seed, 50);
      const auto right = picture_hash_values(image, kind);
      const std::vector<float> given = encoder.run({&image, 1}).hash;
      for (std::size_t k = 0; k < right.size(); ++k)
        EXPECT_EQ(given[k] >= 0, right[k] > 0) << picture_hash_name(kind) << " " << k;
    }
  }
  EXPECT_NE(picture_hash_model(PictureHash::kDct, "{}").info.fingerprint,
            picture_hash_model(PictureHash::kAverage, "{}").info.fingerprint);
}

TEST(HashModel, SizesThatDoNotFitAreRefused) {
  const Learned l = learned(pixel_features(12, 12, 1));
  const auto hasher = fit_baseline("lsh", {l.values, l.extractor.size(), l.labels}, few(6));
  EXPECT_THROW(make_hash_model(pixel_features(8, 8, 1), *hasher, {}, "{}"), Error);
  EXPECT_THROW(fit_pca({l.values, l.extractor.size(), {}}, 0), Error);
}

}  // namespace
}  // namespace signet
