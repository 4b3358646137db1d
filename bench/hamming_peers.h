#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "signet/code/code_matrix.h"

namespace signet::bench {

// FAISS, another library's answer to the same question: same codes, same queries, same number of threads, same run.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual std::string name() const = 0;
  // Distances of the k nearest of each query, ascending; fewer where it finds fewer.
  virtual std::vector<std::vector<std::uint32_t>> search(const CodeMatrix& queries, std::size_t k) = 0;
};

std::string peer_version();
// "IndexBinaryFlat", "IndexBinaryIVF:LISTS:PROBES", "IndexBinaryHNSW:M:EF", "IndexBinaryMultiHash:TABLES:BITS:FLIPS".
std::unique_ptr<Peer> make_peer(const std::string& what, const CodeMatrix& codes, std::size_t threads);

}  // namespace signet::bench
