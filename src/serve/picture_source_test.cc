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
      PictureSource({root}, {}).load(key, 0);
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

}  // namespace
}  // namespace signet
