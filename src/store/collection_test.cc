#include <algorithm>

#include "signet/base/fault_file_system.h"
#include "store/test_collection.h"
#include "store/writer.h"

namespace signet {
namespace {

TEST_F(CollectionTest, EmptyCollectionIsThereAndFindsNothing) {
  create();
  const auto shown = view();
  expect_contents(*shown);
  EXPECT_EQ(shown->info().bits, kTestBits);
  EXPECT_EQ(shown->info().model, kModelA);
  EXPECT_EQ(shown->info().class_names, test_create().class_names);
  EXPECT_EQ(shown->find("image/1.png"), std::nullopt);
  EXPECT_TRUE(shown->label_counts().empty());
}

TEST_F(CollectionTest, TheFoldersAboveANewCollectionAreAsDurableAsItself) {
  FaultFileSystem faulty;
  store::make_folders(faulty, path("deep/down/collection"));
  faulty.lose_power();
  EXPECT_TRUE(fs.exists(path("deep/down/collection/segments")));
}

TEST_F(CollectionTest, WhatWasAddedIsFoundWithItsRecordCodeAndDistance) {
  auto writer = create();
  grow(*writer, 50, 1);
  grow(*writer, 1, 51);
  grow(*writer, 200, 52);
  writer.reset();
  const auto shown = view();
  expect_contents(*shown);
  const auto record = shown->find("image/51.png");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->id, 51u);
  EXPECT_EQ(shown->get(51), record);
  EXPECT_EQ(shown->get(99999), std::nullopt);
  EXPECT_EQ(error_of([&] { shown->code(99999); }), ErrorCode::kNotFound);
}

TEST_F(CollectionTest, UpsertKeepsTheIdWhereTheCodeIsTheSameAndGivesANewOneElsewhere) {
  auto writer = create();
  grow(*writer, 10, 0);
  const CodeMatrix codes = random_codes(10, kTestBits, 1);  // the same codes as grow(10, 0)
  auto records = test_records(10, 0);
  records[4].user_json = "[1]";
  AddResult same = writer->add({&codes, records, kModelA}, {OnExisting::kReplace, false});
  EXPECT_EQ(same.updated, 1u);
  EXPECT_EQ(same.skipped, 9u);
  EXPECT_EQ(same.ids, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  naive.add(records[4], codes.row(4), 5);
  expect_contents(*view());

  const AddResult other = grow(*writer, 3, 5, OnExisting::kReplace, 77);
  EXPECT_EQ(other.replaced, 3u);
  EXPECT_EQ(other.ids, (std::vector<std::uint64_t>{11, 12, 13}));
  expect_contents(*view());
  EXPECT_EQ(view()->info().removed, 3u);
  EXPECT_EQ(view()->get(6), std::nullopt);

  const auto skip = writer->add({&codes, records, kModelA}, {OnExisting::kSkip, false});
  EXPECT_EQ(skip.skipped, 10u);
  EXPECT_EQ(skip.ids[5], 11u);
  expect_contents(*view());
}

TEST_F(CollectionTest, RemovalHidesAtOnceAndIdsAreNeverUsedAgain) {
  auto writer = create();
  grow(*writer, 30, 0);
  const std::vector<std::string> keys = {"image/29.png", "image/3.png", "nobody", "image/3.png"};
  const RemoveResult removed = writer->remove_keys(keys);
  EXPECT_EQ(removed.removed, 2u);
  EXPECT_EQ(removed.missing_keys, (std::vector<std::string>{"nobody", "image/3.png"}));
  naive.remove("image/29.png");
  naive.remove("image/3.png");
  expect_contents(*view());
  const std::vector<std::uint64_t> ids = {1, 500};
  EXPECT_EQ(writer->remove_ids(ids).missing_ids, (std::vector<std::uint64_t>{500}));
  naive.remove("image/0.png");
  writer.reset();
  writer = open();
  EXPECT_EQ(grow(*writer, 1, 29).ids[0], 31u);
  writer->compact();
  EXPECT_EQ(grow(*writer, 1, 3).ids[0], 32u);
  expect_contents(*view());
}

TEST_F(CollectionTest, CompactionKeepsIdsAndContentsAndOlderViews) {
  auto writer = create(one_segment_an_add());  // one segment an add
  for (std::uint64_t i = 0; i < 10; ++i) grow(*writer, 20, i * 20);
  const auto before = view();
  std::vector<std::uint64_t> ids;
  for (std::uint64_t id = 1; id <= 200; id += 3) ids.push_back(id);
  const NaiveCollection all = naive;
  writer->remove_ids(ids);
  for (const auto id : ids) naive.entries.erase(id);
  const CompactResult result = writer->compact(100);
  EXPECT_EQ(result.segments_before, 10u);
  EXPECT_EQ(result.segments_after, 2u);
  EXPECT_EQ(result.codes_dropped, ids.size());
  expect_contents(*view());
  EXPECT_EQ(view()->info().removed, 0u);
  EXPECT_EQ(view()->info().segments, 2u);
  EXPECT_EQ(contents(*before), all.entries);          // its files are gone, its mapping is not
  EXPECT_EQ(writer->compact(100).codes_dropped, 0u);  // nothing left to do
  EXPECT_EQ(writer->compact().segments_after, 1u);
  expect_contents(*view());
  EXPECT_TRUE(verify_collection(fs, home).ok());
}

TEST_F(CollectionTest, WhatChangesNothingMakesNoCommit) {
  auto writer = create();
  grow(*writer, 10, 0);
  const std::uint64_t commit = writer->info().commit;
  EXPECT_EQ(writer->remove_keys(std::vector<std::string>{"nobody"}).missing_keys.size(), 1u);
  EXPECT_EQ(writer->remove_ids(std::vector<std::uint64_t>{99}).missing_ids.size(), 1u);
  EXPECT_EQ(writer->erase_verdicts(std::vector<Verdict>{{1, 2, false}}), 0u);
  EXPECT_EQ(grow(*writer, 10, 0, OnExisting::kSkip).skipped, 10u);
  EXPECT_EQ(grow(*writer, 10, 0, OnExisting::kReplace).skipped, 10u);
  EXPECT_EQ(writer->info().commit, commit);
  EXPECT_EQ(view()->info().commit, commit);
  expect_contents(*view());

  const CodeMatrix codes = random_codes(10, kTestBits, 1);
  const std::vector<std::string> more = {"ten"};
  EXPECT_EQ(writer->add({&codes, test_records(10, 0), kModelA, more}, {OnExisting::kSkip, false}).skipped, 10u);
  EXPECT_EQ(writer->info().commit, commit + 1);
  EXPECT_EQ(view()->info().class_names.back(), "ten");
  EXPECT_EQ(writer->remove_keys(std::vector<std::string>{"nobody", "image/1.png"}).removed, 1u);
  EXPECT_EQ(writer->info().commit, commit + 2);
  naive.remove("image/1.png");
  expect_contents(*view());
}

TEST_F(CollectionTest, KeysWithAPrefixAndWhereTheModelIsNow) {
  auto writer = create();
  const CodeMatrix codes = random_codes(5, kTestBits, 1);
  std::vector<ImageRecord> records;
  for (const char* key : {"/b/2.png", "/b0/1.png", "/b/1.png", "/a/1.png", "/b\xff"}) records.push_back(test_record(key, 1));
  writer->add({&codes, records, kModelA}, {});
  EXPECT_EQ(writer->keys_with_prefix("/b/"), (std::vector<std::string>{"/b/1.png", "/b/2.png"}));
  EXPECT_EQ(writer->keys_with_prefix("/b\xff"), std::vector<std::string>{"/b\xff"});
  EXPECT_EQ(writer->keys_with_prefix("").size(), 5u);
  EXPECT_TRUE(writer->keys_with_prefix("/c").empty());
  writer->set_origin("/new/model.onnx", "/root");
  EXPECT_EQ(writer->info().model_path, "/new/model.onnx");
  EXPECT_EQ(view()->info().model_path, "/new/model.onnx");
}

TEST_F(CollectionTest, SmallAddsLeaveFewSegments) {
  auto writer = create();
  for (std::uint64_t i = 0; i < 100; ++i) grow(*writer, 1, i);
  EXPECT_LE(writer->info().segments, 7u);  // 100 = 64 + 32 + 4
  expect_contents(*view());
  EXPECT_EQ(fs.list(home + "/segments").size(), writer->info().segments);
}

TEST_F(CollectionTest, FiltersAndLabels) {
  auto writer = create(one_segment_an_add());
  grow(*writer, 70, 0);
  grow(*writer, 70, 70);
  const std::vector<std::uint64_t> gone = {1, 11, 21};
  writer->remove_ids(gone);
  for (const auto id : gone) naive.entries.erase(id);
  const auto shown = view();
  std::vector<std::uint64_t> sixes;
  for (const auto& [id, entry] : naive.entries) {
    if (entry.record.labels[0] == 6) sixes.push_back(id);
  }
  EXPECT_EQ(shown->ids_with_label(6), sixes);
  EXPECT_TRUE(shown->ids_with_label(77).empty());
  EXPECT_TRUE(shown->ids_with_label(-1).empty());
  const CodeMatrix queries = random_codes(2, kTestBits, 5);
  for (const auto& allowed : {sixes, std::vector<std::uint64_t>{2, 11, 71, 140, 141, 5'000'000}, std::vector<std::uint64_t>{}}) {
    const auto words = shown->filter_words(allowed);
    const IdFilter filter{words};
    SearchOptions options;
    options.filter = &filter;
    options.k = 9;
    const auto found = shown->search(queries, options);
    for (std::size_t q = 0; q < 2; ++q) {
      auto expected = naive.search(queries.row(q), kAllHits);
      std::erase_if(expected, [&](const Hit& hit) { return std::find(allowed.begin(), allowed.end(), hit.id) == allowed.end(); });
      if (expected.size() > 9) expected.resize(9);
      EXPECT_EQ(found.hits[q], expected);
    }
  }
  // A bitmap longer than the collection names codes that do not exist: no hits for them, no error.
  const std::vector<std::uint64_t> endless(1000, ~std::uint64_t{0});
  const IdFilter all{endless};
  SearchOptions options;
  options.filter = &all;
  options.k = kAllHits;
  EXPECT_EQ(shown->search(queries, options).hits[0].size(), naive.entries.size());
  writer->compact();  // ids are no longer consecutive
  EXPECT_EQ(view()->search(queries, options).hits[0], naive.search(queries.row(0), kAllHits));
}

TEST_F(CollectionTest, AFilterIsAsLargeAsTheCollectionHoweverLargeItsIds) {
  auto writer = create(one_segment_an_add());
  grow(*writer, 10, 0);
  const CodeMatrix codes = random_codes(3, kTestBits, 1);
  auto records = test_records(3, 10);
  records[0].id = 50;
  records[1].id = std::uint64_t{1} << 40;
  records[2].id = 4'000'000'000'000'000'000;
  writer->add({&codes, records, kModelA}, {OnExisting::kRefuse, true});
  const std::vector<std::uint64_t> allowed = {3, 49, 50, std::uint64_t{1} << 41, 4'000'000'000'000'000'000, ~std::uint64_t{0}};
  const auto shown = view();
  const auto words = shown->filter_words(allowed);
  EXPECT_EQ(words.size(), 1u);
  const IdFilter filter{words};
  SearchOptions options;
  options.filter = &filter;
  std::vector<std::uint64_t> found;
  const SearchResult result = shown->search(codes, options);
  for (const Hit& hit : result.hits[0]) found.push_back(hit.id);
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<std::uint64_t>{3, 50, 4'000'000'000'000'000'000}));
}

