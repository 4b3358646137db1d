#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <utility>

#include "encode/encoder_state.h"
#include "signet/base/error.h"

// The design: there are no stages. Every thread takes the next run of images, loads, decodes and encodes them by itself, so no
// thread can starve another and both cores work as long as there are images; while one thread waits for the disk or decodes, the
// others compute. Only the hand-over is in order: a finished block waits on a small shelf until those before it have gone to the
// sink. A thread that is too far ahead of the sink waits, so memory does not grow with the number of images or with a slow sink.
namespace signet {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Block {
  std::vector<std::size_t> indices;
  Outputs outputs;
  std::vector<BulkResult::Skipped> skipped;
};

// Seconds that a thread spent on each thing.
struct Spent {
  double loading = 0, inference = 0, sink = 0;
};

class Bulk {
 public:
  using Load = std::function<Image(std::size_t)>;
  using Sink = std::function<void(std::span<const std::size_t>, const Outputs&)>;

  Bulk(EncoderState& state, std::size_t count, const Load& load, const Sink& sink, const BulkOptions& options,
       const ProgressFn& progress)
      : state_(state),
        count_(count),
        load_(load),
        sink_(sink),
        want_(options.want),
        progress_(progress),
        threads_(state.pool.size()) {
    constexpr std::size_t kBlocksPerThread = 8;  // small collections are still spread over all threads
    block_ = std::clamp(count / (threads_ * kBlocksPerThread), std::size_t{1}, options.block);
    window_ = 2 * threads_ + 1;
  }

  BulkResult run();

 private:
  void work();
  Block make_block(std::size_t begin, std::size_t end, Worker& worker, Spent& spent);
  void load_group(std::size_t begin, std::size_t end, std::vector<Image>& images, Block& block);
  void hand_over(std::size_t number, Block block, Spent& spent);
  void deliver(std::unique_lock<std::mutex>& lock);
  void report_progress(bool last);
  void stop(std::exception_ptr error);

  EncoderState& state_;
  const std::size_t count_;
  const Load& load_;
  const Sink& sink_;
  const unsigned want_;
  const ProgressFn& progress_;
  const std::size_t threads_;
  std::size_t block_ = 1, window_ = 1;
  const Clock::time_point start_ = Clock::now();

  std::atomic<std::size_t> next_block_{0};
  std::atomic<std::size_t> done_{0};
  std::atomic<bool> stopped_{false};

  std::mutex progress_mutex_;
  Clock::time_point last_progress_ = start_;

