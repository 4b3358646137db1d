#include <algorithm>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "apps/signet/eval_session.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/base/text.h"
#include "signet/eval/compare.h"

namespace signet::cli {
namespace {

using nlohmann::json;

std::string share(double value) { return value < 0 ? "-" : fixed(value, 4); }

EvalSummaryRow parse_row(const json& entry, const std::string& name) {
  EvalSummaryRow row;
  row.name = name;
  const auto number = [&](const char* key) { return entry.at(key).is_null() ? -1.0 : entry.at(key).get<double>(); };
  row.protocol = entry.at("protocol");
  row.method = entry.value("method", "signet");
  row.dataset = entry.value("dataset", "");
  if (row.dataset.starts_with("codes ")) row.dataset.clear();  // names files, not a data set: each seed has its own
  row.model = entry.value("model", "");
  row.bits = entry.at("bits");
  row.seed = entry.at("seed");
  row.queries = entry.at("queries");
  row.without_relevant = entry.value("queries_without_relevant", std::uint64_t{0});
  row.database = entry.at("database");
  row.distinct_codes = entry.at("distinct_codes");
  row.map = number("map");
  row.map_optimistic = number("map_optimistic");
  row.map_pessimistic = number("map_pessimistic");
  row.class_id_map = number("class_id_map");
  row.float_map = number("float_map");
  row.precision_at_radius_2 = number("precision_at_radius_2");
  if (entry.contains("protocol_detail")) row.cutoff = entry["protocol_detail"].value("cutoff", std::uint64_t{0});
  if (entry.contains("notes")) row.notes = entry["notes"].get<std::vector<std::string>>();
  return row;
}

// mAP and mAP@R are two numbers.
std::string meaning_of(const std::string& protocol, std::uint64_t cutoff) {
  return cutoff > 0 ? concat(protocol, "@", cutoff) : protocol;
}

// Numbers of equal groups may be averaged.
auto group_of(const EvalSummaryRow& r) {
  return std::tie(r.protocol, r.bits, r.method, r.dataset, r.cutoff, r.queries, r.database);
}

void print_means(const std::vector<EvalSummaryRow>& rows) {
  std::map<decltype(group_of(rows[0])), std::vector<double>> groups;
  for (const EvalSummaryRow& row : rows) groups[group_of(row)].push_back(row.map);
  for (const auto& [group, values] : groups) {
    if (values.size() < 2) continue;
    const Spread spread = spread_of(values);
    std::cout << printable(meaning_of(std::get<0>(group), std::get<4>(group))) << " at " << std::get<1>(group) << " bits: mAP "
              << fixed(spread.mean, 4) << " +- " << fixed(spread.deviation, 4) << " (mean and standard deviation of "
              << values.size() << " runs)\n";
  }
}

std::vector<TrainingPoint> points_of(const std::vector<json>& events) {
  std::vector<TrainingPoint> points;
  double images = 0, loss = 0;
  for (const json& event : events) {
    const std::string kind = event.value("event", "");
    if (kind == "start" || kind == "resume") {
      images = event.value("training_images", 0.0);
      // A resumed run repeats what lay after its checkpoint.
      const double from = images > 0 ? event.value("image_passes", 0.0) / images : 0;
      std::erase_if(points, [&](const TrainingPoint& point) { return point.epoch > from; });
      continue;
    }
    if ((kind != "step" && kind != "validation") || images <= 0) continue;
    TrainingPoint point;
    point.stage = event.value("stage", "");
    point.epoch = event.value("image_passes", 0.0) / images;
    if (event.contains("loss") && event["loss"].is_number()) loss = event["loss"];
    point.loss = loss;
    if (event.contains("map") && event["map"].is_number()) point.validation_map = event["map"];
    points.push_back(std::move(point));
  }
  return points;
}

}  // namespace

std::vector<EvalSummaryRow> parse_eval_json(const std::string& text, const std::string& name) {
  try {
    const json entries = json::parse(text);
    std::vector<EvalSummaryRow> rows;
    if (!entries.is_array()) fail(ErrorCode::kCorrupt, name, " is no array of evaluations as signet eval --json prints it");
    for (const json& entry : entries) rows.push_back(parse_row(entry, name));
    return rows;
  } catch (const json::exception& error) {
    fail(ErrorCode::kCorrupt, name, " is not what signet eval --json prints: ", json_defect(error.what()));
  }
}

void print_eval_summary(const std::vector<EvalSummaryRow>& rows) {
  std::vector<std::vector<std::string>> table = {{"protocol", "bits", "seed", "mAP", "worst ties", "best ties", "class number",
                                                  "float", "P@r2", "codes", "queries", "database"}};
  std::set<std::string> notes;
  bool bounds = false;
  for (const EvalSummaryRow& row : rows) {
    const std::string meaning = meaning_of(row.protocol, row.cutoff);
    bounds = bounds || row.class_id_map >= 0 || row.float_map >= 0;
    table.push_back({meaning, std::to_string(row.bits), std::to_string(row.seed), share(row.map), share(row.map_pessimistic),
                     share(row.map_optimistic), share(row.class_id_map), share(row.float_map), share(row.precision_at_radius_2),
                     with_commas(row.distinct_codes), with_commas(row.queries), with_commas(row.database)});
    for (const std::string& one : row.notes) notes.insert(concat(meaning, ": ", one));
    if (row.without_relevant > 0)
      notes.insert(concat(meaning, ": queries without a relevant image, which are left out of the means: ",
                          with_commas(row.without_relevant), " of ", with_commas(row.queries)));
  }
  print_table(table);
  std::cout << "mAP is expected over ties"
            << (bounds ? "; class number and float are of the same network: its arg-max class as a code, and the cosine\n"
                         "ranking of its features without any coding.\n"
                       : ".\n");
  for (const std::string& one : notes) std::cout << "note: " << printable(one) << '\n';
  print_means(rows);
}

void refuse_repeats(const std::vector<EvalSummaryRow>& rows) {
  const auto run_of = [](const EvalSummaryRow& r) {
    return std::tuple_cat(group_of(r), std::tie(r.model.empty() ? r.name : r.model, r.seed));
  };
  std::map<decltype(run_of(rows[0])), const EvalSummaryRow*> runs;
  for (const EvalSummaryRow& row : rows) {
    const auto [before, is_new] = runs.emplace(run_of(row), &row);
    if (!is_new)
      fail(ErrorCode::kInvalidArgument, row.name, " holds the run that ", before->second->name, " holds too (", row.protocol,
           " at ", row.bits, " bits, model ", row.model.empty() ? "not named" : row.model.substr(0, 12), ", seed ", row.seed,
           "); name each run once");
  }
}

std::vector<TrainingPoint> read_training_log(const std::string& path) {
  const std::string text = read_text_file(real_file_system(), path, std::uint64_t{1} << 30);
  std::vector<json> events;
  std::size_t line = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    ++line;
    if (end > begin) {
      json event = json::parse(text.substr(begin, end - begin), nullptr, false);
      // The last line may be cut where training was killed.
      if (!event.is_object() && end < text.size())
        fail(ErrorCode::kCorrupt, path, " line ", line, " is no JSON object; a log of signet train has one a line");
      if (event.is_object()) events.push_back(std::move(event));
    }
    begin = end + 1;
  }
  try {
    return points_of(events);
  } catch (const json::exception& error) {
    fail(ErrorCode::kCorrupt, path, " is no log of signet train: ", json_defect(error.what()));
  }
}

}  // namespace signet::cli
