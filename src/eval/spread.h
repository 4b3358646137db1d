#pragma once

#include <vector>

#include "signet/eval/compare.h"

namespace signet::eval {

// Of what `get` says of each record; negative values say that it was not measured.
template <typename Record, typename Get>
Spread spread_of(const std::vector<const Record*>& records, const Get& get) {
  std::vector<double> values;
  for (const Record* r : records)
    if (const double value = get(*r); value >= 0) values.push_back(value);
  return signet::spread_of(values);
}

}  // namespace signet::eval
