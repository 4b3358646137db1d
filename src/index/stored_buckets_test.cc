#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/memory_file.h"
#include "index/damaged_copy.h"
#include "index/mih_index.h"
#include "index/oracle.h"
#include "index/plan_record.h"
#include "signet/base/error.h"

namespace signet {
namespace {

// Tables of four substrings of codes of 48 bits, whose rows have room for 64; their sections as a user could damage them.
class StoredBucketsTest : public testing::Test {
 protected:
  static constexpr std::size_t kTables = 4, kHeadBytes = 24;

  std::shared_ptr<const Container> written(const Damage& damage) {
    std::vector<const BucketTable*> tables;
    for (const BucketTable& table : built_.tables()) tables.push_back(&table);
    ContainerWriter whole(files_, "whole", "TEST", 1);
    store_buckets(whole, rows_->size(), built_.plan().substrings, tables);
    whole.finish();
    return damaged_copy(files_, "whole", "damaged", "TEST", damage);
  }
  // With one number of the head, or one mask, replaced.
  template <typename Number>
  std::shared_ptr<const Container> with_head(std::size_t at, Number number) {
    return written([&](const std::string& section, std::vector<std::byte>& bytes) {
      if (section == "bucket-head") std::memcpy(bytes.data() + at, &number, sizeof number);
    });
  }
  std::uint64_t mask(std::size_t table) const { return built_.plan().substrings[table].mask()[0]; }
  std::shared_ptr<const Container> with_mask(std::size_t table, std::uint64_t mask) {
    return with_head(kHeadBytes + 8 * table, mask);
  }
  void expect_refused(const Container& file, const std::string& part) {
    try {
      load_buckets(file, *rows_, false);
      ADD_FAILURE() << "nobody noticed; expected: " << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << error.what();
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }

  MemoryFiles files_;
  CodeMatrix codes_ = oracle::clustered_codes(3000, 48, 12, 0.08, 4);
  std::shared_ptr<const Rows> rows_ = std::make_shared<const Rows>(oracle::source_of(codes_));
  MihIndex built_{rows_, MihOptions{.tables = kTables}};
};

TEST_F(StoredBucketsTest, AnswerAsThoseThatWereBuilt) {
  const auto file = written(no_damage);
  const MihIndex index(rows_, built_.plan(), load_buckets(*file, *rows_, false).tables, UnitCosts{});
  const CodeMatrix queries = oracle::clustered_codes(20, 48, 12, 0.08, 4);
  const SearchResult result = index.search(queries, {});
  for (std::size_t q = 0; q < queries.size(); ++q) EXPECT_EQ(result.hits[q], oracle::search(codes_, queries.row(q), {}));
}

TEST_F(StoredBucketsTest, SectionsOfAnotherLengthAreRefused) {
  for (const std::string name : {"bucket-head", "bucket-offsets", "bucket-ids"}) {
    for (const int more : {-8, -1, 8}) {
      const auto file = written([&](const std::string& section, std::vector<std::byte>& bytes) {
        if (section == name) bytes.resize(bytes.size() + static_cast<std::size_t>(more));
      });
      expect_refused(*file, name);
    }
  }
}

TEST_F(StoredBucketsTest, HeadsThatDoNotFitAreRefused) {
  expect_refused(*with_head(0, std::uint32_t{2}), "bucket-head");            // version
  expect_refused(*with_head(4, std::uint32_t{0}), "bucket-head");            // tables
  expect_refused(*with_head(4, std::uint32_t{kTables + 1}), "bucket-head");  // more than there are masks
  expect_refused(*with_head(4, ~std::uint32_t{0}), "bucket-head");
  expect_refused(*with_head(8, std::uint64_t{2999}), "bucket-head");  // codes
  expect_refused(*with_head(16, std::uint64_t{2}), "bucket-head");    // words of a row
}

TEST_F(StoredBucketsTest, ImpossibleMasksAreRefused) {
  const auto lowest = [](std::uint64_t bits) { return bits & (~bits + 1); };
  const auto with_another = [&](std::size_t table, std::uint64_t bit) {
    return with_mask(table, (mask(table) ^ lowest(mask(table))) | bit);
  };
  expect_refused(*with_mask(1, mask(0)), "mask of table 1");
  expect_refused(*with_another(2, lowest(mask(3))), "mask of table 3");         // one bit of the next
  expect_refused(*with_another(3, std::uint64_t{1} << 48), "mask of table 3");  // beyond the code's bits
  expect_refused(*with_mask(0, 0), "mask of table 0");
  expect_refused(*with_mask(0, (std::uint64_t{1} << (kMaxKeyBits + 1)) - 1), "mask of table 0");
  expect_refused(*with_another(0, 0), "bucket-offsets");  // a smaller table than the one that is there
}

// Boundaries and positions are only looked at when they are used.
TEST_F(StoredBucketsTest, ImpossibleEntriesAreCorruptWhenTheyAreMet) {
  for (const std::string name : {"bucket-offsets", "bucket-ids"}) {
    const auto file = written([&](const std::string& section, std::vector<std::byte>& bytes) {
      if (section == name) std::memset(bytes.data(), 0xff, bytes.size() - 8);
    });
    const MihIndex index(rows_, built_.plan(), load_buckets(*file, *rows_, false).tables, UnitCosts{});
    try {
      index.search(codes_, {});
      ADD_FAILURE() << name << " held nonsense, and nobody noticed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << error.what();
    }
  }
}

}  // namespace
}  // namespace signet
