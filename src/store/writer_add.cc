#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "signet/base/error.h"
#include "store/view.h"
#include "store/writer.h"

namespace signet::store {
namespace {

HeadRow with_classes(HeadRow head, std::span<const std::string> more) {
  head.class_names.insert(head.class_names.end(), more.begin(), more.end());
  return head;
}

// Whether the key has another picture now, as far as the hashes of the two files tell. Codes do not tell: many pictures share
// one.
bool is_another_picture(const ImageRecord& before, const ImageRecord& after) {
  return !before.sha256.empty() && !after.sha256.empty() && before.sha256 != after.sha256;
}

}  // namespace

// Rows of a batch that need a code in a segment, and the ids that they get, ascending.
struct Writer::NewCodes {
  std::vector<std::size_t> rows;
  std::vector<std::uint64_t> ids;
};

// Everything that can be refused without looking into the catalog.
std::vector<ImageRecord> Writer::checked(const AddBatch& batch, const AddOptions& options) const {
  const std::size_t codes = batch.codes == nullptr ? 0 : batch.codes->size();
  if (codes != batch.records.size()) {
    fail(ErrorCode::kInvalidArgument, "a batch of ", codes, " codes has ", batch.records.size(),
         " records; there must be one a code");
  }
  if (codes == 0) return {};
  if (batch.codes->bits() != head_.bits) {
    fail(ErrorCode::kMismatch, "codes of ", batch.codes->bits(), " bits cannot be added to the collection ", path_,
         ", which has ", head_.bits);
  }
  if (head_.model != batch.model) {
    if (head_.model.empty()) {
      fail(ErrorCode::kMismatch, "the collection ", path_, " is bound to no model; codes of the model ", batch.model,
           " cannot be added to it");
    }
    check_same_model(path_, head_.model, batch.model, "the batch");
  }
  std::vector<ImageRecord> records;
  records.reserve(codes);
  std::unordered_set<std::string_view> keys;
  keys.reserve(codes);
  std::uint64_t next = state_.next_id;
  const HeadRow head = with_classes(head_, batch.new_classes);
  for (const ImageRecord& record : batch.records) {
    records.push_back(checked_record(record));
    check_labels(records.back(), head);
    if (!keys.insert(record.key).second) {
      fail(ErrorCode::kInvalidArgument, "key \"", record.key,
           "\" is in the batch twice; a key names one image, nothing was added");
    }
    if (options.keep_ids) {
      if (record.id < next || record.id >> 62 != 0) {
        fail(ErrorCode::kInvalidArgument, "key \"", record.key, "\" asks for the id ", record.id,
             ", but ids must ascend and the next free one is ", next);
      }
      next = record.id + 1;
    }
  }
  return records;
}

// Of a segment that was checked: a code with a flipped bit would look like another picture's.
std::span<const std::uint8_t> Writer::code_of(std::uint64_t id) {
  const auto after = std::upper_bound(segments_.begin(), segments_.end(), id,
                                      [](std::uint64_t wanted, const auto& file) { return wanted < file->row().first_id; });
  if (after != segments_.begin()) {
    const std::shared_ptr<const SegmentFile>& file = *std::prev(after);
    if (!checked_.contains(file)) {
      file->check_content();
      checked_.insert(file);
    }
    if (const auto position = file->ids().position(id)) return file->code(*position);
  }
  fail(ErrorCode::kCorrupt, "the catalog of ", path_, " names the image ", id, ", but no segment holds its code; run verify");
}

// Takes an image out: its record goes, its code stays in its segment behind a tombstone.
void Writer::bury(const ImageRecord& record) {
  catalog_->erase_image(record);
  tombstones_.add(record.id);
  changed_chunks_.insert(record.id / Tombstones::kChunkIds);
  state_.tombstones_commit = state_.commit;
  --state_.images;
  ++state_.removed;
  state_.picture_bytes -= record.bytes;
}

// Decides what one record of the batch does, and writes its row.
void Writer::place(const ImageRecord& record, std::size_t row, const AddBatch& batch, const AddOptions& options, NewCodes& news,
                   AddResult& result) {
  const auto existing = catalog_->find(record.key);
  if (existing) {
    if (options.on_existing == OnExisting::kRefuse) {
      fail(ErrorCode::kInvalidArgument, "key \"", record.key, "\" is in the collection already (id ", existing->id,
           "); nothing was added");
    }
    if (options.on_existing == OnExisting::kSkip) {
      ++result.skipped;
      result.ids[row] = existing->id;
      return;
    }
    // Of another picture nothing that was said about the old one holds, so it gets an id of its own. Of the same one only the
    // record may differ, and the id stays.
    if (!is_another_picture(*existing, record) && std::ranges::equal(code_of(existing->id), batch.codes->row(row))) {
      ImageRecord after = record;
      after.id = existing->id;
      result.ids[row] = existing->id;
      if (after == *existing) {
        ++result.skipped;
        return;
      }
      catalog_->update_image(*existing, after);
      state_.picture_bytes += after.bytes - existing->bytes;
      ++result.updated;
      return;
    }
    bury(*existing);
  }
  ImageRecord placed = record;
  placed.id = options.keep_ids ? record.id : state_.next_id;
  state_.next_id = placed.id + 1;
  catalog_->insert_image(placed);
  ++state_.images;
  state_.picture_bytes += placed.bytes;
  ++(existing ? result.replaced : result.added);
  result.ids[row] = placed.id;
  news.rows.push_back(row);
  news.ids.push_back(placed.id);
}

// Trailing segments are merged into the new one while they are no larger than what has come together: sizes then fall
// geometrically, n codes lie in O(log n + n / merge_limit) segments, and a code is rewritten O(log merge_limit) times.
std::vector<std::size_t> Writer::absorbed(std::uint64_t count) const {
  std::vector<std::size_t> which;
  for (std::size_t i = segments_.size(); i-- > 0;) {
    const std::uint64_t size = segments_[i]->row().count;
    if (size > count || count + size > options_.merge_limit) break;
    count += size;
    which.insert(which.begin(), i);
  }
  return which;
}

void Writer::add_segment(std::span<const Piece> pieces) {
  const std::uint64_t number = state_.next_segment++;
  written_.push_back(number);  // before it is written: what fails half-way is removed too
  const SegmentRow row = write_segment(fs_, path_, {number, state_.commit, head_.bits, head_.model}, pieces);
  catalog_->insert_segment(row);
  state_.code_bytes += row.file_size;
  segments_.push_back(SegmentFile::open(fs_, path_, row, head_));
}

void Writer::drop_segment(const SegmentFile& file) {
  catalog_->erase_segment(file.row().number);
  state_.code_bytes -= file.row().file_size;
  dropped_.push_back(file.row().number);
}

void Writer::write_news(const NewCodes& news, const AddBatch& batch) {
  CodeMatrix chosen;
  if (news.rows.size() < batch.codes->size()) chosen = batch.codes->rows(news.rows);
  const auto packed = news.rows.size() < batch.codes->size() ? chosen.data() : batch.codes->data();
  const std::vector<std::size_t> old = absorbed(news.rows.size());
  SegmentFiles merged;
  std::vector<Piece> pieces;
  for (const std::size_t i : old) {
    merged.push_back(segments_[i]);
    pieces.push_back(segments_[i]->piece());
  }
  const auto* ids = reinterpret_cast<const std::byte*>(news.ids.data());
  pieces.push_back({packed, {0, news.ids.size(), 8, ids}, nullptr});
  for (const auto& file : merged) {
    file->verify();  // damage must not be copied under a fresh checksum
    drop_segment(*file);
  }
  segments_.resize(segments_.size() - merged.size());
  add_segment(pieces);
}

AddResult Writer::add(const AddBatch& batch, const AddOptions& options) {
  if (!batch.new_classes.empty() && !batch.records.empty()) check_may_name_classes();
  const std::vector<ImageRecord> records = checked(batch, options);
  AddResult result;
  if (records.empty()) return result;
  result.ids.resize(records.size());
  transact([&] {
    if (!batch.new_classes.empty()) {
      head_ = with_classes(head_, batch.new_classes);
      catalog_->put_head(head_);
    }
    NewCodes news;
    for (std::size_t i = 0; i < records.size(); ++i) place(records[i], i, batch, options, news, result);
    reach("rows-written");
    if (!news.rows.empty()) {
      write_news(news, batch);
      reach("segment-written");
    }
    return result.skipped < records.size() || !batch.new_classes.empty();
  });
  return result;
}

RemoveResult Writer::remove_keys(std::span<const std::string> keys) {
  RemoveResult result;
  if (keys.empty()) return result;
  transact([&] {
    for (const auto& key : keys) {
      if (const auto record = catalog_->find(key)) {
        bury(*record);
        ++result.removed;
      } else {
        result.missing_keys.push_back(key);
      }
    }
    reach("rows-written");
    return result.removed > 0;
  });
  return result;
}

RemoveResult Writer::remove_ids(std::span<const std::uint64_t> ids) {
  RemoveResult result;
  if (ids.empty()) return result;
  transact([&] {
    for (const std::uint64_t id : ids) {
      if (const auto record = catalog_->get(id)) {
        bury(*record);
        ++result.removed;
      } else {
        result.missing_ids.push_back(id);
      }
    }
    reach("rows-written");
    return result.removed > 0;
  });
  return result;
}

void Writer::update(std::span<const ImageRecord> records) {
  if (records.empty()) return;
  std::vector<ImageRecord> all;
  for (const ImageRecord& record : records) {
    all.push_back(checked_record(record));
    check_labels(all.back(), head_);
  }
  transact([&] {
    for (ImageRecord& record : all) {
      const auto existing = catalog_->find(record.key);
      if (!existing)
        fail(ErrorCode::kNotFound, "key \"", record.key, "\" is not in the collection ", path_, "; nothing was changed");
      record.id = existing->id;
      catalog_->update_image(*existing, record);
      state_.picture_bytes += record.bytes - existing->bytes;
    }
    reach("rows-written");
  });
}

}  // namespace signet::store
