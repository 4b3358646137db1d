#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/test_folder.h"
#include "encode/test_networks.h"

namespace signet {
namespace {

using namespace testing_networks;

Preprocessing grey(std::uint32_t width, std::uint32_t height) {
  Preprocessing how;
  how.width = width;
  how.height = height;
  how.channels = 1;
  how.mean = {0.0f};
  how.std = {1.0f};
  return how;
}

TEST(Preprocess, PutsChannelsApartAndNormalisesEach) {
  const Image image{2, 1, 3, {0, 51, 102, 153, 204, 255}};
  Preprocessing how;
  how.width = 2;
  how.height = 1;
  how.channels = 3;
  how.mean = {0.1f, 0.2f, 0.3f};
  how.std = {0.5f, 0.25f, 0.125f};
  std::vector<float> out(6);
  preprocess(image, how, out.data());
  const float expected[] = {(0.0f - 0.1f) / 0.5f,  (0.6f - 0.1f) / 0.5f,   (0.2f - 0.2f) / 0.25f,
                            (0.8f - 0.2f) / 0.25f, (0.4f - 0.3f) / 0.125f, (1.0f - 0.3f) / 0.125f};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(out[i], expected[i], 1e-5) << i;
  preprocess(image, how, out.data(), true);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(out[i], expected[i ^ 1], 1e-5) << "mirrored " << i;
}

TEST(Preprocess, WritesInsideItsTargetOnly) {
  std::vector<float> out(4 * 4 + 2, 77.0f);
  preprocess(random_image(9, 5, 3, 1), grey(4, 4), out.data() + 1);
  EXPECT_EQ(out.front(), 77.0f);
  EXPECT_EQ(out.back(), 77.0f);
}

TEST(ToInputGeometry, LeavesAPictureThatFitsAsItIs) {
  const Image image = random_image(7, 7, 1, 1);
  EXPECT_EQ(to_input_geometry(image, grey(7, 7)), image);
}

TEST(ToInputGeometry, TakesTheCentreOfAPictureThatIsNotSquare) {
  // Black, with a white 4 x 4 square in the middle of its width.
  Image image{12, 4, 1, std::vector<std::uint8_t>(48, 0)};
  for (std::size_t y = 0; y < 4; ++y) {
    for (std::size_t x = 4; x < 8; ++x) image.pixels[y * 12 + x] = 255;
  }
  EXPECT_EQ(to_input_geometry(image, grey(2, 2)).pixels, std::vector<std::uint8_t>(4, 255));
}

TEST(ToInputGeometry, StretchesWhereTheNetworkIsNotSquare) {
  const Image image{4, 2, 1, {10, 10, 30, 30, 10, 10, 30, 30}};
  EXPECT_EQ(to_input_geometry(image, grey(2, 1)).pixels, (std::vector<std::uint8_t>{10, 30}));
}

// A model for colour pictures fed grey ones, and the other way round.
TEST(ToInputGeometry, ConvertsColours) {
  Preprocessing colour = grey(2, 1);
  colour.channels = 3;
  EXPECT_EQ(to_input_geometry({2, 1, 1, {9, 200}}, colour).pixels, (std::vector<std::uint8_t>{9, 9, 9, 200, 200, 200}));
  EXPECT_EQ(to_input_geometry({2, 1, 3, {9, 9, 9, 200, 200, 200}}, grey(2, 1)).pixels, (std::vector<std::uint8_t>{9, 200}));
}

TEST(ToInputGeometry, RefusesAnImageWhosePixelsAreNotThere) {
  const auto code = [](const Image& image) { return error_of([&] { to_input_geometry(image, grey(2, 2)); }); };
  EXPECT_EQ(code({2, 2, 1, {1, 2, 3}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({0, 2, 1, {}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({2, 2, 2, std::vector<std::uint8_t>(8)}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({0xffffffff, 0xffffffff, 1, {1}}), ErrorCode::kInvalidArgument);
  float out[4];
  EXPECT_EQ(error_of([&] { preprocess({2, 2, 1, {1, 2, 3}}, grey(2, 2), out); }), ErrorCode::kInvalidArgument);
}

TEST(CheckPreprocessing, RefusesWhatCannotBe) {
  const auto code = [](auto&& change) {
    Preprocessing how = grey(2, 2);
    change(how);
    return error_of([&] { check_preprocessing(how, "m.onnx"); });
  };
  EXPECT_NO_THROW(check_preprocessing(grey(2, 2), "m.onnx"));
  EXPECT_EQ(code([](Preprocessing& p) { p.width = 0; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([](Preprocessing& p) { p.height = 70000; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([](Preprocessing& p) { p.channels = 2; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([](Preprocessing& p) { p.mean = {}; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([](Preprocessing& p) { p.std = {1, 1}; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([](Preprocessing& p) { p.std = {0}; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([](Preprocessing& p) { p.std = {-1}; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code([](Preprocessing& p) { p.mean = {std::numeric_limits<float>::quiet_NaN()}; }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace signet
