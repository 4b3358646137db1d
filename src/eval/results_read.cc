#include <nlohmann/json.hpp>
#include <string>

#include "signet/base/error.h"
#include "signet/eval/results.h"

namespace signet {
namespace {

using Json = nlohmann::json;

double number(const Json& j, const char* key) { return !j.contains(key) || j.at(key).is_null() ? -1.0 : j.at(key).get<double>(); }

std::vector<CurvePoint> curve(const Json& j, const char* key) {
  std::vector<CurvePoint> points;
  if (!j.contains(key)) return points;
  for (const Json& p : j.at(key)) points.push_back({p.at(0), p.at(1)});
  return points;
}

std::string text(const Json& j, const char* key, const char* otherwise = "") { return j.value(key, std::string(otherwise)); }
std::uint64_t whole(const Json& j, const char* key) { return j.value(key, std::uint64_t{0}); }

// Required is what makes a number one: what was measured, of what, under which protocol, and at which cost. Records of other
// tools may lack the rest.
ResultRecord record_of(const Json& j) {
  ResultRecord r;
  r.method = j.at("method"), r.protocol = j.at("protocol"), r.version = j.at("version");
  r.bits = j.at("bits"), r.seed = j.at("seed"), r.image_passes = j.at("image_passes");
  r.map = j.at("map"), r.map_optimistic = j.at("map_optimistic"), r.map_pessimistic = j.at("map_pessimistic");
  r.precision_at_radius_2 = j.at("precision_at_radius_2"), r.train_seconds = j.at("train_seconds");
  r.plan = text(j, "plan", "other"), r.plan_title = text(j, "plan_title", "Other records"), r.plan_text = text(j, "plan_text");
  r.remark = text(j, "remark"), r.dataset = text(j, "dataset", "not stated");
  r.pictures = text(j, "pictures", "how its pixels were stored is not stated"),
  r.cpu = text(j, "cpu", "a CPU that is not stated");
  if (j.contains("protocol_detail"))
    r.protocol_split = j.at("protocol_detail").at("split"), r.protocol_remark = j.at("protocol_detail").at("remark");
  r.network_bits = j.value("network_bits", r.bits);
  r.threads = whole(j, "threads"), r.distinct_codes = whole(j, "distinct_codes");
  r.queries = whole(j, "queries"), r.database = whole(j, "database"), r.shared_image_passes = whole(j, "shared_image_passes");
  r.class_id_map = number(j, "class_id_map"), r.float_map = number(j, "float_map");
  r.ndcg_at_100 = number(j, "ndcg_at_100"), r.weighted_map = number(j, "weighted_map");
  r.images_per_second = number(j, "images_per_second"), r.pflop = number(j, "pflop");
  r.peak_memory_mib = number(j, "peak_memory_mib"), r.encode_images_per_second = number(j, "encode_images_per_second");
  r.goal = number(j, "goal");
  r.precision_at_n = curve(j, "precision_at_n"), r.precision_recall = curve(j, "precision_recall");
  for (const Json& v : j.value("validation_curve", Json::array()))
    r.validation.push_back({v.at("stage"), v.at("image_passes"), v.at("seconds"), number(v, "accuracy"), number(v, "map")});
  r.notes = j.value("notes", std::vector<std::string>());
  return r;
}

}  // namespace

ResultRecord parse_result(const std::string& json, const std::string& name) {
  try {
    ResultRecord record = record_of(Json::parse(json));
    record.name = name;
    return record;
  } catch (const Json::exception& error) {
    fail(ErrorCode::kCorrupt, name, " is no record of signet reproduce: ", error.what());
  }
}

std::vector<PublishedRow> parse_published(const std::string& json, const std::string& name) {
  try {
    std::vector<PublishedRow> rows;
    for (const Json& j : Json::parse(json)) {
      PublishedRow row{j.at("method"), j.at("source"), j.at("protocol"), j.value("remark", ""), {}};
      for (const auto& [bits, value] : j.at("map").items()) {
        if (bits.empty() || bits.size() > 4 || bits.find_first_not_of("0123456789") != std::string::npos)
          fail(ErrorCode::kCorrupt, name, ": \"", bits, "\" of ", row.method, " is no code length");
        row.map[static_cast<std::uint32_t>(std::stoul(bits))] = value.get<double>();
      }
      rows.push_back(std::move(row));
    }
    return rows;
  } catch (const Json::exception& error) {
    fail(ErrorCode::kCorrupt, name, " is no list of published numbers: ", error.what());
  }
}

}  // namespace signet