TEST_F(CollectionTest, KAndRadiusHaveDefinedAnswersAtTheirLimits) {
  auto writer = create(one_segment_an_add());
  grow(*writer, 40, 0);
  grow(*writer, 40, 40);
  const auto shown = view();
  const CodeMatrix queries = random_codes(2, kTestBits, 6);
  SearchOptions options;
  options.k = 0;
  EXPECT_TRUE(shown->search(queries, options).hits[0].empty());
  options.k = kAllHits;
  options.radius = 4'000'000'000u;
  EXPECT_EQ(shown->search(queries, options).hits[1].size(), 80u);
  for (const std::uint32_t radius : {0u, 15u, 20u, 44u}) {
    options.radius = radius;
    EXPECT_EQ(shown->search(queries, options).hits[0], naive.search(queries.row(0), kAllHits, radius));
    options.k = 5;
    EXPECT_EQ(shown->search(queries, options).hits[0], naive.search(queries.row(0), 5, radius));
    options.k = kAllHits;
  }
  const CodeMatrix wrong = random_codes(1, kTestBits + 1, 6);
  EXPECT_EQ(error_of([&] { shown->search(wrong, {}); }), ErrorCode::kMismatch);
  EXPECT_TRUE(shown->search(CodeMatrix(0, kTestBits), {}).hits.empty());
}

