#include "serve/live_collection.h"

#include <atomic>
#include <filesystem>
#include <future>

#include "serve/test_service.h"

namespace signet {
namespace {

class LiveCollectionTest : public ServeTest {
 protected:
  std::shared_ptr<Collection> collection_ = Collection::open(real_file_system(), path("c"));
  LiveCollection live_{collection_, 3600};  // nothing but what the test asks for
};

TEST_F(LiveCollectionTest, RenewingKeepsWhatWasWorkedOut) {
  const auto before = live_.state();
  live_.renew();
  const auto after = live_.state();
  EXPECT_NE(&after->view(), &before->view());
  EXPECT_EQ(after->info().commit, before->info().commit);
  EXPECT_EQ(after->derived(), before->derived());
  live_.refresh();  // nothing was committed
  EXPECT_EQ(live_.state(), after);
}

TEST_F(LiveCollectionTest, AYoungerViewTakesThePlaceOfOneInTheWayOfALargeLog) {
  const auto writer = CollectionWriter::open(real_file_system(), path("c"));
  ImageRecord record = *live_.state()->view().find(key(0));
  for (char letter = 'a'; letter < 'g'; ++letter) {  // a megabyte each
    record.user_json.assign(1'000'002, letter);
    record.user_json.front() = record.user_json.back() = '"';
    writer->update(std::span(&record, 1));
  }
  live_.refresh();
  const auto before = live_.state();
  EXPECT_EQ(before->info().commit, writer->info().commit);
  eventually(
      [&] {
        live_.refresh();
        return live_.state() != before;
      },
      "the view is taken anew");
  const auto after = live_.state();
  EXPECT_NE(&after->view(), &before->view());
  EXPECT_EQ(after->info().commit, before->info().commit);
  EXPECT_EQ(after->derived(), before->derived());
}

TEST_F(LiveCollectionTest, TheOldStateAnswersWhereTheNewestCannotBeRead) {
  std::filesystem::rename(path("c"), path("away"));
  EXPECT_ANY_THROW(live_.renew());
  EXPECT_ANY_THROW(live_.refresh());
  EXPECT_EQ(live_.failure(), "");
  live_.try_to_refresh();
  EXPECT_NE(live_.failure(), "");
  EXPECT_EQ(live_.state()->view().find(key(3))->id, 4u);
  std::filesystem::rename(path("away"), path("c"));
  EXPECT_NO_THROW(live_.renew());
  live_.try_to_refresh();
  EXPECT_EQ(live_.failure(), "");
}

TEST_F(LiveCollectionTest, LabelsOfNoImageAreNotRemembered) {
  const auto state = live_.state();
  EXPECT_EQ(state->ids_with_label(1)->size(), kServeImages / 2);
  EXPECT_EQ(state->ids_with_label(1), state->ids_with_label(1));
  EXPECT_TRUE(state->ids_with_label(1'000'000)->empty());
  EXPECT_NE(state->ids_with_label(1'000'000), state->ids_with_label(1'000'000));
}

TEST_F(LiveCollectionTest, LabelsAreCountedOnce) {
  const auto state = live_.state();
  EXPECT_EQ(*state->label_counts(), (std::map<std::int32_t, std::uint64_t>{{0, kServeImages / 2}, {1, kServeImages / 2}}));
  live_.renew();
  EXPECT_EQ(live_.state()->label_counts(), state->label_counts());
}

// Looks the first record up when it is told to go on.
class WaitingView final : public CollectionView {
 public:
  explicit WaitingView(std::shared_ptr<const CollectionView> view) : view_(std::move(view)) {}
  std::optional<ImageRecord> get(std::uint64_t id) const override {
    if (!asked_.exchange(true)) {
      asked.set_value();
      go_on.get_future().wait();
    }
    return view_->get(id);
  }
  CollectionInfo info() const override { return view_->info(); }
  SearchResult search(const CodeMatrix& queries, const SearchOptions& options) const override {
    return view_->search(queries, options);
  }
  void check_model(const std::string& model, const std::string& what) const override { view_->check_model(model, what); }
  std::optional<ImageRecord> find(const std::string& key) const override { return view_->find(key); }
  std::vector<std::uint8_t> code(std::uint64_t id) const override { return view_->code(id); }
  std::vector<ImageRecord> list(std::uint64_t after_id, std::size_t limit) const override { return view_->list(after_id, limit); }
  std::vector<std::uint64_t> ids() const override { return view_->ids(); }
  std::vector<std::uint64_t> ids_with_label(std::int32_t label) const override { return view_->ids_with_label(label); }
  std::map<std::int32_t, std::uint64_t> label_counts() const override { return view_->label_counts(); }
  bool has_labels() const override { return view_->has_labels(); }
  std::vector<std::uint64_t> filter_words(std::span<const std::uint64_t> ids) const override { return view_->filter_words(ids); }
  std::vector<Verdict> verdicts() const override { return view_->verdicts(); }
  std::string explain(const SearchOptions& options, std::size_t queries) const override {
    return view_->explain(options, queries);
  }
  mutable std::promise<void> asked, go_on;

 private:
  const std::shared_ptr<const CollectionView> view_;
  mutable std::atomic<bool> asked_{false};
};

TEST_F(LiveCollectionTest, WhoBrowsesDoesNotWaitForAMap) {
  const auto view = std::make_shared<WaitingView>(collection_->view());
  const CollectionState state(view, nullptr);
  auto map = std::async(std::launch::async, [&] { return state.map(5); });
  view->asked.get_future().wait();
  auto page = std::async(std::launch::async, [&] { return state.ids()->size() + state.ids_with_label(1)->size(); });
  EXPECT_EQ(page.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  auto same = std::async(std::launch::async, [&] { return state.map(5); });
  view->go_on.set_value();
  EXPECT_EQ(page.get(), kServeImages + kServeImages / 2);
  const auto made = map.get();
  EXPECT_EQ(made->points.size(), 5u);
  EXPECT_EQ(same.get(), made);
}

}  // namespace
}  // namespace signet
