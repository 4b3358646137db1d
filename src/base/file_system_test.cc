#include "signet/base/file_system.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/rename_new.h"
#include "base/test_folder.h"

namespace signet {
namespace {

class RealFileSystem : public TestFolder {
 protected:
  FileSystem& fs_ = real_file_system();
};

TEST_F(RealFileSystem, WritesAndMaps) {
  const auto file = fs_.create(path("a"));
  file->append(as_bytes("one "));
  file->append({});
  file->append(as_bytes("two"));
  file->sync();
  file->close();
  file->close();
  EXPECT_EQ(get(path("a")), "one two");
  EXPECT_EQ(fs_.size(path("a")), 7U);
  EXPECT_EQ(error_of([&] { file->append(as_bytes("x")); }), ErrorCode::kInternal);
}

TEST_F(RealFileSystem, EmptyFileMapsToNothing) {
  put(path("empty"), "");
  EXPECT_TRUE(fs_.map(path("empty"))->data().empty());
}

TEST_F(RealFileSystem, AMappingOutlivesItsFile) {
  put(path("a"), "content");
  const auto mapped = fs_.map(path("a"));
  fs_.remove(path("a"));
  EXPECT_FALSE(fs_.exists(path("a")));
  EXPECT_EQ(mapped->data().size(), 7U);
  EXPECT_EQ(std::to_integer<char>(mapped->data()[0]), 'c');
}

TEST_F(RealFileSystem, ErrorsNameThePathAndTheReason) {
  std::string message;
  EXPECT_EQ(error_of([&] { fs_.map(path("missing")); }, &message), ErrorCode::kNotFound);
  EXPECT_NE(message.find(path("missing")), std::string::npos) << message;
  EXPECT_NE(message.find("No such file"), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { fs_.create(path("no/such/folder")); }), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { fs_.remove(path("missing")); }), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { fs_.rename(path("missing"), path("b")); }), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { fs_.size(path("missing")); }), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { fs_.list(path("missing")); }), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { fs_.sync_directory(path("missing")); }), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { fs_.map(folder()); }, &message), ErrorCode::kIo);
  EXPECT_NE(message.find("folder"), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { fs_.create(folder()); }), ErrorCode::kIo);
}

TEST_F(RealFileSystem, APipeIsRefusedAndDoesNotHang) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { fs_.map(path("pipe")); }), ErrorCode::kIo);
}

TEST_F(RealFileSystem, AFullDiskIsAnError) {
  const auto file = fs_.create("/dev/full");
  std::string message;
  EXPECT_EQ(error_of([&] { file->append(as_bytes("x")); }, &message), ErrorCode::kIo);
  EXPECT_NE(message.find("No space left"), std::string::npos) << message;
}

TEST_F(RealFileSystem, FoldersWithParents) {
  fs_.create_directory(path("x/y/z"));
  fs_.create_directory(path("x/y/z"));
  fs_.create_directory(path("x/y/w/"));
  put(path("x/f"), "");
  EXPECT_EQ(fs_.list(path("x")), (std::vector<std::string>{"f", "y"}));
  EXPECT_EQ(fs_.list(path("x/y")), (std::vector<std::string>{"w", "z"}));
  std::string message;
  EXPECT_EQ(error_of([&] { fs_.create_directory(path("x/f/g")); }, &message), ErrorCode::kIo);
  EXPECT_NE(message.find("is a file"), std::string::npos) << message;
  fs_.sync_directory(path("x"));
}

TEST_F(RealFileSystem, RenamesToNewNamesOnly) {
  put(path("a"), "one");
  put(path("b"), "two");
  std::filesystem::create_symlink(path("nowhere"), path("link"));
  for (const char* taken : {"b", "link"}) EXPECT_FALSE(fs_.rename_new(path("a"), path(taken))) << taken;
  EXPECT_EQ(get(path("b")), "two");
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  EXPECT_TRUE(fs_.rename_new(path("a"), path("c")));
  EXPECT_FALSE(fs_.exists(path("a")));
  EXPECT_EQ(get(path("c")), "one");
  std::string message;
  EXPECT_EQ(error_of([&] { fs_.rename_new(path("missing"), path("d")); }, &message), ErrorCode::kNotFound);
  EXPECT_NE(message.find(path("missing")), std::string::npos) << message;
}

