#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <cstring>
#include <vector>

#include "index/flat_index.h"
#include "index/mih_index.h"
#include "index/packed_array.h"
#include "index/pivot_index.h"
#include "index/table_index.h"

// Collections past 2^31 bits, bytes and entries. Their memory is sparse: reserved, zero wherever nothing was written, and backed
// by the system's one page of zeros when it is read, so that 17 GB of codes cost a few pages.
namespace signet {
namespace {

#ifdef __has_feature  // how clang says it
#define SIGNET_HAS_FEATURE(name) __has_feature(name)
#else
#define SIGNET_HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || SIGNET_HAS_FEATURE(address_sanitizer)
constexpr bool kSanitized = true;  // keeps books on every page that is read
#else
constexpr bool kSanitized = false;
#endif

class SparseBytes {
 public:
  explicit SparseBytes(std::uint64_t bytes) : bytes_(bytes) {
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory != MAP_FAILED) data_ = static_cast<std::uint8_t*>(memory);
  }
  ~SparseBytes() {
    if (data_ != nullptr) ::munmap(data_, bytes_);
  }
  SparseBytes(const SparseBytes&) = delete;
  SparseBytes& operator=(const SparseBytes&) = delete;
  std::uint8_t* data() const { return data_; }  // null where the system grants no address space
  std::uint64_t* words() const { return reinterpret_cast<std::uint64_t*>(data_); }
  std::span<const std::uint64_t> word_span() const { return {words(), bytes_ / 8}; }

