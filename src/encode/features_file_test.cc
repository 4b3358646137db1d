#include "signet/encode/features_file.h"

#include "base/test_folder.h"
#include "encode/test_networks.h"
#include "signet/base/container.h"

namespace signet {
namespace {

using namespace testing_networks;

class FeaturesFile : public TestFolder {
 protected:
  void write(const char* kind, const std::string& meta, std::span<const std::byte> model) {
    ContainerWriter writer(real_file_system(), file(), kind, kFeaturesVersion);
    writer.begin_section("meta");
    writer.append(as_bytes(meta));
    if (!model.empty()) {
      writer.begin_section(kFeaturesModelSection);
      writer.append(model);
    }
    writer.finish();
  }
  ErrorCode refusal() {
    try {
      read_features_source(real_file_system(), file());
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(file()), std::string::npos) << error.what();
      return error.code();
    }
    return ErrorCode::kInternal;
  }
  void expect_source(bool first_stage, std::uint64_t image_passes, double seconds) {
    const FeaturesSource source = read_features_source(real_file_system(), file());
    EXPECT_EQ(source.first_stage, first_stage);
    EXPECT_EQ(source.model.info.fingerprint, fingerprint_);
    EXPECT_EQ(source.image_passes, image_passes);
    EXPECT_EQ(source.seconds, seconds);
  }
  std::string file() const { return join_path(folder(), "first.features"); }
  const Model model_ = model_for(airbench(1, 28, {8, 16, 16, 32}, 12), 12);
  const std::string fingerprint_ = model_fingerprint(model_.network, model_.info.preprocessing);
};

TEST_F(FeaturesFile, HoldsTheModelAndWhatItCost) {
  write(kFeaturesKind, R"({"image_passes": 4800, "seconds": 12.5})", model_bytes(model_, "first"));
  expect_source(true, 4800, 12.5);
}

TEST_F(FeaturesFile, CostsThatNoNumberHoldsAreCutOff) {
  const std::uint64_t most = std::uint64_t{1} << 53;
  write(kFeaturesKind, R"({"image_passes": 1e300, "seconds": -1e300})", model_bytes(model_, "first"));
  expect_source(true, most, 0);
  write(kFeaturesKind, R"({"image_passes": 18446744073709551615, "seconds": 2.5})", model_bytes(model_, "first"));
  expect_source(true, most, 2.5);
}

TEST_F(FeaturesFile, AModelFileIsASourceToo) {
  Model model = model_;
  model.info.training_record = R"({"image_passes": 600, "seconds": "none"})";
  write_model(real_file_system(), file(), model);
  expect_source(false, 600, 0);
}

TEST_F(FeaturesFile, OthersAreRefused) {
  EXPECT_EQ(refusal(), ErrorCode::kNotFound);
  write(kFeaturesKind, "{}", {});  // as they were before they held a model
  EXPECT_EQ(refusal(), ErrorCode::kUnsupported);
  std::vector<std::byte> damaged = model_bytes(model_, "first");
  damaged[damaged.size() / 2] ^= std::byte{1};
  write(kFeaturesKind, "{}", damaged);
  EXPECT_EQ(refusal(), ErrorCode::kCorrupt);
  write("SIDX", "{}", model_bytes(model_, "first"));
  EXPECT_EQ(refusal(), ErrorCode::kMismatch);
}

}  // namespace
}  // namespace signet
