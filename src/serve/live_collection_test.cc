#include "serve/live_collection.h"

#include <filesystem>

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

}  // namespace
}  // namespace signet
