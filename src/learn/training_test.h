#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "learn/test_data.h"
#include "signet/learn/train.h"

namespace signet {

// Quick training on bars, in a folder of the test's own.
class TrainingTest : public testing::Test {
 protected:
  TrainingTest() {
    const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
    std::string name = concat("signet-", test.test_suite_name(), "-", test.name());
    std::replace(name.begin(), name.end(), '/', '-');  // of suites with parameters
    folder_ = testing::TempDir() + name;
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~TrainingTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  TrainOptions quick() const {
    TrainOptions o;
    o.bits = 8, o.epochs = 8, o.batch = 24, o.threads = 1, o.validation_share = 0.2;
    return o;
  }

  template <typename Data>
  void expect_error(ErrorCode code, const std::string& part, const Data& data, const TrainOptions& o) {
    try {
      train(data, o, path("refused.onnx"));
      FAIL() << "nothing was thrown where \"" << part << "\" was expected";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
    EXPECT_FALSE(std::filesystem::exists(path("refused.onnx")));
  }

  std::string folder_;
  BarDataset data_{labels_in_turn(120, 4), 4};
};

}  // namespace signet
