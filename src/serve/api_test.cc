#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <map>
#include <mutex>
#include <sstream>

#include "serve/api_json.h"
#include "serve/metrics.h"
#include "serve/test_service.h"
#include "signet/base/fault_file_system.h"

// What the whole service answers where something is wrong with the request, the disk or the collection, and what it counts.
namespace signet {
namespace {

using nlohmann::json;

class ApiTest : public ServerTest {
 protected:
  // "name{labels}" to value.
  std::map<std::string, double> metrics() const {
    std::map<std::string, double> values;
    std::istringstream lines(ask("GET", "/metrics").body);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t blank = line.rfind(' ');
      if (line.starts_with("#") || blank == std::string::npos) continue;
      values[line.substr(0, blank)] = std::stod(line.substr(blank + 1));
    }
    return values;
  }
  static std::string requests(const std::string& method, const std::string& route, const std::string& status) {
    return "signet_requests_total{method=\"" + method + "\",route=\"" + route + "\",status=\"" + status + "\"}";
  }
};

TEST(SearchBody, IsTheJsonOfItsAnswer) {
  SearchAnswer answer;
  answer.code = "0a1b";
  answer.margins = {0.5f, 1.25f};
  answer.total = 12;
  answer.offset = 10;
  answer.searches = 3;
  answer.stats.index = "flat";
  answer.stats.kernel = "avx512";
  answer.stats.candidates = 1000;
  answer.stats.seconds = 0.0125;
  const std::string strange = "a \"b\"\\c/\t\x7f\xc3\xa9 d";
  answer.hits.resize(2);
  answer.hits[0].image.record.id = 7;
  answer.hits[0].image.record.key = strange;
  answer.hits[0].image.record.width = 3;
  answer.hits[0].image.record.height = 4;
  answer.hits[0].image.code = "0a1c";
  answer.hits[0].distance = 2;
  answer.hits[1].image.record.key = "no UTF-8: \xff";
  answer.hits[1].image.label = "cat;\"dog\"";
  const json body = json::parse(api::search_body(answer, 13));
  EXPECT_EQ(body.at("query"), (json{{"bits", 13}, {"code", "0a1b"}, {"margins", {0.5, 1.25}}}));
  EXPECT_EQ(body.at("total"), 12);
  EXPECT_EQ(body.at("offset"), 10);
  EXPECT_EQ(
      body.at("hits")[0],
      (json{{"id", 7}, {"key", strange}, {"label", nullptr}, {"distance", 2}, {"code", "0a1c"}, {"width", 3}, {"height", 4}}));
  EXPECT_EQ(body.at("hits")[1].at("key"), "no UTF-8: \xef\xbf\xbd");
  EXPECT_EQ(body.at("hits")[1].at("label"), answer.hits[1].image.label);
  EXPECT_EQ(body.at("statistics"),
            (json{{"index", "flat"}, {"kernel", "avx512"}, {"milliseconds", 12.5}, {"candidates", 1000}, {"searches", 3}}));
  EXPECT_EQ(json::parse(api::search_body({}, 12)).at("hits"), json::array());
}

TEST_F(ApiTest, MetricsCountWhatHappens) {
  start();
  const std::string search = "method=\"POST\",route=\"/v1/search\"";
  auto before = metrics();
  EXPECT_EQ(before["signet_codes"], kServeImages);
  EXPECT_EQ(before["signet_segments"], 1);
  EXPECT_EQ(before["signet_removed_codes"], 0);
  EXPECT_EQ(before["signet_request_seconds_count{" + search + "}"], 0);
  EXPECT_GE(before["signet_connections"], 1);
  EXPECT_GE(before["signet_requests_under_way"], 1);  // this one
  const std::string png = test_png(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask("POST", "/v1/search", png, kPng).status, 200u);
  EXPECT_EQ(ask("POST", "/v1/search?k=0", png, kPng).status, 422u);
  EXPECT_EQ(ask("GET", "/nothing").status, 404u);
  EXPECT_EQ(ask("PUT", "/v1/images/new", test_png(70), kPng).status, 201u);
  EXPECT_EQ(ask("DELETE", "/v1/images/" + escaped(key(0))).status, 204u);
  std::map<std::string, double> after;
  eventually(
      [&] {  // a request is counted when its answer is through
        after = metrics();
        return after[requests("DELETE", "/v1/images/{key}", "2xx")] == 1;
      },
      "all are counted");
  EXPECT_EQ(after["signet_request_seconds_count{" + search + "}"], 4);
  EXPECT_EQ(after["signet_request_seconds_bucket{" + search + ",le=\"+Inf\"}"], 4);
  EXPECT_GT(after["signet_request_seconds_sum{" + search + "}"], 0);
  double last = 0;
  for (const double bound : Metrics::kBounds) {  // a histogram of Prometheus is cumulative
    const double now = after[concat("signet_request_seconds_bucket{", search, ",le=\"", bound, "\"}")];
    EXPECT_GE(now, last);
    last = now;
  }
  EXPECT_EQ(after[requests("POST", "/v1/search", "2xx")], 3);
  EXPECT_EQ(after[requests("POST", "/v1/search", "4xx")], 1);
  EXPECT_EQ(after[requests("other", "", "4xx")], 1);
  EXPECT_EQ(after[requests("PUT", "/v1/images/{key}", "2xx")], 1);
  EXPECT_GE(after["signet_received_bytes_total"], static_cast<double>(4 * png.size()));
  EXPECT_GT(after["signet_sent_bytes_total"], before["signet_sent_bytes_total"]);
  EXPECT_EQ(after["signet_codes"], kServeImages);  // one more and one less
  EXPECT_EQ(after["signet_removed_codes"], 1);
  EXPECT_GT(after["signet_commit"], before["signet_commit"]);
  EXPECT_EQ(after["signet_read_queue_depth"], 0);
  ASSERT_TRUE(after.contains("signet_search_queue_depth"));
  EXPECT_EQ(after["signet_search_queue_depth"], 0);
  ASSERT_TRUE(after.contains("signet_picture_queue_depth"));
  EXPECT_EQ(after["signet_picture_queue_depth"], 0);
  ASSERT_TRUE(after.contains("signet_answer_bytes"));
  ASSERT_TRUE(after.contains("signet_picture_bytes"));
  EXPECT_EQ(after["signet_picture_bytes"], 0);
}

TEST_F(ApiTest, PicturesOfTooManyPixelsAreRefusedBeforeTheyAreDecoded) {
  service_options_.max_pixels = 1'000'000;
  start();
  // Headers without a single pixel behind them: who decoded would miss the pixels first.
  for (const char* header : {"P6 1001 1000 255\n", "P6 60000 60000 255\n", "P5 20000 20000 255\n"}) {
    for (const auto& [method, path] : {std::pair("POST", "/v1/search"), {"POST", "/v1/encode"}, {"PUT", "/v1/images/a"}})
      expect_problem(ask(method, path, header, kPng), 422, "pixels");
    const std::string line = json{{"key", "a"}, {"image_base64", "UDYgNjAwMDAgNjAwMDAgMjU1Cg=="}}.dump();
    EXPECT_NE(ask("POST", "/v1/images:bulk", line, kLines).body.find("pixels"), std::string::npos);
  }
  EXPECT_EQ(service_->info().images, kServeImages);
}

TEST_F(ApiTest, WhatIsNoPictureIsSaidSo) {
  start();
  const std::string png = test_png(1);
  for (const std::string& picture : {std::string("hello"), png.substr(0, png.size() / 2), std::string(1000, '\0')}) {
    for (const auto& [method, path] : {std::pair("POST", "/v1/search"), {"POST", "/v1/encode"}, {"PUT", "/v1/images/a"}})
      expect_problem(ask(method, path, picture, kPng), 422, "picture");
  }
  EXPECT_EQ(service_->info().images, kServeImages);
}

TEST_F(ApiTest, SmallSearchesAreTakenAtOnceAndNothingElse) {
  start();
  bool room = true;
  const auto taken = [&](const std::string& target, const std::string& type, const std::string& body) {
    HttpRequest request;
    request.method = "POST";
    request.target = target;
    request.headers = {{"content-type", type}};
    request.body = body;
    const auto promise = std::make_shared<std::promise<unsigned>>();
    const bool is =
        api_->handle_at_once(request, room, [promise](const HttpResponse& response) { promise->set_value(response.status); });
    return is ? promise->get_future().get() : 0u;
  };
  const std::string code = json{{"code", hex(3)}}.dump();
  EXPECT_EQ(taken("/v1/search", "application/json", code), 200u);
  EXPECT_EQ(taken("/v1/search?k=0", "application/json", code), 422u);
  EXPECT_EQ(taken("/v1/search", "application/json", "{"), 400u);
  EXPECT_EQ(taken("/v1/search", "image/png", test_png(3)), 200u);
  EXPECT_EQ(taken("/v1/search", "image/png", "no picture"), 422u);
  // What looks something up or takes longer is a worker's.
  EXPECT_EQ(taken("/v1/search?label=even", "application/json", code), 0u);
  EXPECT_EQ(taken("/v1/search", "application/json", json{{"key", key(3)}}.dump()), 0u);
  EXPECT_EQ(taken("/v1/search", "application/json", json{{"id", 3}}.dump()), 0u);
  EXPECT_EQ(taken("/v1/search", "image/png", test_png(3, 257, 256)), 0u);
  const auto jpeg = encode_jpeg(testing_networks::random_image(kServeSide, kServeSide, 1, 3), 90);
  EXPECT_EQ(taken("/v1/search", "image/jpeg", std::string(as_text(jpeg))), 0u);
  EXPECT_EQ(taken("/v1/search", "application/json", code + std::string(65536, ' ')), 0u);
  EXPECT_EQ(taken("/v1/encode", "image/png", test_png(3)), 0u);
  room = false;
  EXPECT_EQ(taken("/v1/search", "application/json", code), 503u);
  EXPECT_EQ(taken("/v1/search", "application/json", json{{"id", 3}}.dump()), 0u);
}

// The thread that reads from sockets must not wait for memory.
TEST_F(ApiTest, ASmallSearchThatHasToWaitForMemoryIsAWorkers) {
  service_options_.threads = 1;
  service_options_.max_pixels = 100;
  service_options_.max_picture_memory = 0;  // what one of 100 pixels needs, then
  service_options_.memory_seconds = 3600;
  start();
  std::promise<void> begun, end;
  SearchQuery holding;
  holding.query = SearchQuery::Code{{codes_.row(0).begin(), codes_.row(0).end()}};
  service_->search(holding, [&](const SearchAnswer&, const std::exception_ptr&) {
    begun.set_value();
    end.get_future().wait();
  });
  begun.get_future().wait();
  const std::string png = test_png(1, 10, 10);
  const std::string request = concat(
      "POST /v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: ", png.size(), "\r\n\r\n", png);
  Client first(server_->port()), second(server_->port());
  first.send(request);
  eventually([&] { return service_->picture_bytes() == 100; }, "the first is decoded");
  second.send(request);
  eventually([&] { return service_->pictures_waiting() == 1; }, "the second waits");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask("GET", "/healthz").status, 200u);
  end.set_value();
  EXPECT_EQ(first.read().status, 200u);
  EXPECT_EQ(second.read().status, 200u);
}

