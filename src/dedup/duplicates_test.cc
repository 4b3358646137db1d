#include "signet/dedup/duplicates.h"

#include <gtest/gtest.h>

#include <fstream>

#include "signet/base/error.h"
#include "store/test_collection.h"

namespace signet {
namespace {

using Members = std::vector<DuplicateMember>;

DedupItem item(std::uint64_t id, const std::string& key, std::uint32_t side, std::uint64_t bytes, std::int64_t time) {
  DedupItem made;
  made.id = id, made.key = key, made.width = side, made.height = side, made.bytes = bytes, made.modified_ns = time;
  return made;
}

// 1 and 2: equal bytes; 3: equal pixels; 4: near; 5: far.
DedupSet five() {
  DedupSet set;
  set.items = {item(1, "/b/1", 10, 100, 5), item(2, "/a/2", 10, 100, 4), item(3, "/a/3", 10, 90, 3), item(4, "/c/4", 8, 200, 2),
               item(5, "/c/5", 20, 500, 1)};
  const std::string first(64, 'a'), second(64, 'b'), pixels(8, 'p');
  set.items[0].sha256 = set.items[1].sha256 = first;
  set.items[2].sha256 = second;
  for (std::size_t i = 0; i < 3; ++i) set.items[i].pixels = pixels;
  set.codes = CodeMatrix(8, {0, 0, 0, 3, 0xff});
  return set;
}

FindOptions at(DuplicateLevel level, std::uint32_t radius = 0) {
  FindOptions options;
  options.level = level, options.radius = radius, options.threads = 1;
  return options;
}

TEST(Duplicates, LevelsAreKeptApart) {
  const DedupSet set = five();
  auto groups = find_duplicates(set, {}, at(DuplicateLevel::kSameBytes));
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].keeper, 1u);  // as large and as heavy, but older
  EXPECT_EQ(groups[0].members, (Members{{0, 0, DuplicateLevel::kSameBytes}}));
  groups = find_duplicates(set, {}, at(DuplicateLevel::kSamePixels));
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].members, (Members{{0, 0, DuplicateLevel::kSameBytes}, {2, 0, DuplicateLevel::kSamePixels}}));
  groups = find_duplicates(set, {}, at(DuplicateLevel::kNear, 2));
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].members,
            (Members{{0, 0, DuplicateLevel::kSameBytes}, {2, 0, DuplicateLevel::kSamePixels}, {3, 2, DuplicateLevel::kNear}}));
  groups = find_duplicates(set, {}, at(DuplicateLevel::kSameClass, 8));
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].keeper, 4u);
  EXPECT_EQ(groups[0].members.back().level, DuplicateLevel::kSameClass);
}

TEST(Duplicates, TheSecondLookDecidesAboutNearPairsOnly) {
  std::vector<std::pair<std::size_t, std::size_t>> asked;
  FindOptions options = at(DuplicateLevel::kNear, 2);
  options.second_look = [&](std::size_t a, std::size_t b) {
    asked.emplace_back(a, b);
    return false;
  };
  const auto groups = find_duplicates(five(), {}, options);
  EXPECT_EQ(asked, (std::vector<std::pair<std::size_t, std::size_t>>{{1, 3}}));
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].members.size(), 2u);
}

TEST(Duplicates, TheNearestAreBelievedWithoutALook) {
  DedupSet set = five();
  FindOptions options = at(DuplicateLevel::kNear, 2);
  std::size_t asked = 0;
  options.second_look = [&](std::size_t, std::size_t) { return ++asked, false; };
  options.trusted = 1;  // the nearest pair, 1 and 3, is two bits apart
  EXPECT_EQ(find_duplicates(set, {}, options)[0].members.size(), 2u);
  EXPECT_EQ(asked, 1u);
  options.trusted = 2;
  EXPECT_EQ(find_duplicates(set, {}, options)[0].members.size(), 3u);
  options.trusted.reset(), options.more_trusted = 0;
  set.more_codes = CodeMatrix(8, {1, 2, 4, 2, 9});  // 1 and 3 are equal by these
  EXPECT_EQ(find_duplicates(set, {}, options)[0].members.size(), 3u);
  EXPECT_EQ(asked, 1u);
  const std::vector<Verdict> no = {{2, 4, false}};  // whoever said so is believed first
  EXPECT_EQ(find_duplicates(set, no, options)[0].members.size(), 2u);
}

TEST(Duplicates, ASecondKindOfCodesBringsMorePairs) {
  DedupSet set = five();
  set.more_codes = CodeMatrix(8, {1, 2, 4, 8, 9});  // 4 and 5 are near by these
  FindOptions options = at(DuplicateLevel::kNear, 1);
  options.more_radius = 1;
  std::vector<std::pair<std::size_t, std::size_t>> asked;
  options.second_look = [&](std::size_t a, std::size_t b) {
    asked.emplace_back(a, b);
    return true;
  };
  const auto groups = find_duplicates(set, {}, options);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].keeper, 4u);
  EXPECT_EQ(groups[0].members, (Members{{0, 1, DuplicateLevel::kNear}, {3, 1, DuplicateLevel::kNear}}));
  EXPECT_EQ(asked.front(), (std::pair<std::size_t, std::size_t>{4, 0}));
  // Classes are of one kind of codes.
  EXPECT_EQ(find_duplicates(set, {}, at(DuplicateLevel::kSameClass, 0)).size(), 1u);
}

