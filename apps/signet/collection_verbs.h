#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace signet::cli {

// What the verbs of `signet collection` take; each reads its own part.
struct CollectionArguments {
  std::string path, model, keys_from, label, out, codes, on_existing = "refuse";
  std::vector<std::string> keys;
  std::vector<std::uint64_t> ids;
  std::uint64_t bits = 0, after = 0;
  std::size_t limit = 100;
  bool csv = false, json = false, quiet = false, ignore_missing = false, keep_ids = false;
};

int run_collection_verb(const std::string& verb, const CollectionArguments& arguments);

}  // namespace signet::cli
