#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "serve/live_collection.h"
#include "serve/picture_memory.h"
#include "signet/code/code_matrix.h"
#include "signet/index/index.h"

namespace signet {

// What one request wants of the encoder and of the codes, and what they say.
struct PassQuestion {
  std::optional<DecodedPicture> picture;       // encoded first, where there is one, and gone then
  CodeMatrix code{0, 1};                       // one code to look for; a picture's own, once it is encoded
  std::shared_ptr<const CollectionState> now;  // where to look; null: the picture is encoded and that is all
  SearchOptions options;
  std::vector<std::uint64_t> words;  // what options.filter points to, where it does
  IdFilter filter;
  std::function<void(PassQuestion&)> answered;  // called once, by the thread that made the pass; must not throw

  std::vector<float> outputs;  // of the picture, before the sign
  std::vector<Hit> hits;
  SearchStats stats;          // of the whole pass ...
  std::size_t questions = 1;  // ... which answered so many
  std::exception_ptr error;   // instead of an answer; null: there is one
};

// Whether one pass can answer both: the same state with the same options, and no filter, which would make the others read more.
bool may_share_pass(const PassQuestion& a, const PassQuestion& b);

// Answers questions in passes, each made by one of `at_once` threads. What comes while all of them are busy waits, in order, and
// is then answered together: scanning costs less for several than for each alone, and no thread is woken for each, so throughput
// grows with the load, and where nothing waits nothing is held back.
class SearchPasses {
 public:
  static constexpr std::size_t kMostQuestions = 16;  // of one pass
  // Fills in the answers of all questions (at least one), or throws and leaves what was asked as it was, but for pictures that
  // have become codes. What it throws becomes the question's error; where it was asked several together, each is asked alone
  // first, so that none suffers from another.
  using Answer = std::function<void(std::span<PassQuestion* const> questions)>;
  SearchPasses(std::size_t at_once, Answer answer);
  ~SearchPasses();  // answers what waits; nobody may be asking any more
  SearchPasses(const SearchPasses&) = delete;
  SearchPasses& operator=(const SearchPasses&) = delete;
  void ask(std::unique_ptr<PassQuestion> question);  // safe from many threads; who asks bounds how many wait
  std::size_t waiting() const;

 private:
  struct Pass {  // without memory of its own to ask for: a pass that has begun must end
    std::array<std::unique_ptr<PassQuestion>, kMostQuestions> questions;
    std::size_t size = 0;
  };
  void run();
  void stop();
  Pass gather() noexcept;
  void make(Pass pass) const noexcept;
  void answer(std::span<PassQuestion* const> questions) const noexcept;

  const Answer answer_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<PassQuestion>> waiting_;
  bool stopped_ = false;
  const std::size_t at_once_;
  std::vector<std::thread> threads_;
};

}  // namespace signet
