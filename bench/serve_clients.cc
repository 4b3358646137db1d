#include "bench/serve_clients.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace signet::bench {
namespace {

int connect_to(std::uint16_t port, bool blocking) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (fd >= 0) ::close(fd);
    return -1;
  }
  if (blocking) {
    const timeval patience{60, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  return fd;
}

// Whether the other side has ended the connection.
bool is_over(int fd) {
  char byte = 0;
  const ssize_t got = ::recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace

SlowClients::SlowClients(std::uint16_t port, std::size_t count)
    : port_(port), sockets_(count, -1), sent_(count, 0), thread_([this] { run(); }) {}

SlowClients::~SlowClients() {
  done_.store(true);
  thread_.join();
  for (const int fd : sockets_) {
    if (fd >= 0) ::close(fd);
  }
}

void SlowClients::run() {
  const std::string head = "POST /v1/search HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + std::string(1000, 'a');
  while (!done_.load()) {
    std::size_t open = 0;
    for (std::size_t i = 0; i < sockets_.size() && !done_.load(); ++i) {
      if (sockets_[i] >= 0 && is_over(sockets_[i])) {
        ::close(sockets_[i]);
        sockets_[i] = -1;
      }
      if (sockets_[i] < 0) {
        sockets_[i] = connect_to(port_, false);
        sent_[i] = 0;
      }
      if (sockets_[i] < 0) continue;
      ++open;
      if (i % 2 == 1) ::send(sockets_[i], &head[sent_[i]++ % head.size()], 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    open_.store(open);
    for (int step = 0; step < 10 && !done_.load(); ++step) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Answer ask(std::uint16_t port, const std::string& method, const std::string& target, const std::string& type,
           const std::string& body) {
  Answer answer;
  const int fd = connect_to(port, true);
  if (fd < 0) return answer;
  const std::string text = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: " + type +
                           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t sent = ::send(fd, text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (sent <= 0) break;
    done += static_cast<std::size_t>(sent);
  }
  std::string reply;
  char bytes[65536];
  for (ssize_t got = 0; (got = ::recv(fd, bytes, sizeof bytes, 0)) > 0;) reply.append(bytes, static_cast<std::size_t>(got));
  ::close(fd);
  if (reply.size() < 12) return answer;
  answer.status = static_cast<unsigned>(std::stoul(reply.substr(9, 3)));
  const std::size_t end = reply.find("\r\n\r\n");
  if (end != std::string::npos) answer.body = reply.substr(end + 4);
  return answer;
}

}  // namespace signet::bench
