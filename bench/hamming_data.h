#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "signet/code/code_matrix.h"

namespace signet::bench {

// Codes to search in and to search for. "random": every bit even and independent. "clustered": 1,000 random centres, each bit of
// a code flipped with probability 0.12; queries are drawn the same way and are not stored.
struct Data {
  CodeMatrix codes, queries;
};
Data make_data(const std::string& kind, std::size_t count, std::size_t queries, std::uint32_t bits, std::uint64_t seed);

// Bytes a second that `threads` threads read from memory: the best of several sums over a buffer much larger than the caches.
double read_bandwidth(std::size_t threads);

}  // namespace signet::bench