TEST_F(CollectionTest, IndexKindsAgree) {
  auto writer = create(one_segment_an_add());
  grow(*writer, 300, 0);
  grow(*writer, 200, 300);
  const std::vector<std::uint64_t> gone = {7, 300, 301, 450};
  writer->remove_ids(gone);
  for (const auto id : gone) naive.entries.erase(id);
  for (const char* kind : {"flat", "auto", "mih", "pivot"}) {
    ReaderOptions options;
    options.index = kind;
    options.index_from = 250;
    const auto collection = Collection::open(fs, home, options);
    collection->prepare();
    expect_contents(*collection->view());
    EXPECT_FALSE(collection->view()->explain({}, 1).empty());
  }
}

TEST_F(CollectionTest, APlanTellsOfEachSegmentsOwnPartOfTheFilter) {
  auto writer = create(one_segment_an_add());
  grow(*writer, 200, 0);
  grow(*writer, 300, 200);  // the larger one is searched first
  const auto view = Collection::open(fs, home)->view();
  const std::vector<std::uint64_t> wanted = {201, 202};  // both in the second
  const std::vector<std::uint64_t> words = view->filter_words(wanted);
  const IdFilter filter{words};
  SearchOptions options;
  options.filter = &filter;
  const std::string text = view->explain(options, 1);
  const auto second = text.find("300 codes"), first = text.find("the filter leaves none of its codes");
  ASSERT_NE(second, std::string::npos) << text;
  ASSERT_NE(first, std::string::npos) << text;
  EXPECT_LT(second, first);
  EXPECT_EQ(text.find("200 codes"), std::string::npos) << text;
}

