#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace signet {

// A fixed set of worker threads. parallel_for may be called from many threads at once, but not from inside a task of the same
// pool.
class ThreadPool {
 public:
  // 0 means one per available CPU; 1 runs everything in the caller. Throws kInvalidArgument above 1024, kIo where the system
  // refuses.
  explicit ThreadPool(std::size_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  std::size_t size() const noexcept;  // threads that work on a parallel_for, the caller included

  // Calls body(begin, end, worker) for disjoint ranges that cover [0, count), at most `grain` items a range (0: chosen), worker
  // in [0, size()), no two calls of one parallel_for with the same worker at once. Returns when all are done. The first exception
  // of a body is rethrown here after the ranges under way have ended; ranges not begun are dropped.
  void parallel_for(std::size_t count, std::size_t grain,
                    const std::function<void(std::size_t begin, std::size_t end, std::size_t worker)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// CPUs that this process may use (sched_getaffinity), at least 1.
std::size_t available_cpus() noexcept;

}  // namespace signet
