#include "serve/code_map.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/test_folder.h"
#include "signet/base/random.h"
#include "signet/store/collection_writer.h"

namespace signet {
namespace {

class CodeMapTest : public TestFolder {
 protected:
  CodeMap map_of(const CodeMatrix& codes, std::size_t count) {
    CreateOptions create;
    create.bits = codes.bits();
    const auto writer = CollectionWriter::create(real_file_system(), path(concat("c", ++made_)), create);
    std::vector<ImageRecord> records(codes.size());
    for (std::size_t i = 0; i < codes.size(); ++i) records[i].key = std::to_string(i);
    writer->add({&codes, records, ""});
    const auto view = Collection::open(real_file_system(), path(concat("c", made_)))->view();
    return make_code_map(*view, view->info(), view->ids(), count);
  }
  int made_ = 0;
};

// 40 bits that agree with one coin and 20 that agree with another: these are the two main axes, whatever the other 4 bits do.
TEST_F(CodeMapTest, FindsTheTwoMainAxes) {
  CodeMatrix codes(500, 64);
  std::vector<std::pair<bool, bool>> coins;
  Random random(3);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const bool a = random.next() & 1, b = random.next() & 1;
    coins.emplace_back(a, b);
    for (std::uint32_t k = 0; k < 64; ++k) {
      const bool bit = k < 40 ? a : k < 60 ? b : random.next() & 1;
      if (bit) codes.row(i)[k / 8] = static_cast<std::uint8_t>(codes.row(i)[k / 8] | (1u << (k % 8)));
    }
  }
  const CodeMap map = map_of(codes, 500);
  ASSERT_EQ(map.points.size(), 500u);
  const float x_sign = (map.points[0].x > 0) == coins[0].first ? 1 : -1,
              y_sign = (map.points[0].y > 0) == coins[0].second ? 1 : -1;
  for (std::size_t i = 0; i < map.points.size(); ++i) {
    EXPECT_GT(map.points[i].x * x_sign * (coins[i].first ? 1 : -1), 0.5f) << i;
    EXPECT_GT(map.points[i].y * y_sign * (coins[i].second ? 1 : -1), 0.4f) << i;
    EXPECT_LE(std::abs(map.points[i].x), 1.0f);
    EXPECT_LE(std::abs(map.points[i].y), 1.0f);
  }
}

TEST_F(CodeMapTest, EqualCodesLieInTheMiddle) {
  for (const CodeMap::Point& point : map_of(CodeMatrix(5, 12), 5).points) {
    EXPECT_EQ(point.x, 0.0f);
    EXPECT_EQ(point.y, 0.0f);
    EXPECT_EQ(point.label, -1);
  }
  EXPECT_TRUE(map_of(CodeMatrix(5, 12), 0).points.empty());
}

TEST_F(CodeMapTest, SpreadsOverAllIds) {
  const CodeMap map = map_of(CodeMatrix(100, 12), 10);
  ASSERT_EQ(map.points.size(), 10u);
  EXPECT_EQ(map.points.front().id, 1u);
  EXPECT_EQ(map.points[1].id, 11u);
  EXPECT_EQ(map.points.back().id, 91u);
}

}  // namespace
}  // namespace signet
