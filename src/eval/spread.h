#pragma once

#include <functional>
#include <vector>

#include "signet/eval/compare.h"

namespace signet::eval {

// Of what `get` says of each record; negative values say that it was not measured.
Spread spread_of(const std::vector<const ResultRecord*>& records, const std::function<double(const ResultRecord&)>& get);

}  // namespace signet::eval