// What browsers say of a request that a page makes: an image, a script, a form, a link.
HttpFields fetched(const char* site, const char* mode) { return {{"Sec-Fetch-Site", site}, {"Sec-Fetch-Mode", mode}}; }

TEST_F(ApiTest, WithoutKeysPagesOfOtherSitesAreRefused) {
  start();
  for (const char* site : {"cross-site", "same-site"}) {  // another port of this machine is the same site
    for (const char* target : {"/v1/collection", "/v1/thumbnails/1", "/metrics", "/openapi.json", "/", "/index.html", "/nothing"})
      expect_problem(ask("GET", target, {}, fetched(site, "no-cors")), 403, "another site");
    expect_problem(ask("POST", "/v1/search", test_png(1), fetched(site, "no-cors")), 403, "another site");
    expect_problem(ask("GET", "/v1/collection", {}, fetched(site, "navigate")), 403, "another site");
    EXPECT_EQ(ask("GET", "/", {}, fetched(site, "navigate")).status, 200u);  // a link
    EXPECT_EQ(ask("GET", "/index.html", {}, fetched(site, "navigate")).status, 200u);
  }
  for (const char* origin : {"http://example.com", "http://localhost:1", "null"})
    expect_problem(ask("GET", "/v1/collection", {}, {{"Origin", origin}}), 403, "another site");
  Client other(server_->port());
  other.send("GET /v1/collection HTTP/1.1\r\nHost: example.com\r\n\r\n");
  expect_problem(other.read(), 403, "localhost only");
  for (const HttpFields& own : {fetched("same-origin", "no-cors"), fetched("same-origin", "cors"), fetched("none", "navigate"),
                                HttpFields{{"Origin", "http://localhost"}}, HttpFields{}})
    EXPECT_EQ(ask("GET", "/v1/collection", {}, own).status, 200u);
}

