#include "signet/code/code_set.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "signet/base/crc32c.h"
#include "signet/base/error.h"
#include "signet/base/text.h"
#include "signet/code/npy.h"

namespace signet {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxJsonBytes = std::uint64_t{16} << 20;
constexpr std::size_t kMaxKeyBytes = 65535;
constexpr std::string_view kFormat = "signet-codes";
constexpr std::uint64_t kVersion = 1;

bool is_fingerprint(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Calls line(i, text) for every line. Throws kMismatch unless there are `count` of them.
template <typename Line>
void for_each_line(std::span<const std::byte> bytes, const std::string& path, std::size_t count, const Line& line) {
  std::string_view rest = as_text(bytes);
  std::size_t i = 0;
  for (; !rest.empty(); ++i) {
    if (i == count) fail(ErrorCode::kMismatch, path, ": more lines than the ", count, " codes of codes.npy");
    const std::string_view text = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), text.size() + 1));
    line(i, text);
  }
  if (i != count) fail(ErrorCode::kMismatch, path, ": ", i, " lines for the ", count, " codes of codes.npy");
}

const char* key_defect(std::string_view key) {
  if (key.size() > kMaxKeyBytes) return "is longer than 65,535 bytes";
  if (key.find_first_of(std::string_view("\n\r\0", 3)) != std::string_view::npos) return "contains a line break or a zero byte";
  return nullptr;
}

std::vector<std::string> parse_keys(std::span<const std::byte> bytes, const std::string& path, std::size_t count) {
  std::vector<std::string> keys;
  for_each_line(bytes, path, count, [&](std::size_t i, std::string_view text) {
    if (const char* defect = key_defect(text)) fail(ErrorCode::kCorrupt, path, ": the key in line ", i + 1, " ", defect);
    keys.emplace_back(text);
  });
  return keys;
}

std::vector<std::int32_t> parse_label_list(std::string_view text, const std::string& path, std::size_t line,
                                           std::size_t classes) {
  std::vector<std::int32_t> labels;
  while (!text.empty()) {
    const std::string_view number = text.substr(0, text.find(';'));
    std::int32_t label = -1;
    const auto [end, status] = std::from_chars(number.data(), number.data() + number.size(), label);
    if (status != std::errc{} || end != number.data() + number.size() || label < 0) {
      fail(ErrorCode::kCorrupt, path, ": line ", line, ": '", number.substr(0, 40),
           "' is not a label (a number from 0 to 2147483647)");
    }
    if (classes > 0 && static_cast<std::size_t>(label) >= classes) {
      fail(ErrorCode::kMismatch, path, ": line ", line, ": label ", label, " has no name among the ", classes,
           " class_names of codes.json");
    }
    labels.push_back(label);
    if (number.size() == text.size()) break;
    text.remove_prefix(number.size() + 1);
    if (text.empty()) fail(ErrorCode::kCorrupt, path, ": line ", line, " ends with ';'");
  }
  return labels;
}

// What codes.json says, types checked.
struct Manifest {
  std::uint32_t bits = 0;
  std::uint64_t count = 0;
  bool labels = false;
  CodeSet set;  // its model, root and class_names
  json files;
};

// Typed access to the members of codes.json; every complaint names the file and the key.
class Members {
 public:
  Members(const json& object, const std::string& path) : object_(object), path_(path) {
    if (!object.is_object()) fail(ErrorCode::kCorrupt, path, ": not a JSON object");
  }
  std::uint64_t number(const char* key) const {
    const json* value = find(key);
    if (value == nullptr) fail(ErrorCode::kCorrupt, path_, ": '", key, "' is missing");
    if (!value->is_number_unsigned()) wrong(key, "a whole number from 0 up");
    return value->get<std::uint64_t>();
  }
  std::string text(const char* key) const {
    const json* value = find(key);
    if (value == nullptr) return "";
    if (!value->is_string()) wrong(key, "a string");
    return value->get<std::string>();
  }
  bool flag(const char* key) const {
    const json* value = find(key);
    if (value == nullptr) return false;
    if (!value->is_boolean()) wrong(key, "true or false");
    return value->get<bool>();
  }
  std::vector<std::string> texts(const char* key) const {
    const json* value = find(key);
    if (value == nullptr) return {};
    if (!value->is_array() || !std::all_of(value->begin(), value->end(), [](const json& item) { return item.is_string(); })) {
      wrong(key, "an array of strings");
    }
    return value->get<std::vector<std::string>>();
  }
  json object(const char* key) const {
    const json* value = find(key);
    if (value == nullptr) return json::object();
    if (!value->is_object()) wrong(key, "an object");
    return *value;
  }

 private:
  const json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }
  [[noreturn]] void wrong(const char* key, const char* right) const {
    fail(ErrorCode::kCorrupt, path_, ": '", key, "' must be ", right);
  }
  const json& object_;
  const std::string& path_;
};

