#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <future>
#include <thread>

#include "serve/test_service.h"

// Each limit with the request that breaks it, over a real socket.
namespace signet {
namespace {

using nlohmann::json;

class HttpLimits : public ServerTest {};

std::string head(const std::string& method, const std::string& target, const std::string& headers) {
  return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
}

TEST_F(HttpLimits, BodyBeyondTheLimitIsRefusedBeforeItIsSent) {
  api_options_.max_picture_bytes = 1000;
  start();
  Client client(server_->port());
  client.send(head("POST", "/v1/search", "Content-Type: image/png\r\nContent-Length: 1001\r\n"));
  expect_problem(client.read(), 413, "larger");
  EXPECT_TRUE(client.ended());
  expect_problem(ask("POST", "/v1/search", "{\"code\": \"" + std::string(300'000, '0') + "\"}", kJson), 413, "larger");
  expect_problem(ask("GET", "/v1/collection", "a body", {}), 413, "larger");
  EXPECT_EQ(ask("POST", "/v1/search", test_png(1), kPng).status, 200u);
}

TEST_F(HttpLimits, WaitingForContinueHearsTheRefusalInstead) {
  api_options_.max_picture_bytes = 1000;
  start();
  Client client(server_->port());
  client.send(head("POST", "/v1/search", "Content-Type: image/png\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n"));
  expect_problem(client.read(), 413, "larger");
}

TEST_F(HttpLimits, AbsurdLengthsAreRefused) {
  start();
  for (const char* length : {"99999999999999999999999999", "18446744073709551615", "-1", "1x"}) {
    Client client(server_->port());
    client.send(head("POST", "/v1/search", "Content-Type: image/png\r\nContent-Length: " + std::string(length) + "\r\n"));
    const unsigned status = client.read().status;
    EXPECT_TRUE(status == 413 || status == 400) << length << ": " << status;
  }
}

TEST_F(HttpLimits, BodyWithoutLengthIsRefused) {
  start();
  Client chunked(server_->port());
  chunked.send(head("POST", "/v1/search", "Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n");
  expect_problem(chunked.read(), 411, "Content-Length");
  Client without(server_->port());
  without.send(head("PUT", "/v1/images/a", "Content-Type: image/png\r\n"));
  expect_problem(without.read(), 411, "Content-Length");
}

TEST_F(HttpLimits, LongTargetsAndHeadersAreRefused) {
  start();
  expect_problem(ask("GET", "/v1/images/" + std::string(9000, 'a')), 414, "too long");
  expect_problem(ask("GET", "/healthz", {}, {{"X-Long", std::string(17'000, 'a')}}), 431, "too large");
  // Far beyond, the library itself answers, or ends the connection.
  const unsigned status = ask("GET", "/healthz", {}, {{"X-Long", std::string(1'000'000, 'a')}}).status;
  EXPECT_TRUE(status == 431 || status == 0) << status;
  EXPECT_EQ(ask("GET", "/healthz").status, 200u);
}

TEST_F(HttpLimits, WhatIsNoHttpIsRefused) {
  http_options_.header_seconds = 1;  // some of it is the beginning of something
  start();
  for (const char* text : {"hello\r\n\r\n", "GET /healthz HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "\r\n\r\n\r\n",
                           "GET /a%zz HTTP/1.1\r\nHost: localhost\r\n\r\n"}) {
    Client client(server_->port());
    client.send(text);
    const unsigned status = client.read().status;
    EXPECT_TRUE(status == 0 || (status >= 400 && status < 600)) << text << ": " << status;
  }
  expect_problem(ask("GET", "/v1/images/a%zz"), 400, "hex digits");
  EXPECT_EQ(ask("GET", "/healthz").status, 200u);
}

TEST_F(HttpLimits, UnknownPathsMethodsAndTypesAreRefused) {
  start();
  expect_problem(ask("GET", "/nothing"), 404, "nothing at this path");
  expect_problem(ask("GET", "/../../etc/passwd"), 404, "nothing at this path");
  const Reply reply = ask("DELETE", "/v1/search");
  expect_problem(reply, 405, "POST");
  EXPECT_EQ(reply.header("allow"), "POST");
  EXPECT_EQ(ask("PATCH", "/v1/images/a").header("allow"), "GET, HEAD, PUT, DELETE");
  expect_problem(ask("POST", "/v1/search", "k=1", {{"Content-Type", "application/x-www-form-urlencoded"}}), 415, "picture");
  expect_problem(ask("POST", "/v1/search", "{}"), 415, "picture");
  expect_problem(ask("POST", "/v1/encode", "{}", kJson), 415, "picture");
  expect_problem(ask("POST", "/v1/images:bulk", "{}", {{"Content-Type", "text/csv"}}), 415, "ndjson");
  expect_problem(ask("POST", "/v1/search", "GIF89a.....................", kPng), 415, "GIF");
}

TEST_F(HttpLimits, HeadIsAnsweredWithoutABody) {
  start();
  const Reply reply = ask("HEAD", "/healthz");
  EXPECT_EQ(reply.status, 200u);
  EXPECT_EQ(reply.header("content-length"), "15");
}

TEST_F(HttpLimits, ClientsThatAskTooOftenHaveToWait) {
  api_options_.rate = 2;
  start();
  Client client(server_->port());
  unsigned refused = 0;
  for (int i = 0; i < 20; ++i) {
    const Reply reply = client.ask("GET", "/v1/images/gone");
    if (reply.status == 404) continue;
    expect_problem(reply, 429, "more requests");
    EXPECT_NE(reply.header("retry-after"), "");
    ++refused;
  }
  EXPECT_GE(refused, 10u);
  EXPECT_EQ(client.ask("GET", "/healthz").status, 200u);
}

// A handler whose answers wait until they are let go.
class Gate final : public HttpHandler {
 public:
  HttpAdmission admit(const HttpRequest& request) noexcept override {
    if (request.target == "/at-once-later") {
      entered.fetch_add(1);
      open.get_future().wait();
    }
    HttpAdmission admission;
    admission.lane = request.target == "/inline" ? HttpLane::kInline
                     : request.method == "PUT"   ? HttpLane::kWrite
                                                 : HttpLane::kRead;
    admission.max_body = 1000;
    return admission;
  }
  void handle(HttpRequest& request, HttpReply reply) noexcept override {
    if (request.target != "/inline") {
      entered.fetch_add(1);
      open.get_future().wait();
    }
    reply({});
  }
  bool handle_at_once(HttpRequest& request, bool room, const HttpReply& reply) noexcept override {
    if (!request.target.starts_with("/at-once")) return false;
    if (!room) {
      HttpResponse busy;
      busy.status = 503;
      reply(std::move(busy));
      return true;
    }
    const std::lock_guard lock(mutex);
    replies.push_back(reply);
    return true;
  }
  HttpResponse refuse(const HttpRequest& /*request*/, HttpRefusal why) noexcept override {
    HttpResponse response;
    response.status = why == HttpRefusal::kBusy ? 503 : 500 + static_cast<unsigned>(why);
    return response;
  }
  void finished(const HttpRequest& /*request*/, const HttpResponse& /*response*/, double /*seconds*/,
                bool sent) noexcept override {
    (sent ? answered : lost).fetch_add(1);
  }
  void give_up() noexcept override { gave_up = true; }
  struct Shared {
    std::promise<void> promise;
    std::shared_future<void> future = promise.get_future().share();
    std::shared_future<void> get_future() const { return future; }
    void release() { promise.set_value(); }
  } open;
  std::atomic<int> entered{0}, answered{0}, lost{0};
  std::atomic<bool> gave_up{false};
  std::size_t taken() {  // at once and not yet replied to
    const std::lock_guard lock(mutex);
    return replies.size();
  }
  void reply_to_all() {
    const std::lock_guard lock(mutex);
    for (const HttpReply& reply : replies) reply({});
    replies.clear();
  }
  std::mutex mutex;
  std::vector<HttpReply> replies;
};

int lowest_free_descriptor() {
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(fd);
  return fd;
}

// One thread and two: the library then fails in different places, and closes the socket in one of them.
TEST(HttpServer, AStartThatFailsSaysWhyAndLeavesNothingOpen) {
  Gate gate;
  HttpOptions options;
  options.port = 0;
  for (const std::size_t threads : {1, 2}) {
    options.io_threads = threads;
    const int free = lowest_free_descriptor();
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    const rlimit one_more{static_cast<rlim_t>(free) + 1, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &one_more);
    std::string message;
    EXPECT_EQ(error_of([&] { HttpServer(options, gate); }, &message), ErrorCode::kIo);
    setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_NE(message.find("could not be started"), std::string::npos) << message;
    EXPECT_NE(message.find(std::strerror(EMFILE)), std::string::npos) << message;
    EXPECT_EQ(lowest_free_descriptor(), free);
  }
}

std::string get(const std::string& target) { return head("GET", target, ""); }

TEST(HttpServer, WorkBeyondTheQueueIsRefusedAtOnce) {
  Gate gate;
  HttpOptions options;
  options.port = 0;
  options.read_workers = 2;
  options.read_queue = 1;
  HttpServer server(options, gate);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Client>(server.port()));
    clients.back()->send(get("/"));
    if (i < 2) eventually([&] { return gate.entered.load() == i + 1; }, "a worker takes it");
  }
  eventually([&] { return server.counters().read_queue == 1; }, "the third waits");
  EXPECT_EQ(Client(server.port()).ask("GET", "/").status, 503u);
  // Neither health checks nor changes wait behind them.
  EXPECT_EQ(Client(server.port()).ask("GET", "/inline").status, 200u);
  Client writer(server.port());
  writer.send(head("PUT", "/", "Content-Length: 0\r\n"));
  eventually([&] { return gate.entered.load() == 3; }, "the writer's thread is free");
  gate.open.release();
  for (auto& client : clients) EXPECT_EQ(client->read().status, 200u);
  EXPECT_EQ(writer.read().status, 200u);
}

TEST(HttpServer, WhatIsTakenAtOnceNeedsNoWorker) {
  Gate gate;
  HttpOptions options;
  options.port = 0;
  options.read_workers = 1;
  options.read_queue = 1;
  HttpServer server(options, gate);
  Client busy(server.port());
  busy.send(get("/"));
  eventually([&] { return gate.entered.load() == 1; }, "the worker is busy");
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < 2; ++i) {
    clients.push_back(std::make_unique<Client>(server.port()));
    clients.back()->send(get("/at-once"));
    eventually([&] { return gate.taken() == i + 1; }, "it is taken");
  }
  EXPECT_EQ(Client(server.port()).ask("GET", "/at-once").status, 503u);  // as many as worker and queue would have
  EXPECT_EQ(Client(server.port()).ask("GET", "/inline").status, 200u);
  Client other(server.port());
  other.send(get("/"));
  eventually([&] { return server.counters().read_queue == 1; }, "what is not taken at once has the workers' queue");
  gate.reply_to_all();
  for (auto& client : clients) EXPECT_EQ(client->read().status, 200u);
  clients[0]->send(get("/at-once"));
  eventually([&] { return gate.taken() == 1; }, "there is room again");
  gate.reply_to_all();
  EXPECT_EQ(clients[0]->read().status, 200u);
  gate.open.release();
  EXPECT_EQ(busy.read().status, 200u);
  EXPECT_EQ(other.read().status, 200u);
}

TEST(HttpServer, NothingIsTakenAtOnceOnceStopWaits) {
  Gate gate;
  HttpOptions options;
  options.port = 0;
  options.stop_seconds = 0.05;
  HttpServer server(options, gate);
  Client client(server.port());
  client.send(get("/at-once-later"));
  eventually([&] { return gate.entered.load() == 1; }, "it is about to be taken");
  std::thread stopping([&] { server.stop(); });
  std::this_thread::sleep_for(
      std::chrono::milliseconds(300));  // the patience of stop() is over, and nothing is under way at once
  gate.open.release();
  stopping.join();  // taken now, it would leave a connection suspended, and the library ends the process for that
  EXPECT_EQ(gate.taken(), 0u);
}

TEST(HttpServer, StopWaitsForRepliesToWhatWasTakenAtOnce) {
  Gate gate;
  HttpOptions options;
  options.port = 0;
  options.stop_seconds = 0.05;
  HttpServer server(options, gate);
  Client client(server.port());
  client.send(get("/at-once"));
  eventually([&] { return gate.taken() == 1; }, "it is taken");
  std::atomic<bool> stopped{false};
  std::thread stopping([&] {
    server.stop();
    stopped = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // the patience of stop() is over
  EXPECT_FALSE(stopped);  // a connection without its answer must not be taken away from who is going to reply
  gate.reply_to_all();    // too late for the client, perhaps
  stopping.join();
  EXPECT_TRUE(stopped);
  gate.open.release();
}

TEST(HttpServer, WhatWaitsForAWorkerIsRefusedWhereStopHasNoPatienceLeft) {
  Gate gate;
  HttpOptions options;
  options.port = 0;
  options.read_workers = 1;
  options.stop_seconds = 0.05;
  HttpServer server(options, gate);
  const std::string change = head("PUT", "/", "Content-Length: 0\r\n");
  Client reading(server.port()), changing(server.port()), to_read(server.port()), to_change(server.port());
  reading.send(get("/"));
  changing.send(change);
  eventually([&] { return gate.entered.load() == 2; }, "both workers are busy");
  to_read.send(get("/"));
  to_change.send(change);
  eventually([&] { return server.counters().read_queue == 1 && server.counters().write_queue == 1; }, "the others wait");
  std::thread stopping([&] { server.stop(); });
  eventually([&] { return gate.gave_up.load(); }, "the handler hears of it");
  gate.open.release();
  EXPECT_EQ(reading.read().status, 200u);
  EXPECT_EQ(changing.read().status, 200u);
  EXPECT_EQ(to_read.read().status, 500u + static_cast<unsigned>(HttpRefusal::kStopping));
  EXPECT_EQ(to_change.read().status, 500u + static_cast<unsigned>(HttpRefusal::kStopping));
  stopping.join();
  EXPECT_EQ(gate.entered.load(), 2);
}

TEST(HttpServer, ConnectionsBeyondTheLimitAreTold) {
  Gate gate;
  HttpOptions options;
  options.port = 0;
  options.max_connections = 2;
  HttpServer server(options, gate);
  Client first(server.port()), second(server.port());
  EXPECT_EQ(first.ask("GET", "/inline").status, 200u);
  EXPECT_EQ(second.ask("GET", "/inline").status, 200u);
  Client third(server.port());
  EXPECT_EQ(third.ask("GET", "/inline").status, 500u + static_cast<unsigned>(HttpRefusal::kTooManyConnections));
  EXPECT_EQ(first.ask("GET", "/inline").status, 200u);
  EXPECT_EQ(server.counters().connections_refused, 1u);
}

TEST(HttpServer, BodiesBeyondTheMemoryAreRefused) {
  Gate gate;
  HttpOptions options;
  options.port = 0;
  options.max_body_memory = 1500;
  HttpServer server(options, gate);
  Client first(server.port());
  first.send(head("POST", "/", "Content-Length: 1000\r\n") + "the beginning");
  eventually([&] { return server.counters().body_bytes == 1000; }, "the first body is on its way");
  EXPECT_EQ(Client(server.port()).ask("POST", "/inline", std::string(900, 'x')).status, 503u);
  EXPECT_EQ(Client(server.port()).ask("POST", "/inline", std::string(400, 'x')).status, 200u);
  gate.open.release();
}

TEST(HttpServer, SlowClientsAreCutOff) {
  Gate gate;
  HttpOptions options;
  options.port = 0;
  options.header_seconds = 0.3;
  options.body_seconds = 0.3;
  HttpServer server(options, gate);
  Client silent(server.port()), slow_header(server.port()), slow_body(server.port());
  slow_body.send(head("POST", "/", "Content-Length: 1000\r\n"));
  std::atomic<bool> done{false};
  std::thread dripping([&] {  // a byte now and then: never silent for long
    slow_header.send("GET / HTTP/1.1\r\nX-Slow: ");
    while (!done.load() && slow_header.send("a") && slow_body.send("b"))
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  EXPECT_TRUE(silent.ended());
  EXPECT_TRUE(slow_header.ended());
  EXPECT_TRUE(slow_body.ended());
  done.store(true);
  dripping.join();
  EXPECT_GE(server.counters().timed_out, 3u);
  EXPECT_EQ(gate.entered.load(), 0);
  EXPECT_EQ(Client(server.port()).ask("GET", "/inline").status, 200u);
}

// Answers of three sizes, the largest for clients that do not take it.
class Torrent final : public HttpHandler {
 public:
  HttpAdmission admit(const HttpRequest& request) noexcept override {
    HttpAdmission admission;
    if (request.method == "PUT") admission.lane = HttpLane::kWrite;
    return admission;
  }
  void handle(HttpRequest& request, HttpReply reply) noexcept override {
    HttpResponse response;
    const std::size_t much = std::size_t{64} << 20;  // more than the kernel takes in for a client
    response.body.assign(request.target == "/small" ? 1000 : request.target == "/large" ? 100'000 : much, 'x');
    reply(std::move(response));
  }
  bool handle_at_once(HttpRequest& /*request*/, bool /*room*/, const HttpReply& /*reply*/) noexcept override { return false; }
  HttpResponse refuse(const HttpRequest& /*request*/, HttpRefusal why) noexcept override {
    HttpResponse response;
    response.status = why == HttpRefusal::kBusy ? 503 : 500;
    return response;
  }
  void finished(const HttpRequest& /*request*/, const HttpResponse& /*response*/, double /*seconds*/,
                bool sent) noexcept override {
    (sent ? answered : lost).fetch_add(1);
  }
  std::atomic<int> answered{0}, lost{0};
};

TEST(HttpServer, AnswersBeyondTheMemoryAreRefused) {
  Torrent torrent;
  HttpOptions options;
  options.port = 0;
  options.max_answer_memory = 150'000;
  HttpServer server(options, torrent);
  {
    Client lazy(server.port());
    lazy.send(get("/"));
    eventually([&] { return server.counters().answer_bytes == 150'000; }, "an answer that is larger than all has all");
    EXPECT_EQ(Client(server.port()).ask("GET", "/large").status, 503u);
    const Reply small = Client(server.port()).ask("GET", "/small");
    EXPECT_EQ(small.status, 200u);
    EXPECT_EQ(small.body.size(), 1000u);
    EXPECT_EQ(Client(server.port()).ask("PUT", "/large").body.size(), 100'000u);  // what was done is not called refused
    EXPECT_EQ(server.counters().answer_bytes, 150'000u);
  }
  eventually([&] { return server.counters().answer_bytes == 0; }, "who vanishes holds nothing");
  EXPECT_EQ(Client(server.port()).ask("GET", "/large").body.size(), 100'000u);
  eventually([&] { return server.counters().answer_bytes == 0; }, "nor does who has taken his answer");
}

TEST(HttpServer, ClientsThatDoNotTakeTheirAnswerAreCutOff) {
  Torrent torrent;
  HttpOptions options;
  options.port = 0;
  options.send_seconds = 0.3;
  HttpServer server(options, torrent);
  Client lazy(server.port());
  lazy.send(get("/"));
  eventually([&] { return server.counters().timed_out == 1 && server.counters().connections == 0; }, "it is cut off");
  eventually([&] { return torrent.lost.load() == 1; }, "the log hears that it was not sent");
  EXPECT_EQ(torrent.answered.load(), 0);
}

TEST(HttpServer, VanishedClientsLeaveNothingBehind) {
  Gate gate;
  HttpOptions options;
  options.port = 0;
  HttpServer server(options, gate);
  {
    Client half(server.port());
    half.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\nhalf of");
    Client waiting(server.port());
    waiting.send(get("/"));
    eventually([&] { return gate.entered.load() == 1 && server.counters().body_bytes == 500; }, "both are under way");
  }
  gate.open.release();
  eventually([&] { return server.counters().connections == 0; }, "both connections are gone");
  EXPECT_EQ(server.counters().requests, 0u);
  EXPECT_EQ(server.counters().body_bytes, 0u);
  EXPECT_EQ(Client(server.port()).ask("GET", "/inline").status, 200u);
}

// It is asked to stop while a request is worked on.
class StoppingServer : public testing::Test {
 protected:
  StoppingServer() {
    client.send(get("/"));
    eventually([&] { return gate.entered.load() == 1; }, "the request is worked on");
    stopping = std::thread([&] { server.stop(); });
  }
  static HttpOptions any_port() {
    HttpOptions options;
    options.port = 0;
    return options;
  }
  Gate gate;
  HttpServer server{any_port(), gate};
  Client client{server.port()};
  std::thread stopping;
};

TEST_F(StoppingServer, FinishesWhatIsUnderWay) {
  gate.open.release();
  const Reply reply = client.read();
  stopping.join();
  EXPECT_EQ(reply.status, 200u);
  EXPECT_EQ(gate.answered.load(), 1);
  server.stop();
}

TEST_F(StoppingServer, LetsNobodyIn) {
  eventually(
      [&] {
        Client late(server.port());
        late.send(get("/inline"));
        return late.ended();
      },
      "who comes now is sent away");
  eventually([&] { return server.counters().connections == 1; }, "who came before is gone");
  gate.open.release();
  EXPECT_EQ(client.read().status, 200u);
  stopping.join();
}

TEST(HttpServer, IsStoppedAsSoonAsItIsStarted) {
  Gate gate;
  HttpOptions options;
  options.port = 0;
  options.io_threads = 2;
  for (int i = 0; i < 200; ++i) HttpServer(options, gate).stop();  // the library's threads may not have begun to listen
}

TEST(HttpServer, NamesAnAddressThatCannotBeUsed) {
  Gate gate;
  HttpOptions options;
  options.address = "example.com";
  EXPECT_EQ(error_of([&] { HttpServer(options, gate); }), ErrorCode::kUsage);
  options.address = "192.0.2.1";  // TEST-NET: nobody's
  EXPECT_EQ(error_of([&] { HttpServer(options, gate); }), ErrorCode::kIo);
  options.address = "127.0.0.1";
  options.port = 0;
  const HttpServer first(options, gate);
  options.port = first.port();
  std::string message;
  EXPECT_EQ(error_of([&] { HttpServer(options, gate); }, &message), ErrorCode::kIo);
  EXPECT_NE(message.find(std::to_string(first.port())), std::string::npos) << message;
}

TEST(HttpServer, KeepsATameRequestIdAndMakesOneElse) {
  Gate gate;
  HttpOptions options;
  options.port = 0;
  HttpServer server(options, gate);
  EXPECT_EQ(Client(server.port()).ask("GET", "/inline", {}, {{"X-Request-Id", "abc-1.2_3"}}).header("x-request-id"), "abc-1.2_3");
  for (const char* wild : {"a b", "a\"b", "<script>"}) {
    const std::string id = Client(server.port()).ask("GET", "/inline", {}, {{"X-Request-Id", wild}}).header("x-request-id");
    EXPECT_EQ(id.size(), 16u) << id;
  }
}

TEST(HttpServer, AnswersSeveralRequestsOfOneConnectionInOrder) {
  Gate gate;
  gate.open.release();
  HttpOptions options;
  options.port = 0;
  HttpServer server(options, gate);
  Client client(server.port());
  client.send(get("/inline") + get("/") + get("/inline"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.read().status, 200u);
}

}  // namespace
}  // namespace signet
