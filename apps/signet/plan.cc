#include "apps/signet/plan.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <tuple>
#include <utility>

#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/base/text.h"
#include "signet/code/code_matrix.h"
#include "signet/eval/protocol.h"

namespace signet::cli {
namespace {

constexpr std::uint64_t kLargestPlan = 1 << 20;  // bytes
constexpr std::size_t kMostJobs = 10'000;

// What the plan, the data folder or the runner decide.
constexpr std::array<std::string_view, 20> kOwnOptions{
    "data",       "format", "split", "max-megapixels", "leave-out-copies", "compose", "protocol",
    "draw-seed",  "bits",   "out",   "features-out",   "features-from",    "teacher", "unlabelled",
    "checkpoint", "resume", "log",   "seed",           "threads",          "dry-run"};

// Reads back as the same number.
std::string shortest_text(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  template <typename... Parts>
  [[noreturn]] void reject(const toml::node& node, const Parts&... parts) const {
    fail(ErrorCode::kInvalidArgument, path_, " line ", node.source().begin.line, ": ", parts...);
  }

  void known(const toml::table& table, std::initializer_list<std::string_view> keys) const {
    for (const auto& [key, node] : table) {
      if (std::find(keys.begin(), keys.end(), key.str()) != keys.end()) continue;
      std::string names;
      for (const std::string_view k : keys) names += concat(names.empty() ? "" : ", ", k);
      reject(node, "there is no key \"", key.str(), "\" here; there are ", names);
    }
  }

  std::string text(const toml::table& table, const char* key, bool needed) const {
    const toml::node* node = table.get(key);
    if (node == nullptr && needed) reject(table, "the key ", key, " is missing");
    if (node == nullptr) return {};
    if (!node->is_string()) reject(*node, key, " must be a text in quotes");
    return node->as_string()->get();
  }

  bool flag(const toml::table& table, const char* key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return false;
    if (!node->is_boolean()) reject(*node, key, " must be true or false");
    return node->as_boolean()->get();
  }

  double share(const toml::table& table, const char* key) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return -1;
    const std::optional<double> value = node->value<double>();
    if (!value || !(*value >= 0 && *value <= 1)) reject(*node, key, " must be a number from 0 to 1");
    return *value;
  }

  const toml::array* list(const toml::table& table, const char* key, bool needed) const {
    const toml::node* node = table.get(key);
    if (node == nullptr && needed) reject(table, "the key ", key, " is missing");
    if (node == nullptr) return nullptr;
    if (!node->is_array() || node->as_array()->empty()) reject(*node, key, " must be a list of at least one value");
    return node->as_array();
  }

  template <typename T>
  std::vector<T> numbers(const toml::table& table, const char* key, std::uint64_t least, std::uint64_t most) const {
    std::vector<T> values;
    for (const toml::node& node : *list(table, key, true)) {
      if (!node.is_integer() || node.as_integer()->get() < static_cast<std::int64_t>(least) ||
          static_cast<std::uint64_t>(node.as_integer()->get()) > most)
        reject(node, key, " must be whole numbers from ", least, " to ", most);
      values.push_back(static_cast<T>(node.as_integer()->get()));
    }
    if (std::set<T>(values.begin(), values.end()).size() != values.size()) reject(*table.get(key), key, " names a number twice");
    return values;
  }

  std::vector<PlanRun> runs(const toml::table& table, bool needed) const {
    std::vector<PlanRun> all;
    const toml::array* entries = list(table, "runs", needed);
    for (std::size_t i = 0; entries != nullptr && i < entries->size(); ++i) {
      const toml::table* run = (*entries)[i].as_table();
      if (run == nullptr) reject((*entries)[i], "runs must be tables with bits and seeds");
      known(*run, {"bits", "seeds"});
      all.push_back({numbers<std::uint32_t>(*run, "bits", 1, kMaxBits),
                     numbers<std::uint64_t>(*run, "seeds", 0, std::numeric_limits<std::int64_t>::max())});
    }
    return all;
  }

  using Options = std::map<std::string, std::vector<std::string>>;

