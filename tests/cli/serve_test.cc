#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "tests/cli/run_signet.h"

// The program itself: starts, says where it listens, answers, stops. What it answers is tested in src/serve.
namespace signet::cli_test {
namespace {

class ServeProgramTest : public CliTest {
 protected:
  ServeProgramTest() {
    write_random_model(path("model.onnx"), 12);
    std::filesystem::create_directories(path("pictures/a"));
    for (int i = 0; i < 4; ++i) {
      testdata::write(path("pictures/a/" + std::to_string(i) + ".png"),
                      testdata::text_of(encode_png(testdata::picture(0, static_cast<std::uint32_t>(i)))));
    }
    ok({"add", path("pictures"), "--collection", path("c"), "--model", path("model.onnx"), "--quiet"});
  }

  // The port that the program prints once it is ready; 0 where it ended before.
  int port_of(const Process& process) const {
    const auto out = [&] { return slurp(path("output/stdout.txt")); };
    if (!process.reaches([&] { return out().find('\n') != std::string::npos; })) return 0;
    return std::stoi(out().substr(out().rfind(':') + 1));
  }

  static std::string ask(int port, const std::string& text) {
    const int fd = connect_to(port);
    if (fd < 0) return {};
    ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    std::string reply;
    char bytes[4096];
    for (ssize_t got = 0; (got = ::recv(fd, bytes, sizeof bytes, 0)) > 0;) reply.append(bytes, static_cast<std::size_t>(got));
    ::close(fd);
    return reply;
  }
  static int connect_to(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{60, 0};  // with a server that never answers
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
    ::close(fd);
    return -1;
  }
  static std::string put_head(const std::string& target, std::size_t length) {
    return "PUT " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: image/png\r\nContent-Length: " +
           std::to_string(length) + "\r\n\r\n";
  }
  static std::string put(int port, const std::string& target, const std::string& picture) {
    return ask(port, put_head(target, picture.size()) + picture);
  }
  static std::string get(int port, const std::string& target, const std::string& headers = {}) {
    return ask(port, "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers + "\r\n");
  }
};

TEST_F(ServeProgramTest, AnswersLogsAndStopsInOrder) {
  Process process(SIGNET_PROGRAM, {"serve", "--collection", path("c"), "--port", "0"}, path("output"));
  const int port = port_of(process);
  ASSERT_NE(port, 0) << slurp(path("output") + "/stderr.txt");
  const std::string collection = get(port, "/v1/collection");
  EXPECT_NE(collection.find("\"images\":4"), std::string::npos) << collection;
  EXPECT_NE(collection.find("\"can_encode\":true"), std::string::npos) << collection;
  EXPECT_NE(get(port, "/").find("text/html"), std::string::npos);
  EXPECT_NE(get(port, "/v1/thumbnails/1").find("200 OK"), std::string::npos);  // `add` noted where the pictures are
  process.signal(SIGTERM);
  const Outcome outcome = process.wait();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const auto line = nlohmann::json::parse(outcome.err.substr(0, outcome.err.find('\n')));
  EXPECT_EQ(line.at("route"), "GET /v1/collection");
  EXPECT_EQ(line.at("status"), 200);
  EXPECT_EQ(line.at("request_id").get<std::string>().size(), 16u);
}

TEST_F(ServeProgramTest, ACollectionIsServedWhileAnotherProgramAddsToIt) {
  Process process(SIGNET_PROGRAM, {"serve", "--collection", path("c"), "--port", "0", "--quiet"}, path("output"));
  const int port = port_of(process);
  ASSERT_NE(port, 0);
  testdata::write(path("pictures/a/4.png"), testdata::text_of(encode_png(testdata::picture(0, 4))));
  std::filesystem::create_directory(path("other"));
  const Outcome added =
      Process(SIGNET_PROGRAM, {"add", path("pictures"), "--collection", path("c"), "--quiet"}, path("other")).wait();
  EXPECT_EQ(added.status, 0) << added.err;
  bool seen = false;
  for (int attempt = 0; attempt < 1000 && !seen; ++attempt) {
    seen = get(port, "/v1/collection").find("\"images\":5") != std::string::npos;
    if (!seen) usleep(10'000);
  }
  EXPECT_TRUE(seen);
  process.signal(SIGINT);
  EXPECT_EQ(process.wait().status, 0);
}

TEST_F(ServeProgramTest, KilledItLosesNothingThatWasAnswered) {
  Process process(SIGNET_PROGRAM, {"serve", "--collection", path("c"), "--port", "0", "--quiet"}, path("output"));
  const int port = port_of(process);
  ASSERT_NE(port, 0);
  const std::string picture = testdata::text_of(encode_png(testdata::picture(1, 9)));
  const std::string reply = put(port, "/v1/images/new", picture);
  EXPECT_NE(reply.find("201 Created"), std::string::npos) << reply;
  process.signal(SIGKILL);
  process.wait();
  EXPECT_NE(ok({"collection", "list", path("c"), "--json"}).out.find("\"new\""), std::string::npos);
  ok({"collection", "verify", path("c")});
}

TEST_F(ServeProgramTest, APublicAddressNeedsKeys) {
  expect_error({"serve", "--collection", path("c"), "--address", "0.0.0.0", "--port", "0"}, 2, {"--address 0.0.0.0", "--keys"});
  expect_error({"serve", "--collection", path("c"), "--address", "::", "--port", "0"}, 2, {"--address ::", "--keys"});
  testdata::write(path("keys"), "read 0123456789abcdef\n");
  ::chmod(path("keys").c_str(), 0644);
  expect_error({"serve", "--collection", path("c"), "--address", "0.0.0.0", "--port", "0", "--keys", path("keys")}, 3,
               {"keys", "chmod"});
  ::chmod(path("keys").c_str(), 0600);
  Process process(SIGNET_PROGRAM,
                  {"serve", "--collection", path("c"), "--address", "0.0.0.0", "--port", "0", "--keys", path("keys")},
                  path("output"));
  const int port = port_of(process);
  ASSERT_NE(port, 0) << slurp(path("output") + "/stderr.txt");
  EXPECT_NE(get(port, "/v1/collection").find("401 Unauthorized"), std::string::npos);
  EXPECT_NE(get(port, "/v1/collection", "Authorization: Bearer 0123456789abcdef\r\n").find("\"writable\":false"),
            std::string::npos);
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait().status, 0);
}

TEST_F(ServeProgramTest, LimitsOfTheCommandLineAreThoseOfTheService) {
  const std::string large = "P5 2000 1000 255\n" + std::string(2'000'000, 'x');  // two megapixels in two megabytes
  const auto serve = [&](const Words& more) {
    Words words = {"serve", "--collection", path("c"), "--port", "0", "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  {
    Process process(SIGNET_PROGRAM, serve({"--max-body", "1"}), path("output"));
    const int port = port_of(process);
    ASSERT_NE(port, 0) << slurp(path("output/stderr.txt"));
    const std::string reply = ask(port, put_head("/v1/images/large", large.size()));  // refused by its length alone
    EXPECT_NE(reply.find(" 413 "), std::string::npos) << reply;
    EXPECT_NE(get(port, "/v1/collection").find("\"writable\":true"), std::string::npos);
  }
  {
    Process process(SIGNET_PROGRAM, serve({"--max-megapixels", "1"}), path("output"));
    const int port = port_of(process);
    ASSERT_NE(port, 0) << slurp(path("output/stderr.txt"));
    const std::string reply = put(port, "/v1/images/large", large);
    EXPECT_NE(reply.find(" 422 "), std::string::npos) << reply;
    EXPECT_NE(reply.find("2000 x 1000"), std::string::npos) << reply;
  }
  {
    Process process(SIGNET_PROGRAM, serve({"--read-only", "--rate", "2"}), path("output"));
    const int port = port_of(process);
    ASSERT_NE(port, 0) << slurp(path("output/stderr.txt"));
    EXPECT_NE(put(port, "/v1/images/new", "P5 1 1 255\nx").find(" 403 "), std::string::npos);
    std::string replies;
    for (int i = 0; i < 10; ++i) replies += get(port, "/v1/collection");
    EXPECT_NE(replies.find("\"writable\":false"), std::string::npos);
    EXPECT_NE(replies.find(" 429 "), std::string::npos);
  }
}

TEST_F(ServeProgramTest, ALowLimitOfOpenFilesIsRaised) {
  Process process(
      "/bin/sh",
      {"-c", "ulimit -Sn 64; exec \"$0\" \"$@\"", SIGNET_PROGRAM, "serve", "--collection", path("c"), "--port", "0", "--quiet"},
      path("output"));
  const int port = port_of(process);
  ASSERT_NE(port, 0) << slurp(path("output/stderr.txt"));
  std::vector<int> idle;
  for (int i = 0; i < 100; ++i) idle.push_back(connect_to(port));
  EXPECT_NE(get(port, "/v1/collection").find(" 200 "), std::string::npos);
  for (const int fd : idle) ::close(fd);
}

TEST_F(ServeProgramTest, AModelThatIsGoneIsSaidAndTheRestIsServed) {
  std::filesystem::remove(path("model.onnx"));
  Process process(SIGNET_PROGRAM, {"serve", "--collection", path("c"), "--port", "0"}, path("output"));
  const int port = port_of(process);
  ASSERT_NE(port, 0) << slurp(path("output") + "/stderr.txt");
  EXPECT_NE(get(port, "/v1/collection").find("\"can_encode\":false"), std::string::npos);
  process.signal(SIGTERM);
  const std::string said = process.wait().err;
  EXPECT_NE(said.find("pictures cannot be encoded: the collection's model is not at " + path("model.onnx") + "; --model"),
            std::string::npos)
      << said;
}

TEST_F(ServeProgramTest, KindAndRadiusMustFitTheCodes) {
  const auto refused = [&](const std::string& collection, const char* flag, const char* value, int status, Words parts) {
    parts.push_back(std::string(flag) + " " + value);
    expect_error({"serve", "--collection", path(collection), "--port", "0", flag, value}, status, parts);
  };
  refused("c", "--kind", "foo", 2, {"flat, table, mih or pivot"});
  refused("c", "--duplicates-radius", "7", 2, {"12 bits", "0 to 6"});
  ok({"collection", "create", path("wide"), "--bits", "64"});
  refused("wide", "--kind", "table", 3, {"24 bits", "64"});
}

TEST_F(ServeProgramTest, SaysWhatIsWrongAtTheStart) {
  expect_error({"serve", "--collection", path("none")}, 3, {path("none")});
  expect_error({"serve", "--collection", path("c"), "--address", "0.0.0.0", "--keys", path("none")}, 3, {path("none")});
  expect_error({"serve", "--collection", path("c"), "--address", "nowhere"}, 2, {"--address nowhere is no address", "127.0.0.1"});
  expect_error({"serve", "--collection", path("c"), "--port", "99999"}, 2, {"--port"});
  expect_error({"serve", "--collection", path("none"), "--root", path("nix")}, 3, {"--root " + path("nix")});
  write_random_model(path("other.onnx"), 12, 16, 1, 3, 99);
  expect_error({"serve", "--collection", path("c"), "--model", path("other.onnx"), "--port", "0"}, 3, {"other.onnx"});
}

}  // namespace
}  // namespace signet::cli_test
