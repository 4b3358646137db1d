#pragma once

#include <vector>

#include "signet/eval/bootstrap.h"

namespace signet::eval {

// The percentile interval of a mean from its resampled values, in any order.
PairedDifference interval_of(double mean, std::vector<double> drawn, double confidence);

}  // namespace signet::eval
