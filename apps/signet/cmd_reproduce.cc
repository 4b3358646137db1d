#include <cmath>
#include <iostream>

#include "apps/signet/command.h"
#include "apps/signet/options.h"
#include "apps/signet/reproduce.h"
#include "apps/signet/terminal.h"
#include "signet/base/error.h"

namespace signet::cli {

int run_reproduce(Arguments words) {
  ReproduceArguments a;
  Options options(
      "reproduce",
      "Trains and measures what a plan asks for and what is not there yet, keeps one record a number, and makes the pages of "
      "results from the records.",
      "signet reproduce plans/fashion.toml --data ~/data\n  signet reproduce --check");
  options->texts("PLAN", a.plans, "plan files (docs/reproduce.md)", "FILE...");
  options->text("--data", a.data, "folder in which the data sets of the plans lie (.)", "DIR");
  options->text("--results", a.results, "folder of records/ and of the pages (docs/results)", "DIR");
  options->text("--work", a.work, "folder for models, checkpoints and logs (reproduce-work)", "DIR");
  options->text("--published", a.published, "numbers that others printed (plans/published.json)", "FILE");
  options->flag("--float32", a.float32,
                "train in float32 where a plan says bfloat16: for CPUs without AVX-512; the tables say so");
  options->flag("--render", a.render, "make the pages from the records again; done after every plan too");
  options->flag("--check", a.check, "compare the pages with the records; status 3 where they differ");
  options->flag("--list", a.list, "say what the plans ask for, what of it is there and what its training took, and do nothing");
  options->flag("--dry-run", a.dry_run, "check the plans and their options and stop before any image is read");
  options->threads(a.threads);
  options->quiet(a.quiet);
  if (!options.parse(words)) return 0;
  if (a.plans.empty() && !a.render && !a.check)
    fail(ErrorCode::kUsage, "give a PLAN to run, or --render or --check for the pages alone");
  std::vector<ExperimentPlan> plans;  // mistakes in the last one are found before the first one runs
  for (const std::string& path : a.plans) plans.push_back(read_plan(path));
  if (a.dry_run) {
    for (const ExperimentPlan& plan : plans) check_plan(plan, a);
    return 0;
  }
  if (a.list) {
    double seconds = 0;
    for (const ExperimentPlan& plan : plans) seconds += list_plan(plan, a);
    if (plans.size() > 1)
      std::cout << "all plans: training what is there took " << std::llround(seconds / 60) << " minutes of one core\n";
    return 0;
  }
  catch_interrupts();
  for (const ExperimentPlan& plan : plans) {
    run_plan(plan, a);
    render_results(a);
  }
  if (plans.empty()) render_results(a);
  return 0;
}

}  // namespace signet::cli
