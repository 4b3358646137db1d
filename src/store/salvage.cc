#include "store/salvage.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/container_layout.h"
#include "signet/base/container.h"
#include "signet/base/crc32c.h"
#include "signet/base/error.h"
#include "store/read_around.h"
#include "store/view.h"

namespace signet::store {
namespace {

constexpr std::uint64_t kEnd = std::uint64_t{1} << 62;  // beyond every id

template <typename Step>
bool attempt(const Step& step) {
  try {
    step();
    return true;
  } catch (const Error&) {
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
using SegmentHead = std::array<std::byte, 96>;  // docs/format/segment.md

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
  if (!attempt([&] { Container::open(std::make_unique<Borrowed>(file), path, "SSEG", kSegmentVersion, 0); })) return std::nullopt;
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
  SegmentHead bytes;  // what the catalog does not repeat stays as it is
  std::memcpy(bytes.data(), file.subspan(damaged->offset).data(), bytes.size());
  const auto put = [&](std::size_t at, const auto& value) { std::memcpy(bytes.data() + at, &value, sizeof value); };
  if (head != nullptr) {
    put(0, head->bits);
    put(48, std::array<std::byte, 32>{});
    if (!head->model.empty()) std::ranges::copy(hash_bytes(head->model, "the model's fingerprint"), bytes.begin() + 48);
  }
  const std::optional<Entry> ids = entry_of(file, "ids");
  put(4, static_cast<std::uint32_t>(ids ? ids->length / row.count : 0));
  put(8, row.count);
  put(16, row.first_id);
  put(24, row.last_id);
  put(32, row.number);
  put(40, row.commit);
  put(80, static_cast<std::uint32_t>(kBlockCodes));
  put(84, row.content_crc);
  put(88, ids ? ids->crc : std::uint32_t{0});
  put(92, std::uint32_t{0});
  if (crc32c(bytes) != damaged->crc) return nullptr;
  return std::make_unique<Changed>(file, damaged->offset, bytes);
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

std::optional<std::string> segment_head_damage(std::span<const std::byte> file, const std::string& path) {
  const std::optional<Entry> head = damaged_head(file, path);
  if (!head) return std::nullopt;
  return concat(path, ": section 'head' is damaged (", head->length, " bytes at offset ", head->offset, ", checksum differs)");
}

SegmentSalvage salvage_segment(FileSystem& fs, const std::string& path, const SegmentRow* row, const HeadRow* head) {
  SegmentSalvage salvage;
  ReadFile whole;
  bool head_good = true;
  const bool opened = attempt([&] {
    whole = read_around(fs, path);
    if (whole.content == nullptr) whole.content = fs.map(path);
    if (row != nullptr) {
      if (auto right = with_head_of_catalog(whole.content->data(), path, *row, head)) {
        whole.content = std::move(right);
        head_good = false;
      }
    }
    salvage.file = SegmentFile::open_alone(fs, path, 0, std::move(whole.content));
  });
  if (!opened) return salvage;
  const SegmentFile& file = *salvage.file;
  if (segment_path(parent_path(parent_path(path)), file.row().number) != path || !file.ids_are_good()) {
    salvage.file.reset();  // without trustworthy ids the codes belong to nobody
    return salvage;
  }
  salvage.intact = head_good && whole.unreadable.empty() && attempt([&] { file.verify(); });
  const IdColumn& ids = file.ids();
  std::uint32_t crc = ids.width == 0 ? 0 : crc32c({ids.offsets, static_cast<std::size_t>(ids.count * ids.width)});
  crc = crc32c(std::as_bytes(file.codes()), crc);
  salvage.kept = ids.count;
  if (salvage.intact || crc == file.row().content_crc) return salvage;  // ids and codes are what was written
  salvage.keep.assign((ids.count + 63) / 64, ~std::uint64_t{0});
  for (const std::uint64_t block : file.damaged_blocks()) {
    const std::uint64_t end = std::min(ids.count, (block + 1) * kBlockCodes);
    for (std::uint64_t i = block * kBlockCodes; i < end; ++i, --salvage.kept)
      salvage.keep[i / 64] &= ~(std::uint64_t{1} << (i % 64));
  }
  return salvage;
}

}  // namespace signet::store
