#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "signet/base/progress.h"
#include "signet/code/code_set.h"
#include "signet/dataset/dataset.h"
#include "signet/encode/encoder.h"

namespace signet::cli {

// A data set after the model has seen it. Memory grows with codes, keys and what `want` asks for, never with pixels.
struct EncodedData {
  CodeSet set;
  std::vector<std::size_t> positions;   // in the data set, one per code
  std::vector<float> features, logits;  // where asked for, row-major
  std::vector<float> outputs;           // before the sign, row-major, where whoever made the codes keeps them
  BulkResult bulk;
  std::vector<std::string> skipped_keys;  // one per bulk.skipped
  std::size_t converted = 0;              // pictures whose colour channels were converted for the model
};

struct EncodeRequest {
  unsigned want = Encoder::kHash;
  bool strict = false;                                     // the first unreadable picture ends it with its own error
  std::function<void(std::span<const float>)> on_outputs;  // the real outputs, block by block, in order; may be empty
};

// Pictures whose keys have a key_defect() are skipped like those that cannot be read.
// Throws Error{kInvalidArgument} where not one picture could be read, quoting the first reason.
EncodedData encode_dataset(const Encoder& encoder, const Dataset& data, const std::string& root, const EncodeRequest& request,
                           const ProgressFn& progress);

// "12 grey pictures were converted to 3 colour channels, as the model takes" or nothing.
std::string conversion_remark(const EncodedData& encoded, const ModelInfo& model);

}  // namespace signet::cli
