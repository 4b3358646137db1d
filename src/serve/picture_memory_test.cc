#include "serve/picture_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "base/test_folder.h"

namespace signet {
namespace {

TEST(PictureMemory, GivesNoMoreThanThereIs) {
  PictureMemory memory(100);
  auto share = memory.take(60, 0);
  EXPECT_EQ(memory.held(), 60u);
  std::string message;
  EXPECT_EQ(error_of([&] { memory.take(41, 0); }, &message), ErrorCode::kBusy);
  EXPECT_NE(message.find("needs 41 bytes"), std::string::npos) << message;
  EXPECT_NE(message.find("leave 40 of 100"), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { memory.take(UINT64_MAX, 0); }), ErrorCode::kBusy);
  EXPECT_EQ(memory.held(), 60u);
  share.shrink(30);
  share.shrink(50);  // it does not grow
  EXPECT_EQ(memory.held(), 30u);
  EXPECT_NO_THROW(memory.take(70, 0));
  EXPECT_EQ(memory.held(), 30u);
}

TEST(PictureMemory, IsHeldByOneAndGivenBackOnce) {
  PictureMemory memory(100);
  {
    auto first = memory.take(40, 0);
    PictureMemory::Share second = std::move(first);
    EXPECT_EQ(memory.held(), 40u);
    second = memory.take(20, 0);
    EXPECT_EQ(memory.held(), 20u);
    second = PictureMemory::Share();
    EXPECT_EQ(memory.held(), 0u);
    second = memory.take(100, 0);
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
          const auto share = memory.take(40, 0);
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

// Of waiting: longer than any test runs.
constexpr double kHour = 3600;

void wait_for(const PictureMemory& memory, std::size_t waiting) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (memory.waiting() != waiting && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  ASSERT_EQ(memory.waiting(), waiting);
}

TEST(PictureMemory, IsWaitedForInLine) {
  PictureMemory memory(100);
  auto share = memory.take(60, 0);
  std::promise<void> end;
  const std::shared_future<void> ended = end.get_future().share();
  const auto hold = [&](std::uint64_t bytes) {
    const auto taken = memory.take(bytes, kHour);
    ended.wait();
  };
  const auto large = std::async(std::launch::async, hold, 90);
  wait_for(memory, 1);
  const auto small = std::async(std::launch::async, hold, 10);
  wait_for(memory, 2);
  std::string message;
  EXPECT_EQ(error_of([&] { memory.take(30, 0); }, &message), ErrorCode::kBusy);  // would fit, but is not its turn
  EXPECT_NE(message.find("leave 0 of 100"), std::string::npos) << message;
  EXPECT_EQ(memory.held(), 60u);
  share.shrink(0);
  wait_for(memory, 0);
  EXPECT_EQ(memory.held(), 100u);
  end.set_value();
  large.wait(), small.wait();
  EXPECT_EQ(memory.held(), 0u);
}

TEST(PictureMemory, WhoGivesUpLetsThoseBehindGoOn) {
  PictureMemory memory(100);
  const auto share = memory.take(60, 0);
  auto large = std::async(std::launch::async, [&] { return error_of([&] { memory.take(50, 0.2); }); });
  while (memory.waiting() == 0 && large.wait_for(std::chrono::seconds(0)) != std::future_status::ready) std::this_thread::yield();
  EXPECT_NO_THROW(memory.take(40, kHour));
  EXPECT_EQ(memory.held(), 60u);
  EXPECT_EQ(large.get(), ErrorCode::kBusy);
}

TEST(PictureMemory, WhatNeedsMoreThanThereIsHasItAllToItself) {
  PictureMemory memory(100);
  {
    const auto all = memory.take(1000, 0);
    EXPECT_EQ(memory.held(), 100u);
    EXPECT_EQ(error_of([&] { memory.take(1, 0); }), ErrorCode::kBusy);
  }
  EXPECT_EQ(memory.held(), 0u);
  const auto little = memory.take(1, 0);
  EXPECT_EQ(error_of([&] { memory.take(1000, 0); }), ErrorCode::kBusy);
}

TEST(PictureMemory, APictureNeedsMoreThanItsFileSays) {
  EXPECT_EQ(decoding_bytes(64'000'000), 448'000'000u);
  EXPECT_GE(decoding_bytes(UINT64_MAX), decoding_bytes(std::uint64_t{1} << 50));  // no overflow
}

}  // namespace
}  // namespace signet
