// A plan of signet dedup, which people read and change before it is applied: what is accepted moves no file twice and comes back
// the same through our own writer.
#include <set>
#include <string>

#include "base/memory_file.h"
#include "fuzz/fuzz.h"
#include "signet/dedup/plan.h"

namespace {

using namespace signet;

void check_paths(const DedupPlan& plan) {
  std::set<std::string> moved;
  const auto good = [](const std::string& path) {
    fuzz::require(path.starts_with('/') && can_be_planned(path), "an absolute path that fits on a line");
  };
  for (const PlannedGroup& group : plan.groups) {
    good(group.keep.path);
    for (const PlannedMove& move : group.move) {
      good(move.file.path);
      fuzz::require(moved.insert(move.file.path).second, "no file is moved twice");
    }
  }
  for (const PlannedGroup& group : plan.groups) fuzz::require(!moved.contains(group.keep.path), "no file is kept and moved");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  MemoryFiles files("p.json", fuzz::input(data, size));
  fuzz::value_or_error([&] {
    const DedupPlan plan = read_plan(files, "p.json");
    check_paths(plan);
    write_plan(files, "again.json", plan);
    const DedupPlan again = read_plan(files, "again.json");
    fuzz::require(again.groups == plan.groups, "written and read again, the same files");
    fuzz::require(again.level == plan.level && again.radius == plan.radius && again.keep == plan.keep, "the same choice");
    fuzz::require(again.made == plan.made && again.method == plan.method && again.calibration == plan.calibration &&
                      again.trash == plan.trash,
                  "the same words");
  });
  return 0;
}
