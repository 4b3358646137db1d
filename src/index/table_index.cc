#include "index/table_index.h"

#include <algorithm>
#include <array>

#include "index/collector.h"
#include "index/query_run.h"

namespace signet {
namespace {

Substring all_bits(const Rows& rows) {
  if (rows.bits() > TableIndex::kMaxBits) {
    fail(ErrorCode::kInvalidArgument, "index kind \"table\" has a bucket for each possible code and serves up to ",
         TableIndex::kMaxBits, " bits; these codes have ", rows.bits(), "; use mih, flat or auto");
  }
  const std::array<std::uint64_t, 1> mask{(std::uint64_t{1} << rows.bits()) - 1};
  return Substring(mask, rows.row());
}

BucketTable build_table(const Rows& rows, const Substring& whole, std::size_t threads) {
  ThreadPool pool(effective_threads(threads, std::max<std::size_t>(rows.size() / 65536, 1)));
  return BucketTable(rows, whole, pool);
}

// One query's walk.
class TableWalk {
 public:
  TableWalk(const BucketTable& table, const Substring& whole, const IdFilter* filter)
      : table_(table), bits_(whole.bits()), filter_(filter) {}

  // False where more than max_buckets would have to be looked at.
  bool run(std::uint32_t key, std::size_t k, std::uint32_t radius, std::uint64_t count, std::uint64_t max_buckets, Work& work) {
    hits_.clear();
    std::uint64_t met = 0;
    double buckets = 0, shell_size = 1;  // binomial(bits, shell)
    for (std::uint32_t shell = 0; shell <= std::min<std::uint32_t>(radius, bits_) && hits_.size() < k && met < count; ++shell) {
      buckets += shell_size;
      if (buckets > static_cast<double>(max_buckets)) return false;
      met += visit_shell(key, shell, k - hits_.size(), work);
      work.radius = std::max(work.radius, shell);
      shell_size = shell_size * (bits_ - shell) / (shell + 1);
    }
    return true;
  }
  std::span<const PackedHit> hits() const noexcept { return hits_; }

 private:
  // The `wanted` lowest positions of the shell's buckets are appended in order. Returns how many codes the shell holds.
  std::uint64_t visit_shell(std::uint32_t key, std::uint32_t shell, std::size_t wanted, Work& work) {
    const std::size_t before = hits_.size();
    std::size_t lists = 0;
    std::uint64_t met = 0;
    const std::uint64_t end = std::uint64_t{1} << bits_;
    for (std::uint64_t c = (std::uint64_t{1} << shell) - 1; c < end;) {
      const BucketTable::Range range = table_.bucket(key ^ static_cast<std::uint32_t>(c));
      ++work.buckets;
      met += range.size();
      if (range.size() != 0) {
        ++lists;
        take(range, shell, wanted);
        shrink(before, wanted);
      }
      if (c == 0) break;
      c = next_combination(c);
    }
    work.candidates += hits_.size() - before;
    // The lowest positions of all lists together; one list is in order already.
    if (hits_.size() - before > wanted) {
      const auto first = hits_.begin() + static_cast<std::ptrdiff_t>(before);
      if (lists > 1) std::nth_element(first, first + static_cast<std::ptrdiff_t>(wanted), hits_.end());
      hits_.resize(before + wanted);
    }
    if (lists > 1) std::sort(hits_.begin() + static_cast<std::ptrdiff_t>(before), hits_.end());
    return met;
  }

  void take(const BucketTable::Range& range, std::uint32_t shell, std::size_t wanted) {
    std::size_t taken = 0;
    for (std::uint64_t entry = range.begin; entry < range.end && taken < wanted; ++entry) {
      const std::uint64_t position = table_.position(entry);
      if (filter_ != nullptr && !filter_->allows(position)) continue;
      hits_.push_back(pack_hit(shell, position));
      ++taken;
    }
  }

  // Keeps the shell's part of the buffer below a few times what is wanted, however many buckets it has.
  void shrink(std::size_t before, std::size_t wanted) {
    if (wanted >= (hits_.size() - before) / 4 || hits_.size() - before < 4096) return;
    const auto first = hits_.begin() + static_cast<std::ptrdiff_t>(before);
    std::nth_element(first, first + static_cast<std::ptrdiff_t>(wanted), hits_.end());
    hits_.resize(before + wanted);
  }

  const BucketTable& table_;
  std::uint32_t bits_;
  const IdFilter* filter_;
  std::vector<PackedHit> hits_;
};

}  // namespace

TableIndex::TableIndex(std::shared_ptr<const Rows> rows, std::size_t threads, bool may_scan)
    : rows_(std::move(rows)),
      flat_(rows_),
      // A bucket costs about as much as 16 codes of a scan.
      max_buckets_(may_scan ? 64 + rows_->size() / 16 : std::uint64_t{1} << 32),
      whole_(all_bits(*rows_)),
      table_(build_table(*rows_, whole_, threads)) {}

TableIndex::TableIndex(std::shared_ptr<const Rows> rows, BucketTable stored)
    : rows_(std::move(rows)),
      flat_(rows_),
      max_buckets_(64 + rows_->size() / 16),
      whole_(all_bits(*rows_)),
      table_(std::move(stored)) {}

SearchResult TableIndex::search(const CodeMatrix& queries, const SearchOptions& options) const {
  const Stopwatch watch;
  const QueryRows rows(queries, bits());
  SearchResult result;
  result.hits.resize(rows.size());
  Work total;
  if (rows.size() != 0 && size() != 0 && options.k != 0) {
    const std::uint32_t radius = effective_radius(options, rows_->largest_distance());
    const std::size_t threads = effective_threads(options.threads, table_pieces(rows.size()));
    std::vector<Work> works(threads);
    std::vector<std::uint8_t> left(rows.size());
    ThreadPool pool(threads);
    pool.parallel_for(rows.size(), kTablePiece, [&](std::size_t begin, std::size_t end, std::size_t worker) {
      TableWalk walk(table_, whole_, options.filter);
      for (std::size_t q = begin; q < end; ++q) {
        left[q] = !walk.run(whole_.key(rows.at(q)), options.k, radius, size(), max_buckets_, works[worker]);
        if (left[q] == 0) result.hits[q] = to_hits(walk.hits(), *rows_);
      }
    });
    for (const Work& work : works) total += work;
    total += scan_rest(flat_, queries, left, options, result);
  }
  result.stats = make_stats("table", total, watch);
  return result;
}

}  // namespace signet