  // true: the flag alone; false: not given, whatever the plan's own table says.
  void options(const toml::table& table, Options& into) const {
    const toml::node* node = table.get("train");
    if (node == nullptr) return;
    if (!node->is_table()) reject(*node, "train must be a table of options of signet train");
    for (const auto& [key, value] : *node->as_table()) {
      const std::string name(key.str());
      if (std::find(kOwnOptions.begin(), kOwnOptions.end(), name) != kOwnOptions.end())
        reject(value, "--", name, " is decided by the plan's own keys or by signet reproduce; take it out of train");
      if (value.is_boolean() && !value.as_boolean()->get()) {
        into.erase(name);
        continue;
      }
      into[name] = value.is_boolean() ? std::vector<std::string>{} : words(value);
    }
  }

 private:
  std::vector<std::string> words(const toml::node& value) const {
    if (!value.is_array()) return {word(value)};
    std::string joined;
    for (const toml::node& one : *value.as_array()) joined += (joined.empty() ? "" : ",") + word(one);
    return {joined};
  }
  std::string word(const toml::node& value) const {
    if (value.is_string()) return value.as_string()->get();
    if (value.is_integer()) return std::to_string(value.as_integer()->get());
    if (value.is_floating_point()) return shortest_text(value.as_floating_point()->get());
    reject(value, "an option of train must be a text, a number, true or false, or a list of these");
  }

  std::string path_;
};

bool draws_training_set(const Protocol& protocol) {
  return protocol.query == Protocol::Query::kPerClassDraw || protocol.query == Protocol::Query::kUnseenClasses;
}

void read_protocols(const Reader& reader, const toml::table& table, ExperimentPlan& plan) {
  const toml::array& names = *reader.list(table, "protocols", true);
  bool draws = false;
  for (const toml::node& node : names) {
    if (!node.is_string()) reader.reject(node, "protocols must be names in quotes");
    plan.protocols.push_back(node.as_string()->get());
    draws = draws || draws_training_set(find_protocol(plan.protocols.back()));
  }
  if (draws && plan.protocols.size() > 1)
    reader.reject(names,
                  "these protocols do not train on the same images; a plan whose protocol draws its training set has no other");
}

// Readings of signet's own loss are named exp-...; any other loss is another method's, and rows of it bear that method's name.
std::string method_of(const PlanVariant& variant) {
  if (const auto method = variant.train.find("method"); method != variant.train.end() && !method->second.empty()) {
    if (!variant.name.empty()) return variant.name;
    const auto features = variant.train.find("features");
    return method->second.front() +
           (features == variant.train.end() || features->second.empty() ? "" : "-" + features->second.front());
  }
  const auto loss = variant.train.find("loss");
  const bool rival = loss != variant.train.end() && !loss->second.empty() && !loss->second.front().starts_with("exp-");
  const std::string base = rival ? loss->second.front() : "signet";
  return variant.name.empty() || variant.name == base ? base : concat(base, "-", variant.name);
}

void read_variants(const Reader& reader, const toml::table& table, ExperimentPlan& plan) {
  PlanVariant base;
  reader.options(table, base.train);
  const toml::node* variants = table.get("variants");
  base.runs = reader.runs(table, variants == nullptr);
  if (variants == nullptr) {
    plan.variants.push_back(std::move(base));
    return;
  }
  std::set<std::string> names, methods;
  for (const toml::node& node : *reader.list(table, "variants", true)) {
    const toml::table* entry = node.as_table();
    if (entry == nullptr) reader.reject(node, "variants must be tables");
    reader.known(*entry, {"name", "remark", "train", "teacher", "runs", "measure"});
    PlanVariant variant = base;
    variant.name = reader.text(*entry, "name", false);
    variant.remark = reader.text(*entry, "remark", false);
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
    if (!std::all_of(variant.name.begin(), variant.name.end(), plain))
      reader.reject(node, "the name \"", variant.name,
                    "\" becomes part of file names: lower-case letters, digits, - and . are right");
    if (!names.insert(variant.name).second) reader.reject(node, "two variants are named \"", variant.name, "\"");
    reader.options(*entry, variant.train);
    variant.teacher = reader.text(*entry, "teacher", false);
    if (!variant.teacher.empty() && !methods.contains(variant.teacher))
      reader.reject(node, "the teacher \"", variant.teacher, "\" is no method of a variant before this one",
                    methods.empty() ? std::string() : concat("; there are ", join(methods)));
    if (!methods.insert(method_of(variant)).second)
      reader.reject(node, "two variants are the method \"", method_of(variant), "\"; another name keeps their records apart");
    if (auto own = reader.runs(*entry, base.runs.empty()); !own.empty()) variant.runs = std::move(own);
    if (entry->contains("measure")) variant.measure = reader.numbers<std::uint32_t>(*entry, "measure", 1, kMaxBits);
    plan.variants.push_back(std::move(variant));
  }
}

// The code itself, and those of its beginnings that were trained as codes or that the plan names.
std::vector<std::uint32_t> measured_lengths(const PlanVariant& variant, std::uint32_t bits) {
  std::set<std::uint32_t> lengths(variant.measure.begin(), variant.measure.end());
  lengths.insert(bits);
  const auto nested = variant.train.find("nested");
  std::istringstream numbers(nested == variant.train.end() || nested->second.empty() ? "" : nested->second.front());
  for (std::string number; std::getline(numbers, number, ',');)
    lengths.insert(static_cast<std::uint32_t>(std::strtoul(number.c_str(), nullptr, 10)));
  lengths.erase(lengths.upper_bound(bits), lengths.end());
  lengths.erase(0);
  return {lengths.begin(), lengths.end()};
}

PlanJob job_of(const ExperimentPlan& plan, const PlanVariant& variant, std::uint32_t bits, std::uint64_t seed) {
  PlanJob job{method_of(variant), variant.remark, bits, seed, measured_lengths(variant, bits), variant.train, nullptr};
  for (const PlanVariant& other : plan.variants)
    if (!variant.teacher.empty() && method_of(other) == variant.teacher)
      job.teacher = std::make_shared<const PlanJob>(job_of(plan, other, bits, seed));
  return job;
}

}  // namespace

