#include "signet/dedup/plan.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "signet/base/error.h"
#include "signet/base/text.h"

namespace signet {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "signet-dedup-plan";
constexpr std::uint64_t kVersion = 1;
constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 30;
constexpr int kMostDepth = 64;  // of brackets; those of a plan that signet writes nest six deep

Json to_json(const PlannedFile& file) {
  return {{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}, {"width", file.width}, {"height", file.height}};
}

// A member of an object of the plan, of the right type, or kCorrupt.
template <typename T>
T member(const Json& object, const char* name, const std::string& where) {
  const auto found = object.find(name);
  bool good = object.is_object() && found != object.end();
  if (good) {
    if constexpr (std::is_same_v<T, std::string>)
      good = found->is_string();
    else
      good = found->is_number_unsigned() && found->template get<std::uint64_t>() <= std::numeric_limits<T>::max();
  }
  if (!good) fail(ErrorCode::kCorrupt, where, " has no valid \"", name, "\"");
  return found->template get<T>();
}

const Json& array_of(const Json& object, const char* name, const std::string& where) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) fail(ErrorCode::kCorrupt, where, " has no list \"", name, "\"");
  return *found;
}

PlannedFile read_file_entry(const Json& object, const std::string& where) {
  PlannedFile file;
  file.path = member<std::string>(object, "path", where);
  file.bytes = member<std::uint64_t>(object, "bytes", where);
  file.sha256 = member<std::string>(object, "sha256", where);
  file.width = member<std::uint32_t>(object, "width", where);
  file.height = member<std::uint32_t>(object, "height", where);
  if (!file.path.starts_with('/')) fail(ErrorCode::kCorrupt, where, ": the path \"", file.path, "\" is not absolute");
  return file;
}

// Names are given by users: turn "no such level" into damage of this file.
template <typename Parse>
auto named(const Parse& parse, const std::string& name, const std::string& where) {
  try {
    return parse(name);
  } catch (const Error& error) {
    fail(ErrorCode::kCorrupt, where, ": ", error.what());
  }
}

std::string quoted(const std::string& name) { return Json(name).dump(-1, ' ', false, Json::error_handler_t::replace); }

void check_paths(const DedupPlan& plan, const std::string& path, ErrorCode code) {
  std::set<std::string> kept, moved;
  const auto check = [&](const std::string& name) {
    if (!can_be_planned(name))
      fail(code, path, ": the path ", quoted(name), " is not UTF-8, or holds a line break or NUL; rename the file first");
  };
  for (const PlannedGroup& group : plan.groups) {
    check(group.keep.path);
    kept.insert(group.keep.path);
    for (const PlannedMove& move : group.move) {
      check(move.file.path);
      if (!moved.insert(move.file.path).second) fail(code, path, " moves ", move.file.path, " twice");
    }
  }
  for (const std::string& one : moved)
    if (kept.contains(one)) fail(code, path, " keeps ", one, " and moves it away");
}

}  // namespace

bool can_be_planned(const std::string& path) {
  if (path.find_first_of(std::string("\n\r\0", 3)) != std::string::npos) return false;
  try {
    return !Json(path).dump().empty();
  } catch (const Json::exception&) {
    return false;
  }
}

void write_plan(FileSystem& fs, const std::string& path, const DedupPlan& plan) {
  check_paths(plan, path, ErrorCode::kInvalidArgument);
  if (!can_be_planned(plan.trash))  // an older plan is read all the same, so that undo finds its folder
    fail(ErrorCode::kInvalidArgument, path, ": the trash folder ", quoted(plan.trash),
         " is not UTF-8, or holds a line break or NUL; name another one");
  Json json = {{"format", kFormat},
               {"version", kVersion},
               {"made", plan.made},
               {"method", plan.method},
               {"level", duplicate_level_name(plan.level)},
               {"radius", plan.radius},
               {"keep", keep_rule_name(plan.keep)},
               {"calibration", plan.calibration.empty() ? Json() : Json::parse(plan.calibration, nullptr, false)},
               {"trash", plan.trash}};
  Json groups = Json::array();
  std::string list;
  std::uint64_t saved = 0;
  for (const PlannedGroup& group : plan.groups) {
    Json moves = Json::array();
    for (const PlannedMove& move : group.move) {
      Json entry = to_json(move.file);
      entry["level"] = duplicate_level_name(move.level);
      entry["distance"] = move.distance;
      moves.push_back(std::move(entry));
      list += move.file.path + "\n";
      saved += move.file.bytes;
    }
    groups.push_back({{"keep", to_json(group.keep)}, {"move", std::move(moves)}});
  }
  json["bytes_saved"] = saved;
  json["groups"] = std::move(groups);
  const std::string text = json.dump(1) + "\n";  // before anything is written: nothing here may fail between the two files
  write_file_atomically(fs, path + ".list", as_bytes(list));
  write_file_atomically(fs, path, as_bytes(text));
}

DedupPlan read_plan(FileSystem& fs, const std::string& path) {
  const std::vector<std::byte> bytes = read_file(fs, path, kMostBytes);
  if (nests_deeper_than(kMostDepth, as_text(bytes)))
    fail(ErrorCode::kCorrupt, path, " is not a plan of signet dedup: its brackets nest deeper than ", kMostDepth);
  const Json json = Json::parse(as_text(bytes), nullptr, false);
  if (!json.is_object() || !json.contains("format") || json["format"] != kFormat)
    fail(ErrorCode::kCorrupt, path, " is not a plan of signet dedup");
  const auto version = member<std::uint64_t>(json, "version", path);
  if (version > kVersion)
    fail(ErrorCode::kUnsupported, path, " has version ", version, "; this build reads up to ", kVersion, ": use a newer signet");
  DedupPlan plan;
  plan.made = member<std::string>(json, "made", path);
  plan.method = member<std::string>(json, "method", path);
  plan.level = named(parse_duplicate_level, member<std::string>(json, "level", path), path);
  plan.radius = member<std::uint32_t>(json, "radius", path);
  plan.keep = named(parse_keep_rule, member<std::string>(json, "keep", path), path);
  if (json.contains("calibration") && json["calibration"].is_object()) plan.calibration = json["calibration"].dump();
  plan.trash = member<std::string>(json, "trash", path);
  if (!plan.trash.starts_with('/'))
    fail(ErrorCode::kCorrupt, path, ": the trash folder \"", plan.trash, "\" is not an absolute path");
  const Json& groups = array_of(json, "groups", path);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::string where = concat(path, ", group ", g + 1);
    if (!groups[g].is_object() || !groups[g].contains("keep")) fail(ErrorCode::kCorrupt, where, " does not say what is kept");
    PlannedGroup group;
    group.keep = read_file_entry(groups[g]["keep"], where);
    for (const Json& entry : array_of(groups[g], "move", where)) {
      PlannedMove move;
      move.file = read_file_entry(entry, where);
      move.level = named(parse_duplicate_level, member<std::string>(entry, "level", where), where);
      move.distance = member<std::uint32_t>(entry, "distance", where);
      group.move.push_back(std::move(move));
    }
    plan.groups.push_back(std::move(group));
  }
  check_paths(plan, path, ErrorCode::kCorrupt);
  return plan;
}

}  // namespace signet
