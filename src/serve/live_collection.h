#pragma once

#include <condition_variable>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "signet/serve/service.h"
#include "signet/store/collection.h"

namespace signet {

// One committed state and what was worked out from it. Immutable to those who use it; safe from many threads.
class CollectionState {
 public:
  using Ids = std::shared_ptr<const std::vector<std::uint64_t>>;
  using LabelCounts = std::shared_ptr<const std::map<std::int32_t, std::uint64_t>>;
  struct Derived;  // what was worked out
  // `derived`: of the state before, taken over where it is of the same commit; may be null.
  CollectionState(std::shared_ptr<const CollectionView> view, std::shared_ptr<Derived> derived);
  const CollectionView& view() const noexcept { return *view_; }
  const CollectionInfo& info() const noexcept { return info_; }
  Ids ids() const;  // of all images, ascending
  Ids ids_with_label(std::int32_t label) const;
  LabelCounts label_counts() const;  // of labels that images have
  std::shared_ptr<const CodeMap> map(std::size_t limit) const;
  const std::shared_ptr<Derived>& derived() const noexcept { return derived_; }

 private:
  const std::shared_ptr<const CollectionView> view_;
  const CollectionInfo info_;
  std::shared_ptr<Derived> derived_;
};

// The newest state of a collection, kept ready: a thread of its own looks for commits (also of other processes), builds the
// indexes of new segments, and only then puts the new state in force.
class LiveCollection {
 public:
  LiveCollection(std::shared_ptr<Collection> collection, double refresh_seconds);
  ~LiveCollection();
  std::shared_ptr<const CollectionState> state() const;
  // What throws leaves the state as it was.
  void refresh();                   // what is committed by now is in force when it returns
  void renew();                     // the same state with a younger view
  void try_to_refresh() noexcept;   // refresh(), but what it throws becomes failure()
  std::string failure() const;      // why the newest state could not be read; empty: it could
  bool is_newest() const noexcept;  // whether it could

 private:
  void watch();
  void failed(const std::exception& error) noexcept;

  const std::shared_ptr<Collection> collection_;
  const double refresh_seconds_;
  std::mutex refreshing_;  // one refresh at a time
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<const CollectionState> state_;
  std::string failure_;
  bool stopped_ = false;
  std::thread watcher_;
};

}  // namespace signet
