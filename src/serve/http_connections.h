#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>

#include "signet/serve/http.h"

namespace signet {

// A client's connection, and until when its present phase may last. The HTTP library knows a limit on silence only, which a byte
// a second never reaches.
class HttpConnection {
 public:
  enum class Phase { kHeaders, kBody, kWork, kSend };
  HttpConnection(int fd, std::string peer, bool surplus) : fd_(fd), peer_(std::move(peer)), surplus_(surplus) {}
  void enter(Phase phase, double seconds) noexcept;  // kWork has no end of its own
  const std::string& peer() const noexcept { return peer_; }
  bool is_surplus() const noexcept { return surplus_; }

 private:
  friend class HttpConnections;
  const int fd_;
  const std::string peer_;
  const bool surplus_;                     // opened when there were too many
  std::atomic<std::int64_t> deadline_{0};  // steady clock, nanoseconds; 0: none
};

// All connections of a server; a thread of its own cuts those that are over their time.
class HttpConnections {
 public:
  explicit HttpConnections(const HttpOptions& options);
  ~HttpConnections();  // stop()
  HttpConnection* opened(int fd, std::string peer);
  void closed(HttpConnection* connection) noexcept;  // before its file descriptor is closed
  HttpCounters counters() const;
  void stop();

 private:
  void watch();

  const HttpOptions options_;
  mutable std::mutex mutex_;  // held while a socket is cut, so that its number cannot be another's by then
  std::condition_variable wake_;
  std::unordered_set<HttpConnection*> open_;
  std::uint64_t refused_ = 0, timed_out_ = 0;
  bool stopped_ = false;
  std::thread watcher_;
};

}  // namespace signet
