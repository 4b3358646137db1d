#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <thread>

#include "serve/service_state.h"
#include "serve/test_locks.h"
#include "serve/test_service.h"
#include "signet/base/fault_file_system.h"

namespace signet {
namespace {

class ServiceTest : public ServeTest {
 protected:
  // Ids by (distance, id) of the fixture's codes, computed plainly.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> naive(std::span<const std::uint8_t> code) const {
    std::vector<std::pair<std::uint32_t, std::uint64_t>> all;
    for (std::size_t i = 0; i < codes_.size(); ++i) all.emplace_back(hamming_distance(code, codes_.row(i)), i + 1);
    std::sort(all.begin(), all.end());
    return all;
  }
  static std::span<const std::byte> bytes(const std::string& text) { return as_bytes(text); }
  SearchQuery by_code(std::size_t i) const {
    SearchQuery query;
    query.query = SearchQuery::Code{{codes_.row(i).begin(), codes_.row(i).end()}};
    return query;
  }
};

TEST_F(ServiceTest, FindsWhatANaiveScanFinds) {
  const Service service(real_file_system(), service_options());
  for (std::size_t i = 0; i < codes_.size(); ++i) {
    SearchQuery query = by_code(i);
    query.k = 7;
    const SearchAnswer answer = service.search(query);
    const auto expected = naive(codes_.row(i));
    ASSERT_EQ(answer.hits.size(), 7u);
    for (std::size_t j = 0; j < 7; ++j) {
      EXPECT_EQ(answer.hits[j].distance, expected[j].first);
      EXPECT_EQ(answer.hits[j].image.record.id, expected[j].second);
      EXPECT_EQ(answer.hits[j].image.code, hex(expected[j].second - 1));
      EXPECT_EQ(answer.hits[j].image.label, expected[j].second % 2 == 1 ? "even" : "odd");
    }
  }
}

TEST_F(ServiceTest, AsksInFourWaysForTheSame) {
  const Service service(real_file_system(), service_options());
  const std::string png = test_png(4);
  std::vector<SearchQuery> queries(4);
  queries[0] = by_code(4);
  queries[1].query = SearchQuery::Key{key(4)};
  queries[2].query = SearchQuery::Id{5};
  queries[3].query = SearchQuery::Picture{bytes(png)};
  for (const SearchQuery& query : queries) {
    const SearchAnswer answer = service.search(query);
    EXPECT_EQ(answer.code, hex(4));
    EXPECT_EQ(answer.total, 10u);
    EXPECT_EQ(answer.hits.front().distance, 0u);
  }
  const EncodedPicture encoded = service.encode(bytes(png));
  EXPECT_EQ(encoded.code, hex(4));
  const SearchAnswer answer = service.search(queries[3]);
  ASSERT_EQ(answer.margins.size(), kServeBits);
  for (std::size_t k = 0; k < kServeBits; ++k) EXPECT_EQ(answer.margins[k], std::abs(encoded.outputs[k]));
}

TEST_F(ServiceTest, FiltersPagesAndBounds) {
  const Service service(real_file_system(), service_options());
  SearchQuery query = by_code(0);
  query.radius = kServeBits;
  EXPECT_EQ(service.search(query).total, kServeImages);
  query.labels = {"odd"};
  const SearchAnswer odd = service.search(query);
  EXPECT_EQ(odd.total, kServeImages / 2);
  for (const SearchHit& hit : odd.hits) EXPECT_EQ(hit.image.label, "odd");
  query.labels = {"odd", "0"};  // by number too
  EXPECT_EQ(service.search(query).total, kServeImages);
  const SearchAnswer all = service.search(query);
  query.offset = 10;
  query.limit = 5;
  const SearchAnswer page = service.search(query);
  ASSERT_EQ(page.hits.size(), 5u);
  EXPECT_EQ(page.total, kServeImages);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(page.hits[i].image.record.id, all.hits[10 + i].image.record.id);
  query.offset = 1'000'000;
  EXPECT_TRUE(service.search(query).hits.empty());
}

TEST_F(ServiceTest, RefusesWhatIsOutOfRange) {
  const Service service(real_file_system(), service_options());
  SearchQuery query = by_code(0);
  query.k = 10'000;
  EXPECT_EQ(service.search(query).total, kServeImages);
  std::string message;
  query.k = 10'001;
  EXPECT_EQ(error_of([&] { service.search(query); }, &message), ErrorCode::kInvalidArgument);
  EXPECT_NE(message.find("1 to 10000, not 10001"), std::string::npos) << message;
  query.k = 0;
  EXPECT_EQ(error_of([&] { service.search(query); }), ErrorCode::kInvalidArgument);
  query.k = 1;
  query.limit = 1001;
  EXPECT_EQ(error_of([&] { service.search(query); }), ErrorCode::kInvalidArgument);
  query.limit.reset();
  query.labels = {"none such"};
  EXPECT_EQ(error_of([&] { service.search(query); }), ErrorCode::kNotFound);
  query.labels.clear();
  for (const std::vector<std::uint8_t>& code : {std::vector<std::uint8_t>{}, {1}, {1, 2, 3}, {0xff, 0xff}}) {
    query.query = SearchQuery::Code{code};
    EXPECT_EQ(error_of([&] { service.search(query); }), ErrorCode::kInvalidArgument) << code.size();
  }
  query.query = SearchQuery::Id{999};
  EXPECT_EQ(error_of([&] { service.search(query); }), ErrorCode::kNotFound);
}

TEST_F(ServiceTest, RefusesPicturesThatAreNone) {
  ServiceOptions options = service_options();
  options.max_pixels = 100;
  const Service service(real_file_system(), options);
  const std::string png = test_png(1);
  for (const std::string& picture :
       {std::string(), std::string("no picture"), png.substr(0, png.size() / 2), test_png(1, 11, 10)})
    EXPECT_EQ(error_of([&] { service.encode(bytes(picture)); }), ErrorCode::kInvalidArgument) << picture.size();
  EXPECT_EQ(error_of([&] { service.encode(bytes("GIF89a.........")); }), ErrorCode::kUnsupported);
}

// A service with memory for one picture of 100 pixels, and such a picture that is decoded and waits for its pass until let_go().
class ServiceMemoryTest : public ServiceTest {
 protected:
  static ServiceOptions with_little_memory(ServiceOptions options, double wait_seconds) {
    options.threads = 1;
    options.max_pixels = 100;
    options.max_picture_memory = 0;  // what one of 100 pixels needs, then
    options.memory_seconds = options.patient_memory_seconds = wait_seconds;
    return options;
  }
  void hold_memory(const Service& service) {
    service.search(by_code(0), [&](const SearchAnswer&, const std::exception_ptr&) {
      begun_.set_value();
      end_.get_future().wait();
    });
    begun_.get_future().wait();
    SearchQuery query;
    query.query = SearchQuery::Picture{bytes(png_)};
    service.search(query, [&](const SearchAnswer&, const std::exception_ptr& error) { answered_.set_value(error == nullptr); });
    EXPECT_EQ(service.picture_bytes(), 100u);  // one channel, decoded
  }
  void let_go() {
    end_.set_value();
    EXPECT_TRUE(answered_.get_future().get());
  }
  std::vector<BulkItem> a_code_and_a_picture() const {
    return {{"a", {}, {codes_.row(3).begin(), codes_.row(3).end()}, ""}, {"b", {}, {}, png_}};
  }
  const std::string png_ = test_png(1, 10, 10);