TEST(Duplicates, VerdictsPartAndJoin) {
  // 2 (the keeper) and 4 are no duplicates; then 1 and 2 are not, though their bytes are equal.
  const std::vector<Verdict> no4 = {{2, 4, false}, {2, 77, false}};
  auto groups = find_duplicates(five(), no4, at(DuplicateLevel::kNear, 2));
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].members, (Members{{0, 0, DuplicateLevel::kSameBytes}, {2, 0, DuplicateLevel::kSamePixels}}));
  const std::vector<Verdict> no1 = {{1, 2, false}};
  EXPECT_TRUE(find_duplicates(five(), no1, at(DuplicateLevel::kSameBytes)).empty());
  groups = find_duplicates(five(), no1, at(DuplicateLevel::kSamePixels));
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].members, (Members{{2, 0, DuplicateLevel::kSamePixels}}));
  // Said of two members: the second of them stays out, whoever is the keeper.
  const std::vector<Verdict> members = {{1, 3, false}};
  groups = find_duplicates(five(), members, at(DuplicateLevel::kNear, 2));
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].members, (Members{{0, 0, DuplicateLevel::kSameBytes}, {3, 2, DuplicateLevel::kNear}}));
  // A yes needs no second look.
  FindOptions options = at(DuplicateLevel::kNear, 2);
  options.second_look = [](std::size_t, std::size_t) { return false; };
  const std::vector<Verdict> yes = {{2, 4, true}};
  EXPECT_EQ(find_duplicates(five(), yes, options)[0].members.size(), 3u);
}

TEST(Duplicates, TheReferenceStays) {
  FindOptions options = at(DuplicateLevel::kSamePixels);
  options.reference = 2;  // 1 and 2 are not compared
  auto groups = find_duplicates(five(), {}, options);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].keeper, 1u);
  EXPECT_EQ(groups[0].members, (Members{{2, 0, DuplicateLevel::kSamePixels}}));
  options = at(DuplicateLevel::kNear, 2);
  options.reference = 2;
  groups = find_duplicates(five(), {}, options);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].members, (Members{{2, 0, DuplicateLevel::kSamePixels}, {3, 2, DuplicateLevel::kNear}}));
}

TEST(Duplicates, KeepRules) {
  const auto first = [](KeepRule rule, std::vector<std::string> paths = {}) {
    DedupSet set = five();
    for (std::size_t i = 0; i < 5; ++i) set.items[i].sharpness = i == 2 ? 9 : 1;
    return keep_order(set.items, {rule, std::move(paths)});
  };
  EXPECT_EQ(first(KeepRule::kLargest), (std::vector<std::size_t>{4, 1, 0, 2, 3}));
  EXPECT_EQ(first(KeepRule::kOldest), (std::vector<std::size_t>{4, 3, 2, 1, 0}));
  EXPECT_EQ(first(KeepRule::kSharpest), (std::vector<std::size_t>{2, 4, 1, 0, 3}));
  EXPECT_EQ(first(KeepRule::kPath, {"/c/4", "/a"}), (std::vector<std::size_t>{3, 1, 2, 4, 0}));
  EXPECT_EQ(first(KeepRule::kPath, {"/"}), first(KeepRule::kLargest));
  // A folder is no beginning of another one's name.
  const std::vector<DedupItem> two = {item(1, "/x/keep-old/1", 20, 100, 1), item(2, "/x/keep/1", 10, 100, 1)};
  for (const char* folder : {"/x/keep", "/x/keep/"})
    EXPECT_EQ(keep_order(two, {KeepRule::kPath, {folder}}), (std::vector<std::size_t>{1, 0})) << folder;
  // Keys that do not say where the files are.
  std::vector<DedupItem> named = {item(1, "a/1", 20, 100, 1), item(2, "b/2", 10, 100, 1)};
  named[1].file = "/x/keep/b/2";
  EXPECT_EQ(keep_order(named, {KeepRule::kPath, {"/x/keep"}}), (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(keep_order(named, {KeepRule::kPath, {"a"}}), (std::vector<std::size_t>{0, 1}));
  EXPECT_TRUE(lies_in(named[1], "/x/keep") && lies_in(named[1], "b"));
  EXPECT_FALSE(lies_in(named[0], "/x/keep") || lies_in(named[0], ""));
}

// The codes are more than what is checked when a collection is opened.
TEST_F(CollectionTest, DamagedCodesAreNotCompared) {
  constexpr std::uint32_t kBits = 4096;
  constexpr std::size_t kCount = 2100;
  auto writer = CollectionWriter::create(fs, home, test_create(kBits));
  const CodeMatrix codes = random_codes(kCount, kBits, 1);
  writer->add({&codes, test_records(kCount, 0), kModelA});
  writer.reset();
  EXPECT_EQ(read_collection(*view()).codes.size(), kCount);
  const std::string segment = join_path(home + "/segments", fs.list(home + "/segments").at(0));
  std::string content = get(segment);
  const std::size_t place = content.find(std::string(codes.row(9).begin(), codes.row(9).end()));
  ASSERT_NE(place, std::string::npos);
  content[place] = static_cast<char>(content[place] ^ 1);
  put(segment, content);
  EXPECT_EQ(error_of([&] { read_collection(*view()); }), ErrorCode::kCorrupt);
}

TEST(Duplicates, NamesAndWhatIsMissing) {
  EXPECT_EQ(parse_duplicate_level("same-pixels"), DuplicateLevel::kSamePixels);
  EXPECT_EQ(parse_keep_rule("sharpest"), KeepRule::kSharpest);
  EXPECT_THROW(parse_duplicate_level("alike"), Error);
  EXPECT_THROW(parse_keep_rule("best"), Error);
  DedupSet set = five();
  set.codes = CodeMatrix(0, 8);
  EXPECT_THROW(find_duplicates(set, {}, at(DuplicateLevel::kNear)), Error);
  EXPECT_EQ(find_duplicates(set, {}, at(DuplicateLevel::kSameBytes)).size(), 1u);
}

}  // namespace
}  // namespace signet
