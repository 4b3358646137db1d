// A second opinion on the files: OpenCV's own ONNX importer and the ONNX project's protobuf read what signet wrote, and OpenCV
// runs it.
#define ONNX_ML
#define ONNX_NAMESPACE onnx
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <cmath>
#include <fstream>
#include <opencv2/dnn.hpp>

#include "base/test_folder.h"
#include "encode/engine.h"
#include "encode/test_networks.h"

namespace signet {
namespace {

using namespace testing_networks;

struct Case {
  const char* name;
  Network network;
  std::uint32_t bits;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  all.push_back({"grey", airbench(1, 28, {8, 32, 48, 64}, 12), 12});
  all.push_back({"colour", airbench(3, 32, {24, 32, 40}, 48), 48});
  all.push_back({"large", airbench(1, 48, {24, 64, 128, 256}, 64), 64});
  all.push_back({"every layer", every_layer(3, 21, 17, 12), 12});
  return all;
}

class OpenCvTest : public TestFolder {
 protected:
  std::string write(const Case& c) {
    const std::string path = this->path("model.onnx");
    write_model(real_file_system(), path, model_for(c.network, c.bits));
    return path;
  }
};

std::vector<float> random_input(const Network& network) {
  const Image image = random_image(network.width, network.height, network.channels, 5);
  std::vector<float> input(image.pixels.size());
  preprocess(image, preprocessing_for(network), input.data());
  return input;
}

double largest_difference(const std::vector<float>& expected, const cv::Mat& actual) {
  EXPECT_EQ(actual.total(), expected.size());
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    largest = std::max(largest, double{std::fabs(expected[i] - actual.ptr<float>()[i])});
  return largest;
}

TEST_F(OpenCvTest, ComputesTheReferenceEnginesOutputsFromTheFile) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    const std::vector<LayerShape> shapes = check_network(c.network);
    const auto size = [&](int index) { return shapes[static_cast<std::size_t>(index)].size(); };
    std::vector<float> hash(size(c.network.hash)), features(size(c.network.features)), logits(size(c.network.logits));
    std::vector<float> input = random_input(c.network);
    make_reference_engine(c.network)->make_session()->run(input.data(), {hash.data(), features.data(), logits.data()});

    cv::dnn::Net net = cv::dnn::readNetFromONNX(write(c));
    const int dims[] = {1, static_cast<int>(c.network.channels), static_cast<int>(c.network.height),
                        static_cast<int>(c.network.width)};
    net.setInput(cv::Mat(4, dims, CV_32F, input.data()));
    std::vector<cv::Mat> outputs;
    net.forward(outputs, std::vector<cv::String>{"hash", "features", "logits"});
    EXPECT_LT(largest_difference(hash, outputs[0]), 1e-4);
    EXPECT_LT(largest_difference(features, outputs[1]), 1e-4);
    EXPECT_LT(largest_difference(logits, outputs[2]), 1e-4);
  }
}

TEST_F(OpenCvTest, OnnxsOwnProtobufReadsTheSameStructure) {
  const Case c{"every layer", every_layer(3, 21, 17, 12), 12};
  std::ifstream file(write(c), std::ios::binary);
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromIstream(&file));
  EXPECT_EQ(model.ir_version(), 7);
  ASSERT_EQ(model.opset_import_size(), 1);
  EXPECT_EQ(model.opset_import(0).version(), 13);
  EXPECT_TRUE(model.unknown_fields().empty());
  const onnx::GraphProto& graph = model.graph();
  ASSERT_EQ(graph.input_size(), 1);
  EXPECT_EQ(graph.input(0).name(), "image");
  EXPECT_EQ(graph.input(0).type().tensor_type().shape().dim(0).dim_param(), "N");
  EXPECT_EQ(graph.input(0).type().tensor_type().shape().dim(2).dim_value(), 21);
  ASSERT_EQ(graph.output_size(), 3);
  EXPECT_EQ(graph.output(0).name(), "hash");
  EXPECT_EQ(graph.output(0).type().tensor_type().shape().dim(1).dim_value(), 12);
  std::size_t weights = 0;
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    std::size_t elements = 1;
    for (const std::int64_t d : tensor.dims()) elements *= static_cast<std::size_t>(d);
    EXPECT_EQ(tensor.data_type(), onnx::TensorProto::FLOAT);
    EXPECT_EQ(tensor.raw_data().size(), elements * sizeof(float)) << tensor.name();
    weights += elements;
  }
  std::size_t expected = 3;  // the GELU's constants
  for (const Layer& layer : c.network.layers) expected += layer.weight.size() + layer.bias.size();
  EXPECT_EQ(weights, expected);
  ASSERT_EQ(model.metadata_props_size(), 7);
  EXPECT_EQ(model.metadata_props(1).key(), "signet.bits");
  EXPECT_EQ(model.metadata_props(1).value(), "12");
}

}  // namespace
}  // namespace signet
