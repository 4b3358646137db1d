#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "apps/signet/eval_session.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/code/code_set.h"
#include "signet/code/first_bits.h"
#include "signet/code/npy.h"

namespace signet::cli {
namespace {

using Labels = std::vector<std::vector<std::int32_t>>;

template <typename T>
Labels rows_of(const NpyArray& array, const std::string& path) {
  const auto values = array.as<T>();
  const std::size_t count = array.shape[0];
  Labels labels(count);
  if (array.shape.size() == 1) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = static_cast<std::int64_t>(values[i]);
      if (value < -1 || value > 0x7FFFFFFF)
        fail(ErrorCode::kInvalidArgument, path, " has label ", value, " in row ", i, "; labels are 0 to 2147483647, -1 unknown");
      if (value >= 0) labels[i].push_back(static_cast<std::int32_t>(value));
    }
    return labels;
  }
  for (std::size_t i = 0; i < count; ++i) {  // one column a class, anything but 0 means "has it"
    for (std::size_t c = 0; c < array.shape[1]; ++c) {
      if (values[i * array.shape[1] + c] != 0) labels[i].push_back(static_cast<std::int32_t>(c));
    }
  }
  return labels;
}

Labels read_npy_labels(const std::string& path) {
  const NpyArray array = read_npy(real_file_system(), path);
  switch (array.type) {
    case NpyType::kUint8:
      return rows_of<std::uint8_t>(array, path);
    case NpyType::kInt32:
      return rows_of<std::int32_t>(array, path);
    case NpyType::kInt64:
      return rows_of<std::int64_t>(array, path);
    case NpyType::kFloat32:
      break;
  }
  fail(ErrorCode::kUnsupported, path,
       " holds float32; labels are uint8, int32 or int64: one number a code, or one column of 0 and 1 a class");
}

using Names = std::vector<std::vector<std::string>>;

// One line a code: labels separated by ';', in the last column.
Names read_csv_labels(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(real_file_system(), path, std::uint64_t{1} << 32);
  Names labels;
  std::string name;
  std::vector<std::string> row;
  const auto take_name = [&] {
    if (!name.empty()) row.push_back(std::move(name));
    name.clear();
  };
  for (const std::byte byte : bytes) {
    const char c = std::to_integer<char>(byte);
    if (c == '\n') {
      take_name();
      labels.push_back(std::move(row));
      row.clear();
    } else if (c == ',' || c == '\t') {
      name.clear();
      row.clear();
    } else if (c == ';') {
      take_name();
    } else if (c != '\r') {
      name += c;
    }
  }
  take_name();
  if (!row.empty()) labels.push_back(std::move(row));
  return labels;
}

struct CodesSide {
  CodeSet set;
  Names names;  // the labels, where a .csv file names them; set.labels is then empty until number_names()
  std::string path, label_path;
  bool is_named() const { return !names.empty(); }
  std::size_t label_count() const { return is_named() ? names.size() : set.labels.size(); }
};

CodesSide read_side(const std::string& path, const std::string& label_path, const EvalArguments& arguments) {
  CodesSide side;
  side.path = path;
  side.label_path = label_path.empty() ? path : label_path;
  if (path.ends_with(".npy")) {
    side.set.codes = read_codes_npy(real_file_system(), path, static_cast<std::uint32_t>(arguments.bits));
  } else {
    side.set = read_code_set(real_file_system(), path);
  }
  if (label_path.ends_with(".npy"))
    side.set.labels = read_npy_labels(label_path);
  else if (!label_path.empty())
    side.names = read_csv_labels(label_path);
  if (side.label_count() == 0)
    fail(ErrorCode::kInvalidArgument, path, " has no labels; --labels and --database-labels take them from a .npy or .csv file");
  if (side.label_count() != side.set.codes.size()) {
    fail(ErrorCode::kMismatch, side.label_path, " has ", side.label_count(), " labels, but ", path, " has ",
         side.set.codes.size(), " codes");
  }
  if (const std::uint64_t used = arguments.bits_used, bits = side.set.codes.bits(); used > bits)
    fail(ErrorCode::kInvalidArgument, "--bits-used ", used, " is more than the ", bits, " bits of ", path);
  else if (used > 0)
    side.set.codes = first_bits(side.set.codes, static_cast<std::uint32_t>(used));
  return side;
}

