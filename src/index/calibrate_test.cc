#include "index/calibrate.h"

#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "index/oracle.h"

namespace signet {
namespace {

// Finds nothing, and takes as long for it as it is told to, of its thread's own time.
class FakeIndex final : public Index {
 public:
  explicit FakeIndex(double seconds) : seconds_(seconds) {}
  std::size_t size() const noexcept override { return 30000; }
  std::uint32_t bits() const noexcept override { return 64; }
  std::string kind() const override { return "fake"; }
  std::size_t memory_bytes() const noexcept override { return 0; }
  SearchResult search(const CodeMatrix& queries, const SearchOptions& options) const override {
    asked_.emplace_back(options.k, options.radius);
    const double end = now() + seconds_;
    while (now() < end) continue;
    SearchResult result;
    result.hits.resize(queries.size());
    return result;
  }
  bool was_asked(std::size_t k) const {
    return std::any_of(asked_.begin(), asked_.end(), [k](const auto& question) { return question.first == k; });
  }
  const std::vector<std::pair<std::size_t, std::optional<std::uint32_t>>>& asked() const { return asked_; }

 private:
  static double now() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }
  double seconds_;
  mutable std::vector<std::pair<std::size_t, std::optional<std::uint32_t>>> asked_;
};

CalibrationQueries two_queries() { return {oracle::random_codes(2, 64, 1), oracle::random_codes(2, 64, 2)}; }

// The scan alone takes longer at its first question than all questions may take together.
TEST(MeasureKinds, ALongScanDoesNotKeepTheOthersFromBeingAsked) {
  const FakeIndex scan(0.13), quick(0);
  const auto costs = measure_kinds({&scan, nullptr, nullptr, &quick}, two_queries());
  ASSERT_TRUE(costs[0] && costs[3]);
  EXPECT_EQ(costs[3]->k.points.back().at, 1000);
  EXPECT_EQ(costs[3]->radius.points.back().at, 32);
  for (const auto& [k, radius] : scan.asked())
    EXPECT_TRUE(k == 11 || (k == kAllHits && radius == 2u)) << "the scan was asked again: k " << k;
  ASSERT_EQ(costs[0]->k.points.size(), 4u);
  EXPECT_EQ(costs[0]->k.points.back().ns, costs[0]->k.points.front().ns);
  EXPECT_EQ(costs[0]->radius.points.size(), 1u);
}

TEST(MeasureKinds, AShortScanIsAskedEverything) {
  const FakeIndex scan(0), quick(0);
  const auto costs = measure_kinds({&scan, nullptr, nullptr, &quick}, two_queries());
  EXPECT_TRUE(scan.was_asked(2));
  EXPECT_TRUE(scan.was_asked(101));
  EXPECT_GT(costs[0]->radius.points.size(), 1u);
}

}  // namespace
}  // namespace signet
