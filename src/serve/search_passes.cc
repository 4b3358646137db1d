#include "serve/search_passes.h"

#include <algorithm>
#include <utility>

#include "serve/threads.h"

namespace signet {

bool may_share_pass(const PassQuestion& a, const PassQuestion& b) {
  return a.now == b.now && a.options.k == b.options.k && a.options.radius == b.options.radius && a.options.filter == nullptr &&
         b.options.filter == nullptr;
}

SearchPasses::SearchPasses(std::size_t at_once, Answer answer) : answer_(std::move(answer)), at_once_(at_once) {
  try {
    for (std::size_t i = 0; i < at_once; ++i) threads_.push_back(start_thread([this] { run(); }));
  } catch (...) {
    stop();
    throw;
  }
}

SearchPasses::~SearchPasses() { stop(); }

void SearchPasses::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void SearchPasses::ask(std::unique_ptr<PassQuestion> question) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(question));
  }
  changed_.notify_one();
}

std::size_t SearchPasses::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void SearchPasses::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Pass pass = gather();
    lock.unlock();
    make(std::move(pass));
    lock.lock();
  }
}

// The first that waits and those that can share with it. A pass takes its share, not all: the passes beside it end soon and want
// some too.
SearchPasses::Pass SearchPasses::gather() noexcept {
  const std::size_t most = std::min(kMostQuestions, (waiting_.size() + at_once_ - 1) / at_once_);
  Pass pass;
  for (auto at = waiting_.begin(); at != waiting_.end() && pass.size < most;) {
    if (pass.size == 0 || may_share_pass(*pass.questions[0], **at)) {
      pass.questions[pass.size++] = std::move(*at);
      at = waiting_.erase(at);
    } else {
      ++at;
    }
  }
  return pass;
}

void SearchPasses::make(Pass pass) const noexcept {
  std::array<PassQuestion*, kMostQuestions> questions{};
  for (std::size_t i = 0; i < pass.size; ++i) questions[i] = pass.questions[i].get();
  answer({questions.data(), pass.size});
  for (std::size_t i = 0; i < pass.size; ++i) {
    pass.questions[i]->answered(*pass.questions[i]);
    pass.questions[i].reset();
  }
}

void SearchPasses::answer(std::span<PassQuestion* const> questions) const noexcept {
  try {
    answer_(questions);
    for (PassQuestion* question : questions) question->questions = questions.size();
  } catch (...) {
    if (questions.size() == 1) {
      questions.front()->error = std::current_exception();
    } else {
      for (PassQuestion* const& question : questions) answer({&question, 1});
    }
  }
}

}  // namespace signet
