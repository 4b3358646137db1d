#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "signet/base/container.h"
#include "signet/base/file_system.h"
#include "store/rows.h"

namespace signet::store {

inline constexpr std::uint32_t kSegmentVersion = 1;
inline constexpr std::size_t kBlockCodes = 1024;
inline constexpr std::uint64_t kEagerLimit = std::uint64_t{1}
                                             << 20;  // sections up to this size are checked when a segment is opened

// The ids of a run of codes: id(i) = first + offset(i), offsets implied (consecutive) or stored with 4 or 8 bytes. Borrowed
// memory.
struct IdColumn {
  std::uint64_t first = 1;
  std::uint64_t count = 0;
  std::uint32_t width = 0;             // bytes of an offset: 0, 4, 8
  const std::byte* offsets = nullptr;  // any alignment
  std::uint64_t id(std::uint64_t position) const noexcept;
  std::uint64_t last() const noexcept { return id(count - 1); }  // count > 0
  std::uint64_t lower_bound(std::uint64_t id) const noexcept;    // the first position whose id is not below
  std::optional<std::uint64_t> position(std::uint64_t id) const noexcept;
};

// Where codes of a new segment come from: a run of packed codes with its ids, all of them or those whose bit is set in `keep`.
struct Piece {
  std::span<const std::uint8_t> packed;
  IdColumn ids;
  const std::vector<std::uint64_t>* keep = nullptr;
};

struct SegmentParams {
  std::uint64_t number = 0, commit = 0;
  std::uint32_t bits = 0;
  std::string model;  // hex or empty
};

std::string segment_name(std::uint64_t number);                        // "00000042.seg"
std::optional<std::uint64_t> segment_number(const std::string& name);  // of a name that segment_name gives
std::string segment_path(const std::string& collection, std::uint64_t number);

// Writes a segment durably; ids ascend over all pieces and at least one code is kept. Returns the row that names it.
SegmentRow write_segment(FileSystem& fs, const std::string& collection, const SegmentParams& params,
                         std::span<const Piece> pieces);

// An open segment: mapped, immutable, safe from many threads.
class SegmentFile {
 public:
  // Checks the head against the catalog's row and the collection's head, sections up to `eager` bytes by their CRC. content: what
  // of the file could be read (read_around.h), in place of a mapping.
  static std::shared_ptr<const SegmentFile> open(FileSystem& fs, const std::string& collection, const SegmentRow& row,
                                                 const HeadRow& head, std::uint64_t eager = kEagerLimit,
                                                 std::unique_ptr<MappedFile> content = nullptr);
  // The same without a catalog: what the file says about itself (repair, orphans).
  static std::shared_ptr<const SegmentFile> open_alone(FileSystem& fs, const std::string& path, std::uint64_t eager = kEagerLimit,
                                                       std::unique_ptr<MappedFile> content = nullptr);

  // The same of content that is no whole container any more, by what the catalog says: the file's frame repeats only that. Null
  // unless the ids and codes that lie where they then must have the checksum that the row states. It has no container().
  static std::shared_ptr<const SegmentFile> open_bare(std::unique_ptr<MappedFile> content, const std::string& path,
                                                      const SegmentRow& row, const HeadRow& head);

  const SegmentRow& row() const noexcept { return row_; }
  std::uint32_t bits() const noexcept { return bits_; }
  const std::string& model() const noexcept { return model_; }
  const IdColumn& ids() const noexcept { return ids_; }
  std::span<const std::uint8_t> codes() const noexcept { return codes_; }
  std::span<const std::uint8_t> code(std::uint64_t position) const noexcept;
  const std::shared_ptr<const Container>& container() const noexcept { return container_; }
  const std::string& path() const noexcept { return path_; }
  std::uint32_t content_crc() const;                  // of ids and codes as they are
  void check_content() const;                         // the same against what is stated; throws kCorrupt
  void verify() const;                                // every byte; throws kCorrupt naming the place
  std::vector<std::uint64_t> damaged_blocks() const;  // blocks of kBlockCodes codes whose checksum fails
  bool ids_are_good() const;                          // their checksum holds and they ascend
  Piece piece() const { return {codes_, ids_, nullptr}; }

 private:
  SegmentFile() = default;
  void read_head();
  std::uint32_t ids_crc() const;

  std::string path_;
  std::shared_ptr<const Container> container_;
  std::unique_ptr<MappedFile> bare_;  // what there is in place of a container
  SegmentRow row_;
  std::uint32_t bits_ = 0;
  std::string model_;
  IdColumn ids_;
  std::uint32_t ids_crc_ = 0;
  std::span<const std::uint8_t> codes_;
  std::span<const std::byte> block_crc_;
};

}  // namespace signet::store
