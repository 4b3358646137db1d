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

// Throws kInvalidArgument where a kind cannot serve these codes (a table beyond 24 bits), naming both.
std::unique_ptr<Index> build_index(const CodeSource& codes, const BuildOptions& options = {});

// Why the planner would answer a query as it does, in a few lines: estimated cost of each kind and the choice.
std::string explain_plan(const Index& index, const SearchOptions& options);

}  // namespace signet
