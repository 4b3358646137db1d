#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "signet/base/error.h"
#include "signet/base/text.h"
#include "signet/code/code_set.h"
#include "signet/store/collection_tools.h"
#include "store/rows.h"

namespace signet {
namespace {

using nlohmann::json;

constexpr std::size_t kPage = 10'000;   // records read at once
constexpr std::size_t kBatch = 50'000;  // records added in one commit
constexpr int kMostDepth = 16;          // of brackets in a line; lines that are exported nest one deep

std::string records_path(const std::string& folder) { return join_path(folder, "records.jsonl"); }
std::string verdicts_path(const std::string& folder) { return join_path(folder, "verdicts.jsonl"); }

std::string line_of(const ImageRecord& record) {
  json line = {{"id", record.id},         {"key", record.key},     {"width", record.width},
               {"height", record.height}, {"bytes", record.bytes}, {"modified_ns", record.modified_ns}};
  if (!record.sha256.empty()) line["sha256"] = record.sha256;
  if (!record.user_json.empty()) line["user_json"] = record.user_json;  // as text: it comes back byte for byte
  // Keys that are no UTF-8 are whole in keys.txt; here they are for reading.
  return line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

// A key as line_of writes it.
std::string readable(const std::string& key) {
  return json::parse(json(key).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
}

json parse_line(std::string_view text, const std::string& where) {
  if (nests_deeper_than(kMostDepth, text)) fail(ErrorCode::kCorrupt, where, ": brackets nest deeper than ", kMostDepth);
  json line = json::parse(text, nullptr, false);
  if (!line.is_object()) fail(ErrorCode::kCorrupt, where, " is not a JSON object");
  return line;
}

// A member of a line of records.jsonl, or `fallback` where it is absent.
template <typename T>
T member(const json& line, const char* name, const T& fallback, const std::string& where) {
  const auto found = line.find(name);
  if (found == line.end()) return fallback;
  bool good = false;
  if constexpr (std::is_same_v<T, std::string>) {
    good = found->is_string();
  } else if constexpr (std::is_signed_v<T>) {
    good = found->is_number_integer();
  } else {
    good = found->is_number_unsigned() && found->template get<std::uint64_t>() <= std::numeric_limits<T>::max();
  }
  if (!good) fail(ErrorCode::kCorrupt, where, ": \"", name, "\" has the wrong type or is out of range");
  return found->template get<T>();
}

// record: with the key that keys.txt has in this line.
void read_line(std::string_view text, const std::string& where, ImageRecord& record) {
  const json line = parse_line(text, where);
  const std::string key = member<std::string>(line, "key", record.key, where);
  if (key != record.key && key != readable(record.key)) {
    fail(ErrorCode::kMismatch, where, " is about the image \"", store::shown(key), "\", but that line of keys.txt says \"",
         store::shown(record.key), "\"; remove the file, or export codes and records together");
  }
  record.id = member<std::uint64_t>(line, "id", 0, where);
  record.width = member<std::uint32_t>(line, "width", 0, where);
  record.height = member<std::uint32_t>(line, "height", 0, where);
  record.bytes = member<std::uint64_t>(line, "bytes", 0, where);
  record.modified_ns = member<std::int64_t>(line, "modified_ns", 0, where);
  record.sha256 = member<std::string>(line, "sha256", "", where);
  record.user_json = member<std::string>(line, "user_json", "", where);
}

// Calls line(number from 0, text) for every line of a mapped file, so that its size does not matter.
template <typename Line>
std::size_t for_each_line(std::string_view text, const Line& line) {
  std::size_t number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    line(number++, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return number;
}

std::vector<ImageRecord> records_of(FileSystem& fs, const std::string& folder, const CodeSet& set, bool keep_ids) {
  std::vector<ImageRecord> records(set.codes.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    records[i].key = set.keys[i];
    if (!set.labels.empty()) records[i].labels = set.labels[i];
  }
  const std::string path = records_path(folder);
  if (!fs.exists(path)) {
    if (keep_ids) fail(ErrorCode::kNotFound, path, " is missing; ids can be kept only where it says them");
    return records;
  }
  const auto file = fs.map(path);
  const std::string_view text = as_text(file->data());
  const std::size_t lines = for_each_line(text, [&](std::size_t i, std::string_view line) {
    if (i < records.size()) read_line(line, concat(path, " line ", i + 1), records[i]);
  });
  if (lines != records.size())
    fail(ErrorCode::kMismatch, path, " has ", lines, " lines for the ", records.size(), " codes of codes.npy");
  return records;
}

// Verdicts of the folder, by ids as records.jsonl has them.
std::vector<Verdict> verdicts_of(FileSystem& fs, const std::string& folder) {
  std::vector<Verdict> verdicts;
  const std::string path = verdicts_path(folder);
  if (!fs.exists(path)) return verdicts;
  const auto file = fs.map(path);
  const std::string_view text = as_text(file->data());
  for_each_line(text, [&](std::size_t i, std::string_view words) {
    const std::string where = concat(path, " line ", i + 1);
    const json line = parse_line(words, where);
    if (!line.contains("duplicate") || !line["duplicate"].is_boolean())
      fail(ErrorCode::kCorrupt, where, " is not a JSON object with a, b and duplicate");
    const Verdict verdict{member<std::uint64_t>(line, "a", 0, where), member<std::uint64_t>(line, "b", 0, where),
                          line["duplicate"].get<bool>()};
    if (verdict.a == 0 || verdict.b == 0 || verdict.a == verdict.b)
      fail(ErrorCode::kCorrupt, where, ": a and b are not the ids of two images");
    verdicts.push_back(verdict);
  });
  return verdicts;
}

bool same_picture(const ImageRecord& a, const ImageRecord& b) {
  return a.sha256 == b.sha256 && a.width == b.width && a.height == b.height;
}

// Carries verdicts over to the ids that the images get here.
class VerdictCarrier {
 public:
  // Before anything is added: a key that is there already and stays as it is may be another picture, on which nothing was said.
  VerdictCarrier(const CollectionWriter& writer, std::vector<Verdict> verdicts, std::span<const ImageRecord> records,
                 OnExisting on_existing)
      : verdicts_(std::move(verdicts)) {
    std::unordered_set<std::uint64_t> wanted;
    for (const Verdict& verdict : verdicts_) wanted.insert({verdict.a, verdict.b});
    for (std::size_t i = 0; i < records.size() && !wanted.empty(); ++i) {
      if (!wanted.contains(records[i].id)) continue;
      const auto known = on_existing == OnExisting::kSkip ? writer.find(records[i].key) : std::nullopt;
      if (!known || same_picture(*known, records[i])) row_of_.emplace(records[i].id, i);
    }
  }
  // ids: those that the records have now.
  void carry(CollectionWriter& writer, std::span<const std::uint64_t> ids) {
    std::vector<Verdict> here;
    for (const Verdict& verdict : verdicts_) {
      const auto a = row_of_.find(verdict.a), b = row_of_.find(verdict.b);
      if (a == row_of_.end() || b == row_of_.end()) continue;  // of images that are not in the folder any more
      here.push_back({ids[a->second], ids[b->second], verdict.duplicate});
    }
    if (!here.empty()) writer.set_verdicts(here);
  }

 private:
  std::vector<Verdict> verdicts_;
  std::unordered_map<std::uint64_t, std::size_t> row_of_;  // id in the folder to its row there
};

void export_records(const CollectionView& view, FileSystem& fs, const std::string& folder) {
  write_file_atomically(fs, records_path(folder), [&](WritableFile& file) {
    std::uint64_t after = 0;
    for (auto page = view.list(after, kPage); !page.empty(); page = view.list(after, kPage)) {
      std::string text;
      for (const ImageRecord& record : page) text += line_of(record);
      file.append(as_bytes(text));
      after = page.back().id;
    }
  });
}

void export_verdicts(const CollectionView& view, FileSystem& fs, const std::string& folder) {
  const std::vector<Verdict> verdicts = view.verdicts();
  if (verdicts.empty()) return;
  write_file_atomically(fs, verdicts_path(folder), [&](WritableFile& file) {
    std::string text;
    for (const Verdict& verdict : verdicts)
      text += json({{"a", verdict.a}, {"b", verdict.b}, {"duplicate", verdict.duplicate}}).dump() + "\n";
    file.append(as_bytes(text));
  });
}

// The collection gets the set's class names where they go on from its own.
void take_class_names(CollectionWriter& writer, const std::string& folder, const CodeSet& set) {
  const auto known = writer.info().class_names;
  const std::size_t common = std::min(known.size(), set.class_names.size());
  if (!std::equal(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(common), set.class_names.begin())) {
    fail(ErrorCode::kMismatch, folder, " has other class names than the collection; its label numbers mean other things");
  }
  if (set.class_names.size() > known.size()) writer.set_class_names(set.class_names);
}

}  // namespace

std::uint64_t export_collection(const CollectionView& view, FileSystem& fs, const std::string& folder,
                                const ProgressFn& progress) {
  const CollectionInfo info = view.info();
  CodeSet set;
  set.codes = CodeMatrix(info.images, info.bits);
  set.class_names = info.class_names;
  set.model = info.model;
  set.root = info.root;
  bool labelled = false;
  check_code_folder(fs, folder);
  std::uint64_t after = 0;
  for (auto page = view.list(after, kPage); !page.empty(); page = view.list(after, kPage)) {
    for (const ImageRecord& record : page) {
      if (set.keys.size() == info.images)
        fail(ErrorCode::kCorrupt, "the catalog holds more images than its state row says; run verify");
      std::ranges::copy(view.code(record.id), set.codes.row(set.keys.size()).begin());
      set.keys.push_back(record.key);
      set.labels.push_back(record.labels);
      labelled = labelled || !record.labels.empty();
    }
    after = page.back().id;
    if (progress && !progress({"export", set.keys.size(), info.images, ""}))
      fail(ErrorCode::kCancelled, "the export to ", folder, " was stopped");
  }
  if (set.keys.size() != info.images)
    fail(ErrorCode::kCorrupt, "the catalog holds fewer images than its state row says; run verify");
  if (!labelled) set.labels.clear();
  // The set first: it takes records and verdicts of an older one away, and a folder that has it can be exported to again.
  write_code_set(fs, folder, set);
  export_records(view, fs, folder);
  export_verdicts(view, fs, folder);
  return info.images;
}

AddResult import_collection(CollectionWriter& writer, FileSystem& fs, const std::string& folder, const AddOptions& add,
                            const ProgressFn& progress) {
  const CodeSet set = read_code_set(fs, folder);
  const auto records = records_of(fs, folder, set, add.keep_ids);
  VerdictCarrier verdicts(writer, verdicts_of(fs, folder), records, add.on_existing);
  take_class_names(writer, folder, set);
  AddResult sum;
  for (std::size_t begin = 0; begin < records.size(); begin += kBatch) {
    const std::size_t count = std::min(kBatch, records.size() - begin);
    std::vector<std::size_t> rows(count);
    for (std::size_t i = 0; i < count; ++i) rows[i] = begin + i;
    const CodeMatrix codes = set.codes.rows(rows);
    const AddResult part = writer.add({&codes, std::span(records).subspan(begin, count), set.model}, add);
    sum.ids.insert(sum.ids.end(), part.ids.begin(), part.ids.end());
    sum.added += part.added;
    sum.replaced += part.replaced;
    sum.updated += part.updated;
    sum.skipped += part.skipped;
    if (progress && !progress({"import", begin + count, records.size(), ""})) {
      fail(ErrorCode::kCancelled, "the import of ", folder, " was stopped after ", begin + count,
           " images, which are in the collection");
    }
  }
  verdicts.carry(writer, sum.ids);
  return sum;
}

}  // namespace signet
