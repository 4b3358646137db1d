#include "store/salvage.h"

#include <algorithm>
#include <cstring>

#include "base/container_layout.h"
#include "signet/base/container.h"
#include "signet/base/crc32c.h"
#include "signet/base/error.h"
#include "store/read_around.h"
#include "store/segment_layout.h"
#include "store/view.h"

namespace signet::store {
namespace {

constexpr std::uint64_t kEnd = std::uint64_t{1} << 62;  // beyond every id

// Whether a part of the catalog can be read. Where it cannot be now, but at another time, that is thrown.
template <typename Step>
bool attempt(const Step& step) {
  try {
    step();
    return true;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kBusy) throw;
    return false;
  }
}

// Whether bytes are what the step takes them for. What else fails (no memory for a map, a right, a disk) says nothing about them
// and is thrown: a file that could not be looked at is not one that is damaged.
template <typename Step>
bool fits(const Step& step) {
  try {
    step();
    return true;
  } catch (const Error& error) {
    if (!is_about_content(error)) throw;
    return false;
  }
}

// Content that lies elsewhere.
class Borrowed final : public MappedFile {
 public:
  explicit Borrowed(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> data() const noexcept override { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

// A copy of a file with other bytes in one place.
class Changed final : public MappedFile {
 public:
  Changed(std::span<const std::byte> file, std::uint64_t at, std::span<const std::byte> other)
      : bytes_(file.begin(), file.end()) {
    std::ranges::copy(other, bytes_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  std::span<const std::byte> data() const noexcept override { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

using container_layout::Entry;

// What the table of a container says of a section; nothing where there is none of that name. For files that Container::open
// takes.
std::optional<Entry> entry_of(std::span<const std::byte> file, std::string_view name) {
  container_layout::Trailer trailer;
  std::memcpy(&trailer, file.last(sizeof trailer).data(), sizeof trailer);
  decltype(Entry::name) padded{};
  std::ranges::copy(name, padded.begin());
  for (std::uint32_t i = 0; i < trailer.section_count; ++i) {
    Entry entry;
    std::memcpy(&entry, file.subspan(trailer.table_offset + i * sizeof entry).data(), sizeof entry);
    if (entry.name == padded) return entry;
  }
  return std::nullopt;
}

// The table's entry of a head that fails its checksum.
std::optional<Entry> damaged_head(std::span<const std::byte> file, const std::string& path) {
  if (!fits([&] { Container::open(std::make_unique<Borrowed>(file), path, kSegmentKind, kSegmentVersion, 0); }))
    return std::nullopt;
  const std::optional<Entry> head = entry_of(file, "head");
  const bool damaged =
      head && head->length == sizeof(SegmentHead) && crc32c(file.subspan(head->offset, head->length)) != head->crc;
  return damaged ? head : std::nullopt;
}

// The file with the head that was written, where its own is damaged and the catalog tells the right one; else null. That it is
// the right one is known and not believed: it has the checksum that the file's table, which is good, states for it.
std::unique_ptr<MappedFile> with_head_of_catalog(std::span<const std::byte> file, const std::string& path, const SegmentRow& row,
                                                 const HeadRow* head) {
  const std::optional<Entry> damaged = damaged_head(file, path);
  if (!damaged || row.count == 0) return nullptr;
  SegmentHead right;  // what the catalog does not repeat stays as it is
  std::memcpy(&right, file.subspan(damaged->offset).data(), sizeof right);
  if (head != nullptr) {
    right.bits = head->bits;
    right.model = model_bytes(head->model);
  }
  const std::optional<Entry> ids = entry_of(file, "ids");
  right.width = static_cast<std::uint32_t>(ids ? ids->length / row.count : 0);
  right.count = row.count;
  right.first = row.first_id;
  right.last = row.last_id;
  right.number = row.number;
  right.commit = row.commit;
  right.block = kBlockCodes;
  right.content_crc = row.content_crc;
  right.ids_crc = ids ? ids->crc : 0;
  right.zero = 0;
  const auto bytes = std::as_bytes(std::span(&right, 1));
  if (crc32c(bytes) != damaged->crc) return nullptr;
  return std::make_unique<Changed>(file, damaged->offset, bytes);
}

// The segment that this content is: by what it says itself, with the head that the catalog repeats, or by the catalog alone. Null
// where none of them fits. as_it_is: whether nothing had to be made good.
std::shared_ptr<const SegmentFile> open_content(FileSystem& fs, const std::string& path, std::unique_ptr<MappedFile> content,
                                                const SegmentRow* row, const HeadRow* head, bool& as_it_is) {
  auto right = row != nullptr ? with_head_of_catalog(content->data(), path, *row, head) : nullptr;
  as_it_is = right == nullptr;
  if (right != nullptr) content = std::move(right);
  if (fits([&] { SegmentFile::open_alone(fs, path, 0, std::make_unique<Borrowed>(content->data())); }))
    return SegmentFile::open_alone(fs, path, 0, std::move(content));
  as_it_is = false;
  return row != nullptr && head != nullptr ? SegmentFile::open_bare(std::move(content), path, *row, *head) : nullptr;
}

}  // namespace

CatalogSalvage::CatalogSalvage(FileSystem& fs, const std::string& collection, const std::string& vfs) {
  if (!attempt([&] { catalog_ = open_reading(fs, collection, vfs, true); })) {
    catalog_.reset();
    return;
  }
  attempt([&] { catalog_->begin_read(); });
  attempt([&] { head = catalog_->head(); });
  attempt([&] { state = catalog_->state(); });
  attempt([&] { segments = catalog_->segments(); });
  attempt([&] {
    Statement all(catalog_->database(), "SELECT chunk, body FROM tombstone ORDER BY chunk");
    for (auto row = all.use(); row.step();) {
      attempt([&] { tombstones.put(row.number(0), decode_tombstones(row.number(0), row.bytes(1))); });
    }
  });
}

// The smallest id above `after` at which reading works again, found by doubling and halving; kEnd where there is none. Inside a
// damaged page every id fails and behind it they work, so halving finds the page's end.
std::uint64_t CatalogSalvage::next_readable(std::uint64_t after) {
  Statement probe(catalog_->database(), "SELECT id FROM image WHERE id > ?1 ORDER BY id LIMIT 1");
  const auto readable = [&](std::uint64_t at) { return attempt([&] { probe.use().bind(1, at).step(); }); };
  std::uint64_t step = 1;
  while (after + step < kEnd && !readable(after + step)) step *= 2;
  std::uint64_t low = after + step / 2, high = std::min(after + step, kEnd);  // low fails, high works
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    (readable(middle) ? high : low) = middle;
  }
  return high;
}

void CatalogSalvage::images(const std::function<void(const ImageRecord&)>& visit) {
  if (catalog_ == nullptr) return;
  Statement from(catalog_->database(), "SELECT id, key, body FROM image WHERE id > ?1 ORDER BY id");
  std::uint64_t after = 0;
  while (after < kEnd) {
    std::optional<ImageRecord> record;
    bool end = false;
    const bool read = attempt([&] {
      auto row = from.use();
      row.bind(1, after);
      while (row.step()) {
        const std::uint64_t id = row.number(0);
        if (id <= after || id >= kEnd) fail(ErrorCode::kCorrupt, "ids do not ascend");
        record.reset();
        if (attempt([&] {
              record = decode_image_row(id, row.text(1), row.bytes(2));
              check_key(record->key);
            })) {
          visit(*record);
        }
        after = id;
      }
      end = true;
    });
    if (end) return;
    if (!read) after = next_readable(after);
  }
}

std::vector<Verdict> CatalogSalvage::verdicts() {
  std::vector<Verdict> all;
  if (catalog_ == nullptr) return all;
  attempt([&] {
    Statement every(catalog_->database(), "SELECT a, b, body FROM verdict ORDER BY a, b");
    for (auto row = every.use(); row.step();) {
      attempt([&] { all.push_back(decode_verdict(row.number(0), row.number(1), row.bytes(2))); });
    }
  });
  return all;
}

bool is_about_content(const Error& error) noexcept {
  return error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kMismatch || error.code() == ErrorCode::kUnsupported;
}

std::optional<std::string> segment_head_damage(std::span<const std::byte> file, const std::string& path) {
  const std::optional<Entry> head = damaged_head(file, path);
  if (!head) return std::nullopt;
  return concat(path, ": section 'head' is damaged (", head->length, " bytes at offset ", head->offset, ", checksum differs)");
}

SegmentSalvage salvage_segment(FileSystem& fs, const std::string& path, const SegmentRow* row, const HeadRow* head) {
  SegmentSalvage salvage;
  ReadFile whole = read_around(fs, path);
  if (whole.content == nullptr) whole.content = fs.map(path);
  bool as_it_is = true;
  salvage.file = open_content(fs, path, std::move(whole.content), row, head, as_it_is);
  if (salvage.file == nullptr) return salvage;
  const SegmentFile& file = *salvage.file;
  if (segment_path(parent_path(parent_path(path)), file.row().number) != path || !file.ids_are_good()) {
    salvage.file.reset();  // without trustworthy ids the codes belong to nobody
    return salvage;
  }
  salvage.intact = as_it_is && whole.unreadable.empty() && fits([&] { file.verify(); });
  const IdColumn& ids = file.ids();
  salvage.kept = ids.count;
  if (salvage.intact || file.content_crc() == file.row().content_crc) return salvage;  // ids and codes are what was written
  salvage.keep.assign((ids.count + 63) / 64, ~std::uint64_t{0});
  for (const std::uint64_t block : file.damaged_blocks()) {
    const std::uint64_t end = std::min(ids.count, (block + 1) * kBlockCodes);
    for (std::uint64_t i = block * kBlockCodes; i < end; ++i, --salvage.kept)
      salvage.keep[i / 64] &= ~(std::uint64_t{1} << (i % 64));
  }
  return salvage;
}

}  // namespace signet::store
