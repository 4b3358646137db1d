#include "signet/encode/model.h"

#include <gtest/gtest.h>

#include <cstring>
#include <iomanip>
#include <limits>
#include <sstream>

#include "base/test_folder.h"
#include "encode/engine.h"
#include "encode/onnx_file.h"
#include "encode/test_networks.h"
#include "encode/wire.h"
#include "signet/base/crc32c.h"
#include "signet/base/fault_file_system.h"
#include "signet/base/sha256.h"

namespace signet {
namespace {

using namespace testing_networks;

class ModelTest : public TestFolder {
 protected:
  FileSystem& fs_ = real_file_system();
  std::string model_path() const { return path("model.onnx"); }

  std::string written(const Model& model) {
    write_model(fs_, model_path(), model);
    return get(model_path());
  }
  // The error of reading a file with this content.
  static ErrorCode read_error(const std::string& bytes, std::string* message = nullptr) {
    return error_of([&] { parse_model(as_bytes(bytes), "some.onnx"); }, message);
  }
};

// A change to the content and a CRC that fits it: what a hostile file looks like, rather than a damaged one.
std::string with_right_crc(std::string bytes) {
  bytes.resize(bytes.size() - 8);
  std::ostringstream digits;
  digits << std::hex << std::setw(8) << std::setfill('0') << crc32c(as_bytes(bytes));
  return bytes + digits.str();
}

void replace_once(std::string& bytes, const std::string& from, const std::string& to) {
  const std::size_t at = bytes.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  bytes.replace(at, from.size(), to);
}

bool same_layer(const Layer& a, const Layer& b) {
  return a.kind == b.kind && a.input == b.input && a.other == b.other && a.out == b.out && a.kernel == b.kernel &&
         a.stride == b.stride && a.pad == b.pad && a.weight == b.weight && a.bias == b.bias;
}

TEST_F(ModelTest, ComesBackAsItWasWritten) {
  for (const Network& network : {every_layer(3, 21, 17, 12), airbench(1, 28, {8, 16, 16, 32}, 12)}) {
    const Model model = model_for(network, 12);
    write_model(fs_, model_path(), model);
    const Model back = read_model(fs_, model_path());
    ASSERT_EQ(back.network.layers.size(), network.layers.size());
    for (std::size_t i = 0; i < network.layers.size(); ++i)
      EXPECT_TRUE(same_layer(back.network.layers[i], network.layers[i])) << i;
    EXPECT_EQ(back.network.hash, network.hash);
    EXPECT_EQ(back.network.features, network.features);
    EXPECT_EQ(back.network.logits, network.logits);
    EXPECT_EQ(back.info.bits, 12u);
    EXPECT_EQ(back.info.class_names, model.info.class_names);
    EXPECT_EQ(back.info.training_record, model.info.training_record);
    EXPECT_EQ(back.info.preprocessing.mean, model.info.preprocessing.mean);
    EXPECT_EQ(back.info.preprocessing.std, model.info.preprocessing.std);
    EXPECT_EQ(back.info.preprocessing.width, network.width);
    EXPECT_EQ(back.info.fingerprint, model_fingerprint(network, model.info.preprocessing));
  }
}

TEST_F(ModelTest, EqualModelsGiveEqualBytes) {
  const Model model = model_for(every_layer(1, 16, 16, 8), 8);
  EXPECT_EQ(written(model), written(model));
}

TEST_F(ModelTest, AnOutputThatIsMissingStaysMissing) {
  Model model = model_for(every_layer(1, 16, 16, 8), 8);
  model.network.features = model.network.logits = -1;
  model.info.class_names = {};
  model.info.training_record = "";
  write_model(fs_, model_path(), model);
  const Model back = read_model(fs_, model_path());
  EXPECT_EQ(back.network.features, -1);
  EXPECT_EQ(back.network.logits, -1);
  EXPECT_EQ(back.info.training_record, "{}");
}

TEST_F(ModelTest, ClassNamesThatAreNoUtf8AreWrittenWithReplacements) {
  Model model = model_for(airbench(1, 8, {2, 2}, 3), 3);
  model.info.class_names[4] = "caf\xe9";
  write_model(fs_, model_path(), model);
  EXPECT_EQ(read_model(fs_, model_path()).info.class_names[4], "caf\xef\xbf\xbd");
}

// The canonical bytes of docs/format/model.md, built by hand for a network of one layer.
TEST(Fingerprint, IsTheHashOfTheDocumentedBytes) {
  Network network;
  network.channels = 1;
  network.height = 1;
  network.width = 2;
  Layer layer;
  layer.kind = LayerKind::kLinear;
  layer.out = 1;
  layer.weight = {1.0f, -2.0f};
  layer.bias = {0.5f};
  network.layers = {layer};
  network.hash = 0;
  Preprocessing how = preprocessing_for(network);
  how.mean = {0.25f};
  how.std = {2.0f};
  const std::string bytes =
      std::string("signet-model-1\0", 15) + std::string("\2\0\0\0\1\0\0\0\1\0\0\0", 12) +  // width, height, channels
      std::string("\1\0\0\0\0\0\x80\x3e\1\0\0\0\0\0\0\x40\0\0\0\0", 20) +                  // mean, std, mirror_view
      std::string("\1\0\0\0\1\0\0\0\2\0\0\0", 12) +                                        // channels, height, width
      std::string("\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\1\0\0\0", 16) +                // hash, features, logits, layers
      std::string("\2\0\0\0\xff\xff\xff\xff\1\0\0\0", 12) +                                // linear, of the image, 1 output
      std::string("\2\0\0\0\0\0\x80\x3f\0\0\0\xc0\1\0\0\0\0\0\0\x3f", 20);                 // weight, bias
  EXPECT_EQ(model_fingerprint(network, how), sha256_hex(as_bytes(bytes)));
}

TEST(Fingerprint, ChangesWithEverythingThatChangesACode) {
  const Network network = every_layer(3, 16, 16, 8);
  const Preprocessing how = preprocessing_for(network);
  const std::string before = model_fingerprint(network, how);
  const auto differs = [&](auto&& change) {
    Network n = network;
    Preprocessing p = how;
    change(n, p);
    return model_fingerprint(n, p) != before;
  };
  EXPECT_TRUE(differs([](Network&, Preprocessing& p) { p.mean[2] = std::nextafter(p.mean[2], 1.0f); }));
  EXPECT_TRUE(differs([](Network&, Preprocessing& p) { p.std[0] *= 2; }));
  EXPECT_TRUE(differs([](Network&, Preprocessing& p) { p.mirror_view = true; }));
  EXPECT_TRUE(differs([](Network&, Preprocessing& p) { p.width = 17; }));
  EXPECT_TRUE(differs([](Network& n, Preprocessing&) { n.layers[0].weight[3] = std::nextafter(n.layers[0].weight[3], 9.0f); }));
  EXPECT_TRUE(differs([](Network& n, Preprocessing&) { n.layers[0].bias[0] += 1; }));
  EXPECT_TRUE(differs([](Network& n, Preprocessing&) { n.layers[1].kind = LayerKind::kTanh; }));
  EXPECT_TRUE(differs([](Network& n, Preprocessing&) { n.layers[7].stride = 1; }));
  EXPECT_TRUE(differs([](Network& n, Preprocessing&) { std::swap(n.layers[5].input, n.layers[5].other); }));
  EXPECT_TRUE(differs([](Network& n, Preprocessing&) { n.hash -= 1; }));
  EXPECT_FALSE(differs([](Network& n, Preprocessing&) { n.layers[1].kernel = 9; })) << "a relu has no kernel";
}

// --- what write_model refuses

TEST_F(ModelTest, RefusesToWriteWhatDoesNotFitTogether) {
  const Model good = model_for(every_layer(3, 16, 16, 8), 8);
  const auto refused = [&](auto&& change) {
    Model model = good;
    change(model);
    return error_of([&] { write_model(fs_, model_path(), model); });
  };
  EXPECT_EQ(refused([](Model& m) { m.info.bits = 9; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](Model& m) { m.info.bits = 0; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](Model& m) { m.info.preprocessing.width = 15; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](Model& m) { m.info.preprocessing.mean.pop_back(); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](Model& m) { m.info.preprocessing.std[0] = 0; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](Model& m) { m.info.class_names.pop_back(); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](Model& m) { m.info.training_record = "[1]"; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](Model& m) { m.info.training_record = "{"; }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused([](Model& m) { m.network.layers[0].weight[0] = std::numeric_limits<float>::quiet_NaN(); }),
            ErrorCode::kCorrupt);
  EXPECT_FALSE(fs_.exists(model_path())) << "nothing was left behind";
}

TEST_F(ModelTest, AFullDiskLeavesTheOldFile) {
  write_model(fs_, model_path(), model_for(airbench(1, 8, {2, 2}, 3), 3));
  const std::string before = get(model_path());
  const Model other = model_for(airbench(1, 8, {2, 2}, 3, 2), 3);
  for (std::uint64_t at = 1; at < 40; ++at) {
    FaultFileSystem faulty;
    faulty.fail_at(at, Fault::kNoSpace, true);
    try {
      write_model(faulty, model_path(), other);
      EXPECT_GT(at, 2u) << "creating and appending need space";
      EXPECT_EQ(read_model(fs_, model_path()).info.fingerprint, model_fingerprint(other.network, other.info.preprocessing));
      return;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kIo);
      EXPECT_EQ(get(model_path()), before) << "failure " << at;
    }
  }
  FAIL() << "writing never came to its end";
}

// --- damaged files

TEST_F(ModelTest, AMissingFileIsNotFound) {
  EXPECT_EQ(error_of([&] { read_model(fs_, path("absent.onnx")); }), ErrorCode::kNotFound);
}

TEST_F(ModelTest, AnEmptyFileIsCorrupt) {
  std::string message;
  EXPECT_EQ(read_error("", &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find("some.onnx"), std::string::npos) << message;
  put(model_path(), "");
  EXPECT_EQ(error_of([&] { read_model(fs_, model_path()); }, &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find(model_path()), std::string::npos) << message;
}

TEST_F(ModelTest, EveryTruncationIsAnError) {
  const std::string good = written(model_for(airbench(1, 8, {2, 3}, 3), 3));
  for (std::size_t size = 0; size < good.size(); ++size) {
    const ErrorCode code = read_error(good.substr(0, size));
    EXPECT_TRUE(code == ErrorCode::kCorrupt || code == ErrorCode::kUnsupported) << size;
  }
  EXPECT_EQ(read_error(good + "\n"), ErrorCode::kCorrupt);
  WireWriter more;  // something well-formed behind the end, with a closing entry of its own
  more.bytes(14, "\x0a\x01x\x12\x01y");
  const std::string closing = good.substr(good.size() - 27);
  EXPECT_EQ(read_error(with_right_crc(good + more.joined() + closing)), ErrorCode::kCorrupt);
}

TEST_F(ModelTest, EveryFlippedByteIsAnError) {
  const std::string good = written(model_for(airbench(1, 8, {2, 3}, 3), 3));
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    EXPECT_EQ(read_error(bad), ErrorCode::kCorrupt) << at;
  }
}

// The same flips under a CRC that was made to fit: caught by the fingerprint, the checks, or the comparison with what signet
// would write.
TEST_F(ModelTest, EveryFlippedByteUnderAFreshCrcIsAnErrorOrOnlyChangesText) {
  const Model model = model_for(airbench(1, 8, {2, 3}, 3), 3);
  const std::string good = written(model);
  std::size_t accepted = 0;
  for (std::size_t at = 0; at + 8 < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    try {
      const Model read = parse_model(as_bytes(with_right_crc(bad)), "some.onnx");
      ++accepted;  // a letter of a class name or of the record, nothing else
      EXPECT_EQ(read.info.fingerprint, model_fingerprint(model.network, model.info.preprocessing)) << at;
      EXPECT_TRUE(read.info.class_names != model.info.class_names || read.info.training_record != model.info.training_record)
          << at;
    } catch (const Error& e) {
      EXPECT_TRUE(e.code() == ErrorCode::kCorrupt || e.code() == ErrorCode::kUnsupported) << at << ": " << e.what();
    }
  }
  EXPECT_GT(accepted, 0u);
  EXPECT_LT(accepted, 120u);
}

TEST_F(ModelTest, AFlippedWeightUnderAFreshCrcBreaksTheFingerprint) {
  Model model = model_for(airbench(1, 8, {2, 3}, 3), 3);
  model.network.layers[0].bias = {123.25f, 7.0f};
  std::string bytes = written(model);
  const float old_value = 123.25f, new_value = 123.5f;
  std::string from(4, '\0'), to(4, '\0');
  std::memcpy(from.data(), &old_value, 4);
  std::memcpy(to.data(), &new_value, 4);
  replace_once(bytes, from, to);
  std::string message;
  EXPECT_EQ(read_error(with_right_crc(bytes), &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find("fingerprint"), std::string::npos) << message;
}

TEST_F(ModelTest, ANanWeightIsNamed) {
  Model model = model_for(airbench(1, 8, {2, 3}, 3), 3);
  model.network.layers[0].bias = {123.25f, 7.0f};
  std::string bytes = written(model);
  const float old_value = 123.25f, new_value = std::numeric_limits<float>::quiet_NaN();
  std::string from(4, '\0'), to(4, '\0');
  std::memcpy(from.data(), &old_value, 4);
  std::memcpy(to.data(), &new_value, 4);
  replace_once(bytes, from, to);
  std::string message;
  EXPECT_EQ(read_error(with_right_crc(bytes), &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find("layer 0 (conv)"), std::string::npos) << message;
}

TEST_F(ModelTest, BitsThatAreNotTheHashLayersAreCorrupt) {
  std::string bytes = written(model_for(airbench(1, 8, {2, 3}, 8), 8));
  // The entry: key, then the value with its tag and length.
  replace_once(bytes,
               std::string("signet.bits\x12\x01"
                           "8"),
               std::string("signet.bits\x12\x01"
                           "7"));
  std::string message;
  EXPECT_EQ(read_error(with_right_crc(bytes), &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find("7 bits, its hash layer gives 8"), std::string::npos) << message;
}

TEST_F(ModelTest, ANewerFormatIsUnsupported) {
  std::string bytes = written(model_for(airbench(1, 8, {2, 3}, 3), 3));
  replace_once(bytes,
               std::string("signet.format\x12\x01"
                           "1"),
               std::string("signet.format\x12\x01"
                           "3"));
  std::string message;
  EXPECT_EQ(read_error(with_right_crc(bytes), &message), ErrorCode::kUnsupported);
  EXPECT_NE(message.find("format 3"), std::string::npos) << message;
}

TEST_F(ModelTest, AnotherProgramsOnnxIsUnsupported) {
  WireWriter model;
  model.varint(1, 8);
  model.bytes(2, "pytorch");
  std::string message;
  EXPECT_EQ(read_error(model.joined(), &message), ErrorCode::kUnsupported);
  EXPECT_NE(message.find("not a model that signet wrote"), std::string::npos) << message;
}

TEST_F(ModelTest, AForeignOperatorIsUnsupported) {
  std::string bytes = written(model_for(every_layer(1, 16, 16, 8), 8));
  replace_once(bytes, "\"\x04Relu", "\"\x04Loop");
  std::string message;
  EXPECT_EQ(read_error(with_right_crc(bytes), &message), ErrorCode::kUnsupported);
  EXPECT_NE(message.find("Loop"), std::string::npos) << message;
}

// A field that signet does not write, well-formed and under a right CRC: external data would be such a one.
TEST_F(ModelTest, AnUnknownFieldIsCorrupt) {
  std::string bytes = written(model_for(airbench(1, 8, {2, 3}, 3), 3));
  WireWriter extra;
  extra.bytes(6, "doc");
  bytes.insert(0, extra.joined());
  std::string message;
  EXPECT_EQ(read_error(with_right_crc(bytes), &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find("would not have written"), std::string::npos) << message;
}

TEST(ClassNames, AreWrittenAsUtf8) {
  const std::vector<std::string> names = {"caf\xe9", "caf\xc3\xa9", ""};
  EXPECT_EQ(written_class_names(names), (std::vector<std::string>{"caf\xef\xbf\xbd", "caf\xc3\xa9", ""}));
}

TEST(TrainedSupervision, IsWhatTheRecordSays) {
  EXPECT_EQ(trained_supervision(R"({"options":{"supervision":"instance"}})"), "instance");
  EXPECT_EQ(trained_supervision(R"({"options":{"bits":12}})"), "class");  // written when there was no other
  for (const char* silent : {"", "no JSON", "[]", "{}", R"({"method":"itq"})", R"({"options":3})",
                             R"({"options":{"supervision":7}})", R"({"options":{"supervision":null}})"})
    EXPECT_EQ(trained_supervision(silent), "") << silent;
}

// Lengths near 2^64 must not overflow the bounds check.
TEST(Wire, RejectsLengthsThatAreNotThere) {
  const auto code = [](const std::string& bytes) {
    return error_of([&] {
      WireReader reader(bytes);
      while (reader.next()) {
      }
    });
  };
  EXPECT_EQ(code("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), ErrorCode::kCorrupt);
  EXPECT_EQ(code("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), ErrorCode::kCorrupt);
  EXPECT_EQ(code("\x0a\x05"
                 "abcd"),
            ErrorCode::kCorrupt);
  EXPECT_EQ(code("\x0b"), ErrorCode::kCorrupt) << "groups are not read";
  EXPECT_EQ(code(std::string("\0", 1)), ErrorCode::kCorrupt) << "field 0";
  EXPECT_EQ(code("\x08\x80"), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace signet
