#include <gtest/gtest.h>

#include "base/test_folder.h"
#include "signet/serve/http.h"

namespace signet {
namespace {

TEST(HttpText, DecodesEscapesOnce) {
  EXPECT_EQ(percent_decode("a%2Fb%252F+"), "a/b%2F+");
  EXPECT_EQ(percent_decode("a+b%2b", true), "a b+");
  EXPECT_EQ(percent_decode("%c3%A9"), "\xc3\xa9");
}

TEST(HttpText, RefusesBrokenEscapes) {
  for (const char* text : {"%", "%4", "a%4", "%4g", "%zz", "%00"})
    EXPECT_EQ(error_of([&] { percent_decode(text); }), ErrorCode::kUsage) << text;
}

TEST(HttpText, CutsATargetUp) {
  const HttpTarget target = parse_target("/v1/images/a%2Fb?label=c%26d&limit=3&&flag&x=");
  EXPECT_EQ(target.path, "/v1/images/a%2Fb");
  const HttpFields expected = {{"label", "c&d"}, {"limit", "3"}, {"flag", ""}, {"x", ""}};
  EXPECT_EQ(target.query, expected);
  EXPECT_EQ(parse_target("/?").query.size(), 0u);
  EXPECT_EQ(target.authority, "");
  for (const char* text : {"", "v1", "*", "/a%", "/a?b=%0", "/a%00"})
    EXPECT_EQ(error_of([&] { parse_target(text); }), ErrorCode::kUsage) << text;
}

TEST(HttpText, TakesATargetWithItsHost) {
  const HttpTarget target = parse_target("HTTP://localhost:8080/v1/images/a%2Fb?x=http://c/d");
  EXPECT_EQ(target.authority, "localhost:8080");
  EXPECT_EQ(target.path, "/v1/images/a%2Fb");
  EXPECT_EQ(target.query, (HttpFields{{"x", "http://c/d"}}));
  for (const char* text : {"http://[::1]", "http://[::1]?", "http://[::1]/"}) {
    EXPECT_EQ(parse_target(text).path, "/") << text;
    EXPECT_EQ(parse_target(text).authority, "[::1]") << text;
  }
  EXPECT_EQ(parse_target("http://a?b=/c").query, (HttpFields{{"b", "/c"}}));
  EXPECT_EQ(parse_target("/http://a/b").authority, "");
  for (const char* text : {"https://a/b", "ftp://a/b", "http:/a", "http:a", "http://", "http:///b", "http://?b", "http://u@a/b",
                           "http://a#b", "http://a/b%", "localhost:8080"})
    EXPECT_EQ(error_of([&] { parse_target(text); }), ErrorCode::kUsage) << text;
}

TEST(HttpText, FindsThePathOfATarget) {
  for (const char* text : {"/a%2Fb", "/a%2Fb?c", "http://localhost/a%2Fb?c"}) EXPECT_EQ(target_path(text), "/a%2Fb") << text;
  EXPECT_EQ(target_path("/a%?b"), "/a%");  // also where an escape is broken
  EXPECT_EQ(target_path("*"), "*");
}

TEST(HttpText, TakesParametersOffAMediaType) {
  EXPECT_EQ(media_type("Image/PNG ; q=1"), "image/png");
  EXPECT_EQ(media_type(""), "");
}

TEST(HttpText, KnowsLoopbackAddresses) {
  for (const char* address : {"127.0.0.1", "127.9.9.9", "::1", "localhost"}) EXPECT_TRUE(is_loopback(address)) << address;
  for (const char* address : {"0.0.0.0", "::", "10.0.0.1", "example.com", "localhost.example.com", "127.0.0.1.example.com", ""})
    EXPECT_FALSE(is_loopback(address)) << address;
}

}  // namespace
}  // namespace signet