TEST_F(RealFileSystem, RenamesByALinkWhereThereIsNothingBetter) {
  put(path("a"), "one");
  put(path("b"), "two");
  EXPECT_EQ(rename_by_link(path("a"), path("b")), EEXIST);
  EXPECT_EQ(get(path("a")), "one");
  EXPECT_EQ(get(path("b")), "two");
  EXPECT_EQ(rename_by_link(path("a"), path("c")), 0);
  EXPECT_FALSE(fs_.exists(path("a")));
  EXPECT_EQ(get(path("c")), "one");
  EXPECT_EQ(rename_by_link(path("missing"), path("d")), ENOENT);
  fs_.create_directory(path("folder"));  // has no hard links
  EXPECT_EQ(rename_by_link(path("folder"), path("b")), EEXIST);
  EXPECT_EQ(rename_by_link(path("folder"), path("other")), 0);
  EXPECT_TRUE(fs_.exists(path("other")));
}

int unlink_and_lose_the_answer(const char* path) {
  ::unlink(path);
  errno = ENOENT;  // as a client says that asks again
  return -1;
}
int unlink_and_report_a_failure(const char* path) {
  ::unlink(path);
  errno = EIO;
  return -1;
}
int refuse_to_unlink(const char*) {
  errno = EACCES;
  return -1;
}

TEST_F(RealFileSystem, ARenameByALinkNeverRemovesTheLastName) {
  put(path("a"), "one");
  EXPECT_EQ(rename_by_link(path("a"), path("b"), unlink_and_lose_the_answer), 0);
  EXPECT_EQ(get(path("b")), "one");
  EXPECT_EQ(rename_by_link(path("b"), path("c"), unlink_and_report_a_failure), EIO);
  EXPECT_EQ(get(path("c")), "one");
  EXPECT_EQ(rename_by_link(path("c"), path("d"), refuse_to_unlink), EACCES);
  EXPECT_EQ(fs_.list(folder()), std::vector<std::string>{"c"});  // as it was
  EXPECT_EQ(get(path("c")), "one");
}

TEST_F(RealFileSystem, ARenameByALinkGoesOnWhereAnotherOneStopped) {
  put(path("a"), "one");
  std::filesystem::create_hard_link(path("a"), path("b"));
  EXPECT_EQ(rename_by_link(path("a"), path("b"), refuse_to_unlink), EACCES);
  EXPECT_EQ(fs_.list(folder()), (std::vector<std::string>{"a", "b"}));  // `b` was there before
  EXPECT_EQ(rename_by_link(path("a"), path("b")), 0);
  EXPECT_EQ(fs_.list(folder()), std::vector<std::string>{"b"});
  EXPECT_EQ(get(path("b")), "one");
  std::filesystem::create_hard_link(path("b"), path("c"));  // one name in two spellings is no second name
  EXPECT_EQ(rename_by_link(path("b"), path("./b")), EEXIST);
  EXPECT_EQ(rename_by_link(path("b"), path("b")), EEXIST);
  EXPECT_EQ(fs_.list(folder()), (std::vector<std::string>{"b", "c"}));
}

TEST_F(RealFileSystem, ALinkIsASecondNameOfTheSameFile) {
  put(path("a"), "one");
  put(path("b"), "two");
  EXPECT_TRUE(fs_.link(path("a"), path("c")));
  EXPECT_TRUE(std::filesystem::equivalent(path("a"), path("c")));
  fs_.remove(path("a"));
  EXPECT_EQ(get(path("c")), "one");
  EXPECT_EQ(error_of([&] { fs_.link(path("c"), path("b")); }), ErrorCode::kIo);
  EXPECT_EQ(get(path("b")), "two");
  EXPECT_EQ(error_of([&] { fs_.link(path("missing"), path("d")); }), ErrorCode::kNotFound);
  fs_.create_directory(path("folder"));
  EXPECT_FALSE(fs_.link(path("folder"), path("other")));  // has no hard links
}

