#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/hamming_report.h"

namespace signet::bench {

// What the user fixed; a case fills in the rest with its own grid.
struct Settings {
  std::optional<std::uint32_t> bits;
  std::optional<std::size_t> n, k, queries;
  std::string data;  // empty: all kinds
  std::size_t threads = 1;
  std::uint64_t seed = 1;
  bool peers = true;
  double read_bytes_per_s = 0;
};

struct Case {
  const char* name;
  const char* what;
  void (*run)(const Settings&, Report&);
};
const std::vector<Case>& cases();

// Seconds of the quickest of several runs: at least three, and more while they take less than half a second together.
double best_time(const std::function<void()>& run);

void kernels(const Settings& settings, Report& report);  // hamming_kernels.cc

}  // namespace signet::bench
