#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <set>
#include <thread>

#include "serve/api_json.h"
#include "serve/duplicate_finder.h"
#include "serve/test_service.h"
#include "signet/base/sha256.h"

namespace signet {
namespace {

using nlohmann::json;

// The fixture's collection with a second image for each of the first three: the same file, the same pixels in another file, and
// a code one bit beside.
class DuplicatesTest : public ServerTest {
 protected:
  DuplicatesTest() {
    const auto writer = CollectionWriter::open(real_file_system(), path("c"));
    std::vector<ImageRecord> records;
    CodeMatrix codes(0, kServeBits);
    const auto add = [&](std::size_t of, const std::string& name, const std::string& picture, unsigned flipped) {
      put(path("pictures/" + name), picture);
      ImageRecord record;
      record.key = path("pictures/" + name);
      record.width = record.height = kServeSide;
      record.bytes = picture.size();
      record.sha256 = sha256_hex(as_bytes(picture));
      records.push_back(record);
      std::vector<std::uint8_t> code(codes_.row(of).begin(), codes_.row(of).end());
      code[0] ^= static_cast<std::uint8_t>(flipped);
      codes.append(code);
    };
    add(0, "same-bytes-a.png", test_png(0), 0);
    add(0, "same-bytes-b.png", test_png(0), 0);
    // Another file of the same pixels: bytes behind the end of a PNG are nobody's.
    add(1, "same-pixels.png", test_png(1) + "behind", 0);
    add(2, "near.png", test_png(502), 1);
    ids_ = writer->add({&codes, records, fingerprint_}).ids;
  }
  json ask_for(const std::string& query) const {
    const Reply reply = ask("GET", "/v1/duplicates" + query);
    EXPECT_EQ(reply.status, 200u) << reply.body;
    return reply.status == 200 ? reply.json() : json();
  }
  // Pairs (keeper, other) of an answer.
  static std::set<std::pair<std::uint64_t, std::uint64_t>> pairs_of(const json& answer) {
    std::set<std::pair<std::uint64_t, std::uint64_t>> pairs;
    for (const json& group : answer.at("groups"))
      for (const json& other : group.at("others"))
        pairs.emplace(group.at("keep").at("id").get<std::uint64_t>(), other.at("id").get<std::uint64_t>());
    return pairs;
  }
  static std::string pair_name(std::uint64_t a, std::uint64_t b) { return concat("/v1/verdicts/", a, "-", b); }

