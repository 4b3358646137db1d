#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "index/plan_record.h"
#include "index/rows.h"
#include "signet/index/index.h"

namespace signet {

// What asks in a calibration: stored codes, and the same with about a bit in sixteen flipped.
struct CalibrationQueries {
  CodeMatrix stored, changed;
};
CalibrationQueries calibration_queries(const Rows& rows, std::uint64_t seed);

// Times indexes over the same codes, the scan (the first, never null) among them, at several k and radii, the commonest questions
// first, until three quarters of a second are spent on those after the first; what is much dearer than the scan is not asked
// about harder ones. A scan that takes more than 20 ms a call is timed at k = 10, at radius 2 and at k above 1,000 alone:
// elsewhere it costs the same. For the k nearest stored codes ask, each of which finds itself: k + 1 are asked for. Within small
// radii new pictures mostly find nothing, so changed codes ask.
std::array<std::optional<KindCosts>, kKinds> measure_kinds(const std::array<const Index*, kKinds>& indexes,
                                                           const CalibrationQueries& queries);

// [d]: share of codes within d of a query, over a sample.
std::vector<double> measure_within(const Rows& rows, const CodeMatrix& queries, std::uint64_t seed);

}  // namespace signet
