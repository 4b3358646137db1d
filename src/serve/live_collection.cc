#include "serve/live_collection.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>

#include "serve/code_map.h"
#include "serve/threads.h"

namespace signet {

struct CollectionState::Derived {
  explicit Derived(std::uint64_t commit_in) : commit(commit_in) {}
  const std::uint64_t commit;
  std::mutex mutex;  // guards ids and by_label
  Ids ids;
  std::map<std::int32_t, Ids> by_label;
  // What takes longer, each with a mutex of its own: it is made once, and who wants something else does not wait for it.
  std::mutex counts_mutex;
  LabelCounts counts;
  std::mutex maps_mutex;
  std::map<std::size_t, std::shared_ptr<const CodeMap>> maps;
};

CollectionState::CollectionState(std::shared_ptr<const CollectionView> view, std::shared_ptr<Derived> derived)
    : view_(std::move(view)), info_(view_->info()), derived_(std::move(derived)) {
  if (derived_ == nullptr || derived_->commit != info_.commit) derived_ = std::make_shared<Derived>(info_.commit);
}

CollectionState::Ids CollectionState::ids() const {
  const std::lock_guard lock(derived_->mutex);
  if (derived_->ids == nullptr) derived_->ids = std::make_shared<const std::vector<std::uint64_t>>(view_->ids());
  return derived_->ids;
}

CollectionState::Ids CollectionState::ids_with_label(std::int32_t label) const {
  const std::lock_guard lock(derived_->mutex);
  if (const auto known = derived_->by_label.find(label); known != derived_->by_label.end()) return known->second;
  const auto ids = std::make_shared<const std::vector<std::uint64_t>>(view_->ids_with_label(label));
  // Numbers that no image and no name has are not remembered: there is no end of them.
  if (!ids->empty() || static_cast<std::size_t>(label) < info_.class_names.size()) derived_->by_label.emplace(label, ids);
  return ids;
}

CollectionState::LabelCounts CollectionState::label_counts() const {
  const std::lock_guard lock(derived_->counts_mutex);
  if (derived_->counts == nullptr) {
    derived_->counts = std::make_shared<const std::map<std::int32_t, std::uint64_t>>(view_->label_counts());
  }
  return derived_->counts;
}

std::shared_ptr<const CodeMap> CollectionState::map(std::size_t limit) const {
  const Ids all = ids();
  const std::lock_guard lock(derived_->maps_mutex);
  const std::size_t count = std::min(limit, all->size());
  if (const auto known = derived_->maps.find(count); known != derived_->maps.end()) return known->second;
  constexpr std::size_t kKept = 4;  // of different sizes; who asks for more has them made anew
  if (derived_->maps.size() >= kKept) derived_->maps.clear();
  return derived_->maps[count] = std::make_shared<const CodeMap>(make_code_map(*view_, info_, *all, count));
}

LiveCollection::LiveCollection(std::shared_ptr<Collection> collection, double refresh_seconds)
    : collection_(std::move(collection)), refresh_seconds_(refresh_seconds) {
  refresh();
  watcher_ = start_thread([this] { watch(); });
}

LiveCollection::~LiveCollection() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  watcher_.join();
}

std::shared_ptr<const CollectionState> LiveCollection::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::string LiveCollection::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

bool LiveCollection::is_newest() const noexcept {
  const std::lock_guard lock(mutex_);
  return failure_.empty();
}

void LiveCollection::refresh() {
  const std::lock_guard refreshing(refreshing_);
  std::shared_ptr<const CollectionView> view = collection_->view();
  std::shared_ptr<const CollectionState> before;
  {
    const std::lock_guard lock(mutex_);
    before = state_;
    if (before != nullptr && &before->view() == view.get()) {
      failure_.clear();
      return;
    }
  }
  // A younger view of the same commit (Collection::view()) has nothing to prepare, and takes the older one's place at once.
  if (before == nullptr || view->info().commit != before->info().commit) {
    // A commit that comes in while indexes are built is the next refresh's; but it may already have taken the place of this
    // view's segments, so the view is taken again: then its segments are those that were prepared, or few of them are new.
    collection_->prepare();
    view = collection_->view();
  }
  auto state = std::make_shared<const CollectionState>(std::move(view), before == nullptr ? nullptr : before->derived());
  const std::lock_guard lock(mutex_);
  state_ = std::move(state);
  failure_.clear();
}

void LiveCollection::failed(const std::exception& error) noexcept {
  const std::lock_guard lock(mutex_);
  try {
    failure_ = error.what();
  } catch (const std::bad_alloc&) {
    failure_ = "no memory";  // so short that it needs none
  }
}

void LiveCollection::try_to_refresh() noexcept {
  try {
    refresh();
  } catch (const std::exception& error) {
    failed(error);
  }
}

// A view holds a read transaction, and the catalog's log cannot be begun anew while a transaction reads from it. One that is
// begun after the log has been copied into the file does not read from it, and the writer copies it when it is closed: so a state
// that stays the newest is taken again from time to time. Where the log is large the collection itself does so, and sooner.
void LiveCollection::renew() {
  const std::lock_guard refreshing(refreshing_);
  const auto before = state();
  auto again = std::make_shared<const CollectionState>(collection_->new_view(), before->derived());
  if (again->info().commit != before->info().commit) return;  // the next refresh prepares it first
  const std::lock_guard lock(mutex_);
  state_ = std::move(again);
}

void LiveCollection::watch() {
  using Clock = std::chrono::steady_clock;
  constexpr auto kRenew = std::chrono::seconds(5);
  auto renewed = Clock::now();
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::duration<double>(refresh_seconds_), [this] { return stopped_; })) {
    lock.unlock();
    try {
      refresh();
      if (Clock::now() - renewed > kRenew) {
        renew();
        renewed = Clock::now();
      }
    } catch (const std::exception& error) {  // the old state goes on answering
      failed(error);
    }
    lock.lock();
  }
}

}  // namespace signet
