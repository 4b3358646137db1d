#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>

#include "base/test_folder.h"
#include "encode/test_networks.h"
#include "signet/encode/encoder.h"

namespace signet {
namespace {

using namespace testing_networks;

constexpr std::size_t kCount = 203;

class EncodeAll : public testing::TestWithParam<std::size_t> {  // threads
 protected:
  EncodeAll() : model_(model_for(airbench(1, 12, {4, 8}, 12), 12)), encoder_(model_, options()) {}

  static EncoderOptions options() {
    EncoderOptions options;
    options.threads = GetParam();
    return options;
  }
  static Image image(std::size_t i) { return random_image(static_cast<std::uint32_t>(12 + i % 3), 12, i % 2 == 0 ? 1 : 3, i); }

  struct Collected {
    std::vector<std::size_t> indices;
    std::vector<float> hash, logits;
    std::size_t largest = 0;
  };
  auto into(Collected& all) {
    return [&all, this](std::span<const std::size_t> indices, const Outputs& out) {
      ASSERT_TRUE(in_sink_.exchange(true) == false) << "two threads in the sink";
      ASSERT_EQ(out.count, indices.size());
      all.indices.insert(all.indices.end(), indices.begin(), indices.end());
      all.hash.insert(all.hash.end(), out.hash.begin(), out.hash.end());
      all.logits.insert(all.logits.end(), out.logits.begin(), out.logits.end());
      all.largest = std::max(all.largest, indices.size());
      in_sink_ = false;
    };
  }

