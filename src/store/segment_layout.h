#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "store/segment.h"

// docs/format/segment.md's head as a struct. It is copied to and from the file as it is, so the machine must be little-endian.
namespace signet::store {

static_assert(std::endian::native == std::endian::little, "files are little-endian and mapped as they are");

inline constexpr const char* kSegmentKind = "SSEG";

struct SegmentHead {
  std::uint32_t bits = 0, width = 0;
  std::uint64_t count = 0, first = 0, last = 0, number = 0, commit = 0;
  std::array<std::byte, 32> model{};  // zeros where it is unknown
  std::uint32_t block = kBlockCodes, content_crc = 0;
  std::uint32_t ids_crc = 0, zero = 0;
};
static_assert(sizeof(SegmentHead) == 96);

// Bytes of an id's offset: the least that is enough.
constexpr std::uint32_t id_width(std::uint64_t first, std::uint64_t last, std::uint64_t count) {
  const std::uint64_t span = last - first;
  return span + 1 == count ? 0 : span >> 32 == 0 ? 4 : 8;
}

// hex or empty.
std::array<std::byte, 32> model_bytes(const std::string& model);

}  // namespace signet::store
