#include "serve/api_json.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "signet/base/base64.h"
#include "signet/base/error.h"
#include "signet/base/text.h"
#include "signet/dedup/code_kind.h"

namespace signet::api {
namespace {

constexpr int kMostDepth = 8;

const Json* member(const Json& body, const char* name) {
  const auto at = body.find(name);
  return at == body.end() || at->is_null() ? nullptr : &*at;
}

std::string text(const Json& value, const char* name) {
  if (!value.is_string()) fail(ErrorCode::kInvalidArgument, name, " must be a text");
  return value.get<std::string>();
}

std::uint64_t number(const Json& value, const char* name) {
  if (!value.is_number_unsigned()) fail(ErrorCode::kInvalidArgument, name, " must be a whole number from 0");
  return value.get<std::uint64_t>();
}

void check_members(const Json& body, std::initializer_list<const char*> known) {
  for (const auto& item : body.items()) {
    if (std::none_of(known.begin(), known.end(), [&](const char* name) { return item.key() == name; }))
      fail(ErrorCode::kInvalidArgument, "there is no member \"", item.key().substr(0, 64), "\"; the members are ", join(known));
  }
}

// The URL-safe alphabet is taken too.
std::vector<std::byte> base64_bytes(std::string encoded, const char* name) {
  std::replace(encoded.begin(), encoded.end(), '-', '+');
  std::replace(encoded.begin(), encoded.end(), '_', '/');
  auto bytes = from_base64(encoded);
  if (!bytes) fail(ErrorCode::kInvalidArgument, name, " must be base64 with its padding");
  return std::move(*bytes);
}

std::vector<std::uint8_t> packed_code(const Json& body, std::uint32_t bits) {
  if (const Json* hex = member(body, "code")) return from_hex(text(*hex, "code"), bits);
  const Json* encoded = member(body, "code_base64");
  if (encoded == nullptr) return {};
  const std::vector<std::byte> bytes = base64_bytes(text(*encoded, "code_base64"), "code_base64");
  if (bytes.size() != bytes_per_code(bits)) {
    fail(ErrorCode::kInvalidArgument, "code_base64 has ", bytes.size(), " bytes; codes of this collection have ",
         bytes_per_code(bits));
  }
  std::vector<std::uint8_t> packed;
  for (const std::byte byte : bytes) packed.push_back(std::to_integer<std::uint8_t>(byte));
  const CodeMatrix checked(bits, std::move(packed));  // throws on set padding bits
  return {checked.data().begin(), checked.data().end()};
}

// JSON has no infinity; a network's outputs are finite, see encoder.h.
Json numbers(const std::vector<float>& values) {
  Json array = Json::array();
  for (const float value : values) array.push_back(std::round(static_cast<double>(value) * 1e5) / 1e5);
  return array;
}

void append_text(std::string& out, const std::string& value) {
  const bool plain =
      std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
  if (plain) {
    (out += '"').append(value) += '"';
  } else {
    out.append(dump(value));
  }
}

Json text_or_null(const std::string& value) { return value.empty() ? Json(nullptr) : Json(value); }

}  // namespace

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json parse_object(std::string_view body) {
  bool too_deep = false;
  const auto watch = [&](int depth, Json::parse_event_t /*event*/, Json& /*parsed*/) {
    if (depth > kMostDepth) too_deep = true;
    return depth <= kMostDepth;
  };
  Json value;
  try {
    value = Json::parse(body.begin(), body.end(), watch);
  } catch (const Json::exception& error) {
    // The library's sentence says where, after "parse error at".
    const std::string what = error.what();
    fail(ErrorCode::kUsage,
         "the body is not JSON: ", what.substr(what.find("] ") == std::string::npos ? 0 : what.find("] ") + 2));
  }
  if (too_deep) fail(ErrorCode::kUsage, "the body's JSON is nested deeper than ", kMostDepth);
  if (!value.is_object()) fail(ErrorCode::kUsage, "the body must be a JSON object");
  return value;
}

SearchQuery search_query(const Json& body, std::uint32_t bits) {
  check_members(body, {"code", "code_base64", "key", "id", "k", "radius", "labels", "offset", "limit"});
  SearchQuery query;
  int kinds = 0;
  for (const char* name : {"code", "code_base64", "key", "id"}) kinds += member(body, name) != nullptr;
  if (kinds != 1) fail(ErrorCode::kInvalidArgument, "give the query as exactly one of code, code_base64, key and id");
  if (const Json* key = member(body, "key"))
    query.query = SearchQuery::Key{text(*key, "key")};
  else if (const Json* id = member(body, "id"))
    query.query = SearchQuery::Id{number(*id, "id")};
  else
    query.query = SearchQuery::Code{packed_code(body, bits)};
  if (const Json* k = member(body, "k")) query.k = number(*k, "k");
  if (const Json* radius = member(body, "radius"))
    query.radius = static_cast<std::uint32_t>(std::min<std::uint64_t>(number(*radius, "radius"), kMaxBits));
  if (const Json* offset = member(body, "offset")) query.offset = number(*offset, "offset");
  if (const Json* limit = member(body, "limit")) query.limit = number(*limit, "limit");
  if (const Json* labels = member(body, "labels")) {
    constexpr std::size_t kMost = 100;
    if (!labels->is_array() || labels->size() > kMost)
      fail(ErrorCode::kInvalidArgument, "labels must be an array of at most ", kMost, " texts");
    for (const Json& label : *labels) query.labels.push_back(text(label, "labels"));
  }
  return query;
}

BulkItem bulk_item(const Json& body, std::uint32_t bits) {
  check_members(body, {"key", "label", "code", "code_base64", "image_base64"});
  BulkItem item;
  const Json* key = member(body, "key");
  if (key == nullptr) fail(ErrorCode::kInvalidArgument, "key is missing");
  item.key = text(*key, "key");
  int kinds = 0;
  for (const char* name : {"code", "code_base64", "image_base64"}) kinds += member(body, name) != nullptr;
  if (kinds != 1) fail(ErrorCode::kInvalidArgument, "give exactly one of code, code_base64 and image_base64");
  if (const Json* label = member(body, "label")) item.label = text(*label, "label");
  if (const Json* image = member(body, "image_base64")) {
    item.picture = as_text(base64_bytes(text(*image, "image_base64"), "image_base64"));
  } else {
    item.code = packed_code(body, bits);
  }
  return item;
}

Json to_json(const CollectionSummary& summary) {
  Json labels = Json::array();
  for (const auto& [label, count] : summary.labels) labels.push_back({{"label", label}, {"count", count}});
  Json model = {{"fingerprint", text_or_null(summary.info.model)}};
  model["preprocessing"] = nullptr;
  if (summary.can_encode)
    model["preprocessing"] = {{"width", summary.width}, {"height", summary.height}, {"channels", summary.channels}};
  return {{"name", summary.name},
          {"bits", summary.info.bits},
          {"images", summary.info.images},
          {"segments", summary.info.segments},
          {"code_bytes", summary.info.code_bytes},
          {"picture_bytes", summary.info.picture_bytes},
          {"model", std::move(model)},
          {"labels", std::move(labels)},
          {"writable", summary.writable},
          {"can_encode", summary.can_encode},
          {"duplicate_levels", duplicate_levels(summary.training_record)}};
}

bool verdict_of(const Json& body) {
  check_members(body, {"duplicate"});
  const Json* duplicate = member(body, "duplicate");
  if (duplicate == nullptr || !duplicate->is_boolean()) fail(ErrorCode::kInvalidArgument, "duplicate must be true or false");
  return duplicate->get<bool>();
}

std::vector<std::string> duplicate_levels(const std::string& training_record) {
  std::vector<std::string> levels;
  for (const auto level : {DuplicateLevel::kSameBytes, DuplicateLevel::kSamePixels})
    levels.emplace_back(duplicate_level_name(level));
  // Codes of classes tell kinds of pictures apart and not one picture from another.
  const bool classes = code_kind(training_record) == CodeKind::kClass;
  levels.emplace_back(duplicate_level_name(classes ? DuplicateLevel::kSameClass : DuplicateLevel::kNear));
  return levels;
}

Json to_json(const ImageEntry& image) {
  return {{"id", image.record.id},      {"key", image.record.key},     {"label", text_or_null(image.label)},
          {"code", image.code},         {"width", image.record.width}, {"height", image.record.height},
          {"bytes", image.record.bytes}};
}

std::string search_body(const SearchAnswer& answer, std::uint32_t bits) {
  std::string out;
  out.reserve(512 + 256 * answer.hits.size());
  out.append(R"({"query":{"bits":)").append(std::to_string(bits)).append(R"(,"code":)");
  append_text(out, answer.code);
  if (!answer.margins.empty()) out.append(R"(,"margins":)").append(dump(numbers(answer.margins)));
  out.append(R"(},"total":)").append(std::to_string(answer.total));
  out.append(R"(,"offset":)").append(std::to_string(answer.offset)).append(R"(,"hits":[)");
  for (const SearchHit& hit : answer.hits) {
    const ImageRecord& record = hit.image.record;
    if (&hit != answer.hits.data()) out += ',';
    out.append(R"({"id":)").append(std::to_string(record.id)).append(R"(,"key":)");
    append_text(out, record.key);
    out.append(R"(,"label":)");
    if (hit.image.label.empty()) {
      out.append("null");
    } else {
      append_text(out, hit.image.label);
    }
    out.append(R"(,"distance":)").append(std::to_string(hit.distance)).append(R"(,"code":)");
    append_text(out, hit.image.code);
    out.append(R"(,"width":)").append(std::to_string(record.width));
    out.append(R"(,"height":)").append(std::to_string(record.height)) += '}';
  }
  const Json statistics = {{"index", answer.stats.index},
                           {"kernel", answer.stats.kernel},
                           {"milliseconds", std::round(answer.stats.seconds * 1e6) / 1e3},
                           {"candidates", answer.stats.candidates},
                           {"searches", answer.searches}};
  return out.append(R"(],"statistics":)").append(dump(statistics)) += '}';
}

Json to_json(const EncodedPicture& encoded, std::uint32_t bits) {
  return {{"bits", bits}, {"code", encoded.code}, {"outputs", numbers(encoded.outputs)}};
}

Json to_json(const ImagesPage& page) {
  Json images = Json::array();
  for (const ImageEntry& image : page.images) images.push_back(to_json(image));
  return {{"total", page.total}, {"images", std::move(images)}, {"next", page.next ? Json(*page.next) : Json(nullptr)}};
}

Json to_json(const CodeMap& map) {
  Json points = Json::array();
  const auto rounded = [](float value) { return std::round(static_cast<double>(value) * 1e4) / 1e4; };
  for (const CodeMap::Point& point : map.points) points.push_back({point.id, rounded(point.x), rounded(point.y), point.label});
  return {{"points", std::move(points)}, {"labels", map.labels}};
}

Json to_json(const DuplicatesPage& page) {
  Json groups = Json::array();
  for (const DuplicatesPage::Group& group : page.groups) {
    Json others = Json::array();
    for (const DuplicatesPage::Other& other : group.others) {
      Json entry = to_json(other.image);
      entry["distance"] = other.distance;
      entry["level"] = duplicate_level_name(other.level);
      entry["verdict"] = other.verdict ? Json(*other.verdict) : Json(nullptr);
      others.push_back(std::move(entry));
    }
    groups.push_back({{"keep", to_json(group.keep)}, {"size", group.size}, {"others", std::move(others)}});
  }
  return {{"level", duplicate_level_name(page.level)},
          {"radius", page.radius},
          {"total", page.total},
          {"others", page.others},
          {"offset", page.offset},
          {"groups", std::move(groups)}};
}

Json to_json(const VerdictsPage& page) {
  Json verdicts = Json::array();
  for (const Verdict& verdict : page.verdicts)
    verdicts.push_back({{"a", verdict.a}, {"b", verdict.b}, {"duplicate", verdict.duplicate}});
  return {{"total", page.total}, {"offset", page.offset}, {"verdicts", std::move(verdicts)}};
}

Json to_json(const Verdict& verdict, std::optional<bool> before) {
  return {
      {"a", verdict.a}, {"b", verdict.b}, {"duplicate", verdict.duplicate}, {"before", before ? Json(*before) : Json(nullptr)}};
}

Json to_json(const std::string& key, const BulkOutcome& outcome) {
  if (!outcome.error.empty()) return {{"key", text_or_null(key)}, {"error", outcome.error}};
  return {{"key", key}, {"id", outcome.id}};
}

std::string_view reason(unsigned status) noexcept {
  struct Name {
    unsigned status;
    std::string_view text;
  };
  static constexpr std::array kNames = {Name{400, "Bad Request"},
                                        Name{401, "Unauthorized"},
                                        Name{403, "Forbidden"},
                                        Name{404, "Not Found"},
                                        Name{405, "Method Not Allowed"},
                                        Name{411, "Length Required"},
                                        Name{413, "Content Too Large"},
                                        Name{414, "URI Too Long"},
                                        Name{415, "Unsupported Media Type"},
                                        Name{422, "Unprocessable Content"},
                                        Name{429, "Too Many Requests"},
                                        Name{431, "Request Header Fields Too Large"},
                                        Name{500, "Internal Server Error"},
                                        Name{503, "Service Unavailable"}};
  const auto at = std::find_if(kNames.begin(), kNames.end(), [&](const Name& name) { return name.status == status; });
  return at == kNames.end() ? "Error" : at->text;
}

std::string problem(unsigned status, const std::string& detail, const std::string& request_id) {
  return dump(
      {{"type", "about:blank"}, {"title", reason(status)}, {"status", status}, {"detail", detail}, {"request_id", request_id}});
}

}  // namespace signet::api
