#include "eval/spread.h"

#include <cmath>

#include "eval/text.h"
#include "signet/base/error.h"

namespace signet {
namespace eval {

Spread spread_of(const std::vector<const ResultRecord*>& records, const std::function<double(const ResultRecord&)>& get) {
  Spread s;
  for (const ResultRecord* r : records) {
    if (get(*r) < 0) continue;
    s.mean += get(*r);
    ++s.count;
  }
  if (s.count == 0) return s;
  s.mean /= static_cast<double>(s.count);
  for (const ResultRecord* r : records)
    if (get(*r) >= 0) s.deviation += (get(*r) - s.mean) * (get(*r) - s.mean);
  s.deviation = s.count > 1 ? std::sqrt(s.deviation / static_cast<double>(s.count - 1)) : 0;
  return s;
}

}  // namespace eval

std::string spread_text(const Spread& s, int digits) {
  if (s.count == 0) return "–";
  const std::string mean = eval::fixed(s.mean, digits);
  return s.count == 1 ? mean : concat(mean, " ± ", eval::fixed(s.deviation, digits));
}

}  // namespace signet
