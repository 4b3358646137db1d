#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "signet/encode/network.h"

namespace signet {

constexpr std::string_view kClosingCrcKey = "signet.crc32c";
std::string layer_name(std::size_t index);  // "layer3": its node, and its tensors' prefix

// The layout of docs/format/model.md: a network and its metadata as ONNX bytes, and back. Meaning of the metadata: model.cc.
struct OnnxFile {
  Network network;
  std::vector<std::pair<std::string, std::string>> metadata;  // without the closing signet.crc32c
};

// The network must have passed check_network. Deterministic: equal input gives equal bytes.
std::string encode_onnx(const OnnxFile& file);

// What the metadata of an ONNX file says, and nothing else of it: for telling whose file it is. At most 64 entries.
std::vector<std::pair<std::string, std::string>> decode_onnx_metadata(std::string_view bytes);

// The inverse of encode_onnx. Takes what it needs and does not look at the rest, so the caller must run check_network on the
// result and compare encode_onnx of it with the bytes. Throws Error{kCorrupt, kUnsupported} naming offset or node.
OnnxFile decode_onnx(std::string_view bytes);

// Whether the last entry is signet.crc32c, and whether it is right.
enum class ClosingCrc { kAbsent, kRight, kWrong };
ClosingCrc check_closing_crc(std::string_view bytes);

// The same bytes with their last 8 replaced by the CRC of those before.
std::string with_closing_crc(std::string bytes);

}  // namespace signet
