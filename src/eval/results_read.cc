#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "signet/base/error.h"
#include "signet/base/text.h"
#include "signet/code/code_matrix.h"
#include "signet/eval/results.h"

namespace signet {
namespace {

using nlohmann::json;

constexpr std::size_t kMostPoints = 100'000, kMostQueries = 1'000'000, kMostExamples = 64, kMostNotes = 1000;
constexpr int kMostDepth = 64;  // of brackets; signet's own records have seven

// What is wrong inside a record; parse_result says in which.
class Wrong : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Nothing that is measured is larger, and arithmetic on tables and axes stays exact enough below it.
double real(const json& value) {
  const double v = value.get<double>();
  if (!(std::abs(v) <= 1e15)) throw Wrong(concat(v, " is too large to be a measurement"));
  return v;
}

double number(const json& j, const char* key) { return !j.contains(key) || j.at(key).is_null() ? -1.0 : real(j.at(key)); }

// A share, or -1 where it was not computed.
double share(const json& j, const char* key, bool required = false) {
  const double value = required ? real(j.at(key)) : number(j, key);
  if (!(value >= 0 && value <= 1) && (required || value != -1))
    throw Wrong(concat("\"", key, "\" is ", value, ", which is not between 0 and 1"));
  return value;
}

// Not get<uint64_t>(): that turns -1 and 1e300 into something.
std::uint64_t whole_number(const json& value, const char* key, std::uint64_t most) {
  const bool fits = value.is_number_unsigned() && value.get<std::uint64_t>() <= most;
  if (!fits) throw Wrong(concat("\"", key, "\" is ", value.dump().substr(0, 40), ", not a whole number up to ", most));
  return value.get<std::uint64_t>();
}

constexpr std::uint64_t kAny = ~std::uint64_t{0};
std::uint64_t whole(const json& j, const char* key, std::uint64_t most = kAny) {
  return j.contains(key) ? whole_number(j.at(key), key, most) : 0;
}

const json& list(const json& j, const char* key, std::size_t most) {
  static const json kNothing = json::array();
  if (!j.contains(key)) return kNothing;
  const json& all = j.at(key);
  if (!all.is_array() || all.size() > most) throw Wrong(concat("\"", key, "\" is no list of at most ", most));
  return all;
}

std::vector<CurvePoint> curve(const json& j, const char* key) {
  std::vector<CurvePoint> points;
  for (const json& p : list(j, key, kMostPoints)) points.push_back({real(p.at(0)), real(p.at(1))});
  return points;
}

std::string text(const json& j, const char* key, const char* otherwise = "") { return j.value(key, std::string(otherwise)); }

std::uint32_t radius_of(const json& j, const char* key) { return static_cast<std::uint32_t>(whole(j, key, kMaxBits)); }

ExampleImage example_of(const json& j) {
  ExampleImage image{j.at("key"), j.at("label"), radius_of(j, "distance"), j.value("relevant", false)};
  return image;
}

void read_protocol(const json& j, ResultRecord& r) {
  r.protocol = j.at("protocol");
  if (!j.contains("protocol_detail")) return;
  const json& detail = j.at("protocol_detail");
  r.protocol_split = detail.at("split"), r.protocol_remark = detail.at("remark");
  r.cutoff = whole(detail, "cutoff");
  for (const char* key : {"relevance", "divisor", "no_relevant", "ties"})
    r.protocol_rules += concat(r.protocol_rules.empty() ? "" : "; ", key, ": ", text(detail, key, "not stated"));
}

void read_query_ap(const json& j, ResultRecord& r) {
  r.query_set = text(j, "query_set");
  if (!j.contains("query_ap")) return;
  const json& packed = j.at("query_ap");
  try {
    r.query_ap = unpack_ap(packed.at("values").get_ref<const std::string&>());
  } catch (const Error& error) {
    throw Wrong(error.what());
  }
  const std::size_t count = r.query_ap.size();
  if (count > kMostQueries || count != whole(packed, "count"))
    throw Wrong(concat("\"query_ap\" holds ", count, " values, not the ", whole(packed, "count"), " that it says"));
  if (count == 0 || whole(packed, "step") != 1) return;
  double mean = 0;
  for (const float ap : r.query_ap) mean += ap;
  mean /= static_cast<double>(count);
  if (std::abs(mean - r.map) > 1e-4) throw Wrong(concat("the mean of \"query_ap\" is ", mean, ", and \"map\" is ", r.map));
}

void read_codes(const json& j, ResultRecord& r) {
  r.empty_ball_share = share(j, "empty_ball_share"), r.largest_bucket = share(j, "largest_bucket");
  r.mean_bit_entropy = share(j, "mean_bit_entropy"), r.mean_bit_correlation = share(j, "mean_bit_correlation");
  r.max_bit_correlation = number(j, "max_bit_correlation");
  for (const json& mean : list(j, "bit_means", kMaxBits)) r.bit_means.push_back(real(mean));
  for (const json& p : list(j, "by_radius", kMaxBits + 1))
    r.by_radius.push_back({radius_of(p, "radius"), real(p.at("items")), real(p.at("precision")), real(p.at("recall"))});
  for (const json& p : list(j, "search_cost", std::size_t{8} * (kMaxBits + 1)))
    r.search_cost.push_back({p.at("index"), radius_of(p, "radius"), real(p.at("microseconds"))});
  for (const json& e : list(j, "examples", kMostExamples)) {
    ExampleQuery example{example_of(e.at("query")), {}};
    for (const json& hit : list(e, "hits", kMostExamples)) example.hits.push_back(example_of(hit));
    r.examples.push_back(std::move(example));
  }
}

// Required is what makes a number one: what was measured, of what, under which protocol, and at which cost. Records of other
// tools may lack the rest.
ResultRecord record_of(const json& j) {
  ResultRecord r;
  r.method = j.at("method");
  read_protocol(j, r);
  r.version = j.at("version");
  r.bits = static_cast<std::uint32_t>(whole_number(j.at("bits"), "bits", kMaxBits));
  if (r.bits == 0) throw Wrong(concat("\"bits\" is 0, not 1 to ", kMaxBits));
  r.seed = whole_number(j.at("seed"), "seed", kAny), r.image_passes = whole_number(j.at("image_passes"), "image_passes", kAny);
  r.map = share(j, "map", true);
  r.map_optimistic = share(j, "map_optimistic", true), r.map_pessimistic = share(j, "map_pessimistic", true);
  r.precision_at_radius_2 = share(j, "precision_at_radius_2", true), r.train_seconds = real(j.at("train_seconds"));
  r.plan = text(j, "plan", "other"), r.plan_title = text(j, "plan_title", "Other records"), r.plan_text = text(j, "plan_text");
  r.run = text(j, "run"), r.remark = text(j, "remark"), r.dataset = text(j, "dataset", "not stated");
  r.pictures = text(j, "pictures", "how its pixels were stored is not stated"),
  r.cpu = text(j, "cpu", "a CPU that is not stated");
  r.network_bits = j.contains("network_bits") ? radius_of(j, "network_bits") : r.bits;
  r.threads = whole(j, "threads"), r.distinct_codes = whole(j, "distinct_codes");
  r.queries = whole(j, "queries"), r.database = whole(j, "database"), r.shared_image_passes = whole(j, "shared_image_passes");
  r.class_id_map = share(j, "class_id_map"), r.float_map = share(j, "float_map");
  if (j.contains("float_of") && j.at("float_of").is_string()) r.float_of = j.at("float_of");
  r.ndcg_at_100 = number(j, "ndcg_at_100"), r.weighted_map = number(j, "weighted_map");
  r.validation_map = number(j, "validation_map");
  r.images_per_second = number(j, "images_per_second"), r.pflop = number(j, "pflop");
  r.peak_memory_mib = number(j, "peak_memory_mib"), r.encode_images_per_second = number(j, "encode_images_per_second");
  r.goal = number(j, "goal");
  r.headline = j.contains("headline") && j.at("headline").get<bool>();
  r.precision_at_n = curve(j, "precision_at_n"), r.precision_recall = curve(j, "precision_recall");
  for (const json& v : list(j, "validation_curve", kMostPoints))
    r.validation.push_back({v.at("stage"), real(v.at("image_passes")), real(v.at("seconds")), number(v, "accuracy"),
                            number(v, "map"), number(v, "soft_loss"), number(v, "exact_loss")});
  for (const json& note : list(j, "notes", kMostNotes)) r.notes.push_back(note);
  read_codes(j, r);
  read_query_ap(j, r);
  return r;
}

int yes_no_or_unsaid(const json& j, const char* key) { return j.contains(key) ? static_cast<int>(j.at(key).get<bool>()) : -1; }

}  // namespace

ResultRecord parse_result(const std::string& text, const std::string& name) {
  try {
    if (const auto first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");  // with or without a byte-order mark
        first != std::string::npos && text[first] != '{')
      throw Wrong("it is no JSON object");
    if (nests_deeper_than(kMostDepth, text)) throw Wrong("its brackets nest too deep");
    const json parsed = json::parse(text);
    if (const std::uint64_t version = whole(parsed, "record_version"); version > kRecordVersion)
      fail(ErrorCode::kUnsupported, name, ": is a record of version ", version, "; this signet reads up to version ",
           kRecordVersion, ", so a newer signet is needed");
    ResultRecord record = record_of(parsed);
    record.name = name;
    return record;
  } catch (const json::exception& error) {
    fail(ErrorCode::kCorrupt, name, " is no record of signet reproduce: ", json_defect(error.what()),
         "; a .json file that it wrote would be right");
  } catch (const Wrong& error) {
    fail(ErrorCode::kCorrupt, name, " is no record of signet reproduce: ", error.what());
  }
}

std::vector<PublishedRow> parse_published(const std::string& text, const std::string& name) {
  try {
    std::vector<PublishedRow> rows;
    for (const json& j : json::parse(text)) {
      PublishedRow row{j.at("method"), j.at("source"), j.at("protocol"), j.value("remark", ""), {}, -1, {}};
      row.imagenet = yes_no_or_unsaid(j, "imagenet");
      row.ours = j.value("ours", std::vector<std::string>());
      for (const auto& [bits, value] : j.at("map").items()) {
        if (bits.empty() || bits.size() > 4 || bits.find_first_not_of("0123456789") != std::string::npos)
          fail(ErrorCode::kCorrupt, name, ": \"", bits, "\" of ", row.method, " is no code length");
        row.map[static_cast<std::uint32_t>(std::stoul(bits))] = value.get<double>();
      }
      rows.push_back(std::move(row));
    }
    return rows;
  } catch (const json::exception& error) {
    fail(ErrorCode::kCorrupt, name, " is no list of published numbers: ", json_defect(error.what()),
         "; plans/published.json is one");
  }
}

}  // namespace signet
