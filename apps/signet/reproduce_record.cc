#include "apps/signet/reproduce_record.h"

#include <algorithm>
#include <cmath>

#include "apps/signet/data.h"
#include "apps/signet/eval_session.h"
#include "apps/signet/terminal.h"
#include "apps/signet/version.h"
#include "signet/base/cpu.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/base/thread_pool.h"
#include "signet/eval/results.h"

namespace signet::cli {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLargestLog = std::uint64_t{1} << 30;

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); !from.empty() && at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

// Names of files need not be UTF-8, and JSON is.
std::string text_of(const json& value) { return value.dump(1, ' ', false, json::error_handler_t::replace); }

// The command that trains this network alone, without the shared first stage: the weights are the same. Before it those that
// train what it needs: the stage that a shallow method learns on, the teacher.
std::string train_command(const RecordSource& source) {
  const auto spelled = [&](const std::vector<std::string>& words) {
    std::string command = "signet train";
    for (const std::string& word : words) command += " " + (word == source.data.path ? "DATA" : word);
    return command;
  };
  std::string commands;
  for (const std::vector<std::string>& words : source.network.before) commands += spelled(words) + " && ";
  return commands + spelled(source.network.words) + " --out model.onnx";
}

double at(const json& object, const char* key) {
  return object.is_object() && object.contains(key) ? object[key].get<double>() : 0;
}

std::string copies_left_out(const RecordSource& source, const EvalRecord& record) {
  const json training = json::parse(record.training_record, nullptr, false);
  if (!source.data.leave_out_copies || !training.is_object() || training.contains("protocol")) return {};
  DataArguments all = source.data;
  all.leave_out_copies = false;
  all.split = "train";
  const std::size_t kept =
      training.at("training_images").get<std::size_t>() + training.at("validation_images").get<std::size_t>();
  if (kept == 0) return {};  // nothing is learned
  return concat(all.open()->size() - kept,
                " images of the train part are also in the test part, by their pixels, and were left out of the train part");
}

// Where it is another one than the plan's (signet reproduce --float32).
std::string other_precision(const RecordSource& source, const EvalRecord& record) {
  const auto planned = source.job.train.find("precision");
  const json training = json::parse(record.training_record, nullptr, false);
  if (planned == source.job.train.end() || !training.is_object() || !training.contains("options")) return {};
  const std::string trained = training["options"].value("precision", planned->second.front());
  if (trained == planned->second.front()) return {};
  return concat(source.job.method, ", seed ", source.job.seed, ", was trained in ", trained, ", not in ", planned->second.front(),
                " as the plan says");
}

// AP by query, in order; of very many queries every step-th.
json packed_ap(const std::vector<double>& ap) {
  constexpr std::size_t kMost = 12'000;
  const std::size_t step = std::max<std::size_t>(1, (ap.size() + kMost - 1) / kMost);
  std::vector<double> kept;
  for (std::size_t i = 0; i < ap.size(); i += step) kept.push_back(ap[i]);
  return {{"encoding", "uint16-base64"}, {"count", kept.size()}, {"step", step}, {"values", pack_ap(kept)}};
}

// What `key` holds for this length; null where the length was not trained as a code.
json of_beginning(const json& object, const char* key, std::uint32_t bits) {
  const auto lengths = object.find(key);
  return lengths == object.end() ? json() : lengths->value(std::to_string(bits), json());
}

// What comparisons of methods need; `pictures` takes the pictures of the examples by key.
json comparison_members(const RecordSource& source, const Evaluated& evaluated, json& pictures) {
  json costs = json::array(), examples = json::array();
  for (const SearchCost& c : evaluated.search_cost)
    costs.push_back({{"index", c.index}, {"radius", c.radius}, {"microseconds", std::round(c.microseconds * 1000) / 1000}});
  const auto image = [&](const GalleryItem& item) {
    const std::string key = replace_all(item.key, source.data.path, "DATA");
    pictures[key] = item.png_base64;
    return json{{"key", key}, {"label", item.label}};
  };
  for (const GalleryRow& row : evaluated.gallery) {
    json hits = json::array();
    for (const GalleryItem& item : row.hits) {
      hits.push_back(image(item));
      hits.back().update({{"distance", item.distance}, {"relevant", item.relevant}});
    }
    examples.push_back({{"query", image(row.query)}, {"hits", hits}});
  }
  return {{"record_version", kRecordVersion},
          {"query_set", evaluated.query_set},
          {"query_ap", packed_ap(evaluated.record.metrics.ap)},
          {"search_cost", costs},
          {"examples", examples}};
}

// The trainer's. Shallow methods are learned in the process that measures them, whose memory is not theirs alone.
json peak_memory_mib(const RecordSource& source) {
  if (source.job.is_shallow()) return {};
  return std::max(at(source.network.numbers, "peak_memory_mib"), at(source.network.features, "peak_memory_mib"));
}

