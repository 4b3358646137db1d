#include "signet/dedup/code_kind.h"

#include <gtest/gtest.h>

namespace signet {
namespace {

TEST(CodeKind, OfNetworksIsWhatTheyWereTrainedOn) {
  EXPECT_EQ(code_kind(R"({"options": {"supervision": "instance"}})"), CodeKind::kInstance);
  EXPECT_EQ(code_kind(R"({"options": {"supervision": "class"}})"), CodeKind::kClass);
  EXPECT_EQ(code_kind(R"({"options": {}})"), CodeKind::kClass);  // of a record that is older than the word
}

TEST(CodeKind, OfShallowMethodsIsWhetherLabelsHadAPart) {
  for (const char* method : {"itq-cca", "ksh", "sdh", "fasthash", "bilinear-lda"})
    EXPECT_EQ(code_kind(std::string(R"({"features": "gist", "method": ")") + method + "\"}"), CodeKind::kClass) << method;
  for (const char* method : {"lsh", "pcah", "itq", "sh", "isoh", "bilinear", "ahash", "dhash", "phash", "block-mean"})
    EXPECT_EQ(code_kind(std::string(R"({"method": ")") + method + "\"}"), CodeKind::kNeither) << method;
  EXPECT_EQ(code_kind(R"({"method": "lsh", "features": "network"})"), CodeKind::kClass);
  EXPECT_EQ(code_kind(R"({"method": "bilinear", "features": "network-map"})"), CodeKind::kClass);
}

TEST(CodeKind, OfARecordThatDoesNotSayIsUnknown) {
  for (const char* record : {"", "{}", "[1]", "nonsense", R"({"method": 3, "features": null})", R"({"method": "of-tomorrow"})"})
    EXPECT_EQ(code_kind(record), CodeKind::kUnknown) << record;
}

}  // namespace
}  // namespace signet
