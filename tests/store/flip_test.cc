// Every byte of every kind of file flipped in turn: the state is the same or a clean error comes, and verify names the damage.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "model.h"
#include "store/checksum_vfs.h"

namespace signet {
namespace {

class FlipTest : public testing::Test {
 protected:
  // A collection with several segments, tombstones, ids of 4 bytes, and, where `hot`, a log that a killed writer left.
  void make(bool hot) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto writer = CollectionWriter::create(real_file_system(), folder_.path("start"), test_create());
      Model model;
      for (std::uint64_t step = 0; step < 8; ++step) {
        const Operation operation = make_operation(model, 300 + step);
        perform(*writer, operation);
        model.apply(operation);
      }
      if (hot) ::kill(::getpid(), SIGKILL);
      writer.reset();
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    for (std::uint64_t step = 0; step < 8; ++step) expected_.apply(make_operation(expected_, 300 + step));
    reset();
    ASSERT_EQ(model_of(*Collection::open(real_file_system(), home())->view()), expected_);
  }
  std::string home() const { return folder_.path("collection"); }
  void reset() const {
    std::filesystem::remove_all(home());
    std::filesystem::copy(folder_.path("start"), home(), std::filesystem::copy_options::recursive);
  }
  void flip(const std::string& name, std::uint64_t offset, unsigned mask) const {
    std::fstream file(join_path(home(), name), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(static_cast<char>(static_cast<unsigned>(byte) ^ mask));
  }
  // What flips of any kind must lead to. harmless: the file is no part of the state.
  void check(const std::string& name, std::uint64_t offset, bool harmless) {
    const std::string where = concat(name, " byte ", offset);
    const VerifyReport report = verify_collection(real_file_system(), home());
    const bool named = std::any_of(report.damage.begin(), report.damage.end(),
                                   [&](const Damage& d) { return d.file.starts_with(name.substr(0, name.find("-wal"))); });
    EXPECT_TRUE(named) << where << ": verify names "
                       << (report.ok() ? "nothing" : report.damage[0].file + ": " + report.damage[0].message);
    try {
      const auto view = Collection::open(real_file_system(), home())->view();
      EXPECT_EQ(model_of(*view), expected_) << where;
      expect_searches_like(*view, expected_);
    } catch (const Error& error) {
      EXPECT_FALSE(harmless) << where << ": " << error.what();
      const bool clean =
          error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported || error.code() == ErrorCode::kMismatch;
      EXPECT_TRUE(clean) << where << ": " << error.what();
    }
  }
  // Every usual-th byte is tried; with an effort of ten and above, every one.
  static std::uint64_t stride(std::uint64_t usual) {
    return effort() >= 10 ? 1 : std::max<std::uint64_t>(1, static_cast<std::uint64_t>(static_cast<double>(usual) / effort()));
  }
  std::uint64_t size(const std::string& name) const { return std::filesystem::file_size(folder_.path("start") + "/" + name); }

  FastFolder folder_;
  Model expected_;
};

TEST_F(FlipTest, Segments) {
  make(false);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path("start") + "/segments")) {
    const std::string name = "segments/" + entry.path().filename().string();
    ++files;
    for (std::uint64_t at = 0; at < size(name) && !HasFailure(); at += stride(3)) {
      reset();
      flip(name, at, 1u << (at % 8));
      check(name, at, false);
    }
  }
  EXPECT_GT(files, 0);
}

// In full for every ninth byte or so; that no flipped byte of a page passes its checksum is tried for every byte.
TEST_F(FlipTest, Catalog) {
  make(false);
  const std::string name = "catalog.sqlite";
  for (std::uint64_t at = 0; at < size(name) && !HasFailure(); at += at < 100 ? 1 : stride(97)) {
    reset();
    flip(name, at, 1u << (at % 8));
    check(name, at, false);
  }
  auto bytes = read_file(real_file_system(), folder_.path("start") + "/" + name, 1 << 24);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const auto page = std::span(bytes).subspan(at / store::kPageSize * store::kPageSize, store::kPageSize);
    const auto number = static_cast<std::uint32_t>(at / store::kPageSize + 1);
    bytes[at] ^= std::byte{0x10};
    ASSERT_FALSE(store::page_is_good(page, number)) << "byte " << at;
    bytes[at] ^= std::byte{0x10};
    if (at % store::kPageSize == 0) {
      ASSERT_TRUE(store::page_is_good(page, number)) << "page " << number;
    }
  }
}

TEST_F(FlipTest, Log) {
  make(true);
  const std::string name = "catalog.sqlite-wal";
  ASSERT_GT(size(name), 10'000u);
  for (std::uint64_t at = 0; at < size(name) && !HasFailure(); at += at < 64 ? 1 : stride(211)) {
    reset();
    flip(name, at, 1u << (at % 8));
    check(name, at, false);
  }
}

TEST_F(FlipTest, LockAndAcknowledgedNumber) {
  make(false);
  for (const std::string name : {"lock", "acknowledged"}) {
    for (std::uint64_t at = 0; at < size(name) && !HasFailure(); at += stride(name == "lock" ? 5 : 1)) {
      reset();
      flip(name, at, 1u << (at % 8));
      check(name, at, true);
      CollectionWriter::open(real_file_system(), home());  // a writer is not kept out
    }
  }
}

// Files cut short anywhere.
TEST_F(FlipTest, Truncation) {
  make(true);
  std::vector<std::string> names = {"catalog.sqlite", "catalog.sqlite-wal"};
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path("start") + "/segments"))
    names.push_back("segments/" + entry.path().filename().string());
  for (const auto& name : names) {
    for (std::uint64_t part = 0; part < 12; ++part) {
      reset();
      std::filesystem::resize_file(join_path(home(), name), size(name) * part / 12);
      try {
        const auto view = Collection::open(real_file_system(), home())->view();
        EXPECT_EQ(model_of(*view), expected_) << name << " " << part;
      } catch (const Error& error) {
        EXPECT_NE(error.code(), ErrorCode::kInternal) << error.what();
        EXPECT_FALSE(verify_collection(real_file_system(), home()).ok()) << name << " " << part;
      }
    }
  }
}

}  // namespace
}  // namespace signet
