#include "index/rows.h"

#include <cstring>
#include <limits>

#include "signet/base/error.h"

namespace signet {
namespace {

// Positions share a word with a distance of up to 4,096 (index/collector.h).
constexpr std::uint64_t kMaxCodes = std::uint64_t{1} << 48;

// Rows are zero before.
void widen(const std::uint8_t* packed, std::size_t count, std::size_t stride, std::size_t row, std::uint8_t* out) {
  for (std::size_t i = 0; i < count; ++i) std::memcpy(out + i * row, packed + i * stride, stride);
}

void check_source(const CodeSource& source) {
  check_bits(source.bits, "index");
  const std::size_t stride = bytes_per_code(source.bits);
  if (source.count >= kMaxCodes || source.count > source.packed.size() / stride ||
      source.packed.size() != source.count * stride) {
    fail(ErrorCode::kInvalidArgument, "index: ", source.packed.size(), " bytes are not ", source.count, " codes of ", source.bits,
         " bits (", stride, " bytes each)");
  }
  if (source.ids.empty()) return;
  if (source.ids.size() != source.count) {
    fail(ErrorCode::kInvalidArgument, "index: ", source.ids.size(), " ids for ", source.count,
         " codes; there must be one a code, or none");
  }
  for (std::size_t i = 1; i < source.ids.size(); ++i) {
    if (source.ids[i] > source.ids[i - 1]) continue;
    fail(ErrorCode::kInvalidArgument, "index: id ", source.ids[i], " at position ", i, " follows ", source.ids[i - 1],
         "; ids must be strictly ascending");
  }
}

}  // namespace

Rows::Rows(const CodeSource& source) {
  check_source(source);
  count_ = source.count;
  bits_ = source.bits;
  row_ = row_bytes(bits_);
  ids_ = source.ids;
  owner_ = source.owner;
  const std::size_t stride = bytes_per_code(bits_);
  if (stride == row_) {
    data_ = source.packed.data();
    return;
  }
  if (count_ > std::numeric_limits<std::ptrdiff_t>::max() / row_) {
    fail(ErrorCode::kInvalidArgument, "index: ", count_, " codes of ", bits_, " bits do not fit into memory");
  }
  copy_ = BigWords((count_ * row_ + 7) / 8);
  widen(source.packed.data(), count_, stride, row_, reinterpret_cast<std::uint8_t*>(copy_.data()));
  data_ = reinterpret_cast<const std::uint8_t*>(copy_.data());
}

QueryRows::QueryRows(const CodeMatrix& queries, std::uint32_t bits) : count_(queries.size()), row_(row_bytes(bits)) {
  if (queries.bits() != bits && (queries.size() != 0 || queries.bits() != 0)) {
    fail(ErrorCode::kMismatch, "search: queries have ", queries.bits(), " bits, but the index holds codes of ", bits, " bits");
  }
  if (count_ == 0) return;
  words_.assign((count_ * row_ + 7) / 8, 0);
  widen(queries.data().data(), count_, queries.stride(), row_, reinterpret_cast<std::uint8_t*>(words_.data()));
}

}  // namespace signet
