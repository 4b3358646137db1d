#include "signet/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/test_folder.h"

namespace signet {
namespace {

class ThreadPoolOf : public testing::TestWithParam<std::size_t> {};

TEST_P(ThreadPoolOf, CoversEveryItemOnce) {
  ThreadPool pool(GetParam());
  for (const std::size_t count : {0U, 1U, 2U, 7U, 1000U}) {
    for (const std::size_t grain : {0U, 1U, 3U, 1000U, 5000U}) {
      std::vector<std::atomic<int>> seen(count);
      pool.parallel_for(count, grain, [&](std::size_t begin, std::size_t end, std::size_t worker) {
        EXPECT_LT(begin, end);
        EXPECT_LT(worker, pool.size());
        EXPECT_LE(end - begin, grain == 0 ? count : grain);
        for (std::size_t i = begin; i < end; ++i) ++seen[i];
      });
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(seen[i], 1) << i << " of " << count << ", grain " << grain;
    }
  }
}

TEST_P(ThreadPoolOf, NoWorkerIsInTwoPlacesAtOnce) {
  ThreadPool pool(GetParam());
  std::vector<std::atomic<int>> inside(pool.size());
  pool.parallel_for(300, 1, [&](std::size_t, std::size_t, std::size_t worker) {
    EXPECT_EQ(inside[worker].fetch_add(1), 0);
    std::this_thread::yield();
    inside[worker].fetch_sub(1);
  });
}

TEST_P(ThreadPoolOf, FirstExceptionComesBackAndThePoolLives) {
  ThreadPool pool(GetParam());
  std::atomic<std::size_t> started{0};
  const auto body = [&](std::size_t begin, std::size_t, std::size_t) {
    ++started;
    if (begin == 3) throw std::runtime_error("three");
  };
  EXPECT_THROW(pool.parallel_for(100000, 1, body), std::runtime_error);
  EXPECT_LT(started, 100000U);  // ranges not begun are dropped
  std::atomic<std::size_t> sum{0};
  pool.parallel_for(10, 1, [&](std::size_t begin, std::size_t, std::size_t) { sum += begin; });
  EXPECT_EQ(sum, 45U);
}

TEST_P(ThreadPoolOf, ManyCallersAtOnce) {
  ThreadPool pool(GetParam());
  std::vector<std::thread> callers;
  std::vector<std::size_t> sums(8);
  for (std::size_t caller = 0; caller < sums.size(); ++caller) {
    callers.emplace_back([&pool, &sum = sums[caller]] {
      std::vector<std::size_t> parts(pool.size());
      for (int round = 0; round < 20; ++round) {
        pool.parallel_for(100, 7, [&](std::size_t begin, std::size_t end, std::size_t worker) {
          for (std::size_t i = begin; i < end; ++i) parts[worker] += i;
        });
      }
      for (const std::size_t part : parts) sum += part;
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const std::size_t sum : sums) EXPECT_EQ(sum, 20U * 4950U);
}

INSTANTIATE_TEST_SUITE_P(Sizes, ThreadPoolOf, testing::Values(1, 2, 5));

TEST(ThreadPool, OneThreadIsTheCaller) {
  ThreadPool pool(1);
  EXPECT_EQ(pool.size(), 1U);
  pool.parallel_for(10, 1, [self = std::this_thread::get_id()](std::size_t, std::size_t, std::size_t worker) {
    EXPECT_EQ(std::this_thread::get_id(), self);
    EXPECT_EQ(worker, 0U);
  });
}

TEST(ThreadPool, AnAbsurdNumberIsRefused) {
  EXPECT_EQ(error_of([] { ThreadPool(1025); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([] { ThreadPool(static_cast<std::size_t>(-1)); }), ErrorCode::kInvalidArgument);
}

TEST(ThreadPool, ZeroMeansTheCpusOfThisProcess) {
  EXPECT_GE(available_cpus(), 1U);
  EXPECT_EQ(ThreadPool(0).size(), available_cpus());
}

}  // namespace
}  // namespace signet
