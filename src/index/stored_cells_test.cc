#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/memory_file.h"
#include "index/damaged_copy.h"
#include "index/oracle.h"
#include "index/pivot_index.h"
#include "index/plan_record.h"
#include "signet/base/error.h"

namespace signet {
namespace {

const CodeMatrix& codes() {
  static const CodeMatrix made = oracle::clustered_codes(3000, 64, 12, 0.08, 4);
  return made;
}

std::shared_ptr<const Rows> rows() { return std::make_shared<const Rows>(oracle::source_of(codes())); }

// Stored cells, their sections as a user could damage them.
std::shared_ptr<const Container> stored(const Damage& damage) {
  MemoryFiles files;
  const PivotIndex built(rows(), PivotOptions{.pivots = 12});
  ContainerWriter whole(files, "whole", "TEST", 1);
  store_cells(whole, built.cells());
  whole.finish();
  return damaged_copy(files, "whole", "damaged", "TEST", damage);
}

TEST(StoredCells, AnswerAsThoseThatWereBuilt) {
  const auto file = stored(no_damage);
  const PivotIndex index(rows(), load_cells(*file, *rows()));
  EXPECT_LT(index.memory_bytes(), 2000u) << "the codes and positions are those of the file";
  const CodeMatrix queries = oracle::clustered_codes(20, 64, 12, 0.08, 4);
  const SearchResult result = index.search(queries, {});
  for (std::size_t q = 0; q < queries.size(); ++q) EXPECT_EQ(result.hits[q], oracle::search(codes(), queries.row(q), {}));
}

TEST(StoredCells, ThatDoNotFitAreRefused) {
  for (const std::string name : {"cell-head", "cell-pivots", "cell-reach", "cell-offsets", "cell-codes", "cell-ids"}) {
    const auto shorter = stored([&](const std::string& section, std::vector<std::byte>& bytes) {
      if (section == name) bytes.resize(bytes.size() - 8);
    });
    try {
      load_cells(*shorter, *rows());
      ADD_FAILURE() << name << " was too short, and nobody noticed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << error.what();
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
  }
  const auto reversed = stored([](const std::string& section, std::vector<std::byte>& bytes) {
    if (section == "cell-reach") bytes[0] = std::byte{255};
  });
  EXPECT_THROW(load_cells(*reversed, *rows()), Error);
}

// Boundaries and positions are only looked at when they are used.
TEST(StoredCells, ImpossibleEntriesAreCorruptWhenTheyAreMet) {
  for (const std::string name : {"cell-offsets", "cell-ids"}) {
    const auto file = stored([&](const std::string& section, std::vector<std::byte>& bytes) {
      if (section == name) std::memset(bytes.data(), 0xff, bytes.size() - 8);
    });
    const PivotIndex index(rows(), load_cells(*file, *rows()));
    try {
      index.search(codes(), {});
      ADD_FAILURE() << name << " held nonsense, and nobody noticed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << error.what();
    }
  }
}

}  // namespace
}  // namespace signet
