#include "serve/http_connections.h"

#include <sys/socket.h>

#include <memory>

#include "serve/threads.h"

namespace signet {
namespace {

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void HttpConnection::enter(Phase phase, double seconds) noexcept {
  deadline_.store(phase == Phase::kWork ? 0 : now_ns() + static_cast<std::int64_t>(seconds * 1e9));
}

HttpConnections::HttpConnections(const HttpOptions& options) : options_(options), watcher_(start_thread([this] { watch(); })) {}

HttpConnections::~HttpConnections() { stop(); }

HttpConnection* HttpConnections::opened(int fd, std::string peer) {
  const std::lock_guard lock(mutex_);
  const bool surplus = open_.size() >= options_.max_connections;
  if (surplus) ++refused_;
  auto connection = std::make_unique<HttpConnection>(fd, std::move(peer), surplus);
  connection->enter(HttpConnection::Phase::kHeaders, surplus ? std::min(2.0, options_.header_seconds) : options_.header_seconds);
  open_.insert(connection.get());
  return connection.release();
}

void HttpConnections::closed(HttpConnection* connection) noexcept {
  const std::lock_guard lock(mutex_);
  open_.erase(connection);
  delete connection;
}

HttpCounters HttpConnections::counters() const {
  const std::lock_guard lock(mutex_);
  HttpCounters counters;
  counters.connections = open_.size();
  counters.connections_refused = refused_;
  counters.timed_out = timed_out_;
  return counters;
}

void HttpConnections::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

void HttpConnections::watch() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::milliseconds(250), [this] { return stopped_; })) {
    const std::int64_t now = now_ns();
    for (HttpConnection* connection : open_) {
      const std::int64_t deadline = connection->deadline_.load();
      if (deadline == 0 || now < deadline) continue;
      // The library sees the end of the stream and closes it.
      shutdown(connection->fd_, SHUT_RDWR);
      connection->deadline_.store(0);
      ++timed_out_;
    }
  }
}

}  // namespace signet
