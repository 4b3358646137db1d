#pragma once

#include <memory>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "signet/base/error.h"
#include "signet/store/collection_writer.h"
#include "store/catalog.h"
#include "store/lock.h"
#include "store/segment.h"
#include "store/view.h"

namespace signet::store {

using SegmentFiles = std::vector<std::shared_ptr<const SegmentFile>>;

// The implementation: the state in memory always repeats what is committed. A change works inside one transaction (transact),
// which on failure rolls back and reads the state again. A body that finds nothing to change returns false: then there is no
// commit.
class Writer final : public CollectionWriter {
 public:
  // Takes the lock, recovers, sweeps.
  Writer(FileSystem& fs, const std::string& path, const WriterOptions& options, std::uint64_t long_log = kLongLog);
  ~Writer() override;

  CollectionInfo info() const override;
  std::optional<ImageRecord> find(const std::string& key) const override;
  std::vector<std::string> keys_with_prefix(const std::string& prefix) const override;
  AddResult add(const AddBatch& batch, const AddOptions& options) override;
  RemoveResult remove_keys(std::span<const std::string> keys) override;
  RemoveResult remove_ids(std::span<const std::uint64_t> ids) override;
  void update(std::span<const ImageRecord> records) override;
  void set_verdicts(std::span<const Verdict> verdicts) override;
  std::size_t erase_verdicts(std::span<const Verdict> pairs) override;
  void set_class_names(const std::vector<std::string>& names) override;
  void set_origin(const std::string& model_path, const std::string& root) override;
  void reserve_ids_below(std::uint64_t id) override;
  CompactResult compact(std::uint64_t max_codes, const ProgressFn& progress) override;

 private:
  struct NewCodes;  // writer_add.cc

  void reach(const char* point) const;
  void recover();
  void load();
  void sweep(bool at_open);
  template <typename Body>
  void transact(const Body& body);
  void abandon() noexcept;
  void finish_commit();
  void bound_log() noexcept;
  void check_may_name_classes() const;

  std::vector<ImageRecord> checked(const AddBatch& batch, const AddOptions& options) const;
  void place(const ImageRecord& record, std::size_t row, const AddBatch& batch, const AddOptions& options, NewCodes& news,
             AddResult& result);
  void write_news(const NewCodes& news, const AddBatch& batch);
  std::vector<std::size_t> absorbed(std::uint64_t count) const;  // how many trailing segments join one of `count` codes
  void add_segment(std::span<const Piece> pieces);
  void drop_segment(const SegmentFile& file);
  void bury(const ImageRecord& record);
  std::span<const std::uint8_t> code_of(std::uint64_t id);
  std::size_t first_to_compact(std::uint64_t max_codes) const;
  void drop_stale_verdicts();
  void shrink_catalog();

  FileSystem& fs_;
  std::string path_;
  WriterOptions options_;
  WriterLock lock_;
  mutable std::unique_ptr<Catalog> catalog_;
  HeadRow head_;
  StateRow state_;
  SegmentFiles segments_;                                                  // by id
  std::set<std::weak_ptr<const SegmentFile>, std::owner_less<>> checked_;  // those whose ids and codes were
  Tombstones tombstones_;
  std::set<std::uint64_t> changed_chunks_;        // of tombstones_, in this transaction
  std::vector<std::uint64_t> written_, dropped_;  // numbers of segments, in this transaction
  bool broken_ = false;                           // a commit failed half-way: memory and disk may differ
  std::uint64_t long_log_, log_steps_ = 0;        // how many of them the log was long at the last look
};

// Steps to a new, complete collection folder (create, backup and repair share them).
void make_folders(FileSystem& fs, const std::string& path);

template <typename Body>
void Writer::transact(const Body& body) {
  if (broken_)
    fail(ErrorCode::kIo, "the writer of ", path_, " failed in the middle of a commit; open the collection again to go on");
  changed_chunks_.clear();
  written_.clear();
  dropped_.clear();
  try {
    catalog_->begin_write();
    reach("begin");
    ++state_.commit;
    if constexpr (std::is_same_v<std::invoke_result_t<Body>, bool>) {
      if (!body()) {
        catalog_->rollback();
        --state_.commit;
        return;
      }
    } else {
      body();
    }
    for (const std::uint64_t chunk : changed_chunks_) catalog_->put_tombstones(chunk, tombstones_.chunks().at(chunk));
    catalog_->put_state(state_);
    reach("before-commit");
  } catch (...) {
    abandon();
    throw;
  }
  finish_commit();
}

}  // namespace signet::store