json extra_members(const RecordSource& source, const EvalRecord& record) {
  const TrainedNetwork& n = source.network;
  const std::uint32_t beginning = record.bits < source.job.bits ? record.bits : 0;
  json members = {{"run", n.key},
                  {"plan", source.plan.name},
                  {"plan_title", source.plan.title},
                  {"plan_text", source.plan.text},
                  {"remark", source.job.remark},
                  {"network_bits", source.job.bits},
                  {"pictures", picture_kind(source.whole).words},
                  {"cpu", cpu_name()},
                  {"threads", source.threads > 0 ? source.threads : available_cpus()},
                  {"train_command", train_command(source)},
                  {"validation_curve", validation_curve({n.features_log, n.log}, beginning)},
                  {"peak_memory_mib", peak_memory_mib(source)}};
  if (source.plan.goal >= 0) members["goal"] = source.plan.goal;
  if (source.plan.headline) members["headline"] = true;
  for (const char* key : {"train_seconds", "shared_seconds", "image_passes", "shared_image_passes", "images_per_second", "pflop",
                          "validation_map", "validation_accuracy"})
    members[key] = n.numbers.at(key);
  for (const char* key : {"teacher_seconds", "teacher_image_passes", "unlabelled_images", "taught_images", "teacher_agreement"})
    if (source.job.teacher != nullptr) members[key] = n.numbers.at(key);
  if (beginning > 0) members["validation_map"] = of_beginning(n.numbers, "validation_map_of_beginnings", beginning);
  // How it was trained stays; where on this machine does not.
  json training = json::parse(record.training_record, nullptr, false);
  if (training.is_object()) {
    for (const char* key : {"data", "split", "command", "unlabelled"}) training.erase(key);
    members["training"] = std::move(training);
  }
  return members;
}

}  // namespace

json validation_curve(const std::vector<std::string>& logs, std::uint32_t beginning) {
  json curve = json::array();
  for (const std::string& path : logs) {
    if (path.empty()) continue;
    const std::string text = read_text_file(real_file_system(), path, kLargestLog);
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      const json event = json::parse(text.substr(begin, end - begin), nullptr, false);
      begin = end + 1;
      if (!event.is_object()) continue;  // cut off by a kill
      const std::string kind = event.value("event", "");
      if (kind == "start" || kind == "resume") {
        const double from = event.value("image_passes", 0.0);
        while (!curve.empty() && curve.back()["image_passes"].get<double>() > from) curve.erase(curve.end() - 1);
      } else if (kind == "validation") {
        json point;
        for (const char* key : {"stage", "image_passes", "seconds", "accuracy", "map", "soft_loss", "exact_loss"})
          if (event.contains(key)) point[key] = event[key];
        if (beginning > 0) {  // those are of the whole code
          for (const char* key : {"map", "soft_loss", "exact_loss"}) point.erase(key);
          if (const json map = of_beginning(event, "map_of_beginnings", beginning); !map.is_null()) point["map"] = map;
        }
        curve.push_back(std::move(point));
      }
    }
  }
  return curve;
}

void measure_network(const RecordSource& source, std::vector<WantedRecord> wanted,
                     const std::function<void(const MeasuredRecord&)>& keep) {
  std::stable_sort(wanted.begin(), wanted.end(), [](const WantedRecord& a, const WantedRecord& b) { return a.first > b.first; });
  EvalArguments arguments;
  arguments.data = source.data;
  arguments.model = source.network.model;
  arguments.seed = source.job.seed;
  arguments.threads = source.threads;
  arguments.quiet = source.quiet;
  arguments.for_comparison = true;
  arguments.encode = source.encode;
  arguments.overlaps = source.overlaps;
  arguments.no_bounds = static_cast<bool>(source.encode);
  EvalSession session(arguments);
  for (const auto& [bits, name] : wanted) {
    if (bits < session.model().bits) session.use_first_bits(bits);
    const double began = now_seconds();
    Evaluated evaluated = session.run(find_protocol(name), false);
    EvalRecord& record = evaluated.record;
    record.method = source.job.method;
    record.seed = source.job.seed;
    record.version = full_version();
    record.command = concat("signet reproduce plans/", source.plan.name, ".toml --data DIR", source.float32 ? " --float32" : "");
    if (const std::string left_out = copies_left_out(source, record); !left_out.empty()) record.notes.push_back(left_out);
    if (const std::string precision = other_precision(source, record); !precision.empty()) record.notes.push_back(precision);
    for (std::string& one : record.notes) one = replace_all(one, source.data.path, "DATA");
    json members = extra_members(source, record), pictures = json::object();
    members.update(comparison_members(source, evaluated, pictures));
    members["measure_seconds"] = now_seconds() - began;
    keep({bits, name, to_json(record, text_of(members)), text_of({{"pictures", pictures}}) + "\n"});
    if (!source.quiet)
      note("reproduce", concat(name, ", ", bits, " bits, seed ", record.seed, ": mAP ", fixed(record.metrics.map, 4)));
  }
}

}  // namespace signet::cli