  std::vector<std::uint64_t> ids_;
};

TEST_F(DuplicatesTest, GroupsAreThoseOfDedup) {
  start();
  for (const std::uint32_t radius : {0u, 1u, 3u}) {
    const json answer = ask_for(concat("?radius=", radius, "&limit=1000"));
    const auto view = Collection::open(real_file_system(), path("c"))->view();
    const DedupSet set = read_collection(*view);
    FindOptions options;
    options.radius = radius;
    std::set<std::pair<std::uint64_t, std::uint64_t>> expected;
    for (const DuplicateGroup& group : find_duplicates(set, {}, options))
      for (const DuplicateMember& member : group.members) expected.emplace(set.items[group.keeper].id, set.items[member.item].id);
    EXPECT_EQ(pairs_of(answer), expected);
    EXPECT_EQ(answer.at("radius"), radius);
    EXPECT_EQ(answer.at("others"), expected.size());
    EXPECT_FALSE(expected.empty());
  }
}

TEST_F(DuplicatesTest, LevelsAreKeptApart) {
  start();
  EXPECT_EQ(ask("GET", "/v1/collection").json().at("duplicate_levels"), (json{"same-bytes", "same-pixels", "near-duplicate"}));
  const json bytes = ask_for("?level=same-bytes");
  EXPECT_EQ(bytes.at("total"), 1u);
  EXPECT_EQ(pairs_of(bytes), (std::set<std::pair<std::uint64_t, std::uint64_t>>{{ids_[0], ids_[1]}}));
  const json pixels = ask_for("?level=same-pixels");
  EXPECT_EQ(pixels.at("total"), 2u) << pixels.dump();  // 0 with its two copies, and 1 with one
  EXPECT_EQ(pixels.at("others"), 3u);
  bool found = false;
  for (const auto& [a, b] : pairs_of(pixels)) found |= (a == 2 && b == ids_[2]) || (a == ids_[2] && b == 2);
  EXPECT_TRUE(found) << pixels.dump();
  for (const char* wrong : {"?level=same-class", "?level=none", "?level=same-bytes&radius=1", "?radius=7", "?limit=0",
                            "?limit=1001", "?offset=-1", "?radius=x", "?other=1"})
    EXPECT_EQ(ask("GET", std::string("/v1/duplicates") + wrong).status, 422u) << wrong;
}

TEST_F(DuplicatesTest, PagesFitTogether) {
  start();
  const json all = ask_for("?radius=1&limit=1000");
  ASSERT_GE(all.at("total"), 2u);
  json groups = json::array();
  for (std::size_t offset = 0; offset < all.at("total"); ++offset) {
    const json page = ask_for(concat("?radius=1&limit=1&offset=", offset));
    EXPECT_EQ(page.at("groups").size(), 1u);
    EXPECT_EQ(page.at("total"), all.at("total"));
    for (const json& group : page.at("groups")) groups.push_back(group);
  }
  EXPECT_EQ(groups, all.at("groups"));
  EXPECT_TRUE(ask_for("?radius=1&offset=1000000").at("groups").empty());
}

TEST_F(DuplicatesTest, VerdictsAreKeptAndTakenBack) {
  start();
  const auto open = pairs_of(ask_for("?level=same-bytes"));
  const auto [a, b] = *open.begin();
  Reply reply = ask("PUT", pair_name(b, a), R"({"duplicate": true})", kJson);  // in any order
  EXPECT_EQ(reply.status, 200u) << reply.body;
  EXPECT_EQ(reply.json(), (json{{"a", a}, {"b", b}, {"duplicate", true}, {"before", nullptr}}));
  EXPECT_EQ(ask_for("?level=same-bytes").at("groups")[0].at("others")[0].at("verdict"), true);
  reply = ask("PUT", pair_name(a, b), R"({"duplicate": false})", kJson);
  EXPECT_EQ(reply.json().at("before"), true);  // what undo puts back
  EXPECT_EQ(ask_for("?level=same-bytes").at("total"), 0u);
  for (const auto& pair : pairs_of(ask_for("?radius=6&limit=1000"))) EXPECT_NE(pair, std::pair(a, b));
  EXPECT_EQ(ask("GET", "/v1/verdicts").json(),
            (json{{"total", 1}, {"offset", 0}, {"verdicts", json::array({{{"a", a}, {"b", b}, {"duplicate", false}}})}}));
  EXPECT_EQ(Collection::open(real_file_system(), path("c"))->view()->verdicts(), (std::vector<Verdict>{{a, b, false}}));
  EXPECT_EQ(ask("DELETE", pair_name(a, b)).status, 204u);
  EXPECT_EQ(pairs_of(ask_for("?level=same-bytes")), open);
  expect_problem(ask("DELETE", pair_name(a, b)), 404, "nothing was said");
}

TEST_F(DuplicatesTest, VerdictsThatMakeNoSenseAreRefused) {
  start();
  const std::string yes = R"({"duplicate": true})";
  expect_problem(ask("PUT", pair_name(1, 1), yes, kJson), 422, "two images");
  expect_problem(ask("PUT", pair_name(1, 999), yes, kJson), 404, "999");
  for (const char* pair : {"1", "1-", "-2", "a-b", "1-2-3", "1.5-2"})
    EXPECT_EQ(ask("PUT", std::string("/v1/verdicts/") + pair, yes, kJson).status, 422u) << pair;
  for (const char* body : {"{}", R"({"duplicate": 1})", R"({"duplicate": true, "more": 1})"})
    EXPECT_EQ(ask("PUT", pair_name(1, 2), body, kJson).status, 422u) << body;
  EXPECT_EQ(ask("PUT", pair_name(1, 2), "no json", kJson).status, 400u);
  EXPECT_EQ(ask("PUT", pair_name(1, 2), yes, kPng).status, 415u);
  EXPECT_EQ(ask("GET", "/v1/verdicts").json().at("total"), 0u);
  EXPECT_EQ(ask("GET", "/v1/verdicts?limit=1001").status, 422u);
}

TEST_F(DuplicatesTest, WithoutTheRightToWriteVerdictsAreRead) {
  service_options_.writable = false;
  start();
  EXPECT_EQ(ask("GET", "/v1/verdicts").status, 200u);
  expect_problem(ask("PUT", pair_name(1, 2), R"({"duplicate": true})", kJson), 403, "without the right");
  expect_problem(ask("DELETE", pair_name(1, 2)), 403, "without the right");
}

// A question that is not answered in time is refused with Retry-After, and answered when it is asked again.
TEST_F(DuplicatesTest, LongSearchesAreAskedForAgain) {
  service_options_.duplicates_seconds = 0;
  start();
  const Reply first = ask("GET", "/v1/duplicates?radius=2");
  expect_problem(first, 503, "ask again");
  EXPECT_NE(first.header("retry-after"), "");
  Reply reply;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while ((reply = ask("GET", "/v1/duplicates?radius=2")).status == 503 && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  ASSERT_EQ(reply.status, 200u);
  // After a change the groups found before are given, without what was said since.
  const auto [a, b] = *pairs_of(reply.json()).begin();
  EXPECT_EQ(ask("PUT", pair_name(a, b), R"({"duplicate": false})", kJson).status, 200u);
  reply = ask("GET", "/v1/duplicates?radius=2&limit=1000");
  ASSERT_EQ(reply.status, 200u);
  EXPECT_FALSE(pairs_of(reply.json()).contains({a, b}));
}

TEST_F(DuplicatesTest, WhatCannotBeReadIsComparedByItsFile) {
  for (const char* name : {"same-bytes-a.png", "same-bytes-b.png", "same-pixels.png"})
    std::filesystem::remove(path(std::string("pictures/") + name));
  start();
  EXPECT_EQ(pairs_of(ask_for("?level=same-pixels")), (std::set<std::pair<std::uint64_t, std::uint64_t>>{{ids_[0], ids_[1]}}));
}

class DuplicateFinderTest : public DuplicatesTest {
 protected:
  std::shared_ptr<const CollectionState> state() {
    return std::make_shared<const CollectionState>(Collection::open(real_file_system(), path("c"))->view(), nullptr);
  }
  PictureMemory memory_{std::uint64_t{4} << 30};
  PictureSource pictures_{{path("pictures")}, {}, memory_};
};

TEST_F(DuplicateFinderTest, RefusesToReadMorePicturesThanItMay) {
  DuplicateFinder::Options options;
  options.most_pictures = 1;
  DuplicateFinder finder(options, pictures_);
  std::string message;
  EXPECT_EQ(error_of([&] { finder.find(state(), DuplicateLevel::kSamePixels, 0); }, &message), ErrorCode::kInvalidArgument);
  EXPECT_NE(message.find("more than 1 pictures"), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { finder.find(state(), DuplicateLevel::kSamePixels, 0); }), ErrorCode::kInvalidArgument);
}

// Taken for damaged, the pictures would be compared by their files, and the answer kept.
TEST_F(DuplicateFinderTest, PicturesWithoutMemoryAreNoDamagedOnes) {
  DuplicateFinder::Options options;
  options.memory_seconds = 0.01;
  DuplicateFinder finder(options, pictures_);
  const auto now = state();
  {
    const auto all = memory_.take(UINT64_MAX, 0);
    EXPECT_EQ(error_of([&] { finder.find(now, DuplicateLevel::kSamePixels, 0); }), ErrorCode::kBusy);
  }
  EXPECT_EQ(finder.find(now, DuplicateLevel::kSamePixels, 0)->groups.size(), 2u);
  EXPECT_EQ(memory_.held(), 0u);
}

TEST_F(DuplicateFinderTest, OneStateIsLookedThroughOnce) {
  DuplicateFinder finder({}, pictures_);
  const auto now = state();
  const auto first = finder.find(now, DuplicateLevel::kNear, 2);
  EXPECT_EQ(finder.find(now, DuplicateLevel::kNear, 2), first);
  EXPECT_NE(finder.find(now, DuplicateLevel::kNear, 3), first);
}

TEST_F(DuplicateFinderTest, NobodyWaitsWhereTooManyDo) {
  DuplicateFinder::Options options;
  options.most_waiting = 0;
  DuplicateFinder finder(options, pictures_);
  EXPECT_EQ(error_of([&] { finder.find(state(), DuplicateLevel::kNear, 2); }), ErrorCode::kBusy);
  finder.stop();
  EXPECT_EQ(error_of([&] { finder.find(state(), DuplicateLevel::kNear, 5); }), ErrorCode::kBusy);
}

TEST_F(DuplicateFinderTest, WhoWaitsIsAnsweredWhereItGivesUp) {
  DuplicateFinder::Options options;
  options.wait_seconds = options.memory_seconds = 3600;
  DuplicateFinder finder(options, pictures_);
  auto all = memory_.take(UINT64_MAX, 0);
  auto asked = std::async(std::launch::async,
                          [&, now = state()] { return error_of([&] { finder.find(now, DuplicateLevel::kSamePixels, 0); }); });
  eventually([&] { return memory_.waiting() == 1; }, "the search waits for memory");
  finder.give_up();
  EXPECT_EQ(asked.get(), ErrorCode::kBusy);  // and the search still waits
  all = {};
}

TEST(DuplicateLevels, AreThoseOfTheModel) {
  const std::vector<std::string> near = {"same-bytes", "same-pixels", "near-duplicate"};
  const std::vector<std::string> classes = {"same-bytes", "same-pixels", "same-class"};
  EXPECT_EQ(api::duplicate_levels(""), near);  // no model: nobody knows better
  EXPECT_EQ(api::duplicate_levels("{}"), near);
  EXPECT_EQ(api::duplicate_levels(R"({"options": {"supervision": "instance"}})"), near);
  EXPECT_EQ(api::duplicate_levels(R"({"options": {"supervision": "class"}})"), classes);
  EXPECT_EQ(api::duplicate_levels(R"({"options": {}})"), classes);
  EXPECT_EQ(api::duplicate_levels(R"({"method": "phash"})"), near);
  EXPECT_EQ(api::duplicate_levels(R"({"method": "ksh", "features": "gist"})"), classes);
}

}  // namespace
}  // namespace signet
