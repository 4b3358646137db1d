#include "bench/hamming_cases.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>

#include "bench/hamming_data.h"
#include "bench/hamming_peers.h"
#include "signet/base/error.h"
#include "signet/index/build.h"
#include "signet/kernel/hamming.h"

namespace signet::bench {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::unique_ptr<Index> build(const CodeMatrix& codes, const std::string& kind, std::size_t threads) {
  CodeSource source;
  source.packed = codes.data();
  source.count = codes.size();
  source.bits = codes.bits();
  BuildOptions options;
  options.kind = kind;
  options.threads = threads;
  return build_index(source, options);
}

// The definition, for the first two queries: distances of all codes, the k smallest.
void check_by_definition(const Data& data, std::size_t k, const SearchResult& result) {
  for (std::size_t q = 0; q < std::min<std::size_t>(2, data.queries.size()); ++q) {
    std::vector<std::pair<std::uint32_t, std::uint64_t>> all(data.codes.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = {hamming_distance(data.queries.row(q), data.codes.row(i)), i};
    const std::size_t kept = std::min(k, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end());
    bool same = result.hits[q].size() == kept;
    for (std::size_t i = 0; same && i < kept; ++i) same = result.hits[q][i] == Hit{all[i].second, all[i].first};
    if (!same) fail(ErrorCode::kInternal, "query ", q, ": the index and the definition disagree; nothing was timed");
  }
}

void check_equal(const SearchResult& a, const SearchResult& b, const std::string& what) {
  if (a.hits != b.hits) fail(ErrorCode::kInternal, what, ": two indexes disagree; nothing was timed");
}

// Share of the exact hits that were found, by distance: ids of ties may differ.
double recall_of(const std::vector<std::vector<std::uint32_t>>& found, const SearchResult& exact) {
  double hits = 0, all = 0;
  for (std::size_t q = 0; q < found.size(); ++q) {
    std::size_t f = 0;
    for (const Hit& hit : exact.hits[q]) {
      while (f < found[q].size() && found[q][f] < hit.distance) ++f;
      if (f < found[q].size() && found[q][f] == hit.distance) {
        hits += 1;
        ++f;
      }
      all += 1;
    }
  }
  return all == 0 ? 1 : hits / all;
}

Row row_of(const char* name, const Data& data, const Settings& settings, const Index& index, std::size_t k) {
  Row row;
  row.name = name;
  row.bits = data.codes.bits();
  row.n = data.codes.size();
  row.k = k;
  row.queries = data.queries.size();
  row.threads = settings.threads;
  row.kernel = hamming_kernel().name;
  row.index = index.kind();
  row.read_gb_per_s = settings.read_bytes_per_s / 1e9;
  return row;
}

SearchOptions options_of(const Settings& settings, std::size_t k) {
  SearchOptions options;
  options.k = k;
  options.threads = settings.threads;
  return options;
}

double time_index(const Index& index, const Data& data, const SearchOptions& options) {
  return best_time([&] { index.search(data.queries, options); }) * 1e3 / static_cast<double>(data.queries.size());
}

double slope(const std::pair<double, double>& from, const std::pair<double, double>& to) {
  return std::log(to.second / from.second) / std::log(to.first / from.first);
}

// What a search did, and what the index takes.
std::string describe(const Index& index, const Data& data, const SearchOptions& options) {
  const SearchStats stats = index.search(data.queries, options).stats;
  const double queries = static_cast<double>(data.queries.size());
  return concat(stats.index, ", ", static_cast<double>(index.memory_bytes()) / static_cast<double>(data.codes.size()),
                " bytes a code, ", static_cast<double>(stats.candidates) / queries, " candidates and ",
                static_cast<double>(stats.buckets) / queries, " buckets a query, radius ", stats.radius_reached);
}

// Recall and time of another library; a search that takes seconds is run once.
void time_peer(Peer& peer, const Data& data, const SearchResult& exact, Row& row) {
  row.peer = peer.name();
  const double start = now();
  row.recall = recall_of(peer.search(data.queries, row.k), exact);
  double seconds = now() - start;
  if (seconds < 2) seconds = best_time([&] { peer.search(data.queries, row.k); });
  row.peer_ms_per_query = seconds * 1e3 / static_cast<double>(data.queries.size());
}

Data first_queries(const Data& data, std::size_t count) {
  std::vector<std::size_t> first(std::min(count, data.queries.size()));
  std::iota(first.begin(), first.end(), std::size_t{0});
  return {CodeMatrix(0, data.codes.bits()), data.queries.rows(first)};
}

void flat_case(const char* name, const Settings& settings, Report& report, std::size_t default_queries) {
  std::vector<std::uint32_t> lengths{64, 128, 256};
  if (settings.bits) lengths = {*settings.bits};
  for (const std::uint32_t bits : lengths) {
    const Data data =
        make_data("random", settings.n.value_or(10'000'000), settings.queries.value_or(default_queries), bits, settings.seed);
    const std::size_t k = settings.k.value_or(100);
    const auto index = build(data.codes, "flat", settings.threads);
    const SearchOptions options = options_of(settings, k);
    const SearchResult result = index->search(data.queries, options);
    check_by_definition(data, k, result);
    Row row = row_of(name, data, settings, *index, k);
    // Turn by turn with bare reads of the same memory, so that both see the same machine.
    double read = 0;
    row.ms_per_query = 1e300;
    for (int turn = 0; turn < 4; ++turn) {
      for (int pass = 0; pass < 5; ++pass) read = std::max(read, read_rate(data.codes.data(), settings.threads));
      row.ms_per_query = std::min(row.ms_per_query, time_index(*index, data, options));
    }
    row.read_gb_per_s = read / 1e9;
    const double bytes = static_cast<double>(data.codes.size() * row_bytes(bits)) * static_cast<double>(data.queries.size());
    const double rate = bytes / (row.ms_per_query * 1e-3 * static_cast<double>(data.queries.size()));
    row.note = concat("codes read at ", rate / 1e9, " GB/s = ", 100 * rate / read, " % of the ", row.read_gb_per_s,
                      " GB/s of bare reading");
    if (settings.peers) {
      const auto peer = make_peer("IndexBinaryFlat", data.codes, settings.threads);
      time_peer(*peer, data, result, row);
      if (row.recall != 1) fail(ErrorCode::kInternal, name, ": FAISS and signet disagree");
    }
    report.add(row);
  }
}

void flat_one(const Settings& settings, Report& report) { flat_case("flat-one", settings, report, 1); }
void flat_batch(const Settings& settings, Report& report) { flat_case("flat-batch", settings, report, 64); }

// Ours against a scan of one query with many queries, each in a group of its own where memory is cold; then with fewer, beside
// the others.
void clustered(const Settings& settings, Report& report) {
  const Data data = make_data("clustered", settings.n.value_or(10'000'000), settings.queries.value_or(1000),
                              settings.bits.value_or(64), settings.seed);
  const std::size_t k = settings.k.value_or(10);
  const SearchOptions options = options_of(settings, k);
  const auto flat = build(data.codes, "flat", settings.threads);
  const SearchResult exact = flat->search(data.queries, options);
  check_by_definition(data, k, exact);
  const Data one = first_queries(data, 1), few = first_queries(data, 64);
  Row row = row_of("clustered", data, settings, *flat, k);
  row.queries = 1;
  row.ms_per_query = time_index(*flat, one, options);
  const double flat_ms = row.ms_per_query;
  report.add(row);
  for (const char* kind : {"pivot", "mih", "auto"}) {
    const double start = now();
    const auto index = build(data.codes, kind, settings.threads);
    const double seconds = now() - start;
    check_equal(index->search(data.queries, options), exact, kind);
    row = row_of("clustered", data, settings, *index, k);
    row.ms_per_query = time_index(*index, data, options);
    row.note = concat(flat_ms / row.ms_per_query, " times a flat scan of one query; built in ", seconds, " s; ",
                      describe(*index, data, options));
    report.add(row);
    if (!settings.peers || std::string(kind) != "auto") continue;
    row.note.clear();
    row.queries = few.queries.size();
    row.ms_per_query = time_index(*index, few, options);
    const SearchResult exact_few = index->search(few.queries, options);
    for (const char* what : {"IndexBinaryFlat", "IndexBinaryMultiHash:4:16:0", "IndexBinaryMultiHash:4:16:1",
                             "IndexBinaryIVF:1000:4", "IndexBinaryIVF:1000:32"}) {
      const auto peer = make_peer(what, data.codes, settings.threads);
      time_peer(*peer, few, exact_few, row);
      report.add(row);
    }
  }
}

// Harder questions to an index of many codes: it can answer them well only if they were asked when it was built.
void harder(const Settings& settings, Report& report) {
  const Data data = make_data("clustered", settings.n.value_or(10'000'000), settings.queries.value_or(64),
                              settings.bits.value_or(64), settings.seed);
  const auto flat = build(data.codes, "flat", settings.threads), index = build(data.codes, "auto", settings.threads);
  for (const int radius : {-1, 4}) {
    SearchOptions options = options_of(settings, settings.k.value_or(100));
    if (radius >= 0) options.radius = static_cast<std::uint32_t>(radius);
    const SearchResult exact = flat->search(data.queries, options);
    if (!options.radius) check_by_definition(data, options.k, exact);
    check_equal(index->search(data.queries, options), exact, "auto");
    Row row = row_of("harder", data, settings, *index, options.k);
    row.ms_per_query = time_index(*index, data, options);
    row.note = concat("radius ", radius, ": ", time_index(*flat, data, options) / row.ms_per_query, " times a flat scan; ",
                      describe(*index, data, options));
    report.add(row);
  }
}

void graph(const Settings& settings, Report& report) {  // FAISS's graph index takes too long to build for millions of codes
  const Data data = make_data("clustered", settings.n.value_or(100'000), settings.queries.value_or(500),
                              settings.bits.value_or(64), settings.seed);
  const std::size_t k = settings.k.value_or(10);
  const SearchOptions options = options_of(settings, k);
  const SearchResult exact = build(data.codes, "flat", settings.threads)->search(data.queries, options);
  check_by_definition(data, k, exact);
  const auto index = build(data.codes, "auto", settings.threads);
  check_equal(index->search(data.queries, options), exact, "auto");
  Row row = row_of("graph", data, settings, *index, k);
  row.ms_per_query = time_index(*index, data, options);
  for (const char* what : {"IndexBinaryHNSW:16:32", "IndexBinaryHNSW:16:256"}) {
    if (settings.peers) time_peer(*make_peer(what, data.codes, settings.threads), data, exact, row);
    report.add(row);
    if (!settings.peers) break;
  }
}

void short_codes(const Settings& settings, Report& report) {
  std::vector<std::uint32_t> lengths{12, 16, 20};
  if (settings.bits) lengths = {*settings.bits};
  for (const std::uint32_t bits : lengths) {
    const Data data = make_data("random", settings.n.value_or(10'000'000), settings.queries.value_or(1000), bits, settings.seed);
    const std::size_t k = settings.k.value_or(10);
    const SearchOptions options = options_of(settings, k);
    const auto flat = build(data.codes, "flat", settings.threads), table = build(data.codes, "table", settings.threads);
    const SearchResult exact = flat->search(data.queries, options);
    check_by_definition(data, k, exact);
    check_equal(table->search(data.queries, options), exact, "table");
    for (const Index* index : {flat.get(), table.get()}) {
      Row row = row_of("short-codes", data, settings, *index, k);
      row.ms_per_query = time_index(*index, data, options);
      row.note = concat(static_cast<double>(index->memory_bytes()) / static_cast<double>(data.codes.size()),
                        " bytes a code beyond the codes");
      report.add(row);
    }
  }
}

// Time against n by tens, with the slope on logarithmic axes: 1 is linear.
void scaling(const Settings& settings, Report& report) {
  std::vector<std::size_t> sizes{100'000, 1'000'000, 10'000'000};
  if (settings.n) {
    while (sizes.back() < *settings.n) sizes.push_back(sizes.back() * 10);
    std::erase_if(sizes, [&](std::size_t size) { return size > *settings.n; });
  }
  for (const std::string kind : {"clustered", "random"}) {
    if (!settings.data.empty() && settings.data != kind) continue;
    std::vector<std::pair<double, double>> curve;
    for (const std::size_t n : sizes) {
      const Data data = make_data(kind, n, settings.queries.value_or(1000), settings.bits.value_or(64), settings.seed);
      const std::size_t k = settings.k.value_or(10);
      const SearchOptions options = options_of(settings, k);
      const double start = now();
      const auto index = build(data.codes, "auto", 0);
      const double seconds = now() - start;
      const Data few = first_queries(data, 100);
      const auto flat = build(data.codes, "flat", settings.threads);
      check_equal(index->search(few.queries, options), flat->search(few.queries, options), "auto");
      Row row = row_of("scaling", data, settings, *index, k);
      row.ms_per_query = time_index(*index, data, options);
      row.note = concat(kind, ", built in ", seconds, " s, ", describe(*index, data, options));
      if (!curve.empty()) row.note += concat(", slope ", slope(curve.back(), {static_cast<double>(n), row.ms_per_query}));
      curve.emplace_back(static_cast<double>(n), row.ms_per_query);
      report.add(row);
    }
    if (curve.size() > 1)
      report.say(concat("scaling, ", kind, ": slope ", slope(curve.front(), curve.back()), " from n = ", sizes.front(), " to ",
                        sizes.back()));
  }
}

constexpr std::size_t kPlannerQueries = 512;

struct Question {
  std::size_t k, queries;
  int radius;  // -1: none
};

// One question to every kind that serves these codes, turn by turn; the row is the planner's, its note says what the best was.
// Returns how much slower than the best it was (1: not at all). Every other turn goes backwards, and there are many queries:
// with 64 of them, a scan after a scan took up to a third less than a scan after another kind, because the branch predictor knew
// the answers.
double ask_all(const Settings& settings, Report& report, const char* kind, const Data& all,
               const std::vector<std::unique_ptr<Index>>& indexes, const Question& question) {
  std::vector<CodeMatrix> calls;  // question.queries in each
  for (std::size_t q = 0; q < all.queries.size(); q += question.queries) {
    std::vector<std::size_t> which(std::min(question.queries, all.queries.size() - q));
    std::iota(which.begin(), which.end(), q);
    calls.push_back(all.queries.rows(which));
  }
  SearchOptions options = options_of(settings, question.k);
  if (question.radius >= 0) options.radius = static_cast<std::uint32_t>(question.radius);
  const SearchResult exact = indexes.front()->search(all.queries, options);
  std::vector<double> ms(indexes.size(), 1e300);
  for (const auto& index : indexes) check_equal(index->search(all.queries, options), exact, index->kind());
  for (int turn = 0; turn < 6; ++turn) {
    for (std::size_t place = 0; place < indexes.size(); ++place) {
      const std::size_t i = turn % 2 == 0 ? place : indexes.size() - 1 - place;
      const double start = now();
      int rounds = 0;
      do
        for (const CodeMatrix& call : calls) indexes[i]->search(call, options);
      while (++rounds < 20 && now() - start < 0.01);
      ms[i] = std::min(ms[i], (now() - start) * 1e3 / rounds / static_cast<double>(all.queries.size()));
    }
  }
  const std::size_t best = static_cast<std::size_t>(std::min_element(ms.begin(), ms.end() - 1) - ms.begin());
  Row row = row_of("planner", all, settings, *indexes.back(), question.k);
  row.queries = calls.front().size();
  row.ms_per_query = ms.back();
  const double ratio = ms.back() / ms[best];
  row.note = concat(kind, ", radius ", question.radius, ": ", indexes.back()->search(calls.front(), options).stats.index,
                    "; best ", indexes[best]->kind(), " ", ms[best], " ms, ", ratio, " times it");
  report.add(row);
  return ratio;
}

void planner(const Settings& settings, Report& report) {
  double worst = 0;
  std::size_t asked = 0, above = 0;
  std::vector<std::uint32_t> lengths{12, 20, 32, 64, 128};
  if (settings.bits) lengths = {*settings.bits};
  for (const std::uint32_t bits : lengths) {
    for (const std::size_t n : {std::size_t{20'000}, std::size_t{200'000}, settings.n.value_or(2'000'000)}) {
      for (const char* kind : {"random", "clustered"}) {
        const Data data = make_data(kind, n, kPlannerQueries, bits, settings.seed);
        std::vector<std::unique_ptr<Index>> indexes;
        indexes.push_back(build(data.codes, "flat", 0));
        if (bits <= 20) indexes.push_back(build(data.codes, "table", 0));
        if (bits > 16) indexes.push_back(build(data.codes, "mih", 0));
        if (bits > 16) indexes.push_back(build(data.codes, "pivot", 0));
        indexes.push_back(build(data.codes, "auto", 0));
        for (const Question& question :
             {Question{1, 64, -1}, Question{10, 1, -1}, Question{10, 64, -1}, Question{100, 64, -1}, Question{1000, 64, -1},
              Question{kAllHits, 64, 2}, Question{100, 64, static_cast<int>(bits / 8)}}) {
          const double ratio = ask_all(settings, report, kind, data, indexes, question);
          worst = std::max(worst, ratio);
          ++asked;
          if (ratio > 1.05) ++above;
        }
      }
    }
  }
  report.say(concat("planner: ", asked, " questions, ", above, " of them more than 5 % above the best kind, at worst ", worst,
                    " times it"));
}

}  // namespace

double best_time(const std::function<void()>& run) {
  double best = 1e300, total = 0;
  for (int round = 0; round < 3 || (total < 0.5 && round < 200); ++round) {
    const double start = now();
    run();
    const double seconds = now() - start;
    best = std::min(best, seconds);
    total += seconds;
  }
  return best;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"kernels", "every kernel's functions by themselves, --n codes of --bits", kernels},
      {"flat-one", "one query, flat scan, against the memory's bandwidth", flat_one},
      {"flat-batch", "64 queries at once, flat scan", flat_batch},
      {"clustered", "ten nearest among clusters: each kind against the scan", clustered},
      {"harder", "a hundred nearest among clusters, with and without a radius of 4: kind auto against the scan", harder},
      {"graph", "a small set against FAISS's graph index", graph},
      {"short-codes", "12 to 20 bits: direct table against the scan", short_codes},
      {"planner", "kind auto against the best kind, over a grid of questions", planner},
      {"scaling", "time against n, by tens up to --n, of one kind of --data or both", scaling},
  };
  return all;
}

}  // namespace signet::bench
