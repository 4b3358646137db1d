#pragma once

#include <string>
#include <vector>

#include "apps/signet/plan.h"

namespace signet::cli {

struct ReproduceArguments {
  std::vector<std::string> plans;
  std::string data = ".", results = "docs/results", work = "reproduce-work", published = "plans/published.json";
  std::size_t threads = 0;
  bool float32 = false;  // in place of a plan's precision, which stays part of what the records answer to
  bool render = false, check = false, list = false, dry_run = false, quiet = false;
};

// Runs what is missing of a plan: trains, measures, and writes one record a network, code length and protocol.
// What is trained lies in `work` until its records are written, so that a run that was killed goes on. One process at a time may
// use a work folder: Error{kBusy} otherwise. Throws what training and measuring throw; records written so far stay.
void run_plan(const ExperimentPlan& plan, const ReproduceArguments& arguments);

// Prints every network of the plan and how many of its records are there. Returns the seconds of one core that training these
// took.
double list_plan(const ExperimentPlan& plan, const ReproduceArguments& arguments);

// Throws what run_plan would throw for the plan's options alone, without looking at data.
void check_plan(const ExperimentPlan& plan, const ReproduceArguments& arguments);

// The pages from the records: writes results/README.md and results/report.html, or with `check` throws kMismatch naming the page
// that differs.
void render_results(const ReproduceArguments& arguments);

}  // namespace signet::cli
