#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "signet/base/error.h"
#include "signet/dataset/dataset.h"
#include "tests/support/make_data.h"

namespace signet {
namespace {

namespace td = testdata;

// Labels given, pictures made of (label, position).
class Made final : public Dataset {
 public:
  explicit Made(std::vector<std::vector<std::int32_t>> labels, std::vector<std::string> names = {"a", "b", "c"})
      : labels_(std::move(labels)), names_(std::move(names)) {}
  std::size_t size() const noexcept override { return labels_.size(); }
  Sample get(std::size_t i) const override { return {td::picture(0, static_cast<std::uint32_t>(i), 4, 4), labels_[i], key(i)}; }
  std::string key(std::size_t i) const override { return std::to_string(i); }
  std::span<const std::int32_t> labels(std::size_t i) const override { return labels_[i]; }
  const std::vector<std::string>& class_names() const noexcept override { return names_; }
  std::string describe() const override { return "made"; }

 private:
  std::vector<std::vector<std::int32_t>> labels_;
  std::vector<std::string> names_;
};

// Unlabelled grey pictures of these widths and heights.
class Sized final : public Dataset {
 public:
  explicit Sized(std::vector<std::pair<std::uint32_t, std::uint32_t>> sizes) : sizes_(std::move(sizes)) {}
  std::size_t size() const noexcept override { return sizes_.size(); }
  Sample get(std::size_t i) const override {
    return {td::picture(0, static_cast<std::uint32_t>(i), sizes_[i].first, sizes_[i].second), {}, key(i)};
  }
  std::string key(std::size_t i) const override { return concat("picture", i); }
  std::span<const std::int32_t> labels(std::size_t) const override { return {}; }
  const std::vector<std::string>& class_names() const noexcept override { return names_; }
  std::string describe() const override { return "sized"; }

 private:
  std::vector<std::pair<std::uint32_t, std::uint32_t>> sizes_;
  std::vector<std::string> names_;
};

// How many images composed of pictures of these sizes are refused, each by a sentence with these words.
std::size_t refused(std::vector<std::pair<std::uint32_t, std::uint32_t>> sizes, const std::string& words) {
  const auto composed = compose(std::make_shared<Sized>(std::move(sizes)), 7);
  std::size_t count = 0;
  for (std::size_t i = 0; i < composed->size(); ++i) {
    try {
      composed->get(i);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).find("picture"), 0u) << error.what();
      ++count;
    }
  }
  return count;
}

std::shared_ptr<Made> made(std::size_t a, std::size_t b, std::size_t c = 0) {
  std::vector<std::vector<std::int32_t>> labels;
  for (std::size_t i = 0; i < a; ++i) labels.push_back({0});
  for (std::size_t i = 0; i < b; ++i) labels.push_back({1});
  for (std::size_t i = 0; i < c; ++i) labels.push_back({2});
  return std::make_shared<Made>(std::move(labels));
}

std::size_t count_label(const Dataset& dataset, const std::vector<std::size_t>& indices, std::int32_t label) {
  return static_cast<std::size_t>(
      std::count_if(indices.begin(), indices.end(), [&](std::size_t i) { return dataset.labels(i).front() == label; }));
}

void expect_partition(const SplitIndices& split, std::size_t n) {
  EXPECT_TRUE(std::is_sorted(split.first.begin(), split.first.end()));
  EXPECT_TRUE(std::is_sorted(split.second.begin(), split.second.end()));
  std::vector<std::size_t> all = split.first;
  all.insert(all.end(), split.second.begin(), split.second.end());
  std::sort(all.begin(), all.end());
  std::vector<std::size_t> expected(n);
  std::iota(expected.begin(), expected.end(), std::size_t{0});
  EXPECT_EQ(all, expected);
}

TEST(Decorators, SubsetRenumbers) {
  const auto part = subset(made(2, 2), {3, 0, 3});
  ASSERT_EQ(part->size(), 3u);
  EXPECT_EQ(part->key(0), "3");
  EXPECT_EQ(part->get(1).key, "0");
  EXPECT_EQ(part->labels(2).front(), 1);
  EXPECT_EQ(part->describe(), "3 of made");
  EXPECT_THROW(part->get(3), Error);
  EXPECT_THROW(subset(made(1, 1), {2}), Error);
}

TEST(Decorators, ConcatenateJoinsAlsoEmptyParts) {
  const auto joined = concatenate({made(1, 1), made(0, 0), made(0, 3)});
  ASSERT_EQ(joined->size(), 5u);
  EXPECT_EQ(joined->key(1), "1");
  EXPECT_EQ(joined->key(2), "0");
  EXPECT_EQ(joined->labels(0).front(), 0);
  EXPECT_EQ(joined->get(4).labels.front(), 1);
  EXPECT_THROW(joined->get(5), Error);
}

