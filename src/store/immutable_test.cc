// A catalog that is opened as a file that nobody changes, because this process cannot write its folder, and changes all the same.
#include <chrono>

#include "store/test_collection.h"
#include "store/view.h"

namespace signet::store {
namespace {

using namespace std::chrono_literals;

class ImmutableTest : public CollectionTest {
 protected:
  ImmutableTest() { grow(*create(), 20, 0); }
  // As if the file had last been written so long before now.
  std::unique_ptr<Catalog> immutable(std::chrono::milliseconds age) {
    std::filesystem::last_write_time(catalog_path(home), std::filesystem::file_time_type::clock::now() - age);
    return std::make_unique<Catalog>(catalog_path(home), Database::Mode::kImmutable, "");
  }
  ConnectionPool pool_{fs, home, {}};
};

TEST_F(ImmutableTest, IsKeptInThePoolUntilTheFileHasChanged) {
  auto catalog = immutable(std::chrono::hours(1));
  EXPECT_EQ(catalog->state().images, 20u);  // SQLite has the page in memory now
  pool_.give_back(std::move(catalog));
  catalog = pool_.take();
  EXPECT_TRUE(catalog->is_immutable());
  pool_.give_back(std::move(catalog));
  grow(*open(), 20, 20);
  catalog = pool_.take();
  EXPECT_EQ(catalog->state().images, 40u);
  EXPECT_EQ(catalog->state().commit, view()->info().commit);
}

TEST_F(ImmutableTest, IsNotKeptWhereALaterChangeCouldNotBeTold) {
  for (const std::chrono::milliseconds age : {-3'600'000ms, 1'500ms}) {  // vfat has steps of two seconds
    pool_.give_back(immutable(age));
    EXPECT_FALSE(pool_.take()->is_immutable()) << age.count();  // opened anew, and this process can write
  }
}

TEST_F(ImmutableTest, IsOutdatedOnceThereIsALog) {
  const auto catalog = immutable(std::chrono::hours(1));
  EXPECT_FALSE(catalog->outdated());
  put(catalog_path(home) + "-wal", "of a writer");
  EXPECT_TRUE(catalog->outdated());
}

TEST_F(ImmutableTest, AViewOfItDoesNotMixTwoStates) {
  const auto pool = std::make_shared<ConnectionPool>(fs, home, ReaderOptions{});
  const View shown(fs, home, {}, immutable(std::chrono::hours(1)), pool);
  EXPECT_EQ(shown.list(0, 100).size(), 20u);
  grow(*open(), 20, 20);
  std::string message;
  EXPECT_EQ(error_of([&] { shown.list(0, 100); }, &message), ErrorCode::kBusy);
  EXPECT_NE(message.find("catalog.sqlite was written while it was read"), std::string::npos) << message;
}

TEST_F(ImmutableTest, AViewOfItGoesOnBesideALog) {
  const auto pool = std::make_shared<ConnectionPool>(fs, home, ReaderOptions{});
  const View shown(fs, home, {}, immutable(std::chrono::hours(1)), pool);
  put(catalog_path(home) + "-wal", "of a writer");
  EXPECT_EQ(shown.list(0, 100).size(), 20u);
  EXPECT_TRUE(shown.outdated());  // a new view is one of another catalog
}

TEST_F(ImmutableTest, AnOlderStateIsNoReasonToRepair) {
  std::string message;
  EXPECT_EQ(error_of([&] { check_acknowledged(home, 7, 5, true); }, &message), ErrorCode::kCorrupt);
  EXPECT_NE(message.find("open the collection once where it can be written"), std::string::npos) << message;
  EXPECT_EQ(message.find("repair"), std::string::npos) << message;
}

}  // namespace
}  // namespace signet::store
