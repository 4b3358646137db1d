#include "index/query_run.h"

#include <gtest/gtest.h>

#include "index/bucket_table.h"

namespace signet {
namespace {

TEST(Pieces, LittleWorkIsOnePiece) {
  EXPECT_EQ(scan_pieces(2, 100), 1u);
  EXPECT_EQ(scan_pieces(1, 100'000), 1u);
  EXPECT_GT(scan_pieces(64, 100'000), 8u);
  EXPECT_GT(scan_pieces(1, 10'000'000), 8u);
  EXPECT_GT(scan_pieces(~std::size_t{0}, ~std::size_t{0}), 1024u);
  EXPECT_EQ(search_pieces(2, 1'000'000), 1u);
  EXPECT_EQ(search_pieces(64, 100), 1u);
  EXPECT_EQ(search_pieces(64, 100'000), 8u);
  EXPECT_EQ(table_pieces(64), 1u);
  EXPECT_EQ(table_pieces(65), 2u);
  EXPECT_EQ(search_pieces(2, 100'000'000), 2u) << "a small share of so many is work enough";
}

TEST(SortingParts, TakeNoMoreMemoryThanTheCodesAccountFor) {
  EXPECT_EQ(sorting_parts(8, 100'000'000, 1 << 16), 8u);
  EXPECT_EQ(sorting_parts(2, 100'000'000, 1 << 16), 2u);
  EXPECT_EQ(sorting_parts(8, 1000, 16), 1u);
  EXPECT_EQ(sorting_parts(8, 0, 2), 1u);
  for (unsigned bits = 1; bits <= 28; ++bits) {
    const std::uint64_t buckets = std::uint64_t{1} << bits;
    for (const std::uint64_t count : {0u, 70'000u, 600'000u, 20'000'000u})
      EXPECT_LE(sorting_parts(64, count, buckets) * buckets, std::max(buckets, 2 * count)) << bits << " bits, " << count;
  }
}

}  // namespace
}  // namespace signet