TEST(Decorators, ConcatenateRefusesOtherClassesAndNothing) {
  try {
    concatenate({made(1, 1), std::make_shared<Made>(std::vector<std::vector<std::int32_t>>{{0}}, std::vector<std::string>{"x"})});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMismatch);
  }
  EXPECT_THROW(concatenate({}), Error);
}

TEST(Decorators, StratifiedSplitTakesItsShareOfEveryClass) {
  const auto source = made(100, 40, 3);
  const SplitIndices split = stratified_split(*source, 0.1, 7);
  expect_partition(split, 143);
  EXPECT_EQ(count_label(*source, split.second, 0), 10u);
  EXPECT_EQ(count_label(*source, split.second, 1), 4u);
  EXPECT_EQ(count_label(*source, split.second, 2), 0u);
}

TEST(Decorators, StratifiedSplitLeavesEveryClassOneImage) {
  const auto source = made(1, 2, 5);
  const SplitIndices split = stratified_split(*source, 0.99, 7);
  expect_partition(split, 8);
  for (std::int32_t label : {0, 1, 2}) EXPECT_EQ(count_label(*source, split.first, label), 1u);
}

TEST(Decorators, StratifiedSplitFollowsItsSeedAlone) {
  const auto source = made(50, 50);
  EXPECT_EQ(stratified_split(*source, 0.2, 1).second, stratified_split(*source, 0.2, 1).second);
  EXPECT_NE(stratified_split(*source, 0.2, 1).second, stratified_split(*source, 0.2, 2).second);
  // The draw of a class does not depend on the other classes.
  const SplitIndices more = stratified_split(*made(50, 50, 9), 0.2, 1);
  std::vector<std::size_t> without(more.second);
  without.erase(std::remove_if(without.begin(), without.end(), [](std::size_t i) { return i >= 100; }), without.end());
  EXPECT_EQ(without, stratified_split(*source, 0.2, 1).second);
}

TEST(Decorators, StratifiedSplitOfUnlabelledAndMultiLabelImages) {
  const Made source({{}, {}, {}, {}, {1, 2}, {1}});
  const SplitIndices split = stratified_split(source, 0.5, 3);
  expect_partition(split, 6);
  EXPECT_EQ(split.second.size(), 3u);
}

TEST(Decorators, StratifiedSplitRefusesAbsurdShares) {
  for (double share : {-0.1, 1.0, 2.0, std::nan("")}) EXPECT_THROW(stratified_split(*made(2, 2), share, 1), Error) << share;
  EXPECT_TRUE(stratified_split(*made(2, 2), 0, 1).second.empty());
}

TEST(Decorators, OverlapFindsEqualPixelsOfEqualShape) {
  const auto a = subset(made(10, 0), {0, 1, 2, 3}), b = subset(made(10, 0), {7, 2, 0, 2});
  const std::vector<Overlap> found = find_overlap(*a, *b, 100);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].first, 0u);
  EXPECT_EQ(found[0].second, 2u);
  EXPECT_EQ(found[1].first, 2u);
  EXPECT_EQ(found[1].second, 1u);  // once, though it is there twice
  EXPECT_EQ(find_overlap(*b, *a, 100).size(), 3u);
  EXPECT_EQ(find_overlap(*a, *b, 1).size(), 1u);
  EXPECT_TRUE(find_overlap(*a, *b, 0).empty());
  EXPECT_TRUE(find_overlap(*subset(a, {0}), *subset(a, {1}), 9).empty());
}

TEST(Decorators, ImagesThatCannotBeReadEqualNone) {
  const td::Folder folder(testing::TempDir());
  for (const char* part : {"a", "b"})
    for (const char* name : {"0.png", "1.png"}) td::write(folder / (std::string(part) + "/" + name), "no picture");
  td::write(folder / "a/2.png", td::text_of(encode_png(td::picture(0, 2))));
  td::write(folder / "b/2.png", td::text_of(encode_png(td::picture(0, 2))));
  const auto a = open_dataset(folder / "a"), b = open_dataset(folder / "b");
  ASSERT_EQ(a->size(), 3u);
  const std::vector<Overlap> found = find_overlap(*a, *b, 100);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].first, 2u);
  EXPECT_EQ(without_copies(a, *b)->size(), 2u);
}

