#pragma once

#include <cstdint>
#include <vector>

#include "index/plan_record.h"
#include "index/rows.h"
#include "signet/index/index.h"

namespace signet {

// Stored codes that ask in a calibration, and codes that they are compared with.
std::vector<std::uint64_t> calibration_queries(const Rows& rows, std::uint64_t seed);

// Times an index at several k and radii, the commonest question first, until half a second is spent on each or it is much dearer
// than the scan (null: this is the scan). Queries are stored codes, so each finds itself: k + 1 are asked for.
KindCosts measure_kind(const Index& index, const CodeMatrix& queries, const KindCosts* scan);

// [d]: share of codes within d of a query, over a sample.
std::vector<double> measure_within(const Rows& rows, const CodeMatrix& queries, std::uint64_t seed);

}  // namespace signet