 private:
  std::promise<void> begun_, end_;
  std::promise<bool> answered_;
};

TEST_F(ServiceMemoryTest, PicturesAreRefusedWhereOthersHoldTheMemoryForTooLong) {
  put(key(3), png_);
  Service service(real_file_system(), with_little_memory(service_options(), 0.01));
  hold_memory(service);
  std::string message;
  EXPECT_EQ(error_of([&] { service.encode(bytes(png_)); }, &message), ErrorCode::kBusy);
  EXPECT_NE(message.find("needs 700 bytes"), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { service.put("new", bytes(png_), std::nullopt); }), ErrorCode::kBusy);
  EXPECT_EQ(error_of([&] { service.add(a_code_and_a_picture()); }), ErrorCode::kBusy);
  EXPECT_EQ(error_of([&] { service.thumbnail(service.record(4), 32); }), ErrorCode::kBusy);  // and not that it is gone
  // What is refused for ever does not hear that it may come back.
  EXPECT_EQ(error_of([&] { service.encode(bytes(test_png(1, 11, 10))); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { service.encode(bytes("no picture")); }), ErrorCode::kInvalidArgument);
  let_go();
  EXPECT_NO_THROW(service.encode(bytes(png_)));
  EXPECT_NO_THROW(service.encode(bytes(png_)));
  EXPECT_NO_THROW(service.thumbnail(service.record(4), 32));
  EXPECT_EQ(service.picture_bytes(), 0u);
  EXPECT_EQ(service.info().images, kServeImages);
}

TEST_F(ServiceMemoryTest, PicturesWaitForTheMemoryThatOthersHold) {
  put(key(3), png_);
  Service service(real_file_system(), with_little_memory(service_options(), 3600));
  hold_memory(service);
  auto encoded = std::async(std::launch::async, [&] { return service.encode(bytes(png_)).code; });
  auto shown = std::async(std::launch::async, [&] { return service.thumbnail(service.record(4), 32).content_type; });
  auto added = std::async(std::launch::async, [&] { return service.add(a_code_and_a_picture()); });
  auto changed = std::async(std::launch::async, [&] { return service.put("new", bytes(png_), std::nullopt).created; });
  eventually([&] { return service.pictures_waiting() == 4; }, "all four wait");
  SearchQuery at_once;
  at_once.query = SearchQuery::Picture{bytes(png_), true};
  EXPECT_EQ(error_of([&] { service.search(at_once); }), ErrorCode::kBusy);
  let_go();
  EXPECT_EQ(shown.get(), "image/png");
  EXPECT_TRUE(changed.get());
  for (const BulkOutcome& outcome : added.get()) EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(service.image("b").code, encoded.get());
  EXPECT_EQ(service.pictures_waiting(), 0u);
  EXPECT_EQ(service.picture_bytes(), 0u);
  EXPECT_EQ(service.info().images, kServeImages + 3);
}

TEST_F(ServiceMemoryTest, ABulkRequestEndsBetweenItsPicturesOnceTheServiceGivesUp) {
  Service service(real_file_system(), with_little_memory(service_options(), 3600));
  hold_memory(service);
  auto added = std::async(std::launch::async, [&] {
    return error_of([&] { service.add({{"a", "third", {}, png_}, {"b", {}, {}, png_}}); });
  });
  eventually([&] { return service.pictures_waiting() == 1; }, "the first picture waits");
  service.give_up();
  let_go();
  EXPECT_EQ(added.get(), ErrorCode::kBusy);
  EXPECT_EQ(error_of([&] { service.put("new", bytes(png_), std::nullopt); }), ErrorCode::kBusy);
  EXPECT_EQ(error_of([&] { service.remove(key(0)); }), ErrorCode::kBusy);
  const CollectionInfo info = Collection::open(real_file_system(), path("c"))->view()->info();
  EXPECT_EQ(info.images, kServeImages);
  EXPECT_EQ(info.class_names, (std::vector<std::string>{"even", "odd"}));
  EXPECT_EQ(service.search(by_code(0)).total, 10u);
}

TEST_F(ServiceTest, BrowsesByIdsOffsetsAndLabels) {
  Service service(real_file_system(), service_options());
  service.remove(key(4));
  ImagesQuery query;
  query.limit = 10;
  std::vector<std::uint64_t> ids;
  for (std::optional<std::uint64_t> after = 0; after;) {
    query.after = *after;
    const ImagesPage page = service.images(query);
    EXPECT_EQ(page.total, kServeImages - 1);
    for (const ImageEntry& image : page.images) ids.push_back(image.record.id);
    after = page.next;
  }
  ASSERT_EQ(ids.size(), kServeImages - 1);
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 5u), 0);
  query.after = 0;
  query.offset = 20;
  EXPECT_EQ(service.images(query).images.front().record.id, ids[20]);
  query.offset = 1000;
  EXPECT_TRUE(service.images(query).images.empty());
  query.offset = 0;
  query.label = "odd";
  EXPECT_EQ(service.images(query).total, kServeImages / 2);
  query.label = "even";
  EXPECT_EQ(service.images(query).total, kServeImages / 2 - 1);
}

