#include "serve/threads.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "base/test_folder.h"
#include "serve/search_passes.h"
#include "serve/work_queue.h"

namespace signet {
namespace {

// While it lives, new threads ask for so large a stack that the process may have no more than two of them.
class FewThreads {
 public:
  FewThreads() {
    constexpr std::size_t kStack = std::size_t{256} << 20;
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    pthread_getattr_default_np(&before_);
    pthread_attr_t large;
    pthread_attr_init(&large);
    pthread_attr_setstacksize(&large, kStack);
    pthread_setattr_default_np(&large);
    pthread_attr_destroy(&large);
    getrlimit(RLIMIT_AS, &limit_);
    rlimit few = limit_;
    few.rlim_cur = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + 5 * kStack / 2;
    setrlimit(RLIMIT_AS, &few);
  }
  ~FewThreads() {
    setrlimit(RLIMIT_AS, &limit_);
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }
  FewThreads(const FewThreads&) = delete;
  FewThreads& operator=(const FewThreads&) = delete;

 private:
  pthread_attr_t before_{};
  rlimit limit_{};
};

TEST(Threads, ThoseThatWereStartedEndWhereTheNextCannotBe) {
  const FewThreads few;
  std::string message;
  EXPECT_EQ(error_of([] { WorkQueue(8, 1); }, &message), ErrorCode::kIo);
  EXPECT_NE(message.find("ulimit"), std::string::npos) << message;
  EXPECT_EQ(error_of([] { SearchPasses(8, [](std::span<PassQuestion* const>) {}); }), ErrorCode::kIo);
}

}  // namespace
}  // namespace signet
