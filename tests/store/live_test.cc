// One writer and many readers, in threads and in processes.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "model.h"
#include "store/view.h"
#include "store/writer.h"

namespace signet {
namespace {

class LiveTest : public testing::Test {
 protected:
  std::string home() const { return folder_.path("collection"); }
  void make_one_image() const {
    const CodeMatrix code = random_codes(1, kTestBits, 1);
    CollectionWriter::create(fs_, home(), test_create())->add({&code, test_records(1, 0), kModelA});
  }
  // A commit of a megabyte.
  static void write_much(CollectionWriter& writer, std::size_t number) {
    ImageRecord record = test_records(1, 0)[0];
    record.user_json = '"' + std::string(1'000'000, static_cast<char>('a' + number % 26)) + '"';
    writer.update(std::span(&record, 1));
  }
  FastFolder folder_;
  FileSystem& fs_ = real_file_system();
};

// Every view is one commit: it holds the first n images of the sequence for some n that never falls, and its search finds exactly
// those.
void expect_prefix(const CollectionView& view, const CodeMatrix& all, std::uint64_t& seen) {
  const CollectionInfo info = view.info();
  ASSERT_GE(info.images, seen);
  ASSERT_EQ(info.images % 10, 0u);  // batches of ten are all there or not at all
  seen = info.images;
  if (seen == 0) return;
  SearchOptions options;
  options.k = kAllHits;
  const std::vector<std::size_t> first = {0};
  const auto hits = view.search(all.rows(first), options).hits[0];
  ASSERT_EQ(hits.size(), seen);
  ASSERT_EQ(hits[0].id, 1u);
  ASSERT_EQ(view.code(seen), std::vector<std::uint8_t>(all.row(seen - 1).begin(), all.row(seen - 1).end()));
  ASSERT_TRUE(view.get(seen));
  ASSERT_FALSE(view.get(seen + 1));
}

TEST_F(LiveTest, SearchWhileAdding) {
  constexpr std::size_t kBatches = 40;
  const CodeMatrix all = random_codes(kBatches * 10, kTestBits, 3);
  const auto writer = CollectionWriter::create(fs_, home(), test_create());
  const auto collection = Collection::open(fs_, home());
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      std::uint64_t seen = 0;
      while (!done && !testing::Test::HasFatalFailure()) expect_prefix(*collection->view(), all, seen);
      expect_prefix(*collection->view(), all, seen);
      EXPECT_EQ(seen, kBatches * 10);
    });
  }
  for (std::size_t batch = 0; batch < kBatches; ++batch) {
    std::vector<std::size_t> rows(10);
    for (std::size_t i = 0; i < 10; ++i) rows[i] = batch * 10 + i;
    const CodeMatrix codes = all.rows(rows);
    const auto records = test_records(10, batch * 10);
    writer->add({&codes, records, kModelA});
    if (batch % 10 == 9) writer->compact();
  }
  done = true;
  for (auto& reader : readers) reader.join();
}

// One view shared by threads, with an index that is built at the first search.
TEST_F(LiveTest, OneViewForManyThreads) {
  const auto writer = CollectionWriter::create(fs_, home(), test_create());
  const CodeMatrix codes = random_codes(500, kTestBits, 8);
  const auto records = test_records(500, 0);
  writer->add({&codes, records, kModelA});
  writer->remove_ids(std::vector<std::uint64_t>{5, 6, 7});
  ReaderOptions options;
  options.index = "mih";
  options.index_from = 1;
  const auto view = Collection::open(fs_, home(), options)->view();
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 10; i < 60; ++i) {
        const std::vector<std::size_t> row = {i};
        SearchOptions search;
        search.k = 1;
        right += view->search(codes.rows(row), search).hits[0][0] == Hit{i + 1, 0};
        right += view->find(records[i].key)->id == i + 1;
        right += view->ids_with_label(t).size() > 40;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 4 * 50 * 3);
}

