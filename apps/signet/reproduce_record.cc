#include "apps/signet/reproduce_record.h"

#include <algorithm>
#include <string_view>

#include "apps/signet/eval_session.h"
#include "apps/signet/terminal.h"
#include "signet/base/cpu.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/base/thread_pool.h"

namespace signet::cli {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLargestLog = std::uint64_t{1} << 30;

bool ends_like(std::string name, std::string_view ending) {
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return name.ends_with(ending);
}

// What the pixels were stored as: a JPEG copy of a data set is not the data set.
std::string picture_kind(const Dataset& data) {
  std::size_t jpeg = 0, looked = 0;
  const std::size_t step = std::max<std::size_t>(1, data.size() / 1000);
  for (std::size_t i = 0; i < data.size(); i += step) {
    const std::string key = data.key(i);
    jpeg += ends_like(key, ".jpg") || ends_like(key, ".jpeg") ? 1 : 0;
    ++looked;
  }
  if (jpeg == looked) return "pictures are JPEG files (compressed with loss)";
  return jpeg > 0 ? "some pictures are JPEG files (compressed with loss)" : "pixels as published, without loss";
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); !from.empty() && at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

// The command that trains this network alone, without the shared first stage: the weights are the same.
std::string train_command(const RecordSource& source) {
  std::string command = "signet train";
  for (const std::string& word : source.network.words) command += " " + (word == source.data.path ? "DATA" : word);
  return command + " --out model.onnx";
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
  return concat(all.open()->size() - kept,
                " images of the train part are also in the test part, by their pixels, and were left out of the train part");
}

json extra_members(const RecordSource& source, const EvalRecord& record) {
  const TrainedNetwork& n = source.network;
  json members = {{"run", n.key},
                  {"plan", source.plan.name},
                  {"plan_title", source.plan.title},
                  {"plan_text", source.plan.text},
                  {"remark", source.job.remark},
                  {"network_bits", source.job.bits},
                  {"pictures", picture_kind(source.whole)},
                  {"cpu", cpu_name()},
                  {"threads", source.threads > 0 ? source.threads : available_cpus()},
                  {"train_command", train_command(source)},
                  {"validation_curve", validation_curve({n.features_log, n.log})},
                  {"peak_memory_mib", std::max(at(n.numbers, "peak_memory_mib"), at(n.features, "peak_memory_mib"))}};
  if (source.plan.goal >= 0) members["goal"] = source.plan.goal;
  for (const char* key : {"train_seconds", "shared_seconds", "image_passes", "shared_image_passes", "images_per_second", "pflop",
                          "validation_map", "validation_accuracy"})
    members[key] = n.numbers.at(key);
  // How it was trained stays; where on this machine does not.
  json training = json::parse(record.training_record, nullptr, false);
  if (training.is_object()) {
    for (const char* key : {"data", "split", "command"}) training.erase(key);
    members["training"] = std::move(training);
  }
  return members;
}

}  // namespace

json validation_curve(const std::vector<std::string>& logs) {
  json curve = json::array();
  for (const std::string& path : logs) {
    if (path.empty()) continue;
    const std::vector<std::byte> bytes = read_file(real_file_system(), path, kLargestLog);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
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
        for (const char* key : {"stage", "image_passes", "seconds", "accuracy", "map"})
          if (event.contains(key)) point[key] = event[key];
        curve.push_back(std::move(point));
      }
    }
  }
  return curve;
}

std::vector<std::pair<std::string, std::string>> measure_network(const RecordSource& source, std::uint32_t bits,
                                                                 const std::vector<std::string>& protocols) {
  EvalArguments arguments;
  arguments.data = source.data;
  arguments.model = source.network.model;
  arguments.bits_used = bits;
  arguments.seed = source.job.seed;
  arguments.threads = source.threads;
  arguments.quiet = source.quiet;
  EvalSession session(arguments);
  std::vector<std::pair<std::string, std::string>> records;
  for (const std::string& name : protocols) {
    EvalRecord record = session.run(find_protocol(name), false).record;
    record.method = source.job.method;
    record.seed = source.job.seed;
    record.version = SIGNET_VERSION;
    record.command = concat("signet reproduce plans/", source.plan.name, ".toml --data DIR");
    if (const std::string left_out = copies_left_out(source, record); !left_out.empty()) record.notes.push_back(left_out);
    for (std::string& one : record.notes) one = replace_all(one, source.data.path, "DATA");
    records.emplace_back(name, to_json(record, extra_members(source, record).dump()));
    if (!source.quiet)
      note("reproduce", concat(name, ", ", bits, " bits, seed ", record.seed, ": mAP ", fixed(record.metrics.map, 4)));
  }
  return records;
}

}  // namespace signet::cli
