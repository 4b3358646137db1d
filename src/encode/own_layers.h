#pragma once

#include <span>

#include "signet/encode/network.h"

namespace signet {

// Layers that oneDNN has no primitive for (kSine, kRadial, kTrees), on one image's flattened input. Writes the outputs to
// `target` and returns the place behind them.
float* run_own_layer(const Layer& layer, std::span<const float> input, float* target);

}  // namespace signet
