#include "serve/picture_source.h"

#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/test_folder.h"
#include "signet/image/image.h"

namespace signet {
namespace {

class PictureSourceTest : public TestFolder {
 protected:
  PictureSourceTest() {
    for (const char* name : {"pictures", "elsewhere"}) {
      std::filesystem::create_directory(path(name));
      put(path(name) + "/1.png", as_text(encode_png({2, 2, 1, {1, 2, 3, 4}})));
    }
  }
  // Whether the root shows the picture of a key.
  static bool shows(const std::string& root, const std::string& key) {
    try {
      PictureMemory memory(UINT64_MAX);
      PictureSource({root}, {}, memory).load(key, 0, 0);
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kNotFound) << key << ": " << error.what();
      return false;
    }
  }
};

// Hears of every file in a folder that is opened.
class Opened {
 public:
  explicit Opened(const std::string& folder) : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    EXPECT_GE(::inotify_add_watch(fd_, folder.c_str(), IN_OPEN), 0) << folder;
  }
  ~Opened() { ::close(fd_); }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  bool any() const {
    char events[4096];
    return ::read(fd_, events, sizeof events) > 0;
  }

 private:
  int fd_;
};

TEST_F(PictureSourceTest, WhatIsNamedOutsideTheRootsIsNotOpened) {
  const Opened opened(path("elsewhere"));
  for (const std::string& key : {path("elsewhere/1.png"), path("pictures/../elsewhere/1.png"), path("elsewhere/./1.png"),
                                 std::string("../elsewhere/1.png"), path("elsewhere/1.png/member"), path("elsewhere")})
    EXPECT_FALSE(shows(path("pictures"), key)) << key;
  EXPECT_FALSE(opened.any());
  std::ifstream(path("elsewhere/1.png")).get();
  EXPECT_TRUE(opened.any());  // who opens is heard
}

TEST_F(PictureSourceTest, WhereALinkLeadsIsWhatCounts) {
  std::filesystem::create_symlink(path("elsewhere/1.png"), path("pictures/out.png"));
  std::filesystem::create_symlink(path("elsewhere"), path("pictures/out"));
  std::filesystem::create_symlink(path("pictures/1.png"), path("pictures/in.png"));
  EXPECT_FALSE(shows(path("pictures"), path("pictures/out.png")));
  EXPECT_FALSE(shows(path("pictures"), path("pictures/out/1.png")));
  EXPECT_FALSE(shows(path("pictures"), path("pictures/out/1.png/member")));
  EXPECT_TRUE(shows(path("pictures"), path("pictures/in.png")));
}

TEST_F(PictureSourceTest, ARootIsKnownAsItWasGivenAndWhereItLeads) {
  std::filesystem::create_symlink(path("pictures"), path("link"));
  for (const std::string& root : {path("link"), path("link/"), path("elsewhere/../link"), path(".//link")}) {
    EXPECT_TRUE(shows(root, path("link/1.png"))) << root;
    EXPECT_TRUE(shows(root, path("pictures/1.png"))) << root;
    EXPECT_TRUE(shows(root, "1.png")) << root;
    EXPECT_FALSE(shows(root, path("elsewhere/1.png"))) << root;
    EXPECT_FALSE(shows(root, path("link2/1.png"))) << root;
  }
  EXPECT_TRUE(shows("/", path("pictures/1.png")));
  EXPECT_FALSE(shows("/", path("none/none/1.png")));
}

TEST_F(PictureSourceTest, ARootThatIsSpelledInAnotherWayThanTheKeysIsNamedAsTheRemedy) {
  std::filesystem::create_symlink(path("pictures"), path("link"));
  EXPECT_FALSE(shows(path("pictures"), path("link/1.png")));
  PictureMemory memory(UINT64_MAX);
  std::string message;
  EXPECT_EQ(error_of([&] { PictureSource({path("pictures")}, {}, memory).load(path("link/1.png"), 0, 0); }, &message),
            ErrorCode::kNotFound);
  EXPECT_NE(message.find("--root must be given as the keys spell it"), std::string::npos) << message;
  EXPECT_EQ(message.find(folder()), std::string::npos) << message;
}

// Takes a picture where `needed` bytes are free and not where there is one less, and holds its pixels' until it is gone.
void expect_memory(const std::string& root, const std::string& key, const DecodeLimits& limits, std::uint64_t needed,
                   std::uint64_t pixels) {
  PictureMemory memory(needed);
  PictureSource source({root}, limits, memory);
  {
    const auto other = memory.take(1, 0);
    EXPECT_EQ(error_of([&] { source.load(key, 0, 0); }), ErrorCode::kBusy) << key;
    EXPECT_EQ(memory.held(), 1u) << key;
  }
  {
    const DecodedPicture picture = source.load(key, 0, 0);
    EXPECT_EQ(picture.image.pixels.size(), pixels) << key;
    EXPECT_EQ(memory.held(), pixels) << key;
  }
  EXPECT_EQ(memory.held(), 0u) << key;
}

TEST_F(PictureSourceTest, AFileNeedsMemoryForItsBytesAndItsPixels) {
  const std::uint64_t bytes = std::filesystem::file_size(path("pictures/1.png"));
  expect_memory(path("pictures"), path("pictures/1.png"), {}, bytes + decoding_bytes(4), 4);
}

TEST_F(PictureSourceTest, AMemberNeedsMemoryForTheLargestPicture) {
  std::filesystem::create_directory(path("set"));
  const std::string head("\0\0\x08\x03\0\0\0\x01\0\0\0\x02\0\0\0\x03", 16);  // one picture of 2 rows of 3 pixels
  put(path("set/t10k-images-idx3-ubyte"), head + "abcdef");
  DecodeLimits limits;
  limits.max_pixels = 100;
  expect_memory(path("set"), path("set/t10k/00000"), limits, decoding_bytes(100), 6);
}

TEST_F(PictureSourceTest, AFileThatSaysNoSizeAtItsBeginningNeedsMemoryForTheLargestPicture) {
  // As many bytes before the header as the beginning has: comments of a PNM are skipped.
  const std::string picture = "P5\n#" + std::string(300'000, '-') + "\n2 2 255\nabcd";
  put(path("pictures/late.pgm"), picture);
  DecodeLimits limits;
  limits.max_pixels = 100;
  expect_memory(path("pictures"), path("pictures/late.pgm"), limits, picture.size() + decoding_bytes(100), 4);
}

TEST_F(PictureSourceTest, AFileOfTooManyBytesIsRefusedUnread) {
  DecodeLimits limits;
  limits.max_bytes = 10;
  PictureMemory memory(UINT64_MAX);
  std::string message;
  EXPECT_EQ(error_of([&] { PictureSource({path("pictures")}, limits, memory).load("1.png", 0, 0); }, &message),
            ErrorCode::kInvalidArgument);
  EXPECT_NE(message.find("at most 10 are read"), std::string::npos) << message;
}

}  // namespace
}  // namespace signet
