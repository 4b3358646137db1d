#include "store/lock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/test_folder.h"

namespace signet::store {
namespace {

class LockTest : public TestFolder {};

TEST_F(LockTest, AcknowledgedNumberComesBackAndDamageIsNoEvidence) {
  EXPECT_EQ(read_acknowledged(folder()), 0u);
  EXPECT_EQ(acknowledged_damage(folder()), std::nullopt);
  write_acknowledged(folder(), 77);
  EXPECT_EQ(read_acknowledged(folder()), 77u);
  EXPECT_EQ(acknowledged_damage(folder()), std::nullopt);
  std::string text = get(path("acknowledged"));
  text[8] = static_cast<char>(text[8] ^ 4);
  put(path("acknowledged"), text);
  EXPECT_EQ(read_acknowledged(folder()), 0u);
  EXPECT_NE(acknowledged_damage(folder()), std::nullopt);
  put(path("acknowledged"), text.substr(0, 10));  // a writer died while replacing it
  EXPECT_EQ(acknowledged_damage(folder()), std::nullopt);
}

// The file is written over by every commit while readers look at it.
TEST_F(LockTest, AcknowledgedNumberIsReadWhileItIsReplaced) {
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint64_t commit = 1; commit <= 3000; ++commit) write_acknowledged(folder(), commit);
    done = true;
  });
  std::uint64_t newest = 0;
  while (!done) {
    const std::uint64_t commit = read_acknowledged(folder());
    EXPECT_TRUE(commit == 0 || commit >= newest) << commit << " after " << newest;
    if (commit != 0) newest = commit;
  }
  writer.join();
  EXPECT_EQ(read_acknowledged(folder()), 3000u);
}

TEST_F(LockTest, OneHolderAtATime) {
  {
    const WriterLock lock(folder());
    EXPECT_EQ(error_of([&] { WriterLock second(folder()); }), ErrorCode::kBusy);
    EXPECT_EQ(lock_damage(folder()), std::nullopt);
  }
  const WriterLock again(folder());
  put(path("lock"), "somebody else's file");
  EXPECT_NE(lock_damage(folder()), std::nullopt);
  put(path("lock"), "");
  EXPECT_EQ(lock_damage(folder()), std::nullopt);
}

}  // namespace
}  // namespace signet::store
