#include "store/segment.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/container_layout.h"
#include "signet/base/crc32c.h"
#include "signet/base/error.h"
#include "signet/code/code_matrix.h"
#include "store/segment_layout.h"

namespace signet::store {
namespace {

template <typename Visit>
void for_each_kept(const Piece& piece, const Visit& visit) {
  for (std::uint64_t i = 0; i < piece.ids.count; ++i) {
    if (piece.keep == nullptr || (((*piece.keep)[i / 64] >> (i % 64)) & 1)) visit(i);
  }
}

SegmentHead plan(const SegmentParams& params, std::span<const Piece> pieces) {
  SegmentHead head;
  head.bits = params.bits;
  head.number = params.number;
  head.commit = params.commit;
  head.model = model_bytes(params.model);
  for (const Piece& piece : pieces) {
    if (piece.keep == nullptr && piece.ids.count > 0) {
      if (head.count == 0) head.first = piece.ids.id(0);
      head.last = piece.ids.last();
      head.count += piece.ids.count;
      continue;
    }
    for_each_kept(piece, [&](std::uint64_t i) {
      head.last = piece.ids.id(i);
      if (head.count++ == 0) head.first = head.last;
    });
  }
  if (head.count == 0) fail(ErrorCode::kInternal, "a segment without codes was asked for");
  head.width = id_width(head.first, head.last, head.count);
  return head;
}

// Collects small pieces so that the file is written in large ones, and keeps the running checksum.
class Sink {
 public:
  Sink(ContainerWriter& writer, std::uint32_t crc) : writer_(writer), crc_(crc) { buffer_.reserve(kBuffer); }
  void put(std::span<const std::byte> data) {
    if (buffer_.size() + data.size() > kBuffer) flush();
    if (data.size() > kBuffer) {
      write(data);
    } else {
      buffer_.insert(buffer_.end(), data.begin(), data.end());
    }
  }
  std::uint32_t finish() {
    flush();
    return crc_;
  }

 private:
  static constexpr std::size_t kBuffer = std::size_t{1} << 18;
  void write(std::span<const std::byte> data) {
    crc_ = crc32c(data, crc_);
    writer_.append(data);
  }
  void flush() {
    if (!buffer_.empty()) write(buffer_);
    buffer_.clear();
  }
  ContainerWriter& writer_;
  std::uint32_t crc_;
  Bytes buffer_;
};

std::uint32_t write_ids(ContainerWriter& writer, const SegmentHead& head, std::span<const Piece> pieces) {
  if (head.width == 0) return 0;
  writer.begin_section("ids");
  Sink sink(writer, 0);
  for (const Piece& piece : pieces) {
    for_each_kept(piece, [&](std::uint64_t i) {
      const std::uint64_t offset = piece.ids.id(i) - head.first;
      sink.put(std::as_bytes(std::span(&offset, 1)).first(head.width));
    });
  }
  return sink.finish();
}

// Codes, and a checksum for every kBlockCodes of them.
class CodeSink {
 public:
  CodeSink(ContainerWriter& writer, std::uint32_t crc, std::size_t stride) : sink_(writer, crc), stride_(stride) {}
  void put(std::span<const std::byte> codes) {  // whole codes
    while (!codes.empty()) {
      const std::size_t n = std::min(codes.size(), (kBlockCodes - in_block_) * stride_);
      block_ = crc32c(codes.first(n), block_);
      sink_.put(codes.first(n));
      in_block_ += n / stride_;
      codes = codes.subspan(n);
      if (in_block_ == kBlockCodes) end_block();
    }
  }
  std::uint32_t finish() {
    if (in_block_ > 0) end_block();
    return sink_.finish();
  }
  const std::vector<std::uint32_t>& blocks() const noexcept { return blocks_; }