Manifest parse_manifest(std::span<const std::byte> bytes, const std::string& path) {
  if (bytes.size() > kMaxJsonBytes)
    fail(ErrorCode::kCorrupt, path, ": ", bytes.size(), " bytes; codes.json has at most ", kMaxJsonBytes);
  const std::string_view text = as_text(bytes);
  if (nests_deeper_than(16, text)) fail(ErrorCode::kCorrupt, path, ": brackets nest deeper than in any codes.json");
  const json document = json::parse(text, nullptr, false);
  if (document.is_discarded()) fail(ErrorCode::kCorrupt, path, ": not valid JSON");
  const Members members(document, path);
  if (members.text("format") != kFormat) fail(ErrorCode::kCorrupt, path, ": 'format' must be \"", kFormat, "\"");
  const std::uint64_t version = members.number("version");
  if (version != kVersion) fail(ErrorCode::kUnsupported, path, ": version ", version, "; this build reads version ", kVersion);
  Manifest manifest;
  const std::uint64_t bits = members.number("bits");
  check_bits(bits, path);
  manifest.bits = static_cast<std::uint32_t>(bits);
  manifest.count = members.number("count");
  manifest.labels = members.flag("labels");
  manifest.set.model = members.text("model");
  manifest.set.root = members.text("root");
  manifest.set.class_names = members.texts("class_names");
  manifest.files = members.object("files");
  if (!manifest.set.model.empty() && !is_fingerprint(manifest.set.model)) {
    fail(ErrorCode::kCorrupt, path, ": 'model' must be empty or 64 lower-case hex digits");
  }
  return manifest;
}

// Throws unless the file has the length and checksum that codes.json wrote down for it, if it did.
void check_recorded(const Manifest& manifest, const std::string& json_path, const std::string& path,
                    std::span<const std::byte> bytes) {
  const auto found = manifest.files.find(file_name(path));
  if (found == manifest.files.end()) return;
  const Members record(*found, json_path);
  if (record.number("bytes") != bytes.size()) {
    fail(ErrorCode::kCorrupt, path, ": ", bytes.size(), " bytes where ", json_path, " says ", record.number("bytes"));
  }
  if (record.number("crc32c") != crc32c(bytes))
    fail(ErrorCode::kCorrupt, path, ": its checksum differs from the one in ", json_path);
}

void check_set(const CodeSet& set, const std::string& folder) {
  const std::size_t count = set.codes.size();
  check_bits(set.codes.bits(), folder);
  if (set.keys.size() != count) fail(ErrorCode::kMismatch, folder, ": ", set.keys.size(), " keys for ", count, " codes");
  if (!set.labels.empty() && set.labels.size() != count) {
    fail(ErrorCode::kMismatch, folder, ": ", set.labels.size(), " label lists for ", count, " codes");
  }
  if (!set.model.empty() && !is_fingerprint(set.model)) {
    fail(ErrorCode::kInvalidArgument, folder, ": the model's fingerprint must be 64 lower-case hex digits, not '", set.model,
         "'");
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (const char* defect = key_defect(set.keys[i]))
      fail(ErrorCode::kInvalidArgument, folder, ": the key of code ", i, " ", defect);
  }
  for (std::size_t i = 0; i < set.labels.size(); ++i) {
    for (const std::int32_t label : set.labels[i]) {
      if (label < 0 || (!set.class_names.empty() && static_cast<std::size_t>(label) >= set.class_names.size())) {
        fail(ErrorCode::kInvalidArgument, folder, ": label ", label, " of code ", i, " has no class name");
      }
    }
  }
}

std::string keys_text(const CodeSet& set) {
  std::string text;
  for (const std::string& key : set.keys) text.append(key).append("\n");
  return text;
}

std::string labels_text(const CodeSet& set) {
  std::string text;
  for (const auto& labels : set.labels) {
    for (std::size_t i = 0; i < labels.size(); ++i) text.append(i == 0 ? "" : ";").append(std::to_string(labels[i]));
    text += '\n';
  }
  return text;
}

std::string json_text(const CodeSet& set, const json& files, const std::string& path) {
  const json document{{"format", kFormat},
                      {"version", kVersion},
                      {"bits", set.codes.bits()},
                      {"count", set.codes.size()},
                      {"model", set.model},
                      {"root", set.root},
                      {"labels", !set.labels.empty()},
                      {"files", files},
                      {"class_names", set.class_names}};
  try {
    return document.dump(1) + "\n";
  } catch (const json::exception&) {
    fail(ErrorCode::kInvalidArgument, path, ": the root folder and the class names must be UTF-8");
  }
}

// Files written completely under temporary names, then renamed together. What is not committed is removed.
class Staging {
 public:
  Staging(FileSystem& fs, std::string folder) : fs_(fs), folder_(std::move(folder)) {}
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging() {
    for (const auto& [temp, path] : staged_) {
      try {
        fs_.remove(temp);
      } catch (const Error&) {  // a temporary file stays behind, recognisable by its name
      }
    }
  }

