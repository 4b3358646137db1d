#include "signet/base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "signet/base/error.h"

namespace signet {
namespace {

using Body = std::function<void(std::size_t, std::size_t, std::size_t)>;

// One parallel_for under way. All members are guarded by the pool's mutex: a range is long enough (grain) to make the lock cheap.
struct Job {
  const Body& body;
  std::size_t count;
  std::size_t grain;
  std::size_t next = 0;     // first item not handed out
  std::size_t running = 0;  // ranges handed out and not ended
  std::exception_ptr error;
  std::condition_variable idle;  // running fell to zero with nothing left to hand out
};

}  // namespace

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable work;
  std::deque<Job*> jobs;  // those with items not handed out
  bool stopping = false;
  std::vector<std::thread> threads;

  // Takes and runs one range of the job; called and left with the lock held.
  void run_range(Job& job, std::size_t worker, std::unique_lock<std::mutex>& lock) {
    const std::size_t begin = job.next;
    const std::size_t end = begin + std::min(job.grain, job.count - begin);
    job.next = end;
    if (end == job.count) drop(job);
    ++job.running;
    lock.unlock();
    std::exception_ptr error;
    try {
      job.body(begin, end, worker);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error && !job.error) {
      job.error = error;
      job.next = job.count;
      drop(job);
    }
    if (--job.running == 0 && job.next == job.count) job.idle.notify_all();
  }

  void drop(Job& job) { std::erase(jobs, &job); }

  void serve(std::size_t worker) {
    std::unique_lock lock(mutex);
    for (;;) {
      work.wait(lock, [this] { return stopping || !jobs.empty(); });
      if (stopping) return;
      run_range(*jobs.front(), worker, lock);
    }
  }

  void stop() noexcept {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    work.notify_all();
    for (std::thread& thread : threads) thread.join();
  }
};

ThreadPool::ThreadPool(std::size_t threads) : state_(std::make_unique<State>()) {
  constexpr std::size_t kMost = 1024;
  if (threads > kMost) fail(ErrorCode::kInvalidArgument, threads, " threads; a pool has 1 to ", kMost, ", or 0 for one per CPU");
  const std::size_t total = threads == 0 ? available_cpus() : threads;
  try {
    for (std::size_t worker = 1; worker < total; ++worker) {
      state_->threads.emplace_back([state = state_.get(), worker] { state->serve(worker); });
    }
  } catch (const std::system_error& error) {  // no more threads: those that started must end before the state goes
    state_->stop();
    fail(ErrorCode::kIo, "cannot start ", total, " threads: ", error.what());
  }
}

ThreadPool::~ThreadPool() { state_->stop(); }

std::size_t ThreadPool::size() const noexcept { return state_->threads.size() + 1; }

void ThreadPool::parallel_for(std::size_t count, std::size_t grain, const Body& body) {
  if (count == 0) return;
  if (grain == 0) grain = std::max<std::size_t>(1, count / (8 * size()));
  Job job{.body = body, .count = count, .grain = grain, .error = nullptr, .idle = {}};
  std::unique_lock lock(state_->mutex);
  if (size() > 1 && count > grain) {
    state_->jobs.push_back(&job);
    state_->work.notify_all();
  }
  while (job.next < job.count) state_->run_range(job, 0, lock);
  job.idle.wait(lock, [&job] { return job.running == 0; });
  if (job.error) std::rethrow_exception(job.error);
}

std::size_t available_cpus() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<std::size_t>(std::max(1, CPU_COUNT(&set)));
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace signet
