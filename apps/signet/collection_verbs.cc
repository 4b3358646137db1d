#include "apps/signet/collection_verbs.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/signet/csv.h"
#include "apps/signet/data.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"
#include "signet/base/text.h"
#include "signet/code/code_set.h"
#include "signet/encode/model.h"
#include "signet/store/collection.h"
#include "signet/store/collection_tools.h"
#include "signet/store/collection_writer.h"

namespace signet::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMaxUserDepth = 64;  // of user_json that is printed as JSON; deeper nested, it is printed as text

FileSystem& files() { return real_file_system(); }

int create(const CollectionArguments& arguments) {
  if (arguments.model.empty() == (arguments.bits == 0)) {
    fail(ErrorCode::kUsage, "give either --model FILE or, for codes that no model of signet made, --bits K");
  }
  CreateOptions options;
  if (!arguments.model.empty()) {
    const ModelInfo info = read_model(files(), arguments.model).info;
    options.bits = info.bits;
    options.model = info.fingerprint;
    options.model_path = absolute_path(arguments.model);
    options.class_names = info.class_names;
  } else {
    check_bits(arguments.bits, "--bits");
    options.bits = static_cast<std::uint32_t>(arguments.bits);
  }
  CollectionWriter::create(files(), arguments.path, options);
  if (arguments.json)
    print_json({{"collection", arguments.path}, {"bits", options.bits}, {"model", options.model}});
  else
    std::cout << "made " << arguments.path << ", an empty collection for codes of " << options.bits << " bits\n";
  return 0;
}

std::vector<std::string> lines_of(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(files(), path, std::uint64_t{1} << 32);
  std::vector<std::string> lines;
  std::string line;
  for (const std::byte byte : bytes) {
    if (const char c = std::to_integer<char>(byte); c != '\n') {
      line += c;
      continue;
    }
    lines.push_back(std::move(line));
    line.clear();
  }
  if (!line.empty()) lines.push_back(std::move(line));
  for (std::string& one : lines)
    if (one.ends_with('\r')) one.pop_back();
  std::erase(lines, "");
  return lines;
}

