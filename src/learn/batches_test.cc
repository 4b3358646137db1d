#include "learn/batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "learn/test_data.h"

namespace signet {
namespace {

TrainingSet load(const Dataset& data, double validation = 0) {
  ThreadPool pool(2);
  return load_training_set(data, 0, validation, 1, pool, std::uint64_t{1} << 30, [](std::size_t) { return true; });
}

std::map<std::int32_t, std::size_t> class_counts(const TrainingSet& set, const std::vector<Sampler::Pick>& picks) {
  std::map<std::int32_t, std::size_t> counts;
  for (const auto& pick : picks) ++counts[set.labels[pick.position].front()];
  return counts;
}

TEST(Sampler, UniformUsesEveryImageOnceAPass) {
  const TrainingSet set = load(BarDataset(labels_in_turn(30, 3), 3));
  const Sampler sampler(set, 8, Balance::kUniform, 5);
  std::map<std::uint64_t, std::multiset<std::size_t>> passes;
  for (std::size_t step = 0; step < 15; ++step)  // 120 picks: four passes
    for (const auto& pick : sampler.picks(step)) passes[pick.pass].insert(pick.position);
  ASSERT_EQ(passes.size(), 4u);
  for (const auto& [pass, positions] : passes)
    EXPECT_EQ(std::set<std::size_t>(positions.begin(), positions.end()).size(), 30u) << pass;
  EXPECT_NE(sampler.picks(0)[0].position * 31 + sampler.picks(0)[1].position,
            sampler.picks(4)[0].position * 31 + sampler.picks(4)[1].position);
}

TEST(Sampler, BalancedBatchesSurviveAClassWithOneImage) {
  std::vector<std::vector<std::int32_t>> labels(40, {0});
  labels.push_back({2});  // class 1 is empty, class 2 has one image
  for (int i = 0; i < 9; ++i) labels.push_back({3});
  const TrainingSet set = load(BarDataset(labels, 4));
  const Sampler sampler(set, 24, Balance::kClasses, 5);
  std::set<std::size_t> seen;
  for (std::size_t step = 0; step < 10; ++step) {
    const auto picks = sampler.picks(step);
    EXPECT_EQ(class_counts(set, picks), (std::map<std::int32_t, std::size_t>{{0, 8}, {2, 8}, {3, 8}}));
    for (const auto& pick : picks) seen.insert(pick.position);
  }
  EXPECT_EQ(seen.size(), 50u);  // 80 picks of class 0 went through all its 40
}

// Kaggle-Face's smallest and largest class.
TEST(Sampler, BatchesAreBalancedHoweverUnequalTheClasses) {
  TrainingSet set;
  set.class_names = {"disgust", "happy"};
  for (std::size_t i = 0; i < 436 + 7'215; ++i) {
    set.labels.push_back({i < 436 ? 0 : 1});
    set.train.push_back(i);
  }
  const Sampler sampler(set, 500, Balance::kClasses, 5);
  std::set<std::size_t> seen;
  for (std::size_t step = 0; step < 29; ++step) {
    const auto picks = sampler.picks(step);
    EXPECT_EQ(class_counts(set, picks), (std::map<std::int32_t, std::size_t>{{0, 250}, {1, 250}}));
    for (const auto& pick : picks) seen.insert(pick.position);
  }
  EXPECT_EQ(seen.size(), set.train.size());  // 29 x 250 picks went through all of the large class
}

TEST(Sampler, ManyClassesStillGiveSimilarPairs) {
  const TrainingSet set = load(BarDataset(labels_in_turn(500, 100), 100, 16));
  const Sampler sampler(set, 32, Balance::kClasses, 5);
  std::set<std::int32_t> visited;
  for (std::size_t step = 0; step < 25; ++step) {
    const auto counts = class_counts(set, sampler.picks(step));
    EXPECT_LE(counts.size(), 4u);
    for (const auto& [label, count] : counts) {
      EXPECT_GE(count, 8u);
      visited.insert(label);
    }
  }
  EXPECT_EQ(visited.size(), 100u);  // 25 batches of 4 classes go once through all
}

TEST(Sampler, SmallBatchesHaveSimilarAndDissimilarPairs) {
  for (const std::int32_t classes : {2, 5}) {
    const TrainingSet set = load(BarDataset(labels_in_turn(30, classes), static_cast<std::size_t>(classes)));
    for (const std::size_t batch : {4u, 5u, 8u, 12u, 15u, 16u}) {
      const Sampler sampler(set, batch, Balance::kClasses, 5);
      std::set<std::int32_t> visited;
      for (std::size_t step = 0; step < 20; ++step) {
        const auto counts = class_counts(set, sampler.picks(step));
        EXPECT_EQ(counts.size(), 2u) << batch;
        for (const auto& [label, count] : counts) {
          EXPECT_GE(count, batch / 2) << batch;
          visited.insert(label);
        }
      }
      EXPECT_EQ(visited.size(), set.classes()) << batch;
    }
  }
}

TEST(Sampler, ABatchDependsOnItsStepAlone) {
  const TrainingSet set = load(BarDataset(labels_in_turn(50, 5), 5));
  for (const Balance balance : {Balance::kUniform, Balance::kClasses}) {
    const Sampler walked(set, 16, balance, 9), jumped(set, 16, balance, 9);
    std::vector<Sampler::Pick> last;
    for (std::size_t step = 0; step <= 37; ++step) last = walked.picks(step);
    const auto again = jumped.picks(37);
    ASSERT_EQ(last.size(), again.size());
    for (std::size_t i = 0; i < last.size(); ++i) {
      EXPECT_EQ(last[i].position, again[i].position);
      EXPECT_EQ(last[i].pass, again[i].pass);
    }
  }
}

TEST(BatchLoader, StartsAnywhereWithTheSameBatch) {
  const TrainingSet set = load(BarDataset(labels_in_turn(50, 5), 5, 16, 3));
  BatchOptions options;
  options.batch = 20, options.balance = Balance::kClasses, options.similarity = true;
  BatchLoader all(set, options, 0, 6), late(set, options, 4, 6);
  Batch batch;
  for (int i = 0; i <= 4; ++i) batch = all.next();
  const Batch other = late.next();
  EXPECT_EQ(other.step, 4u);
  EXPECT_TRUE(batch.images.equal(other.images));
  EXPECT_TRUE(batch.similarity.equal(other.similarity));
  EXPECT_EQ(batch.positions, other.positions);
  EXPECT_EQ(batch.images.sizes(), (at::IntArrayRef{20, 3, 16, 16}));
  EXPECT_TRUE(batch.images.is_contiguous(at::MemoryFormat::ChannelsLast));
}

Batch first_batch(const TrainingSet& set, const AugmentOptions& augment) {
  BatchOptions options;
  options.batch = 6, options.augment = augment;
  return BatchLoader(set, options, 0, 1).next();
}

TEST(BatchLoader, WithoutAugmentationTheImagesAreTheNormalisedOnes) {
  const TrainingSet set = load(BarDataset(labels_in_turn(12, 3), 3, 16, 3));
  const Batch batch = first_batch(set, {0, false, 0});
  EXPECT_TRUE(batch.images.equal(normalised_images(set, batch.positions)));
  const Image image = BarDataset(labels_in_turn(12, 3), 3, 16, 3).get(set.source[batch.positions[2]]).image;
  std::vector<float> expected(3 * 16 * 16);
  preprocess(image, set.preprocessing, expected.data());  // what the encoder will feed
  const at::Tensor planes = batch.images[2].contiguous();
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(planes.data_ptr<float>()[i], expected[i], 1e-5);
}

TEST(BatchLoader, CutOutPixelsHaveTheMeanOfAll) {
  const TrainingSet set = load(BarDataset(labels_in_turn(12, 3), 3, 16, 3));
  const Batch batch = first_batch(set, {0, false, 5});
  const at::Tensor cut = batch.images.ne(normalised_images(set, batch.positions));
  EXPECT_GT(cut.sum().item<std::int64_t>(), 6 * 5 * 5);
  EXPECT_LE(cut.sum().item<std::int64_t>(), 6 * 3 * 5 * 5);
  const at::Tensor blank = batch.images.masked_select(cut);
  EXPECT_LT(blank.abs().max().item<float>(), 0.5) << "normalised pixels have mean 0 and deviation 1";
}

TEST(LabelSimilarity, IsSharedOverAllLabels) {
  const TrainingSet set = load(BarDataset({{0}, {0, 1}, {1, 2}, {0, 1, 2}, {3}}, 4));
  const std::vector<std::size_t> positions{0, 1, 2, 3, 4};
  const at::Tensor y = label_similarity(set, positions);
  EXPECT_FLOAT_EQ(y[0][1].item<float>(), 0);          // 1 of 2
  EXPECT_FLOAT_EQ(y[1][2].item<float>(), -1.0f / 3);  // 1 of 3
  EXPECT_FLOAT_EQ(y[1][3].item<float>(), 1.0f / 3);   // 2 of 3
  EXPECT_FLOAT_EQ(y[0][4].item<float>(), -1);
  EXPECT_FLOAT_EQ(y[2][2].item<float>(), 1);
  EXPECT_TRUE(y.equal(y.t()));
}

TEST(TrainingSet, MeasuresPixelsAndKeepsTheSplitApart) {
  const TrainingSet set = load(BarDataset(labels_in_turn(100, 4), 4), 0.2);
  EXPECT_EQ(set.train.size(), 80u);
  EXPECT_EQ(set.validation.size(), 20u);
  std::set<std::size_t> both(set.train.begin(), set.train.end());
  both.insert(set.validation.begin(), set.validation.end());
  EXPECT_EQ(both.size(), 100u);
  const at::Tensor images = normalised_images(set, set.train);
  EXPECT_NEAR(images.mean().item<double>(), 0, 1e-4);
  EXPECT_NEAR(images.std(false).item<double>(), 1, 1e-4);
}

// Every scene twice: nearly all held-out ones are trained on too.
TEST(TrainingSet, CopiesOnBothSidesOfTheSplitAreCounted) {
  const BarDataset plain(labels_in_turn(40, 2), 2);
  EXPECT_EQ(load(plain, 0.25).validation_copies, 0u);
  std::vector<std::size_t> twice(80);
  for (std::size_t i = 0; i < twice.size(); ++i) twice[i] = i / 2;
  const auto doubled = subset(std::make_shared<BarDataset>(plain), twice);
  const TrainingSet set = load(*doubled, 0.25);
  std::size_t copies = 0;
  for (const std::size_t v : set.validation)
    copies += std::find(set.train.begin(), set.train.end(), v ^ 1) != set.train.end() ? 1 : 0;
  EXPECT_GT(copies, 10u);
  EXPECT_LE(copies, set.validation.size());
  EXPECT_EQ(set.validation_copies, copies);

  // Images that a teacher named are trained on too.
  TrainingSet more = load(plain, 0.25);
  const auto image = more.image(more.validation.front());
  const ReadImages unlabelled{{image.begin(), image.end()}, {0}, 0, ""};
  add_taught(more, unlabelled, std::vector<TaughtImage>{{0, 1}});
  EXPECT_EQ(more.validation_copies, 1u);
}

TEST(TrainingSet, UnreadableAndUnlabelledImagesAreLeftOut) {
  auto labels = labels_in_turn(20, 2);
  labels[3].clear();
  BarDataset data(labels, 2);
  data.unreadable = 6;
  const TrainingSet set = load(data);
  EXPECT_EQ(set.size(), 18u);
  EXPECT_EQ(set.unreadable, 1u);
  EXPECT_EQ(set.first_unreadable, "bar/6: is damaged");
  EXPECT_EQ(set.source[3], 4u);
  EXPECT_EQ(set.source[5], 7u);
}

TEST(TrainingSet, ValidationImagesAloneAreNothingToTrainOn) {
  BarDataset data({{0}, {0}, {1}, {1}}, 2);
  std::vector<std::string> wrong;
  for (data.unreadable = 0; data.unreadable < 4; ++data.unreadable) {
    const TrainingSet set = load(data, 0.5);  // three images: one of the class with two goes to validation
    EXPECT_FALSE(set.train.empty());
  }
  class HalfDamaged : public BarDataset {
   public:
    using BarDataset::BarDataset;
    std::vector<std::size_t> damaged;
    Sample get(std::size_t i) const override {
      if (std::count(damaged.begin(), damaged.end(), i) > 0) fail(ErrorCode::kCorrupt, "is damaged");
      return BarDataset::get(i);
    }
  } half({{0}, {0}, {1}, {1}}, 2);
  half.damaged = stratified_split(half, 0.5, 1).first;
  try {
    load(half, 0.5);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("--validation"), std::string::npos) << error.what();
  }
}

TEST(TrainingSet, FewerOfLargerPicturesGoThroughTheNetworkAtOnce) {
  TrainingSet set;
  set.width = set.height = 32, set.channels = 3;
  for (const std::size_t batch : {8u, 250u, 500u, 1000u}) EXPECT_EQ(images_at_once(set, batch), 500u);
  set.width = set.height = 96;
  for (const auto& [batch, at_once] : {std::pair{8u, 64u}, {100u, 100u}, {500u, 500u}, {1000u, 500u}})
    EXPECT_EQ(images_at_once(set, batch), at_once);
  set.width = set.height = 512;
  for (const std::size_t batch : {8u, 500u}) EXPECT_EQ(images_at_once(set, batch), 17u);
  set.width = set.height = 1 << 14;
  EXPECT_EQ(images_at_once(set, 8), 1u);
}

TEST(TrainingSet, TooMuchMemoryIsRefusedBeforeItIsTaken) {
  ThreadPool pool(1);
  try {
    load_training_set(BarDataset(labels_in_turn(20, 2), 2), 0, 0, 1, pool, 5000, [](std::size_t) { return true; });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(std::string(error.what()).find("--size"), std::string::npos);
  }
}

TEST(Views, TwoOfEveryImageAndNothingOfLabels) {
  ThreadPool pool(2);
  const BarDataset unlabelled(std::vector<std::vector<std::int32_t>>(20), 3, 24, 3);
  const TrainingSet set = load_training_set(
      unlabelled, 0, 0.2, 1, pool, std::uint64_t{1} << 30, [](std::size_t) { return true; }, false);
  EXPECT_EQ(set.size(), 20u);
  EXPECT_EQ(set.validation.size(), 4u);
  BatchOptions options;
  options.batch = 8;
  options.views = true;
  BatchLoader loader(set, options, 0, 4), again(set, options, 3, 4);
  std::map<std::size_t, std::size_t> seen;
  for (int step = 0; step < 4; ++step) {
    const Batch batch = loader.next();
    ASSERT_EQ(batch.positions.size(), 8u);
    EXPECT_EQ(batch.images.sizes(), (at::IntArrayRef{8, 3, 24, 24}));
    for (std::size_t i = 0; i < 8; i += 2) {
      EXPECT_EQ(batch.positions[i], batch.positions[i + 1]);
      EXPECT_FALSE(at::equal(batch.images[static_cast<std::int64_t>(i)], batch.images[static_cast<std::int64_t>(i) + 1]));
      ++seen[batch.positions[i]];
    }
    EXPECT_TRUE(at::equal(batch.similarity, view_similarity(batch.positions)));
    if (step == 3) {
      EXPECT_TRUE(at::equal(batch.images, again.next().images));  // a function of the step alone
    }
  }
  EXPECT_EQ(seen.size(), 16u);  // one pass: every training image once, no validation image
  for (const std::size_t i : set.validation) EXPECT_FALSE(seen.contains(i));
  EXPECT_TRUE(at::equal(view_similarity(std::vector<std::size_t>{7, 7, 3, 3}),
                        at::tensor({1, 1, -1, -1, 1, 1, -1, -1, -1, -1, 1, 1, -1, -1, 1, 1}, at::kFloat).reshape({4, 4})));
}

TEST(Views, AnImageInTwoPassesOfABatchIsSimilarToItself) {
  TrainingSet set = load(BarDataset(labels_in_turn(6, 2), 2));
  BatchOptions options;
  options.batch = 8, options.views = true;  // 4 of 6 images: every second batch lies across the end of a pass
  BatchLoader loader(set, options, 0, 30);
  std::size_t twice = 0;
  for (int step = 0; step < 30; ++step) {
    const Batch batch = loader.next();
    const float* similarity = batch.similarity.data_ptr<float>();
    for (const std::size_t a : batch.positions) {
      for (const std::size_t b : batch.positions) EXPECT_EQ(*similarity++, a == b ? 1 : -1);
      twice += std::ranges::count(batch.positions, a) > 2 ? 1 : 0;
    }
  }
  EXPECT_GT(twice, 0u);
}

TEST(Views, AlteredViewsHaveTheSetsGeometry) {
  const TrainingSet set = load(BarDataset(labels_in_turn(12, 3), 3, 20, 1));
  for (std::size_t k = 0; k < kChangeKinds; ++k) {
    const auto change = static_cast<Change>(k);
    const auto view = altered_view(set, 5, std::span(&change, 1), 0, 9);
    EXPECT_EQ(view.size(), set.image_bytes());
    EXPECT_FALSE(std::ranges::equal(view, set.image(5))) << change_name(change);
  }
}

}  // namespace
}  // namespace signet
