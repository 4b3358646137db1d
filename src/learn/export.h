#pragma once

#include "learn/network.h"
#include "signet/encode/network.h"

namespace signet {

enum class Logits { kNone, kFromCode, kFromFeatures };  // which classifier was trained

// The network as data for encode/, with batch normalisation folded into the convolutions before it. In a block the pooling stands
// between the two: normalisation without scale is x -> x / s + t with s > 0, increasing, so it commutes with max-pooling and
// folding is exact.
Network to_network(const HashNetwork& network, Logits logits);

}  // namespace signet