 private:
  void end_block() {
    blocks_.push_back(block_);
    block_ = 0;
    in_block_ = 0;
  }
  Sink sink_;
  std::size_t stride_, in_block_ = 0;
  std::uint32_t block_ = 0;
  std::vector<std::uint32_t> blocks_;
};

}  // namespace

std::uint64_t IdColumn::id(std::uint64_t position) const noexcept {
  if (width == 0) return first + position;
  std::uint64_t offset = 0;
  std::memcpy(&offset, offsets + position * width, width);
  return first + offset;
}

std::uint64_t IdColumn::lower_bound(std::uint64_t wanted) const noexcept {
  if (wanted <= first) return 0;
  if (width == 0) return std::min(count, wanted - first);
  std::uint64_t low = 0, high = count;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (id(middle) < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::optional<std::uint64_t> IdColumn::position(std::uint64_t wanted) const noexcept {
  const std::uint64_t at = lower_bound(wanted);
  if (at >= count || id(at) != wanted) return std::nullopt;
  return at;
}

std::string segment_name(std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 8) digits.insert(0, 8 - digits.size(), '0');
  return digits + ".seg";
}

std::optional<std::uint64_t> segment_number(const std::string& name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || segment_name(number) != name) return std::nullopt;
  return number;
}

std::array<std::byte, 32> model_bytes(const std::string& model) {
  std::array<std::byte, 32> bytes{};
  if (!model.empty()) std::ranges::copy(hash_bytes(model, "the model's fingerprint"), bytes.begin());
  return bytes;
}

std::string segment_path(const std::string& collection, std::uint64_t number) {
  return join_path(join_path(collection, "segments"), segment_name(number));
}

SegmentRow write_segment(FileSystem& fs, const std::string& collection, const SegmentParams& params,
                         std::span<const Piece> pieces) {
  SegmentHead head = plan(params, pieces);
  const std::size_t stride = bytes_per_code(params.bits);
  const std::string path = segment_path(collection, params.number);
  ContainerWriter writer(fs, path, kSegmentKind, kSegmentVersion);
  const std::uint32_t ids_crc = write_ids(writer, head, pieces);
  writer.begin_section("codes");
  head.ids_crc = ids_crc;
  CodeSink codes(writer, ids_crc, stride);
  for (const Piece& piece : pieces) {
    const auto packed = std::as_bytes(piece.packed);
    if (piece.keep == nullptr) {
      codes.put(packed);
    } else {
      for_each_kept(piece, [&](std::uint64_t i) { codes.put(packed.subspan(i * stride, stride)); });
    }
  }
  head.content_crc = codes.finish();
  writer.begin_section("block-crc");
  writer.append(std::as_bytes(std::span(codes.blocks())));
  writer.begin_section("head");
  writer.append(std::as_bytes(std::span(&head, 1)));
  writer.finish();
  return {params.number, head.count, head.first, head.last, fs.size(path), params.commit, head.content_crc};
}

std::shared_ptr<const SegmentFile> SegmentFile::open_alone(FileSystem& fs, const std::string& path, std::uint64_t eager,
                                                           std::unique_ptr<MappedFile> content) {
  std::shared_ptr<SegmentFile> file(new SegmentFile);
  if (content == nullptr) content = fs.map(path);
  file->path_ = path;
  file->container_ = Container::open(std::move(content), path, kSegmentKind, kSegmentVersion, eager);
  file->read_head();
  file->row_.file_size = fs.size(path);
  return file;
}

// Divisions, not products: a count that is too large must not overflow.
std::shared_ptr<const SegmentFile> SegmentFile::open_bare(std::unique_ptr<MappedFile> content, const std::string& path,
                                                          const SegmentRow& row, const HeadRow& head) {
  const auto bytes = content->data();
  const std::size_t stride = bytes_per_code(head.bits), ids_at = sizeof(container_layout::Head);
  const std::uint32_t width = id_width(row.first_id, row.last_id, row.count);
  const bool limits = row.count >= 1 && row.first_id >= 1 && row.last_id >= row.first_id && row.last_id >> 63 == 0;
  if (!limits || row.count > bytes.size() / (stride + width)) return nullptr;
  const std::size_t codes_at = container_layout::round_up(ids_at + row.count * width);
  if (codes_at > bytes.size() || row.count > (bytes.size() - codes_at) / stride) return nullptr;
  std::shared_ptr<SegmentFile> file(new SegmentFile);
  file->path_ = path;
  file->row_ = row;
  file->bits_ = head.bits;
  file->model_ = head.model;
  file->ids_ = {row.first_id, row.count, width, width == 0 ? nullptr : bytes.data() + ids_at};
  file->ids_crc_ = file->ids_crc();
  file->codes_ = {reinterpret_cast<const std::uint8_t*>(bytes.data()) + codes_at, row.count * stride};
  file->bare_ = std::move(content);
  return file->content_crc() == row.content_crc && file->ids_are_good() ? file : nullptr;
}

std::shared_ptr<const SegmentFile> SegmentFile::open(FileSystem& fs, const std::string& collection, const SegmentRow& row,
                                                     const HeadRow& head, std::uint64_t eager,
                                                     std::unique_ptr<MappedFile> content) {
  const std::string path = segment_path(collection, row.number);
  if (const std::uint64_t size = fs.size(path); size != row.file_size) {
    fail(ErrorCode::kCorrupt, path, " has ", size, " bytes; the catalog says ", row.file_size);
  }
  auto file = open_alone(fs, path, eager, std::move(content));
  if (file->row_ != row)
    fail(ErrorCode::kCorrupt, path,
         " is not the segment that the catalog names (its head differs in count, ids, commit or checksum)");
  if (file->bits_ != head.bits)
    fail(ErrorCode::kCorrupt, path, " holds codes of ", file->bits_, " bits; the collection has ", head.bits);
  if (file->model_ != head.model)
    fail(ErrorCode::kCorrupt, path, " is bound to the model ", file->model_, "; the collection to ", head.model);
  return file;
}

void SegmentFile::read_head() {
  const auto bytes = container_->section("head");
  SegmentHead head;
  if (bytes.size() != sizeof head)
    fail(ErrorCode::kCorrupt, path(), ": section head has ", bytes.size(), " bytes, not ", sizeof head);
  std::memcpy(&head, bytes.data(), sizeof head);
  const auto codes = container_->section("codes");
  block_crc_ = container_->section("block-crc");
  const bool limits = head.bits >= 1 && head.bits <= kMaxBits && head.count >= 1 && head.first >= 1 && head.last >= head.first &&
                      head.last - head.first >= head.count - 1 && head.last >> 63 == 0 && head.block == kBlockCodes &&
                      head.zero == 0;
  if (!limits || (head.width != 0 && head.width != 4 && head.width != 8) ||
      (head.width == 0 && head.last - head.first != head.count - 1)) {
    fail(ErrorCode::kCorrupt, path(), ": section head holds numbers that contradict each other");
  }
  // Divisions, not products: a damaged count must not overflow.
  const std::size_t stride = bytes_per_code(head.bits);
  if (codes.size() % stride != 0 || codes.size() / stride != head.count || block_crc_.size() % 4 != 0 ||
      block_crc_.size() / 4 != (head.count - 1) / kBlockCodes + 1) {
    fail(ErrorCode::kCorrupt, path(), ": sections codes and block-crc do not have the length of ", head.count, " codes");
  }
  ids_ = {head.first, head.count, head.width, nullptr};
  if (head.width != 0) {
    const auto offsets = container_->section("ids");
    if (offsets.size() % head.width != 0 || offsets.size() / head.width != head.count) {
      fail(ErrorCode::kCorrupt, path(), ": section ids does not have the length of ", head.count, " ids");
    }
    ids_.offsets = offsets.data();
  }
  ids_crc_ = head.ids_crc;
  row_ = {head.number, head.count, head.first, head.last, 0, head.commit, head.content_crc};
  bits_ = head.bits;
  const bool known = std::any_of(head.model.begin(), head.model.end(), [](std::byte b) { return b != std::byte{0}; });
  model_ = known ? hash_hex(head.model) : std::string();
  codes_ = {reinterpret_cast<const std::uint8_t*>(codes.data()), codes.size()};
}

std::span<const std::uint8_t> SegmentFile::code(std::uint64_t position) const noexcept {
  const std::size_t stride = bytes_per_code(bits_);
  return codes_.subspan(position * stride, stride);
}

std::uint32_t SegmentFile::ids_crc() const {
  return ids_.width == 0 ? 0 : crc32c({ids_.offsets, static_cast<std::size_t>(ids_.count * ids_.width)});
}

std::uint32_t SegmentFile::content_crc() const { return crc32c(std::as_bytes(codes_), ids_crc()); }

bool SegmentFile::ids_are_good() const {
  if (ids_crc() != ids_crc_) return false;
  if (ids_.id(0) != row_.first_id || ids_.last() != row_.last_id) return false;
  for (std::uint64_t i = 1; ids_.width != 0 && i < ids_.count; ++i) {
    if (ids_.id(i) <= ids_.id(i - 1)) return false;
  }
  return true;
}

void SegmentFile::check_content() const {
  if (!ids_are_good()) {
    fail(ErrorCode::kCorrupt, path(),
         ": section ids fails its checksum, or does not ascend from the head's first id to its last");
  }
  if (content_crc() != row_.content_crc)
    fail(ErrorCode::kCorrupt, path(), ": ids and codes do not have the checksum that the head states; verify names the place");
}

void SegmentFile::verify() const {
  container_->verify();
  check_content();
}

std::vector<std::uint64_t> SegmentFile::damaged_blocks() const {
  std::vector<std::uint64_t> damaged;
  const std::size_t bytes = kBlockCodes * bytes_per_code(bits_);
  for (std::uint64_t block = 0; block * 4 < block_crc_.size(); ++block) {
    std::uint32_t stored = 0;
    std::memcpy(&stored, block_crc_.data() + block * 4, 4);
    const std::size_t at = block * bytes;
    const auto codes = std::as_bytes(codes_).subspan(at, std::min(bytes, codes_.size() - at));
    if (crc32c(codes) != stored) damaged.push_back(block);
  }
  return damaged;
}

}  // namespace signet::store
