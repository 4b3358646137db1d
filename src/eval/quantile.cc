#include "eval/quantile.h"

#include <cmath>
#include <numbers>

namespace signet::eval {
namespace {

// Beyond this many degrees of freedom Student's quantiles are the normal ones to 1e-4 of their value.
constexpr double kAsGoodAsNormal = 1e5;

// The value of a falling function's argument at which it is `wanted`: `high` is beyond it.
template <typename Tail>
double where(const Tail& tail_above, double wanted, double high) {
  double low = 0;
  for (int i = 0; i < 80; ++i) {
    const double middle = (low + high) / 2;
    (tail_above(middle) > wanted ? low : high) = middle;
  }
  return (low + high) / 2;
}

// Integral of cos^(freedom - 1) from `from` to pi / 2 by Simpson's rule. What lies 40 widths 1 / sqrt(freedom) on is nothing.
double cosine_integral(double from, double freedom) {
  constexpr int kPieces = 512;
  const double to = std::fmin(std::numbers::pi / 2, from + 40 / std::sqrt(freedom)), step = (to - from) / kPieces;
  double sum = 0;
  for (int i = 0; i <= kPieces; ++i) {
    const double weight = i == 0 || i == kPieces ? 1 : i % 2 == 1 ? 4 : 2;
    sum += weight * std::pow(std::fmax(0.0, std::cos(from + step * i)), freedom - 1);
  }
  return sum * step / 3;
}

}  // namespace

double normal_quantile(double tail) {
  return where([](double z) { return std::erfc(z / std::numbers::sqrt2) / 2; }, tail, 9);
}

// With t = sqrt(n) tan(a) the density becomes cos^(n - 1)(a) over its integral (Abramowitz & Stegun 1964, 26.7).
double student_quantile(double tail, double freedom) {
  if (freedom > kAsGoodAsNormal) return normal_quantile(tail);
  const double half = cosine_integral(0, freedom);
  const double angle = where([&](double a) { return cosine_integral(a, freedom) / half / 2; }, tail, std::numbers::pi / 2);
  return std::sqrt(freedom) * std::tan(angle);
}

}  // namespace signet::eval
