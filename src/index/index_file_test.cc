#include "signet/index/index_file.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "base/memory_file.h"
#include "index/damaged_copy.h"
#include "index/oracle.h"
#include "signet/base/container.h"
#include "signet/base/error.h"

namespace signet {
namespace {

const std::string kModel(64, 'a');

CodeSet small_set(std::size_t count, std::uint32_t bits) {
  CodeSet set;
  set.codes = oracle::random_codes(count, bits, 3);
  for (std::size_t i = 0; i < count; ++i) {
    set.keys.push_back(concat("folder/picture-", i, ".png"));
    set.labels.push_back(i % 3 == 0 ? std::vector<std::int32_t>{}
                                    : std::vector<std::int32_t>{static_cast<std::int32_t>(i % 5), 7});
  }
  set.class_names = {"cat", "", "dog \xc3\xa9"};
  set.model = kModel;
  set.root = "/data/pictures";
  return set;
}

std::string temp_path(const std::string& name) { return testing::TempDir() + "signet-index-" + name; }

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void spill(const std::string& path, const std::string& content) { std::ofstream(path, std::ios::binary) << content; }

void poke(const std::string& path, std::size_t at, char value) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(value);
}

TEST(IndexFile, GivesBackWhatWasWritten) {
  for (const std::uint32_t bits : {12u, 48u, 64u}) {
    const CodeSet set = small_set(100, bits);
    const std::string path = temp_path("roundtrip.sig");
    write_index_file(real_file_system(), path, set);
    const auto file = IndexFile::open(real_file_system(), path);
    EXPECT_EQ(file->index().size(), 100u);
    EXPECT_EQ(file->index().bits(), bits);
    EXPECT_EQ(file->class_names(), set.class_names);
    EXPECT_EQ(file->model(), kModel);
    EXPECT_EQ(file->root(), "/data/pictures");
    for (std::size_t i = 0; i < 100; ++i) {
      EXPECT_EQ(file->key(i), set.keys[i]);
      EXPECT_EQ(file->labels(i), set.labels[i]);
      EXPECT_EQ(file->code(i), std::vector<std::uint8_t>(set.codes.row(i).begin(), set.codes.row(i).end()));
    }
    EXPECT_EQ(file->find("folder/picture-42.png"), std::optional<std::uint64_t>(42));
    EXPECT_EQ(file->find("folder/picture-4"), std::nullopt);
    SearchOptions options;
    options.k = 7;
    const auto hits = file->index().search(set.codes, options).hits;
    for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(hits[i], oracle::search(set.codes, set.codes.row(i), options));
    EXPECT_NO_THROW(file->verify());
    std::remove(path.c_str());
  }
}

TEST(IndexFile, ServesWithoutLabelsModelOrCodes) {
  CodeSet set;
  set.codes = CodeMatrix(0, 12);
  const std::string path = temp_path("empty.sig");
  write_index_file(real_file_system(), path, set);
  auto file = IndexFile::open(real_file_system(), path);
  EXPECT_EQ(file->index().size(), 0u);
  EXPECT_TRUE(file->index().search(CodeMatrix(1, 12), {}).hits[0].empty());
  EXPECT_NO_THROW(file->check_model(kModel, "model.onnx"));
  EXPECT_THROW(file->key(0), Error);
  EXPECT_EQ(file->find("x"), std::nullopt);
  set = small_set(3, 12);
  set.labels.clear();
  write_index_file(real_file_system(), path, set);
  file = IndexFile::open(real_file_system(), path);
  EXPECT_TRUE(file->labels(2).empty());
  EXPECT_THROW(file->labels(3), Error);
  EXPECT_THROW(file->code(3), Error);
  std::remove(path.c_str());
}

TEST(IndexFile, RefusesAnotherModel) {
  const std::string path = temp_path("model.sig"), other(64, 'b');
  write_index_file(real_file_system(), path, small_set(3, 12));
  const auto file = IndexFile::open(real_file_system(), path);
  EXPECT_NO_THROW(file->check_model(kModel, "model.onnx"));
  try {
    file->check_model(other, "model.onnx");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMismatch);
    for (const std::string& part : {kModel, other, path, std::string("model.onnx")}) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
  std::remove(path.c_str());
}

TEST(IndexFile, RefusesSetsThatContradictThemselves) {
  const std::string path = temp_path("bad-set.sig");
  CodeSet set = small_set(4, 12);
  set.keys.pop_back();
  EXPECT_THROW(write_index_file(real_file_system(), path, set), Error);
  set = small_set(4, 12);
  set.labels.pop_back();
  EXPECT_THROW(write_index_file(real_file_system(), path, set), Error);
  set = small_set(4, 12);
  set.model = "abc";
  EXPECT_THROW(write_index_file(real_file_system(), path, set), Error);
  set = CodeSet();
  EXPECT_THROW(write_index_file(real_file_system(), path, set), Error);
  EXPECT_FALSE(real_file_system().exists(path));
}

TEST(IndexFile, AnyFlippedByteIsFound) {
  const std::string path = temp_path("flip.sig");
  write_index_file(real_file_system(), path, small_set(20, 12));
  const std::string good = slurp(path);
  ASSERT_GT(good.size(), 500u);
  for (std::size_t at = 0; at < good.size(); ++at) {
    poke(path, at, static_cast<char>(good[at] ^ 0x10));
    try {
      IndexFile::open(real_file_system(), path);
      FAIL() << "byte " << at << " flipped, and nobody noticed";
    } catch (const Error& error) {
      const bool named =
          error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported || error.code() == ErrorCode::kMismatch;
      EXPECT_TRUE(named) << "byte " << at << ": " << error.what();
      EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    }
    poke(path, at, good[at]);
  }
  EXPECT_NO_THROW(IndexFile::open(real_file_system(), path));
  std::remove(path.c_str());
}

// Large enough that tables and cells are stored beside the codes; opened again, nothing is built, and the answers are the same.
TEST(IndexFile, StoredTablesAnswerAsBuiltOnes) {
  std::string plans;
  for (const std::uint32_t bits : {12u, 20u, 64u, 128u}) {
    CodeSet set;
    set.codes = bits == 64 ? oracle::random_codes(60000, bits, 5) : oracle::clustered_codes(60000, bits, 300, 0.08, 5);
    set.keys.resize(set.codes.size());
    const std::string path = temp_path("tables.sig");
    write_index_file(real_file_system(), path, set);
    const auto file = IndexFile::open(real_file_system(), path);
    EXPECT_LT(file->index().memory_bytes(), 300000u) << "tables were built although they are stored";
    CodeMatrix queries = oracle::clustered_codes(8, bits, 300, 0.08, 5);
    for (std::size_t i = 0; i < 8; ++i) queries.append(set.codes.row(i));
    for (const int radius : {-1, 2, 5}) {
      SearchOptions options;
      if (radius >= 0) options.radius = static_cast<std::uint32_t>(radius);
      const SearchResult result = file->index().search(queries, options);
      plans += explain_plan(file->index(), options);
      for (std::size_t q = 0; q < queries.size(); ++q)
        EXPECT_EQ(result.hits[q], oracle::search(set.codes, queries.row(q), options));
    }
    BuildOptions flat;
    flat.kind = "flat";
    EXPECT_EQ(IndexFile::open(real_file_system(), path, flat)->index().search(queries, {}).stats.index, "flat");
    std::remove(path.c_str());
  }
  // Which is the quickest depends on the machine, but these are clearly useful for one of them; StoredCells sees to pivots.
  for (const char* kind : {"flat: ", "table: ", "mih: "}) EXPECT_NE(plans.find(kind), std::string::npos) << plans;
}

// Opening is for a single search as often as not: too few codes for stored tables are scanned, and nothing is built or measured.
TEST(IndexFile, WithoutStoredTablesIsScanned) {
  const std::string path = temp_path("scanned.sig");
  write_index_file(real_file_system(), path, small_set(5000, 64));
  EXPECT_EQ(IndexFile::open(real_file_system(), path)->index().kind(), "flat");
  BuildOptions mih;
  mih.kind = "mih";
  EXPECT_EQ(IndexFile::open(real_file_system(), path, mih)->index().kind(), "mih") << "a kind that is named is built";
  std::remove(path.c_str());
}

// Behind a right checksum: what a faulty writer leaves.
TEST(IndexFile, SetPaddingBitsAreFound) {
  MemoryFiles files;
  write_index_file(files, "right.sig", small_set(20, 12));
  damaged_copy(files, "right.sig", "wrong.sig", "SIDX", [](const std::string& section, std::vector<std::byte>& bytes) {
    if (section == "codes") bytes[2 * 7 + 1] |= std::byte{0x40};
  });
  try {
    IndexFile::open(files, "wrong.sig");
    ADD_FAILURE() << "nobody noticed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
    EXPECT_NE(std::string(error.what()).find("code 7 has bits set beyond its 12 bits"), std::string::npos) << error.what();
  }
}

TEST(IndexFile, AnyTruncationIsFound) {
  const std::string path = temp_path("short.sig");
  write_index_file(real_file_system(), path, small_set(20, 64));
  const std::string good = slurp(path);
  for (std::size_t size = 0; size < good.size(); size += 13) {
    spill(path, good.substr(0, size));
    EXPECT_THROW(IndexFile::open(real_file_system(), path), Error) << size;
  }
  std::remove(path.c_str());
}

TEST(IndexFile, AMissingFileIsNotFound) {
  try {
    IndexFile::open(real_file_system(), temp_path("none.sig"));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

}  // namespace
}  // namespace signet
