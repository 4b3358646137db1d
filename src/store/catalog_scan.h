#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/catalog.h"

namespace signet::store {

// What the raw bytes of a catalog say, below SQLite's tables. messages name places: "page 7: checksum fails".
struct CatalogScan {
  std::vector<std::string> file, log;  // damage of catalog.sqlite and of catalog.sqlite-wal
  std::uint64_t bytes = 0;
};

// Reads every page of the database file and every frame of its log through SQLite's own file handles: opening and closing the
// file a second time would drop this process's POSIX locks on it. catalog: opened leniently and inside a read transaction. Works
// beside a writer.
CatalogScan scan_catalog(Catalog& catalog);

}  // namespace signet::store
