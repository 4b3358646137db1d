#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>

#include "serve/once_readable.h"
#include "serve/test_service.h"
#include "signet/base/fault_file_system.h"

// What a change is answered with where the disk or the collection is in its way.
namespace signet {
namespace {

using nlohmann::json;

class ServiceWriteTest : public ServerTest {
 protected:
  ServiceWriteTest() {
    fs_ = &once_;
    service_options_.refresh_seconds = 3600;  // nothing is seen but what a change looks for
    service_options_.writer_seconds = 3600;
    api_options_.log = [this](const RequestLog& line) {
      const std::lock_guard lock(log_mutex_);
      log_.push_back(line);
    };
  }
  ~ServiceWriteTest() override {  // before the disk and the log
    if (server_ != nullptr) server_->stop();
    server_.reset();
    api_.reset();
    service_.reset();
  }
  // What the log says of the newest state in the line of this route, once it is written.
  std::string logged_failure(const std::string& route) {
    std::string failure;
    eventually(
        [&] {
          const std::lock_guard lock(log_mutex_);
          const auto line = std::find_if(log_.begin(), log_.end(), [&](const RequestLog& one) { return one.route == route; });
          if (line != log_.end()) failure = line->failure;
          return line != log_.end();
        },
        "the line is written");
    return failure;
  }

  OnceReadable once_;
  std::mutex log_mutex_;
  std::vector<RequestLog> log_;
};

TEST_F(ServiceWriteTest, WhatIsDurableIsNoErrorWhereTheNewStateCannotBeRead) {
  Service service(once_, service_options_);
  service.set_verdict(1, 2, false);
  once_.set(true);
  const PutResult put = service.put("new", as_bytes(test_png(70)), "odd");
  EXPECT_TRUE(put.created);
  EXPECT_FALSE(service.ready());
  EXPECT_NE(service.failure().find("cannot be read again"), std::string::npos) << service.failure();
  EXPECT_EQ(error_of([&] { service.image("new"); }), ErrorCode::kNotFound);  // the state before answers
  service.erase_verdict(1, 2);
  service.remove(key(0));
  once_.set(false);
  service.remove(key(1));
  EXPECT_TRUE(service.ready());
  EXPECT_EQ(service.failure(), "");
  EXPECT_EQ(service.image("new").record.id, put.id);
  EXPECT_EQ(service.info().images, kServeImages - 1);
  EXPECT_EQ(service.verdicts(0, 10).total, 0u);
}

TEST_F(ServiceWriteTest, ARefusedChangeLeavesNoLabel) {
  FaultFileSystem fs;
  Service service(fs, service_options_);
  const std::uint64_t commit = service.info().commit;
  const std::vector<std::uint8_t> code(codes_.row(3).begin(), codes_.row(3).end());
  const auto refused = [&](const auto& change) {
    fs.fail_at(fs.operations() + 1, Fault::kNoSpace, true);
    EXPECT_EQ(error_of(change), ErrorCode::kIo);
    EXPECT_TRUE(fs.fault_hit());
    fs.clear_fault();
    const CollectionInfo info = Collection::open(real_file_system(), path("c"))->view()->info();
    EXPECT_EQ(info.class_names, (std::vector<std::string>{"even", "odd"}));
    EXPECT_EQ(info.commit, commit);
  };
  refused([&] { service.put("new", as_bytes(test_png(70)), "third"); });
  refused([&] { service.add({{"new", "third", code, ""}}); });
  service.add({{"new", "third", code, ""}, {"newer", "fourth", code, ""}});
  EXPECT_EQ(service.info().class_names, (std::vector<std::string>{"even", "odd", "third", "fourth"}));
  EXPECT_EQ(service.info().commit, commit + 1);
  EXPECT_EQ(service.image("newer").label, "fourth");
}

TEST_F(ServiceWriteTest, ChangesAreRefusedWholeOnceTheServiceGivesUp) {
  start();
  api_->give_up();
  const std::string line = json{{"key", "new"}, {"code", hex(1)}}.dump();
  for (const Reply& reply : {ask("POST", "/v1/images:bulk", line, kLines), ask("PUT", "/v1/images/new", test_png(70), kPng),
                             ask("DELETE", "/v1/images/" + escaped(key(0)))}) {
    expect_problem(reply, 503, "being stopped; nothing of this change was stored");
    EXPECT_NE(reply.header("retry-after"), "");
  }
  EXPECT_EQ(Collection::open(real_file_system(), path("c"))->view()->info().images, kServeImages);
  EXPECT_EQ(ask("GET", "/v1/collection").status, 200u);
}

TEST_F(ServiceWriteTest, ReadinessAndTheLogSayThatTheNewStateCannotBeRead) {
  start();
  EXPECT_EQ(ask("GET", "/v1/collection").status, 200u);
  EXPECT_EQ(logged_failure("GET /v1/collection"), "");
  once_.set(true);
  const std::string line = json{{"key", "new"}, {"code", hex(1)}}.dump();
  const Reply added = ask("POST", "/v1/images:bulk", line, kLines);
  EXPECT_EQ(added.status, 200u) << added.body;
  EXPECT_EQ(added.json().at("id"), kServeImages + 1);
  expect_problem(ask("GET", "/readyz"), 503, "newest state");
  EXPECT_NE(logged_failure("POST /v1/images:bulk").find("cannot be read again"), std::string::npos);
  once_.set(false);
  EXPECT_EQ(ask("DELETE", "/v1/images/" + escaped(key(0))).status, 204u);
  EXPECT_EQ(ask("GET", "/readyz").status, 200u);
  EXPECT_EQ(ask("GET", "/v1/images/new").status, 200u);
}

}  // namespace
}  // namespace signet
