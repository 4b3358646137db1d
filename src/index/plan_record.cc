#include "index/plan_record.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

namespace signet {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxTables = 64;
constexpr unsigned kMaxKeyBits = 28;

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

std::span<const std::uint64_t> words_of(const Container& file, const std::string& section) {
  const std::span<const std::byte> bytes = file.section(section);
  if (bytes.size() % 8 != 0)
    fail(ErrorCode::kCorrupt, file.path(), ": section ", section, " has ", bytes.size(), " bytes, not a multiple of 8");
  return {reinterpret_cast<const std::uint64_t*>(bytes.data()), bytes.size() / 8};
}

}  // namespace

double CostCurve::at(double k) const noexcept {
  if (points.empty()) return std::numeric_limits<double>::infinity();
  if (points.size() == 1 || k <= points.front().k) return points.front().ns;
  std::size_t right = 1;
  while (right + 1 < points.size() && points[right].k < k) ++right;  // beyond the last point its line goes on
  const Point &a = points[right - 1], &b = points[right];
  const double slope = std::max(0.0, std::log(b.ns / a.ns) / std::log(b.k / a.k));
  return a.ns * std::exp(slope * std::log(k / a.k));
}

std::string plan_to_json(const PlanRecord& record) {
  json out;
  out["scan_one_ns"] = record.scan_one_ns;
  out["scan_batch_ns"] = record.scan_batch_ns;
  out["bucket_ns"] = record.costs.bucket;
  out["candidate_ns"] = record.costs.candidate;
  out["curve"] = json::array();
  for (const auto& point : record.curve.points) out["curve"].push_back({point.k, point.ns});
  out["within"] = record.within;
  out["shell_candidates"] = record.shell_candidates;
  return out.dump();
}

PlanRecord plan_from_json(std::string_view text, const std::string& what) {
  try {
    const json in = json::parse(text);
    PlanRecord record;
    record.scan_one_ns = positive(in.at("scan_one_ns"));
    record.scan_batch_ns = positive(in.at("scan_batch_ns"));
    record.costs = {positive(in.at("bucket_ns")), positive(in.at("candidate_ns")), record.scan_one_ns};
    for (const json& point : in.at("curve"))
      record.curve.points.push_back({positive(point.at(0)) + 1e-9, positive(point.at(1)) + 1e-9});
    record.within = positives(in.at("within"));
    for (const json& shells : in.at("shell_candidates")) record.shell_candidates.push_back(positives(shells));
    return record;
  } catch (const json::exception& error) {
    fail(ErrorCode::kCorrupt, what, " is not a stored plan: ", error.what());
  }
}

void store_buckets(ContainerWriter& writer, std::uint64_t count, std::span<const Substring> substrings,
                   std::span<const BucketTable> tables) {
  Head head;
  head.tables = static_cast<std::uint32_t>(tables.size());
  head.count = count;
  head.words = substrings.empty() ? 0 : substrings[0].mask().size();
  writer.begin_section("bucket-head");
  writer.append(std::as_bytes(std::span(&head, 1)));
  for (const Substring& substring : substrings) writer.append(std::as_bytes(substring.mask()));
  writer.begin_section("bucket-offsets");
  for (const BucketTable& table : tables) writer.append(std::as_bytes(table.offset_words()));
  writer.begin_section("bucket-ids");
  for (const BucketTable& table : tables) writer.append(std::as_bytes(table.id_words()));
}

StoredBuckets load_buckets(const Container& file, const Rows& rows) {
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
      seen[w] |= mask[w];
      bits += static_cast<unsigned>(std::popcount(mask[w]));
    }
    if (!apart || bits < 1 || bits > kMaxKeyBits)
      fail(ErrorCode::kCorrupt, file.path(), ": section bucket-head, the mask of table ", t, " is impossible");
    const std::uint64_t o = packed_words((std::uint64_t{1} << bits) + 1, BucketTable::offset_width(rows.size()));
    const std::uint64_t i = packed_words(rows.size(), BucketTable::id_width(rows.size()));
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

}  // namespace signet
