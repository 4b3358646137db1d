#include "serve/search_passes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "serve/test_service.h"

namespace signet {
namespace {

// Passes that do not end until let(): what is asked meanwhile has to wait. The hit's id is k, so that an answer that went
// to another question is seen.
class SearchPassesTest : public testing::Test {
 protected:
  void open(std::size_t at_once) {
    passes_ = std::make_unique<SearchPasses>(at_once, [this](std::span<PassQuestion* const> questions) { answer(questions); });
  }
  ~SearchPassesTest() override {
    let();
    passes_.reset();
  }
  void answer(std::span<PassQuestion* const> questions) {
    {
      std::unique_lock lock(mutex_);
      sizes_.push_back(questions.size());
      changed_.notify_all();
      changed_.wait(lock, [this] { return let_ > 0; });
      --let_;
    }
    for (PassQuestion* question : questions) {
      if (question->options.k == kRefused) throw std::runtime_error("refused");
      question->hits = {{question->options.k, 0}};
    }
  }
  void ask(std::size_t k, std::optional<std::uint32_t> radius = {}) {
    auto question = std::make_unique<PassQuestion>();
    question->options.k = k;
    question->options.radius = radius;
    Heard& heard = heard_.emplace_back();
    question->answered = [this, &heard](PassQuestion& answered) {
      const std::lock_guard lock(mutex_);
      heard = {answered.hits.empty() ? 0 : answered.hits.front().id, answered.questions, answered.error != nullptr, true};
      changed_.notify_all();
    };
    passes_->ask(std::move(question));
  }
  // Asks until every thread is busy with a pass of one.
  void fill(std::size_t at_once, std::size_t k) {
    for (std::size_t i = 0; i < at_once; ++i) {
      ask(k);
      eventually([&] { return begun() == i + 1; }, "the question is taken");
    }
  }
  std::size_t begun() {
    const std::lock_guard lock(mutex_);
    return sizes_.size();
  }
  void let(std::size_t passes = 1000) {
    const std::lock_guard lock(mutex_);
    let_ = passes;
    changed_.notify_all();
  }
  void finish() {
    let();
    std::unique_lock lock(mutex_);
    changed_.wait(lock,
                  [this] { return std::all_of(heard_.begin(), heard_.end(), [](const Heard& heard) { return heard.is; }); });
  }
  struct Heard {
    std::uint64_t id = 0;
    std::size_t questions = 0;
    bool error = false, is = false;
  };

  static constexpr std::size_t kRefused = 666;
  std::unique_ptr<SearchPasses> passes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t let_ = 0;             // so many passes may end
  std::vector<std::size_t> sizes_;  // of the passes, in the order of their beginning
  std::deque<Heard> heard_;         // of the questions, in the order of asking
};

TEST_F(SearchPassesTest, WhatWaitsIsAnsweredTogether) {
  open(1);
  fill(1, 7);
  for (int i = 0; i < 4; ++i) ask(7);
  EXPECT_EQ(sizes_, std::vector<std::size_t>{1});  // the first waited for nobody
  EXPECT_EQ(passes_->waiting(), 4u);
  finish();
  EXPECT_EQ(sizes_, (std::vector<std::size_t>{1, 4}));
  EXPECT_EQ(heard_.front().questions, 1u);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_EQ(heard_[i].questions, 4u);
  for (const Heard& heard : heard_) EXPECT_EQ(heard.id, 7u);
}

TEST_F(SearchPassesTest, AtMostSoManyAtOnceAndEachTakesItsShare) {
  open(2);
  fill(2, 7);
  for (int i = 0; i < 6; ++i) ask(7);
  EXPECT_EQ(sizes_, (std::vector<std::size_t>{1, 1}));
  let(1);
  eventually([&] { return begun() == 3; }, "the place is taken");
  EXPECT_EQ(sizes_[2], 3u);  // half of the six that wait
  let(1);
  eventually([&] { return begun() == 4; }, "the place is taken");
  EXPECT_EQ(sizes_[3], 2u);  // half of three, rounded up
}

TEST_F(SearchPassesTest, OnlyTheSameOptionsShareAPass) {
  open(1);
  fill(1, 7);
  ask(8);
  ask(7, 3);
  ask(8);
  ask(7, 3);
  finish();
  EXPECT_EQ(sizes_, (std::vector<std::size_t>{1, 2, 2}));
  const std::size_t expected[] = {7, 8, 7, 8, 7};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(heard_[i].id, expected[i]);
}

TEST_F(SearchPassesTest, APassHasAMostOfQuestions) {
  open(1);
  fill(1, 7);
  for (std::size_t i = 0; i < SearchPasses::kMostQuestions + 1; ++i) ask(7);
  finish();
  EXPECT_EQ(sizes_, (std::vector<std::size_t>{1, SearchPasses::kMostQuestions, 1}));
}

TEST_F(SearchPassesTest, AFilterIsNotShared) {
  PassQuestion plain, filtered;
  const IdFilter filter;
  EXPECT_TRUE(may_share_pass(plain, plain));
  filtered.options.filter = &filter;
  EXPECT_FALSE(may_share_pass(plain, filtered));
  EXPECT_FALSE(may_share_pass(filtered, filtered));
}

TEST_F(SearchPassesTest, AnErrorIsItsOwnQuestionsAlone) {
  open(1);
  fill(1, kRefused);
  ask(kRefused);
  ask(kRefused);
  finish();
  EXPECT_EQ(sizes_, (std::vector<std::size_t>{1, 2, 1, 1}));  // the two together, then each alone
  for (const Heard& heard : heard_) EXPECT_TRUE(heard.error);
  ask(7);  // the places are not lost
  finish();
  EXPECT_EQ(heard_.back().id, 7u);
}

}  // namespace
}  // namespace signet