// A reader in another process, opened before anything was added, sees every commit without being opened again.
TEST_F(LiveTest, AnotherProcessSeesNewSegments) {
  auto writer = CollectionWriter::create(fs_, home(), test_create());
  writer.reset();
  int to_child[2], to_parent[2];
  ASSERT_EQ(::pipe(to_child), 0);
  ASSERT_EQ(::pipe(to_parent), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto collection = Collection::open(fs_, home());
    char go = 0;
    bool good = true;
    std::uint64_t images = 0;
    while (::read(to_child[0], &go, 1) == 1 && go != 'q') {
      const auto view = collection->view();
      good = good && view->info().images == (images += 7);
      SearchOptions options;
      options.k = kAllHits;
      good = good && view->search(random_codes(1, kTestBits, 1), options).hits[0].size() == images;
      const char answer = good ? 'y' : 'n';
      if (::write(to_parent[1], &answer, 1) != 1) ::_exit(2);
    }
    ::_exit(good ? 0 : 1);
  }
  writer = CollectionWriter::open(fs_, home());
  for (std::uint64_t i = 0; i < 6; ++i) {
    const CodeMatrix codes = random_codes(7, kTestBits, i);
    const auto records = test_records(7, i * 7);
    writer->add({&codes, records, kModelA});
    if (i == 3) writer->compact();
    char answer = 0;
    ASSERT_EQ(::write(to_child[1], "g", 1), 1);
    ASSERT_EQ(::read(to_parent[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y') << "after commit " << i;
  }
  ASSERT_EQ(::write(to_child[1], "q", 1), 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  for (const int fd : {to_child[0], to_child[1], to_parent[0], to_parent[1]}) ::close(fd);
}

// As a service does it: follow a change, give the lock back, take the view once more.
TEST_F(LiveTest, TheLogOfManyWritersIsBegunAnewBesideAViewThatFollows) {
  make_one_image();
  const auto collection = Collection::open(fs_, home());
  auto view = collection->view();
  std::uint64_t longest = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    auto writer = CollectionWriter::open(fs_, home());
    write_much(*writer, i);
    view = collection->view();
    longest = std::max(longest, store::log_bytes(fs_, home()));
    writer.reset();
    view = collection->new_view();
  }
  EXPECT_GT(longest, 1'000'000u);
  EXPECT_LT(longest, 3'000'000u);
}

TEST_F(LiveTest, TheLogOfOneWriterIsBegunAnewBesideAViewThatFollows) {
  constexpr std::uint64_t kLong = std::uint64_t{8} << 20;
  make_one_image();
  const auto writer = std::make_unique<store::Writer>(fs_, home(), WriterOptions{}, kLong);
  const auto collection = Collection::open(fs_, home());
  std::atomic<bool> done{false};
  std::thread reader([&] {
    for (std::shared_ptr<const CollectionView> view; !done; std::this_thread::yield()) view = collection->view();
  });
  std::uint64_t longest = 0;
  for (std::size_t i = 0; i < 30; ++i) {
    write_much(*writer, i);
    longest = std::max(longest, store::log_bytes(fs_, home()));
  }
  done = true;
  reader.join();
  EXPECT_GT(longest, 5'000'000u);
  EXPECT_LT(longest, 20'000'000u);
}

// Readers in a loop of their own while a writer in another process adds, removes and compacts.
TEST_F(LiveTest, ReadersNeverStumbleOverACompactingWriter) {
  CollectionWriter::create(fs_, home(), test_create());
  const pid_t child = ::fork();
  if (child == 0) {
    Model model;
    const auto writer = CollectionWriter::open(fs_, home());
    for (std::uint64_t step = 0; step < 150; ++step) {
      const Operation operation = make_operation(model, mix_seed(9, step));
      perform(*writer, operation);
      model.apply(operation);
      if (step % 5 == 4) writer->compact(20);
    }
    ::_exit(0);
  }
  const auto collection = Collection::open(fs_, home());
  int status = 0;
  int views = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    const auto view = collection->view();
    const Model model = model_of(*view);
    ASSERT_EQ(model.entries.size(), view->info().images);
    expect_searches_like(*view, model);
    ++views;
  }
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_GT(views, 0);
  EXPECT_TRUE(verify_collection(fs_, home()).ok());
}

}  // namespace
}  // namespace signet
