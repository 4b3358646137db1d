#include "signet/eval/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "signet/base/error.h"

namespace signet {
namespace {

using Labels = std::vector<std::vector<std::int32_t>>;

Labels cyclic(std::size_t n, std::int32_t classes) {
  Labels labels(n);
  for (std::size_t i = 0; i < n; ++i) labels[i] = {static_cast<std::int32_t>(i) % classes};
  return labels;
}

bool disjoint(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b) {
  std::vector<std::size_t> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both.empty();
}

TEST(Protocols, AllNamesAreFoundAndOthersAreUsageErrors) {
  for (const std::string& name : protocol_names()) EXPECT_EQ(find_protocol(name).name, name);
  EXPECT_GE(protocol_names().size(), 12u);
  try {
    find_protocol("cifar");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUsage);
    EXPECT_NE(std::string(e.what()).find("cifar10-full"), std::string::npos);
  }
}

TEST(Split, FullAsksWithTestAndAnswersWithTrain) {
  const EvalSplit s = split_for(find_protocol("fashion-full"), cyclic(20, 4), cyclic(8, 4), 1);
  EXPECT_EQ(s.train.size(), 20u);
  EXPECT_EQ(s.database, s.train);
  EXPECT_EQ(s.query.front(), 20u);
  EXPECT_EQ(s.query.size(), 8u);
  EXPECT_TRUE(s.in_test_part(s.query.front()));
  EXPECT_EQ(s.index_in_part(s.query.back()), 7u);
  EXPECT_FALSE(s.leave_one_out);
}

TEST(Split, HeldoutAsksAmongTheTestPart) {
  const EvalSplit s = split_for(find_protocol("heldout"), cyclic(20, 4), cyclic(8, 4), 1);
  EXPECT_TRUE(s.leave_one_out);
  EXPECT_EQ(s.query, s.database);
  EXPECT_TRUE(disjoint(s.train, s.database));
}

TEST(Split, DrawTakesItsNumbersFromEveryClassBySeed) {
  Protocol p = find_protocol("cifar10-5k");
  p.train_per_class = 5, p.query_per_class = 2;
  const Labels train = cyclic(50, 5), test = cyclic(20, 5);
  const EvalSplit s = split_for(p, train, test, 7);
  EXPECT_EQ(s.seed, 7u);
  EXPECT_EQ(s.query.size(), 10u);
  EXPECT_EQ(s.train.size(), 25u);
  EXPECT_EQ(s.database.size(), 60u);
  EXPECT_TRUE(disjoint(s.query, s.train));
  EXPECT_TRUE(disjoint(s.query, s.database));
  EXPECT_TRUE(std::includes(s.database.begin(), s.database.end(), s.train.begin(), s.train.end()));
  std::map<std::int32_t, int> per_class;
  for (const std::size_t i : s.query) ++per_class[(s.in_test_part(i) ? test : train)[s.index_in_part(i)][0]];
  for (const auto& [label, count] : per_class) EXPECT_EQ(count, 2) << label;
  EXPECT_EQ(split_for(p, train, test, 7).query, s.query);
  EXPECT_NE(split_for(p, train, test, 8).query, s.query);
}

TEST(Split, DrawOfSeveralLabelsKeepsQueriesOutOfTraining) {
  Protocol p = find_protocol("cifar10-5k");
  p.train_per_class = 8, p.query_per_class = 4;
  Labels train(60);
  for (std::size_t i = 0; i < 60; ++i) train[i] = {static_cast<std::int32_t>(i % 3), static_cast<std::int32_t>((i + 1) % 3)};
  const EvalSplit s = split_for(p, train, {}, 1);
  EXPECT_TRUE(disjoint(s.query, s.train));
  EXPECT_TRUE(disjoint(s.query, s.database));
}

TEST(Split, UnseenClassesAreKeptFromTraining) {
  const Labels train = cyclic(50, 10), test = cyclic(20, 10);
  const EvalSplit s = split_for(find_protocol("unseen-classes"), train, test, 1);
  for (const std::size_t i : s.train) EXPECT_LT(train[i][0], 7);
  for (const std::size_t i : s.database) EXPECT_GE(train[s.index_in_part(i)][0], 7);
  for (const std::size_t i : s.query) EXPECT_GE(test[s.index_in_part(i)][0], 7);
  EXPECT_EQ(s.train.size() + s.database.size(), 50u);
  EXPECT_EQ(s.query.size(), 6u);
  Protocol chosen = find_protocol("unseen-classes");
  chosen.held_out_classes = {0, 1};
  EXPECT_EQ(split_for(chosen, train, test, 1).query.size(), 4u);
}

TEST(Split, WhatIsMissingIsNamed) {
  const Labels train = cyclic(50, 10), test = cyclic(20, 10), none;
  EXPECT_THROW(split_for(find_protocol("full"), train, none, 1), Error);
  EXPECT_THROW(split_for(find_protocol("full"), none, test, 1), Error);
  EXPECT_THROW(split_for(find_protocol("heldout"), train, cyclic(1, 1), 1), Error);
  EXPECT_THROW(split_for(find_protocol("unseen-classes"), cyclic(8, 4), cyclic(8, 4), 1), Error);
  Protocol absent = find_protocol("unseen-classes");
  absent.held_out_classes = {99};
  EXPECT_THROW(split_for(absent, train, test, 1), Error);
  try {
    split_for(find_protocol("cifar10-5k"), train, test, 1);
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("class 0 has only 7 images"), std::string::npos) << e.what();
  }
}

TEST(Overlap, OnlyATrainedDatabaseMayMeetTheTrainingSet) {
  const Protocol &full = find_protocol("full"), &heldout = find_protocol("heldout");
  EXPECT_TRUE(judge_overlap(full, OverlapKind::kQueryTrain, 0, "").allowed);
  EXPECT_TRUE(judge_overlap(full, OverlapKind::kDatabaseTrain, 3, "a = b").allowed);
  EXPECT_FALSE(judge_overlap(heldout, OverlapKind::kDatabaseTrain, 3, "").allowed);
  EXPECT_FALSE(judge_overlap(full, OverlapKind::kQueryTrain, 1, "").allowed);
  EXPECT_FALSE(judge_overlap(full, OverlapKind::kQueryDatabase, 1, "").allowed);
  const OverlapVerdict verdict = judge_overlap(heldout, OverlapKind::kQueryTrain, 2, "t10k/1 = train/2");
  EXPECT_EQ(verdict.message,
            "2 images are both in the queries and the training set (t10k/1 = train/2), which protocol heldout forbids; remove "
            "the copies from "
            "one of them");
  EXPECT_THROW(require_allowed(verdict), Error);
  EXPECT_NO_THROW(require_allowed(judge_overlap(full, OverlapKind::kDatabaseTrain, 3, "")));
}

}  // namespace
}  // namespace signet
