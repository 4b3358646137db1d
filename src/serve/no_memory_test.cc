#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <new>

#include "serve/once_readable.h"
#include "serve/picture_source.h"
#include "serve/test_service.h"
#include "serve/work_queue.h"

// What happens where there is no memory for a request: it is lost or refused, and the others go on.
namespace signet {
namespace {

std::atomic<std::size_t> refused_from{SIZE_MAX};  // bytes of one piece of memory

void* give(std::size_t size) noexcept {
  return size >= refused_from.load(std::memory_order_relaxed) ? nullptr : std::malloc(size == 0 ? 1 : size);
}

// While it lives, nobody in this program gets `size` bytes or more in one piece.
class NoMemory {
 public:
  explicit NoMemory(std::size_t size) { refused_from.store(size); }
  ~NoMemory() { refused_from.store(SIZE_MAX); }
  NoMemory(const NoMemory&) = delete;
  NoMemory& operator=(const NoMemory&) = delete;
};

}  // namespace
}  // namespace signet

// Not inlined: where one half of a pair is, GCC takes the other for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* memory = signet::give(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return signet::give(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace signet {
namespace {

class Short final : public HttpHandler {
 public:
  HttpAdmission admit(const HttpRequest& /*request*/) noexcept override {
    HttpAdmission admission;
    admission.lane = HttpLane::kInline;
    admission.max_body = std::size_t{16} << 20;
    return admission;
  }
  void handle(HttpRequest& /*request*/, HttpReply reply) noexcept override { reply({}); }
  bool handle_at_once(HttpRequest& /*request*/, bool /*room*/, const HttpReply& /*reply*/) noexcept override { return false; }
  HttpResponse refuse(const HttpRequest& /*request*/, HttpRefusal /*why*/) noexcept override { return {}; }
  void finished(const HttpRequest& /*request*/, const HttpResponse& /*response*/, double /*seconds*/,
                bool /*sent*/) noexcept override {}
};

class NoMemoryTest : public testing::Test {
 protected:
  NoMemoryTest() : server_(options(), handler_) {}
  static HttpOptions options() {
    HttpOptions options;
    options.port = 0;
    return options;
  }
  // Whether the server ends the connection over this request, for which there is no memory, and answers others.
  void expect_lost(const std::string& request, std::size_t refused) {
    Client client(server_.port());
    bool ended = false;
    {
      const NoMemory none(refused);
      client.send(request);
      ended = client.ended();
    }
    EXPECT_TRUE(ended);
    EXPECT_EQ(Client(server_.port()).ask("POST", "/", std::string(6'000'000, 'x')).status, 200u);
    eventually([&] { return server_.counters().requests == 0 && server_.counters().body_bytes == 0; }, "nothing is left behind");
  }
  Short handler_;
  HttpServer server_;
};

TEST_F(NoMemoryTest, ForATarget) { expect_lost("GET /" + std::string(6000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 5000); }

TEST_F(NoMemoryTest, ForAHeader) {
  expect_lost("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + std::string(6000, 'a') + "\r\n\r\n", 5000);
}

TEST_F(NoMemoryTest, ForABody) {
  expect_lost("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6000000\r\n\r\n" + std::string(6'000'000, 'x'), 3'000'000);
}

TEST_F(NoMemoryTest, ForAConnection) {
  bool ended = false;
  {
    const NoMemory none(1);
    Client client(server_.port());
    client.send("GET /");
    ended = client.ended();
  }
  EXPECT_TRUE(ended);
  EXPECT_EQ(Client(server_.port()).ask("GET", "/").status, 200u);
  eventually([&] { return server_.counters().connections == 0; }, "nothing is left behind");
}

class ServeWithoutMemory : public ServeTest {};

TEST_F(ServeWithoutMemory, TheApiRefusesAndTheProgramLives) {
  ServiceOptions options = service_options();
  options.refresh_seconds = 3600;  // nobody else asks for memory
  Service service(real_file_system(), options);
  Api api(service, {});
  HttpRequest request;
  request.method = "GET";
  request.target = "/v1/images/" + std::string(100, 'a');
  request.headers = {{"host", "localhost"}};
  HttpAdmission admission;
  HttpResponse handled, refused;
  {
    const NoMemory none(1);
    admission = api.admit(request);
    api.handle(request, [&handled](HttpResponse response) { handled = std::move(response); });
    refused = api.refuse(request, HttpRefusal::kBodyTooLarge);
    api.finished(request, handled, 0, true);
  }
  EXPECT_TRUE(admission.refused);
  for (const HttpResponse* response : {&admission.refusal, &handled, &refused}) {
    EXPECT_EQ(response->status, 503u);
    EXPECT_EQ(response->body, "");
    EXPECT_EQ(response->content_type, "");
  }
  EXPECT_FALSE(api.admit(request).refused);
}

TEST_F(ServeWithoutMemory, ReadinessIsKnown) {
  OnceReadable files;
  ServiceOptions options = service_options();
  options.refresh_seconds = options.writer_seconds = 3600;
  Service service(files, options);
  service.set_verdict(1, 2, false);
  files.set(true);
  service.put("new", as_bytes(test_png(70)), "odd");
  EXPECT_GT(service.failure().size(), 32u);  // so that a copy of it needs memory
  bool ready = true;
  {
    const NoMemory none(1);
    ready = service.ready();
  }
  EXPECT_FALSE(ready);
}

TEST_F(ServeWithoutMemory, APictureIsNotCalledGoneOrBroken) {
  const Image image{400, 400, 1, std::vector<std::uint8_t>(400 * 400, 7)};
  const std::string picture(as_text(encode_png(image)));  // some hundred bytes
  put(key(3), picture);
  Service service(real_file_system(), service_options());
  ErrorCode shown{}, encoded{};
  {
    const NoMemory none(image.pixels.size());
    shown = error_of([&] { service.thumbnail(service.record(4), 32); });
    encoded = error_of([&] { service.encode(as_bytes(picture)); });
  }
  EXPECT_EQ(shown, ErrorCode::kBusy);
  EXPECT_EQ(encoded, ErrorCode::kBusy);
  EXPECT_EQ(service.picture_bytes(), 0u);
  EXPECT_EQ(service.thumbnail(service.record(4), 32).content_type, "image/jpeg");
}

TEST_F(ServeWithoutMemory, ADataSetThatCouldNotBeOpenedIsTriedAgain) {
  std::filesystem::create_directory(path("set"));
  const std::string head("\0\0\x08\x03\0\0\x07\xd0\0\0\0\x01\0\0\0\x01", 16);  // 2000 pictures of one pixel
  put(path("set/t10k-images-idx3-ubyte"), head + std::string(2000, 'x'));
  PictureMemory memory(std::uint64_t{4} << 30);
  PictureSource source({path("set")}, {}, memory);
  const std::string key = path("set/t10k/00000");
  {
    const NoMemory none(8000);  // the names of all members take more
    EXPECT_THROW(source.load(key, 0, 0), std::bad_alloc);
  }
  EXPECT_EQ(source.load(key, 0, 0).image.pixels.size(), 1u);
}

TEST(WorkQueueWithoutMemory, RefusesWhatItCannotHold) {
  WorkQueue queue(1, 10'000);
  std::promise<void> open;
  const std::shared_future<void> opened = open.get_future().share();
  EXPECT_TRUE(queue.push([opened] { opened.wait(); }));
  std::atomic<std::size_t> done{0};
  const auto task = [&done] { done.fetch_add(1); };
  std::size_t taken = 0;
  {
    const NoMemory none(1);
    for (int i = 0; i < 1000; ++i) taken += queue.push(task) ? 1u : 0u;
  }
  EXPECT_LT(taken, 1000u);
  EXPECT_TRUE(queue.push(task));
  open.set_value();
  queue.finish();
  EXPECT_EQ(done.load(), taken + 1);
}

}  // namespace
}  // namespace signet