  Model model_;
  Encoder encoder_;
  std::atomic<bool> in_sink_{false};
};
INSTANTIATE_TEST_SUITE_P(Threads, EncodeAll, testing::Values(1, 2, 5), [](const auto& p) { return std::to_string(p.param); });

TEST_P(EncodeAll, GivesEveryImageOnceAndInOrder) {
  std::vector<Image> images;
  for (std::size_t i = 0; i < kCount; ++i) images.push_back(image(i));
  const Outputs expected = encoder_.run(images, Encoder::kHash | Encoder::kLogits);
  for (const std::size_t block : {1u, 7u, 64u, 1000u}) {
    Collected all;
    BulkOptions bulk;
    bulk.block = block;
    bulk.want = Encoder::kHash | Encoder::kLogits;
    const BulkResult result = encode_all(encoder_, kCount, image, into(all), bulk);
    std::vector<std::size_t> indices(kCount);
    std::iota(indices.begin(), indices.end(), std::size_t{0});
    EXPECT_EQ(all.indices, indices);
    EXPECT_EQ(all.hash, expected.hash);
    EXPECT_EQ(all.logits, expected.logits);
    EXPECT_LE(all.largest, block);
    EXPECT_EQ(result.encoded, kCount);
    EXPECT_TRUE(result.skipped.empty());
    EXPECT_GT(result.images_per_second, 0);
    EXPECT_TRUE(result.bottleneck == "inference" || result.bottleneck == "loading" || result.bottleneck == "sink")
        << result.bottleneck;
  }
}

TEST_P(EncodeAll, SkipsWhatCannotBeReadAndSaysWhy) {
  Collected all;
  const auto load = [](std::size_t i) {
    if (i % 10 == 3) fail(ErrorCode::kCorrupt, "picture ", i, " is broken");
    if (i == 50) return Image{12, 12, 1, {1, 2, 3}};  // a loader's mistake: pixels that are not there
    return image(i);
  };
  const BulkResult result = encode_all(encoder_, kCount, load, into(all));
  ASSERT_EQ(result.skipped.size(), 20u + 1u);
  EXPECT_EQ(result.encoded, kCount - 21);
  EXPECT_EQ(all.indices.size(), result.encoded);
  EXPECT_EQ(all.hash.size(), result.encoded * 12);
  EXPECT_TRUE(std::is_sorted(all.indices.begin(), all.indices.end()));
  std::set<std::size_t> seen(all.indices.begin(), all.indices.end());
  for (std::size_t i = 0; i + 1 < result.skipped.size(); ++i) EXPECT_LT(result.skipped[i].index, result.skipped[i + 1].index);
  for (const auto& skipped : result.skipped) EXPECT_EQ(seen.count(skipped.index), 0u);
  EXPECT_EQ(result.skipped[0].index, 3u);
  EXPECT_EQ(result.skipped[0].reason, "picture 3 is broken");
  // The outputs belong to the images that they are said to belong to.
  const Image last = image(kCount - 1);
  const Outputs alone = encoder_.run({&last, 1});
  EXPECT_EQ(std::vector<float>(all.hash.end() - 12, all.hash.end()), alone.hash);
}

TEST_P(EncodeAll, TakesNoImagesAndOnlyUnreadableOnes) {
  Collected all;
  EXPECT_EQ(encode_all(encoder_, 0, image, into(all)).encoded, 0u);
  const auto load = [](std::size_t) -> Image { fail(ErrorCode::kCorrupt, "no"); };
  const BulkResult result = encode_all(encoder_, 9, load, into(all));
  EXPECT_EQ(result.encoded, 0u);
  EXPECT_EQ(result.skipped.size(), 9u);
  EXPECT_TRUE(all.indices.empty());
}

TEST_P(EncodeAll, StopsAtAForeignExceptionOfTheLoader) {
  Collected all;
  const auto load = [](std::size_t i) -> Image {
    if (i == 40) throw std::runtime_error("out of order");
    return image(i);
  };
  EXPECT_THROW(encode_all(encoder_, kCount, load, into(all)), std::runtime_error);
  EXPECT_LT(all.indices.size(), kCount);
  EXPECT_EQ(encode_all(encoder_, kCount, image, into(all)).encoded, kCount) << "the encoder still works";
}

TEST_P(EncodeAll, StopsWhereTheSinkFails) {
  std::size_t calls = 0;
  const auto sink = [&](std::span<const std::size_t>, const Outputs&) {
    if (++calls == 3) fail(ErrorCode::kIo, "disk full");
  };
  BulkOptions bulk;
  bulk.block = 4;
  EXPECT_EQ(error_of([&] { encode_all(encoder_, kCount, image, sink, bulk); }), ErrorCode::kIo);
  EXPECT_EQ(calls, 3u) << "nothing is handed over after a failure";
}

TEST_P(EncodeAll, StopsOnRequest) {
  Collected all;
  std::size_t asked = 0;
  const auto load = [](std::size_t i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return image(i % kCount);
  };
  const auto progress = [&](const Progress& p) {
    EXPECT_EQ(p.stage, "encode");
    EXPECT_EQ(p.total, 100000u);
    return ++asked < 2;
  };
  EXPECT_EQ(error_of([&] { encode_all(encoder_, 100000, load, into(all), {}, progress); }), ErrorCode::kCancelled);
  EXPECT_EQ(asked, 2u);
}

TEST_P(EncodeAll, ReportsTheEnd) {
  Collected all;
  std::uint64_t done = 0;
  encode_all(encoder_, kCount, image, into(all), {}, [&](const Progress& p) {
    EXPECT_GE(p.done, done);
    done = p.done;
    return true;
  });
  EXPECT_EQ(done, kCount);
}

// However slow the sink: what is loaded and not handed over yet stays bounded.
TEST_P(EncodeAll, DoesNotRunAheadOfASlowSink) {
  std::atomic<std::size_t> loaded{0};
  std::size_t handed = 0, most = 0;
  const auto load = [&](std::size_t i) {
    ++loaded;
    return image(i);
  };
  const auto sink = [&](std::span<const std::size_t> indices, const Outputs&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    most = std::max(most, loaded.load() - handed);
    handed += indices.size();
  };
  BulkOptions bulk;
  bulk.block = 2;
  encode_all(encoder_, kCount, load, sink, bulk);
  EXPECT_LE(most, (3 * GetParam() + 2) * bulk.block);
}

TEST_P(EncodeAll, NamesLoadingWhereItIsSlow) {
  Collected all;
  const auto load = [](std::size_t i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return image(i);
  };
  EXPECT_EQ(encode_all(encoder_, 40, load, into(all)).bottleneck, "loading");
}

TEST_P(EncodeAll, RefusesABlockOfNothing) {
  Collected all;
  BulkOptions bulk;
  bulk.block = 0;
  EXPECT_EQ(error_of([&] { encode_all(encoder_, 3, image, into(all), bulk); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace signet
