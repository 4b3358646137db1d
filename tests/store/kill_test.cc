// kill -9 at every named point and at random times: after reopening, the state is the last acknowledged one, or that with the
// change in flight.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <new>
#include <set>

#include "model.h"

namespace signet {
namespace {

// Shared with the child: how far it got.
struct Ledger {
  std::atomic<std::uint64_t> begun = 0, acknowledged = 0;
};

class KillTest : public testing::Test {
 protected:
  KillTest() : ledger_(new (::mmap(nullptr, sizeof(Ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Ledger) {}
  ~KillTest() override { ::munmap(ledger_, sizeof(Ledger)); }

  std::string home() const { return folder_.path("collection"); }

  // The child's life: opens, performs operations one after another, and dies when `point` is reached for the `nth` time (empty:
  // never by itself).
  [[noreturn]] void live(Model model, std::uint64_t seed, std::uint64_t steps, const std::string& point, int nth) const {
    WriterOptions options;
    int seen = 0;
    options.failpoint = [&](const char* name) {
      if (!point.empty() && point == name && ++seen == nth) ::kill(::getpid(), SIGKILL);
    };
    try {
      const auto writer = CollectionWriter::open(fs_, home(), options);
      for (std::uint64_t step = 0; step < steps; ++step) {
        const Operation operation = make_operation(model, mix_seed(seed, step));
        ledger_->begun = step + 1;
        perform(*writer, operation);
        ledger_->acknowledged = step + 1;
        model.apply(operation);
      }
    } catch (const std::exception& error) {
      std::fprintf(stderr, "child: %s\n", error.what());
      ::_exit(1);
    }
    ::_exit(0);
  }

  // One round from `model_`: returns whether the child was killed. Leaves in model_ what the collection holds now.
  bool round(std::uint64_t seed, std::uint64_t steps, const std::string& point, int nth, useconds_t kill_after = 0) {
    ledger_->begun = 0;
    ledger_->acknowledged = 0;
    const pid_t child = ::fork();
    if (child == 0) live(model_, seed, steps, point, nth);
    if (kill_after > 0) {
      ::usleep(kill_after);
      ::kill(child, SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    EXPECT_TRUE(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << "the child failed by itself: status " << status;
    check(seed);
    return killed;
  }

  void check(std::uint64_t seed) {
    for (std::uint64_t step = 0; step < ledger_->acknowledged; ++step) model_.apply(make_operation(model_, mix_seed(seed, step)));
    Model flight = model_;
    if (ledger_->begun > ledger_->acknowledged)
      flight.apply(make_operation(model_, mix_seed(seed, ledger_->acknowledged.load())));
    // A reader first: it meets the disk as the dead writer left it.
    const auto left = Collection::open(fs_, home())->view();
    const Model found = model_of(*left);
    ASSERT_TRUE(found == model_ || found == flight) << "seed " << seed << " step " << ledger_->acknowledged;
    expect_searches_like(*left, found);
    {  // then the next writer recovers and sweeps, and changes nothing
      const auto writer = CollectionWriter::open(fs_, home());
      EXPECT_EQ(fs_.list(home() + "/segments").size(), writer->info().segments);
    }
    ASSERT_EQ(model_of(*Collection::open(fs_, home())->view()), found);
    const VerifyReport report = verify_collection(fs_, home());
    ASSERT_TRUE(report.ok()) << report.damage[0].file << ": " << report.damage[0].message << " seed " << seed;
    model_ = found;
  }

  void start() {
    CollectionWriter::create(fs_, home(), test_create());
    model_ = Model{};
  }

  static int rounds(int usual) { return std::max(1, static_cast<int>(usual * effort())); }

  FastFolder folder_;
  FileSystem& fs_ = real_file_system();
  Ledger* ledger_;
  Model model_;
};

TEST_F(KillTest, AtEveryNamedPoint) {
  start();
  const std::vector<std::string> points = {
      "locked",        "recovered", "begin",        "rows-written", "segment-written",
      "before-commit", "committed", "acknowledged", "swept",        "compact-segment-written",
      "open-swept"};
  std::map<std::string, int> deaths;
  std::uint64_t seed = 1;
  for (int turn = 0; turn < rounds(8); ++turn) {
    for (const auto& point : points) {
      const int nth = point == "locked" || point == "recovered" || point == "open-swept" ? 1 : 1 + turn % 5;
      if (point == "open-swept") {  // needs something to sweep: die with a segment written first
        round(++seed, 30, "segment-written", 1 + turn % 3);
        // check() has opened and swept already; leave an orphan by hand, as a cut-off commit does
        real_file_system().create(home() + "/segments/00099999.seg")->close();
      }
      deaths[point] += round(++seed, 40, point, nth);
      if (HasFatalFailure()) return;
    }
  }
  for (const auto& point : points) EXPECT_GT(deaths[point], 0) << "never died at " << point;
}

TEST_F(KillTest, AtRandomTimes) {
  start();
  Random random(20170205);
  int killed = 0;
  for (int i = 0; i < rounds(150); ++i) {
    killed +=
        round(1'000'000 + static_cast<std::uint64_t>(i), 1'000'000, "", 0, static_cast<useconds_t>(500 + random.below(30'000)));
    if (HasFatalFailure()) return;
    if (model_.entries.size() > 400) {  // keep rounds quick
      folder_.clear();
      start();
    }
  }
  EXPECT_GT(killed, 0);
}

// Dying while a collection is made leaves no collection or an empty one, and making it again works.
TEST_F(KillTest, WhileCreating) {
  for (const char* point : {"create-folders", "create-catalog", "locked", "recovered"}) {
    folder_.clear();
    const pid_t child = ::fork();
    if (child == 0) {
      WriterOptions options;
      options.failpoint = [&](const char* name) {
        if (std::string(point) == name) ::kill(::getpid(), SIGKILL);
      };
      CollectionWriter::create(fs_, home(), test_create(), options);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << point;
    if (!is_collection(fs_, home())) CollectionWriter::create(fs_, home(), test_create());
    EXPECT_EQ(model_of(*Collection::open(fs_, home())->view()), Model{}) << point;
    EXPECT_TRUE(verify_collection(fs_, home()).ok()) << point;
  }
}

}  // namespace
}  // namespace signet
