#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/plan_record.h"

namespace signet {

// What a search asks, as far as its cost depends on it.
struct Question {
  std::size_t k = 0;
  std::uint32_t radius = 0;  // effective
  double share = 1;          // of the codes that the filter allows
  std::size_t queries = 1, threads = 1;
};

// Chooses a kind by look-up in what was measured when the index was built: an answer can take two microseconds, and a choice must
// not be felt beside it. Immutable.
class Planner {
 public:
  Planner(const PlanRecord& record, std::size_t count, std::uint32_t largest_distance);
  Kind choose(const Question& question) const noexcept;
  // ns a query; infinite for a kind that is not there, or where nothing is known about such a question.
  double estimate(Kind kind, const Question& question) const noexcept;

 private:
  struct Costs {
    bool there = false;
    std::vector<double> by_k, by_radius;  // [step(k)], [radius]
    double alone = 0;
  };
  Kind weigh(const Question& question) const noexcept;
  // Steps of k: each of the first eight, then four an octave.
  static std::size_t step(std::uint64_t k) noexcept;
  static double k_of(std::size_t step) noexcept;
  double hits_within(std::uint32_t radius) const noexcept {
    return within_[radius < within_.size() ? radius : within_.size() - 1];
  }

  double count_;
  std::array<Costs, kKinds> kinds_;
  // The choice for the commonest questions: k alone, no radius, no filter, one thread; one query, or many.
  std::vector<Kind> one_, many_;  // [step(k)]
  std::vector<double> within_;    // [radius]: expected hits
};

}  // namespace signet
