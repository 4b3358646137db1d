#include "index/plan_record.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "signet/base/text.h"

namespace signet {
namespace {

using nlohmann::json;

struct Head {
  std::uint32_t version = 1, tables = 0;
  std::uint64_t count = 0, words = 0;
};
static_assert(sizeof(Head) == 24);

double positive(const json& value) {
  const double number = value.get<double>();
  if (!(number >= 0) || !std::isfinite(number))
    throw json::other_error::create(501, "a cost is negative or not a number", nullptr);
  return number;
}

std::vector<double> positives(const json& values) {
  std::vector<double> numbers;
  for (const json& value : values) numbers.push_back(positive(value));
  return numbers;
}

CostCurve curve_from(const json& points, double least) {
  CostCurve curve;
  for (const json& point : points) {
    const double at = positive(point.at(0));
    if (at < least || (!curve.points.empty() && at <= curve.points.back().at))
      throw json::other_error::create(501, "the points of a curve do not ascend", nullptr);
    curve.points.push_back({at, std::max(positive(point.at(1)), 1e-9)});
  }
  return curve;
}

json to_json(const CostCurve& curve) {
  json points = json::array();
  for (const auto& point : curve.points) points.push_back({point.at, point.ns});
  return points;
}

// The two points that x lies between; the first two or the last two where it lies outside. There are at least two.
std::size_t right_of(const std::vector<CostCurve::Point>& points, double x) {
  std::size_t right = 1;
  while (right + 1 < points.size() && points[right].at < x) ++right;
  return right;
}

constexpr int kPlanVersion = 2;
constexpr std::size_t kMostPlanBytes = std::size_t{1} << 20;  // the largest that calibration can write is a tenth of it
constexpr int kMostPlanDepth = 8;                             // of brackets; those of a plan that signet writes nest five deep

std::span<const std::uint64_t> words_of(const Container& file, const std::string& section) {
  const std::span<const std::byte> bytes = file.section(section);
  if (bytes.size() % 8 != 0)
    fail(ErrorCode::kCorrupt, file.path(), ": section ", section, " has ", bytes.size(), " bytes, not a multiple of 8");
  return {reinterpret_cast<const std::uint64_t*>(bytes.data()), bytes.size() / 8};
}

}  // namespace

double CostCurve::for_k(double k) const noexcept {
  if (points.empty()) return std::numeric_limits<double>::infinity();
  if (points.size() == 1 || k <= points.front().at) return points.front().ns;
  const std::size_t right = right_of(points, k);
  const Point &a = points[right - 1], &b = points[right];
  const double slope = std::max(0.0, std::log(b.ns / a.ns) / std::log(b.at / a.at));
  return a.ns * std::exp(slope * std::log(k / a.at));
}

double CostCurve::for_radius(double radius) const noexcept {
  if (points.empty() || radius > points.back().at) return std::numeric_limits<double>::infinity();
  if (points.size() == 1 || radius <= points.front().at) return points.front().ns;
  const std::size_t right = right_of(points, radius);
  const Point &a = points[right - 1], &b = points[right];
  return a.ns * std::exp(std::log(b.ns / a.ns) * (radius - a.at) / (b.at - a.at));
}

std::string plan_to_json(const PlanRecord& record) {
  json out;
  out["version"] = kPlanVersion;
  out["kinds"] = json::object();
  for (std::size_t i = 0; i < kKinds; ++i) {
    if (!record.kinds[i]) continue;
    const KindCosts& costs = *record.kinds[i];
    out["kinds"][kKindNames[i]] = {{"k", to_json(costs.k)}, {"radius", to_json(costs.radius)}, {"alone_ns", costs.alone_ns}};
  }
  out["within"] = record.within;
  out["bucket_ns"] = record.costs.bucket;
  out["candidate_ns"] = record.costs.candidate;
  out["scan_ns"] = record.costs.scan;
  out["scan_batch_ns"] = record.costs.scan_batch;
  out["shell_candidates"] = record.shell_candidates;
  return out.dump();
}

std::optional<PlanRecord> plan_from_json(std::string_view text, const std::string& what) {
  if (text.size() > kMostPlanBytes)
    fail(ErrorCode::kCorrupt, what, " is not a stored plan: it has ", text.size(), " bytes, and a plan has at most ",
         kMostPlanBytes);
  if (nests_deeper_than(kMostPlanDepth, text))
    fail(ErrorCode::kCorrupt, what, " is not a stored plan: its brackets nest deeper than ", kMostPlanDepth);
  try {
    const json in = json::parse(text);
    if (in.value("version", 1) != kPlanVersion) return std::nullopt;
    PlanRecord record;
    if (!in.at("kinds").is_object()) throw json::other_error::create(501, "kinds is not an object", nullptr);
    for (std::size_t i = 0; i < kKinds; ++i) {
      const auto found = in.at("kinds").find(kKindNames[i]);
      if (found == in.at("kinds").end()) continue;
      record.kinds[i] =
          KindCosts{curve_from(found->at("k"), 1), curve_from(found->at("radius"), 0), positive(found->at("alone_ns"))};
    }
    record.within = positives(in.at("within"));
    record.costs = {positive(in.at("bucket_ns")), positive(in.at("candidate_ns")), positive(in.at("scan_ns")),
                    positive(in.at("scan_batch_ns"))};
    for (const json& shells : in.at("shell_candidates")) record.shell_candidates.push_back(positives(shells));
    return record;
  } catch (const json::exception& error) {
    fail(ErrorCode::kCorrupt, what, " is not a stored plan: ", error.what());
  }
}

void store_buckets(ContainerWriter& writer, std::uint64_t count, std::span<const Substring> substrings,
                   std::span<const BucketTable* const> tables) {
  Head head;
  head.tables = static_cast<std::uint32_t>(tables.size());
  head.count = count;
  head.words = substrings.empty() ? 0 : substrings[0].mask().size();
  writer.begin_section("bucket-head");
  writer.append(std::as_bytes(std::span(&head, 1)));
  for (const Substring& substring : substrings) writer.append(std::as_bytes(substring.mask()));
  writer.begin_section("bucket-offsets");
  for (const BucketTable* table : tables) writer.append(std::as_bytes(table->offset_words()));
  writer.begin_section("bucket-ids");
  for (const BucketTable* table : tables) writer.append(std::as_bytes(table->id_words()));
}

StoredBuckets load_buckets(const Container& file, const Rows& rows, bool whole_first) {
  const std::span<const std::byte> bytes = file.section("bucket-head");
  Head head;
  const std::size_t words = row_words(rows.row());
  if (bytes.size() >= sizeof head) std::memcpy(&head, bytes.data(), sizeof head);
  if (bytes.size() < sizeof head || head.version != 1 || head.tables < 1 || head.tables > kMaxTables || head.words != words ||
      bytes.size() != sizeof head + head.tables * words * 8 || head.count != rows.size()) {
    fail(ErrorCode::kCorrupt, file.path(), ": section bucket-head does not describe tables for ", rows.size(), " codes of ",
         rows.bits(), " bits");
  }
  StoredBuckets stored;
  std::span<const std::uint64_t> offsets = words_of(file, "bucket-offsets"), ids = words_of(file, "bucket-ids");
  std::vector<std::uint64_t> seen(words), mask(words);
  for (std::uint32_t t = 0; t < head.tables; ++t) {
    std::memcpy(mask.data(), bytes.data() + sizeof head + t * words * 8, words * 8);
    unsigned bits = 0;
    bool apart = true;
    for (std::size_t w = 0; w < words; ++w) {
      const std::size_t used = std::min<std::size_t>(rows.bits() - std::min<std::size_t>(rows.bits(), w * 64), 64);
      apart = apart && (mask[w] & seen[w]) == 0 && (used == 64 || mask[w] >> used == 0);
      if (t != 0 || !whole_first) seen[w] |= mask[w];
      bits += static_cast<unsigned>(std::popcount(mask[w]));
    }
    if (!apart || bits < 1 || bits > kMaxKeyBits)
      fail(ErrorCode::kCorrupt, file.path(), ": section bucket-head, the mask of table ", t, " is impossible");
    const std::uint64_t o = packed_words((std::uint64_t{1} << bits) + 1, BucketTable::offset_width(rows.size()));
    const std::uint64_t i = packed_words(rows.size(), position_width(rows.size()));
    if (offsets.size() < o || ids.size() < i)
      fail(ErrorCode::kCorrupt, file.path(), ": sections bucket-offsets or bucket-ids end inside table ", t);
    stored.substrings.emplace_back(mask, rows.row());
    stored.tables.emplace_back(offsets.data(), ids.data(), bits, rows.size());
    offsets = offsets.subspan(o);
    ids = ids.subspan(i);
  }
  if (!offsets.empty() || !ids.empty())
    fail(ErrorCode::kCorrupt, file.path(), ": sections bucket-offsets or bucket-ids go on after the last table");
  return stored;
}

namespace {

struct CellHead {
  std::uint32_t version = 1, pivots = 0;
  std::uint64_t count = 0, row = 0;
};
static_assert(sizeof(CellHead) == 24);

struct CellReach {
  std::uint16_t nearest = 0, farthest = 0;
};

[[noreturn]] void cells_do_not_fit(const Container& file, const Rows& rows, const char* section) {
  fail(ErrorCode::kCorrupt, file.path(), ": section ", section, " does not fit cells of ", rows.size(), " codes of ", rows.bits(),
       " bits");
}

// A section of exactly this many bytes.
std::span<const std::byte> cell_section(const Container& file, const Rows& rows, const char* section, std::uint64_t bytes) {
  const std::span<const std::byte> found = file.section(section);
  if (found.size() != bytes) cells_do_not_fit(file, rows, section);
  return found;
}

}  // namespace

void store_cells(ContainerWriter& writer, const PivotCells& cells) {
  CellHead head;
  head.pivots = static_cast<std::uint32_t>(cells.pivots().count);
  head.count = cells.count();
  head.row = cells.pivots().row;
  writer.begin_section("cell-head");
  writer.append(std::as_bytes(std::span(&head, 1)));
  writer.begin_section("cell-pivots");
  writer.append(std::as_bytes(std::span(cells.pivots().data(), cells.pivots().count * cells.pivots().row)));
  writer.begin_section("cell-reach");
  for (const PivotCell& cell : cells.cells()) {
    const CellReach reach{static_cast<std::uint16_t>(cell.nearest), static_cast<std::uint16_t>(cell.farthest)};
    writer.append(std::as_bytes(std::span(&reach, 1)));
  }
  writer.begin_section("cell-offsets");
  writer.append(std::as_bytes(cells.offsets()));
  writer.begin_section("cell-codes");
  writer.append(std::as_bytes(cells.codes()));
  writer.begin_section("cell-ids");
  writer.append(std::as_bytes(cells.id_words()));
}

PivotCells load_cells(const Container& file, const Rows& rows) {
  CellHead head;
  std::memcpy(&head, cell_section(file, rows, "cell-head", sizeof head).data(), sizeof head);
  if (head.version != 1 || head.pivots < 1 || head.pivots > Pivots::kMost || head.count != rows.size() || head.row != rows.row())
    cells_do_not_fit(file, rows, "cell-head");
  PivotCells::Stored stored;
  stored.pivots = {head.pivots, rows.row(), std::vector<std::uint64_t>((head.pivots * rows.row() + 7) / 8)};
  const std::size_t pivot_bytes = head.pivots * rows.row();
  std::memcpy(stored.pivots.words.data(), cell_section(file, rows, "cell-pivots", pivot_bytes).data(), pivot_bytes);
  const std::byte* reaches = cell_section(file, rows, "cell-reach", head.pivots * sizeof(CellReach)).data();
  std::uint64_t ring = 0;
  for (std::uint32_t p = 0; p < head.pivots; ++p) {
    CellReach reach;
    std::memcpy(&reach, reaches + p * sizeof reach, sizeof reach);
    if (reach.nearest > reach.farthest) cells_do_not_fit(file, rows, "cell-reach");
    stored.cells.push_back({reach.nearest, reach.farthest, ring});
    ring += static_cast<std::uint64_t>(reach.farthest - reach.nearest) + 1;
  }
  cell_section(file, rows, "cell-offsets", 8 * (ring + 1));
  stored.offsets = words_of(file, "cell-offsets");
  cell_section(file, rows, "cell-ids", 8 * packed_words(rows.size(), position_width(rows.size())));
  stored.ids = words_of(file, "cell-ids");
  stored.codes = reinterpret_cast<const std::uint8_t*>(cell_section(file, rows, "cell-codes", rows.size() * rows.row()).data());
  return PivotCells(std::move(stored), rows.size());
}

}  // namespace signet
