#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "serve/live_collection.h"
#include "serve/picture_source.h"
#include "serve/work_queue.h"
#include "signet/dedup/duplicates.h"

namespace signet {

// Groups of one level and radius in one committed state, by ids.
struct FoundDuplicates {
  struct Member {
    std::uint64_t id;
    std::uint32_t distance;
    DuplicateLevel level;
  };
  struct Group {
    std::uint64_t keeper;
    std::vector<Member> members;
  };
  std::uint64_t commit = 0;
  std::vector<Group> groups;
};

// Looks for duplicates on a thread of its own, one question after the other, and remembers the answers. What a client can make
// this process do is bounded: one search runs, one waits, and a few requests wait for them; all others hear kBusy at once.
class DuplicateFinder {
 public:
  struct Options {
    std::size_t threads = 1;             // of a search
    double wait_seconds = 10;            // a request waits so long for its answer, then hears kBusy
    double memory_seconds = 60;          // a picture waits so long for memory, then the search ends with kBusy
    std::size_t most_waiting = 4;        // requests that wait
    std::size_t most_pictures = 20'000;  // read to compare pixels; where more are needed the question is refused
  };
  DuplicateFinder(Options options, PictureSource& pictures);
  ~DuplicateFinder();  // stop()

  // The groups in `state`; while those take longer than wait_seconds to find, the groups of an earlier state that were found
  // last. Throws kBusy as above, or where the search had no memory; kInvalidArgument where same-pixels needs too many pictures.
  std::shared_ptr<const FoundDuplicates> find(const std::shared_ptr<const CollectionState>& state, DuplicateLevel level,
                                              std::uint32_t radius);
  void give_up() noexcept;  // the search under way, and those who wait: kBusy
  void stop() noexcept;     // the same, and waits for its end

 private:
  struct Question;
  std::shared_ptr<Question> question(DuplicateLevel level, std::uint32_t radius);  // under the lock
  void answer(const std::shared_ptr<Question>& question, const std::shared_ptr<const CollectionState>& state);
  FoundDuplicates look(const CollectionState& state, DuplicateLevel level, std::uint32_t radius) const;
  void fill_pixels(DedupSet& set) const;

  const Options options_;
  PictureSource& pictures_;
  std::mutex mutex_;  // guards what follows, and every Question
  std::condition_variable answered_;
  std::list<std::shared_ptr<Question>> questions_;  // the latest first
  std::size_t waiting_ = 0;
  std::atomic<bool> stopped_{false};
  WorkQueue work_;  // last: its thread uses the above
};

}  // namespace signet
