#include "learn/validation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "learn/batches.h"
#include "learn/test_data.h"
#include "signet/base/random.h"

namespace signet {
namespace {

double map_of(const std::vector<std::uint64_t>& codes, const std::vector<std::vector<std::int32_t>>& labels, std::uint32_t bits) {
  std::vector<const std::vector<std::int32_t>*> pointers;
  for (const auto& l : labels) pointers.push_back(&l);
  return tie_aware_map(codes, 1, pointers, bits);
}

// The definition: average precision meant over all orders that agree with the distances.
double brute_force(const std::vector<std::uint64_t>& codes, const std::vector<std::vector<std::int32_t>>& labels) {
  double sum = 0;
  for (std::size_t q = 0; q < codes.size(); ++q) {
    std::vector<std::size_t> others(codes.size());
    std::iota(others.begin(), others.end(), std::size_t{0});
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(q));
    double total = 0, orders = 0;
    do {
      const auto distance = [&](std::size_t i) { return __builtin_popcountll(codes[q] ^ codes[i]); };
      if (!std::is_sorted(others.begin(), others.end(), [&](std::size_t a, std::size_t b) { return distance(a) < distance(b); }))
        continue;
      double hits = 0, precision = 0;
      for (std::size_t r = 0; r < others.size(); ++r)
        if (labels[others[r]] == labels[q]) precision += ++hits / static_cast<double>(r + 1);
      total += precision / hits;
      ++orders;
    } while (std::next_permutation(others.begin(), others.end()));
    sum += total / orders;
  }
  return sum / static_cast<double>(codes.size());
}

TEST(TieAwareMap, IsTheMeanOverAllOrdersOfTies) {
  const std::vector<std::vector<std::int32_t>> labels{{0}, {1}, {0}, {1}, {0}, {1}, {0}};
  for (const std::vector<std::uint64_t>& codes :
       {std::vector<std::uint64_t>{0, 0, 0, 0, 0, 0, 0}, {0, 7, 0, 7, 1, 6, 0}, {1, 1, 2, 2, 4, 4, 7}, {5, 3, 5, 5, 3, 3, 0}})
    EXPECT_NEAR(map_of(codes, labels, 3), brute_force(codes, labels), 1e-12);
}

TEST(TieAwareMap, PerfectCodesGiveOne) {
  EXPECT_DOUBLE_EQ(map_of({0, 0, 15, 15}, {{0}, {0}, {1}, {1}}, 4), 1);
  EXPECT_DOUBLE_EQ(map_of({0, 1, 2}, {{0}, {1}, {2}}, 4), -1);  // nobody has a relevant item
}

TEST(Validation, AveragesBothViewsWhereTheModelDoes) {
  const BarDataset data(labels_in_turn(200, 4), 4);
  ThreadPool pool(1);
  TrainingSet set = load_training_set(data, 0, 0.5, 1, pool, std::uint64_t{1} << 30, [](std::size_t) { return true; });
  HashNetwork network({1, 16, 16, {8, 8, 8}, 2, 4, 6}, 1, at::kCPU);
  network.fit_whitening(normalised_images(set, set.train));
  const double one = validate(network, set, {}, at::kCPU).map;
  set.preprocessing.mirror_view = true;
  const double both = validate(network, set, {}, at::kCPU).map;
  EXPECT_NE(both, one);
  // Both views of pictures that are their own mirror images are the same view.
  for (std::size_t i = 0; i < set.pixels.size(); i += set.width)
    for (std::size_t x = 0; x < set.width / 2; ++x) set.pixels[i + set.width - 1 - x] = set.pixels[i + x];
  const double symmetric = validate(network, set, {}, at::kCPU).map;
  set.preprocessing.mirror_view = false;
  EXPECT_NEAR(validate(network, set, {}, at::kCPU).map, symmetric, 1e-9);
}

TEST(Validation, SaysWhenCodesCollapse) {
  const BarDataset data(labels_in_turn(200, 4), 4);
  ThreadPool pool(1);
  const TrainingSet set = load_training_set(data, 0, 0.5, 1, pool, std::uint64_t{1} << 30, [](std::size_t) { return true; });
  HashNetwork network({1, 16, 16, {8, 8, 8}, 2, 4, 6}, 1, at::kCPU);
  const at::NoGradGuard no_gradient;
  at::Tensor weight = network.value("hash.weight");
  weight.zero_();
  const ValidationNumbers v = validate(network, set, {}, at::kCPU);
  EXPECT_EQ(v.images, 100u);
  EXPECT_EQ(v.distinct_codes, 1u);
  EXPECT_DOUBLE_EQ(v.worst_bit_mean, 1);
  EXPECT_NE(v.warning.find("collapse"), std::string::npos);
}

// More images than are measured, one class after the other: black ones, and in the last hundredth noise.
TEST(Validation, MeasuresImagesOfAllClassesOfALargeSet) {
  TrainingSet set;
  set.width = set.height = 16, set.channels = 1;
  set.preprocessing = {16, 16, 1, {0.5f}, {0.25f}, false};
  set.class_names = {"black", "noise"};
  constexpr std::size_t kAll = 10'100, kBlack = 10'000;
  Random random(1);
  for (std::size_t i = 0; i < kAll; ++i) {
    for (std::size_t p = 0; p < set.image_bytes(); ++p)
      set.pixels.push_back(i < kBlack ? std::uint8_t{0} : static_cast<std::uint8_t>(random.below(256)));
    set.labels.push_back({i < kBlack ? 0 : 1});
    set.validation.push_back(i);
  }
  HashNetwork network({1, 16, 16, {8, 8, 8}, 2, 2, 64}, 1, at::kCPU);
  network.fit_whitening(normalised_images(set, std::span(set.validation).last(100)));
  const ValidationNumbers classes = validate(network, set, {}, at::kCPU),
                          copies = validate_instance(network, set, 500, false, at::kCPU);
  for (const ValidationNumbers& v : {classes, copies}) {
    EXPECT_EQ(v.images, 10'000u);
    EXPECT_GT(v.distinct_codes, 2u);  // of the black ones alone there is one
  }
  EXPECT_EQ(classes.warning.find("collapse"), std::string::npos) << classes.warning;
}

TEST(Validation, MeasuresTheBeginningsAndTheLossOfNestedCodes) {
  const BarDataset data(labels_in_turn(1500, 3), 4);
  ThreadPool pool(1);
  TrainingSet set = load_training_set(data, 0, 0.5, 1, pool, std::uint64_t{1} << 30, [](std::size_t) { return true; });
  // All images of a class one after another, as folders of classes have them: each group of pairs shall have all classes even so.
  std::ranges::stable_sort(set.validation, {}, [&](std::size_t i) { return set.labels[i].front(); });
  HashNetwork network({1, 16, 16, {8, 8, 8}, 2, 3, 70}, 1, at::kCPU);
  network.fit_whitening(normalised_images(set, set.train));
  const std::vector<std::uint32_t> lengths = {5, 64, 66};
  const ValidationNumbers v = validate(network, set, {true, false, lengths, PairLossOptions{}}, at::kCPU);
  ASSERT_EQ(v.images, 750u);
  const at::NoGradGuard no_gradient;
  const at::Tensor hash = network.forward(normalised_images(set, set.validation), HashNetwork::Mode::kEvaluate, true, false).hash;
  std::vector<const std::vector<std::int32_t>*> labels;
  for (const std::size_t i : set.validation) labels.push_back(&set.labels[i]);
  ASSERT_EQ(v.map_of_beginnings.size(), lengths.size());
  for (const std::uint32_t length : lengths) {
    std::vector<std::uint64_t> codes(2 * v.images);
    for (std::size_t i = 0; i < v.images; ++i)
      for (std::uint32_t k = 0; k < length; ++k)
        if (hash[static_cast<std::int64_t>(i)][k].item<float>() >= 0) codes[2 * i + k / 64] |= std::uint64_t{1} << (k % 64);
    EXPECT_NEAR(v.map_of_beginnings.at(length), tie_aware_map(codes, 2, labels, length), 1e-9) << length;
  }
  // The mean over two groups of 375 is the value of all pairs to within what the draw of pairs leaves.
  const at::Tensor similarity = label_similarity(set, set.validation);
  const double soft = nested_pair_loss(hash.tanh(), similarity, {}, lengths).item<double>(),
               exact = nested_pair_loss(hash.sign(), similarity, {}, lengths).item<double>();
  EXPECT_NEAR(v.soft_loss, soft, 0.02 * soft);
  EXPECT_NEAR(v.exact_loss, exact, 0.02 * exact);
  EXPECT_GT(std::abs(soft - exact), 0.04 * soft);
  EXPECT_EQ(validate(network, set, {}, at::kCPU).soft_loss, -1);  // of another method's loss
}

}  // namespace
}  // namespace signet
