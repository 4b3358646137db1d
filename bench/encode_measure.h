#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

namespace signet::bench {

inline double seconds_of(const std::function<void()>& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Seconds that the threads of this process have run or stood ready to run while others had the core; 0 where the kernel does not
// tell. A thread that waits (for a lock, the disk, another thread) is in neither: on a shared machine this tells idling from
// being crowded out.
inline double busy_seconds() {
  double sum = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "schedstat");
    double running = 0, ready = 0;
    if (file >> running >> ready) sum += (running + ready) * 1e-9;
  }
  return sum;
}

inline double resident_mb() {
  double pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
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
