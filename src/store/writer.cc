#include "store/writer.h"

#include <algorithm>
#include <chrono>

#include "signet/base/error.h"
#include "store/view.h"

namespace signet {
namespace store {
namespace {

std::string segments_folder(const std::string& path) { return join_path(path, "segments"); }

// What a create() that died may have left: nothing that anybody could miss.
bool is_free(FileSystem& fs, const std::string& path) {
  if (!fs.exists(path)) return true;
  for (const auto& name : fs.list(path)) {
    const bool leftover =
        name == "lock" || name.starts_with("new-catalog") || (name == "segments" && fs.list(segments_folder(path)).empty());
    if (!leftover) return false;
  }
  return true;
}

void check_create(FileSystem& fs, const std::string& path, const CreateOptions& create) {
  check_bits(create.bits, "the number of bits of a new collection");
  if (!create.model.empty()) hash_bytes(create.model, "the model's fingerprint");
  if (is_collection(fs, path))
    fail(ErrorCode::kInvalidArgument, path, " is a collection already; choose another folder, or open it");
  if (!is_free(fs, path))
    fail(ErrorCode::kInvalidArgument, path, " exists and is not empty; a collection needs a folder of its own");
}

}  // namespace

// Synced also where the folders were there: whoever made them may have died before they were durable.
void make_folders(FileSystem& fs, const std::string& path) {
  fs.create_directory(path);
  fs.sync_directory(parent_path(path));
  fs.create_directory(segments_folder(path));
  fs.sync_directory(path);
}

Writer::Writer(FileSystem& fs, const std::string& path, const WriterOptions& options, std::uint64_t long_log)
    : fs_(fs), path_(path), options_(options), lock_(path), long_log_(long_log) {
  reach("locked");
  recover();
}

// Here a service has moved on to the newest commit, and no later one comes in between: all of the log can be copied, and the view
// that the service takes next does not read from it.
Writer::~Writer() {
  if (broken_) return;
  try {
    catalog_->empty_log(std::chrono::milliseconds(0));
  } catch (const std::exception&) {  // the next writer does it
  }
}

void Writer::reach(const char* point) const {
  if (options_.failpoint) options_.failpoint(point);
}

void Writer::load() {
  state_ = catalog_->state();
  head_ = catalog_->head();
  tombstones_ = catalog_->tombstones();
  SegmentFiles now;
  for (const SegmentRow& row : catalog_->segments()) {
    const auto known = std::find_if(segments_.begin(), segments_.end(), [&](const auto& file) { return file->row() == row; });
    now.push_back(known != segments_.end() ? *known : SegmentFile::open(fs_, path_, row, head_));
  }
  segments_ = std::move(now);
}

void Writer::recover() {
  check_no_repair(fs_, path_);
  const std::uint64_t acknowledged = read_acknowledged(path_);
  catalog_ = std::make_unique<Catalog>(catalog_path(path_), Database::Mode::kWrite, options_.sqlite_vfs);
  load();
  check_acknowledged(path_, acknowledged, state_.commit);
  catalog_->trust_log();  // not before: what is behind a damaged frame may be rescued by repair, or by a tool
  // What a dead writer left in the log goes into the file now; then no cut-off frame of it lies about. Readers that use the log
  // make SQLite leave that for later, which is no error.
  catalog_->empty_log(std::chrono::milliseconds(100));
  log_steps_ = log_bytes(fs_, path_) / long_log_;
  if (catalog_->is_old()) transact([&] { catalog_->upgrade(); });
  reach("recovered");
  sweep(true);
}

// Removes segment files that no catalog row names and unfinished temporary files. At open, a commit goes first: a commit that
// failed half-way may have left its frames behind the valid end of the log, and recovery after a later crash would find them and
// bring that commit back, with its segment gone. A new commit overwrites the first of those frames, and the checksum chain makes
// the others invalid for ever.
void Writer::sweep(bool at_open) {
  std::vector<std::string> names;
  for (const auto& name : fs_.list(segments_folder(path_))) {
    const auto number = segment_number(name);
    const bool named = number && std::any_of(segments_.begin(), segments_.end(),
                                             [&](const auto& file) { return file->row().number == *number; });
    if ((number && !named) || is_temp_name(name)) names.push_back(name);
  }
  if (names.empty()) return;
  if (at_open) {
    transact([&] {
      for (const auto& name : names) {
        if (const auto number = segment_number(name)) state_.next_segment = std::max(state_.next_segment, *number + 1);
      }
    });
  }
  for (const auto& name : names) {
    fs_.remove(join_path(segments_folder(path_), name));
    reach("open-swept");
  }
}

// Before the commit: rolling back undoes everything, and because nothing of an unfinished transaction reaches the log
// (cache_spill is off), the segments written for it can be removed at once.
void Writer::abandon() noexcept {
  catalog_->rollback();
  for (const std::uint64_t number : written_) {
    try {
      fs_.remove(segment_path(path_, number));
    } catch (const std::exception&) {  // the next writer sweeps it
    }
  }
  try {
    load();
  } catch (const std::exception&) {
    broken_ = true;
  }
}

void Writer::finish_commit() {
  broken_ = true;  // until the end is reached: whatever throws here, the state may be the new one
  try {
    catalog_->commit();
  } catch (...) {
    catalog_->rollback();  // the segments stay: their commit may yet be found in the log
    throw;
  }
  reach("committed");
  write_acknowledged(path_, state_.commit);
  reach("acknowledged");
  for (const std::uint64_t number : dropped_) {
    try {
      fs_.remove(segment_path(path_, number));
    } catch (const Error&) {  // the next writer sweeps it
    }
    reach("swept");
  }
  broken_ = false;
  bound_log();
}

// A log can be begun anew only in a moment when all of it is copied and nobody reads from it, and beside a service that follows
// every commit there is none as long as commits come. So a commit that takes the log past a multiple of long_log_ waits for that
// moment, longer than a service needs to move on and to take its view once more. Only such a commit: where somebody keeps a view,
// waiting is of no use, and the next one waits after as much again. Counted from nothing and not from when this writer was
// opened, because each of many writers may make one commit.
void Writer::bound_log() noexcept {
  constexpr auto kPatience = std::chrono::seconds(2);
  try {
    const std::uint64_t steps = log_bytes(fs_, path_) / long_log_;
    const bool further = steps > log_steps_;
    if (further) catalog_->empty_log(kPatience);
    log_steps_ = further ? log_bytes(fs_, path_) / long_log_ : steps;
  } catch (const std::exception&) {  // what was committed is safe in the log
  }
}

void Writer::set_verdicts(std::span<const Verdict> verdicts) {
  if (verdicts.empty()) return;
  transact([&] {
    for (Verdict verdict : verdicts) {
      if (verdict.a > verdict.b) std::swap(verdict.a, verdict.b);
      if (verdict.a == verdict.b)
        fail(ErrorCode::kInvalidArgument, "a verdict needs two images, and this one names ", verdict.a, " twice");
      for (const std::uint64_t id : {verdict.a, verdict.b}) {
        if (!catalog_->get(id))
          fail(ErrorCode::kNotFound, "the collection ", path_, " has no image with the id ", id, "; no verdict was kept");
      }
      catalog_->put_verdict(verdict);
    }
  });
}

std::size_t Writer::erase_verdicts(std::span<const Verdict> pairs) {
  std::size_t erased = 0;
  if (pairs.empty()) return erased;
  transact([&] {
    for (const Verdict& pair : pairs)
      erased +=
          (pair.a | pair.b) >> 63 == 0 && catalog_->erase_verdict(std::min(pair.a, pair.b), std::max(pair.a, pair.b)) ? 1u : 0u;
    return erased > 0;
  });
  return erased;
}

CollectionInfo Writer::info() const { return make_info(fs_, path_, head_, state_, segments_.size()); }

std::optional<ImageRecord> Writer::find(const std::string& key) const { return catalog_->find(key); }

std::vector<std::string> Writer::keys_with_prefix(const std::string& prefix) const { return catalog_->keys_with_prefix(prefix); }

// Label 2 is the class of the name 2. Where labels came without names, the first names of all would become those of classes that
// they were not meant for.
void Writer::check_may_name_classes() const {
  if (head_.class_names.empty() && catalog_->has_labels())
    fail(ErrorCode::kInvalidArgument, "images of ", path_,
         " have labels that are numbers without names, and would get the names of classes that come now; add without labels, or "
         "to a new collection");
}

void Writer::set_class_names(const std::vector<std::string>& names) {
  const bool extends =
      names.size() >= head_.class_names.size() && std::equal(head_.class_names.begin(), head_.class_names.end(), names.begin());
  if (!extends) {
    fail(ErrorCode::kInvalidArgument, "the class names of ", path_,
         " can be appended to, not changed: label numbers of its images refer to them");
  }
  if (names == head_.class_names) return;
  check_may_name_classes();
  transact([&] {
    head_.class_names = names;
    catalog_->put_head(head_);
  });
}

void Writer::set_origin(const std::string& model_path, const std::string& root) {
  if (model_path == head_.model_path && root == head_.root) return;
  transact([&] {
    head_.model_path = model_path;
    head_.root = root;
    catalog_->put_head(head_);
  });
}

void Writer::reserve_ids_below(std::uint64_t id) {
  if (id <= state_.next_id) return;
  if (id >> 62 != 0) fail(ErrorCode::kInvalidArgument, "ids up to 2^62 can be reserved, not up to ", id);
  transact([&] { state_.next_id = id; });
}

}  // namespace store

std::unique_ptr<CollectionWriter> CollectionWriter::create(FileSystem& fs, const std::string& path, const CreateOptions& create,
                                                           const WriterOptions& options) {
  store::check_create(fs, path, create);
  store::make_folders(fs, path);
  {
    const store::WriterLock lock(path);
    store::check_create(fs, path, create);  // another process may have been quicker
    // Under another name until it is complete: a collection is what has a catalog.
    const std::string temporary = join_path(path, "new-catalog.sqlite");
    for (const auto& name : fs.list(path)) {
      if (name.starts_with("new-catalog")) fs.remove(join_path(path, name));
    }
    if (options.failpoint) options.failpoint("create-folders");
    const store::HeadRow head{create.bits, create.model, create.model_path, create.root, create.class_names};
    store::Catalog::create(temporary, head, {}, options.sqlite_vfs);
    if (options.failpoint) options.failpoint("create-catalog");
    fs.rename(temporary, store::catalog_path(path));
    fs.sync_directory(path);
  }
  return open(fs, path, options);
}

std::unique_ptr<CollectionWriter> CollectionWriter::open(FileSystem& fs, const std::string& path, const WriterOptions& options) {
  if (!is_collection(fs, path)) fail(ErrorCode::kNotFound, path, " is not a collection (no ", store::kCatalogName, " in it)");
  return std::make_unique<store::Writer>(fs, path, options);
}

}  // namespace signet