TEST_F(RealFileSystem, MakesFoldersWhereItMayWriteAndNotRead) {
  fs_.create_directory(path("drop"));
  ASSERT_EQ(::chmod(path("drop").c_str(), 0333), 0);
  const int result = as_nobody([&] {
    try {
      fs_.create_directory(path("drop/a/b"));
    } catch (const Error&) {
      return 1;
    }
    return error_of([&] { fs_.sync_directory(path("drop")); }) == ErrorCode::kIo ? 0 : 2;  // asked for, it is an error
  });
  ASSERT_EQ(::chmod(path("drop").c_str(), 0777), 0);
  EXPECT_EQ(result, 0);
  EXPECT_TRUE(fs_.exists(path("drop/a/b")));
}

TEST_F(RealFileSystem, AtomicWriteReplacesWholly) {
  put(path("a"), "old");
  write_file_atomically(fs_, path("a"), as_bytes("new content"));
  EXPECT_EQ(get(path("a")), "new content");
  EXPECT_EQ(fs_.list(folder()).size(), 1U);
}

TEST_F(RealFileSystem, AtomicWriteThatFailsLeavesTheOldFileAlone) {
  put(path("a"), "old");
  EXPECT_THROW(write_file_atomically(fs_, path("a"),
                                     [](WritableFile& file) {
                                       file.append(as_bytes("half"));
                                       throw std::runtime_error("stop");
                                     }),
               std::runtime_error);
  EXPECT_EQ(get(path("a")), "old");
  EXPECT_EQ(fs_.list(folder()), std::vector<std::string>{"a"});
}

TEST_F(RealFileSystem, ReadsFromAnywhereInAFile) {
  put(path("a"), "12345");
  const auto file = fs_.open(path("a"));
  EXPECT_EQ(file->size(), 5U);
  std::vector<std::byte> room(3);
  EXPECT_EQ(file->read(1, room), 3U);
  EXPECT_EQ(as_text(room), "234");
  EXPECT_EQ(file->read(4, room), 1U);
  EXPECT_EQ(file->read(5, room), 0U);
  std::filesystem::resize_file(path("a"), 2);  // a mapping of it could not be touched now
  EXPECT_EQ(file->read(3, room), 0U);
  EXPECT_EQ(error_of([&] { fs_.open(path("missing")); }), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { fs_.open(folder()); }), ErrorCode::kIo);
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { fs_.open(path("pipe")); }), ErrorCode::kIo);
}

TEST_F(RealFileSystem, ReadFileKeepsToItsLimit) {
  put(path("a"), "12345");
  EXPECT_EQ(read_file(fs_, path("a"), 5).size(), 5U);
  std::string message;
  EXPECT_EQ(error_of([&] { read_file(fs_, path("a"), 4); }, &message), ErrorCode::kInvalidArgument);
  EXPECT_NE(message.find("4"), std::string::npos) << message;
}

TEST(Paths, TempNamesAreRecognised) {
  EXPECT_TRUE(is_temp_name(file_name(temp_path("/a/b"))));
  EXPECT_NE(temp_path("/a/b"), temp_path("/a/b"));
  EXPECT_EQ(parent_path(temp_path("/a/b")), "/a");
  EXPECT_FALSE(is_temp_name("codes.npy"));
}

TEST(Paths, ParentNameAndJoin) {
  EXPECT_EQ(parent_path("a/b/c.txt"), "a/b");
  EXPECT_EQ(parent_path("a/b/"), "a");
  EXPECT_EQ(parent_path("a//b"), "a");
  EXPECT_EQ(parent_path("a"), ".");
  EXPECT_EQ(parent_path(""), ".");
  EXPECT_EQ(parent_path("/a"), "/");
  EXPECT_EQ(parent_path("/"), "/");
  EXPECT_EQ(file_name("a/b/c.txt"), "c.txt");
  EXPECT_EQ(file_name("a/b/"), "b");
  EXPECT_EQ(file_name("a"), "a");
  EXPECT_EQ(file_name("/"), "");
  EXPECT_EQ(join_path("a", "b"), "a/b");
  EXPECT_EQ(join_path("a/", "b"), "a/b");
  EXPECT_EQ(join_path("", "b"), "b");
  EXPECT_EQ(join_path("a", "/b"), "/b");
}

}  // namespace
}  // namespace signet
