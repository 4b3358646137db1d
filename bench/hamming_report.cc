#include "bench/hamming_report.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "bench/hamming_peers.h"
#include "signet/base/cpu.h"
#include "signet/base/thread_pool.h"
#include "signet/kernel/hamming.h"

namespace signet::bench {
namespace {

double ns_per_code(const Row& row) { return row.n == 0 ? 0 : row.ms_per_query * 1e6 / static_cast<double>(row.n); }

nlohmann::ordered_json to_json(const Row& row) {
  const bool peer = !row.peer.empty();
  nlohmann::ordered_json out;
  out["case"] = row.name;
  out["bits"] = row.bits;
  out["n"] = row.n;
  out["k"] = row.k;
  out["queries"] = row.queries;
  out["threads"] = row.threads;
  out["kernel"] = row.kernel;
  out["index"] = row.index;
  out["ns_per_code"] = ns_per_code(row);
  out["ms_per_query"] = row.ms_per_query;
  out["peer"] = peer ? nlohmann::ordered_json(row.peer) : nullptr;
  out["peer_version"] = peer ? nlohmann::ordered_json(peer_version()) : nullptr;
  out["peer_ms_per_query"] = peer ? nlohmann::ordered_json(row.peer_ms_per_query) : nullptr;
  out["recall"] = row.recall;
  out["read_gb_per_s"] = row.read_gb_per_s;
  return out;
}

}  // namespace

void Report::head(std::size_t threads) {
  say(std::string("CPU ") + cpu_name() + ", " + std::to_string(available_cpus()) + " CPUs, " + std::to_string(threads) +
      " thread(s) used, kernel " + hamming_kernel().name + ", build " + SIGNET_BUILD_TYPE + ", compiler " + __VERSION__ + ", " +
      peer_version());
}

void Report::say(const std::string& line) {
  if (!json_) std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void Report::add(const Row& row) {
  rows_.push_back(row);
  if (json_) return;
  std::printf("%-16s %4u bits n %-10zu k %-4zu q %-4zu t %zu  %-7s %-14s %9.4f ns/code %11.5f ms/query", row.name.c_str(),
              row.bits, row.n, row.k, row.queries, row.threads, row.kernel.c_str(), row.index.c_str(), ns_per_code(row),
              row.ms_per_query);
  if (!row.peer.empty()) {
    std::printf("  | %s %.5f ms/query (x%.1f) recall %.3f", row.peer.c_str(), row.peer_ms_per_query,
                row.peer_ms_per_query / row.ms_per_query, row.recall);
  }
  std::printf("  %s\n", row.note.c_str());
  std::fflush(stdout);
}

void Report::finish() {
  if (!json_) return;
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Row& row : rows_) rows.push_back(to_json(row));
  std::printf("%s\n", rows.dump(2).c_str());
}

}  // namespace signet::bench