TEST(Decorators, DigestTellsShapesWithEqualBytesApart) {
  const std::vector<std::uint8_t> pixels(12, 9);
  const std::set<std::string> digests{pixel_digest({12, 1, 1, pixels}), pixel_digest({1, 12, 1, pixels}),
                                      pixel_digest({4, 1, 3, pixels}), pixel_digest({6, 2, 1, pixels})};
  EXPECT_EQ(digests.size(), 4u);
  // 12 x 1 x 1 of nine, written down once so that stored digests keep their meaning (sha256sum of 0c000000 01000000 01000000 and
  // 12 bytes 09).
  EXPECT_EQ(pixel_digest({12, 1, 1, pixels}), "97301d05d1754dfe3d8f7b6733587c1e4b827effc4eddb0152757cf1290b4f8c");
}

// Every cell is black or one of the source's pictures at half size, and the labels are theirs.
TEST(Decorators, ComposedImagesHoldTheirPartsAndTheirLabels) {
  const auto source = made(5, 4, 3);
  const auto composed = compose(source, 7);
  ASSERT_EQ(composed->size(), 12u);
  std::set<std::size_t> counts;
  for (std::size_t i = 0; i < composed->size(); ++i) {
    const Sample sample = composed->get(i);
    ASSERT_EQ(sample.image.width, 4u);
    ASSERT_EQ(sample.image.height, 4u);
    std::set<std::int32_t> labels;
    std::size_t filled = 0;
    for (std::uint32_t cell = 0; cell < 4; ++cell) {
      std::vector<unsigned> shown;
      for (std::uint32_t p = 0; p < 4; ++p)
        shown.push_back(sample.image.pixels[(cell / 2 * 2 + p / 2) * 4 + cell % 2 * 2 + p % 2]);
      if (shown == std::vector<unsigned>(4, 0)) continue;
      ++filled;
      std::size_t owner = source->size();
      for (std::size_t k = 0; k < source->size(); ++k) {
        const Image one = source->get(k).image;
        std::vector<unsigned> halved;
        for (std::uint32_t p = 0; p < 4; ++p) {
          const std::uint32_t at = p / 2 * 8 + p % 2 * 2;
          halved.push_back((one.pixels[at] + one.pixels[at + 1] + one.pixels[at + 4] + one.pixels[at + 5] + 2u) / 4u);
        }
        if (halved == shown) owner = k;
      }
      ASSERT_LT(owner, source->size());
      labels.insert(source->labels(owner).front());
    }
    counts.insert(filled);
    EXPECT_EQ(std::vector<std::int32_t>(labels.begin(), labels.end()), sample.labels);
    EXPECT_TRUE(std::ranges::equal(composed->labels(i), sample.labels));
    EXPECT_EQ(composed->key(i), sample.key);
  }
  EXPECT_GT(counts.size(), 2u);
  EXPECT_EQ(compose(source, 7)->get(3).image, composed->get(3).image);
  EXPECT_NE(compose(source, 8)->get(3).image, composed->get(3).image);
  EXPECT_THROW(compose(made(0, 0), 7), Error);
}

TEST(Decorators, ImagesAreComposedOfImagesOfOneSizeAlone) {
  using Sizes = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
  EXPECT_EQ(refused(Sizes(6, {1, 4}), "is 1 x 4"), 6u);
  EXPECT_EQ(refused(Sizes(6, {4, 1}), "is 4 x 1"), 6u);
  EXPECT_EQ(refused(Sizes(6, {5, 5}), ""), 0u);
  Sizes mixed(10, {5, 5});  // the same size as 4 x 4 where sides are made even
  mixed.resize(20, {4, 4});
  EXPECT_GT(refused(mixed, "another size"), 0u);
}

TEST(Decorators, CopiesAreLeftOut) {
  const auto source = made(4, 3);
  const auto rest = without_copies(source, *subset(source, {5, 1}));
  ASSERT_EQ(rest->size(), 5u);
  EXPECT_EQ(rest->key(1), "2");
  EXPECT_EQ(rest->key(4), "6");
  EXPECT_EQ(without_copies(rest, *subset(source, {5, 1})), rest);
}

TEST(Decorators, ReadersAreSafeFromManyThreads) {
  const td::Folder folder(testing::TempDir());
  td::make_tar(folder / "x.tar", td::class_files(2, 8, 8));
  const auto dataset = open_dataset(folder / "x.tar");
  std::vector<std::thread> threads;
  std::vector<int> good(4, 0);
  for (std::size_t t = 0; t < good.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < dataset->size(); ++i) {
        const auto label = static_cast<std::uint32_t>(i / 8);
        good[t] += dataset->get(i).image == td::picture(label, static_cast<std::uint32_t>(i), 8, 8, 3) &&
                   dataset->labels(i).front() == static_cast<int>(label);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, std::vector<int>(4, 16));
}

}  // namespace
}  // namespace signet
