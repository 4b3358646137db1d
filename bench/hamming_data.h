#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "signet/code/code_matrix.h"

namespace signet::bench {

// Codes to search in and to search for. "random": every bit even and independent. "clustered": 1,000 random centres, each bit of
// a code flipped with probability 0.12; queries are drawn the same way and are not stored.
struct Data {
  CodeMatrix codes, queries;
};
Data make_data(const std::string& kind, std::size_t count, std::size_t queries, std::uint32_t bits, std::uint64_t seed);

// Bytes a second that `threads` threads read from this memory in one pass, with the widest loads and nothing else to do.
double read_rate(std::span<const std::uint8_t> memory, std::size_t threads);
// The best of several passes over 512 MiB, far more than the caches hold.
double read_bandwidth(std::size_t threads);

}  // namespace signet::bench