TEST_F(CollectionTest, AnOpenReaderSeesNewCommitsAndKeepsOldViews) {
  auto writer = create();
  grow(*writer, 5, 0);
  const auto collection = Collection::open(fs, home);
  const auto first = collection->view();
  EXPECT_EQ(collection->view(), first);  // nothing changed: the same object
  const NaiveCollection old = naive;
  grow(*writer, 5, 5);
  writer->remove_keys(std::vector<std::string>{"image/1.png"});
  naive.remove("image/1.png");
  EXPECT_EQ(contents(*first), old.entries);
  expect_contents(*collection->view());
  EXPECT_EQ(contents(*first), old.entries);
}

TEST_F(CollectionTest, KeepIdsCarriesIdsOverAndReservesThem) {
  auto writer = create();
  const CodeMatrix codes = random_codes(3, kTestBits, 1);
  auto records = test_records(3, 0);
  records[0].id = 5;
  records[1].id = 9;
  records[2].id = std::uint64_t{1} << 40;  // offsets of 64 bits
  const auto result = writer->add({&codes, records, kModelA}, {OnExisting::kRefuse, true});
  EXPECT_EQ(result.ids, (std::vector<std::uint64_t>{5, 9, std::uint64_t{1} << 40}));
  for (std::size_t i = 0; i < 3; ++i) naive.add(records[i], codes.row(i), records[i].id);
  writer->reserve_ids_below((std::uint64_t{1} << 40) + 100);
  EXPECT_EQ(grow(*writer, 1, 50).ids[0], (std::uint64_t{1} << 40) + 100);
  expect_contents(*view());
  records[0].key = "other";
  const CodeMatrix one = random_codes(1, kTestBits, 2);
  EXPECT_EQ(error_of([&] {
              writer->add({&one, std::span(records).first(1), kModelA}, {OnExisting::kRefuse, true});
            }),
            ErrorCode::kInvalidArgument);
}

TEST_F(CollectionTest, UpdateChangesRecordsAndLabelsOnly) {
  auto writer = create();
  grow(*writer, 20, 0);
  ImageRecord record = test_record("image/7.png", 7);
  record.labels = {3, 1, 3};
  record.user_json = "\"seen\"";
  writer->update(std::span(&record, 1));
  record.labels = {1, 3};
  naive.entries[8].record = record;
  naive.entries[8].record.id = 8;
  expect_contents(*view());
  EXPECT_EQ(view()->ids_with_label(3), (std::vector<std::uint64_t>{4, 8, 14}));
  EXPECT_EQ(view()->ids_with_label(7), (std::vector<std::uint64_t>{18}));
  EXPECT_EQ(view()->label_counts(), (std::map<std::int32_t, std::uint64_t>{
                                        {0, 2}, {1, 3}, {2, 2}, {3, 3}, {4, 2}, {5, 2}, {6, 2}, {7, 1}, {8, 2}, {9, 2}}));
  record.key = "nobody";
  EXPECT_EQ(error_of([&] { writer->update(std::span(&record, 1)); }), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace signet
