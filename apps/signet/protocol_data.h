#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/signet/data.h"
#include "signet/dataset/dataset.h"
#include "signet/eval/split.h"

namespace signet::cli {

std::vector<std::vector<std::int32_t>> labels_of(const Dataset& data);

// The images that a protocol trains on ("train"), asks with ("query") or searches in ("database"), or those that it searches in
// and neither trains on nor asks with ("unlabelled": what self-training may see, without labels), of data with a train and a test
// part. Throws kUsage for another part or where data.split is given; as split_for() does.
std::shared_ptr<const Dataset> part_of_protocol(const DataArguments& data, const std::string& protocol, const std::string& part,
                                                std::uint64_t seed, const DecodeLimits* limits = nullptr);

}  // namespace signet::cli