TEST_F(ServiceTest, SeesWhatAnotherWriterCommits) {
  const Service service(real_file_system(), service_options());
  EXPECT_EQ(service.info().images, kServeImages);
  const auto writer = CollectionWriter::open(real_file_system(), path("c"));
  const std::string gone = key(0);
  writer->remove_keys(std::span(&gone, 1));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (service.info().images == kServeImages && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_EQ(service.info().images, kServeImages - 1);
  EXPECT_EQ(error_of([&] { service.image(gone); }), ErrorCode::kNotFound);
}

TEST_F(ServiceTest, WritesWhatTheNextQuestionSees) {
  Service service(real_file_system(), service_options());
  const std::string png = test_png(90);
  const PutResult put = service.put("new", bytes(png), "third");
  EXPECT_TRUE(put.created);
  EXPECT_EQ(put.id, kServeImages + 1);
  const ImageEntry image = service.image("new");
  EXPECT_EQ(image.label, "third");
  EXPECT_EQ(image.record.width, kServeSide);
  EXPECT_EQ(image.record.bytes, png.size());
  EXPECT_EQ(image.code, service.encode(bytes(png)).code);
  EXPECT_FALSE(service.put("new", bytes(png), std::nullopt).created);
  EXPECT_EQ(service.image("new").label, "third");  // kept
  EXPECT_EQ(service.image("new").record.id, put.id);
  service.remove("new");
  EXPECT_EQ(error_of([&] { service.image("new"); }), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { service.remove("new"); }), ErrorCode::kNotFound);
}

