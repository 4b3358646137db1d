#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "signet/index/index.h"

namespace signet {

// Codes that an index is built over: packed as in CodeMatrix (stride = bytes_per_code(bits)), borrowed, for example from a mapped
// file. `owner` keeps the memory alive for as long as the index lives (may be null when the caller guarantees it). ids: empty (id
// = position) or strictly ascending, one per code.
struct CodeSource {
  std::span<const std::uint8_t> packed;
  std::size_t count = 0;
  std::uint32_t bits = 0;
  std::span<const std::uint64_t> ids = {};
  std::shared_ptr<const void> owner = {};
};
CodeSource source_of(std::shared_ptr<const CodeMatrix> codes);

struct BuildOptions {
  std::string kind = "auto";  // "flat", "table", "mih", "pivot" or "auto" (planned); an unknown name throws kUsage
  std::size_t threads = 1;    // for building
  std::uint64_t seed = 1;     // of the planner's calibration sample
};

// Throws kInvalidArgument where a kind cannot serve these codes (a table beyond 24 bits), naming both; for a length of other than
// 1 to 4,096 bits, a count that does not fit the bytes, and ids that are not one a code or do not ascend; kUsage for an unknown
// kind and as hamming_kernel(); kIo where the system refuses threads.
std::unique_ptr<Index> build_index(const CodeSource& codes, const BuildOptions& options = {});

// Why the planner would answer a search for `queries` queries as it does, in a few lines: estimated cost of each kind and the
// choice.
std::string explain_plan(const Index& index, const SearchOptions& options, std::size_t queries = 1);

}  // namespace signet
