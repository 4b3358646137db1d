#include "index/planned_index.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "index/query_run.h"
#include "signet/base/random.h"

namespace signet {
namespace {

constexpr std::size_t kSmall = 4096;  // codes below which a scan takes a microsecond or two and nothing else is worth its memory
constexpr double kHitNs = 6;          // sorting a hit and handing it over
constexpr double kGatherNs = 3;       // a code that the filter names, where few are allowed
constexpr std::size_t kCalibrationQueries = 16;

bool table_can_pay(const Rows& rows) {
  return rows.size() >= kSmall && rows.bits() <= TableIndex::kMaxBits &&
         (std::uint64_t{1} << rows.bits()) <= 16 * std::uint64_t{rows.size()};
}

// Buckets within a radius: sum of binomial(bits, a).
double buckets_within(std::uint32_t bits, std::uint32_t radius) {
  double sum = 0, shell = 1;
  for (std::uint32_t a = 0; a <= std::min(radius, bits); ++a) {
    sum += shell;
    shell = shell * (bits - a) / (a + 1);
  }
  return sum;
}

// The least time of a few runs, in ns a query.
double time_search(const Index& index, const CodeMatrix& queries, const SearchOptions& options, int rounds) {
  double best = std::numeric_limits<double>::infinity();
  for (int round = 0; round < rounds; ++round) best = std::min(best, index.search(queries, options).stats.seconds);
  return best * 1e9 / static_cast<double>(std::max<std::size_t>(queries.size(), 1));
}

std::string milliseconds(double ns) { return concat(ns / 1e6, " ms"); }

}  // namespace

PlannedIndex::PlannedIndex(std::shared_ptr<const Rows> rows, const BuildOptions& options) : rows_(std::move(rows)), flat_(rows_) {
  if (size() < kSmall) return;
  if (table_can_pay(*rows_)) {
    table_ = std::make_unique<TableIndex>(rows_, options.threads);
  } else if (rows_->bits() > 16) {
    MihOptions mih;
    mih.threads = options.threads;
    mih.seed = options.seed;
    mih.only_if_it_pays = true;
    mih_ = std::make_unique<MihIndex>(rows_, mih);
    if (!mih_->built()) mih_.reset();
  }
  calibrate(options);
}

PlannedIndex::PlannedIndex(std::shared_ptr<const Rows> rows, const Container& file) : rows_(std::move(rows)), flat_(rows_) {
  const std::span<const std::byte> plan = file.section("plan");
  record_ = plan_from_json({reinterpret_cast<const char*>(plan.data()), plan.size()}, concat(file.path(), ": section plan"));
  StoredBuckets stored = load_buckets(file, *rows_);
  if (stored.tables.size() == 1 && rows_->bits() <= TableIndex::kMaxBits && stored.substrings[0].bits() == rows_->bits()) {
    table_ = std::make_unique<TableIndex>(rows_, std::move(stored.tables[0]));
    return;
  }
  bool fits = record_.shell_candidates.size() == stored.substrings.size();
  for (std::size_t t = 0; fits && t < stored.substrings.size(); ++t)
    fits = record_.shell_candidates[t].size() == stored.substrings[t].bits() + 1;
  if (!fits) fail(ErrorCode::kCorrupt, file.path(), ": section plan does not describe the tables of section bucket-head");
  MihPlan mih;
  mih.substrings = std::move(stored.substrings);
  mih.shell_candidates = record_.shell_candidates;
  mih_ = std::make_unique<MihIndex>(rows_, std::move(mih), std::move(stored.tables), record_.costs);
}

void PlannedIndex::store(ContainerWriter& writer) const {
  if (!table_ && !mih_) return;
  PlanRecord record = record_;
  if (table_) {
    store_buckets(writer, size(), {&table_->whole(), 1}, {&table_->table(), 1});
  } else {
    store_buckets(writer, size(), mih_->plan().substrings, mih_->tables());
    record.costs = mih_->costs();
    record.shell_candidates = mih_->plan().shell_candidates;
  }
  writer.begin_section("plan");
  writer.append(as_bytes(plan_to_json(record)));
}

std::size_t PlannedIndex::memory_bytes() const noexcept {
  const std::size_t shared = rows_->memory_bytes();
  return shared + (table_ ? table_->memory_bytes() - shared : 0) + (mih_ ? mih_->memory_bytes() - shared : 0);
}

void PlannedIndex::calibrate(const BuildOptions& options) {
  Random random(mix_seed(options.seed, 0x706c616e));
  CodeMatrix queries(kCalibrationQueries, bits());
  for (std::size_t i = 0; i < queries.size(); ++i)
    std::copy_n(rows_->at(random.below(size())), queries.stride(), queries.row(i).begin());
  const std::size_t first[] = {0};
  const CodeMatrix one = queries.rows(first);
  SearchOptions ask;
  record_.scan_one_ns = time_search(flat_, one, ask, 3) / static_cast<double>(size());
  record_.scan_batch_ns = time_search(flat_, queries, ask, 2) / static_cast<double>(size());
  const double give_up = 2 * record_.scan_one_ns * static_cast<double>(size());
  if (table_) record_.curve = measure(*table_, queries, give_up);
  if (mih_) record_.curve = measure(*mih_, queries, give_up);
  // How far codes lie from each other, for radius searches.
  const std::size_t sampled = std::min<std::size_t>(size(), 4096);
  std::vector<std::uint64_t> positions(sampled);
  for (auto& position : positions) position = random.below(size());
  std::vector<std::uint16_t> distances(sampled);
  record_.within.assign(rows_->largest_distance() + 1, 0);
  const QueryRows wide(queries, bits());
  for (std::size_t q = 0; q < queries.size(); ++q) {
    hamming_kernel().gather(wide.at(q), rows_->data(), positions.data(), sampled, rows_->row(), distances.data());
    for (const std::uint16_t distance : distances)
      record_.within[distance] += 1.0 / static_cast<double>(sampled * queries.size());
  }
  for (std::size_t d = 1; d < record_.within.size(); ++d) record_.within[d] += record_.within[d - 1];
}

// Queries are stored codes, so each finds itself: k + 1 are asked for.
CostCurve PlannedIndex::measure(const Index& index, const CodeMatrix& queries, double give_up_ns) const {
  CostCurve curve;
  for (const std::size_t k : {1u, 10u, 100u, 1000u, 10000u}) {
    if (k * 4 > size()) break;
    SearchOptions ask;
    ask.k = k + 1;
    const double ns = time_search(index, queries, ask, 2);
    curve.points.push_back({static_cast<double>(k), ns});
    if (ns > give_up_ns) break;
  }
  return curve;
}

double PlannedIndex::expected_hits(double radius) const noexcept {
  if (record_.within.empty()) return 0;
  const auto at = std::min(static_cast<std::size_t>(radius), record_.within.size() - 1);
  return record_.within[at] * static_cast<double>(size());
}

double PlannedIndex::allowed_share(const IdFilter* filter) const noexcept {
  if (filter == nullptr || size() == 0) return 1;
  return static_cast<double>(allowed_in(*filter, 0, size())) / static_cast<double>(size());
}

Estimate PlannedIndex::flat_estimate(std::size_t k, std::uint32_t radius, double share, std::size_t queries) const {
  const double count = static_cast<double>(size());
  const double together = static_cast<double>(std::max<std::size_t>(queries, 1));
  const double code = record_.scan_batch_ns + std::max(0.0, record_.scan_one_ns - record_.scan_batch_ns) / together;
  const double hits = std::min(static_cast<double>(k), expected_hits(radius) * share);
  const double scan = share < 1.0 / 16 ? count * share * kGatherNs + count / 64 : count * code;
  return {"flat", scan + hits * kHitNs, concat("scan of ", size(), " codes at ", code, " ns")};
}

Estimate PlannedIndex::table_estimate(std::size_t k, std::uint32_t radius, double share) const {
  const double wanted = static_cast<double>(k) / std::max(share, 1e-9);
  double ns = wanted > static_cast<double>(size()) ? std::numeric_limits<double>::infinity() : record_.curve.at(wanted);
  const double within = std::min(buckets_within(bits(), radius), std::ldexp(1.0, static_cast<int>(bits())));
  ns = std::min(ns, record_.curve.at(1) + within * 3 + expected_hits(radius) * 2 * kHitNs);
  return {"table", ns,
          concat(std::uint64_t{1} << bits(), " buckets of ",
                 static_cast<double>(size()) / std::ldexp(1.0, static_cast<int>(bits())), " codes on average")};
}

Estimate PlannedIndex::mih_estimate(std::size_t k, std::uint32_t radius, double share) const {
  const double wanted = static_cast<double>(k) / std::max(share, 1e-9);
  double ns = wanted > static_cast<double>(size()) ? std::numeric_limits<double>::infinity() : record_.curve.at(wanted);
  ns = std::min(ns, 1000 + mih_->plan().cost_within(radius) + expected_hits(radius) * 2 * kHitNs);
  std::string lengths;
  for (const Substring& substring : mih_->plan().substrings) lengths += concat(lengths.empty() ? "" : ", ", substring.bits());
  return {"mih", ns, concat("substrings of ", lengths, " bits")};
}

std::vector<Estimate> PlannedIndex::estimates(const SearchOptions& options, std::size_t queries) const {
  const std::uint32_t radius = effective_radius(options, rows_->largest_distance());
  const double share = allowed_share(options.filter);
  std::vector<Estimate> all{flat_estimate(options.k, radius, share, queries)};
  if (table_) all.push_back(table_estimate(options.k, radius, share));
  if (mih_) all.push_back(mih_estimate(options.k, radius, share));
  std::stable_sort(all.begin(), all.end(), [](const Estimate& a, const Estimate& b) { return a.ns < b.ns; });
  return all;
}

SearchResult PlannedIndex::search(const CodeMatrix& queries, const SearchOptions& options) const {
  if (!table_ && !mih_) return flat_.search(queries, options);
  const Stopwatch watch;
  const std::string choice = estimates(options, queries.size()).front().kind;
  const Index& chosen = choice == "table" ? static_cast<const Index&>(*table_)
                        : choice == "mih" ? static_cast<const Index&>(*mih_)
                                          : flat_;
  SearchResult result = chosen.search(queries, options);
  result.stats.seconds = watch.seconds();
  return result;
}

std::string explain_plan(const Index& index, const SearchOptions& options) {
  std::string text = concat(index.size(), " codes of ", index.bits(), " bits, k ");
  text += options.k == kAllHits ? "all" : concat(options.k);
  text += options.radius ? concat(", radius ", *options.radius) : "";
  const auto* planned = dynamic_cast<const PlannedIndex*>(&index);
  if (planned == nullptr) return concat(text, "\n", index.kind(), ": the only kind that was built\n");
  const std::vector<Estimate> all = planned->estimates(options, 1);
  text += "\n";
  for (const Estimate& one : all) text += concat(one.kind, ": about ", milliseconds(one.ns), " a query (", one.reason, ")\n");
  return text + concat("choice: ", all.front().kind, "\n");
}

}  // namespace signet
