#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/test_folder.h"
#include "encode/test_networks.h"
#include "signet/base/file_system.h"
#include "signet/encode/encoder.h"
#include "signet/serve/api.h"
#include "signet/serve/http.h"
#include "signet/serve/service.h"
#include "signet/store/collection_writer.h"

// For tests of serve: a small collection with a model and pictures on disk, a service over it, and a plain HTTP client.
namespace signet {

inline constexpr std::uint32_t kServeBits = 12;
inline constexpr std::uint32_t kServeSide = 8;
inline constexpr std::size_t kServeImages = 30;

inline std::string test_png(std::uint64_t seed, std::uint32_t width = kServeSide, std::uint32_t height = kServeSide) {
  return std::string(as_text(encode_png(testing_networks::random_image(width, height, 1, seed))));
}

class ServeTest : public TestFolder {
 protected:
  ServeTest() {
    write_model(real_file_system(), path("model.onnx"),
                testing_networks::model_for(testing_networks::airbench(1, kServeSide, {2, 2, 2}, kServeBits), kServeBits));
    const Encoder encoder = Encoder::open(real_file_system(), path("model.onnx"), {1, "auto"});
    fingerprint_ = encoder.info().fingerprint;
    std::filesystem::create_directory(path("pictures"));
    CreateOptions create;
    create.bits = kServeBits;
    create.model = fingerprint_;
    create.model_path = path("model.onnx");
    create.root = path("pictures");
    create.class_names = {"even", "odd"};
    const auto writer = CollectionWriter::create(real_file_system(), path("c"), create);
    std::vector<Image> images;
    std::vector<ImageRecord> records;
    for (std::size_t i = 0; i < kServeImages; ++i) {
      images.push_back(testing_networks::random_image(kServeSide, kServeSide, 1, i));
      put(key(i), test_png(i));
      ImageRecord record;
      record.key = key(i);
      record.labels = {static_cast<std::int32_t>(i % 2)};
      record.width = record.height = kServeSide;
      record.bytes = test_png(i).size();
      records.push_back(record);
    }
    codes_ = pack_signs(encoder.run(images).hash, kServeBits);
    writer->add({&codes_, records, fingerprint_});
  }
  std::string key(std::size_t i) const { return path(concat("pictures/", i, ".png")); }
  std::string hex(std::size_t i) const { return to_hex(codes_.row(i)); }
  ServiceOptions service_options() const {
    ServiceOptions options;
    options.collection = path("c");
    options.threads = 2;
    options.refresh_seconds = 0.02;
    options.writer_seconds = 0.05;
    return options;
  }

  std::string fingerprint_;
  CodeMatrix codes_;
};

inline std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
    char hex[4];
    std::snprintf(hex, sizeof hex, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += plain ? std::string(1, c) : std::string(hex);
  }
  return out;
}

struct Reply {
  unsigned status = 0;  // 0: the connection ended without an answer
  HttpFields headers;   // names in lower case
  std::string body;
  std::string header(const std::string& name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return {};
  }
  nlohmann::json json() const { return nlohmann::json::parse(body); }
};

// One connection to localhost. Reads give up after ten seconds.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{10, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      ADD_FAILURE() << "cannot connect to port " << port;
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool send(const std::string& text) const {
    std::size_t done = 0;
    while (done < text.size()) {
      const ssize_t sent = ::send(fd_, text.data() + done, text.size() - done, MSG_NOSIGNAL);
      if (sent <= 0) return false;
      done += static_cast<std::size_t>(sent);
    }
    return true;
  }
  Reply ask(const std::string& method, const std::string& target, const std::string& body = {}, const HttpFields& headers = {}) {
    std::string text = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n";
    for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
    if (!body.empty() || method == "POST" || method == "PUT") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    send(text + "\r\n" + body);
    return read(method == "HEAD");
  }
  Reply read(bool head = false) {
    Reply reply;
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return reply;
    }
    const std::string text = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    std::from_chars(text.data() + 9, text.data() + 12, reply.status);
    for (std::size_t at = text.find("\r\n") + 2; at < text.size();) {
      const std::size_t stop = text.find("\r\n", at), colon = text.find(": ", at);
      std::string name = text.substr(at, colon - at);
      for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      reply.headers.emplace_back(name, text.substr(colon + 2, stop - colon - 2));
      at = stop + 2;
    }
    if (reply.status == 100) return read(head);
    const std::string length = reply.header("content-length");
    const std::size_t size = head || length.empty() ? 0 : std::stoul(length);
    while (buffer_.size() < size) {
      if (!fill()) return {};
    }
    reply.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return reply;
  }
  // Whether the server ends the connection, with nothing before it; no end in ten seconds is none.
  bool ended() const {
    char byte = 0;
    const ssize_t got = buffer_.empty() ? ::recv(fd_, &byte, 1, MSG_PEEK) : 1;
    return got == 0 || (got < 0 && (errno == ECONNRESET || errno == EPIPE));
  }

 private:
  bool fill() {
    char bytes[65536];
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  int fd_;
  std::string buffer_;
};

// A whole server in this process.
class ServerTest : public ServeTest {
 protected:
  void start() {
    service_ = std::make_unique<Service>(*fs_, service_options_);
    api_ = std::make_unique<Api>(*service_, api_options_);
    http_options_.port = 0;
    server_ = std::make_unique<HttpServer>(http_options_, *api_);
    api_->watch([this] { return server_->counters(); });
  }
  ~ServerTest() override {
    if (server_ != nullptr) server_->stop();
  }
  Client client() const { return Client(server_->port()); }
  Reply ask(const std::string& method, const std::string& target, const std::string& body = {},
            const HttpFields& headers = {}) const {
    return client().ask(method, target, body, headers);
  }
  // Expects this status with a problem body that says `part`.
  static void expect_problem(const Reply& reply, unsigned status, const std::string& part) {
    EXPECT_EQ(reply.status, status) << reply.body;
    EXPECT_EQ(reply.header("content-type"), "application/problem+json");
    if (reply.body.empty()) return;
    const auto problem = reply.json();
    EXPECT_EQ(problem.at("status"), status);
    EXPECT_EQ(problem.at("request_id"), reply.header("x-request-id"));
    EXPECT_NE(problem.at("detail").get<std::string>().find(part), std::string::npos) << problem.at("detail");
  }

  FileSystem* fs_ = &real_file_system();
  ServiceOptions service_options_ = service_options();
  ApiOptions api_options_;
  HttpOptions http_options_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<HttpServer> server_;
};

// Waits until something holds that other threads bring about.
template <typename Condition>
void eventually(const Condition& condition, const char* what) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << what;
    std::this_thread::yield();
  }
}

inline const HttpFields kPng = {{"Content-Type", "image/png"}};
inline const HttpFields kJson = {{"Content-Type", "application/json"}};
inline const HttpFields kLines = {{"Content-Type", "application/x-ndjson"}};

}  // namespace signet
