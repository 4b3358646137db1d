#pragma once

#include <vector>

#include "signet/eval/bootstrap.h"

namespace signet::eval {

// The percentile interval of a mean from its resampled values, in any order; where fewer than ten of them would lie beyond an
// end, at least as wide as mean +- z times their standard deviation (Efron & Tibshirani 1993, ch. 12 and 13).
PairedDifference interval_of(double mean, std::vector<double> drawn, double confidence);

}  // namespace signet::eval
