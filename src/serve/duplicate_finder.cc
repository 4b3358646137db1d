#include "serve/duplicate_finder.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <string>
#include <tuple>

#include "signet/base/error.h"
#include "signet/dataset/dataset.h"

namespace signet {
namespace {

constexpr std::size_t kMostQuestions = 8;  // whose answers are remembered

[[noreturn]] void fail_busy(const char* why) { fail(ErrorCode::kBusy, why, "; ask again in a moment"); }

}  // namespace

struct DuplicateFinder::Question {
  DuplicateLevel level;
  std::uint32_t radius;
  bool running = false;                          // or waiting to be
  std::uint64_t commit = 0;                      // of the search under way
  double seconds = 0;                            // that the last search took
  std::shared_ptr<const FoundDuplicates> found;  // by the last search that succeeded; may be null
  std::uint64_t searches = 0;                    // that have ended
  std::exception_ptr error;                      // of the last one
};

DuplicateFinder::DuplicateFinder(Options options, PictureSource& pictures)
    : options_(options), pictures_(pictures), work_(1, 1) {}

DuplicateFinder::~DuplicateFinder() { stop(); }

void DuplicateFinder::give_up() noexcept {
  {
    const std::lock_guard lock(mutex_);  // so that nobody who has seen it unset begins to wait afterwards
    stopped_.store(true);
  }
  answered_.notify_all();
}

void DuplicateFinder::stop() noexcept {
  give_up();
  work_.finish();
}

std::shared_ptr<DuplicateFinder::Question> DuplicateFinder::question(DuplicateLevel level, std::uint32_t radius) {
  const auto at = std::find_if(questions_.begin(), questions_.end(),
                               [&](const auto& one) { return one->level == level && one->radius == radius; });
  if (at != questions_.end()) {
    questions_.splice(questions_.begin(), questions_, at);
    return questions_.front();
  }
  while (questions_.size() >= kMostQuestions) questions_.pop_back();  // one that is running keeps itself alive
  auto fresh = std::make_shared<Question>();
  fresh->level = level, fresh->radius = radius;
  questions_.push_front(fresh);
  return fresh;
}

std::shared_ptr<const FoundDuplicates> DuplicateFinder::find(const std::shared_ptr<const CollectionState>& state,
                                                             DuplicateLevel level, std::uint32_t radius) {
  using Clock = std::chrono::steady_clock;
  const auto end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.wait_seconds));
  const std::uint64_t commit = state->info().commit;
  std::unique_lock lock(mutex_);
  const auto asked = question(level, radius);
  const std::uint64_t before = asked->searches;
  const auto known = [&] { return asked->found != nullptr && asked->found->commit >= commit; };
  while (!known()) {
    if (stopped_.load()) fail_busy("the service is being stopped");
    if (asked->error != nullptr && asked->searches > before) std::rethrow_exception(asked->error);
    if (!asked->running) {
      asked->running = true, asked->commit = commit;
      if (!work_.push([this, asked, state] { answer(asked, state); })) {
        asked->running = false;
        fail_busy("duplicates of other levels or radii are being looked for");
      }
    }
    // Searches that are known to take long are not waited for where there is an answer to be going on with.
    const bool slow = asked->found != nullptr && asked->seconds > options_.wait_seconds;
    if (!slow && waiting_ >= options_.most_waiting) fail_busy("many others wait for duplicates too");
    ++waiting_;
    const bool in_time = !slow && Clock::now() < end && answered_.wait_until(lock, end) == std::cv_status::no_timeout;
    --waiting_;
    if (in_time || known()) continue;
    if (asked->found != nullptr) break;
    fail_busy("duplicates are being looked for");
  }
  return asked->found;
}

void DuplicateFinder::answer(const std::shared_ptr<Question>& question, const std::shared_ptr<const CollectionState>& state) {
  const auto began = std::chrono::steady_clock::now();
  std::shared_ptr<const FoundDuplicates> found;
  std::exception_ptr error;
  try {
    found = std::make_shared<const FoundDuplicates>(look(*state, question->level, question->radius));
  } catch (...) {
    error = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    question->running = false;
    question->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (found != nullptr) question->found = std::move(found);
    question->error = error;
    ++question->searches;
  }
  answered_.notify_all();
}

FoundDuplicates DuplicateFinder::look(const CollectionState& state, DuplicateLevel level, std::uint32_t radius) const {
  const ProgressFn go_on = [this](const Progress&) { return !stopped_.load(); };
  DedupSet set = read_collection(state.view(), go_on);
  if (level == DuplicateLevel::kSamePixels) fill_pixels(set);
  FindOptions options;
  options.level = level;
  options.radius = radius;
  options.threads = options_.threads;
  options.progress = go_on;
  FoundDuplicates found;
  found.commit = state.info().commit;
  const std::vector<Verdict> verdicts = state.view().verdicts();
  for (const DuplicateGroup& group : find_duplicates(set, verdicts, options)) {
    FoundDuplicates::Group entry{set.items[group.keeper].id, {}};
    for (const DuplicateMember& member : group.members)
      entry.members.push_back({set.items[member.item].id, member.distance, member.level});
    found.groups.push_back(std::move(entry));
  }
  return found;
}

// Equal pixels have equal codes, so only pictures of one code and one size are read.
void DuplicateFinder::fill_pixels(DedupSet& set) const {
  using Key = std::tuple<std::uint32_t, std::uint32_t, std::string>;
  std::map<Key, std::vector<std::size_t>> alike;
  for (std::size_t i = 0; i < set.items.size(); ++i) {
    const DedupItem& item = set.items[i];
    const auto code = set.codes.row(i);
    if (item.width > 0) alike[{item.width, item.height, std::string(code.begin(), code.end())}].push_back(i);
  }
  std::size_t read = 0;
  for (const auto& [key, items] : alike) {
    if (items.size() < 2) continue;
    std::map<std::string, std::string> of_file;  // equal files are read once
    for (const std::size_t i : items) {
      DedupItem& item = set.items[i];
      if (stopped_.load()) fail(ErrorCode::kCancelled, "looking for duplicates was stopped");
      if (!item.sha256.empty() && of_file.contains(item.sha256)) {
        item.pixels = of_file[item.sha256];
        continue;
      }
      if (++read > options_.most_pictures) {
        fail(ErrorCode::kInvalidArgument, "same-pixels would have to read more than ", options_.most_pictures,
             " pictures here; signet dedup --level same-pixels --collection DIR has no such limit");
      }
      try {
        item.pixels = pixel_digest(pictures_.load(item.key, 0, options_.memory_seconds).image);
      } catch (const Error& error) {                  // what cannot be read may still be the same file as another
        if (error.code() == ErrorCode::kBusy) throw;  // it can, later
        if (!item.sha256.empty()) item.pixels = "file " + item.sha256;
      }
      if (!item.sha256.empty()) of_file[item.sha256] = item.pixels;
    }
  }
}

}  // namespace signet
