#include "index/planner.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "index/query_run.h"

namespace signet {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kHitNs = 6;     // sorting a hit and handing it over
constexpr double kGatherNs = 3;  // a code that the filter names, where few are allowed
constexpr std::size_t kSingles = 8, kPerOctave = 4, kSteps = kSingles + kPerOctave * 45;

}  // namespace

std::size_t Planner::step(std::uint64_t k) noexcept {
  if (k < kSingles) return static_cast<std::size_t>(k);
  const auto octave = static_cast<std::size_t>(std::bit_width(k)) - 4;  // 8 to 15 is the first
  return std::min<std::size_t>(kSteps - 1, kSingles + kPerOctave * octave + ((k >> (octave + 1)) & 3));
}

double Planner::k_of(std::size_t step) noexcept {
  if (step < kSingles) return static_cast<double>(step);
  const std::size_t octave = (step - kSingles) / kPerOctave, quarter = (step - kSingles) % kPerOctave;
  return static_cast<double>((2 * kSingles + 4 * quarter + 2) << octave) / 2;  // the middle of the step
}

Planner::Planner(const PlanRecord& record, std::size_t count, std::uint32_t largest_distance)
    : count_(static_cast<double>(count)), within_(std::size_t{largest_distance} + 1) {
  for (std::size_t d = 0; d < within_.size() && !record.within.empty(); ++d)
    within_[d] = record.within[std::min(d, record.within.size() - 1)] * count_;
  for (std::size_t i = 0; i < kKinds; ++i) {
    if (!record.kinds[i]) continue;
    const KindCosts& measured = *record.kinds[i];
    Costs& costs = kinds_[i];
    costs.there = true;
    costs.alone = measured.alone_ns;
    // Beyond what was measured only the scan's cost is known to go on as it did.
    const double last = i == 0 ? kInfinite : measured.k.points.empty() ? 0 : 2 * measured.k.points.back().at;
    for (std::size_t s = 0; s < kSteps; ++s) {
      const double k = std::max(1.0, k_of(s));
      costs.by_k.push_back(k > last ? kInfinite : measured.k.for_k(k));
    }
    for (std::uint32_t r = 0; r <= largest_distance; ++r) costs.by_radius.push_back(measured.radius.for_radius(r));
  }
  for (std::size_t s = 0; s < kSteps; ++s) {
    const auto k = static_cast<std::size_t>(k_of(s));
    one_.push_back(weigh({k, largest_distance, 1, 1, 1}));
    many_.push_back(weigh({k, largest_distance, 1, 64, 1}));
  }
}

double Planner::estimate(Kind kind, const Question& question) const noexcept {
  const Costs& costs = kinds_[static_cast<std::size_t>(kind)];
  if (!costs.there) return kInfinite;
  const double together = static_cast<double>(std::clamp<std::size_t>(question.queries, 1, 64));
  const double threads = static_cast<double>(std::max<std::size_t>(question.threads, 1));
  const double radius_ns = question.radius < costs.by_radius.size() ? costs.by_radius[question.radius] : kInfinite;
  const double alone = costs.alone / together;
  if (kind != Kind::kFlat) {
    // With a filter, as many more have to be met; and each query has one thread, which it may share with others.
    const double wanted = static_cast<double>(question.k) / std::max(question.share, 1e-9);
    const double k_ns = wanted > count_ ? kInfinite : costs.by_k[step(static_cast<std::uint64_t>(wanted))];
    const std::size_t pieces =
        kind == Kind::kTable ? table_pieces(question.queries) : search_pieces(question.queries, static_cast<std::size_t>(count_));
    return (std::min(k_ns, radius_ns) + alone) / std::clamp(static_cast<double>(pieces), 1.0, threads);
  }
  const double hits = std::min({static_cast<double>(question.k), hits_within(question.radius) * question.share, count_});
  if (question.share < 1.0 / 16) return (count_ * question.share * kGatherNs + count_ / 64 + hits * kHitNs) / threads;
  const double known = std::min(costs.by_k[step(static_cast<std::uint64_t>(hits))], radius_ns);
  return (known + alone) / threads;
}

Kind Planner::choose(const Question& question) const noexcept {
  if (question.radius + 1 >= within_.size() && question.share >= 1 && question.threads == 1) {
    if (question.queries == 1) return one_[step(question.k)];
    if (question.queries >= 64) return many_[step(question.k)];
  }
  return weigh(question);
}

Kind Planner::weigh(const Question& question) const noexcept {
  Kind best = Kind::kFlat;
  double least = estimate(best, question);
  for (const Kind kind : {Kind::kTable, Kind::kMih, Kind::kPivot}) {
    const double ns = estimate(kind, question);
    if (ns < least) {
      best = kind;
      least = ns;
    }
  }
  return best;
}

}  // namespace signet