TEST_F(ServiceTest, BulkAddsWhatItCanAndSaysWhatItCannot) {
  Service service(real_file_system(), service_options());
  const std::vector<std::uint8_t> code(codes_.row(3).begin(), codes_.row(3).end());
  std::vector<BulkItem> items = {{"a", "odd", code, ""}, {"b", {}, {}, test_png(5)},  {"a", {}, code, ""},
                                 {"", {}, code, ""},     {"c", {}, {}, "no picture"}, {"d", {}, {1, 2, 3, 4}, ""},
                                 {"e", "", code, ""},    {key(3), {}, code, ""}};
  const auto outcomes = service.add(std::move(items));
  ASSERT_EQ(outcomes.size(), 8u);
  EXPECT_EQ(outcomes[0].id, kServeImages + 1);
  EXPECT_EQ(outcomes[1].id, kServeImages + 2);
  for (const std::size_t bad : {2, 3, 4, 5, 6}) EXPECT_NE(outcomes[bad].error, "") << bad;
  EXPECT_EQ(outcomes[7].id, 4u);
  EXPECT_EQ(service.info().images, kServeImages + 2);
  EXPECT_EQ(service.image("a").label, "odd");
  EXPECT_EQ(service.image("b").code, hex(5));
  EXPECT_EQ(service.image(key(3)).label, "odd");
}

// All that a record can hold stands in each of the first four; then each is written to in another way.
TEST_F(ServiceTest, BulkKeepsWhatItDoesNotSay) {
  std::vector<ImageRecord> before;
  {
    const auto writer = CollectionWriter::open(real_file_system(), path("c"));
    for (std::size_t i = 0; i < 4; ++i) {
      before.push_back(*writer->find(key(i)));
      before[i].modified_ns = 1234;
      before[i].sha256 = std::string(64, 'a');
      before[i].user_json = R"({"mine":true})";
    }
    writer->update(before);
  }
  Service service(real_file_system(), service_options());
  const auto add = [&](BulkItem item) {
    std::vector<BulkItem> items;
    items.push_back(std::move(item));
    const BulkOutcome outcome = service.add(std::move(items)).front();
    EXPECT_EQ(outcome.error, "");
    return service.image(outcome.id).record;
  };
  const auto code = [&](std::size_t i) { return std::vector<std::uint8_t>(codes_.row(i).begin(), codes_.row(i).end()); };
  EXPECT_EQ(add({key(0), {}, code(0), ""}), before[0]);
  ImageRecord labelled = before[1];
  labelled.labels = {0};
  EXPECT_EQ(add({key(1), "even", code(1), ""}), labelled);
  ImageRecord of_another_picture;
  of_another_picture.key = key(2);
  of_another_picture.id = kServeImages + 1;
  of_another_picture.labels = before[2].labels;
  of_another_picture.user_json = before[2].user_json;
  std::vector<std::uint8_t> another = code(2);
  another[0] ^= 1;
  EXPECT_EQ(add({key(2), {}, another, ""}), of_another_picture);
  const ImageRecord sent = add({key(3), {}, {}, test_png(3)});
  EXPECT_EQ(sent.user_json, before[3].user_json);
  EXPECT_EQ(sent.labels, before[3].labels);
  EXPECT_EQ(sent.width, kServeSide);
  EXPECT_NE(sent.sha256, before[3].sha256);
  EXPECT_NE(sent.modified_ns, before[3].modified_ns);
}

