#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "signet/base/error.h"
#include "signet/store/collection.h"
#include "store/catalog.h"
#include "store/loaded_segment.h"

namespace signet::store {

// Connections to a catalog that are not in use and show its newest state. Views give theirs back; safe from many threads.
class ConnectionPool {
 public:
  ConnectionPool(FileSystem& fs, std::string collection, ReaderOptions options);
  std::unique_ptr<Catalog> take();
  void give_back(std::unique_ptr<Catalog> catalog) noexcept;  // ends its transaction

 private:
  FileSystem& fs_;
  std::string collection_;
  ReaderOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Catalog>> idle_;
};

// What one read transaction sees: rows of the catalog, segments, tombstones.
struct Snapshot {
  HeadRow head;
  StateRow state;
  std::vector<std::shared_ptr<const LoadedSegment>> segments;  // by id
  std::shared_ptr<const Tombstones> tombstones;
};

class View final : public CollectionView {
 public:
  // catalog: inside the read transaction that `snapshot` was read from; goes back to the pool at the end.
  View(FileSystem& fs, std::string collection, Snapshot snapshot, std::unique_ptr<Catalog> catalog,
       std::shared_ptr<ConnectionPool> pool);
  ~View() override;

  CollectionInfo info() const override;
  SearchResult search(const CodeMatrix& queries, const SearchOptions& options) const override;
  void check_model(const std::string& fingerprint, const std::string& what) const override;
  std::optional<ImageRecord> find(const std::string& key) const override;
  std::optional<ImageRecord> get(std::uint64_t id) const override;
  std::vector<std::uint8_t> code(std::uint64_t id) const override;
  std::vector<ImageRecord> list(std::uint64_t after_id, std::size_t limit) const override;
  std::vector<std::uint64_t> ids() const override;
  std::vector<std::uint64_t> ids_with_label(std::int32_t label) const override;
  std::map<std::int32_t, std::uint64_t> label_counts() const override;
  bool has_labels() const override;
  std::vector<std::uint64_t> filter_words(std::span<const std::uint64_t> ids) const override;
  std::vector<Verdict> verdicts() const override;
  std::string explain(const SearchOptions& options, std::size_t queries) const override;

  const Snapshot& snapshot() const noexcept { return snapshot_; }
  // Whether its catalog is no longer the newest, or can do nothing but throw. Safe from many threads: an immutable catalog asks
  // the files, not SQLite.
  bool outdated() const { return catalog_->is_immutable() && catalog_->outdated(); }
  // The catalog inside this view's transaction, used by one at a time: what use(catalog) returns. Throws kBusy where an immutable
  // catalog has changed: no transaction keeps what it was, and a page of another time may look like an answer, or like damage.
  template <typename Use>
  auto with_catalog(const Use& use) const {
    const std::lock_guard lock(mutex_);
    try {
      auto result = use(*catalog_);
      catalog_->check_unchanged();
      return result;
    } catch (const Error&) {
      catalog_->check_unchanged();
      throw;
    }
  }

 private:
  const std::vector<SearchPart>& parts() const;

  FileSystem& fs_;
  std::string collection_;
  Snapshot snapshot_;
  mutable std::mutex mutex_;  // guards catalog_
  std::unique_ptr<Catalog> catalog_;
  std::shared_ptr<ConnectionPool> pool_;
  mutable std::mutex parts_mutex_;
  mutable std::optional<std::vector<SearchPart>> parts_;  // made at the first call that finds all of it undamaged
};

// The same for a writer, a view and repair.
CollectionInfo make_info(FileSystem& fs, const std::string& collection, const HeadRow& head, const StateRow& state,
                         std::size_t segments);
void check_same_model(const std::string& collection, const std::string& model, const std::string& other, const std::string& what);
std::string catalog_path(const std::string& collection);

// The log can be begun anew once all of it is copied into the catalog and no view reads from it; a view of the newest commit that
// is taken after the copying does not. So where the log is larger than kLargeLog, readers take their views anew from time to
// time, and a commit that takes it past a multiple of kLongLog waits for that.
inline constexpr std::uint64_t kLargeLog = std::uint64_t{4} << 20;
inline constexpr std::uint64_t kLongLog = std::uint64_t{64} << 20;
std::uint64_t log_bytes(FileSystem& fs, const std::string& collection);  // 0 where there is none

// Throws kCorrupt where the catalog is older than the commit that was acknowledged (read before the catalog's transaction began).
// immutable: it was read where nothing can be said about its log.
void check_acknowledged(const std::string& collection, std::uint64_t acknowledged, std::uint64_t commit, bool immutable = false);

inline constexpr const char* kRepairedName = "repaired-catalog.sqlite";  // complete, but not in force yet (repair.cc)

// A connection for reading, also on a read-only disk. Throws kCorrupt where a repair was interrupted.
std::unique_ptr<Catalog> open_reading(FileSystem& fs, const std::string& collection, const std::string& vfs,
                                      bool lenient = false);
void check_no_repair(FileSystem& fs, const std::string& collection);

// One view, for tools inside the room.
std::shared_ptr<const View> take_view(FileSystem& fs, const std::string& collection, const ReaderOptions& options);

}  // namespace signet::store
