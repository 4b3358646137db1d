#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace signet::bench {

// One line of the report.
struct Row {
  std::string name;  // of the case
  std::uint32_t bits = 0;
  std::size_t n = 0, k = 0, queries = 0, threads = 0;
  std::string kernel, index;
  double ms_per_query = 0;
  std::string peer;  // empty: none
  double peer_ms_per_query = 0;
  double recall = 1;         // share of the exact answer's hits that the peer found (1 where there is none: ours was checked)
  double read_gb_per_s = 0;  // of this machine in this run
  std::string note;          // for people only
};

class Report {
 public:
  explicit Report(bool json) : json_(json) {}
  void head(std::size_t threads);  // machine, kernel, versions
  void add(const Row& row);
  void say(const std::string& line);  // for people only
  void finish();

 private:
  bool json_;
  std::vector<Row> rows_;
};

}  // namespace signet::bench
