#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "index/oracle.h"
#include "index/pivot_cells.h"
#include "index/pivot_index.h"
#include "index/pivots.h"

namespace signet {
namespace {

using oracle::clustered_codes;
using oracle::random_codes;

Rows rows_of(const CodeMatrix& codes) { return Rows(oracle::source_of(codes)); }

Pivots pivots_of(const CodeMatrix& codes) {
  Pivots pivots{codes.size(), row_bytes(codes.bits()), {}};
  pivots.words.resize((pivots.count * pivots.row + 7) / 8);
  for (std::size_t i = 0; i < codes.size(); ++i)
    std::copy_n(codes.row(i).data(), codes.stride(), reinterpret_cast<std::uint8_t*>(pivots.words.data()) + i * pivots.row);
  return pivots;
}

TEST(Pivots, TheNearestIsTheFirstOfTheNearest) {
  for (const std::uint32_t bits : {12u, 24u, 64u, 100u, 4096u}) {
    for (const std::size_t count : {1u, 5u, 40u, 700u}) {
      if (bits * count > 1'000'000) continue;
      CodeMatrix standing = random_codes(count, bits, bits);
      standing.append(standing.row(0));  // an equal of the first never wins
      const CodeMatrix codes = random_codes(150, bits, bits + 1);
      const Rows rows = rows_of(codes);
      std::vector<Nearest> nearest(codes.size());
      find_nearest(rows.at(0), codes.size(), pivots_of(standing), nearest.data());
      for (std::size_t i = 0; i < codes.size(); ++i) {
        std::size_t best = 0;
        for (std::size_t p = 1; p < standing.size(); ++p) {
          if (hamming_distance(codes.row(i), standing.row(p)) < hamming_distance(codes.row(i), standing.row(best))) best = p;
        }
        ASSERT_EQ(nearest[i].pivot, best) << bits << " bits, " << count << " pivots, code " << i;
        ASSERT_EQ(nearest[i].distance, hamming_distance(codes.row(i), standing.row(best)));
      }
    }
  }
}

TEST(Pivots, AreLearnedWhereTheGroupsAre) {
  const CodeMatrix codes = clustered_codes(30000, 64, 40, 0.05, 3);
  const Rows rows = rows_of(codes);
  ThreadPool one(1), two(2);
  const MihSample sample = sample_codes(rows, 1, 1);
  const PivotPlan plan = plan_pivots(rows, sample, 0.3, 1, one);
  // Codes of a group are about 3 bits from its centre, random codes 32 from each other.
  std::vector<Nearest> nearest(codes.size());
  find_nearest(rows.at(0), codes.size(), plan.pivots, nearest.data());
  double sum = 0;
  for (const Nearest& each : nearest) sum += each.distance;
  EXPECT_LT(sum / static_cast<double>(codes.size()), 4.0);
  EXPECT_LT(plan.codes, 3000.0);
  EXPECT_EQ(plan_pivots(rows, sample, 0.3, 1, two).pivots.words, plan.pivots.words) << "depends on the threads";
}

TEST(Pivots, AreNoMoreThanThereAreDifferentCodes) {
  CodeMatrix codes(1000, 64);
  for (std::size_t i = 0; i < codes.size(); ++i) oracle::set_bit(codes, i, 5, i % 2 == 0);
  const Rows rows = rows_of(codes);
  ThreadPool pool(1);
  EXPECT_LE(plan_pivots(rows, sample_codes(rows, 1, 1), 0.3, 1, pool, 500).pivots.count, 2u);
}

TEST(PivotCells, HoldEveryCodeOnceInItsRing) {
  for (const std::uint32_t bits : {20u, 64u, 130u}) {
    const CodeMatrix codes = clustered_codes(140000, bits, 30, 0.1, bits);
    const Rows rows = rows_of(codes);
    const Pivots pivots = pivots_of(random_codes(50, bits, 77));
    ThreadPool one(1), three(3);
    const PivotCells cells(rows, pivots, three), same(rows, pivots, one);
    EXPECT_TRUE(std::ranges::equal(cells.codes(), same.codes())) << "depends on the threads";
    EXPECT_TRUE(std::ranges::equal(cells.id_words(), same.id_words()));
    std::vector<Nearest> nearest(codes.size());
    find_nearest(rows.at(0), codes.size(), pivots, nearest.data());
    std::vector<bool> seen(codes.size());
    std::size_t met = 0;
    for (std::size_t cell = 0; cell < pivots.count; ++cell) {
      for (std::uint32_t d = 0; d <= bits; ++d) {
        const PivotCells::Range ring = cells.range(cell, d, d);
        for (std::uint64_t entry = ring.begin; entry < ring.end; ++entry, ++met) {
          const std::uint64_t position = cells.position(entry);
          ASSERT_FALSE(seen[position]);
          seen[position] = true;
          ASSERT_EQ(nearest[position].pivot, cell);
          ASSERT_EQ(nearest[position].distance, d);
          ASSERT_TRUE(std::equal(cells.code(entry), cells.code(entry) + rows.row(), rows.at(position)));
          if (entry > ring.begin) {
            ASSERT_GT(position, cells.position(entry - 1));
          }
        }
      }
      EXPECT_EQ(cells.range(cell, bits + 1, 5000).size(), 0u);
    }
    EXPECT_EQ(met, codes.size());
  }
}

// A pivot that no code is nearest to, and queries that are far from everything.
TEST(PivotIndex, IsExactWithPivotsThatServeNobody) {
  CodeMatrix codes = clustered_codes(2000, 64, 4, 0.02, 9);
  CodeMatrix far(1, 64);
  for (std::uint32_t k = 0; k < 64; ++k) oracle::set_bit(far, 0, k, !codes.bit(0, k));
  CodeMatrix standing = random_codes(3, 64, 10);
  standing.append(codes.row(0));
  standing.append(far.row(0));
  PivotPlan plan;
  plan.pivots = pivots_of(standing);
  const PivotIndex index(std::make_shared<const Rows>(oracle::source_of(codes)), plan, 1);
  CodeMatrix queries = random_codes(5, 64, 11);
  queries.append(far.row(0));
  for (const std::size_t k : {1u, 10u, 1999u, 5000u}) {
    SearchOptions options;
    options.k = k;
    const SearchResult result = index.search(queries, options);
    for (std::size_t q = 0; q < queries.size(); ++q) ASSERT_EQ(result.hits[q], oracle::search(codes, queries.row(q), options));
  }
}

// What the pivots are for: few codes are read, and a search that would read most of them is left to the scan.
TEST(PivotIndex, ReadsLittleAmongGroups) {
  const CodeMatrix codes = clustered_codes(50000, 64, 100, 0.05, 13), queries = clustered_codes(30, 64, 100, 0.05, 13);
  const PivotIndex index(std::make_shared<const Rows>(oracle::source_of(codes)), PivotOptions{});
  const SearchStats stats = index.search(queries, {}).stats;
  EXPECT_LT(stats.candidates, queries.size() * 5000);
  SearchOptions all;
  all.k = kAllHits;
  EXPECT_GE(index.search(queries, all).stats.candidates, queries.size() * codes.size());
}

}  // namespace
}  // namespace signet
