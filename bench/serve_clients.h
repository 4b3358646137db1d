#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

// For bench_serve.cc: clients that do no good, and one that asks a single question.
namespace signet::bench {

// `count` connections for as long as it lives: every other one says nothing at all, the rest send the head of a request a byte a
// second. What the server closes is opened again.
class SlowClients {
 public:
  SlowClients(std::uint16_t port, std::size_t count);
  ~SlowClients();
  std::size_t open() const { return open_.load(); }

 private:
  void run();
  std::uint16_t port_;
  std::vector<int> sockets_;
  std::vector<std::size_t> sent_;
  std::atomic<std::size_t> open_{0};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

struct Answer {
  unsigned status = 0;
  std::string body;
};

// One request on a connection of its own.
Answer ask(std::uint16_t port, const std::string& method, const std::string& target, const std::string& type,
           const std::string& body);

}  // namespace signet::bench