TEST_F(ServiceTest, ACollectionBoundToNoModelTakesCodesOnly) {
  CreateOptions create;
  create.bits = kServeBits;
  CollectionWriter::create(real_file_system(), path("unbound"), create);
  ServiceOptions options = service_options();
  options.collection = path("unbound");
  options.model = path("model.onnx");
  Service service(real_file_system(), options);
  std::string message;
  EXPECT_EQ(error_of([&] { service.put("a", bytes(test_png(1)), "new"); }, &message), ErrorCode::kMismatch);
  EXPECT_NE(message.find("bound to no model"), std::string::npos) << message;
  const std::vector<std::uint8_t> code(codes_.row(3).begin(), codes_.row(3).end());
  const auto outcomes = service.add({{"a", "new", {}, test_png(1)}, {"b", {}, code, ""}});
  EXPECT_EQ(outcomes[0].error, message);
  EXPECT_EQ(outcomes[1].error, "");
  EXPECT_EQ(service.info().images, 1u);
  EXPECT_TRUE(service.info().class_names.empty());  // a refused picture leaves no label
}

// What it cannot write it does not offer to write, from the start.
TEST_F(ServiceTest, AFolderThatCannotBeWrittenIsServedReadOnly) {
  using std::filesystem::perms;
  std::filesystem::permissions(
      path("c"), perms::owner_all | perms::group_read | perms::group_exec | perms::others_read | perms::others_exec);
  const int result = as_nobody([&] {
    try {
      const Service service(real_file_system(), service_options());
      return service.writable() || service.summary().writable ? 1 : 0;
    } catch (const std::exception&) {
      return 2;
    }
  });
  EXPECT_EQ(result, 0);
}

TEST_F(ServiceTest, LabelsThatAreNumbersGetNoNames) {
  CreateOptions create;
  create.bits = kServeBits;
  create.model = fingerprint_;
  std::vector<ImageRecord> records(2);
  records[0].key = "zero", records[1].key = "five";
  records[0].labels = {0}, records[1].labels = {5};
  const std::vector<std::size_t> rows = {0, 1};
  const CodeMatrix codes = codes_.rows(rows);
  CollectionWriter::create(real_file_system(), path("numbers"), create)->add({&codes, records, fingerprint_});
  ServiceOptions options = service_options();
  options.collection = path("numbers");
  options.model = path("model.onnx");
  const auto items = [&](const std::string& key, const std::string& label) {
    std::vector<BulkItem> one(1);
    one[0].key = key;
    one[0].label = label;
    one[0].code.assign(codes_.row(0).begin(), codes_.row(0).end());
    return one;
  };
  Service service(real_file_system(), options);
  std::vector<BulkItem> both = items("c", "cat");
  both.push_back(items("d", "6").front());
  const auto outcomes = service.add(both);
  EXPECT_NE(outcomes[0].error.find("numbers without names"), std::string::npos) << outcomes[0].error;
  EXPECT_EQ(outcomes[1].error, "");
  EXPECT_EQ(service.image("d").label, "6");
  EXPECT_FALSE(service.add(items("c", "cat"))[0].error.empty());
  EXPECT_EQ(error_of([&] { service.put("a", bytes(test_png(1)), "cat"); }), ErrorCode::kInvalidArgument);
  service.add(items("a", "5"));
  service.put("b", bytes(test_png(1)), "7");
  EXPECT_EQ(service.image("a").record.labels, std::vector<std::int32_t>{5});
  EXPECT_EQ(service.image("b").label, "7");
  EXPECT_EQ(service.image("zero").label, "0");
  EXPECT_TRUE(service.info().class_names.empty());
}