  // `write` fills the file it is given the path of; adds its length and checksum to files().
  template <typename Write>
  void add(const std::string& name, const Write& write) {
    const std::string path = join_path(folder_, name);
    const std::string temp = temp_path(path);
    write(temp);
    staged_.emplace_back(temp, path);
    const std::unique_ptr<MappedFile> file = fs_.map(temp);
    files_[name] = {{"bytes", file->data().size()}, {"crc32c", crc32c(file->data())}};
  }
  const json& files() const { return files_; }

  void commit() {
    while (!staged_.empty()) {
      fs_.rename(staged_.front().first, staged_.front().second);
      staged_.erase(staged_.begin());
    }
    fs_.sync_directory(folder_);
  }

 private:
  FileSystem& fs_;
  std::string folder_;
  std::vector<std::pair<std::string, std::string>> staged_;  // temporary name, final name
  json files_ = json::object();
};

bool is_code_folder(FileSystem& fs, const std::string& folder) {
  const std::string path = join_path(folder, "codes.json");
  if (!fs.exists(path)) return false;
  const std::unique_ptr<MappedFile> file = fs.map(path);
  const std::string_view text = as_text(file->data());
  if (text.size() > kMaxJsonBytes || nests_deeper_than(16, text)) return false;
  const json document = json::parse(text, nullptr, false);
  const auto format = document.find("format");
  return format != document.end() && *format == json(kFormat);
}

void refuse_others_files(FileSystem& fs, const std::string& folder, std::initializer_list<const char*> names) {
  const auto there =
      std::find_if(names.begin(), names.end(), [&](const char* name) { return fs.exists(join_path(folder, name)); });
  if (there != names.end() && !is_code_folder(fs, folder))
    fail(ErrorCode::kInvalidArgument, folder, " is no folder of codes, and its ", *there,
         " would be lost; name a new folder, or move that file away");
}

}  // namespace

void check_code_folder(FileSystem& fs, const std::string& folder) {
  refuse_others_files(
      fs, folder,
      {"codes.json", "codes.npy", "keys.txt", "labels.txt", "records.jsonl", "verdicts.jsonl", "outputs.npy", "skipped.csv"});
}

void write_code_set(FileSystem& fs, const std::string& folder, const CodeSet& set) {
  check_set(set, folder);
  check_code_folder(fs, folder);
  fs.create_directory(folder);
  Staging staging(fs, folder);
  const auto write_text = [&fs](const std::string& text) {
    return [&fs, &text](const std::string& path) { write_file_atomically(fs, path, as_bytes(text)); };
  };
  staging.add("codes.npy", [&](const std::string& path) { write_codes_npy(fs, path, set.codes); });
  const std::string keys = keys_text(set);
  staging.add("keys.txt", write_text(keys));
  const std::string labels = labels_text(set);
  if (!set.labels.empty()) staging.add("labels.txt", write_text(labels));
  const std::string text = json_text(set, staging.files(), folder);
  staging.add("codes.json", write_text(text));
  staging.commit();
  // What is left of an older set would be taken for a part of this one.
  std::vector<std::string> stale{"outputs.npy", "skipped.csv", "records.jsonl", "verdicts.jsonl"};
  if (set.labels.empty()) stale.push_back("labels.txt");
  std::erase_if(stale, [&](const std::string& name) { return !fs.exists(join_path(folder, name)); });
  for (const std::string& name : stale) fs.remove(join_path(folder, name));
  if (!stale.empty()) fs.sync_directory(folder);
}

CodeSet read_code_set(FileSystem& fs, const std::string& folder) {
  const std::string json_path = join_path(folder, "codes.json");
  if (!fs.exists(json_path)) fail(ErrorCode::kNotFound, folder, ": no codes.json; a folder of codes is made by signet encode");
  Manifest manifest = parse_manifest(fs.map(json_path)->data(), json_path);
  CodeSet set = std::move(manifest.set);
  const std::string codes_path = join_path(folder, "codes.npy");
  check_recorded(manifest, json_path, codes_path, fs.map(codes_path)->data());
  set.codes = read_codes_npy(fs, codes_path, manifest.bits);
  if (set.codes.size() != manifest.count) {
    fail(ErrorCode::kMismatch, codes_path, ": ", set.codes.size(), " codes where ", json_path, " says ", manifest.count);
  }
  const std::string keys_path = join_path(folder, "keys.txt");
  const std::unique_ptr<MappedFile> keys = fs.map(keys_path);
  check_recorded(manifest, json_path, keys_path, keys->data());
  set.keys = parse_keys(keys->data(), keys_path, set.codes.size());
  if (manifest.labels) {
    const std::string labels_path = join_path(folder, "labels.txt");
    const std::unique_ptr<MappedFile> labels = fs.map(labels_path);
    check_recorded(manifest, json_path, labels_path, labels->data());
    for_each_line(labels->data(), labels_path, set.codes.size(), [&](std::size_t i, std::string_view text) {
      set.labels.push_back(parse_label_list(text, labels_path, i + 1, set.class_names.size()));
    });
  }
  return set;
}

}  // namespace signet
