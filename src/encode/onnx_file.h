#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "encode/wire.h"
#include "signet/encode/network.h"

namespace signet {

constexpr std::string_view kClosingCrcKey = "signet.crc32c";
std::string layer_name(std::size_t index);  // "layer3": its node, and its tensors' prefix

// The layout of docs/format/model.md: a network and its metadata as ONNX bytes, and back. Meaning of the metadata: model.cc.
using OnnxMetadata = std::vector<std::pair<std::string, std::string>>;

struct OnnxFile {
  Network network;
  OnnxMetadata metadata;  // without the closing signet.crc32c
};

// The network must have passed check_network. Deterministic: equal input gives equal bytes. Borrows the weights.
WireWriter encode_onnx(const Network& network, const OnnxMetadata& metadata);

// What the metadata of an ONNX file says, and nothing else of it: for telling whose file it is. At most 64 entries.
OnnxMetadata decode_onnx_metadata(std::string_view bytes);

// The inverse of encode_onnx. Takes what it needs and does not look at the rest, so the caller must run check_network on the
// result and compare encode_onnx of it with the bytes. Throws Error{kCorrupt, kUnsupported} naming offset or node.
OnnxFile decode_onnx(std::string_view bytes);

// Whether the last entry is signet.crc32c, and whether it is right.
enum class ClosingCrc { kAbsent, kRight, kWrong };
ClosingCrc check_closing_crc(std::string_view bytes);

}  // namespace signet