TEST_F(ServiceTest, TheWriterIsGivenUpAfterWhatIsNoError) {
  WriterLease lease(real_file_system(), path("c"), 3600);
  EXPECT_THROW(lease.use([](CollectionWriter&) -> int { throw std::bad_alloc(); }), std::bad_alloc);
  EXPECT_NO_THROW(CollectionWriter::open(real_file_system(), path("c")));
}

TEST_F(ServiceTest, NamesTheOtherWriter) {
  Service service(real_file_system(), service_options());
  const auto writer = CollectionWriter::open(real_file_system(), path("c"));
  std::string message;
  EXPECT_EQ(error_of([&] { service.remove(key(1)); }, &message), ErrorCode::kBusy);
  EXPECT_NE(message.find(std::to_string(::getpid())), std::string::npos) << message;
  EXPECT_EQ(service.info().images, kServeImages);
}

TEST_F(ServiceTest, GivesTheWritersLockBack) {
  Service service(real_file_system(), service_options());
  service.remove(key(1));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  bool opened = false;
  while (!opened && std::chrono::steady_clock::now() < end) {
    try {
      CollectionWriter::open(real_file_system(), path("c"));
      opened = true;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kBusy);
      std::this_thread::yield();
    }
  }
  EXPECT_TRUE(opened);
  service.remove(key(2));
  service.stop();
  CollectionWriter::open(real_file_system(), path("c"));
  EXPECT_EQ(error_of([&] { service.remove(key(3)); }), ErrorCode::kUsage);
}

TEST_F(ServiceTest, FullDiskChangesNothingAndIsOver) {
  FaultFileSystem fs;
  Service service(fs, service_options());
  const std::string png = test_png(90);
  fs.fail_at(fs.operations() + 1, Fault::kNoSpace, true);
  EXPECT_EQ(error_of([&] { service.put("new", bytes(png), std::nullopt); }), ErrorCode::kIo);
  EXPECT_TRUE(fs.fault_hit());
  EXPECT_EQ(service.info().images, kServeImages);
  EXPECT_EQ(service.search(by_code(0)).total, 10u);
  fs.clear_fault();
  EXPECT_TRUE(service.put("new", bytes(png), std::nullopt).created);
  EXPECT_EQ(service.info().images, kServeImages + 1);
}

