#include "eval/spread.h"

#include <cmath>

#include "eval/text.h"
#include "signet/base/error.h"

namespace signet {

Spread spread_of(std::span<const double> values) {
  Spread s;
  s.count = values.size();
  if (s.count == 0) return s;
  for (const double value : values) s.mean += value;
  s.mean /= static_cast<double>(s.count);
  for (const double value : values) s.deviation += (value - s.mean) * (value - s.mean);
  s.deviation = s.count > 1 ? std::sqrt(s.deviation / static_cast<double>(s.count - 1)) : 0;
  return s;
}

std::string spread_text(const Spread& s, int digits) {
  if (s.count == 0) return "–";
  const std::string mean = eval::fixed(s.mean, digits);
  return s.count == 1 ? mean : concat(mean, " ± ", eval::fixed(s.deviation, digits));
}

}  // namespace signet
