#include "signet/base/container.h"

#include <cstring>

#include "base/container_layout.h"
#include "base/memory_file.h"
#include "base/test_folder.h"
#include "signet/base/crc32c.h"
#include "signet/base/fault_file_system.h"

namespace signet {
namespace {

using container_layout::Entry;
using container_layout::Head;
using container_layout::Trailer;

class ContainerFile : public TestFolder {
 protected:
  FileSystem& fs_ = real_file_system();

  void write(const std::string& file, FileSystem& fs = real_file_system()) {
    ContainerWriter writer(fs, file, "TEST", 2);
    writer.begin_section("empty");
    writer.begin_section("hello");
    writer.append(as_bytes("hel"));
    writer.append(as_bytes("lo"));
    writer.begin_section("block-64");
    writer.append(as_bytes(std::string(64, 'x')));
    writer.finish();
  }

  ErrorCode open_error(const std::string& content, std::string* message = nullptr) {
    MemoryFiles files("damaged.sig", as_bytes(content));
    return error_of([&] { Container::open(files, "damaged.sig", "TEST", 2); }, message);
  }

  // Changes a struct in the content and makes its own checksum right again, so that only the rule under test can object.
  template <typename T, typename Change>
  static std::string forged(std::string content, std::size_t offset, const Change& change) {
    T value;
    std::memcpy(&value, content.data() + offset, sizeof value);
    change(value);
    if constexpr (!std::is_same_v<T, Entry>) {
      value.crc = crc32c(std::as_bytes(std::span(&value, 1)).first(sizeof value - sizeof value.crc));
    }
    std::memcpy(content.data() + offset, &value, sizeof value);
    return content;
  }
  template <typename Change>
  static std::string forged_trailer(const std::string& content, const Change& change) {
    return forged<Trailer>(content, content.size() - sizeof(Trailer), change);
  }
  template <typename Change>
  static std::string forged_entry(const std::string& content, std::size_t i, const Change& change) {
    const std::size_t table = content.size() - sizeof(Trailer) - 128;  // 3 entries of 40 bytes, padded
    std::string result = forged<Entry>(content, table + i * sizeof(Entry), change);
    const std::uint32_t crc = crc32c(as_bytes(result).subspan(table, 3 * sizeof(Entry)));
    return forged_trailer(result, [crc](Trailer& trailer) { trailer.table_crc = crc; });
  }
  template <typename Change>
  static std::string forged_head(const std::string& content, const Change& change) {
    const std::string result = forged<Head>(content, 0, change);
    Head head;
    std::memcpy(&head, result.data(), sizeof head);
    return forged_trailer(result, [&head](Trailer& trailer) { trailer.head_crc = head.crc; });
  }
};

TEST_F(ContainerFile, GivesBackWhatWasWritten) {
  write(path("c"));
  const auto container = Container::open(fs_, path("c"), "TEST", 3);
  EXPECT_EQ(container->version(), 2U);
  EXPECT_EQ(container->path(), path("c"));
  EXPECT_EQ(container->names(), (std::vector<std::string>{"empty", "hello", "block-64"}));
  EXPECT_TRUE(container->section("empty").empty());
  const auto hello = container->section("hello");
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(hello.data()), hello.size()), "hello");
  EXPECT_EQ(container->section("block-64").size(), 64U);
  for (const std::string& name : container->names()) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(container->section(name).data()) % 64, 0U) << name;
  }
  EXPECT_TRUE(container->has("hello"));
  EXPECT_FALSE(container->has("hell"));
  std::string message;
  EXPECT_EQ(error_of([&] { container->section("other"); }, &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find("'other' is missing"), std::string::npos) << message;
  container->verify();
}

