#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "signet/base/error.h"
#include "store/catalog.h"
#include "store/loaded_segment.h"
#include "store/segment.h"

namespace signet::store {

// Reads what is still readable of a damaged catalog; never throws for damage. Throws kBusy for what passes: too many open files,
// a lock.
class CatalogSalvage {
 public:
  CatalogSalvage(FileSystem& fs, const std::string& collection, const std::string& vfs);
  std::optional<HeadRow> head;
  std::optional<StateRow> state;
  std::optional<std::vector<SegmentRow>> segments;  // nothing where any row of them is unreadable
  Tombstones tombstones;                            // of readable rows
  // Calls visit for every record that can be read, ids ascending.
  void images(const std::function<void(const ImageRecord&)>& visit);

  // Those that can be read, up to the first damaged page of their table.
  std::vector<Verdict> verdicts();

 private:
  std::uint64_t next_readable(std::uint64_t after);
  std::unique_ptr<Catalog> catalog_;
};

// Whether the error is one of bytes that are not what they should be, and not one of looking at them.
bool is_about_content(const Error& error) noexcept;

// A sentence where the section `head` of a segment's file fails its checksum. Nothing also where the file is no whole container:
// opening it says so. For those who open a segment without checking its sections first, and would take what a damaged head says
// for the cause.
std::optional<std::string> segment_head_damage(std::span<const std::byte> file, const std::string& path);

// What of one segment file is still good.
struct SegmentSalvage {
  std::shared_ptr<const SegmentFile> file;  // null: not even its head, and nobody repeats it
  Words keep;                               // bit i: the code at position i is intact; empty where all are
  std::uint64_t kept = 0;
  bool intact = false;  // the whole file is
};
// row, head: what the catalog says of this segment and of all, null where it cannot be read. A damaged head of the file is made
// anew from them, where the result has the checksum that the file states for it; so is a damaged frame, where ids and codes have
// the checksum that the row states. Throws what is not about the content (kIo, kNotFound): of such a file nothing is known.
SegmentSalvage salvage_segment(FileSystem& fs, const std::string& path, const SegmentRow* row, const HeadRow* head);

}  // namespace signet::store
