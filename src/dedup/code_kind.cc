#include "signet/dedup/code_kind.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "signet/encode/model.h"

namespace signet {
namespace {

using nlohmann::json;

// Shallow methods and hashes of one picture (docs/baselines.md), by whether they look at labels. A method that stands in neither
// list is unknown: by class codes no file may be moved.
constexpr std::array<std::string_view, 5> kSupervised = {"bilinear-lda", "fasthash", "itq-cca", "ksh", "sdh"};
constexpr std::array<std::string_view, 10> kUnsupervised = {"ahash", "bilinear", "block-mean", "dhash", "isoh",
                                                            "itq",   "lsh",      "pcah",       "phash", "sh"};

bool holds(std::span<const std::string_view> names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

CodeKind kind_of_shallow(const json& record) {
  const auto text = [&](const char* name) {
    const auto at = record.find(name);
    return at != record.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  if (holds(kSupervised, text("method")) || text("features").starts_with("network")) return CodeKind::kClass;
  return holds(kUnsupervised, text("method")) ? CodeKind::kNeither : CodeKind::kUnknown;
}

}  // namespace

CodeKind code_kind(const std::string& training_record) {
  const std::string supervision = trained_supervision(training_record);
  if (!supervision.empty()) return supervision == "instance" ? CodeKind::kInstance : CodeKind::kClass;
  const json record = json::parse(training_record, nullptr, false);
  return record.is_object() ? kind_of_shallow(record) : CodeKind::kUnknown;
}

}  // namespace signet
