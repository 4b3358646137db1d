#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "signet/index/build.h"
#include "signet/store/collection.h"
#include "store/segment.h"
#include "store/tombstones.h"

namespace signet::store {

using Words = std::vector<std::uint64_t>;

// An open segment with what is made for it once and shared by all views that hold it: its check, its index, its filter. Safe from
// many threads.
class LoadedSegment {
 public:
  LoadedSegment(std::shared_ptr<const SegmentFile> file, const ReaderOptions& options)
      : file_(std::move(file)), options_(options), checked_(!options.check_before_use) {}
  // What the segment's head and the catalog say, checked when the file was opened.
  const SegmentRow& row() const noexcept { return file_->row(); }
  const std::string& path() const noexcept { return file_->path(); }

  // Its ids and codes: there is no other way to them, so that nobody reads what was not checked. The first call reads all of them
  // against their checksum; throws kCorrupt where it fails, and then at every call.
  const SegmentFile& content() const;
  void verify() const { file_->verify(); }  // every byte of the file, at every call

  // Builds the index at the first call; positions are its ids. Throws as content() does.
  const Index& index() const;

  // Bit i: the code at position i is not removed. Null where none is removed. Throws as content() does.
  std::shared_ptr<const Words> live(const Tombstones& tombstones) const;

 private:
  std::unique_ptr<Index> build() const;

  std::shared_ptr<const SegmentFile> file_;
  ReaderOptions options_;
  mutable std::mutex mutex_;  // guards checking and building
  mutable std::atomic<bool> checked_;
  mutable std::unique_ptr<Index> index_;
  mutable std::atomic<const Index*> ready_{nullptr};
  mutable std::uint64_t live_removed_ = 0;  // how many removed ids `live_` was made for
  mutable std::shared_ptr<const Words> live_;
};

// A segment as one view sees it.
struct SearchPart {
  std::shared_ptr<const LoadedSegment> segment;
  std::shared_ptr<const Words> live;  // what is live in it at that commit; null: everything
  std::uint64_t first_position = 0;   // of its first code among the codes of all parts
};

// Hits of all parts, ids in place of positions, merged by (distance, id). options.filter is by position among the codes of all
// parts.
SearchResult search_parts(std::span<const SearchPart> parts, std::uint32_t bits, const CodeMatrix& queries,
                          const SearchOptions& options);

// How each part, in the order of the search, would be asked the same of so many queries; a part behind the first also has the
// k-th distance found so far for a radius, which only the search itself knows.
std::string explain_parts(std::span<const SearchPart> parts, const SearchOptions& options, std::size_t queries);

}  // namespace signet::store
