#include "signet/eval/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "signet/base/error.h"
#include "signet/base/random.h"

namespace signet {
namespace {

void check(std::span<const double> a, std::span<const double> b, const BootstrapOptions& o) {
  if (a.size() != b.size()) {
    fail(ErrorCode::kInvalidArgument, "a paired bootstrap needs the same queries on both sides, not ", a.size(), " and ",
         b.size());
  }
  if (a.size() < 2) fail(ErrorCode::kInvalidArgument, "a paired bootstrap needs two or more queries, not ", a.size());
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

}  // namespace

PairedDifference paired_bootstrap(std::span<const double> a, std::span<const double> b, const BootstrapOptions& options) {
  check(a, b, options);
  const std::size_t n = a.size();
  std::vector<double> difference(n);
  PairedDifference result;
  for (std::size_t i = 0; i < n; ++i) {
    difference[i] = a[i] - b[i];
    if (!std::isfinite(difference[i])) fail(ErrorCode::kInvalidArgument, "query ", i, " has a value that is not finite");
    result.mean += difference[i] / static_cast<double>(n);
  }
  Random random(options.seed);
  std::vector<double> means(options.rounds);
  for (double& mean : means) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += difference[random.below(n)];
    mean = sum / static_cast<double>(n);
  }
  std::sort(means.begin(), means.end());
  result.low = percentile(means, (1 - options.confidence) / 2);
  result.high = percentile(means, (1 + options.confidence) / 2);
  result.significant = result.low > 0 || result.high < 0;
  return result;
}

}  // namespace signet
