#pragma once

#include <algorithm>
#include <cstring>
#include <span>

#include "base/container_layout.h"
#include "signet/base/crc32c.h"

// Mutations that know the container's checksums: without them nearly every mutated file ends at its first CRC, and what lies
// behind is never reached. A target defines its custom mutator by SIGNET_FUZZ_CONTAINER_MUTATOR.
namespace signet::fuzz {

template <typename T>
T load(std::span<const std::byte> file, std::size_t offset) {
  T value;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

template <typename T>
void store_with_crc(std::span<std::byte> file, std::size_t offset, T value) {
  value.crc = crc32c(std::as_bytes(std::span(&value, 1)).first(sizeof value - sizeof value.crc));
  std::memcpy(file.data() + offset, &value, sizeof value);
}

// Makes all checksums right that the (possibly absurd) lengths allow. move_table: also puts the table back before the trailer,
// which an insertion has moved, and the sections one after another.
inline void repair_container(std::span<std::byte> file, bool move_table) {
  namespace layout = container_layout;
  if (file.size() < sizeof(layout::Head) + sizeof(layout::Trailer)) return;
  store_with_crc(file, 0, load<layout::Head>(file, 0));
  const std::size_t end = file.size() - sizeof(layout::Trailer);
  auto trailer = load<layout::Trailer>(file, end);
  trailer.file_length = file.size();
  trailer.head_crc = load<layout::Head>(file, 0).crc;
  trailer.end_mark = layout::Trailer{}.end_mark;
  const std::size_t room = end - sizeof(layout::Head);
  if (move_table) {
    trailer.section_count =
        static_cast<std::uint32_t>(std::min<std::size_t>(trailer.section_count, room / sizeof(layout::Entry)));
    trailer.table_length = trailer.section_count * sizeof(layout::Entry);
    trailer.table_offset = end - std::min<std::uint64_t>(room, layout::round_up(trailer.table_length));
  }
  if (trailer.table_offset <= end && trailer.table_length <= end - trailer.table_offset) {
    std::uint64_t next = sizeof(layout::Head);
    for (std::uint64_t at = 0; at + sizeof(layout::Entry) <= trailer.table_length; at += sizeof(layout::Entry)) {
      auto entry = load<layout::Entry>(file, trailer.table_offset + at);
      if (move_table) entry.offset = next;
      next = layout::round_up(std::min<std::uint64_t>(entry.offset, end) + std::min<std::uint64_t>(entry.length, end));
      if (entry.offset <= end && entry.length <= end - entry.offset) entry.crc = crc32c(file.subspan(entry.offset, entry.length));
      std::memcpy(file.data() + trailer.table_offset + at, &entry, sizeof entry);
    }
    trailer.table_crc = crc32c(file.subspan(trailer.table_offset, trailer.table_length));
  }
  store_with_crc(file, end, trailer);
}

}  // namespace signet::fuzz

// NOLINTNEXTLINE(bugprone-macro-parentheses)
#define SIGNET_FUZZ_CONTAINER_MUTATOR                                                                                \
  extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,         \
                                                 unsigned int seed) {                                                \
    size = LLVMFuzzerMutate(data, size, max_size);                                                                   \
    if (seed % 8 != 0) signet::fuzz::repair_container(std::as_writable_bytes(std::span(data, size)), seed % 3 == 0); \
    return size;                                                                                                     \
  }
