#include "eval/average_precision.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "signet/base/error.h"

namespace signet {
namespace eval {
namespace {

// Euler-Maclaurin: H(m) = ln m + gamma + 1/2m - 1/12m^2 + 1/120m^4 - 1/252m^6 + ...; the first term left out is below 1e-16 from
// m = 64 on.
double harmonic_tail(double m) noexcept {
  const double s = 1 / (m * m);
  return 0.5 / m - s * (1.0 / 12 - s * (1.0 / 120 - s * (1.0 / 252)));
}

// sum over j = 1..count of (relevant_before + j) / (before + j): `count` relevant items in a row. Each term is
// 1 - (before - relevant_before) / (before + j).
double run_of_relevant(std::uint64_t before, std::uint64_t relevant_before, std::uint64_t count) noexcept {
  return static_cast<double>(count) - static_cast<double>(before - relevant_before) * harmonic_difference(before, count);
}

}  // namespace

double harmonic_difference(std::uint64_t first, std::uint64_t count) noexcept {
  constexpr std::uint64_t kDirect = 64;
  double sum = 0;
  // Directly while terms are few or large; then by the series, whose relative error does not grow with `first` as that of H(b) -
  // H(a) would.
  const std::uint64_t direct = count <= 16 ? count : first < kDirect ? std::min(count, kDirect - first) : 0;
  for (std::uint64_t i = direct; i > 0; --i) sum += 1 / static_cast<double>(first + i);
  if (direct == count) return sum;
  const double a = static_cast<double>(first + direct), b = static_cast<double>(first + count);
  return sum + (std::log1p((b - a) / a) + (harmonic_tail(b) - harmonic_tail(a)));
}

void PrecisionSum::add_group(std::uint64_t items, std::uint64_t relevant) noexcept {
  const std::uint64_t room = cutoff_ > before_ ? cutoff_ - before_ : 0;
  if (relevant > 0 && room > 0) {
    const std::uint64_t ranks = std::min(items, room);
    // Expected: rank before + t holds a relevant item with probability r / n, and given that, (t - 1)(r - 1) / (n - 1) of the t -
    // 1 earlier ranks of the group do. With s = (r - 1) / (n - 1) and sum over t of (t - 1) / (N + t) = ranks - (N + 1) dH:
    const double share = static_cast<double>(relevant) / static_cast<double>(items);
    const double s = items > 1 ? static_cast<double>(relevant - 1) / static_cast<double>(items - 1) : 0;
    const double dh = harmonic_difference(before_, ranks);
    const double slope = static_cast<double>(ranks) - static_cast<double>(before_ + 1) * dh;
    sum_.expected += share * (static_cast<double>(relevant_before_ + 1) * dh + s * slope);
    sum_.optimistic += run_of_relevant(before_, relevant_before_, std::min(relevant, room));
    const std::uint64_t others = items - relevant;
    if (room > others) sum_.pessimistic += run_of_relevant(before_ + others, relevant_before_, std::min(relevant, room - others));
  }
  before_ += items;
  relevant_before_ += relevant;
}

AveragePrecision PrecisionSum::over(std::uint64_t total_relevant) const noexcept {
  const std::uint64_t divisor = std::min(cutoff_, total_relevant);
  if (divisor == 0) return {};
  const double d = static_cast<double>(divisor);
  return {sum_.expected / d, sum_.optimistic / d, sum_.pessimistic / d};
}

}  // namespace eval

AveragePrecision average_precision(std::span<const std::uint64_t> items, std::span<const std::uint64_t> relevant,
                                   std::size_t cutoff) {
  if (items.size() != relevant.size()) {
    fail(ErrorCode::kInvalidArgument, "a histogram of ", items.size(), " distances needs as many relevant counts, not ",
         relevant.size());
  }
  eval::PrecisionSum sum(cutoff == 0 ? std::numeric_limits<std::uint64_t>::max() : cutoff);
  std::uint64_t total = 0;
  for (std::size_t d = 0; d < items.size(); ++d) {
    if (relevant[d] > items[d]) {
      fail(ErrorCode::kInvalidArgument, "distance ", d, " has ", relevant[d], " relevant items but only ", items[d], " items");
    }
    sum.add_group(items[d], relevant[d]);
    total += relevant[d];
  }
  return sum.over(total);
}

}  // namespace signet