TEST_F(ApiTest, ThePageMayTakeThingsFromItsServiceAlone) {
  start();
  const Reply page = ask("GET", "/");
  EXPECT_EQ(page.status, 200u);
  EXPECT_EQ(page.header("content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'");
}

TEST_F(ApiTest, WithKeysTheKeyDecidesWhateverPageAsks) {
  api_options_.keys = AccessKeys::parse("read 0123456789abcdef", "keys");
  start();
  HttpFields headers = fetched("cross-site", "cors");
  expect_problem(ask("GET", "/v1/collection", {}, headers), 401, "needs a key");
  headers.emplace_back("Authorization", "Bearer 0123456789abcdef");
  EXPECT_EQ(ask("GET", "/v1/collection", {}, headers).status, 200u);
}

TEST_F(ApiTest, AKeyHasOneRateHoweverItsHeaderIsSpelled) {
  api_options_.keys = AccessKeys::parse("read 0123456789abcdef\nread fedcba9876543210", "keys");
  api_options_.rate = 1;
  start();
  int refused = 0;
  for (std::size_t blanks = 1; blanks <= 20; ++blanks) {
    const std::string shown = (blanks % 2 == 0 ? "Bearer" : "bEARER") + std::string(blanks, ' ') + "0123456789abcdef";
    refused += ask("GET", "/v1/images/gone", {}, {{"Authorization", shown}}).status == 429;
  }
  EXPECT_GE(refused, 10);
  EXPECT_EQ(ask("GET", "/v1/images/gone", {}, {{"Authorization", "Bearer fedcba9876543210"}}).status, 404u);
}

TEST_F(ApiTest, TheLogSaysWhatTheKeyMayDo) {
  api_options_.keys = AccessKeys::parse("read 0123456789abcdef", "keys");
  std::mutex mutex;
  std::map<std::string, Access> logged;  // by request
  api_options_.log = [&](const RequestLog& line) {
    const std::lock_guard lock(mutex);
    logged[line.id] = line.access;
  };
  start();
  const std::string key = "Bearer 0123456789abcdef";
  EXPECT_EQ(ask("GET", "/v1/collection", {}, {{"Authorization", key}, {"X-Request-Id", "read"}}).status, 200u);
  EXPECT_EQ(ask("DELETE", "/v1/images/a", {}, {{"Authorization", key}, {"X-Request-Id", "refused"}}).status, 403u);
  EXPECT_EQ(ask("GET", "/healthz", {}, {{"X-Request-Id", "none"}}).status, 200u);
  eventually(
      [&] {
        const std::lock_guard lock(mutex);
        return logged.size() == 3;
      },
      "all are logged");
  HttpRequest request;  // what admit() has found out is not looked for again
  request.id = "once", request.method = "GET", request.target = "/v1/collection";
  request.headers = {{"authorization", key}};
  request.note = api_->admit(request).note;
  request.headers.clear();
  api_->finished(request, {}, 0, true);
  EXPECT_EQ(logged, (std::map<std::string, Access>{
                        {"read", Access::kRead}, {"refused", Access::kRead}, {"none", Access::kNone}, {"once", Access::kRead}}));
  server_->stop();
  server_.reset();  // before the log
}

TEST_F(ApiTest, ATargetMayNameItsHost) {
  start();
  const auto get = [&](const std::string& target, const std::string& host) {
    Client client(server_->port());
    client.send(concat("GET ", target, " HTTP/1.1\r\nHost: ", host, "\r\n\r\n"));
    return client.read();
  };
  EXPECT_EQ(get("http://127.0.0.1:8080/v1/collection", "localhost").status, 200u);
  EXPECT_EQ(get("HTTP://localhost/v1/images?limit=1", "localhost").json().at("images").size(), 1u);
  EXPECT_EQ(get("http://localhost", "localhost").header("content-type").substr(0, 9), "text/html");
  // Where the target names a host, Host says nothing.
  EXPECT_EQ(get("http://[::1]:8080/v1/collection", "example.com").status, 200u);
  expect_problem(get("http://example.com/v1/collection", "localhost"), 403, "not to \"example.com\"");
  for (const char* other :
       {"https://localhost/healthz", "ftp://localhost/healthz", "http:///healthz", "http://a@localhost/healthz"})
    expect_problem(get(other, "localhost"), 400, "request target");
  eventually([&] { return metrics()[requests("GET", "/v1/collection", "2xx")] == 2; }, "they count as requests of their route");
}

TEST_F(ApiTest, TenThousandHitsAreTheMost) {
  constexpr std::size_t kMany = 10'020;
  {
    CodeMatrix codes(0, kServeBits);
    std::vector<ImageRecord> records(kMany);
    for (std::size_t i = 0; i < kMany; ++i) {
      codes.append(codes_.row(i % codes_.size()));
      records[i].key = concat("more/", i);
    }
    CollectionWriter::open(real_file_system(), path("c"))->add({&codes, records, fingerprint_});
  }
  start();
  std::size_t last = 0, hits = 0;
  const std::string body = json{{"code", hex(0)}}.dump();
  for (std::size_t offset = 0; offset < 10'000; offset += 1000) {
    const json page = ask("POST", concat("/v1/search?k=10000&limit=1000&offset=", offset), body, kJson).json();
    EXPECT_EQ(page.at("total"), 10'000u);
    hits += page.at("hits").size();
    for (const json& hit : page.at("hits")) {
      EXPECT_GE(hit.at("distance").get<std::size_t>(), last);
      last = hit.at("distance").get<std::size_t>();
    }
  }
  EXPECT_EQ(hits, 10'000u);
  EXPECT_EQ(ask("POST", "/v1/search?k=10000", body, kJson).json().at("hits").size(), 1000u);  // a page, if nothing else is said
  expect_problem(ask("POST", "/v1/search?k=10001", body, kJson), 422, "1 to 10000, not 10001");
  expect_problem(ask("POST", "/v1/search?k=5&limit=1001", body, kJson), 422, "1 to 1000, not 1001");
  // A radius that everything is in gives no more either.
  EXPECT_EQ(ask("POST", "/v1/search?radius=12", body, kJson).json().at("total"), 10'000u);
}

TEST_F(ApiTest, LabelsOfTheQueryStringTakeThePlaceOfTheBodys) {
  start();
  const std::string odd = json{{"code", hex(1)}, {"labels", {"odd"}}}.dump();
  const auto labels = [&](const std::string& target) {
    std::set<std::string> found;
    const json answer = ask("POST", target, odd, kJson).json();
    for (const json& hit : answer.at("hits")) found.insert(hit.at("label"));
    return found;
  };
  EXPECT_EQ(labels("/v1/search?k=20"), std::set<std::string>{"odd"});
  EXPECT_EQ(labels("/v1/search?k=20&label=even"), std::set<std::string>{"even"});
  EXPECT_EQ(labels("/v1/search?k=20&label="), (std::set<std::string>{"even", "odd"}));
}

TEST_F(ApiTest, AParameterOfOneValueIsGivenOnce) {
  start();
  for (const char* target : {"/v1/images?label=odd&label=even", "/v1/images?limit=2&limit=3"})
    expect_problem(ask("GET", target), 422, "given more than once");
  expect_problem(ask("POST", "/v1/search?k=2&k=9", json{{"code", hex(1)}}.dump(), kJson), 422, "\"k\" is given more than once");
}

TEST_F(ApiTest, ASecondWriterIsNamedAndWaitedFor) {
  start();
  auto other = CollectionWriter::open(real_file_system(), path("c"));
  for (const Reply& reply : {ask("PUT", "/v1/images/new", test_png(70), kPng), ask("DELETE", "/v1/images/" + escaped(key(0))),
                             ask("PUT", "/v1/verdicts/1-2", R"({"duplicate": true})", kJson)}) {
    expect_problem(reply, 503, std::to_string(::getpid()));
    EXPECT_EQ(reply.header("retry-after"), "1");
  }
  EXPECT_EQ(ask("POST", "/v1/search", test_png(1), kPng).status, 200u);  // reading goes on
  other.reset();
  EXPECT_EQ(ask("PUT", "/v1/images/new", test_png(70), kPng).status, 201u);
}

TEST_F(ApiTest, AFullDiskIsSaidAndChangesNothing) {
  FaultFileSystem fs;
  fs_ = &fs;
  start();
  fs.fail_at(fs.operations() + 1, Fault::kNoSpace, true);
  const std::string line = json{{"key", "bulk"}, {"code", hex(1)}}.dump();
  for (const Reply& reply : {ask("PUT", "/v1/images/new", test_png(70), kPng), ask("POST", "/v1/images:bulk", line, kLines)}) {
    expect_problem(reply, 503, "");
    EXPECT_EQ(reply.header("retry-after"), "30");
  }
  EXPECT_TRUE(fs.fault_hit());
  EXPECT_EQ(ask("GET", "/v1/images/new").status, 404u);
  EXPECT_EQ(ask("POST", "/v1/search", test_png(1), kPng).status, 200u);
  fs.clear_fault();
  EXPECT_EQ(ask("PUT", "/v1/images/new", test_png(70), kPng).status, 201u);
  server_->stop();
  server_.reset();  // before the disk
  api_.reset();
  service_.reset();
}

TEST_F(ApiTest, LimitsOfTheServerSayWhenToTryAgain) {
  start();
  HttpRequest request;
  request.id = "r1";
  for (const HttpRefusal why : {HttpRefusal::kBusy, HttpRefusal::kTooManyConnections}) {
    const HttpResponse response = api_->refuse(request, why);
    EXPECT_EQ(response.status, 503u);
    EXPECT_EQ(json::parse(response.body).at("request_id"), "r1");
    EXPECT_TRUE(std::any_of(response.headers.begin(), response.headers.end(),
                            [](const auto& field) { return field.first == "Retry-After"; }));
  }
}

TEST(ApiJson, TakesBase64OfBothAlphabets) {
  const auto code = [](const std::string& text) {
    return std::get<SearchQuery::Code>(api::search_query({{"code_base64", text}}, 24).query).packed;
  };
  EXPECT_EQ(code("+/+/"), (std::vector<std::uint8_t>{0xfb, 0xff, 0xbf}));
  EXPECT_EQ(code("-_-_"), code("+/+/"));
  std::string message;
  for (const char* wrong : {"+/+", "+/+!", "+/+/="}) {
    EXPECT_EQ(error_of([&] { code(wrong); }, &message), ErrorCode::kInvalidArgument) << wrong;
    EXPECT_NE(message.find("code_base64"), std::string::npos) << message;
  }
  EXPECT_EQ(api::bulk_item({{"key", "a"}, {"image_base64", "Zm9vYg=="}}, 24).picture, "foob");
  EXPECT_EQ(error_of(
                [&] {
                  api::bulk_item({{"key", "a"}, {"image_base64", "Zm9vYg"}}, 24);
                },
                &message),
            ErrorCode::kInvalidArgument);
  EXPECT_NE(message.find("image_base64"), std::string::npos) << message;
}

TEST_F(ApiTest, BulkRequestsBeyondTheirLinesAreRefusedWhole) {
  api_options_.max_bulk_lines = 2;
  start();
  const auto line = [&](const std::string& name) { return json{{"key", name}, {"code", hex(1)}}.dump() + "\n"; };
  expect_problem(ask("POST", "/v1/images:bulk", line("a") + line("b") + line("c"), kLines), 413, "nothing was added");
  EXPECT_EQ(service_->info().images, kServeImages);
  EXPECT_EQ(ask("POST", "/v1/images:bulk", line("a") + "\n" + line("b"), kLines).status, 200u);
  EXPECT_EQ(service_->info().images, kServeImages + 2);
}

}  // namespace
}  // namespace signet
