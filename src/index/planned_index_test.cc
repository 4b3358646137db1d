#include "index/planned_index.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "base/memory_file.h"
#include "index/oracle.h"
#include "signet/base/error.h"

namespace signet {
namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Pivots beside the scan, with costs that were never measured: the scan is the cheaper one for many queries together, pivots are
// for one alone, and nobody asked pivots about more than the ten nearest.
class StoredPlanTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto rows = std::make_shared<const Rows>(oracle::source_of(codes_));
    PlanRecord record;
    record.kinds[0] = KindCosts{{{{10, 1000}}}, {{{2, 1000}}}, 100000};
    record.kinds[3] = KindCosts{{{{10, 5000}}}, {}, 0};
    ContainerWriter writer(files_, "plan", "TEST", 1);
    store_cells(writer, PivotIndex(rows, PivotOptions{.pivots = 12}).cells());
    writer.begin_section("plan");
    writer.append(as_bytes(plan_to_json(record)));
    writer.finish();
    file_ = Container::open(files_, "plan", "TEST", 1);
    index_ = PlannedIndex::load(rows, *file_);
    ASSERT_NE(index_, nullptr);
  }

  MemoryFiles files_;
  CodeMatrix codes_ = oracle::clustered_codes(3000, 64, 12, 0.08, 4);
  std::shared_ptr<const Container> file_;
  std::unique_ptr<PlannedIndex> index_;
};

TEST_F(StoredPlanTest, TheExplanationIsOfAsManyQueriesAsTheAnswer) {
  for (const std::size_t queries : {1u, 64u}) {
    const CodeMatrix asked = oracle::clustered_codes(queries, 64, 12, 0.08, 4);
    const std::string kind = index_->search(asked, {}).stats.index, text = explain_plan(*index_, {}, queries);
    EXPECT_EQ(kind, queries == 1 ? "pivot" : "flat");
    EXPECT_TRUE(says(text, "choice: " + kind)) << text;
    EXPECT_EQ(says(text, "64 queries together"), queries == 64) << text;
  }
}

TEST_F(StoredPlanTest, AKindThatWasNotAskedIsNotSaidToBeDear) {
  SearchOptions options;
  options.k = 100;
  const std::string text = explain_plan(*index_, options);
  EXPECT_TRUE(says(text, "pivot: not measured")) << text;
  EXPECT_TRUE(says(text, "choice: flat")) << text;
}

TEST(ExplainPlan, NamesNoCostWhereNothingWasMeasured) {
  const CodeMatrix codes = oracle::random_codes(100, 64, 1);
  const std::string text = explain_plan(*build_index(oracle::source_of(codes)), {});
  EXPECT_TRUE(says(text, "flat: too few codes")) << text;
  EXPECT_FALSE(says(text, " ms")) << text;
}

// Large enough for every kind to be built and asked, and for those that help to stay.
TEST(PlannedIndex, EqualsTheOracle) {
  std::vector<std::size_t> stored(5000);
  std::iota(stored.begin(), stored.end(), std::size_t{0});
  for (const std::uint32_t bits : {16u, 20u, 32u, 64u, 128u, 256u}) {
    const CodeMatrix all = oracle::clustered_codes(5004, bits, 50, 0.05, bits), codes = all.rows(stored);
    CodeMatrix queries = all.rows(std::vector<std::size_t>{0, 2500, 4999, 5000, 5001, 5002, 5003});
    queries.append(oracle::random_codes(1, bits, 1).row(0));
    const auto index = build_index(oracle::source_of(codes));
    EXPECT_TRUE(says(explain_plan(*index, {}), "choice: ")) << "nothing was planned";
    for (const std::size_t k : {std::size_t{1}, std::size_t{10}, std::size_t{300}, kAllHits}) {
      for (const int radius : {-1, 0, 2, static_cast<int>(bits / 4)}) {
        SearchOptions options;
        options.k = k;
        if (radius >= 0) options.radius = static_cast<std::uint32_t>(radius);
        const SearchResult result = index->search(queries, options);
        for (std::size_t q = 0; q < queries.size(); ++q)
          ASSERT_EQ(result.hits[q], oracle::search(codes, queries.row(q), options))
              << bits << " bits, k " << k << ", radius " << radius << ", query " << q;
      }
    }
  }
}

}  // namespace
}  // namespace signet
