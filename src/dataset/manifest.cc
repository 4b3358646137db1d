#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dataset/csv.h"
#include "dataset/listed.h"
#include "dataset/readers.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"

namespace signet::reader {
namespace {

constexpr std::uint64_t kMaxManifest = std::uint64_t{1} << 30;
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

struct Columns {
  std::size_t key = 0, label = 1, split = kNone;
  bool header = false;
};

struct Entry {
  std::string key, split;
  std::vector<std::string> labels;
  std::size_t line = 0;
};

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

std::size_t find_column(const CsvRow& row, std::initializer_list<std::string_view> names) {
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    std::string cell = trimmed(row.cells[i]);
    std::transform(cell.begin(), cell.end(), cell.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (std::find(names.begin(), names.end(), cell) != names.end()) return i;
  }
  return kNone;
}

// A first row that names a column "key" is a header, in any order of columns; without one the order is key, label, split.
Columns columns_of(const CsvRow& first, const std::string& path) {
  Columns columns;
  columns.key = find_column(first, {"key", "path", "file", "filename", "image"});
  if (columns.key == kNone) {
    if (first.cells.size() > 3) {
      fail(ErrorCode::kCorrupt, path, ": line ", first.line, " has ", first.cells.size(),
           " columns and no header; \"key,label\" or \"key,label,split\" would be right");
    }
    columns.key = 0;
    columns.label = first.cells.size() > 1 ? 1 : kNone;
    columns.split = first.cells.size() > 2 ? 2 : kNone;
    return columns;
  }
  columns.header = true;
  columns.label = find_column(first, {"label", "labels", "class"});
  columns.split = find_column(first, {"split"});
  return columns;
}

std::vector<std::string> split_labels(std::string_view cell) {
  std::vector<std::string> labels;
  while (!cell.empty()) {
    const std::size_t end = std::min(cell.find(';'), cell.size());
    std::string label = trimmed(cell.substr(0, end));
    if (!label.empty() && std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(std::move(label));
    cell.remove_prefix(std::min(end + 1, cell.size()));
  }
  return labels;
}

std::vector<Entry> read_entries(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(real_file_system(), path, kMaxManifest);
  if (bytes.empty()) fail(ErrorCode::kCorrupt, path, ": is empty; lines of \"key,label\" would be right");
  const char separator = path.ends_with(".tsv") || path.ends_with(".TSV") ? '\t' : ',';
  const std::vector<CsvRow> rows = parse_csv(bytes, separator, path);
  if (rows.empty()) fail(ErrorCode::kCorrupt, path, ": holds no lines; lines of \"key,label\" would be right");
  const Columns columns = columns_of(rows.front(), path);
  const std::size_t width = rows.front().cells.size();
  std::vector<Entry> entries;
  std::unordered_map<std::string, std::size_t> lines;
  for (std::size_t i = columns.header ? 1 : 0; i < rows.size(); ++i) {
    const CsvRow& row = rows[i];
    if (row.cells.size() != width) {
      fail(ErrorCode::kCorrupt, path, ": line ", row.line, " has ", counted(row.cells.size(), "column"), ", the first line has ",
           counted(width, "column"), "; every line needs as many");
    }
    Entry entry{.key = row.cells[columns.key], .split = {}, .labels = {}, .line = row.line};
    if (entry.key.empty())
      fail(ErrorCode::kCorrupt, path, ": line ", row.line, " has no key; the path of a picture would be right");
    const auto [other, fresh] = lines.emplace(entry.key, row.line);
    if (!fresh) {
      fail(ErrorCode::kInvalidArgument, path, ": line ", row.line, " repeats the key ", entry.key, " of line ", other->second,
           "; every key must be there once");
    }
    if (columns.label != kNone) entry.labels = split_labels(row.cells[columns.label]);
    if (columns.split != kNone) {
      const std::string split = trimmed(row.cells[columns.split]);
      entry.split = canonical_split(split).value_or(split);
    }
    entries.push_back(std::move(entry));
  }
  if (entries.empty())
    fail(ErrorCode::kInvalidArgument, path, ": holds a header and no lines; lines of \"key,label\" would be right");
  return entries;
}

std::vector<std::string> splits_of(const std::vector<Entry>& entries) {
  std::set<std::string> splits;
  for (const Entry& entry : entries) {
    if (!entry.split.empty()) splits.insert(entry.split);
  }
  return in_split_order({splits.begin(), splits.end()});
}

bool is_number(const std::string& text) { return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos; }

// Of two numbers of any length.
bool is_less(const std::string& a, const std::string& b) {
  const auto digits = [](std::string_view text) { return text.substr(std::min(text.find_first_not_of('0'), text.size())); };
  const std::string_view x = digits(a), y = digits(b);
  return x.size() != y.size() ? x.size() < y.size() : x < y;
}

// Names of all splits. Numbers are ordered by value, so that label 10 does not come before label 2; everything else bytewise.
std::vector<std::string> class_names_of(const std::vector<Entry>& entries) {
  std::set<std::string> distinct;
  for (const Entry& entry : entries) distinct.insert(entry.labels.begin(), entry.labels.end());
  std::vector<std::string> names(distinct.begin(), distinct.end());
  if (std::all_of(names.begin(), names.end(), is_number)) {
    std::stable_sort(names.begin(), names.end(), is_less);
  }
  return names;
}

}  // namespace

std::vector<std::string> manifest_splits(const std::string& path) { return splits_of(read_entries(path)); }

std::shared_ptr<const Dataset> open_manifest(const std::string& path, const DatasetOptions& options) {
  const std::vector<Entry> entries = read_entries(path);
  const std::vector<std::string> splits = splits_of(entries);
  const std::string split = select_split(path, splits, options.split);
  Listed::Parts parts;
  parts.class_names = class_names_of(entries);
  if (!splits.empty()) {
    parts.splits = splits;
    parts.splits.emplace_back();  // for rows that name none
  }
  std::unordered_map<std::string, std::int32_t> numbers;
  for (const std::string& name : parts.class_names) numbers.emplace(name, static_cast<std::int32_t>(numbers.size()));
  for (const Entry& entry : entries) {
    if (!split.empty() && entry.split != split) continue;
    std::vector<std::int32_t> labels;
    for (const std::string& label : entry.labels) labels.push_back(numbers.at(label));
    std::sort(labels.begin(), labels.end());
    parts.add(entry.key, labels);
    if (!splits.empty()) {
      const auto at = entry.split.empty() ? splits.end() : std::find(splits.begin(), splits.end(), entry.split);
      parts.split_of.push_back(static_cast<std::uint32_t>(at - splits.begin()));
    }
  }
  parts.description =
      concat("manifest, ", counted(parts.keys.size(), "picture"), split.empty() ? "" : concat(" of split ", split), ", ",
             parts.class_names.empty() ? "unlabelled" : counted(parts.class_names.size(), "class"));
  parts.load = [folder = parent_path(path), limits = options.limits](std::size_t, const std::string& key) {
    const std::string where = join_path(folder, key);
    const std::unique_ptr<MappedFile> file = real_file_system().map(where);
    return decode_image(file->data(), where, limits);
  };
  return std::make_shared<Listed>(std::move(parts));
}

}  // namespace signet::reader
