#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "signet/store/collection.h"
#include "store/blob.h"

namespace signet::store {

// The catalog's rows as values, and their bodies. decode_* throws Error{kCorrupt} for any bytes that encode_* does not make; the
// fuzz target of the catalog calls them.
struct HeadRow {
  std::uint32_t bits = 0;
  std::string model, model_path, root;
  std::vector<std::string> class_names;
};

struct StateRow {
  std::uint64_t commit = 0;
  std::uint64_t next_id = 1;
  std::uint64_t next_segment = 1;
  std::uint64_t images = 0;
  std::uint64_t removed = 0;
  std::uint64_t picture_bytes = 0;
  std::uint64_t code_bytes = 0;
  std::uint64_t tombstones_commit = 0;  // the commit that changed the table tombstone last
  friend bool operator==(const StateRow&, const StateRow&) = default;
};

struct SegmentRow {
  std::uint64_t number = 0;
  std::uint64_t count = 0;
  std::uint64_t first_id = 0, last_id = 0;
  std::uint64_t file_size = 0;
  std::uint64_t commit = 0;
  std::uint32_t content_crc = 0;
  friend bool operator==(const SegmentRow&, const SegmentRow&) = default;
};

Bytes encode_head(const HeadRow& row);
HeadRow decode_head(std::span<const std::byte> body);
Bytes encode_state(const StateRow& row);
StateRow decode_state(std::span<const std::byte> body);
Bytes encode_segment(const SegmentRow& row);
SegmentRow decode_segment(std::uint64_t number, std::span<const std::byte> body);
Bytes encode_image(const ImageRecord& record);
ImageRecord decode_image_row(std::uint64_t id, std::string_view key, std::span<const std::byte> body);

std::string verdict_key(std::uint64_t b);  // the second half of the primary key, as the checksum takes it
Bytes encode_verdict(const Verdict& verdict);
Verdict decode_verdict(std::uint64_t a, std::uint64_t b, std::span<const std::byte> body);

// 64 lower-case hex digits to 32 bytes and back. Throws kInvalidArgument naming `what`.
Bytes hash_bytes(const std::string& hex, const std::string& what);
std::string hash_hex(std::span<const std::byte> bytes);

// A key as it may be shown inside a message: control characters would break the one-sentence rule, and a megabyte would too.
std::string shown(const std::string& key);

// What a record must satisfy before it enters a catalog; throws kInvalidArgument naming the key and the field. Sorts and
// deduplicates labels.
void check_key(const std::string& key);
ImageRecord checked_record(const ImageRecord& record);
void check_labels(const ImageRecord& checked, const HeadRow& head);  // each has a class name, where there are class names

}  // namespace signet::store
