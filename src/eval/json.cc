#include <nlohmann/json.hpp>
#include <string>

#include "signet/base/error.h"
#include "signet/eval/report.h"

namespace signet {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(double value) { return value < 0 ? Json(nullptr) : Json(value); }

Json protocol_json(const Protocol& p) {
  return {{"split", describe_split(p)},
          {"family", p.family},
          {"database_was_trained_on", p.database_was_trained_on},
          {"cutoff", p.cutoff},
          {"relevance", p.relevance},
          {"divisor", p.cutoff == 0 ? p.divisor : "the smaller of the cutoff and the " + p.divisor},
          {"no_relevant", p.no_relevant},
          {"ties", p.ties},
          {"remark", p.remark}};
}

Json curve_json(const std::vector<CurvePoint>& curve) {
  Json points = Json::array();
  for (const CurvePoint& p : curve) points.push_back({p.x, p.y});
  return points;
}

Json radius_json(const std::vector<RadiusPoint>& radii) {
  Json points = Json::array();
  for (const RadiusPoint& p : radii)
    points.push_back({{"radius", p.radius}, {"items", p.items}, {"precision", p.precision}, {"recall", p.recall}});
  return points;
}

Json training_json(const std::string& record) {
  if (record.empty()) return nullptr;
  Json parsed = Json::parse(record, nullptr, false);
  return parsed.is_discarded() ? Json(record) : parsed;  // somebody else's model may hold anything: it is shown, not trusted
}

Json record_json(const EvalRecord& r) {
  const Metrics& m = r.metrics;
  Json j;
  j["method"] = r.method;
  j["protocol"] = r.protocol.name;
  j["dataset"] = r.dataset;
  j["bits"] = r.bits;
  j["seed"] = r.seed;
  j["map"] = m.map;
  j["map_optimistic"] = m.map_optimistic;
  j["map_pessimistic"] = m.map_pessimistic;
  j["class_id_map"] = or_null(r.class_id_map);
  j["float_map"] = or_null(r.float_map);
  j["float_of"] = r.float_of.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(r.float_of);
  j["ndcg_at_100"] = or_null(r.ndcg_at_100);
  j["weighted_map"] = or_null(r.weighted_map);
  j["precision_at_radius_2"] = m.precision_at_radius_2;
  j["recall_at_radius_2"] = m.recall_at_radius_2;
  j["empty_ball_share"] = m.empty_ball_share;
  j["distinct_codes"] = m.health.distinct_codes;
  j["largest_bucket"] = m.health.largest_bucket;
  j["mean_bit_entropy"] = m.health.mean_entropy;
  j["mean_bit_correlation"] = m.health.mean_correlation;
  j["max_bit_correlation"] = m.health.max_correlation;
  j["queries"] = m.queries;
  j["queries_without_relevant"] = m.queries_without_relevant;
  j["database"] = m.database;
  j["encode_images_per_second"] = r.encode_images_per_second > 0 ? Json(r.encode_images_per_second) : Json(nullptr);
  j["code_bytes_per_image"] = r.code_bytes_per_image;
  j["model"] = r.model;
  j["version"] = r.version;
  j["command"] = r.command;
  j["protocol_detail"] = protocol_json(r.protocol);
  j["bit_means"] = m.health.bit_mean;
  j["precision_at_n"] = curve_json(m.precision_at_n);
  j["precision_recall"] = curve_json(m.precision_recall);
  j["by_radius"] = radius_json(m.by_radius);
  j["notes"] = r.notes;
  j["training"] = training_json(r.training_record);
  return j;
}

std::string compact(const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace); }

// One member a line; arrays of numbers, points and radii stay on few lines, so that a record reads well and differences are
// small.
void print(const Json& j, const std::string& indent, std::string& out) {
  const std::string inner = indent + "  ";
  if (j.is_object() && !j.empty()) {
    out += "{\n";
    for (auto it = j.begin(); it != j.end(); ++it) {
      out += inner + compact(it.key()) + ": ";
      print(it.value(), inner, out);
      out += std::next(it) == j.end() ? "\n" : ",\n";
    }
    out += indent + "}";
  } else if (j.is_array() && !j.empty() && j.front().is_object()) {
    out += "[\n";
    for (auto it = j.begin(); it != j.end(); ++it) {
      out += inner;
      it->size() <= 4 ? out += compact(*it) : (print(*it, inner, out), out);
      out += std::next(it) == j.end() ? "\n" : ",\n";
    }
    out += indent + "]";
  } else {
    out += compact(j);
  }
}

}  // namespace

std::string to_json(const EvalRecord& record) {
  std::string out;
  print(record_json(record), "", out);
  return out + "\n";
}

std::string to_json(const EvalRecord& record, const std::string& more) {
  const Json members = Json::parse(more, nullptr, false);
  if (!members.is_object()) fail(ErrorCode::kInvalidArgument, "what is added to a record must be a JSON object");
  Json all = record_json(record);
  for (const auto& [key, value] : members.items()) all[key] = value;
  std::string out;
  print(all, "", out);
  return out + "\n";
}

std::string to_json(const std::vector<EvalRecord>& records) {
  Json all = Json::array();
  for (const EvalRecord& r : records) all.push_back(record_json(r));
  std::string out;
  print(all, "", out);
  return out + "\n";
}

}  // namespace signet