// Where a .csv file names labels, the same class gets the same number on both sides: a side without one names its classes by its
// class names, or else by the numbers themselves.
void number_names(CodesSide& a, CodesSide& b) {
  std::map<std::string, std::int32_t> numbers;
  const auto number = [&](const std::string& name) {
    return numbers.try_emplace(name, static_cast<std::int32_t>(numbers.size())).first->second;
  };
  const auto name_of = [](const CodesSide& side, std::int32_t label) {
    const auto& names = side.set.class_names;
    const auto at = static_cast<std::size_t>(label);
    return at < names.size() ? names[at] : std::to_string(label);
  };
  for (CodesSide* side : {&a, &b}) {
    Labels labels(side->label_count());
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (side->is_named())
        for (const std::string& name : side->names[i]) labels[i].push_back(number(name));
      else
        for (const std::int32_t label : side->set.labels[i]) labels[i].push_back(number(name_of(*side, label)));
    }
    side->set.labels = std::move(labels);
  }
}

std::set<std::int32_t> classes_of(const Labels& labels) {
  std::set<std::int32_t> classes;
  for (const auto& row : labels) classes.insert(row.begin(), row.end());
  return classes;
}

void unite_labels(CodesSide& queries, CodesSide& database) {
  if (!queries.is_named() && !database.is_named()) return;
  number_names(queries, database);
  const std::set<std::int32_t> asked = classes_of(queries.set.labels), there = classes_of(database.set.labels);
  if (std::none_of(asked.begin(), asked.end(), [&](std::int32_t label) { return there.contains(label); }))
    fail(ErrorCode::kMismatch, "no class of ", queries.label_path, " is one of ", database.label_path,
         "; name the classes alike on both sides");
}

void check_together(const CodesSide& queries, const CodesSide& database) {
  if (!queries.set.model.empty() && !database.set.model.empty() && queries.set.model != database.set.model) {
    fail(ErrorCode::kMismatch, queries.path, " holds codes of model ", queries.set.model, ", ", database.path, " of model ",
         database.set.model, "; distances between them mean nothing");
  }
  const auto& a = queries.set.class_names;
  const auto& b = database.set.class_names;
  if (!a.empty() && !b.empty() && a != b)
    fail(ErrorCode::kMismatch, "the classes of ", queries.path, " and ", database.path, " differ");
}

std::size_t common_keys(const CodesSide& queries, const CodesSide& database) {
  if (queries.set.root != database.set.root) return 0;
  std::vector<std::string> a = queries.set.keys, b = database.set.keys, both;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both.size();
}

}  // namespace

void require_relevant(const Metrics& metrics, const std::string& data) {
  if (metrics.queries_without_relevant < metrics.queries) return;
  fail(ErrorCode::kInvalidArgument, data, ": no query has a relevant image (", metrics.queries, " asked among ", metrics.database,
       "); are there labels, and the same on both sides?");
}

EvalRecord evaluate_codes(const EvalArguments& arguments, const Protocol& protocol) {
  const bool leave_one_out = protocol.query == Protocol::Query::kLeaveOneOut;
  if (leave_one_out != arguments.database.empty()) {
    fail(ErrorCode::kUsage, "protocol ", protocol.name,
         leave_one_out ? " searches among the queries themselves and takes no --database"
                       : " needs --database, the codes that are searched");
  }
  CodesSide queries = read_side(arguments.codes, arguments.labels, arguments);
  CodesSide database = leave_one_out ? queries : read_side(arguments.database, arguments.database_labels, arguments);
  unite_labels(queries, database);
  EvalRecord record;
  record.protocol = protocol;
  if (arguments.cutoff > 0) record.protocol.cutoff = arguments.cutoff;
  if (!leave_one_out) {
    check_together(queries, database);
    require_allowed(judge_overlap(protocol, OverlapKind::kQueryDatabase, common_keys(queries, database), "the same keys"));
  }
  const EvalInput input{&queries.set.codes, &database.set.codes,    queries.set.labels, database.set.labels,
                        leave_one_out,      record.protocol.cutoff, arguments.threads};
  record.metrics = evaluate(input);
  require_relevant(record.metrics, queries.label_path);
  record.dataset = concat("codes ", arguments.codes, leave_one_out ? "" : " in " + arguments.database);
  record.bits = queries.set.codes.bits();
  record.model = queries.set.model;
  record.code_bytes_per_image = bytes_per_code(record.bits);
  if (arguments.bits_used > 0) record.notes.push_back(concat("only the first ", record.bits, " bits of the codes were measured"));
  record.notes.push_back("codes were given without pictures: overlap was checked by key only, bounds were not computed");
  return record;
}

}  // namespace signet::cli
