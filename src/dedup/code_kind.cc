#include "signet/dedup/code_kind.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "signet/encode/model.h"

namespace signet {
namespace {

using nlohmann::json;

// Those of the shallow methods that look at labels (docs/baselines.md).
constexpr std::array<std::string_view, 5> kSupervised = {"bilinear-lda", "fasthash", "itq-cca", "ksh", "sdh"};

bool learned_from_labels(const json& record) {
  const auto text = [&](const char* name) {
    const auto at = record.find(name);
    return at != record.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  const std::string method = text("method");
  return std::find(kSupervised.begin(), kSupervised.end(), method) != kSupervised.end() ||
         text("features").starts_with("network");
}

}  // namespace

CodeKind code_kind(const std::string& training_record) {
  const std::string supervision = trained_supervision(training_record);
  if (!supervision.empty()) return supervision == "instance" ? CodeKind::kInstance : CodeKind::kClass;
  const json record = json::parse(training_record, nullptr, false);
  return record.is_object() && learned_from_labels(record) ? CodeKind::kClass : CodeKind::kNeither;
}

}  // namespace signet
