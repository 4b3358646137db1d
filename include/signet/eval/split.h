#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "signet/eval/protocol.h"

namespace signet {

// Which images a protocol trains on, asks with and searches in. Images are numbered through both parts of a data set: 0 to
// train_size - 1 is the train part, train_size + i is image i of the test part.
struct EvalSplit {
  std::size_t train_size = 0, test_size = 0;
  std::vector<std::size_t> train, query, database;  // ascending
  bool leave_one_out = false;                       // query == database; a query is not its own neighbour
  std::uint64_t seed = 0;                           // of the draw; 0 where the protocol draws nothing

  bool in_test_part(std::size_t image) const noexcept { return image >= train_size; }
  std::size_t index_in_part(std::size_t image) const noexcept { return image >= train_size ? image - train_size : image; }
};

// The split of `protocol` for a data set with these labels (one list an image, empty where unknown). `seed` decides the draw of
// kPerClassDraw and nothing else. Deterministic. Throws kInvalidArgument naming the protocol and what is missing: an empty part,
// a class too small for the draw, no image of a held-out class, fewer classes than the protocol needs.
EvalSplit split_for(const Protocol& protocol, std::span<const std::vector<std::int32_t>> train_labels,
                    std::span<const std::vector<std::int32_t>> test_labels, std::uint64_t seed);

// The overlap rule: may two of the sets share images (by id or by equal pixels)? The caller looks for the overlap; this decides
// and words it.
enum class OverlapKind { kQueryDatabase, kQueryTrain, kDatabaseTrain };
struct OverlapVerdict {
  bool allowed = true;
  std::string message;  // one sentence; empty where nothing overlaps
};
// `count` images occur in both; `example` names one pair for the message ("t10k/00017 = train/00391"), may be empty. Queries
// never meet the training set. Queries meet the database only as themselves under leave-one-out: count none of those pairs. The
// training set may hold the database where the protocol says so.
OverlapVerdict judge_overlap(const Protocol& protocol, OverlapKind kind, std::size_t count, const std::string& example);

// Throws kInvalidArgument with the verdict's message where it is not allowed.
void require_allowed(const OverlapVerdict& verdict);

}  // namespace signet
