#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "signet/base/error.h"
#include "signet/dataset/dataset.h"
#include "tests/support/make_data.h"

namespace signet {
namespace {

namespace td = testdata;

class Readers : public testing::Test {
 protected:
  td::Folder folder{testing::TempDir()};
};

std::string gzip(const std::string& content) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, content.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

DatasetOptions with_split(const std::string& split) {
  DatasetOptions options;
  options.split = split;
  return options;
}

std::vector<std::string> keys_of(const Dataset& dataset) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < dataset.size(); ++i) keys.push_back(dataset.key(i));
  return keys;
}

std::int32_t label_of(const Dataset& dataset, std::size_t i) {
  return dataset.labels(i).empty() ? -1 : dataset.labels(i).front();
}

void expect_same(const Dataset& a, const Dataset& b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(a.class_names(), b.class_names());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Sample x = a.get(i), y = b.get(i);
    EXPECT_EQ(x.key, y.key);
    EXPECT_EQ(x.labels, y.labels);
    EXPECT_EQ(x.image, y.image);
    EXPECT_EQ(a.split(i), b.split(i));
  }
}

// ---- idx

TEST_F(Readers, IdxFolderHoldsTrainThenTest) {
  td::make_idx_pair(folder.path(), 6, 4, 2, 8);
  const auto all = open_dataset(folder.path());
  ASSERT_EQ(all->size(), 10u);
  EXPECT_EQ(all->key(0), "train/00000");
  EXPECT_EQ(all->key(6), "t10k/00000");
  EXPECT_EQ(all->split(5), "train");
  EXPECT_EQ(all->split(6), "test");
  EXPECT_EQ(all->get(3).image, td::picture(1, 3, 8, 8));
  EXPECT_EQ(all->get(3).labels, std::vector<std::int32_t>{1});
  EXPECT_EQ(all->class_names(), (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(all->describe(), "idx, 10 images 8x8x1, 2 classes");
  EXPECT_EQ(dataset_splits(folder.path()), (std::vector<std::string>{"train", "test"}));
}

TEST_F(Readers, IdxTestAndT10kBothSelectTheTestSplit) {
  td::make_idx_pair(folder.path(), 6, 4, 2, 8);
  for (const char* name : {"test", "t10k"}) {
    const auto test = open_dataset(folder.path(), with_split(name));
    ASSERT_EQ(test->size(), 4u);
    EXPECT_EQ(test->key(3), "t10k/00003");
    EXPECT_EQ(test->get(1).image, td::picture(1, 1'000'001, 8, 8));
  }
}

TEST_F(Readers, IdxSplitsNameTheSameClassesAlsoWhereOneLacksTheLast) {
  td::make_idx(folder.path(), "train", 9, 3, 8);
  td::make_idx(folder.path(), "t10k", 2, 2, 8);
  EXPECT_EQ(open_dataset(folder.path(), with_split("test"))->class_names(), (std::vector<std::string>{"0", "1", "2"}));
}

TEST_F(Readers, IdxSingleFileFindsItsLabelsBesideIt) {
  td::make_idx(folder.path(), "train", 4, 2, 8);
  const auto dataset = open_dataset(folder / "train-images-idx3-ubyte");
  ASSERT_EQ(dataset->size(), 4u);
  EXPECT_EQ(label_of(*dataset, 3), 1);
  std::filesystem::remove(folder / "train-labels-idx1-ubyte");
  EXPECT_EQ(label_of(*open_dataset(folder / "train-images-idx3-ubyte"), 3), -1);
}

TEST_F(Readers, IdxGzipIsTheSameDataSet) {
  td::make_idx(folder / "plain", "train", 30, 3, 8);
  std::vector<Image> images;
  std::vector<std::uint8_t> labels;
  for (std::uint32_t i = 0; i < 30; ++i) {
    images.push_back(td::picture(i % 3, i, 8, 8));
    labels.push_back(static_cast<std::uint8_t>(i % 3));
  }
  td::write(folder / "packed/train-images-idx3-ubyte.gz", gzip(td::idx_images(images)));
  td::write(folder / "packed/train-labels-idx1-ubyte.gz", gzip(td::idx_labels(labels)));
  expect_same(*open_dataset(folder / "plain"), *open_dataset(folder / "packed"));
}

TEST_F(Readers, IdxGzipOfSeveralMembersIsReadThrough) {
  const std::string content = td::idx_images(std::vector<Image>{td::picture(0, 0, 8, 8), td::picture(1, 1, 8, 8)});
  td::write(folder / "train-images-idx3-ubyte.gz", gzip(content.substr(0, 50)) + gzip(content.substr(50)));
  EXPECT_EQ(open_dataset(folder.path())->get(1).image, td::picture(1, 1, 8, 8));
}

TEST_F(Readers, IdxNamesOfOnePublishedFileAreNotThoseOfAnother) {
  const std::filesystem::path source = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(source)) GTEST_SKIP() << "package dataset-fashion-mnist is not installed";
  td::make_idx(folder.path(), "train", 20, 10, 28);
  for (const char* name : {"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"})
    std::filesystem::create_symlink(source / name, folder / name);
  const auto train = open_dataset(folder.path(), with_split("train"));
  EXPECT_EQ(train->class_names()[9], "9");
  EXPECT_EQ(train->describe(), "idx, 20 images 28x28x1, 10 classes");
  EXPECT_EQ(open_dataset(folder / "t10k-images-idx3-ubyte.gz")->class_names()[9], "Ankle boot");
}

TEST_F(Readers, IdxFashionMnistIsRecognisedByItsLabels) {
  const std::string path = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "package dataset-fashion-mnist is not installed";
  const auto test = open_dataset(path, with_split("test"));
  ASSERT_EQ(test->size(), 10'000u);
  EXPECT_EQ(test->class_names()[9], "Ankle boot");
  EXPECT_EQ(label_of(*test, 0), 9);
  EXPECT_EQ(test->describe(), "Fashion-MNIST idx, 10000 images 28x28x1, 10 classes");
}

// ---- CIFAR-10

TEST_F(Readers, CifarFolderOfBatches) {
  td::make_cifar(folder.path(), 2, 12);
  const auto all = open_dataset(folder.path());
  ASSERT_EQ(all->size(), 36u);
  EXPECT_EQ(all->key(12), "data_batch_2/00000");
  EXPECT_EQ(all->key(24), "test_batch/00000");
  EXPECT_EQ(all->get(13).image, td::picture(1, 20'001, 32, 32, 3));
  EXPECT_EQ(label_of(*all, 13), 1);
  EXPECT_EQ(all->class_names()[1], "automobile");
  EXPECT_EQ(open_dataset(folder.path(), with_split("train"))->size(), 24u);
  EXPECT_EQ(open_dataset(folder.path(), with_split("test"))->key(0), "test_batch/00000");
  EXPECT_EQ(all->describe(), "CIFAR-10 binary, 36 images 32x32x3, 10 classes");
}

TEST_F(Readers, CifarSingleFileAndItsOwnClassNames) {
  td::make_cifar(folder.path(), 1, 3);
  td::write(folder / "batches.meta.txt", "a\r\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
  const auto one = open_dataset(folder / "test_batch.bin");
  ASSERT_EQ(one->size(), 3u);
  EXPECT_EQ(one->class_names().front(), "a");
  EXPECT_EQ(one->split(0), "test");
}

// ---- folder and tar

TEST_F(Readers, FolderIsOrderedByClassThenFile) {
  td::write_all(folder.path(), {{"dog/b.png", td::class_files(1, 1)[0].second},
                                {"cat/z.png", td::class_files(1, 1)[0].second},
                                {"cat/a.PNG", td::class_files(1, 1)[0].second},
                                {"cat/sub/c.png", td::class_files(1, 1)[0].second},
                                {"cat/.hidden.png", "x"},
                                {".git/a/b.png", "x"},
                                {"__MACOSX/dog/._b.png", "x"},
                                {"README.txt", "x"}});
  const auto dataset = open_dataset(folder.path());
  EXPECT_EQ(keys_of(*dataset), (std::vector<std::string>{"cat/a.PNG", "cat/sub/c.png", "cat/z.png", "dog/b.png"}));
  EXPECT_EQ(dataset->class_names(), (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(label_of(*dataset, 3), 1);
  EXPECT_EQ(dataset->describe(), "folder, 4 pictures, 2 classes, 1 other file left out");
}

TEST_F(Readers, FolderAndTarAreTheSameDataSet) {
  td::NamedFiles files = td::class_files(3, 4, 8);
  files.emplace_back("class1/" + std::string(120, 'x') + ".png", files[0].second);
  files.emplace_back("notes.txt", "hello");
  td::write_all(folder / "files", files);
  std::reverse(files.begin(), files.end());  // a tar's own order must not matter
  std::string archive = td::tar_header("class0/", 0, '5');
  for (const auto& [name, content] : files) {
    if (name.size() > 100) archive += td::tar_member("././@LongLink", name + std::string(1, '\0'), 'L');
    archive += td::tar_member("./" + name, content);
  }
  td::write(folder / "pictures.tar", archive + td::tar_end());
  const auto a = open_dataset(folder / "files"), b = open_dataset(folder / "pictures.tar");
  EXPECT_EQ(a->size(), 13u);
  expect_same(*a, *b);
  EXPECT_EQ(b->describe(), "tar, 13 pictures, 3 classes, 1 other file left out");
}

TEST_F(Readers, FolderAndTarWithSplits) {
  td::NamedFiles files;
  for (const char* part : {"Train", "test", "validation"}) {
    for (auto& [name, content] : td::class_files(part == std::string("test") ? 3 : 2, 2, 8))
      files.emplace_back(std::string(part) + "/" + name, content);
  }
  td::write_all(folder / "files", files);
  td::make_tar(folder / "files.tar", files);
  for (const std::string& path : {folder / "files", folder / "files.tar"}) {
    EXPECT_EQ(dataset_splits(path), (std::vector<std::string>{"train", "val", "test"}));
    const auto all = open_dataset(path);
    EXPECT_EQ(all->size(), 14u);
    EXPECT_EQ(all->key(0), "Train/class0/0000.png");
    EXPECT_EQ(all->split(13), "test");
    const auto train = open_dataset(path, with_split("train"));
    EXPECT_EQ(train->size(), 4u);
    EXPECT_EQ(train->class_names().size(), 3u) << "classes are those of all splits, so that labels agree";
    EXPECT_EQ(open_dataset(path, with_split("test"))->size(), 6u);
  }
  expect_same(*open_dataset(folder / "files"), *open_dataset(folder / "files.tar"));
}

TEST_F(Readers, TestSelectsValidationWhereThereIsNoTest) {
  td::write_all(folder.path(),
                {{"train/a/1.png", td::class_files(1, 1)[0].second}, {"val/a/2.png", td::class_files(1, 1)[0].second}});
  const auto dataset = open_dataset(folder.path(), with_split("test"));
  EXPECT_EQ(dataset->key(0), "val/a/2.png");
  EXPECT_EQ(dataset->describe(), "folder, 1 picture of split val, 1 class");
}

TEST_F(Readers, FolderOfTarsNamedBySplit) {
  td::make_tar(folder / "train.tar", td::class_files(2, 3, 8));
  td::make_tar(folder / "test.tar", td::class_files(2, 1, 8, 3, 500));
  const auto all = open_dataset(folder.path());
  ASSERT_EQ(all->size(), 8u);
  EXPECT_EQ(all->key(0), "train.tar/class0/0000.png");
  EXPECT_EQ(all->get(7).image, td::picture(1, 501, 8, 8, 3));
  EXPECT_EQ(open_dataset(folder.path(), with_split("test"))->key(1), "test.tar/class1/0000.png");
}

TEST_F(Readers, AFolderAroundEverythingIsTakenAway) {
  td::NamedFiles files;
  for (auto& [name, content] : td::class_files(2, 1, 8)) files.emplace_back("my-data/" + name, content);
  td::make_tar(folder / "x.tar", files);
  const auto dataset = open_dataset(folder / "x.tar");
  EXPECT_EQ(dataset->class_names(), (std::vector<std::string>{"class0", "class1"}));
  EXPECT_EQ(dataset->key(0), "my-data/class0/0000.png") << "keys stay paths inside the archive";
}

TEST_F(Readers, FlatFolderIsUnlabelled) {
  const std::string png = td::class_files(1, 1)[0].second;
  td::write_all(folder.path(), {{"b.png", png}, {"a.png", png}});
  const auto dataset = open_dataset(folder.path());
  EXPECT_EQ(keys_of(*dataset), (std::vector<std::string>{"a.png", "b.png"}));
  EXPECT_TRUE(dataset->class_names().empty());
  EXPECT_TRUE(dataset->labels(0).empty());
  EXPECT_EQ(dataset->describe(), "folder, 2 pictures, unlabelled");
}

TEST_F(Readers, PicturesBesideClassFoldersLabelNothing) {
  const std::string png = td::class_files(1, 1)[0].second;
  td::write_all(folder.path(), {{"cat/b.png", png}, {"preview.png", png}});
  const auto dataset = open_dataset(folder.path());
  EXPECT_EQ(dataset->size(), 2u);
  EXPECT_TRUE(dataset->class_names().empty());
  EXPECT_NE(dataset->describe().find("pictures beside folders"), std::string::npos);
}

TEST_F(Readers, OneClassOnlyOpens) {
  td::make_class_folder(folder.path(), 1, 3);
  EXPECT_EQ(open_dataset(folder.path())->class_names(), std::vector<std::string>{"class0"});
}

TEST_F(Readers, OnePictureFileIsADataSet) {
  td::write(folder / "a.png", td::class_files(1, 1, 8)[0].second);
  const auto dataset = open_dataset(folder / "a.png");
  EXPECT_EQ(dataset->key(0), "a.png");
  EXPECT_EQ(dataset->get(0).image, td::picture(0, 0, 8, 8, 3));
}

TEST_F(Readers, TarPaxPathHardLinkAndLaterMemberWins) {
  const td::NamedFiles files = td::class_files(2, 1, 8);
  const std::string path = "klasse/\xC3\xA4" + std::string(150, 'y') + ".png";
  std::string record = " path=" + path + "\n";
  record = std::to_string(record.size() + 3) + record;
  std::string archive = td::tar_member("global", "13 comment=x\n", 'g') + td::tar_member("pax", record, 'x') +
                        td::tar_member("short.png", files[0].second) + td::tar_member("other/old.png", "stale") +
                        td::tar_member("other/old.png", files[1].second) +
                        td::tar_header("other/link.png", 0, '1', "other/old.png");
  td::write(folder / "x.tar", archive + td::tar_end());
  const auto dataset = open_dataset(folder / "x.tar");
  EXPECT_EQ(keys_of(*dataset), (std::vector<std::string>{path, "other/link.png", "other/old.png"}));
  EXPECT_EQ(dataset->get(1).image, td::picture(1, 1, 8, 8, 3));
  EXPECT_EQ(dataset->get(2).image, td::picture(1, 1, 8, 8, 3));
}

TEST_F(Readers, TarUstarPrefixAndBase256Size) {
  const std::string png = td::class_files(1, 1, 8)[0].second;
  std::string header = td::tar_header("name.png", png.size());
  header.replace(345, 8, "deep/dir");
  header.replace(124, 12, std::string("\x80\0\0\0\0\0\0\0", 8) + td::big_endian(static_cast<std::uint32_t>(png.size())));
  std::uint32_t sum = 0;
  header.replace(148, 8, 8, ' ');
  for (const char c : header) sum += static_cast<unsigned char>(c);
  char digits[8];
  std::snprintf(digits, sizeof digits, "%06o", sum);
  header.replace(148, 7, std::string(digits, 7));
  td::write(folder / "x.tar", header + png + std::string(512 - png.size() % 512, '\0') + td::tar_end());
  EXPECT_EQ(open_dataset(folder / "x.tar")->key(0), "deep/dir/name.png");
}

// ---- manifest

TEST_F(Readers, ManifestWithQuotesMarkSplitsAndSeveralLabels) {
  const td::NamedFiles files = td::class_files(3, 1, 8);
  td::write(folder / "img/a, \"1\".png", files[0].second);
  td::write(folder / "img/b.png", files[1].second);
  td::write(folder / "img/c.png", files[2].second);
  td::write(
      folder / "list.csv",
      "\xEF\xBB\xBFkey,label,split\r\n\"img/a, \"\"1\"\".png\",sea; sun;sea,train\r\nimg/b.png,sun,test\r\n\r\nimg/c.png,,test");
  const auto all = open_dataset(folder / "list.csv");
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ(all->key(0), "img/a, \"1\".png");
  EXPECT_EQ(all->class_names(), (std::vector<std::string>{"sea", "sun"}));
  EXPECT_EQ(all->get(0).labels, (std::vector<std::int32_t>{0, 1}));
  EXPECT_EQ(all->get(1).image, td::picture(1, 1, 8, 8, 3));
  EXPECT_TRUE(all->labels(2).empty());
  const auto test = open_dataset(folder / "list.csv", with_split("t10k"));
  EXPECT_EQ(keys_of(*test), (std::vector<std::string>{"img/b.png", "img/c.png"}));
  EXPECT_EQ(test->class_names().size(), 2u);
}

TEST_F(Readers, ManifestWithoutHeaderAndNumericClasses) {
  td::write(folder / "list.tsv", "a.png\t10\nb.png\t2\n");
  const auto dataset = open_dataset(folder / "list.tsv");
  EXPECT_EQ(dataset->class_names(), (std::vector<std::string>{"2", "10"}));
  EXPECT_EQ(label_of(*dataset, 0), 1);
  td::write(folder / "long.csv", "a.png,10000000000000000000000\nb.png,9\nc.png,0\nd.png,007\n");
  EXPECT_EQ(open_dataset(folder / "long.csv")->class_names(),
            (std::vector<std::string>{"0", "007", "9", "10000000000000000000000"}));
}

TEST_F(Readers, ManifestColumnsMayStandInAnyOrder) {
  td::write(folder / "list.csv", "split,Label,note,Key\ntrain,x,n,a.png\n");
  const auto dataset = open_dataset(folder / "list.csv");
  EXPECT_EQ(dataset->key(0), "a.png");
  EXPECT_EQ(dataset->split(0), "train");
  EXPECT_EQ(dataset->class_names(), std::vector<std::string>{"x"});
}

// ---- what a path is

TEST_F(Readers, FilesOfDataSetsAreNamed) {
  using Files = std::vector<std::string>;
  td::make_idx_pair(folder / "idx", 2, 2, 2, 8);
  EXPECT_EQ(dataset_files(folder / "idx"), (Files{folder / "idx/train-images-idx3-ubyte", folder / "idx/train-labels-idx1-ubyte",
                                                  folder / "idx/t10k-images-idx3-ubyte", folder / "idx/t10k-labels-idx1-ubyte"}));
  std::filesystem::remove(folder / "idx/t10k-labels-idx1-ubyte");
  EXPECT_EQ(dataset_files(folder / "idx/t10k-images-idx3-ubyte"), Files{folder / "idx/t10k-images-idx3-ubyte"});
  td::make_cifar(folder / "cifar", 1, 1);
  td::write(folder / "cifar/batches.meta.txt", "names");
  EXPECT_EQ(dataset_files(folder / "cifar"),
            (Files{folder / "cifar/data_batch_1.bin", folder / "cifar/test_batch.bin", folder / "cifar/batches.meta.txt"}));
  td::make_tar(folder / "tars/train.tar", td::class_files(1, 1, 8));
  EXPECT_EQ(dataset_files(folder / "tars/train.tar"), Files{folder / "tars/train.tar"});
  EXPECT_EQ(dataset_files(folder / "tars"), Files{folder / "tars/train.tar"});
  td::make_class_folder(folder / "plain", 1, 1, 8);
  td::write(folder / "list.csv", "key\nplain/class0/0000.png\n");
  for (const char* name : {"plain", "plain/class0/0000.png", "list.csv"})
    EXPECT_EQ(dataset_files(folder / name), Files{}) << name;
}

TEST_F(Readers, EncodedBytesAreThoseOfATarsMember) {
  const td::NamedFiles files = td::class_files(1, 2, 8);
  td::make_tar(folder / "x.tar", files);
  td::write_all(folder / "plain", files);
  const auto tar = open_dataset(folder / "x.tar");
  for (std::size_t i = 0; i < files.size(); ++i) EXPECT_EQ(tar->encoded_bytes(i), files[i].second.size());
  for (std::size_t i = 0; i < files.size(); ++i) EXPECT_EQ(td::text_of(tar->encoded(i)), files[i].second);
  EXPECT_TRUE(open_dataset(folder / "plain")->encoded(0).empty());
  EXPECT_EQ(open_dataset(folder / "plain")->encoded_bytes(0), 0u);
}

TEST_F(Readers, FormatsAreDetected) {
  td::make_idx(folder / "idx", "train", 2, 2, 8);
  td::make_cifar(folder / "cifar", 1, 1);
  td::make_class_folder(folder / "classes", 1, 1, 8);
  td::make_tar(folder / "no-ending", td::class_files(1, 1, 8));
  td::write(folder / "model.onnx", "\x08\x07\x12\x06signet");
  EXPECT_EQ(detect_dataset_format(folder / "idx"), DatasetFormat::kIdx);
  EXPECT_EQ(detect_dataset_format(folder / "cifar"), DatasetFormat::kCifar);
  EXPECT_EQ(detect_dataset_format(folder / "cifar/test_batch.bin"), DatasetFormat::kCifar);
  EXPECT_EQ(detect_dataset_format(folder / "classes"), DatasetFormat::kFolder);
  EXPECT_EQ(detect_dataset_format(folder / "no-ending"), DatasetFormat::kTar);
  EXPECT_EQ(detect_dataset_format(folder / "model.onnx"), std::nullopt);
  EXPECT_EQ(parse_dataset_format("manifest"), DatasetFormat::kManifest);
  EXPECT_STREQ(dataset_format_name(DatasetFormat::kTar), "tar");
}

TEST_F(Readers, SummaryCountsClassesSplitsAndProblems) {
  td::NamedFiles files;
  for (const char* part : {"train", "test"}) {
    for (auto& [name, content] : td::class_files(2, 3, 8)) files.emplace_back(std::string(part) + "/" + name, content);
  }
  files.emplace_back("train/class1/broken.png", "no picture");
  td::write_all(folder.path(), files);
  const DatasetSummary summary = summarise_dataset(folder.path());
  EXPECT_EQ(summary.format, "folder");
  EXPECT_EQ(summary.images, 13u);
  EXPECT_EQ(summary.class_counts, (std::vector<std::size_t>{6, 7}));
  EXPECT_EQ(summary.splits, (std::vector<std::string>{"train", "test"}));
  EXPECT_EQ(summary.split_sizes, (std::vector<std::size_t>{7, 6}));
  EXPECT_EQ(summary.min_width, 8u);
  EXPECT_TRUE(summary.colour);
  EXPECT_FALSE(summary.grey);
  ASSERT_EQ(summary.problems.size(), 1u);
  EXPECT_NE(summary.problems[0].find("train/class1/broken.png"), std::string::npos);
}

}  // namespace
}  // namespace signet
