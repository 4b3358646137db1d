#include "signet/encode/features_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "signet/base/container.h"
#include "signet/base/error.h"

namespace signet {
namespace {

using nlohmann::json;

constexpr double kMostCounted = 0x1p53;  // up to which a double counts one by one

// Passes and seconds by a JSON object that has them; 0 where it has not, and no more than kMostCounted.
void read_costs(const std::string& text, FeaturesSource& source) {
  const json record = json::parse(text, nullptr, false);
  if (!record.is_object()) return;
  const auto number = [&](const char* key) {
    const auto found = record.find(key);
    return found == record.end() || !found->is_number() ? 0.0 : std::clamp(found->get<double>(), 0.0, kMostCounted);
  };
  source.image_passes = static_cast<std::uint64_t>(number("image_passes"));
  source.seconds = number("seconds");
}

}  // namespace

FeaturesSource read_features_source(FileSystem& fs, const std::string& path) {
  FeaturesSource source;
  if (!starts_as_container(fs.map(path)->data())) {
    source.model = read_model(fs, path);
    read_costs(source.model.info.training_record, source);
    return source;
  }
  const auto file = Container::open(fs, path, kFeaturesKind, kFeaturesVersion);
  if (!file->has(kFeaturesModelSection))
    fail(ErrorCode::kUnsupported, path,
         ": this first stage was written by an earlier signet and holds no network to read features from; "
         "train it anew with --features-out");
  source.first_stage = true;
  source.model = parse_model(file->section(kFeaturesModelSection), path);
  read_costs(std::string(as_text(file->section("meta"))), source);
  return source;
}

}  // namespace signet
