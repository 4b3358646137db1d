#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace signet::cli {

// A plan of experiments (plans/*.toml, docs/reproduce.md): what is trained on which data, and under which protocols it is
// measured.
struct PlanRun {
  std::vector<std::uint32_t> bits;
  std::vector<std::uint64_t> seeds;
};

// A row of the plan's tables. The row without a name is the method `signet`, the others are `signet-<name>`. Where train names
// another method's loss, that is the method: `dsh` for the row without a name or of that name, `dsh-<name>` for others. Where it
// names a shallow method, the row is `<name>`, or without a name `<method>-<features>`.
struct PlanVariant {
  std::string name, remark;
  std::map<std::string, std::vector<std::string>>
      train;  // options of signet train, the plan's and its own: flag without -- -> values
  std::vector<PlanRun> runs;
  std::string teacher;                 // method of an earlier row whose network names the classes of images without labels
  std::vector<std::uint32_t> measure;  // lengths of beginnings of the code that are measured beside the whole code
};

struct ExperimentPlan {
  std::string name;  // of the file, without folder and .toml
  std::string title, text;
  std::string data;  // absolute, or below the folder that --data names
  std::vector<std::string> protocols;
  bool leave_out_copies = false, compose = false;
  bool headline = false;  // its numbers stand in the table at the head of the pages
  double goal = -1;       // validation mAP whose time the tables shall show; -1: none
  std::vector<PlanVariant> variants;
};

// One network to train and what to measure it by.
struct PlanJob {
  std::string method, remark;  // "signet", "signet-no-pretraining", "dsh"
  std::uint32_t bits = 0;      // of the network
  std::uint64_t seed = 0;
  std::vector<std::uint32_t> measured;  // code lengths, ascending: the nested ones and `bits`
  std::map<std::string, std::vector<std::string>> train;
  std::shared_ptr<const PlanJob> teacher;                       // of the same length and seed; null: none
  bool is_shallow() const { return train.contains("method"); }  // a shallow method, not a network (docs/baselines.md)
};

// Throws kNotFound; kInvalidArgument naming the file, the line and what would be right, for TOML that is broken, unknown or
// missing keys, values out of range, unknown protocols, protocols of one plan that train on different images, and options of
// train that the plan does not decide (data, out, bits, seed, ...).
ExperimentPlan read_plan(const std::string& path);

// Every network of the plan, in its order: variants, then runs, bits, seeds.
std::vector<PlanJob> jobs_of(const ExperimentPlan& plan);

// The protocol whose draw the plan's networks are trained on; empty where they train on the whole train part.
std::string training_protocol(const ExperimentPlan& plan);

}  // namespace signet::cli
