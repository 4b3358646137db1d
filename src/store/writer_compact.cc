#include <algorithm>
#include <chrono>

#include "signet/base/error.h"
#include "store/loaded_segment.h"
#include "store/writer.h"

namespace signet::store {
namespace {

// Bit i: the code at position i is not removed. Empty where none is.
Words kept_positions(const SegmentFile& file, const Tombstones& tombstones) {
  Words keep;
  tombstones.for_each(file.row().first_id, file.row().last_id, [&](std::uint64_t id) {
    const auto position = file.ids().position(id);
    if (!position) return;
    if (keep.empty()) keep.assign((file.row().count + 63) / 64, ~std::uint64_t{0});
    keep[*position / 64] &= ~(std::uint64_t{1} << (*position % 64));
  });
  return keep;
}

std::uint64_t count_kept(const SegmentFile& file, const Words& keep) {
  if (keep.empty()) return file.row().count;
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < file.row().count; ++i) count += (keep[i / 64] >> (i % 64)) & 1;
  return count;
}

}  // namespace

// Segments before this one stay: they have no removed codes, and none of them fits into one segment with the next.
std::size_t Writer::first_to_compact(std::uint64_t max_codes) const {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const SegmentRow& row = segments_[i]->row();
    if (tombstones_.count(row.first_id, row.last_id) > 0) return i;
    if (i + 1 < segments_.size() && row.count < max_codes && segments_[i + 1]->row().count <= max_codes - row.count) return i;
  }
  return segments_.size();
}

CompactResult Writer::compact(std::uint64_t max_codes, const ProgressFn& progress) {
  if (max_codes == 0) fail(ErrorCode::kInvalidArgument, "compaction to segments of 0 codes is not possible; use at least 1");
  CompactResult result;
  result.segments_before = segments_.size();
  result.bytes_before = info().code_bytes + info().catalog_bytes;
  if (const std::size_t first = first_to_compact(max_codes); first < segments_.size()) {
    transact([&] {
      const SegmentFiles old(segments_.begin() + static_cast<std::ptrdiff_t>(first), segments_.end());
      segments_.resize(first);
      std::vector<Words> keep;
      std::vector<Piece> pieces;
      keep.reserve(old.size());  // pieces point into it
      std::uint64_t together = 0, done = 0, total = 0;
      for (const auto& file : old) total += file->row().count;
      const auto write = [&] {
        if (!pieces.empty()) {
          add_segment(pieces);
          reach("compact-segment-written");
        }
        pieces.clear();
        together = 0;
      };
      for (const auto& file : old) {
        file->verify();  // damage must not be copied under a fresh checksum
        keep.push_back(kept_positions(*file, tombstones_));
        const std::uint64_t live = count_kept(*file, keep.back());
        result.codes_dropped += file->row().count - live;
        if (together > 0 && live > max_codes - std::min(max_codes, together)) write();
        if (live > 0) pieces.push_back({file->codes(), file->ids(), keep.back().empty() ? nullptr : &keep.back()});
        together += live;
        done += file->row().count;
        if (progress && !progress({"compact", done, total, ""}))
          fail(ErrorCode::kCancelled, "compaction was stopped; the collection is as it was");
      }
      write();
      for (const auto& file : old) drop_segment(*file);
      catalog_->erase_tombstones();
      tombstones_.clear();
      state_.removed = 0;
      state_.tombstones_commit = state_.commit;
    });
  }
  drop_stale_verdicts();
  shrink_catalog();
  result.segments_after = segments_.size();
  result.bytes_after = info().code_bytes + info().catalog_bytes;
  return result;
}

void Writer::drop_stale_verdicts() {
  for (const Verdict& verdict : catalog_->verdicts()) {
    if (catalog_->get(verdict.a) && catalog_->get(verdict.b)) continue;
    transact([&] { catalog_->erase_stale_verdicts(); });
    return;
  }
}

// Gives free pages back a few at a time, so that no transaction is large, then empties the log. Readers that still use the log
// make SQLite leave that for later, which is no error.
void Writer::shrink_catalog() {
  Database& db = catalog_->database();
  for (std::int64_t free = db.number("PRAGMA freelist_count"), before = -1; free > 0 && free != before;) {
    before = free;
    db.run("PRAGMA incremental_vacuum(2000)");
    bound_log();
    free = db.number("PRAGMA freelist_count");
  }
  catalog_->empty_log(std::chrono::milliseconds(200));
}

}  // namespace signet::store
