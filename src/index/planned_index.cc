#include "index/planned_index.h"

#include <algorithm>
#include <cmath>

#include "index/calibrate.h"
#include "index/query_run.h"

namespace signet {
namespace {

constexpr std::size_t kSmall = 4096;  // codes below which a scan takes a microsecond or two and nothing else is worth its memory
constexpr std::size_t kAllKindsBelow = 4'000'000;  // codes up to which every kind is built and tried
constexpr double kClearly = 0.95;                  // a kind stays if it brings some question's cost below this share

// A table of every possible code: with many more buckets than codes, walking them costs more than the scan.
bool table_can_pay(const Rows& rows) {
  return rows.bits() <= TableIndex::kMaxBits && (std::uint64_t{1} << rows.bits()) <= 64 * std::uint64_t{rows.size()};
}

std::size_t index_of(Kind kind) { return static_cast<std::size_t>(kind); }

// What is asked when it is decided which kinds to keep.
std::vector<Question> usual_questions(std::uint32_t bits, std::uint32_t largest) {
  std::vector<Question> questions;
  for (const std::size_t queries : {1u, 64u}) {
    for (const std::size_t k : {1u, 10u, 100u, 1000u}) questions.push_back({k, largest, 1, queries, 1});
    for (const std::uint32_t radius : {0u, 1u, 2u, 3u, 4u, bits / 8}) questions.push_back({kAllHits, radius, 1, queries, 1});
  }
  return questions;
}

}  // namespace

PlannedIndex::PlannedIndex(std::shared_ptr<const Rows> rows, const BuildOptions& options) : rows_(std::move(rows)), flat_(rows_) {
  if (size() < kSmall) return;
  build_some(options);
  calibrate(options);
  drop_useless();
}

PlannedIndex::PlannedIndex(std::shared_ptr<const Rows> rows, PlanRecord record)
    : rows_(std::move(rows)), flat_(rows_), record_(std::move(record)) {}

// Small collections: every kind, and what turns out to be of no use is dropped. Large ones have memory for one kind beside the
// codes: the table for short codes, else what is cheaper for the ten nearest by the estimates from a sample.
void PlannedIndex::build_some(const BuildOptions& options) {
  if (table_can_pay(*rows_)) table_ = std::make_unique<TableIndex>(rows_, options.threads);
  if (rows_->bits() <= 16 || (table_ && size() >= kAllKindsBelow)) return;
  MihOptions mih;
  mih.threads = options.threads;
  mih.seed = options.seed;
  const MihSample sample = sample_codes(*rows_, options.seed, options.threads);
  MihPlan plan = plan_mih(*rows_, sample, UnitCosts{});
  if (table_) {  // one substring would be the table again, with more work
    if (plan.substrings.size() > 1) mih_ = std::make_unique<MihIndex>(rows_, sample, std::move(plan), mih);
    return;
  }
  const ScanCosts scan = measure_scan(flat_, sample_queries(*rows_, sample.queries));
  const double scan_ns = scan.one * static_cast<double>(size());
  ThreadPool pool(effective_threads(options.threads, std::max<std::size_t>(size() / 65536, 1)));
  PivotPlan pivots = plan_pivots(*rows_, sample, scan.one, options.seed, pool);
  if (size() >= kAllKindsBelow) {
    const double mih_ns = plan.cost_for(sample, scan_ns);
    if (pivots.ns < std::min(mih_ns, scan_ns / 2)) {
      pivot_ = std::make_unique<PivotIndex>(rows_, pivots, options.threads);
      return;
    }
  } else {
    // Not for the nearest, but perhaps for small radii: then with as many pivots as kind "pivot" takes.
    if (pivots.ns >= scan_ns) pivots = plan_pivots(*rows_, sample, UnitCosts{}.scan, options.seed, pool);
    pivot_ = std::make_unique<PivotIndex>(rows_, pivots, options.threads);
  }
  mih_ = std::make_unique<MihIndex>(rows_, sample, std::move(plan), mih);
}

const Index* PlannedIndex::there(Kind kind) const noexcept {
  switch (kind) {
    case Kind::kTable:
      return table_.get();
    case Kind::kMih:
      return mih_.get();
    case Kind::kPivot:
      return pivot_.get();
    case Kind::kFlat:
      break;
  }
  return &flat_;
}

void PlannedIndex::calibrate(const BuildOptions& options) {
  const CalibrationQueries queries = calibration_queries(*rows_, options.seed);
  record_.within = measure_within(*rows_, queries.stored, options.seed);
  record_.kinds = measure_kinds({&flat_, table_.get(), mih_.get(), pivot_.get()}, queries);
  planner_.emplace(record_, size(), rows_->largest_distance());
}

void PlannedIndex::drop_useless() {
  const std::vector<Question> questions = usual_questions(bits(), rows_->largest_distance());
  for (const Kind kind : {Kind::kPivot, Kind::kMih, Kind::kTable}) {  // the one that needs least for its codes is kept longest
    if (there(kind) == nullptr) continue;
    PlanRecord without = record_;
    without.kinds[index_of(kind)].reset();
    const Planner rest(without, size(), rows_->largest_distance());
    const bool useful = std::any_of(questions.begin(), questions.end(), [&](const Question& question) {
      return planner_->estimate(kind, question) < kClearly * rest.estimate(rest.choose(question), question);
    });
    if (useful) continue;
    if (kind == Kind::kTable) table_.reset();
    if (kind == Kind::kMih) mih_.reset();
    if (kind == Kind::kPivot) pivot_.reset();
    record_ = without;
    planner_.emplace(record_, size(), rows_->largest_distance());
  }
}

std::unique_ptr<PlannedIndex> PlannedIndex::load(std::shared_ptr<const Rows> rows, const Container& file) {
  if (!file.has("plan")) return nullptr;
  const std::string what = concat(file.path(), ": section plan");
  std::optional<PlanRecord> record = plan_from_json(as_text(file.section("plan")), what);
  if (!record) return nullptr;
  std::unique_ptr<PlannedIndex> index(new PlannedIndex(std::move(rows), std::move(*record)));
  const PlanRecord& known = index->record_;
  const Rows& codes = *index->rows_;
  const bool table = known.kinds[index_of(Kind::kTable)].has_value(), mih = known.kinds[index_of(Kind::kMih)].has_value();
  if (!known.kinds[index_of(Kind::kFlat)]) fail(ErrorCode::kCorrupt, what, " does not know the scan");
  if (table || mih) {
    StoredBuckets stored = load_buckets(file, codes, table);
    std::size_t next = 0;
    if (table) {
      if (codes.bits() > TableIndex::kMaxBits || stored.substrings[0].bits() != codes.bits())
        fail(ErrorCode::kCorrupt, what, " names a table, but the first of section bucket-head is none");
      index->table_ = std::make_unique<TableIndex>(index->rows_, std::move(stored.tables[next++]));
    }
    if (mih) index->load_mih(std::move(stored), next, what);
  }
  if (known.kinds[index_of(Kind::kPivot)]) index->pivot_ = std::make_unique<PivotIndex>(index->rows_, load_cells(file, codes));
  index->planner_.emplace(known, codes.size(), codes.largest_distance());
  return index;
}

void PlannedIndex::load_mih(StoredBuckets stored, std::size_t first, const std::string& what) {
  MihPlan plan;
  plan.substrings.assign(stored.substrings.begin() + static_cast<std::ptrdiff_t>(first), stored.substrings.end());
  bool fits = !plan.substrings.empty() && record_.shell_candidates.size() == plan.substrings.size();
  for (std::size_t t = 0; fits && t < plan.substrings.size(); ++t)
    fits = record_.shell_candidates[t].size() == plan.substrings[t].bits() + 1;
  if (!fits) fail(ErrorCode::kCorrupt, what, " does not describe the tables of section bucket-head");
  plan.shell_candidates = record_.shell_candidates;
  std::vector<BucketTable> tables;
  for (std::size_t t = first; t < stored.tables.size(); ++t) tables.push_back(std::move(stored.tables[t]));
  mih_ = std::make_unique<MihIndex>(rows_, std::move(plan), std::move(tables), record_.costs);
}

void PlannedIndex::store(ContainerWriter& writer) const {
  if (!planner_) return;
  PlanRecord record = record_;
  std::vector<Substring> substrings;
  std::vector<const BucketTable*> tables;
  if (table_) {
    substrings.push_back(table_->whole());
    tables.push_back(&table_->table());
  }
  if (mih_) {
    substrings.insert(substrings.end(), mih_->plan().substrings.begin(), mih_->plan().substrings.end());
    for (const BucketTable& table : mih_->tables()) tables.push_back(&table);
    record.costs = mih_->costs();
    record.shell_candidates = mih_->plan().shell_candidates;
  }
  if (!tables.empty()) store_buckets(writer, size(), substrings, tables);
  if (pivot_) store_cells(writer, pivot_->cells());
  writer.begin_section("plan");
  writer.append(as_bytes(plan_to_json(record)));
}

std::size_t PlannedIndex::memory_bytes() const noexcept {
  const std::size_t shared = rows_->memory_bytes();
  std::size_t sum = shared;
  for (const Kind kind : {Kind::kTable, Kind::kMih, Kind::kPivot}) {
    if (there(kind) != nullptr) sum += there(kind)->memory_bytes() - shared;
  }
  return sum;
}

// Counting all of a large bitmap would take longer than an answer: every so many words are looked at, unless too few bits are set
// among them to tell.
double PlannedIndex::allowed_share(const IdFilter* filter) const noexcept {
  if (filter == nullptr || size() == 0) return 1;
  constexpr std::uint64_t kLooked = 2048;
  const std::uint64_t step = size() / 64 / kLooked;
  if (step > 1) {
    std::size_t allowed = 0;
    for (std::uint64_t i = 0; i < kLooked; ++i) allowed += allowed_in(*filter, 64 * i * step, 64 * i * step + 64);
    if (allowed > 256) return static_cast<double>(allowed) / static_cast<double>(64 * kLooked);
  }
  return static_cast<double>(allowed_in(*filter, 0, size())) / static_cast<double>(size());
}

Question PlannedIndex::question(const SearchOptions& options, std::size_t queries) const noexcept {
  return {options.k, effective_radius(options, rows_->largest_distance()), allowed_share(options.filter), queries,
          options.threads == 1 ? 1 : effective_threads(options.threads, scan_pieces(queries, size()))};
}

SearchResult PlannedIndex::search(const CodeMatrix& queries, const SearchOptions& options) const {
  if (!planner_) return flat_.search(queries, options);
  return there(planner_->choose(question(options, queries.size())))->search(queries, options);
}

std::string PlannedIndex::describe(Kind kind) const {
  const double count = static_cast<double>(size());
  switch (kind) {
    case Kind::kTable: {
      const double buckets = std::ldexp(1.0, static_cast<int>(bits()));
      return concat(std::uint64_t{1} << bits(), " buckets of ", count / buckets, " codes on average");
    }
    case Kind::kMih: {
      std::string lengths;
      for (const Substring& substring : mih_->plan().substrings) lengths += concat(lengths.empty() ? "" : ", ", substring.bits());
      return concat("substrings of ", lengths, " bits");
    }
    case Kind::kPivot:
      return concat(pivot_->cells().pivots().count, " pivots with ", count / static_cast<double>(pivot_->cells().pivots().count),
                    " codes each on average");
    case Kind::kFlat:
      break;
  }
  return concat("scan of ", size(), " codes");
}

std::vector<Estimate> PlannedIndex::estimates(const SearchOptions& options, std::size_t queries) const {
  std::vector<Estimate> all;
  if (!planner_) return all;
  const Question asked = question(options, queries);
  for (const Kind kind : {Kind::kFlat, Kind::kTable, Kind::kMih, Kind::kPivot}) {
    if (there(kind) != nullptr) all.push_back({kKindNames[index_of(kind)], planner_->estimate(kind, asked), describe(kind)});
  }
  std::stable_sort(all.begin(), all.end(), [](const Estimate& a, const Estimate& b) { return a.ns < b.ns; });
  return all;
}

std::string explain_plan(const Index& index, const SearchOptions& options, std::size_t queries) {
  std::string text = concat(index.size(), " codes of ", index.bits(), " bits, k ");
  text += options.k == kAllHits ? "all" : concat(options.k);
  text += options.radius ? concat(", radius ", *options.radius) : "";
  text += queries > 1 ? concat(", ", queries, " queries together\n") : "\n";
  const auto* planned = dynamic_cast<const PlannedIndex*>(&index);
  if (planned == nullptr) return concat(text, index.kind(), ": the only kind that was built\n");
  const std::vector<Estimate> all = planned->estimates(options, queries);
  if (all.empty()) return concat(text, "flat: too few codes for anything else\n");
  for (const Estimate& one : all) {
    const std::string cost = std::isfinite(one.ns) ? concat("about ", one.ns / 1e6, " ms a query") : "not measured for this";
    text += concat(one.kind, ": ", cost, " (", one.reason, ")\n");
  }
  return text + concat("choice: ", all.front().kind, "\n");
}

}  // namespace signet