// The bytes of version 1, fixed for ever: 64 head, 64 of one section, 64 of table, 64 trailer.
TEST_F(ContainerFile, BytesAreThoseOfTheFormatPage) {
  ContainerWriter writer(fs_, path("c"), "SIDX", 7);
  writer.begin_section("a-1");
  writer.append(as_bytes("123456789"));
  writer.finish();
  const std::string content = get(path("c"));
  ASSERT_EQ(content.size(), 256U);
  EXPECT_EQ(content.substr(0, 24), std::string("\x89SIG\r\n\x1a\n\1\0\0\0\4\3\2\1SIDX\7\0\0\0", 24));
  EXPECT_EQ(content.substr(24, 36), std::string(36, '\0'));
  EXPECT_EQ(content.substr(64, 9), "123456789");
  EXPECT_EQ(content.substr(73, 55), std::string(55, '\0'));
  EXPECT_EQ(content.substr(128, 40), std::string("a-1\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                                 "\x40\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\x83\x92\x06\xe3\0\0\0\0",
                                                 40));
  EXPECT_EQ(content.substr(192, 20), std::string("\x80\0\0\0\0\0\0\0\x28\0\0\0\0\0\0\0\1\0\0\0", 20));
  EXPECT_EQ(content.substr(216, 8), std::string("\0\1\0\0\0\0\0\0", 8));
  EXPECT_EQ(content.substr(224, 4), content.substr(60, 4));
  EXPECT_EQ(content.substr(244, 8), "SIGNETND");
}

TEST_F(ContainerFile, IsKnownByItsStart) {
  write(path("a.sig"));
  std::string content = get(path("a.sig"));
  EXPECT_TRUE(starts_as_container(as_bytes(content)));
  EXPECT_FALSE(starts_as_container(as_bytes(content).first(3)));
  content[4] = 'x';  // as a transfer that changes line ends would do
  EXPECT_TRUE(starts_as_container(as_bytes(content)));
  content[3] = 'x';
  EXPECT_FALSE(starts_as_container(as_bytes(content)));
}

TEST_F(ContainerFile, NoSectionsAtAll) {
  ContainerWriter(fs_, path("c"), "TEST", 1).finish();
  EXPECT_TRUE(Container::open(fs_, path("c"), "TEST", 1)->names().empty());
  EXPECT_EQ(fs_.size(path("c")), 128U);
}

TEST_F(ContainerFile, WriterGivenUpLeavesTheOldFile) {
  put(path("c"), "old");
  {
    ContainerWriter writer(fs_, path("c"), "TEST", 1);
    writer.begin_section("a");
    writer.append(as_bytes("new"));
  }
  EXPECT_EQ(get(path("c")), "old");
  EXPECT_EQ(fs_.list(folder()), std::vector<std::string>{"c"});
}

TEST_F(ContainerFile, WriterRefusesMisuse) {
  ContainerWriter writer(fs_, path("c"), "TEST", 1);
  EXPECT_EQ(error_of([&] { writer.append(as_bytes("x")); }), ErrorCode::kInternal);
  for (const char* name : {"", "seventeen-letters", "Upper", "a_b"}) {
    EXPECT_EQ(error_of([&] { writer.begin_section(name); }), ErrorCode::kInternal) << name;
  }
  writer.begin_section("sixteen-letters1");
  EXPECT_EQ(error_of([&] { writer.begin_section("sixteen-letters1"); }), ErrorCode::kInternal);
  EXPECT_EQ(error_of([&] { ContainerWriter(fs_, path("d"), "LONGER", 1); }), ErrorCode::kInternal);
}

TEST_F(ContainerFile, AFlipOfAnyBitIsFound) {
  write(path("c"));
  const std::string good = get(path("c"));
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      std::string message;
      EXPECT_EQ(open_error(bad, &message), ErrorCode::kCorrupt) << "byte " << i;
      EXPECT_TRUE(message.starts_with("damaged.sig: ")) << message;
    }
  }
}

TEST_F(ContainerFile, EveryTruncationAndAnyTailIsFound) {
  write(path("c"));
  const std::string good = get(path("c"));
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(open_error(good.substr(0, size)), ErrorCode::kCorrupt) << size;
  }
  EXPECT_EQ(open_error(good + '\0'), ErrorCode::kCorrupt);
  EXPECT_EQ(open_error(good + std::string(64, '\0')), ErrorCode::kCorrupt);
  EXPECT_EQ(open_error(good + good), ErrorCode::kCorrupt);
}

TEST_F(ContainerFile, OtherKindsAndVersions) {
  write(path("c"));
  std::string message;
  EXPECT_EQ(error_of([&] { Container::open(fs_, path("c"), "SIDX", 2); }, &message), ErrorCode::kMismatch);
  EXPECT_NE(message.find("kind TEST where SIDX"), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { Container::open(fs_, path("c"), "TEST", 1); }, &message), ErrorCode::kUnsupported);
  EXPECT_NE(message.find("version 2"), std::string::npos) << message;
  const std::string good = get(path("c"));
  EXPECT_EQ(open_error(forged_head(good, [](Head& head) { head.container_version = 2; })), ErrorCode::kUnsupported);
  EXPECT_EQ(open_error(forged_head(good, [](Head& head) { head.container_version = 0; })), ErrorCode::kUnsupported);
  EXPECT_EQ(open_error(forged_head(good, [](Head& head) { head.kind_version = 0; })), ErrorCode::kUnsupported);
  EXPECT_EQ(open_error(forged_head(good, [](Head& head) { head.byte_order = 0x04030201; })), ErrorCode::kUnsupported);
  EXPECT_EQ(open_error(forged_head(good, [](Head& head) { head.reserved[35] = 1; })), ErrorCode::kCorrupt);
}