ExperimentPlan read_plan(const std::string& path) {
  toml::table table;
  try {
    table = toml::parse(read_text_file(real_file_system(), path, kLargestPlan), path);
  } catch (const toml::parse_error& error) {
    fail(ErrorCode::kInvalidArgument, path, " line ", error.source().begin.line, ": ", error.description());
  }
  const Reader reader(path);
  reader.known(table, {"title", "text", "data", "protocols", "leave-out-copies", "compose", "headline", "goal", "train", "runs",
                       "variants"});
  ExperimentPlan plan;
  plan.name = file_name(path);
  if (plan.name.ends_with(".toml")) plan.name.resize(plan.name.size() - 5);
  plan.title = reader.text(table, "title", true);
  plan.text = reader.text(table, "text", false);
  plan.data = reader.text(table, "data", true);
  plan.leave_out_copies = reader.flag(table, "leave-out-copies");
  plan.compose = reader.flag(table, "compose");
  plan.headline = reader.flag(table, "headline");
  plan.goal = reader.share(table, "goal");
  read_protocols(reader, table, plan);
  read_variants(reader, table, plan);
  std::size_t jobs = 0;
  for (const PlanVariant& variant : plan.variants)
    for (const PlanRun& run : variant.runs) jobs += run.bits.size() * run.seeds.size();
  if (jobs > kMostJobs)
    fail(ErrorCode::kInvalidArgument, path, ": ", jobs, " networks are more than the ", kMostJobs, " of a plan");
  std::set<std::tuple<std::string, std::uint32_t, std::uint64_t>> measured;
  for (const PlanJob& job : jobs_of(plan))
    for (const std::uint32_t bits : job.measured)
      if (!measured.insert({job.method, bits, job.seed}).second)
        fail(ErrorCode::kInvalidArgument, path, ": two networks of ", job.method, " with seed ", job.seed, " are measured at ",
             bits, " bits, which is one record; one of bits, nested and measure must go");
  return plan;
}

std::vector<PlanJob> jobs_of(const ExperimentPlan& plan) {
  std::vector<PlanJob> jobs;
  for (const PlanVariant& variant : plan.variants) {
    for (const PlanRun& run : variant.runs) {
      for (const std::uint32_t bits : run.bits) {
        for (const std::uint64_t seed : run.seeds) {
          jobs.push_back(job_of(plan, variant, bits, seed));
        }
      }
    }
  }
  return jobs;
}

std::string training_protocol(const ExperimentPlan& plan) {
  return draws_training_set(find_protocol(plan.protocols.front())) ? plan.protocols.front() : std::string();
}

}  // namespace signet::cli
