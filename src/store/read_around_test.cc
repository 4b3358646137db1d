#include "store/read_around.h"

#include <gtest/gtest.h>

#include "base/memory_file.h"
#include "signet/base/fault_file_system.h"

namespace signet::store {
namespace {

std::vector<std::byte> some_bytes(std::size_t count) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(1 + i % 251);
  return bytes;
}

TEST(ReadAround, WhatCanBeReadNeedsNoMemory) {
  MemoryFiles memory("/f", some_bytes(600'000));
  std::size_t count = 0;
  EXPECT_TRUE(read_around(memory, "/f", [&](std::span<const std::byte> piece) { count += piece.size(); }).empty());
  EXPECT_EQ(count, 600'000u);
  const ReadFile whole = read_around(memory, "/f");
  EXPECT_TRUE(whole.unreadable.empty());
  EXPECT_EQ(whole.content, nullptr);
}

TEST(ReadAround, ZerosStandWhereNothingCanBeRead) {
  std::vector<std::byte> expected = some_bytes(600'000);
  MemoryFiles memory("/f", expected);
  FaultFileSystem faulty(memory);
  faulty.fail_reads("/f", 300'000, 308'000);  // three pages, the first from its middle on
  const ReadFile whole = read_around(faulty, "/f");
  ASSERT_EQ(whole.unreadable.size(), 1u);
  EXPECT_EQ(unreadable_text(whole.unreadable[0]), "bytes 300000 to 311295: cannot read /f: Input/output error (injected)");
  std::fill(expected.begin() + 300'000, expected.begin() + 311'296, std::byte{0});
  ASSERT_NE(whole.content, nullptr);
  EXPECT_TRUE(std::ranges::equal(whole.content->data(), expected));
}

TEST(ReadAround, TheEndMayBeWhatIsLost) {
  MemoryFiles memory("/f", some_bytes(5'000));
  FaultFileSystem faulty(memory);
  faulty.fail_reads("/f", 4'990, 5'000);
  const ReadFile whole = read_around(faulty, "/f");
  ASSERT_EQ(whole.unreadable.size(), 1u);
  EXPECT_EQ(whole.unreadable[0].from, 4'990u);
  EXPECT_EQ(whole.unreadable[0].to, 5'000u);
  EXPECT_EQ(whole.content->data().size(), 5'000u);
}

}  // namespace
}  // namespace signet::store
