#pragma once

#include <cstdint>
#include <string>
#include <vector>

// For bench_serve.cc: a program under way, h2load as one, and what it measured.
namespace signet::bench {

// A child process whose standard output can be read; ended and waited for at the end.
class Child {
 public:
  explicit Child(const std::vector<std::string>& words, bool quiet_errors = true);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  std::string first_line();  // of its output; waits for it
  int wait();                // exit status, 128 + signal where one ended it
  void signal(int number) const;
  int pid() const noexcept { return pid_; }

 private:
  int pid_ = -1, out_ = -1;
};

struct Load {
  std::string url, body_file, content_type;
  std::size_t clients = 8, requests = 1000;
  double per_second = 0;  // of all clients together; 0: as fast as answers come
};

struct Measured {
  std::vector<double> milliseconds;  // of the answers with 2xx, ascending
  std::size_t failed = 0;            // anything else
  double seconds = 0;
  double percentile(double share) const;
  double per_second() const { return seconds > 0 ? static_cast<double>(milliseconds.size()) / seconds : 0; }
  void add(const Measured& more);
};

Measured run_load(const Load& load, const std::string& folder);

double resident_mb(int pid);
double now_seconds();

}  // namespace signet::bench