TEST_F(ServiceTest, ShowsPicturesInsideItsRootsOnly) {
  std::filesystem::create_directories(path("elsewhere"));
  put(path("elsewhere/secret.png"), test_png(1));
  std::filesystem::create_symlink(path("elsewhere/secret.png"), path("pictures/link.png"));
  Service service(real_file_system(), service_options());
  const auto id_of = [&](const std::string& name) {
    std::vector<BulkItem> items(1);
    items[0].key = name;
    items[0].code.assign(codes_.row(0).begin(), codes_.row(0).end());
    return service.add(std::move(items)).front().id;
  };
  const SmallPicture thumbnail = service.thumbnail(service.record(3), 32);
  EXPECT_EQ(thumbnail.content_type, "image/png");
  EXPECT_EQ(decode_image(as_bytes(thumbnail.bytes), "thumbnail"), testing_networks::random_image(kServeSide, kServeSide, 1, 2));
  EXPECT_NO_THROW(service.thumbnail(service.record(id_of("7.png")), 32));  // relative to the root
  for (const std::string& name :
       {path("elsewhere/secret.png"), path("pictures/link.png"), path("pictures/../elsewhere/secret.png"),
        std::string("../elsewhere/secret.png"), std::string("/etc/passwd"), std::string("/dev/zero"), path("pictures"),
        path("picturesque.png"), std::string("none.png")}) {
    std::string message;
    EXPECT_EQ(error_of([&] { service.thumbnail(service.record(id_of(name)), 32); }, &message), ErrorCode::kNotFound) << name;
    EXPECT_EQ(message.find(folder()), std::string::npos) << message;
  }
  put(path("pictures/8.png"), "no picture any more");
  EXPECT_EQ(error_of([&] { service.thumbnail(service.record(9), 32); }), ErrorCode::kNotFound);
  EXPECT_EQ(error_of([&] { service.thumbnail(service.record(1), 8); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { service.thumbnail(service.record(1), 4096); }), ErrorCode::kInvalidArgument);
}

TEST_F(ServiceTest, AThumbnailIsOfTheRecordThatItIsAskedWith) {
  Service service(real_file_system(), service_options());
  const ImageRecord record = service.record(4);
  EXPECT_EQ(record.key, key(3));
  service.remove(key(3));  // after the record was looked at
  EXPECT_EQ(error_of([&] { service.record(4); }), ErrorCode::kNotFound);
  EXPECT_EQ(service.thumbnail(record, 32).content_type, "image/png");
}

// A collection inside a folder whose pictures are shown. Whoever opened the catalog here would take SQLite's locks from it.
TEST_F(ServiceTest, ItsOwnCatalogIsNoPicture) {
  ServiceOptions options = service_options();
  options.roots = {folder()};
  options.refresh_seconds = options.writer_seconds = 3600;
  Service service(real_file_system(), options);
  const std::string catalog = path("c/catalog.sqlite");
  const std::vector<std::uint8_t> code(codes_.row(0).begin(), codes_.row(0).end());
  const std::uint64_t id = service.add({{catalog, {}, code, ""}}).front().id;
  ASSERT_TRUE(is_locked(catalog));
  EXPECT_EQ(error_of([&] { service.thumbnail(service.record(id), 32); }), ErrorCode::kNotFound);
  EXPECT_TRUE(is_locked(catalog));
}

TEST_F(ServiceTest, ShrinksLargePicturesAndKeepsTheirShape) {
  put(path("pictures/large.png"), test_png(1, 400, 100));
  Service service(real_file_system(), service_options());
  const std::string png = test_png(1, 400, 100);
  const std::uint64_t id = service.put(path("pictures/large.png"), bytes(png), std::nullopt).id;
  const SmallPicture thumbnail = service.thumbnail(service.record(id), 96);
  EXPECT_EQ(thumbnail.content_type, "image/jpeg");
  const Image image = decode_image(as_bytes(thumbnail.bytes), "thumbnail");
  EXPECT_EQ(image.width, 96u);
  EXPECT_EQ(image.height, 24u);
}

TEST_F(ServiceTest, ServesWithoutAModelAndWithoutTheRightToWrite) {
  std::filesystem::remove(path("model.onnx"));
  ServiceOptions options = service_options();
  options.writable = false;
  Service service(real_file_system(), options);
  EXPECT_FALSE(service.can_encode());
  EXPECT_FALSE(service.writable());
  EXPECT_EQ(service.search(by_code(0)).total, 10u);
  const std::string png = test_png(1);
  EXPECT_EQ(error_of([&] { service.encode(bytes(png)); }), ErrorCode::kUsage);
  EXPECT_EQ(error_of([&] { service.remove(key(0)); }), ErrorCode::kUsage);
  options.model = path("model.onnx");
  EXPECT_EQ(error_of([&] { Service(real_file_system(), options); }), ErrorCode::kNotFound);
}

TEST_F(ServiceTest, RefusesAnotherModel) {
  write_model(real_file_system(), path("other.onnx"),
              testing_networks::model_for(testing_networks::airbench(1, kServeSide, {2, 2, 2}, kServeBits, 9), kServeBits));
  ServiceOptions options = service_options();
  options.model = path("other.onnx");
  EXPECT_EQ(error_of([&] { Service(real_file_system(), options); }), ErrorCode::kMismatch);
}

// A collection that knows no model takes the codes of any, but not codes of another length, even where their bytes are as many.
TEST_F(ServiceTest, RefusesAModelOfAnotherLength) {
  CreateOptions create;
  create.bits = kServeBits - 2;
  CollectionWriter::create(real_file_system(), path("unbound"), create);
  ServiceOptions options = service_options();
  options.collection = path("unbound");
  options.model = path("model.onnx");
  std::string message;
  EXPECT_EQ(error_of([&] { Service(real_file_system(), options); }, &message), ErrorCode::kMismatch);
  EXPECT_NE(message.find("12 bits"), std::string::npos) << message;
}

TEST_F(ServiceTest, MapsCodesTheSameWayEveryTime) {
  const Service service(real_file_system(), service_options());
  const auto map = service.map(1000);
  ASSERT_EQ(map->points.size(), kServeImages);
  EXPECT_EQ(map->labels, (std::vector<std::string>{"even", "odd"}));
  float most_x = 0;
  for (std::size_t i = 0; i < map->points.size(); ++i) {
    EXPECT_EQ(map->points[i].id, i + 1);
    EXPECT_EQ(map->points[i].label, static_cast<std::int32_t>(i % 2));
    most_x = std::max(most_x, std::abs(map->points[i].x));
  }
  EXPECT_EQ(most_x, 1.0f);
  const Service again(real_file_system(), service_options());
  const auto second = again.map(1000);
  for (std::size_t i = 0; i < map->points.size(); ++i) {
    EXPECT_EQ(second->points[i].x, map->points[i].x);
    EXPECT_EQ(second->points[i].y, map->points[i].y);
  }
  EXPECT_EQ(service.map(7)->points.size(), 7u);
  EXPECT_EQ(error_of([&] { service.map(0); }), ErrorCode::kInvalidArgument);
}

// Readers search without a pause while images come and go and segments are compacted by somebody else.
TEST_F(ServiceTest, ManyAtOnceGetWhatEachGetsAlone) {
  ServiceOptions options = service_options();
  options.threads = 1;  // one pass at a time: the others wait and share the next
  Service service(real_file_system(), options);
  std::vector<std::vector<std::pair<std::uint64_t, std::uint32_t>>> expected;
  const auto pairs = [](const SearchAnswer& answer) {
    std::vector<std::pair<std::uint64_t, std::uint32_t>> found;
    for (const SearchHit& hit : answer.hits) found.emplace_back(hit.image.record.id, hit.distance);
    return found;
  };
  const auto query = [&](std::size_t i, const std::string& png) {
    SearchQuery asked = by_code(i);
    if (i % 3 == 0) asked.query = SearchQuery::Picture{as_bytes(png)};
    return asked;
  };
  for (std::size_t i = 0; i < kServeImages; ++i) expected.push_back(pairs(service.search(query(i, test_png(i)))));
  std::atomic<std::size_t> wrong{0}, shared{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t round = 0; round < 1000 && (round < 30 || shared == 0); ++round) {
        const std::size_t i = (t * 7 + round) % kServeImages;
        const std::string png = test_png(i);
        const SearchAnswer answer = service.search(query(i, png));
        if (pairs(answer) != expected[i] || answer.code != hex(i)) ++wrong;
        if (answer.searches > 1) ++shared;
        if (i % 3 == 0 && service.encode(as_bytes(png)).code != hex(i)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(shared, 0u);
}

TEST_F(ServiceTest, AnswersAllTheWhile) {
  Service service(real_file_system(), service_options());
  std::atomic<bool> done{false};
  std::atomic<std::size_t> answers{0}, wrong{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&, t] {
      while (!done.load()) {
        SearchQuery query = by_code(static_cast<std::size_t>(10 + t));
        query.k = 1;
        const SearchAnswer answer = service.search(query);
        if (answer.hits.size() != 1 || answer.hits[0].distance != 0) wrong.fetch_add(1);
        answers.fetch_add(1);
      }
    });
  }
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 5; ++i)
      service.put(concat("new/", i), bytes(test_png(static_cast<std::uint64_t>(100 + round * 5 + i))), "odd");
    for (int i = 0; i < 5; ++i) service.remove(concat("new/", i));
  }
  service.stop();
  CollectionWriter::open(real_file_system(), path("c"))->compact();
  const std::size_t before = answers.load();
  while (answers.load() < before + 20) std::this_thread::yield();
  done.store(true);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong.load(), 0u);
}

}  // namespace
}  // namespace signet
