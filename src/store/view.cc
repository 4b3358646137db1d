#include "store/view.h"

#include <algorithm>

#include "signet/base/error.h"

namespace signet {

namespace store {
namespace {

// The first position from `from` on whose id is not below; all before `from` are. Quick where it is near: the step doubles.
std::uint64_t seek(const IdColumn& ids, std::uint64_t from, std::uint64_t id) {
  std::uint64_t step = 1;
  for (; ids.count - from >= step && ids.id(from + step - 1) < id; step *= 2) from += step;
  std::uint64_t end = std::min(from + step - 1, ids.count);
  while (from < end) {
    const std::uint64_t middle = from + (end - from) / 2;
    if (ids.id(middle) < id) {
      from = middle + 1;
    } else {
      end = middle;
    }
  }
  return from;
}

// Of a file that comes and goes.
std::uint64_t size_of(FileSystem& fs, const std::string& path) {
  try {
    return fs.size(path);
  } catch (const Error&) {
    return 0;
  }
}

}  // namespace

std::uint64_t log_bytes(FileSystem& fs, const std::string& collection) { return size_of(fs, catalog_path(collection) + "-wal"); }

std::string catalog_path(const std::string& collection) { return join_path(collection, kCatalogName); }

void check_acknowledged(const std::string& collection, std::uint64_t acknowledged, std::uint64_t commit, bool immutable) {
  if (commit >= acknowledged) return;
  if (immutable) {
    fail(
        ErrorCode::kCorrupt, catalog_path(collection), " ends at commit ", commit, ", but commit ", acknowledged,
        " was acknowledged; it was read without a log, because its folder cannot be written here: open the collection once where "
        "it can be written, which tells whether anything is lost");
  }
  fail(ErrorCode::kCorrupt, catalog_path(collection), " ends at commit ", commit, ", but commit ", acknowledged,
       " was acknowledged: its log is damaged or was taken away; repair accepts the loss and reports it");
}

void check_same_model(const std::string& collection, const std::string& model, const std::string& other,
                      const std::string& what) {
  if (model.empty() || model == other) return;
  fail(ErrorCode::kMismatch, what, " comes from the model ", other.empty() ? "(unknown)" : other, ", but the collection ",
       collection, " is bound to the model ", model,
       "; codes of different models cannot be compared: use that model, or migrate the collection");
}

CollectionInfo make_info(FileSystem& fs, const std::string& collection, const HeadRow& head, const StateRow& state,
                         std::size_t segments) {
  CollectionInfo info;
  info.bits = head.bits;
  info.model = head.model;
  info.model_path = head.model_path;
  info.root = head.root;
  info.class_names = head.class_names;
  info.images = state.images;
  info.removed = state.removed;
  info.next_id = state.next_id;
  info.commit = state.commit;
  info.segments = segments;
  info.code_bytes = state.code_bytes;
  info.picture_bytes = state.picture_bytes;
  info.catalog_bytes = size_of(fs, catalog_path(collection)) + log_bytes(fs, collection);
  return info;
}

ConnectionPool::ConnectionPool(FileSystem& fs, std::string collection, ReaderOptions options)
    : fs_(fs), collection_(std::move(collection)), options_(std::move(options)) {}

std::unique_ptr<Catalog> ConnectionPool::take() {
  {
    const std::lock_guard lock(mutex_);
    while (!idle_.empty()) {
      auto catalog = std::move(idle_.back());
      idle_.pop_back();
      if (catalog->reusable()) return catalog;
    }
  }
  return open_reading(fs_, collection_, options_.sqlite_vfs);
}

void check_no_repair(FileSystem& fs, const std::string& collection) {
  if (fs.exists(join_path(collection, kRepairedName))) {
    fail(ErrorCode::kCorrupt, collection, ": a repair was interrupted before its end; run repair again to finish it");
  }
}

// On a read-only disk SQLite cannot make the -shm file that a log needs. Without a log the file alone is the whole truth, and is
// opened as one that nobody changes: immutable. Somebody may, where only this process cannot write; whoever keeps the catalog has
// to ask whether it is outdated. With a log, opening as immutable would show an older state, so it is refused.
std::unique_ptr<Catalog> open_reading(FileSystem& fs, const std::string& collection, const std::string& vfs, bool lenient) {
  const std::string path = catalog_path(collection);
  if (!lenient) check_no_repair(fs, collection);
  try {
    auto catalog = std::make_unique<Catalog>(path, Database::Mode::kRead, vfs, lenient);
    catalog->database().number("SELECT count(*) FROM sqlite_schema");  // the first real read opens the log
    return catalog;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kIo) throw;
    if (fs.exists(path + "-wal") && fs.size(path + "-wal") > 0) {
      fail(ErrorCode::kIo, path, " has a log (", file_name(path), "-wal) that cannot be opened here (", error.what(),
           "); open the collection once where its folder is writable, then it can be read on a read-only disk");
    }
    return std::make_unique<Catalog>(path, Database::Mode::kImmutable, vfs, lenient);
  }
}

void ConnectionPool::give_back(std::unique_ptr<Catalog> catalog) noexcept {
  catalog->rollback();
  const std::lock_guard lock(mutex_);
  constexpr std::size_t kKept = 8;
  try {
    if (idle_.size() < kKept) idle_.push_back(std::move(catalog));
  } catch (const std::bad_alloc&) {  // then it is closed
  }
}

View::View(FileSystem& fs, std::string collection, Snapshot snapshot, std::unique_ptr<Catalog> catalog,
           std::shared_ptr<ConnectionPool> pool)
    : fs_(fs),
      collection_(std::move(collection)),
      snapshot_(std::move(snapshot)),
      catalog_(std::move(catalog)),
      pool_(std::move(pool)) {}

View::~View() { pool_->give_back(std::move(catalog_)); }

CollectionInfo View::info() const {
  return make_info(fs_, collection_, snapshot_.head, snapshot_.state, snapshot_.segments.size());
}

const std::vector<SearchPart>& View::parts() const {
  const std::lock_guard lock(parts_mutex_);
  if (parts_) return *parts_;
  std::vector<SearchPart> parts;
  std::uint64_t position = 0;
  for (const auto& segment : snapshot_.segments) {
    parts.push_back({segment, segment->live(*snapshot_.tombstones), position});
    position += segment->row().count;
  }
  return parts_.emplace(std::move(parts));
}

SearchResult View::search(const CodeMatrix& queries, const SearchOptions& options) const {
  return search_parts(parts(), snapshot_.head.bits, queries, options);
}

void View::check_model(const std::string& fingerprint, const std::string& what) const {
  check_same_model(collection_, snapshot_.head.model, fingerprint, what);
}

std::optional<ImageRecord> View::find(const std::string& key) const {
  return with_catalog([&](Catalog& catalog) { return catalog.find(key); });
}

std::optional<ImageRecord> View::get(std::uint64_t id) const {
  return with_catalog([&](Catalog& catalog) { return catalog.get(id); });
}

std::vector<std::uint8_t> View::code(std::uint64_t id) const {
  const auto& segments = snapshot_.segments;
  const auto after = std::upper_bound(segments.begin(), segments.end(), id,
                                      [](std::uint64_t wanted, const auto& segment) { return wanted < segment->row().first_id; });
  if (after != segments.begin() && !snapshot_.tombstones->contains(id)) {
    const SegmentFile& file = (*std::prev(after))->content();
    if (const auto position = file.ids().position(id)) {
      const auto code = file.code(*position);
      return {code.begin(), code.end()};
    }
  }
  fail(ErrorCode::kNotFound, "the collection ", collection_, " has no image with the id ", id);
}

std::vector<ImageRecord> View::list(std::uint64_t after_id, std::size_t limit) const {
  return with_catalog([&](Catalog& catalog) { return catalog.list(after_id, limit); });
}

std::vector<std::uint64_t> View::ids() const {
  std::vector<std::uint64_t> all;
  all.reserve(snapshot_.state.images);
  for (const auto& segment : snapshot_.segments) {
    const IdColumn& column = segment->content().ids();
    for (std::uint64_t i = 0; i < column.count; ++i) {
      if (const std::uint64_t id = column.id(i); !snapshot_.tombstones->contains(id)) all.push_back(id);
    }
  }
  return all;
}

std::vector<std::uint64_t> View::ids_with_label(std::int32_t label) const {
  return with_catalog([&](Catalog& catalog) { return catalog.ids_with_label(label); });
}

bool View::has_labels() const {
  return with_catalog([](Catalog& catalog) { return catalog.has_labels(); });
}

// A label at a time, so that those who look up a record in between need not wait for all of them.
std::map<std::int32_t, std::uint64_t> View::label_counts() const {
  std::map<std::int32_t, std::uint64_t> counts;
  for (std::uint64_t from = 0;;) {
    const auto next = with_catalog([&](Catalog& catalog) { return catalog.count_label(from); });
    if (!next) return counts;
    counts.insert(*next);
    from = static_cast<std::uint64_t>(next->first) + 1;
  }
}

// By position and not by id: ids may be as large as 2^62, and the words must not be.
std::vector<std::uint64_t> View::filter_words(std::span<const std::uint64_t> ids) const {
  std::uint64_t total = 0;
  for (const auto& segment : snapshot_.segments) total += segment->row().count;
  std::vector<std::uint64_t> words((total + 63) / 64, 0);
  std::uint64_t first = 0;
  auto wanted = ids.begin();
  for (const auto& segment : snapshot_.segments) {
    const std::uint64_t count = segment->row().count;
    if (wanted == ids.end() || *wanted > segment->row().last_id) {  // nothing of it is wanted: it need not be read
      first += count;
      continue;
    }
    const IdColumn& column = segment->content().ids();
    for (std::uint64_t at = 0; wanted != ids.end(); ++wanted) {
      at = seek(column, at, *wanted);
      if (at == count) break;
      const std::uint64_t position = first + at;
      if (column.id(at) == *wanted) words[position / 64] |= std::uint64_t{1} << (position % 64);
    }
    first += count;
  }
  return words;
}

std::vector<Verdict> View::verdicts() const {
  return with_catalog([](Catalog& catalog) { return catalog.verdicts(); });
}

std::string View::explain(const SearchOptions& options, std::size_t queries) const {
  return explain_parts(parts(), options, queries);
}

}  // namespace store
}  // namespace signet
