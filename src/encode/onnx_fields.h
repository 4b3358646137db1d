#pragma once

#include <cstdint>

// Field numbers of onnx.proto (IR version 7), as far as a model file of signet has them.
namespace signet::onnx {

constexpr std::uint64_t kIrVersion = 7;
constexpr std::uint64_t kOperatorSet = 13;

namespace model {
constexpr std::uint32_t kIrVersion = 1, kProducerName = 2, kGraph = 7, kOpsetImport = 8, kMetadata = 14;
}
namespace opset {
constexpr std::uint32_t kDomain = 1, kVersion = 2;
}
namespace entry {
constexpr std::uint32_t kKey = 1, kValue = 2;
}
namespace graph {
constexpr std::uint32_t kNode = 1, kName = 2, kInitializer = 5, kInputs = 11, kOutputs = 12;
}
namespace node {
constexpr std::uint32_t kInput = 1, kOutput = 2, kName = 3, kOpType = 4, kAttribute = 5;
}
namespace attribute {
constexpr std::uint32_t kName = 1, kInt = 3, kInts = 8, kType = 20;
constexpr std::uint64_t kTypeInt = 2, kTypeInts = 7;
}  // namespace attribute
namespace tensor {
constexpr std::uint32_t kDims = 1, kDataType = 2, kName = 8, kRawData = 9;
constexpr std::uint64_t kFloat = 1, kInt32 = 6, kInt64 = 7;
}  // namespace tensor
namespace value_info {
constexpr std::uint32_t kName = 1, kType = 2;
}
namespace type {
constexpr std::uint32_t kTensorType = 1;
}
namespace tensor_type {
constexpr std::uint32_t kElemType = 1, kShape = 2;
}
namespace shape {
constexpr std::uint32_t kDim = 1;
}
namespace dimension {
constexpr std::uint32_t kValue = 1, kParam = 2;
}

}  // namespace signet::onnx
