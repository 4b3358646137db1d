#pragma once

#include <cstddef>
#include <cstdint>
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
  bool by_default;
  void (*run)(const Settings&, Report&);
};
const std::vector<Case>& cases();

}  // namespace signet::bench
