#include <gtest/gtest.h>

#include <stdexcept>

#include "store/test_collection.h"

namespace signet {
namespace {

class NewClassesTest : public CollectionTest {
 protected:
  // Adds one image of the class 10, which is the first that the collection has no name for.
  static void add_ten(CollectionWriter& writer, std::span<const std::string> new_classes) {
    const CodeMatrix codes = random_codes(1, kTestBits, 1);
    std::vector<ImageRecord> records = test_records(1, 1);
    records[0].labels = {10};
    writer.add({&codes, records, kModelA, new_classes});
  }
};

TEST_F(NewClassesTest, ComeWithTheImagesThatHaveThem) {
  const std::vector<std::string> names = {"ten", "eleven"};
  std::uint64_t commit = 0;
  {
    const auto writer = create();
    commit = writer->info().commit;
    std::string message;
    EXPECT_EQ(error_of([&] { add_ten(*writer, {}); }, &message), ErrorCode::kInvalidArgument);
    EXPECT_NE(message.find("has the label 10"), std::string::npos) << message;
    add_ten(*writer, names);
    EXPECT_EQ(writer->info().class_names.size(), 12u);
  }
  const CollectionInfo info = view()->info();
  EXPECT_EQ(info.class_names.size(), 12u);
  EXPECT_EQ(info.class_names.back(), "eleven");
  EXPECT_EQ(info.commit, commit + 1);
  EXPECT_EQ(view()->ids_with_label(10).size(), 1u);
}

TEST_F(NewClassesTest, AreNotThereWhereTheImagesAreNot) {
  create();
  const std::vector<std::string> names = {"ten"};
  for (const char* point : {"rows-written", "segment-written", "before-commit"}) {
    WriterOptions options;
    options.failpoint = [&](const char* reached) {
      if (std::string(reached) == point) throw std::runtime_error(point);
    };
    const auto writer = open(options);
    EXPECT_THROW(add_ten(*writer, names), std::runtime_error) << point;
    EXPECT_EQ(writer->info().class_names, test_create().class_names) << point;
    EXPECT_EQ(view()->info().class_names, test_create().class_names) << point;
  }
  add_ten(*open(), names);
  EXPECT_EQ(view()->info().class_names.back(), "ten");
}

// Labels that came without names: the names of other classes must not become theirs.
TEST_F(NewClassesTest, AreNoNamesForLabelsThatHadNone) {
  CreateOptions unnamed = test_create();
  unnamed.class_names.clear();
  const auto writer = CollectionWriter::create(fs, path("unnamed"), unnamed);
  const std::vector<std::string> names = {"ten", "eleven"};
  add_ten(*writer, {});
  std::string message;
  EXPECT_EQ(error_of([&] { add_ten(*writer, names); }, &message), ErrorCode::kInvalidArgument);
  EXPECT_NE(message.find("numbers without names"), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { writer->set_class_names(names); }), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(writer->info().class_names.empty());
  writer->remove_keys(std::vector<std::string>{test_records(1, 1)[0].key});
  writer->set_class_names(names);
  EXPECT_EQ(writer->info().class_names, names);
}

}  // namespace
}  // namespace signet
