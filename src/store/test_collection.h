#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/test_folder.h"
#include "signet/base/random.h"
#include "signet/store/collection.h"
#include "signet/store/collection_tools.h"
#include "signet/store/collection_writer.h"

// For tests of store: small collections, and a naive model of what one holds.
namespace signet {

inline constexpr std::uint32_t kTestBits = 44;  // not a multiple of 8: padding bits are in play
inline const std::string kModelA(64, 'a');
inline const std::string kModelB(64, 'b');

inline CodeMatrix random_codes(std::size_t count, std::uint32_t bits, std::uint64_t seed) {
  CodeMatrix codes(count, bits);
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::uint32_t k = 0; k < bits; ++k) {
      if (random.next() & 1) codes.row(i)[k / 8] = static_cast<std::uint8_t>(codes.row(i)[k / 8] | (1u << (k % 8)));
    }
  }
  return codes;
}

inline ImageRecord test_record(const std::string& key, std::uint64_t number) {
  ImageRecord record;
  record.key = key;
  record.labels = {static_cast<std::int32_t>(number % 10)};
  record.width = 28;
  record.height = 30;
  record.bytes = 1000 + number;
  record.modified_ns = -5 + static_cast<std::int64_t>(number) * 1'000'000'007;
  if (number % 2 == 0) record.sha256 = concat(std::string(63, 'c'), number % 10);
  if (number % 3 == 0) record.user_json = concat("{\"n\": ", number, "}");
  return record;
}

inline std::vector<ImageRecord> test_records(std::size_t count, std::uint64_t first, const std::string& prefix = "image/") {
  std::vector<ImageRecord> records;
  for (std::size_t i = 0; i < count; ++i) records.push_back(test_record(concat(prefix, first + i, ".png"), first + i));
  return records;
}

inline CreateOptions test_create(std::uint32_t bits = kTestBits) {
  CreateOptions create;
  create.bits = bits;
  create.model = kModelA;
  create.class_names = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"};
  return create;
}

inline WriterOptions one_segment_an_add() {
  WriterOptions options;
  options.merge_limit = 1;
  return options;
}

// What a collection should hold, kept the simplest possible way, and the search over it done the simplest possible way.
class NaiveCollection {
 public:
  struct Entry {
    ImageRecord record;
    std::vector<std::uint8_t> code;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::map<std::uint64_t, Entry> entries;  // by id

  void add(const ImageRecord& record, std::span<const std::uint8_t> code, std::uint64_t id) {
    std::erase_if(entries, [&](const auto& e) { return e.second.record.key == record.key; });
    Entry entry{record, {code.begin(), code.end()}};
    entry.record.id = id;
    entries[id] = entry;
  }
  void remove(const std::string& key) {
    std::erase_if(entries, [&](const auto& e) { return e.second.record.key == key; });
  }
  std::vector<Hit> search(std::span<const std::uint8_t> query, std::size_t k, std::uint32_t radius = 5000) const {
    std::vector<Hit> hits;
    for (const auto& [id, entry] : entries) {
      const std::uint32_t d = hamming_distance(query, entry.code);
      if (d <= radius) hits.push_back({id, d});
    }
    std::stable_sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.distance < b.distance; });
    if (hits.size() > k) hits.resize(k);
    return hits;
  }
};

// Everything a view shows, as the naive form; compares with ==.
inline std::map<std::uint64_t, NaiveCollection::Entry> contents(const CollectionView& view) {
  std::map<std::uint64_t, NaiveCollection::Entry> all;
  for (std::uint64_t after = 0;;) {
    const auto page = view.list(after, 100);
    if (page.empty()) return all;
    for (const auto& record : page) all[record.id] = {record, view.code(record.id)};
    after = page.back().id;
  }
}

class CollectionTest : public TestFolder {
 protected:
  FileSystem& fs = real_file_system();
  std::string home = path("collection");

  std::unique_ptr<CollectionWriter> create(const WriterOptions& options = {}) {
    return CollectionWriter::create(fs, home, test_create(), options);
  }
  std::unique_ptr<CollectionWriter> open(const WriterOptions& options = {}) { return CollectionWriter::open(fs, home, options); }
  std::shared_ptr<const CollectionView> view(const ReaderOptions& options = {}) {
    return Collection::open(fs, home, options)->view();
  }

  // Adds `count` random images, to the naive model too.
  AddResult grow(CollectionWriter& writer, std::size_t count, std::uint64_t first, OnExisting mode = OnExisting::kRefuse,
                 std::uint64_t seed = 0) {
    const CodeMatrix codes = random_codes(count, kTestBits, seed + first * 7919 + 1);
    const auto records = test_records(count, first);
    const AddResult result = writer.add({&codes, records, kModelA}, {mode, false});
    for (std::size_t i = 0; i < count; ++i) naive.add(records[i], codes.row(i), result.ids[i]);
    return result;
  }
  void expect_contents(const CollectionView& shown) {
    EXPECT_EQ(contents(shown), naive.entries);
    EXPECT_EQ(shown.info().images, naive.entries.size());
    const CodeMatrix queries = random_codes(3, kTestBits, 99);
    for (const std::size_t k : {std::size_t{1}, std::size_t{7}, kAllHits}) {
      SearchOptions options;
      options.k = k;
      const auto found = shown.search(queries, options);
      for (std::size_t q = 0; q < 3; ++q)
        EXPECT_EQ(found.hits[q], naive.search(queries.row(q), k)) << "query " << q << " k " << k;
    }
  }
  NaiveCollection naive;
};

}  // namespace signet
