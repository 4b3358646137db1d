// Failing disks: EIO and ENOSPC at every operation on segments and on SQLite's files, and power loss at every one of them.
#include <gtest/gtest.h>

#include "fault_vfs.h"
#include "model.h"
#include "signet/base/fault_file_system.h"

namespace signet {
namespace {

class FaultTest : public testing::Test {
 protected:
  FaultTest() {
    Model model;
    const auto writer = CollectionWriter::create(real_file_system(), folder_.path("start"), test_create());
    for (std::uint64_t step = 0; step < 4; ++step) {
      const Operation operation = make_operation(model, 77 + step);
      perform(*writer, operation);
      model.apply(operation);
    }
    start_ = model;
  }
  std::string home() const { return folder_.path("collection"); }
  void reset() const {
    std::filesystem::remove_all(home());
    std::filesystem::copy(folder_.path("start"), home(), std::filesystem::copy_options::recursive);
  }

  // The same changes every time: one of each kind, in an order that merges, buries and compacts.
  static Operation script(const Model& model, std::size_t step) {
    for (std::uint64_t seed = 1000 * (step + 1);; ++seed) {
      Operation operation = make_operation(model, seed);
      if (static_cast<std::size_t>(operation.kind) == kOrder[step]) return operation;
    }
  }
  static constexpr std::size_t kOrder[] = {0, 1, 2, 3, 0, 4, 0};  // Operation::Kind, in the order of the enumeration

  struct Outcome {
    Model acknowledged, flight;  // flight: with the change that failed
    bool failed = false;
  };
  // Opens and performs the script until something fails.
  Outcome run(FileSystem& fs, const std::string& vfs, const std::function<void()>& after_failure = {}) const {
    Outcome outcome{start_, start_, false};
    WriterOptions options;
    options.sqlite_vfs = vfs;
    std::unique_ptr<CollectionWriter> writer;
    try {
      writer = CollectionWriter::open(fs, home(), options);
      for (std::size_t step = 0; step < std::size(kOrder); ++step) {
        const Operation operation = script(outcome.acknowledged, step);
        outcome.flight.apply(operation);
        perform(*writer, operation);
        outcome.acknowledged = outcome.flight;
      }
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::kInternal) << error.what();
      outcome.failed = true;
      if (after_failure) after_failure();
    }
    return outcome;
  }

  // On the healed disk: the acknowledged state or that with the change in flight, and nothing wrong with it.
  void check(const Outcome& outcome, const std::string& where) {
    {
      const auto left = Collection::open(real_file_system(), home())->view();
      const Model found = model_of(*left);
      ASSERT_TRUE(found == outcome.acknowledged || found == outcome.flight) << where;
      expect_searches_like(*left, found);
    }
    const auto writer = CollectionWriter::open(real_file_system(), home());
    Model next = model_of(*Collection::open(real_file_system(), home())->view());
    ASSERT_TRUE(next == outcome.acknowledged || next == outcome.flight) << where;
    const Operation more = make_operation(next, 5);
    perform(*writer, more);
    next.apply(more);
    ASSERT_EQ(model_of(*Collection::open(real_file_system(), home())->view()), next) << where;
    const VerifyReport report = verify_collection(real_file_system(), home());
    ASSERT_TRUE(report.ok()) << where << ": " << report.damage[0].file << ": " << report.damage[0].message;
  }

  FastFolder folder_;
  Model start_;
  const std::uint64_t step_ = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(1 / effort()));  // every operation, usually
};

TEST_F(FaultTest, SegmentFilesFailAtEveryOperation) {
  for (const Fault kind : {Fault::kIoError, Fault::kNoSpace, Fault::kPowerLoss}) {
    for (std::uint64_t n = 1;; n += step_) {
      reset();
      FaultFileSystem fs;
      fs.fail_at(n, kind);
      FaultVfs vfs;  // only to stop SQLite when the power goes
      const Outcome outcome = run(fs, vfs.name(), [&] {
        if (kind == Fault::kPowerLoss) vfs.cut_power();
      });
      if (!fs.fault_hit()) break;
      if (kind == Fault::kPowerLoss) {
        fs.lose_power(n % 3);
        vfs.lose_power(n % 3);
      }
      check(outcome, concat("fault ", static_cast<int>(kind), " at operation ", n));
      if (HasFatalFailure()) return;
      ASSERT_LT(n, 1000u);
    }
  }
}

TEST_F(FaultTest, TheCatalogFailsAtEveryOperation) {
  for (const auto kind : {FaultVfs::Kind::kIoError, FaultVfs::Kind::kNoSpace}) {
    for (const bool persistent : {false, true}) {
      for (std::uint64_t n = 1;; n += step_) {
        reset();
        FaultVfs vfs;
        vfs.fail_at(n, kind);
        vfs.persistent(persistent);
        const Outcome outcome = run(real_file_system(), vfs.name());
        if (!vfs.hit()) break;
        check(outcome, concat("fault ", static_cast<int>(kind), " at operation ", n));
        if (HasFatalFailure()) return;
        ASSERT_LT(n, 5000u);
      }
    }
  }
}

TEST_F(FaultTest, PowerIsLostAtEveryOperationOnTheCatalog) {
  for (const std::uint64_t seed : {0u, 1u, 2u}) {  // 0: all that is not synced is lost; others: some of it
    for (std::uint64_t n = 1;; n += step_) {
      reset();
      FaultFileSystem fs;
      FaultVfs vfs;
      vfs.fail_at(n, FaultVfs::Kind::kPowerLoss);
      vfs.on_cut([&] { fs.fail_at(fs.operations() + 1, Fault::kPowerLoss); });
      const Outcome outcome = run(fs, vfs.name());
      if (!vfs.hit()) break;
      vfs.lose_power(seed == 0 ? 0 : mix_seed(seed, n));
      fs.lose_power(seed == 0 ? 0 : mix_seed(seed, n));
      check(outcome, concat("power lost at operation ", n, ", seed ", seed));
      if (HasFatalFailure()) return;
      ASSERT_LT(n, 5000u);
    }
  }
}

// A writer whose disk is full says so and goes on when there is room again, without being opened anew.
TEST_F(FaultTest, AFullDiskIsSurvivedByTheSameWriter) {
  reset();
  FaultFileSystem fs;
  const auto writer = CollectionWriter::open(fs, home());
  Model model = start_;
  const Operation operation = script(model, 0);
  fs.fail_at(fs.operations() + 3, Fault::kNoSpace, true);
  std::string message;
  try {
    perform(*writer, operation);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
  }
  EXPECT_EQ(model_of(*Collection::open(real_file_system(), home())->view()), model);
  fs.clear_fault();
  perform(*writer, operation);
  model.apply(operation);
  EXPECT_EQ(model_of(*Collection::open(real_file_system(), home())->view()), model);
}

}  // namespace
}  // namespace signet
