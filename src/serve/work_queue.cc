#include "serve/work_queue.h"

#include <new>
#include <utility>

#include "serve/threads.h"

namespace signet {

WorkQueue::WorkQueue(std::size_t threads, std::size_t most_waiting)
    : at_once_(threads), most_waiting_(most_waiting), free_(threads) {
  try {
    for (std::size_t i = 0; i < threads; ++i) threads_.push_back(start_thread([this] { run(); }));
  } catch (...) {
    finish();
    throw;
  }
}

WorkQueue::~WorkQueue() { finish(); }

bool WorkQueue::push(std::function<void()> task, Ends ends) {
  {
    const std::lock_guard lock(mutex_);
    // A task that a thread is about to take does not wait.
    if (finished_ || tasks_.size() >= most_waiting_ + free_) return false;
    try {
      tasks_.push_back({std::move(task), ends});
    } catch (const std::bad_alloc&) {
      return false;
    }
  }
  changed_.notify_one();
  return true;
}

void WorkQueue::ended() {
  const std::lock_guard lock(mutex_);
  ++free_;
  // Under the lock: finish() may wait for this very end, and then the queue goes.
  if (finished_) {
    changed_.notify_all();
  } else if (!tasks_.empty()) {
    changed_.notify_one();
  }
}

std::size_t WorkQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return tasks_.size();
}

void WorkQueue::finish() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void WorkQueue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return tasks_.empty() ? finished_ && free_ == at_once_ : free_ > 0; });
    if (tasks_.empty()) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    --free_;
    lock.unlock();
    task.work();
    if (task.ends == Ends::kWithReturn) ended();
    lock.lock();
  }
}

}  // namespace signet
