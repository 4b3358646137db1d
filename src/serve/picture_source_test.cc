#include "serve/picture_source.h"

#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/test_folder.h"
#include "serve/test_locks.h"
#include "signet/image/image.h"
#include "tests/support/make_data.h"

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

// Hears of every file in a folder that is opened, or of one file.
class Opened {
 public:
  explicit Opened(const std::string& path) : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    EXPECT_GE(::inotify_add_watch(fd_, path.c_str(), IN_OPEN), 0) << path;
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

TEST_F(PictureSourceTest, AMemberOfATarNeedsMemoryForItsBytesToo) {
  const std::string picture(as_text(encode_png({2, 2, 1, {1, 2, 3, 4}})));
  put(path("x.tar"), testdata::tar_member("1.png", picture) + testdata::tar_end());
  DecodeLimits limits;
  limits.max_pixels = 100;
  expect_memory(path("x.tar"), path("x.tar/1.png"), limits, picture.size() + decoding_bytes(100), 4);
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

// Data sets that somebody writes to while their pictures are shown.
class RewrittenDataSet : public PictureSourceTest {
 protected:
  // The first grey value of a picture; nothing where there is none.
  std::optional<int> shown(const std::string& key) {
    try {
      return source_.load(path(key), 0, 0).image.pixels.at(0);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kNotFound) << key << ": " << error.what();
      return std::nullopt;
    }
  }
  // Time moves on, however coarse the clock of the file system is.
  void touch(const std::string& name) {
    const auto time = std::filesystem::last_write_time(path(name));
    std::filesystem::last_write_time(path(name), time + std::chrono::seconds(++touched_));
  }
  void rewrite(const std::string& name, const std::string& text) {  // into the file that is there
    put(path(name), text);
    touch(name);
  }
  static std::string member(const std::string& name, std::uint8_t grey) {
    return testdata::tar_member(name, std::string(as_text(encode_png({1, 1, 1, {grey}}))));
  }
  // So many pictures of one pixel in the idx format.
  static std::string idx(const std::string& pixels) {
    return std::string("\0\0\x08\x03", 4) + testdata::big_endian(static_cast<std::uint32_t>(pixels.size())) +
           testdata::big_endian(1) + testdata::big_endian(1) + pixels;
  }

 private:
  int touched_ = 0;
  PictureMemory memory_{UINT64_MAX};
  PictureSource source_{{folder()}, {}, memory_};
};

TEST_F(RewrittenDataSet, IsShownAsItIsNow) {
  put(path("x.tar"), member("a.png", 10) + testdata::tar_end());
  EXPECT_EQ(shown("x.tar/a.png"), 10);
  EXPECT_EQ(shown("x.tar/b.png"), std::nullopt);
  rewrite("x.tar", member("a.png", 20) + testdata::tar_end());  // as many bytes
  EXPECT_EQ(shown("x.tar/a.png"), 20);
  rewrite("x.tar", member("b.png", 30) + member("a.png", 40) + testdata::tar_end());
  EXPECT_EQ(shown("x.tar/a.png"), 40);
  EXPECT_EQ(shown("x.tar/b.png"), 30);
  put(path("new"), member("b.png", 50) + testdata::tar_end());
  std::filesystem::rename(path("new"), path("x.tar"));
  EXPECT_EQ(shown("x.tar/b.png"), 50);
  EXPECT_EQ(shown("x.tar/a.png"), std::nullopt);
}

TEST_F(RewrittenDataSet, OfAFolderIsShownAsItIsNow) {
  std::filesystem::create_directory(path("set"));
  put(path("set/t10k-images-idx3-ubyte"), idx("ab"));
  EXPECT_EQ(shown("set/t10k/00001"), 'b');
  rewrite("set/t10k-images-idx3-ubyte", idx("cd"));
  EXPECT_EQ(shown("set/t10k/00001"), 'd');
  put(path("set/train-images-idx3-ubyte"), idx("ef"));
  touch("set");
  EXPECT_EQ(shown("set/train/00001"), 'f');
}

TEST_F(RewrittenDataSet, ThatIsCutShortIsNoneUntilItIsWhole) {
  std::filesystem::create_directory(path("set"));
  put(path("set/t10k-images-idx3-ubyte"), idx("ab"));
  EXPECT_EQ(shown("set/t10k/00001"), 'b');
  std::filesystem::resize_file(path("set/t10k-images-idx3-ubyte"), 0);
  EXPECT_EQ(shown("set/t10k/00001"), std::nullopt);
  {
    const Opened opened(path("set/t10k-images-idx3-ubyte"));
    EXPECT_EQ(shown("set/t10k/00001"), std::nullopt);
    EXPECT_FALSE(opened.any());  // what is damaged is not looked through again until it changes
  }
  rewrite("set/t10k-images-idx3-ubyte", idx("cd"));
  EXPECT_EQ(shown("set/t10k/00001"), 'd');
}

// While it lives, this process opens no more files.
class NoDescriptors {
 public:
  NoDescriptors() {
    const int free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(free);
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{static_cast<rlim_t>(free), before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_F(RewrittenDataSet, ThatCouldNotBeOpenedOnceIsTriedAgain) {
  put(path("x.tar"), member("a.png", 10) + testdata::tar_end());
  {
    const NoDescriptors none;
    EXPECT_EQ(shown("x.tar/a.png"), std::nullopt);
  }
  EXPECT_EQ(shown("x.tar/a.png"), 10);
}

TEST_F(PictureSourceTest, FilesOfTheCollectionAreNotOpenedWhateverLeadsToThem) {
  const std::string own = path("pictures/mine"), catalog = own + "/catalog.sqlite";
  std::filesystem::create_directories(path("pictures/set"));
  std::filesystem::create_directory(own);
  put(catalog, as_text(encode_png({2, 2, 1, {1, 2, 3, 4}})));
  put(own + "/other.png", as_text(encode_png({2, 2, 1, {1, 2, 3, 4}})));
  std::filesystem::create_symlink(catalog, path("pictures/soft.png"));
  std::filesystem::create_symlink(own, path("pictures/link"));
  std::filesystem::create_hard_link(catalog, path("pictures/hard.png"));
  std::filesystem::create_hard_link(catalog, path("pictures/set/t10k-images-idx3-ubyte"));
  const FileLock lock(catalog);
  ASSERT_TRUE(is_locked(catalog));
  PictureMemory memory(UINT64_MAX);
  PictureSource source({path("pictures"), catalog}, {}, memory, own);
  EXPECT_TRUE(is_locked(catalog));
  for (const char* key : {"mine/catalog.sqlite", "mine/catalog.sqlite/member", "mine/other.png", "soft.png", "soft.png/member",
                          "link/catalog.sqlite", "hard.png", "hard.png/member", "set/t10k/00000"}) {
    EXPECT_EQ(error_of([&] { source.load(key, 0, 0); }), ErrorCode::kNotFound) << key;
    EXPECT_TRUE(is_locked(catalog)) << key;
  }
  EXPECT_NO_THROW(source.load("1.png", 0, 0));
  EXPECT_TRUE(shows(path("pictures"), "hard.png"));  // where it is no collection's, and ...
  EXPECT_FALSE(is_locked(catalog));                  // ... who opens and closes it is noticed
}

}  // namespace
}  // namespace signet
