#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "apps/signet/data.h"
#include "apps/signet/eval_session.h"
#include "apps/signet/plan.h"

namespace signet::cli {

// What training left behind.
struct TrainedNetwork {
  std::string key, model, log, features_log;     // features_log: of the shared first stage; empty where there is none
  nlohmann::json numbers, features;              // what signet train --json printed, and the peak memory; features: null without
  std::vector<std::string> words;                // of signet train, without files
  std::vector<std::vector<std::string>> before;  // the same of what must be there first, with the file that it becomes
};
// What a record's command calls such files: the first stage that a shallow method learns on, the model that names classes.
inline constexpr const char *kFirstStage = "first.features", *kTeacher = "teacher.onnx";

struct RecordSource {
  const ExperimentPlan& plan;
  const PlanJob& job;
  const TrainedNetwork& network;
  const DataArguments& data;
  const Dataset& whole;  // all parts, as the data set's reader gives them
  std::size_t threads = 0;
  bool quiet = false;
  bool float32 = false;  // ReproduceArguments::float32
  EncodeFn encode = {};  // of a shallow method: see EvalArguments; then bounds of a network are not measured either
  std::map<std::string, std::vector<std::string>>* overlaps = nullptr;
};

struct MeasuredRecord {
  std::uint32_t bits = 0;
  std::string protocol, record;
  std::string pictures;  // of its examples, for the file beside it
};

using WantedRecord = std::pair<std::uint32_t, std::string>;  // code length, protocol

// Measures the first bits of the network's codes, for each of these lengths and protocols: one record each, as JSON
// (docs/reproduce.md), given to `keep` as soon as it is there, long codes before short ones. A record names no folder of this
// machine: the data folder appears as DATA.
void measure_network(const RecordSource& source, std::vector<WantedRecord> wanted,
                     const std::function<void(const MeasuredRecord&)>& keep);

// Validation numbers against image passes from the logs of a run, in order. Lines that a resumed run repeats count once. Of codes
// of `beginning` bits that a nested network of more bits begins with; 0: of its whole codes.
nlohmann::json validation_curve(const std::vector<std::string>& logs, std::uint32_t beginning);

}  // namespace signet::cli
