#include <algorithm>
#include <chrono>
#include <map>

#include "signet/base/error.h"
#include "store/lock.h"
#include "store/view.h"

namespace signet {
namespace store {

class Reader final : public Collection {
 public:
  Reader(FileSystem& fs, const std::string& path, const ReaderOptions& options)
      : fs_(fs), path_(path), options_(options), pool_(std::make_shared<ConnectionPool>(fs, path, options)) {}

  const std::string& path() const noexcept override { return path_; }
  std::shared_ptr<const CollectionView> view() override { return take(); }
  std::shared_ptr<const CollectionView> new_view() override { return take(false); }
  std::shared_ptr<const View> take(bool shared = true);
  void prepare(const ProgressFn& progress) override;

 private:
  std::shared_ptr<const View> build(std::unique_ptr<Catalog>& catalog, std::uint64_t acknowledged, bool shared);
  std::shared_ptr<const Tombstones> tombstones(Catalog& catalog, const StateRow& state);
  bool is_in_the_way() const;

  FileSystem& fs_;
  std::string path_;
  ReaderOptions options_;
  std::shared_ptr<ConnectionPool> pool_;
  std::mutex mutex_;  // guards what follows
  std::weak_ptr<const View> newest_;
  std::chrono::steady_clock::time_point newest_since_;
  std::map<std::uint64_t, std::shared_ptr<const LoadedSegment>> segments_;  // of the newest view, by number
  std::shared_ptr<const Tombstones> tombstones_;
  std::uint64_t tombstones_commit_ = 0;
};

// Tombstones change with removals only: while adds come in, views share one copy. It is kept once it is known to belong to the
// state: of a file that is being written, the row of the one commit may come with the tombstones of another.
std::shared_ptr<const Tombstones> Reader::tombstones(Catalog& catalog, const StateRow& state) {
  if (tombstones_ == nullptr || tombstones_commit_ != state.tombstones_commit) {
    auto now = std::make_shared<const Tombstones>(catalog.tombstones());
    catalog.check_unchanged();
    tombstones_ = std::move(now);
    tombstones_commit_ = state.tombstones_commit;
  }
  return tombstones_;
}

// Whether the newest view had better be taken anew though it is still the newest: it was perhaps taken while part of the log was
// not in the catalog yet, then the log cannot be begun anew while it is held. Asked with patience, because no view helps where
// something else keeps the log large.
bool Reader::is_in_the_way() const {
  constexpr auto kRenew = std::chrono::milliseconds(200);
  return std::chrono::steady_clock::now() - newest_since_ > kRenew && log_bytes(fs_, path_) > kLargeLog;
}

std::shared_ptr<const View> Reader::build(std::unique_ptr<Catalog>& catalog, std::uint64_t acknowledged, bool shared) {
  catalog->begin_read();
  Snapshot snapshot;
  snapshot.state = catalog->state();  // the transaction's snapshot is taken here
  check_acknowledged(path_, acknowledged, snapshot.state.commit, catalog->is_immutable());
  if (auto newest = newest_.lock(); shared && newest != nullptr && newest->snapshot().state.commit == snapshot.state.commit &&
                                    !newest->outdated() && !is_in_the_way()) {
    pool_->give_back(std::move(catalog));
    return newest;
  }
  snapshot.head = catalog->head();
  std::map<std::uint64_t, std::shared_ptr<const LoadedSegment>> now;
  for (const SegmentRow& row : catalog->segments()) {
    auto& slot = now[row.number];
    if (const auto known = segments_.find(row.number); known != segments_.end() && known->second->row() == row) {
      slot = known->second;
    } else {
      slot = std::make_shared<const LoadedSegment>(SegmentFile::open(fs_, path_, row, snapshot.head), options_);
    }
    if (!snapshot.segments.empty() && snapshot.segments.back()->row().last_id >= row.first_id) {
      fail(ErrorCode::kCorrupt, catalog_path(path_), " names segments whose ids overlap (", row.number, ")");
    }
    snapshot.segments.push_back(slot);
  }
  snapshot.tombstones = tombstones(*catalog, snapshot.state);
  catalog->check_unchanged();
  segments_ = std::move(now);
  auto view = std::make_shared<const View>(fs_, path_, std::move(snapshot), std::move(catalog), pool_);
  newest_ = view;
  newest_since_ = std::chrono::steady_clock::now();
  return view;
}

std::shared_ptr<const View> Reader::take(bool shared) {
  const std::lock_guard lock(mutex_);
  // Between the transaction's begin and the opening of a segment, a writer may have replaced and removed that segment. The next
  // attempt sees its commit; a segment that is missing for another reason is missing every time. Nor does an error count that
  // comes from a catalog that was replaced, or written though it was opened as immutable, meanwhile.
  constexpr int kAttempts = 50;
  for (int attempt = 1;; ++attempt) {
    const std::uint64_t acknowledged = read_acknowledged(path_);
    auto catalog = pool_->take();
    try {
      return build(catalog, acknowledged, shared);
    } catch (const Error& error) {
      if (catalog != nullptr) {
        const bool again = (error.code() == ErrorCode::kNotFound || catalog->outdated()) && attempt < kAttempts;
        pool_->give_back(std::move(catalog));
        if (again) continue;
      }
      if (error.code() == ErrorCode::kNotFound)
        fail(ErrorCode::kCorrupt, "a segment that ", catalog_path(path_), " names is missing: ", error.what());
      throw;
    }
  }
}

void Reader::prepare(const ProgressFn& progress) {
  const auto view = take();
  const auto& segments = view->snapshot().segments;
  std::uint64_t done = 0, total = 0;
  for (const auto& segment : segments) total += segment->row().count;
  for (const auto& segment : segments) {
    segment->index();
    done += segment->row().count;
    if (progress && !progress({"index", done, total, file_name(segment->path())}))
      fail(ErrorCode::kCancelled, "building indexes was stopped");
  }
}

std::shared_ptr<const View> take_view(FileSystem& fs, const std::string& collection, const ReaderOptions& options) {
  if (!is_collection(fs, collection))
    fail(ErrorCode::kNotFound, collection, " is not a collection (no ", kCatalogName, " in it)");
  return Reader(fs, collection, options).take();
}

}  // namespace store

bool is_collection(FileSystem& fs, const std::string& path) { return fs.exists(store::catalog_path(path)); }

std::shared_ptr<Collection> Collection::open(FileSystem& fs, const std::string& path, const ReaderOptions& options) {
  if (!is_collection(fs, path)) fail(ErrorCode::kNotFound, path, " is not a collection (no ", store::kCatalogName, " in it)");
  auto reader = std::make_shared<store::Reader>(fs, path, options);
  reader->view();  // what cannot be read is said here, not at the first search
  return reader;
}

}  // namespace signet
