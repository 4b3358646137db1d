#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace signet::bench {

inline double seconds_of(const std::function<void()>& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// How much of the time the threads that call here() have been running or ready to run (while another process had the core), from
// their first call on. A thread that waits (for a lock, the disk, another thread) is in neither: so crowding by others does not
// look like idling.
class BusyThreads {
 public:
  void here() {
    const std::lock_guard lock(mutex_);
    const pid_t id = gettid();
    if (!start_.contains(id)) start_[id] = {busy_seconds(id), std::chrono::steady_clock::now()};
  }
  // 0 to 1, of the threads so far; they must still exist.
  double share() const {
    double busy = 0, wall = 0;
    for (const auto& [id, start] : start_) {
      busy += busy_seconds(id) - start.busy;
      wall += std::chrono::duration<double>(std::chrono::steady_clock::now() - start.at).count();
    }
    return wall > 0 ? busy / wall : 0;
  }

 private:
  struct Start {
    double busy = 0;
    std::chrono::steady_clock::time_point at;
  };
  static double busy_seconds(pid_t id) {
    std::ifstream file("/proc/self/task/" + std::to_string(id) + "/schedstat");
    double running = 0, ready = 0;
    file >> running >> ready;
    return (running + ready) * 1e-9;
  }
  std::mutex mutex_;
  std::map<pid_t, Start> start_;
};

// Memory that is the process's own: without mapped files.
inline double own_memory_mb() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("RssAnon:")) return std::stod(line.substr(8)) / 1024;
  }
  return 0;
}

// Competitors in turns, so that a busy moment of the machine hits all of them: each gets `rounds` slices of at least `slice`
// seconds, and its best slice counts.
struct Contestant {
  std::string name, version;
  std::size_t images = 1;  // a call encodes this many
  std::function<void()> call;
  double images_per_second = 0;   // measured
  double largest_difference = 0;  // of the hash outputs from those of the first contestant
};

inline void race(std::vector<Contestant>& contestants, double slice, int rounds) {
  for (Contestant& c : contestants) c.call();  // warm
  for (int round = 0; round < rounds; ++round) {
    for (Contestant& c : contestants) {
      std::size_t calls = 0;
      double spent = 0;
      while (spent < slice) {
        spent += seconds_of(c.call);
        ++calls;
      }
      c.images_per_second = std::max(c.images_per_second, static_cast<double>(calls * c.images) / spent);
    }
  }
}

}  // namespace signet::bench
