#include "signet/index/index.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "index/mih_index.h"
#include "index/oracle.h"
#include "index/pivot_index.h"
#include "index/table_index.h"
#include "signet/base/error.h"
#include "signet/index/build.h"

namespace signet {
namespace {

using oracle::clustered_codes;
using oracle::random_codes;
using oracle::source_of;

std::string show(const std::vector<Hit>& hits) {
  std::string text;
  for (const Hit& hit : hits) text += concat(hit.id, ":", hit.distance, " ");
  return text;
}

// Every kind of index against the definition: ids, distances and order.
class IndexTest : public testing::TestWithParam<std::string> {
 protected:
  bool serves(std::uint32_t bits) const {
    if (GetParam() == "table_to_the_end") return bits <= 16;
    return GetParam() != "table" || bits <= TableIndex::kMaxBits;
  }
  std::unique_ptr<Index> build(const CodeSource& source) const {
    if (GetParam() == "mih_to_the_end") {  // never leaves a query to the scan, however costly that is
      return std::make_unique<MihIndex>(std::make_shared<const Rows>(source), MihOptions{.tables = 4, .may_scan = false});
    }
    if (GetParam() == "pivot_to_the_end") {
      return std::make_unique<PivotIndex>(std::make_shared<const Rows>(source), PivotOptions{.pivots = 20, .may_scan = false});
    }
    if (GetParam() == "table_to_the_end") return std::make_unique<TableIndex>(std::make_shared<const Rows>(source), 1, false);
    BuildOptions options;
    options.kind = GetParam();
    return build_index(source, options);
  }
  void expect_oracle(const Index& index, const CodeMatrix& codes, const CodeMatrix& queries, const SearchOptions& options,
                     std::span<const std::uint64_t> ids = {}) const {
    const SearchResult result = index.search(queries, options);
    ASSERT_EQ(result.hits.size(), queries.size());
    for (std::size_t q = 0; q < queries.size(); ++q) {
      const std::vector<Hit> expected = oracle::search(codes, queries.row(q), options, ids);
      ASSERT_EQ(result.hits[q], expected) << GetParam() << ", " << codes.size() << " codes of " << codes.bits() << " bits, k "
                                          << options.k << ", radius " << (options.radius ? static_cast<int>(*options.radius) : -1)
                                          << ", query " << q << "\n got " << show(result.hits[q]) << "\nwant " << show(expected);
    }
  }
  // The grid of questions that every data set is asked.
  void expect_oracle_everywhere(const CodeMatrix& codes, const CodeMatrix& queries) const {
    if (!serves(codes.bits())) return;
    const auto index = build(source_of(codes));
    ASSERT_EQ(index->size(), codes.size());
    ASSERT_EQ(index->bits(), codes.bits());
    for (const std::size_t k : {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{10}, std::size_t{100}, kAllHits}) {
      SearchOptions options;
      options.k = k;
      expect_oracle(*index, codes, queries, options);
      for (const std::uint32_t radius :
           {0u, 1u, 2u, codes.bits() / 4, codes.bits() / 2, codes.bits() / 2 + 1, codes.bits(), 5000u}) {
        options.radius = radius;
        expect_oracle(*index, codes, queries, options);
      }
    }
  }
};

CodeMatrix with_some_of(const CodeMatrix& codes, const CodeMatrix& extra) {
  CodeMatrix mixed(0, codes.bits());
  for (std::size_t i = 0; i < std::min<std::size_t>(codes.size(), 3); ++i)
    mixed.append(codes.row(codes.size() / (i + 1) - (i == 0)));
  for (std::size_t i = 0; i < extra.size(); ++i) mixed.append(extra.row(i));
  return mixed;
}

TEST_P(IndexTest, EqualsTheOracleAtEveryLength) {
  for (const std::uint32_t bits : {1u,  2u,  7u,  8u,  9u,  12u,  16u,  17u,  20u,  24u,  31u,   32u,
                                   33u, 48u, 63u, 64u, 65u, 100u, 128u, 192u, 256u, 257u, 1000u, 4096u}) {
    const std::size_t count = bits > 500 ? 60 : 300;
    const CodeMatrix codes = random_codes(count, bits, bits);
    expect_oracle_everywhere(codes, with_some_of(codes, random_codes(2, bits, bits + 1)));
  }
}

TEST_P(IndexTest, EqualsTheOracleForFewCodes) {
  for (const std::uint32_t bits : {12u, 64u}) {
    for (std::size_t count = 0; count <= 5; ++count)
      expect_oracle_everywhere(random_codes(count, bits, 5), random_codes(3, bits, 6));
  }
}

TEST_P(IndexTest, EqualsTheOracleWhenAllCodesAreEqual) {
  for (const std::uint32_t bits : {12u, 64u, 128u}) {
    CodeMatrix codes(500, bits);
    for (std::size_t i = 0; i < codes.size(); ++i) oracle::set_bit(codes, i, 3, true);
    CodeMatrix queries = random_codes(2, bits, 7);
    queries.append(codes.row(0));
    expect_oracle_everywhere(codes, queries);
  }
}

TEST_P(IndexTest, EqualsTheOracleOnClusters) {
  for (const std::uint32_t bits : {12u, 16u, 64u, 96u, 128u}) {
    const CodeMatrix codes = clustered_codes(3000, bits, 7, 0.05, bits);
    const auto index = serves(bits) ? build(source_of(codes)) : nullptr;
    if (index == nullptr) continue;
    const CodeMatrix queries = with_some_of(codes, random_codes(3, bits, 9));
    for (const std::size_t k : {1u, 10u, 500u, 2999u}) {
      for (const int radius : {-1, 3, 12}) {
        SearchOptions options;
        options.k = k;
        if (radius >= 0) options.radius = static_cast<std::uint32_t>(radius);
        expect_oracle(*index, codes, queries, options);
      }
    }
  }
}

TEST_P(IndexTest, EqualsTheOracleWhereBitsAreConstantOrCopies) {  // what collapsed or redundant networks give
  for (const std::uint32_t bits : {16u, 64u, 128u}) {
    CodeMatrix codes = random_codes(1000, bits, 21);
    for (std::size_t i = 0; i < codes.size(); ++i) {
      for (std::uint32_t k = 0; k < bits / 2; ++k) oracle::set_bit(codes, i, k, k % 3 == 0);
      for (std::uint32_t k = bits / 2; k < bits; ++k) oracle::set_bit(codes, i, k, codes.bit(i, bits / 2 + k % 4));
    }
    expect_oracle_everywhere(codes, with_some_of(codes, random_codes(2, bits, 22)));
  }
}

TEST_P(IndexTest, FiltersAreAppliedInsideTheSearch) {
  for (const std::uint32_t bits : {12u, 18u, 64u, 256u}) {
    if (!serves(bits)) continue;
    const CodeMatrix codes = clustered_codes(5000, bits, 5, 0.1, 31);
    const CodeMatrix queries = with_some_of(codes, random_codes(2, bits, 32));
    const auto index = build(source_of(codes));
    Random random(33);
    for (const double share : {0.0, 0.001, 0.02, 0.5, 1.0}) {
      std::vector<std::uint64_t> words(5000 / 64 + 3);  // longer than the codes: bits beyond them mean nothing
      for (std::size_t i = 0; i < words.size() * 64; ++i) words[i / 64] |= std::uint64_t{random.uniform() < share} << (i % 64);
      IdFilter filter{words};
      SearchOptions options;
      options.filter = &filter;
      for (const std::size_t k : {std::size_t{1}, std::size_t{20}, kAllHits}) {
        options.k = k;
        options.radius.reset();
        expect_oracle(*index, codes, queries, options);
        options.radius = bits / 5;
        expect_oracle(*index, codes, queries, options);
      }
      filter.words = std::span(words).first(10);  // shorter: positions beyond the bitmap are not allowed
      expect_oracle(*index, codes, queries, options);
    }
  }
}

TEST_P(IndexTest, IdsGivenAreTheIdsOfHits) {
  const std::uint32_t bits = 16;
  const CodeMatrix codes = random_codes(400, bits, 41);
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 0; i < codes.size(); ++i) ids.push_back(1000000007 * i + 5);
  CodeSource source = source_of(codes);
  source.ids = ids;
  const auto index = build(source);
  SearchOptions options;
  options.k = 50;
  expect_oracle(*index, codes, random_codes(4, bits, 42), options, ids);
}

TEST_P(IndexTest, ThreadsAndBatchesDoNotChangeTheResult) {
  for (const std::uint32_t bits : {12u, 64u}) {
    const CodeMatrix codes = clustered_codes(40000, bits, 50, 0.1, 51);
    const CodeMatrix queries = clustered_codes(150, bits, 50, 0.1, 51);
    if (!serves(bits)) continue;
    const auto index = build(source_of(codes));
    SearchOptions options;
    options.k = 15;
    const SearchResult one = index->search(queries, options);
    for (const std::size_t threads : {2u, 3u, 8u, 0u}) {
      options.threads = threads;
      EXPECT_EQ(index->search(queries, options).hits, one.hits) << threads << " threads";
      const std::size_t single[] = {7};
      EXPECT_EQ(index->search(queries.rows(single), options).hits[0], one.hits[7]) << threads << " threads, one query";
    }
  }
}

// Far queries cost so much that most kinds hand them to the scan half-way; near ones that follow must not feel it.
TEST_P(IndexTest, AQueryThatIsGivenUpLeavesNothingBehind) {
  for (const std::uint32_t bits : {16u, 32u, 64u}) {
    if (!serves(bits)) continue;
    const CodeMatrix codes = random_codes(30000, bits, 71), far = random_codes(12, bits, 72);
    CodeMatrix queries(0, bits);
    for (std::size_t i = 0; i < far.size(); ++i) {
      queries.append(far.row(i));
      queries.append(codes.row(i * 1000));
    }
    const auto index = build(source_of(codes));
    for (const std::size_t k : {1u, 10u, 200u}) {
      SearchOptions options;
      options.k = k;
      expect_oracle(*index, codes, queries, options);
    }
  }
}

TEST_P(IndexTest, FlippingTheSameBitsEverywhereChangesNothing) {
  const std::uint32_t bits = 16;
  CodeMatrix codes = clustered_codes(2000, bits, 9, 0.1, 61), queries = random_codes(5, bits, 62);
  SearchOptions options;
  options.k = 40;
  const auto before = build(source_of(codes))->search(queries, options).hits;
  const CodeMatrix mask = random_codes(1, bits, 63);
  for (CodeMatrix* each : {&codes, &queries}) {
    for (std::size_t i = 0; i < each->size(); ++i) {
      for (std::size_t b = 0; b < each->stride(); ++b) each->row(i)[b] ^= mask.row(0)[b];
    }
  }
  EXPECT_EQ(build(source_of(codes))->search(queries, options).hits, before);
}

TEST_P(IndexTest, QueriesOfAnotherLengthAreRefused) {
  const CodeMatrix codes = random_codes(10, 16, 1);
  const auto index = build(source_of(codes));
  try {
    index->search(random_codes(1, 12, 1), {});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMismatch);
    EXPECT_NE(std::string(error.what()).find("12 bits"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("16 bits"), std::string::npos) << error.what();
  }
}

TEST_P(IndexTest, NoQueriesGiveNoResults) {
  const CodeMatrix codes = random_codes(10, 16, 1);
  EXPECT_TRUE(build(source_of(codes))->search(CodeMatrix(0, 16), {}).hits.empty());
}

TEST_P(IndexTest, ReportsWhatItDid) {
  const CodeMatrix codes = random_codes(1000, 16, 1);
  const auto index = build(source_of(codes));
  const SearchStats stats = index->search(random_codes(2, 16, 2), {}).stats;
  EXPECT_FALSE(stats.kernel.empty());
  EXPECT_GT(stats.candidates, 0u);
  EXPECT_GE(stats.seconds, 0.0);
  if (GetParam() != "auto") {
    EXPECT_EQ(stats.index, GetParam().substr(0, stats.index.size()));
    EXPECT_EQ(index->kind(), stats.index);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, IndexTest,
                         testing::Values("flat", "table", "table_to_the_end", "mih", "mih_to_the_end", "pivot",
                                         "pivot_to_the_end", "auto"),
                         [](const auto& kind) { return kind.param; });

TEST(BuildIndex, RefusesWhatCannotBe) {
  const CodeMatrix codes = random_codes(4, 16, 1);
  CodeSource source = source_of(codes);
  BuildOptions options;
  options.kind = "tree";
  try {
    build_index(source, options);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("\"tree\""), std::string::npos);
  }
  const std::vector<std::uint64_t> falling{5, 4, 7, 8}, few{1, 2};
  source.ids = falling;
  EXPECT_THROW(build_index(source), Error);
  source.ids = few;
  EXPECT_THROW(build_index(source), Error);
  source.ids = {};
  source.count = 5;
  EXPECT_THROW(build_index(source), Error);
  source.count = 4;
  source.bits = 0;
  EXPECT_THROW(build_index(source), Error);
}

}  // namespace
}  // namespace signet