 private:
  std::uint64_t bytes_;
  std::uint8_t* data_ = nullptr;
};

constexpr std::uint64_t kCount = (std::uint64_t{1} << 31) + 70000;
constexpr std::array<std::uint64_t, 4> kPlaces{5, (std::uint64_t{1} << 31) - 1, (std::uint64_t{1} << 31) + 1, kCount - 1};

// kCount codes that are all zero but those at kPlaces, which have all bits set but the lowest i.
std::shared_ptr<const Rows> sparse_rows(const SparseBytes& codes, std::uint32_t bits) {
  const std::size_t row = row_bytes(bits);
  for (std::size_t i = 0; i < kPlaces.size(); ++i) {
    std::memset(codes.data() + kPlaces[i] * row, 0xff, row);
    codes.data()[kPlaces[i] * row] = static_cast<std::uint8_t>(0xff << i);
  }
  CodeSource source;
  source.packed = {codes.data(), static_cast<std::size_t>(kCount * row)};
  source.count = kCount;
  source.bits = bits;
  return std::make_shared<const Rows>(source);
}

CodeMatrix all_ones(std::uint32_t bits) {
  CodeMatrix query(1, bits);
  for (auto& byte : query.row(0)) byte = 0xff;
  return query;
}

std::vector<Hit> expected() {
  std::vector<Hit> hits;
  for (std::uint32_t i = 0; i < kPlaces.size(); ++i) hits.push_back({kPlaces[i], i});
  return hits;
}

SearchOptions first(std::size_t k) {
  SearchOptions options;
  options.k = k;
  return options;
}

#define SPARSE_OR_SKIP(name, bytes) \
  const SparseBytes name(bytes);    \
  if (kSanitized || name.data() == nullptr) GTEST_SKIP() << "no sparse memory of " << (bytes) << " bytes here"

TEST(Large, PackedValuesLieBeyond2To31BitsAndEntries) {
  const unsigned width = packed_width(kCount - 1);
  SPARSE_OR_SKIP(memory, 8 * packed_words(kCount, width));
  const PackedView values(memory.words(), kCount, width);
  for (const std::uint64_t at : kPlaces) {
    PackedWriter writer(memory.words(), width, at);
    writer.put(at ^ 1);
  }
  for (const std::uint64_t at : kPlaces) EXPECT_EQ(values[at], at ^ 1);
  EXPECT_EQ(values[kCount / 2], 0u);
}

TEST(Large, TheScanReachesTheLastOfMoreThan2To31Codes) {
  SPARSE_OR_SKIP(codes, kCount * 2);
  const FlatIndex flat(sparse_rows(codes, 16));
  SearchOptions options = first(4);
  EXPECT_EQ(flat.search(all_ones(16), options).hits[0], expected());
  options.threads = 2;
  options.k = kAllHits;
  options.radius = 15;
  EXPECT_EQ(flat.search(all_ones(16), options).hits[0], expected());
}

// Buckets of one value each hold one code; all others are in the bucket of zeros, which no search here looks into.
TEST(Large, TheTableFindsEntriesBeyond2To31) {
  SPARSE_OR_SKIP(codes, kCount * 2);
  const unsigned width = position_width(kCount), wide = BucketTable::offset_width(kCount);
  SPARSE_OR_SKIP(ids, 8 * packed_words(kCount, width));
  std::vector<std::uint64_t> offsets(packed_words(65537, wide));
  const auto rows = sparse_rows(codes, 16);
  PackedWriter writer(offsets.data(), wide);
  PackedWriter positions(ids.words(), width, kCount - kPlaces.size());
  std::uint64_t next = 0;
  for (std::uint32_t value = 0; value <= 65536; ++value) {
    writer.put(next);
    if (value == 0) next = kCount - kPlaces.size();
    for (std::size_t i = 0; i < kPlaces.size(); ++i) {
      if (value != (0xff00u | (0xffu << i & 0xffu))) continue;
      positions.put(kPlaces[i]);
      ++next;
    }
  }
  ASSERT_EQ(next, kCount);
  const TableIndex table(rows, BucketTable(offsets.data(), ids.words(), 16, kCount));
  EXPECT_EQ(table.search(all_ones(16), first(4)).hits[0], expected());
}

// Codes of 64 bits: more than 2^34 bytes and 2^37 bits of them.
TEST(Large, PivotsFindEntriesBeyond2To31) {
  SPARSE_OR_SKIP(codes, kCount * 8);
  SPARSE_OR_SKIP(ordered, kCount * 8);
  const unsigned width = position_width(kCount);
  SPARSE_OR_SKIP(ids, 8 * packed_words(kCount, width));
  const std::uint64_t zeros = kCount - kPlaces.size();
  const auto rows = sparse_rows(codes, 64);
  PackedWriter positions(ids.words(), width, zeros);
  for (std::size_t i = 0; i < kPlaces.size(); ++i) {
    std::memcpy(ordered.data() + (zeros + i) * 8, rows->at(kPlaces[i]), 8);
    positions.put(kPlaces[i]);
  }
  const std::vector<std::uint64_t> offsets{0, zeros, zeros + 1, zeros + 2, zeros + 3, zeros + 4};
  PivotCells::Stored stored;
  stored.pivots = {2, 8, {0, ~std::uint64_t{0}}};
  stored.cells = {{0, 0, 0}, {0, 3, 1}};
  stored.offsets = offsets;
  stored.ids = ids.word_span();
  stored.codes = ordered.data();
  const PivotIndex index(rows, PivotCells(std::move(stored), kCount));
  SearchOptions options = first(4);
  EXPECT_EQ(index.search(all_ones(64), options).hits[0], expected());
  options.k = kAllHits;
  options.radius = 20;
  EXPECT_EQ(index.search(all_ones(64), options).hits[0], expected());
}

TEST(Large, SubstringsFindEntriesBeyond2To31) {
  SPARSE_OR_SKIP(codes, kCount * 8);
  const auto rows = sparse_rows(codes, 64);
  const unsigned width = position_width(kCount), wide = BucketTable::offset_width(kCount);
  SPARSE_OR_SKIP(ids, 8 * packed_words(kCount, width));
  // Two tables over the two highest bytes, on which the four codes agree: their one bucket holds them, that of zeros the rest.
  const std::uint64_t zeros = kCount - kPlaces.size();
  PackedWriter positions(ids.words(), width, zeros);
  for (const std::uint64_t place : kPlaces) positions.put(place);
  std::vector<std::uint64_t> offsets(packed_words(257, wide));
  PackedWriter writer(offsets.data(), wide);
  for (std::uint32_t value = 0; value <= 256; ++value) writer.put(value == 0 ? 0 : value <= 255 ? zeros : kCount);
  MihPlan plan;
  std::vector<BucketTable> tables;
  for (const unsigned byte : {6u, 7u}) {
    const std::array<std::uint64_t, 1> mask{std::uint64_t{0xff} << (8 * byte)};
    plan.substrings.emplace_back(mask, 8);
    plan.shell_candidates.emplace_back(9, 1.0);
    tables.emplace_back(offsets.data(), ids.words(), 8, kCount);
  }
  const MihIndex index(rows, std::move(plan), std::move(tables), UnitCosts{});
  SearchOptions options = first(10);
  options.radius = 3;
  EXPECT_EQ(index.search(all_ones(64), options).hits[0], expected());
}

}  // namespace
}  // namespace signet