  std::mutex mutex_;  // of everything below
  std::condition_variable moved_;
  std::map<std::size_t, Block> shelf_;
  std::size_t next_out_ = 0;  // the block that the sink gets next
  bool delivering_ = false;
  std::exception_ptr error_;
  BulkResult result_;
  Spent spent_;
};

void Bulk::stop(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
  stopped_ = true;
  moved_.notify_all();
}

// At most five times a second, by whichever thread comes along; the others do not wait for it.
void Bulk::report_progress(bool last) {
  if (!progress_) return;
  std::unique_lock lock(progress_mutex_, std::defer_lock);
  if (last) {
    lock.lock();
  } else if (!lock.try_lock() || seconds_since(last_progress_) < 0.2) {
    return;
  }
  last_progress_ = Clock::now();
  const std::size_t done = done_;
  const double rate = static_cast<double>(done) / std::max(seconds_since(start_), 1e-9);
  if (!progress_({"encode", done, count_, concat(static_cast<std::uint64_t>(rate), " images/s")}) && !last) {
    fail(ErrorCode::kCancelled, "encoding was stopped after ", done, " of ", count_, " images");
  }
}

// Pictures are brought to the network's small geometry at once, so that only one large picture a thread is in memory. A hash is
// of the whole picture: such a group has one.
void Bulk::load_group(std::size_t begin, std::size_t end, std::vector<Image>& images, Block& block) {
  const Preprocessing& how = state_.model.info.preprocessing;
  images.clear();
  for (std::size_t i = begin; i < end; ++i) {
    try {
      images.push_back(how.descriptor == Descriptor::kHash ? load_(i) : to_input_geometry(load_(i), how));
      block.indices.push_back(i);
    } catch (const Error& e) {
      if (e.code() == ErrorCode::kCancelled || e.code() == ErrorCode::kInternal) throw;
      block.skipped.push_back({i, e.what()});
    }
  }
}

Block Bulk::make_block(std::size_t begin, std::size_t end, Worker& worker, Spent& spent) {
  // Images between two looks at the clock and at whether to go on.
  const std::size_t group = state_.model.info.preprocessing.descriptor == Descriptor::kHash ? 1 : 16;
  Block block;
  block.outputs = state_.make_outputs(end - begin, want_);
  std::vector<Image> images;
  for (std::size_t at = begin; at < end && !stopped_; at += group) {
    const std::size_t group_end = std::min(end, at + group);
    const std::size_t first = block.indices.size();
    const Clock::time_point loading = Clock::now();
    load_group(at, group_end, images, block);
    spent.loading += seconds_since(loading);
    const Clock::time_point inference = Clock::now();
    worker.run(images, block.outputs, first);
    spent.inference += seconds_since(inference);
    done_ += group_end - at;
    report_progress(false);
  }
  const auto shrink = [&](std::vector<float>& values, std::size_t size) {
    if (!values.empty()) values.resize(block.indices.size() * size);
  };
  block.outputs.count = block.indices.size();
  shrink(block.outputs.hash, state_.sizes.hash);
  shrink(block.outputs.features, state_.sizes.features);
  shrink(block.outputs.logits, state_.sizes.logits);
  return block;
}

// Gives the sink all blocks that are next in order. One thread at a time; the lock is not held while the sink works.
void Bulk::deliver(std::unique_lock<std::mutex>& lock) {
  delivering_ = true;
  while (!stopped_) {
    const auto found = shelf_.find(next_out_);
    if (found == shelf_.end()) break;
    Block block = std::move(found->second);
    shelf_.erase(found);
    lock.unlock();
    if (!block.indices.empty()) sink_(block.indices, block.outputs);
    lock.lock();
    ++next_out_;
    result_.encoded += block.indices.size();
    std::move(block.skipped.begin(), block.skipped.end(), std::back_inserter(result_.skipped));
    moved_.notify_all();
  }
  delivering_ = false;
}

void Bulk::hand_over(std::size_t number, Block block, Spent& spent) {
  const Clock::time_point start = Clock::now();
  std::unique_lock lock(mutex_);
  // The thread with the block that is next in order never waits here (window_ >= 1), so there is always one that goes on.
  moved_.wait(lock, [&] { return stopped_ || number < next_out_ + window_; });
  if (stopped_) return;
  shelf_.emplace(number, std::move(block));
  if (!delivering_) deliver(lock);
  spent.sink += seconds_since(start);
}

void Bulk::work() {
  Spent spent;
  try {
    const EncoderState::Lease worker(state_);
    while (!stopped_) {
      const std::size_t number = next_block_++;
      if (number * block_ >= count_) break;
      const std::size_t begin = number * block_;
      hand_over(number, make_block(begin, std::min(count_, begin + block_), *worker, spent), spent);
    }
  } catch (...) {
    stop(std::current_exception());
  }
  const std::lock_guard lock(mutex_);
  spent_.loading += spent.loading;
  spent_.inference += spent.inference;
  spent_.sink += spent.sink;
}

BulkResult Bulk::run() {
  state_.pool.parallel_for(threads_, 1, [this](std::size_t, std::size_t, std::size_t) { work(); });
  if (error_) std::rethrow_exception(error_);
  report_progress(true);
  result_.seconds = seconds_since(start_);
  result_.images_per_second = static_cast<double>(result_.encoded) / std::max(result_.seconds, 1e-9);
  const double most = std::max({spent_.loading, spent_.inference, spent_.sink});
  result_.bottleneck = spent_.inference == most ? "inference" : spent_.loading == most ? "loading" : "sink";
  return std::move(result_);
}

}  // namespace

BulkResult encode_all(const Encoder& encoder, std::size_t count, const std::function<Image(std::size_t)>& load,
                      const std::function<void(std::span<const std::size_t> indices, const Outputs&)>& sink,
                      const BulkOptions& options, const ProgressFn& progress) {
  if (options.block == 0) fail(ErrorCode::kInvalidArgument, "a block of 0 images was asked for, it must be at least 1");
  return Bulk(EncoderAccess::state(encoder), count, load, sink, options, progress).run();
}

}  // namespace signet
