#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "signet/base/random.h"
#include "store/test_collection.h"

namespace signet {

// How much more (or, below 1: less) than usual the proofs try: sanitizers make a try slow, a release deserves more of them.
inline double effort() {
  const char* text = std::getenv("SIGNET_STORE_ROUNDS");
  const double value = text != nullptr ? std::atof(text) : 1;
  return value > 0 ? std::clamp(value, 0.01, 1000.0) : 1;
}

// A folder in memory where there is one: kill -9 and simulated power loss do not need a real disk, and real syncs would take most
// of the time.
class FastFolder {
 public:
  FastFolder() {
    static int count = 0;
    const std::string base = std::filesystem::exists("/dev/shm") ? "/dev/shm" : testing::TempDir();
    path_ = join_path(base, concat("signet-store-", ::getpid(), "-", ++count));
    clear();
  }
  ~FastFolder() { std::filesystem::remove_all(path_); }
  FastFolder(const FastFolder&) = delete;
  FastFolder& operator=(const FastFolder&) = delete;
  void clear() const {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  std::string path(const std::string& name) const { return join_path(path_, name); }

 private:
  std::string path_;
};

// A change to a collection, made from a seed and the state that it meets, so that the process that dies and the one that checks
// agree on it.
struct Operation {
  enum class Kind { kAdd, kUpsert, kRemove, kUpdate, kCompact } kind = Kind::kAdd;
  CodeMatrix codes;
  std::vector<ImageRecord> records;
  std::vector<std::string> keys;
};

// The expected state, the plainest possible way: it predicts ids too.
struct Model {
  std::map<std::uint64_t, NaiveCollection::Entry> entries;
  std::uint64_t next_id = 1;
  friend bool operator==(const Model&, const Model&) = default;

  std::map<std::uint64_t, NaiveCollection::Entry>::iterator find(const std::string& key) {
    return std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.second.record.key == key; });
  }
  void apply(const Operation& operation) {
    for (std::size_t i = 0; i < operation.records.size(); ++i) {
      ImageRecord record = operation.records[i];
      const auto old = find(record.key);
      const std::vector<std::uint8_t> code(operation.codes.row(i).begin(), operation.codes.row(i).end());
      if (old != entries.end() && (operation.kind == Operation::Kind::kUpdate || old->second.code == code)) {
        record.id = old->first;
        old->second.record = record;
        continue;
      }
      if (old != entries.end()) entries.erase(old);
      record.id = next_id++;
      entries[record.id] = {record, code};
    }
    for (const auto& key : operation.keys) {
      if (const auto it = find(key); it != entries.end()) entries.erase(it);
    }
  }
};

inline Operation make_operation(const Model& model, std::uint64_t seed) {
  Random random(seed);
  Operation operation;
  std::vector<std::uint64_t> ids;
  for (const auto& [id, entry] : model.entries) ids.push_back(id);
  const auto any_key = [&] { return model.entries.at(ids[random.below(ids.size())]).record.key; };
  const std::uint64_t dice = random.below(20);
  operation.kind = ids.size() < 3 || dice < 9 ? Operation::Kind::kAdd
                   : dice < 13                ? Operation::Kind::kUpsert
                   : dice < 16                ? Operation::Kind::kRemove
                   : dice < 18                ? Operation::Kind::kUpdate
                                              : Operation::Kind::kCompact;
  if (operation.kind == Operation::Kind::kCompact) return operation;
  const std::size_t count = 1 + random.below(ids.size() > 150 ? 4 : 20);
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < count; ++i) {
    const bool known =
        operation.kind != Operation::Kind::kAdd && (operation.kind != Operation::Kind::kUpsert || random.below(2) == 0);
    const std::string key = known ? any_key() : concat("new/", model.next_id, "/", i);
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  }
  if (operation.kind == Operation::Kind::kRemove) {
    operation.keys = keys;
    return operation;
  }
  operation.codes = random_codes(keys.size(), kTestBits, seed + 1);
  for (std::size_t i = 0; i < keys.size(); ++i) operation.records.push_back(test_record(keys[i], random.below(100)));
  return operation;
}

inline void perform(CollectionWriter& writer, const Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::kAdd:
      writer.add({&operation.codes, operation.records, kModelA});
      break;
    case Operation::Kind::kUpsert:
      writer.add({&operation.codes, operation.records, kModelA}, {OnExisting::kReplace, false});
      break;
    case Operation::Kind::kRemove:
      writer.remove_keys(operation.keys);
      break;
    case Operation::Kind::kUpdate:
      writer.update(operation.records);
      break;
    case Operation::Kind::kCompact:
      writer.compact(50);
      break;
  }
}

inline Model model_of(const CollectionView& view) { return {contents(view), view.info().next_id}; }

// What a search must find, beside what the catalog says: the index side of the same state.
inline void expect_searches_like(const CollectionView& view, const Model& model) {
  NaiveCollection naive;
  naive.entries = model.entries;
  const CodeMatrix query = random_codes(1, kTestBits, 4711);
  SearchOptions options;
  options.k = kAllHits;
  EXPECT_EQ(view.search(query, options).hits[0], naive.search(query.row(0), kAllHits));
}

}  // namespace signet
