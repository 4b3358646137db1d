#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "bench/hamming_cases.h"
#include "bench/hamming_data.h"
#include "signet/base/error.h"
#include "signet/base/random.h"
#include "signet/kernel/hamming.h"

// What the kernels' functions cost by themselves, without an index around them.
namespace signet::bench {
namespace {

constexpr std::size_t kBlockBytes = 32 << 10;  // codes of a block, about as many as the flat scan takes
constexpr std::size_t kTogether = 64;          // queries
constexpr std::size_t kNearCodes = 2048;       // that gather() picks from: they stay in the caches

// What a function answered, whatever the order of its hits.
struct Answer {
  std::uint64_t count = 0, sum = 0;
  void take(std::uint64_t position, std::uint64_t query, std::uint64_t distance) {
    const std::uint64_t hit = position << 32 | query << 16 | distance;
    ++count;
    sum += hit * (hit >> 7 | 1);
  }
  friend bool operator==(const Answer&, const Answer&) = default;
};

Answer answer_of(const std::vector<std::uint16_t>& distances) {
  Answer answer;
  for (std::size_t i = 0; i < distances.size(); ++i) answer.take(i, 0, distances[i]);
  return answer;
}

class KernelRun {
 public:
  KernelRun(const HammingKernel& kernel, const Data& data)
      : kernel_(kernel),
        data_(data),
        row_(data.codes.stride()),
        block_(std::clamp<std::size_t>(kBlockBytes / row_, 256, 4096)),
        bounds_(kTogether, static_cast<std::uint16_t>(data.codes.bits() / 4)),  // of random codes few are as near
        hits_(kTogether * block_),
        distances_(data.codes.size()) {
    Random random(1);
    for (std::size_t i = 0; i < distances_.size(); ++i)
      positions_.push_back(random.below(std::min(kNearCodes, distances_.size())));
  }

  Answer select(std::size_t queries) {
    Answer answer;
    for (std::size_t at = 0; at < data_.codes.size(); at += block_) {
      const std::size_t size = std::min(block_, data_.codes.size() - at);
      const std::size_t found = kernel_.select(data_.queries.data().data(), queries, data_.codes.row(at).data(), size, row_,
                                               bounds_.data(), hits_.data());
      for (std::size_t h = 0; h < found; ++h) answer.take(at + hits_[h].position, hits_[h].query, hits_[h].distance);
    }
    return answer;
  }
  const std::vector<std::uint16_t>& scan() {
    kernel_.scan(data_.queries.row(0).data(), data_.codes.data().data(), distances_.size(), row_, distances_.data());
    return distances_;
  }
  const std::vector<std::uint16_t>& gather() {
    kernel_.gather(data_.queries.row(0).data(), data_.codes.data().data(), positions_.data(), positions_.size(), row_,
                   distances_.data());
    return distances_;
  }

 private:
  const HammingKernel& kernel_;
  const Data& data_;
  std::size_t row_, block_;
  std::vector<std::uint16_t> bounds_;
  std::vector<KernelHit> hits_;
  std::vector<std::uint16_t> distances_;
  std::vector<std::uint64_t> positions_;
};

void check_against(const Answer& got, const Answer& expected, const std::string& what) {
  if (got != expected) fail(ErrorCode::kInternal, what, ": a kernel and the portable one disagree; times of it mean nothing");
}

void one_kernel(const Settings& settings, Report& report, const HammingKernel& kernel, const Data& data) {
  KernelRun run(kernel, data), reference(find_hamming_kernel("portable"), data);
  Row row;
  row.name = "kernels";
  row.bits = data.codes.bits();
  row.n = data.codes.size();
  row.threads = 1;
  row.kernel = kernel.name;
  row.read_gb_per_s = settings.read_bytes_per_s / 1e9;
  const auto add = [&](const char* function, std::size_t queries, const std::function<void()>& timed) {
    row.index = function;
    row.queries = queries;
    row.ms_per_query = best_time(timed) * 1e3 / static_cast<double>(queries);
    report.add(row);
  };
  for (const std::size_t queries : {std::size_t{1}, kTogether}) {
    check_against(run.select(queries), reference.select(queries), "select");
    add("select", queries, [&] { run.select(queries); });
  }
  check_against(answer_of(run.scan()), answer_of(reference.scan()), "scan");
  add("scan", 1, [&] { run.scan(); });
  check_against(answer_of(run.gather()), answer_of(reference.gather()), "gather");
  add("gather", 1, [&] { run.gather(); });
}

}  // namespace

void kernels(const Settings& settings, Report& report) {
  std::vector<std::uint32_t> lengths{16, 32, 64, 128, 192, 256, 512};
  if (settings.bits) lengths = {*settings.bits};
  for (const std::uint32_t bits : lengths) {
    if (8 * row_bytes(bits) != bits)
      fail(ErrorCode::kUsage, "--bits ", bits,
           ": case kernels takes codes that fill their rows: 16, 32 or a multiple of 64 bits");
    const Data data = make_data("random", settings.n.value_or(200'000), kTogether, bits, settings.seed);
    for (const HammingKernel* kernel : hamming_kernels()) {
      if (kernel->supported()) one_kernel(settings, report, *kernel, data);
    }
  }
}

}  // namespace signet::bench
