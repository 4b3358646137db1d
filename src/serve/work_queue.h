#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace signet {

// Threads that work off a queue of bounded length, in order. Tasks must not throw. At most `threads` tasks are under way at once,
// whether a thread is busy with them or they have left their end to another one.
class WorkQueue {
 public:
  enum class Ends { kWithReturn, kLater };  // kLater: where somebody calls ended(), once
  WorkQueue(std::size_t threads, std::size_t most_waiting);
  ~WorkQueue();  // finish()
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  // False where too many wait, where there is no memory for one more, and after finish().
  bool push(std::function<void()> task, Ends ends = Ends::kWithReturn);
  void ended();
  std::size_t waiting() const;
  void finish();  // works off what waits, waits for the ends, then ends the threads

 private:
  void run();

  struct Task {
    std::function<void()> work;
    Ends ends;
  };
  const std::size_t at_once_, most_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::size_t free_ = 0;  // so many more may be under way
  bool finished_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace signet
