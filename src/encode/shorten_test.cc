#include <gtest/gtest.h>

#include "encode/test_networks.h"
#include "signet/base/error.h"
#include "signet/encode/encoder.h"

namespace signet {
namespace {

using namespace testing_networks;

// airbench() reads its hash layer for the class scores; this one has it at the end.
Model model_without_classes(std::uint32_t bits) {
  Network network = airbench(1, 28, {8, 16, 16, 32}, bits);
  network.layers.resize(static_cast<std::size_t>(network.hash) + 1);
  network.logits = -1;
  return model_for(std::move(network), bits);
}

TEST(Shorten, GivesTheBeginningOfEveryOutputAndLeavesTheRest) {
  const std::vector<Image> images = {random_image(28, 28, 1, 1), random_image(28, 28, 1, 2)};
  for (const bool classes : {true, false}) {
    const Model model = classes ? model_for(airbench(1, 28, {8, 16, 16, 32}, 12), 12) : model_without_classes(12);
    const Model shorter = shorten(model, 5);
    EXPECT_EQ(shorter.info.bits, 5u);
    EXPECT_EQ(shorter.info.fingerprint, model_fingerprint(shorter.network, shorter.info.preprocessing));
    EXPECT_NE(shorter.info.fingerprint, model_fingerprint(model.network, model.info.preprocessing));
    const unsigned want = Encoder::kHash | Encoder::kFeatures | (classes ? Encoder::kLogits : 0u);
    const Outputs whole = Encoder(model, {1, "reference"}).run(images, want);
    const Outputs part = Encoder(shorter, {1, "reference"}).run(images, want);
    ASSERT_EQ(part.hash.size(), 10u);
    for (std::size_t i = 0; i < 2; ++i)
      for (std::size_t k = 0; k < 5; ++k) EXPECT_EQ(part.hash[i * 5 + k], whole.hash[i * 12 + k]) << i << " " << k;
    EXPECT_EQ(part.features, whole.features);
    EXPECT_EQ(part.logits, whole.logits);
  }
}

TEST(Shorten, AllBitsIsTheSameModelAndOthersAreRefused) {
  const Model model = model_for(airbench(1, 28, {8, 16, 16, 32}, 12), 12);
  EXPECT_EQ(shorten(model, 12).network.layers.size(), model.network.layers.size());
  EXPECT_THROW(shorten(model, 0), Error);
  EXPECT_THROW(shorten(model, 13), Error);
  Model odd = model;
  odd.network.hash = 0;  // a convolution
  EXPECT_THROW(shorten(odd, 3), Error);
}

}  // namespace
}  // namespace signet
