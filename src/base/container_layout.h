#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

// docs/format/container.md as structs. They are copied to and from the file as they are, so the machine must be little-endian.
namespace signet::container_layout {

static_assert(std::endian::native == std::endian::little, "signet files are little-endian, and so must be the machine");

inline constexpr std::uint64_t kAlignment = 64;
inline constexpr std::size_t kNameBytes = 16;
inline constexpr std::size_t kKindBytes = 4;
inline constexpr std::uint32_t kMaxSections = 1024;
inline constexpr std::uint32_t kContainerVersion = 1;
inline constexpr std::uint32_t kByteOrder = 0x01020304;

// Up to the next multiple of 64. Callers keep n below 2^64 - 64: it is a position in a file or a checked length.
constexpr std::uint64_t round_up(std::uint64_t n) { return (n + kAlignment - 1) / kAlignment * kAlignment; }

struct Head {
  std::array<unsigned char, 8> magic{0x89, 'S', 'I', 'G', '\r', '\n', 0x1a, '\n'};
  std::uint32_t container_version = kContainerVersion;
  std::uint32_t byte_order = kByteOrder;
  std::array<char, kKindBytes> kind{};
  std::uint32_t kind_version = 0;
  std::array<unsigned char, 36> reserved{};
  std::uint32_t crc = 0;
};
static_assert(sizeof(Head) == 64);

struct Entry {
  std::array<char, kNameBytes> name{};
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint32_t crc = 0;
  std::uint32_t flags = 0;
};
static_assert(sizeof(Entry) == 40);

struct Trailer {
  std::uint64_t table_offset = 0;
  std::uint64_t table_length = 0;
  std::uint32_t section_count = 0;
  std::uint32_t table_crc = 0;
  std::uint64_t file_length = 0;
  std::uint32_t head_crc = 0;
  std::array<unsigned char, 16> reserved{};
  std::array<char, 8> end_mark{'S', 'I', 'G', 'N', 'E', 'T', 'N', 'D'};
  std::uint32_t crc = 0;
};
static_assert(sizeof(Trailer) == 64);

}  // namespace signet::container_layout