template <typename T>
void sort_once(std::vector<T>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

int remove(const CollectionArguments& arguments) {
  std::vector<std::string> keys = arguments.keys;
  if (!arguments.keys_from.empty()) {
    const auto more = lines_of(arguments.keys_from);
    keys.insert(keys.end(), more.begin(), more.end());
  }
  std::vector<std::uint64_t> ids = arguments.ids;
  if (!arguments.label.empty()) {
    const auto view = Collection::open(files(), arguments.path)->view();
    const auto of_label = view->ids_with_label(parse_label(arguments.label, view->info().class_names));
    ids.insert(ids.end(), of_label.begin(), of_label.end());
  }
  if (keys.empty() && ids.empty() && arguments.label.empty())
    fail(ErrorCode::kUsage, "name what to remove: KEY..., --keys-from, --id or --label");
  const auto writer = CollectionWriter::open(files(), arguments.path);
  sort_once(keys);
  std::vector<std::string> missing;
  for (std::string& key : keys) {
    if (const auto record = find_key([&](const std::string& name) { return writer->find(name); }, key))
      ids.push_back(record->id);
    else
      missing.push_back(key);
  }
  sort_once(ids);
  const RemoveResult result = writer->remove_ids(ids);
  for (const std::uint64_t id : result.missing_ids) missing.push_back(concat("id ", id));
  if (arguments.json) {
    print_json({{"removed", result.removed}, {"missing", missing}, {"images", writer->info().images}});
  } else {
    std::cout << arguments.path << ": " << with_commas(result.removed) << " removed, " << with_commas(writer->info().images)
              << " left\n";
  }
  if (!missing.empty() && !arguments.ignore_missing) {
    fail(ErrorCode::kNotFound, missing.size(), " of the images to remove ", missing.size() == 1 ? "was" : "were", " not in ",
         arguments.path, ", the first: ", printable(missing.front()), result.removed > 0 ? " (the others are removed)" : "");
  }
  return 0;
}

Json to_json(const ImageRecord& record, const std::vector<std::string>& class_names) {
  Json labels = Json::array();
  for (const std::int32_t label : record.labels) labels.push_back(label_text({label}, class_names));
  Json object = {
      {"id", record.id},         {"key", record.key},     {"labels", std::move(labels)},       {"width", record.width},
      {"height", record.height}, {"bytes", record.bytes}, {"modified_ns", record.modified_ns}, {"sha256", record.sha256}};
  if (record.user_json.empty()) return object;
  // Printing recurses and indents by depth: nested without bound it would take the stack, and the square of the text.
  if (nests_deeper_than(kMaxUserDepth, record.user_json))
    object["user"] = record.user_json;
  else
    object["user"] = Json::parse(record.user_json, nullptr, false);
  return object;
}

// Calls `visit` for the images asked for, in ascending id, a block of records in memory at a time.
void for_each_record(const CollectionArguments& arguments, const CollectionView& view,
                     const std::function<void(const ImageRecord&)>& visit) {
  const bool filtered = !arguments.label.empty();
  const std::int32_t label = filtered ? parse_label(arguments.label, view.info().class_names) : 0;
  std::size_t left = arguments.limit == 0 ? static_cast<std::size_t>(-1) : arguments.limit;
  for (std::uint64_t after = arguments.after; left > 0;) {
    const auto block = view.list(after, filtered ? 4096 : std::min<std::size_t>(left, 4096));
    if (block.empty()) return;
    after = block.back().id;
    for (const ImageRecord& record : block) {
      if (filtered && std::find(record.labels.begin(), record.labels.end(), label) == record.labels.end()) continue;
      visit(record);
      if (--left == 0) return;
    }
  }
}

int list(const CollectionArguments& arguments) {
  if (arguments.json && arguments.csv) fail(ErrorCode::kUsage, "--json and --csv are two formats; give one of them");
  const auto view = Collection::open(files(), arguments.path)->view();
  const CollectionInfo info = view->info();
  if (arguments.json) {
    Json images = Json::array();
    for_each_record(arguments, *view, [&](const ImageRecord& record) { images.push_back(to_json(record, info.class_names)); });
    print_json({{"collection", arguments.path}, {"images", info.images}, {"listed", std::move(images)}});
    return 0;
  }
  const auto cells = [&](const ImageRecord& r) {
    return std::vector<std::string>{std::to_string(r.id), label_text(r.labels, info.class_names), concat(r.width, "x", r.height),
                                    std::to_string(r.bytes), r.key};
  };
  const std::vector<std::string> heading = {"id", "label", "size", "bytes", "key"};
  if (arguments.csv) {
    std::cout << csv_line(heading);
    for_each_record(arguments, *view, [&](const ImageRecord& record) { std::cout << csv_line(cells(record)); });
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {heading};
  for_each_record(arguments, *view, [&](const ImageRecord& record) {
    rows.push_back(cells(record));
    for (std::string& cell : rows.back()) cell = printable(cell);
  });
  print_table(rows);
  if (rows.size() - 1 < info.images)
    std::cout << with_commas(rows.size() - 1) << " of " << with_commas(info.images) << " images\n";
  return 0;
}

int compact(const CollectionArguments& arguments) {
  catch_interrupts();
  Meter meter("collection compact", arguments.quiet);
  const auto writer = CollectionWriter::open(files(), arguments.path);
  const CompactResult result = writer->compact(std::uint64_t{1} << 30, meter.callback());
  meter.clear();
  if (arguments.json) {
    print_json({{"segments_before", result.segments_before},
                {"segments_after", result.segments_after},
                {"codes_dropped", result.codes_dropped},
                {"bytes_before", result.bytes_before},
                {"bytes_after", result.bytes_after}});
  } else {
    std::cout << arguments.path << ": " << counted(result.codes_dropped, "removed code") << " dropped, segments "
              << result.segments_before << " -> " << result.segments_after << ", " << human_bytes(result.bytes_before) << " -> "
              << human_bytes(result.bytes_after) << '\n';
  }
  return 0;
}

Json damage_json(const std::vector<Damage>& damage) {
  Json list = Json::array();
  for (const Damage& one : damage) list.push_back({{"file", one.file}, {"message", one.message}});
  return list;
}

int verify(const CollectionArguments& arguments) {
  catch_interrupts();
  Meter meter("collection verify", arguments.quiet);
  ToolOptions options;
  options.progress = meter.callback();
  const VerifyReport report = verify_collection(files(), arguments.path, options);
  meter.clear();
  if (arguments.json) {
    print_json({{"ok", report.ok()},
                {"images", report.images},
                {"segments", report.segments},
                {"bytes", report.bytes},
                {"damage", damage_json(report.damage)}});
  } else {
    for (const Damage& damage : report.damage) std::cout << damage.file << ": " << printable(damage.message) << '\n';
    if (report.ok()) {
      std::cout << arguments.path << " is intact: " << counted(report.images, "image") << " in "
                << counted(report.segments, "segment") << ", " << human_bytes(report.bytes) << " read\n";
    }
  }
  if (!report.ok()) {
    fail(ErrorCode::kCorrupt, arguments.path, " is damaged in ", report.damage.size(),
         report.damage.size() == 1 ? " place" : " places", " (listed above); signet collection repair ", arguments.path,
         " keeps what is intact");
  }
  return 0;
}

Json repair_json(const RepairReport& report) {
  Json lost = Json::array();
  for (const ImageRecord& record : report.lost) lost.push_back({{"id", record.id}, {"key", record.key}});
  Json out = {{"changed", report.changed}, {"kept", report.kept}, {"damage", damage_json(report.damage)}};
  out["quarantined"] = report.quarantined;
  out["lost"] = std::move(lost);
  out["unnamed"] = report.unnamed;
  out["lost_ids"] = report.lost_ids;
  out["losses_unknown"] = report.losses_unknown;
  return out;
}

void print_repair(const std::string& path, const RepairReport& report) {
  if (!report.changed) {
    std::cout << path << " was intact: nothing was changed\n";
    return;
  }
  for (const Damage& damage : report.damage) std::cout << damage.file << ": " << printable(damage.message) << '\n';
  for (const std::string& file : report.quarantined) std::cout << "moved aside: " << file << '\n';
  for (const ImageRecord& record : report.lost) std::cout << "code lost, add it again: " << printable(record.key) << '\n';
  for (const std::uint64_t id : report.lost_ids) std::cout << "code and record lost: id " << id << '\n';
  for (const std::uint64_t id : report.unnamed) std::cout << "record lost, kept as recovered/" << id << '\n';
  std::cout << path << ": " << counted(report.kept, "image") << " kept, "
            << with_commas(report.lost.size() + report.lost_ids.size()) << " lost; the report is in its quarantine folder\n";
}

int repair(const CollectionArguments& arguments) {
  Meter meter("collection repair", arguments.quiet);
  ToolOptions options;
  options.progress = meter.callback();
  const RepairReport report = repair_collection(files(), arguments.path, options);
  meter.clear();
  if (arguments.json)
    print_json(repair_json(report));
  else
    print_repair(arguments.path, report);
  if (report.losses_unknown)
    fail(ErrorCode::kCorrupt, arguments.path,
         " is repaired, but what an interrupted repair has lost cannot be told (see above); signet add makes lost codes "
         "again from their pictures");
  if (const std::size_t lost = report.lost.size() + report.lost_ids.size(); lost > 0) {
    fail(ErrorCode::kCorrupt, arguments.path, " is repaired, but without ", counted(lost, "code"), " that ",
         lost == 1 ? "is" : "are", " lost (listed above); signet add makes them again from their pictures");
  }
  return 0;
}

int export_codes(const CollectionArguments& arguments) {
  catch_interrupts();
  Meter meter("collection export", arguments.quiet);
  const auto view = Collection::open(files(), arguments.path)->view();
  const std::uint64_t count = export_collection(*view, files(), arguments.out, meter.callback());
  meter.clear();
  if (arguments.json)
    print_json({{"out", arguments.out}, {"images", count}});
  else
    std::cout << "wrote " << arguments.out << ": " << counted(count, "code") << " of " << view->info().bits << " bits\n";
  return 0;
}

std::unique_ptr<CollectionWriter> open_or_create(const CollectionArguments& arguments) {
  if (is_collection(files(), arguments.path)) return CollectionWriter::open(files(), arguments.path);
  const CodeSet set = read_code_set(files(), arguments.codes);  // before a folder is made for nothing
  CreateOptions options;
  options.bits = set.codes.bits();
  options.model = set.model;
  options.root = set.root;
  options.class_names = set.class_names;
  return CollectionWriter::create(files(), arguments.path, options);
}

int import_codes(const CollectionArguments& arguments) {
  AddOptions add;
  add.keep_ids = arguments.keep_ids;
  if (arguments.on_existing == "replace")
    add.on_existing = OnExisting::kReplace;
  else if (arguments.on_existing == "skip")
    add.on_existing = OnExisting::kSkip;
  else if (arguments.on_existing != "refuse")
    fail(ErrorCode::kUsage, "--on-existing is \"", arguments.on_existing, "\"; it must be refuse, replace or skip");
  catch_interrupts();
  Meter meter("collection import", arguments.quiet);
  const auto writer = open_or_create(arguments);
  const AddResult result = import_collection(*writer, files(), arguments.codes, add, meter.callback());
  meter.clear();
  const std::size_t changed = result.replaced + result.updated;
  if (arguments.json) {
    print_json({{"added", result.added}, {"changed", changed}, {"skipped", result.skipped}, {"images", writer->info().images}});
  } else {
    std::cout << arguments.path << ": " << with_commas(result.added) << " added, " << with_commas(changed) << " changed, "
              << with_commas(result.skipped) << " left alone; " << counted(writer->info().images, "image") << '\n';
  }
  return 0;
}

int backup(const CollectionArguments& arguments) {
  catch_interrupts();
  Meter meter("collection backup", arguments.quiet);
  ToolOptions options;
  options.progress = meter.callback();
  backup_collection(files(), arguments.path, arguments.out, options);
  meter.clear();
  const CollectionInfo info = Collection::open(files(), arguments.out)->view()->info();
  if (arguments.json)
    print_json({{"out", arguments.out}, {"images", info.images}});
  else
    std::cout << "wrote " << arguments.out << ": a copy with " << counted(info.images, "image") << '\n';
  return 0;
}

}  // namespace

int run_collection_verb(const std::string& verb, const CollectionArguments& arguments) {
  if (verb == "create") return create(arguments);
  if (verb == "remove") return remove(arguments);
  if (verb == "list") return list(arguments);
  if (verb == "compact") return compact(arguments);
  if (verb == "verify") return verify(arguments);
  if (verb == "repair") return repair(arguments);
  if (verb == "export") return export_codes(arguments);
  if (verb == "import") return import_codes(arguments);
  if (verb == "backup") return backup(arguments);
  fail(ErrorCode::kInternal, "no function for the verb ", verb);
}

}  // namespace signet::cli
