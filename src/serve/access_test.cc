#include "signet/serve/access.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/test_folder.h"

namespace signet {
namespace {

const char kText[] =
    "# who may do what\n"
    "\n"
    "read  0123456789abcdef\r\n"
    "write ABCDEFGHIJKLMNOPQRST\n";

TEST(AccessKeys, TellReadersFromWriters) {
  const AccessKeys keys = AccessKeys::parse(kText, "keys");
  EXPECT_FALSE(keys.is_open());
  EXPECT_TRUE(keys.can_write());
  EXPECT_EQ(keys.allowed("Bearer 0123456789abcdef"), Access::kRead);
  EXPECT_EQ(keys.allowed("bearer  ABCDEFGHIJKLMNOPQRST "), Access::kWrite);
}

TEST(AccessKeys, AreNamedAlikeHoweverTheHeaderIsSpelled) {
  const AccessKeys keys = AccessKeys::parse(kText, "keys");
  const std::string_view reader = keys.match("Bearer 0123456789abcdef").key;
  EXPECT_NE(reader, "");
  EXPECT_EQ(reader.find("0123456789abcdef"), std::string_view::npos);
  for (const char* shown : {"bearer 0123456789abcdef", "BEARER   0123456789abcdef\t ", "bEaReR \t0123456789abcdef"})
    EXPECT_EQ(keys.match(shown).key, reader) << shown;
  EXPECT_NE(keys.match("Bearer ABCDEFGHIJKLMNOPQRST").key, reader);
  EXPECT_EQ(keys.match("Bearer 0123456789abcdee").key, "");
  const AccessKeys twice = AccessKeys::parse("write 0123456789abcdef\nread 0123456789abcdef\n", "keys");
  EXPECT_EQ(twice.match("Bearer 0123456789abcdef").access, Access::kWrite);
}

TEST(AccessKeys, AllowNothingElse) {
  const AccessKeys keys = AccessKeys::parse(kText, "keys");
  for (const char* shown :
       {"", "Bearer", "Bearer ", "Bearer 0123456789abcdeF", "Bearer 0123456789abcde", "Bearer 0123456789abcdef0",
        "Basic 0123456789abcdef", "0123456789abcdef", "Bearer read  0123456789abcdef"})
    EXPECT_EQ(keys.allowed(shown), Access::kNone) << shown;
  EXPECT_EQ(keys.allowed("Bearer " + std::string(100'000, 'x')), Access::kNone);
}

TEST(AccessKeys, AreOpenWithoutAFile) {
  EXPECT_TRUE(AccessKeys().is_open());
  EXPECT_FALSE(AccessKeys::parse("read 0123456789abcdef", "keys").can_write());
}

TEST(AccessKeys, RefuseAFileThatIsNotRightWithoutShowingIt) {
  for (const char* text :
       {"", "# nothing\n", "read short\n", "admin 0123456789abcdef\n", "0123456789abcdef\n", "read 0123456789 abcdef\n"}) {
    std::string message;
    EXPECT_EQ(error_of([&] { AccessKeys::parse(text, "keys.txt"); }, &message), ErrorCode::kInvalidArgument) << text;
    EXPECT_EQ(message.rfind("keys.txt", 0), 0u) << message;
    EXPECT_EQ(message.find("0123456789"), std::string::npos) << message;
  }
}

class AccessFile : public TestFolder {};

TEST_F(AccessFile, MustNotBeOpenToEverybody) {
  put(path("keys"), kText);
  chmod(path("keys").c_str(), 0644);
  std::string message;
  EXPECT_EQ(error_of([&] { AccessKeys::from_file(real_file_system(), path("keys")); }, &message), ErrorCode::kInvalidArgument);
  EXPECT_NE(message.find("chmod"), std::string::npos);
  chmod(path("keys").c_str(), 0600);
  EXPECT_TRUE(AccessKeys::from_file(real_file_system(), path("keys")).can_write());
}

TEST(EqualInConstantTime, Compares) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("xbc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abcd"));
}

}  // namespace
}  // namespace signet
