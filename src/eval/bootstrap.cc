#include "signet/eval/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "eval/interval.h"
#include "eval/quantile.h"
#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/eval/compare.h"

namespace signet {
namespace {

void check(std::size_t a, std::size_t b, const BootstrapOptions& o) {
  if (a != b) {
    fail(ErrorCode::kInvalidArgument, "a paired bootstrap needs the same queries on both sides, not ", a, " and ", b);
  }
  if (a < 2) fail(ErrorCode::kInvalidArgument, "a paired bootstrap needs two or more queries, not ", a);
  if (o.rounds < 100 || o.rounds > 10'000'000) {
    fail(ErrorCode::kInvalidArgument, "bootstrap rounds ", o.rounds, " must be 100 to 10000000");
  }
  if (!(o.confidence > 0 && o.confidence < 1)) {
    fail(ErrorCode::kInvalidArgument, "bootstrap confidence ", o.confidence, " must lie between 0 and 1");
  }
}

// Value at `share` of a sorted sample, linearly between neighbours.
double percentile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

// Draws beyond an end of the interval below which their percentile is more the luck of the draws than a property of the method.
constexpr double kFewestInTail = 10;

// Four sums side by side, so that additions need not wait for each other.
double weighted_sum(std::span<const float> values, const std::vector<float>& weights) {
  constexpr std::size_t kLanes = 4;
  double sums[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) sums[lane] += double{values[i + lane]} * double{weights[i + lane]};
  for (; i < values.size(); ++i) sums[0] += double{values[i]} * double{weights[i]};
  return sums[0] + sums[1] + sums[2] + sums[3];
}

}  // namespace

PairedDifference eval::interval_of(double mean, std::vector<double> drawn, double confidence) {
  std::sort(drawn.begin(), drawn.end());
  const double tail = (1 - confidence) / 2;
  PairedDifference result;
  result.mean = mean;
  result.low = percentile(drawn, tail);
  result.high = percentile(drawn, 1 - tail);
  if (tail * static_cast<double>(drawn.size()) < kFewestInTail) {
    const double half = eval::normal_quantile(tail) * spread_of(drawn).deviation;
    result.low = std::min(result.low, mean - half);
    result.high = std::max(result.high, mean + half);
  }
  result.significant = result.low > 0 || result.high < 0;
  return result;
}

PairedDifference paired_bootstrap(std::span<const double> a, std::span<const double> b, const BootstrapOptions& options) {
  check(a.size(), b.size(), options);
  const std::size_t n = a.size();
  std::vector<double> difference(n);
  double whole = 0;
  for (std::size_t i = 0; i < n; ++i) {
    difference[i] = a[i] - b[i];
    if (!std::isfinite(difference[i])) fail(ErrorCode::kInvalidArgument, "query ", i, " has a value that is not finite");
    whole += difference[i] / static_cast<double>(n);
  }
  Random random(options.seed);
  std::vector<double> means(options.rounds);
  for (double& mean : means) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += difference[random.below(n)];
    mean = sum / static_cast<double>(n);
  }
  return eval::interval_of(whole, std::move(means), options.confidence);
}

std::vector<std::vector<float>> resampled_means(std::span<const std::span<const float>> values, const BootstrapOptions& options) {
  if (values.empty()) return {};
  const std::size_t n = values.front().size();
  for (const std::span<const float> one : values) {
    check(one.size(), n, options);
    for (const float v : one)
      if (!std::isfinite(v)) fail(ErrorCode::kInvalidArgument, "a paired bootstrap needs finite values, not ", v);
  }
  std::vector<std::vector<float>> means(values.size(), std::vector<float>(options.rounds));
  Random random(options.seed);
  std::vector<float> times_drawn(n);
  for (std::size_t round = 0; round < options.rounds; ++round) {
    std::fill(times_drawn.begin(), times_drawn.end(), 0.0F);
    for (std::size_t i = 0; i < n; ++i) times_drawn[random.below(n)] += 1;
    for (std::size_t m = 0; m < values.size(); ++m)
      means[m][round] = static_cast<float>(weighted_sum(values[m], times_drawn) / static_cast<double>(n));
  }
  return means;
}

}  // namespace signet