// Lengths and offsets chosen to wrap around in 64 bits, with every checksum right.
TEST_F(ContainerFile, ForgedTrailers) {
  write(path("c"));
  const std::string good = get(path("c"));
  const auto refused = [&](auto change) { return open_error(forged_trailer(good, change)); };
  EXPECT_EQ(refused([](Trailer& t) { t.table_offset = ~std::uint64_t{63}; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused([](Trailer& t) { t.table_offset += 64; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused([](Trailer& t) { t.table_offset = 0; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused([](Trailer& t) { t.table_length = ~std::uint64_t{0}; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused([](Trailer& t) { t.section_count = ~std::uint32_t{0}; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused([](Trailer& t) { t.section_count = 2; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused([](Trailer& t) { t.file_length += 1; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused([](Trailer& t) { t.head_crc ^= 1; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused([](Trailer& t) { t.reserved[0] = 1; }), ErrorCode::kCorrupt);
}

TEST_F(ContainerFile, ForgedEntries) {
  write(path("c"));
  const std::string good = get(path("c"));
  const auto refused = [&](std::size_t i, auto change) { return open_error(forged_entry(good, i, change)); };
  put(path("same"), forged_entry(good, 1, [](Entry&) {}));
  EXPECT_EQ(get(path("same")), good);  // the forger itself changes nothing else
  EXPECT_EQ(refused(1, [](Entry& e) { e.offset += 64; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused(1, [](Entry& e) { e.length = ~std::uint64_t{0} - 64; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused(1, [](Entry& e) { e.length = 64; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused(2, [](Entry& e) { e.length += 1; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused(2, [](Entry& e) { e.length = 0; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused(1, [](Entry& e) { e.flags = 1; }), ErrorCode::kUnsupported);
  EXPECT_EQ(refused(1, [](Entry& e) { e.name[0] = 'H'; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused(1, [](Entry& e) { e.name[9] = 'x'; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused(1, [](Entry& e) { e.name = {'e', 'm', 'p', 't', 'y'}; }), ErrorCode::kCorrupt);
  EXPECT_EQ(refused(1, [](Entry& e) { e.crc ^= 1; }), ErrorCode::kCorrupt);
}

TEST_F(ContainerFile, LargeSectionsAreCheckedByVerify) {
  write(path("c"));
  std::string content = get(path("c"));
  content[content.find("xxxx")] = 'y';
  put(path("c"), content);
  const auto container = Container::open(fs_, path("c"), "TEST", 2, 64);
  EXPECT_EQ(container->section("block-64").size(), 64U);
  std::string message;
  EXPECT_EQ(error_of([&] { container->verify(); }, &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find("'block-64'"), std::string::npos) << message;
}

// Whatever operation fails, and however: the old file or the new one, and after a loss of power too.
TEST_F(ContainerFile, EveryFailureLeavesOldOrNew) {
  MemoryFiles memory;
  FaultFileSystem counting(memory);
  write("/c", counting);
  const std::uint64_t steps = counting.operations();
  const std::string good = get(memory, "/c");
  for (const Fault kind : {Fault::kIoError, Fault::kNoSpace, Fault::kPowerLoss}) {
    for (std::uint64_t step = 1; step <= steps; ++step) {
      FaultFileSystem fs(memory);
      memory.put("/c", as_bytes("old"));
      fs.fail_at(step, kind);
      bool acknowledged = true;
      try {
        write("/c", fs);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kIo);
        acknowledged = false;
      }
      fs.lose_power(step % 3);
      const std::string content = get(memory, "/c");
      EXPECT_TRUE(content == good || (!acknowledged && content == "old")) << "operation " << step;
      EXPECT_TRUE(!acknowledged || kind == Fault::kNoSpace) << "operation " << step;
    }
  }
}

}  // namespace
}  // namespace signet
