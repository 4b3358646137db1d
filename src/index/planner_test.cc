#include "index/planner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "signet/base/error.h"
#include "signet/index/index.h"

namespace signet {
namespace {

PlanRecord example() {
  PlanRecord record;
  record.kinds[0] = KindCosts{{{{1, 1000}, {10, 1000}, {1000, 2000}}}, {{{0, 900}, {4, 1500}}}, 500};
  record.kinds[2] = KindCosts{{{{1, 100}, {10, 400}, {1000, 40000}}}, {{{0, 50}, {2, 200}, {4, 3200}}}, 100};
  record.kinds[3] = KindCosts{{{{10, 300}}}, {}, 0};
  record.within = {0, 0.001, 0.01, 0.1, 1};
  record.costs = {2, 5, 0.4, 0.1};
  record.shell_candidates = {{1, 2, 3}, {4, 5}};
  return record;
}

Question ask(std::size_t k, std::uint32_t radius = 64, std::size_t queries = 64) { return {k, radius, 1, queries, 1}; }

TEST(CostCurve, RunsStraightOnLogarithmicAxes) {
  const CostCurve curve{{{1, 100}, {100, 10000}, {1000, 20000}}};
  EXPECT_DOUBLE_EQ(curve.for_k(0.5), 100);
  EXPECT_NEAR(curve.for_k(10), 1000, 1e-6);
  EXPECT_NEAR(curve.for_k(10000), 40000, 1e-6) << "the last line goes on";
  const CostCurve radius{{{0, 10}, {2, 1000}}};
  EXPECT_NEAR(radius.for_radius(1), 100, 1e-9);
  EXPECT_TRUE(std::isinf(radius.for_radius(3)));
  EXPECT_TRUE(std::isinf(CostCurve{}.for_k(1)));
}

TEST(Planner, TakesTheCheapest) {
  const Planner planner(example(), 100000, 64);
  EXPECT_EQ(planner.choose(ask(1)), Kind::kMih);
  EXPECT_EQ(planner.choose(ask(10)), Kind::kPivot);
  EXPECT_EQ(planner.choose(ask(kAllHits, 1)), Kind::kMih);
  EXPECT_EQ(planner.choose(ask(kAllHits, 4)), Kind::kFlat);
  EXPECT_EQ(planner.choose(ask(kAllHits)), Kind::kFlat) << "only the scan finds everything";
  EXPECT_EQ(planner.choose(ask(10, 1)), Kind::kMih) << "what is within the radius bounds the work for k";
  EXPECT_TRUE(std::isinf(planner.estimate(Kind::kTable, ask(1))));
}

TEST(Planner, AQueryAloneCostsMore) {
  const Planner planner(example(), 100000, 64);
  EXPECT_NEAR(planner.estimate(Kind::kFlat, ask(10, 64, 1)) - planner.estimate(Kind::kFlat, ask(10, 64, 64)), 500 * 63.0 / 64, 1);
}

TEST(Planner, AFilterMakesNeighboursRarer) {
  const Planner planner(example(), 100000, 64);
  Question filtered = ask(1);
  filtered.share = 0.1;
  EXPECT_GT(planner.estimate(Kind::kMih, filtered), planner.estimate(Kind::kMih, ask(1)));
  filtered.share = 0.000001;  // fewer codes than are asked for: everything has to be looked at
  EXPECT_EQ(planner.choose(filtered), Kind::kFlat);
}

TEST(Planner, AnyKIsAnswered) {
  const Planner planner(example(), 100000, 64);
  double before = 0;
  for (std::size_t k = 1; k < 1700; k = k * 5 / 4 + 1) {
    const double ns = planner.estimate(Kind::kMih, ask(k));
    EXPECT_TRUE(std::isfinite(ns)) << k;
    EXPECT_GE(ns, before) << k;
    EXPECT_NEAR(ns / example().kinds[2]->k.for_k(static_cast<double>(k)), 1.0, 0.2) << k;
    before = ns;
  }
  EXPECT_TRUE(std::isinf(planner.estimate(Kind::kMih, ask(5000)))) << "far beyond what was measured";
  EXPECT_TRUE(std::isfinite(planner.estimate(Kind::kFlat, ask(5000))));
  EXPECT_EQ(planner.choose(ask(5000)), Kind::kFlat);
  for (const std::size_t k : {std::size_t{0}, std::size_t{1} << 50, kAllHits}) planner.choose(ask(k));
}

TEST(PlanRecord, ReadsWhatItWrote) {
  const PlanRecord before = example();
  const auto after = plan_from_json(plan_to_json(before), "plan");
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(plan_to_json(*after), plan_to_json(before));
  ASSERT_TRUE(after->kinds[2].has_value());
  EXPECT_FALSE(after->kinds[1].has_value());
  EXPECT_NEAR(after->kinds[2]->radius.for_radius(2), 200, 1e-6);
  EXPECT_EQ(after->shell_candidates, before.shell_candidates);
  EXPECT_EQ(after->costs.scan_batch, 0.1);
}

TEST(PlanRecord, OfAnotherVersionIsNone) {
  EXPECT_FALSE(plan_from_json(R"({"version": 1})", "plan").has_value());
  EXPECT_FALSE(plan_from_json(R"({"version": 3, "new": []})", "plan").has_value());
}

TEST(PlanRecord, WhatIsNoPlanIsRefused) {
  const std::string good = plan_to_json(example());
  for (const auto& [what, instead] : {std::pair<std::string, std::string>{"\"alone_ns\":500.0", "\"alone_ns\":-1"},
                                      {"\"k\":[[1.0,1000.0]", "\"k\":[[2000.0,1000.0]"},
                                      {"\"k\":[[1.0,1000.0]", "\"k\":[[0.0,1000.0]"},
                                      {"\"within\":[0.0", "\"within\":[\"x\""},
                                      {"\"kinds\":{", "\"kinds\":3,\"other\":{"}}) {
    std::string bad = good;
    const std::size_t at = bad.find(what);
    ASSERT_NE(at, std::string::npos) << what << " in " << good;
    bad.replace(at, what.size(), instead);
    try {
      plan_from_json(bad, "plan of x.sig");
      ADD_FAILURE() << "accepted: " << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
      EXPECT_NE(std::string(error.what()).find("plan of x.sig"), std::string::npos) << error.what();
    }
  }
}

TEST(PlanRecord, WhatIsLargerOrNestsDeeperThanAnyPlanIsRefused) {
  const std::string good = plan_to_json(example());
  const auto refused = [&](const std::string& more, const std::string& part) {
    const std::string bad = "{\"more\":" + more + "," + good.substr(1);
    try {
      plan_from_json(bad, "plan of x.sig");
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  EXPECT_TRUE(plan_from_json("{\"more\":[[[[[[[]]]]]]]," + good.substr(1), "plan").has_value());
  refused(std::string(8, '[') + std::string(8, ']'), "nest deeper than 8");
  refused(std::string(500'000, '[') + std::string(500'000, ']'), "nest deeper than 8");
  refused("\"" + std::string(std::size_t{1} << 20, ' ') + "\"", "at most 1048576");
}

}  // namespace
}  // namespace signet
