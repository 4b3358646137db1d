#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace signet {

// Threads that work off a queue of bounded length, in order. Tasks must not throw.
class WorkQueue {
 public:
  WorkQueue(std::size_t threads, std::size_t most_waiting);
  ~WorkQueue();  // finish()
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  bool push(std::function<void()> task);  // false where too many wait, or after finish()
  std::size_t waiting() const;
  void finish();  // works off what waits, then ends the threads

 private:
  void run();

  const std::size_t most_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::size_t idle_ = 0;  // threads without a task
  bool finished_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace signet
