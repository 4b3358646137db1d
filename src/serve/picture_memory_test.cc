#include "serve/picture_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "base/test_folder.h"

namespace signet {
namespace {

TEST(PictureMemory, GivesNoMoreThanThereIs) {
  PictureMemory memory(100);
  auto share = memory.take(60);
  EXPECT_EQ(memory.held(), 60u);
  std::string message;
  EXPECT_EQ(error_of([&] { memory.take(41); }, &message), ErrorCode::kBusy);
  EXPECT_NE(message.find("needs 41 bytes"), std::string::npos) << message;
  EXPECT_NE(message.find("leave 40 of 100"), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { memory.take(UINT64_MAX); }), ErrorCode::kBusy);
  EXPECT_EQ(memory.held(), 60u);
  share.shrink(30);
  share.shrink(50);  // it does not grow
  EXPECT_EQ(memory.held(), 30u);
  EXPECT_NO_THROW(memory.take(70));
  EXPECT_EQ(memory.held(), 30u);
}

TEST(PictureMemory, IsHeldByOneAndGivenBackOnce) {
  PictureMemory memory(100);
  {
    auto first = memory.take(40);
    PictureMemory::Share second = std::move(first);
    EXPECT_EQ(memory.held(), 40u);
    second = memory.take(20);
    EXPECT_EQ(memory.held(), 20u);
    second = PictureMemory::Share();
    EXPECT_EQ(memory.held(), 0u);
    second = memory.take(100);
    std::vector<DecodedPicture> pictures(1);
    pictures[0].memory = std::move(second);
    pictures.emplace_back();
    pictures.reserve(100);
    EXPECT_EQ(memory.held(), 100u);
    pictures.clear();
    EXPECT_EQ(memory.held(), 0u);
  }
  EXPECT_EQ(memory.held(), 0u);
}

TEST(PictureMemory, IsCountedRightByManyAtOnce) {
  PictureMemory memory(100);
  std::atomic<std::uint64_t> most{0}, taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        try {
          const auto share = memory.take(40);
          most.store(std::max(most.load(), memory.held()));
          taken.fetch_add(1);
        } catch (const Error&) {  // the others hold it
          std::this_thread::yield();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most.load(), 80u);
  EXPECT_GT(taken.load(), 0u);
  EXPECT_EQ(memory.held(), 0u);
}

TEST(PictureMemory, APictureNeedsMoreThanItsFileSays) {
  EXPECT_EQ(decoding_bytes(64'000'000), 448'000'000u);
  EXPECT_GE(decoding_bytes(UINT64_MAX), decoding_bytes(std::uint64_t{1} << 50));  // no overflow
}

}  // namespace
}  // namespace signet
