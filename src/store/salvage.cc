#include "store/salvage.h"

#include <algorithm>

#include "signet/base/crc32c.h"
#include "signet/base/error.h"
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

SegmentSalvage salvage_segment(FileSystem& fs, const std::string& path) {
  SegmentSalvage salvage;
  if (!attempt([&] { salvage.file = SegmentFile::open_alone(fs, path, 0); })) return salvage;
  const SegmentFile& file = *salvage.file;
  if (segment_path(parent_path(parent_path(path)), file.row().number) != path || !file.ids_are_good()) {
    salvage.file.reset();  // without trustworthy ids the codes belong to nobody
    return salvage;
  }
  salvage.intact = attempt([&] { file.verify(); });
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
