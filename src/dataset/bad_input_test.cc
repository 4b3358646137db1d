#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "signet/base/error.h"
#include "signet/dataset/dataset.h"
#include "tests/support/make_data.h"

// Bad input: each kind has its test; each error has the right code and names the file and what would be right.
namespace signet {
namespace {

namespace td = testdata;

class BadInput : public testing::Test {
 protected:
  td::Folder folder{testing::TempDir()};

  static void expect_error(const std::function<void()>& action, ErrorCode code, const std::vector<std::string>& words) {
    try {
      action();
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      for (const std::string& word : words)
        EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << word << " is not in: " << error.what();
    }
  }
  static void expect_refused(const std::string& path, ErrorCode code, const std::vector<std::string>& words,
                             const DatasetOptions& options = {}) {
    expect_error([&] { open_dataset(path, options); }, code, words);
  }
  void expect_tar_refused(const std::string& archive, ErrorCode code, const std::vector<std::string>& words) {
    td::write(folder / "x.tar", archive);
    expect_refused(folder / "x.tar", code, words);
  }
  void expect_csv_refused(const std::string& text, ErrorCode code, const std::vector<std::string>& words) {
    td::write(folder / "x.csv", text);
    expect_refused(folder / "x.csv", code, words);
  }
};

std::string idx_header(std::uint32_t count, std::uint32_t height, std::uint32_t width) {
  return std::string("\0\0\x08\x03", 4) + td::big_endian(count) + td::big_endian(height) + td::big_endian(width);
}

// ---- any path

TEST_F(BadInput, MissingPath) { expect_refused(folder / "none", ErrorCode::kNotFound, {folder / "none", "does not exist"}); }

TEST_F(BadInput, MissingPathWithANamedFormat) {
  DatasetOptions options;
  options.format = DatasetFormat::kTar;
  expect_refused(folder / "none.tar", ErrorCode::kNotFound, {"none.tar", "tar"}, options);
}

TEST_F(BadInput, EmptyFolder) {
  expect_refused(folder.path(), ErrorCode::kInvalidArgument, {folder.path(), "holds no pictures"});
}

TEST_F(BadInput, EmptyFile) {
  td::write(folder / "data", "");
  expect_refused(folder / "data", ErrorCode::kCorrupt, {"is empty"});
}

TEST_F(BadInput, FileThatIsNoDataSet) {
  td::write(folder / "notes.txt", "hello");
  expect_refused(folder / "notes.txt", ErrorCode::kUnsupported, {"notes.txt", "no data set"});
}

TEST_F(BadInput, UnknownFormatName) {
  expect_error([] { parse_dataset_format("zip"); }, ErrorCode::kUsage, {"zip", "auto, idx, cifar, folder, tar, manifest"});
}

TEST_F(BadInput, SplitThatIsNotThere) {
  DatasetOptions options;
  options.split = "test";
  td::make_class_folder(folder / "plain", 2, 1, 8);
  expect_refused(folder / "plain", ErrorCode::kNotFound, {"holds no splits", "test"}, options);
  td::make_idx(folder / "idx", "train", 2, 2, 8);
  expect_refused(folder / "idx", ErrorCode::kNotFound, {"no split \"test\"", "it holds train"}, options);
}

TEST_F(BadInput, IndexOutOfRange) {
  td::make_class_folder(folder / "a", 2, 1, 8);
  td::make_idx(folder / "b", "train", 2, 2, 8);
  td::make_cifar(folder / "c", 1, 1);
  for (const char* name : {"a", "b", "c"}) {
    const auto dataset = open_dataset(folder / name);
    expect_error([&] { dataset->get(2); }, ErrorCode::kInvalidArgument, {"no image 2"});
    expect_error([&] { dataset->labels(2); }, ErrorCode::kInvalidArgument, {"no image 2"});
    expect_error([&] { dataset->key(static_cast<std::size_t>(-1)); }, ErrorCode::kInvalidArgument, {"no image"});
    expect_error([&] { dataset->split(2); }, ErrorCode::kInvalidArgument, {"no image 2"});
  }
}

// ---- idx

TEST_F(BadInput, IdxEmpty) {
  td::write(folder / "train-images-idx3-ubyte", "");
  expect_refused(folder.path(), ErrorCode::kCorrupt, {"train-images-idx3-ubyte", "is empty"});
  expect_refused(folder / "train-images-idx3-ubyte", ErrorCode::kCorrupt, {"is empty"});
}

TEST_F(BadInput, IdxWrongMagic) {
  td::write(folder / "train-images-idx3-ubyte", "hello, world: more than sixteen bytes");
  expect_refused(folder.path(), ErrorCode::kCorrupt, {"magic"});
}

TEST_F(BadInput, IdxOfFloats) {
  td::write(folder / "train-images-idx3-ubyte", std::string("\0\0\x0D\x03", 4) + std::string(12, '\0'));
  expect_refused(folder.path(), ErrorCode::kUnsupported, {"type 13"});
}

TEST_F(BadInput, IdxLabelsFileInPlaceOfImages) {
  td::make_idx(folder.path(), "train", 2, 2, 8);
  expect_refused(folder / "train-labels-idx1-ubyte", ErrorCode::kUnsupported, {"1 dimensions", "3"});
}

TEST_F(BadInput, IdxTruncatedInItsHeader) {
  td::write(folder / "train-images-idx3-ubyte", idx_header(1, 8, 8).substr(0, 10));
  expect_refused(folder.path(), ErrorCode::kCorrupt, {"inside its header"});
}

TEST_F(BadInput, IdxTruncatedInItsData) {
  td::write(folder / "train-images-idx3-ubyte", idx_header(2, 8, 8) + std::string(127, 'x'));
  expect_refused(folder.path(), ErrorCode::kCorrupt, {"claims 128 bytes", "holds 127"});
}

TEST_F(BadInput, IdxWithBytesBehindItsData) {
  td::write(folder / "train-images-idx3-ubyte", idx_header(2, 8, 8) + std::string(129, 'x'));
  expect_refused(folder.path(), ErrorCode::kCorrupt, {"claims 128 bytes", "holds 129"});
}

TEST_F(BadInput, IdxHugeClaimIsRefusedBeforeAllocation) {
  td::write(folder / "train-images-idx3-ubyte", idx_header(0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF) + "xx");
  expect_refused(folder.path(), ErrorCode::kCorrupt, {"claims 18446744073709551615 bytes"});
}

TEST_F(BadInput, IdxImagesOverThePixelLimit) {
  td::write(folder / "train-images-idx3-ubyte", idx_header(1, 8, 8) + std::string(64, 'x'));
  DatasetOptions options;
  options.limits.max_pixels = 63;
  expect_refused(folder.path(), ErrorCode::kInvalidArgument, {"8 x 8", "63"}, options);
}

TEST_F(BadInput, IdxWithoutImages) {
  td::write(folder / "train-images-idx3-ubyte", idx_header(0, 8, 8));
  expect_refused(folder.path(), ErrorCode::kInvalidArgument, {"holds no images"});
  td::write(folder / "train-images-idx3-ubyte", idx_header(3, 0, 8));
  expect_refused(folder.path(), ErrorCode::kCorrupt, {"8 x 0"});
}

TEST_F(BadInput, IdxCountsOfImagesAndLabelsDiffer) {
  td::make_idx(folder.path(), "train", 4, 2, 8);
  td::write(folder / "train-labels-idx1-ubyte", td::idx_labels(std::vector<std::uint8_t>{0, 1, 0}));
  expect_refused(folder.path(), ErrorCode::kCorrupt, {"3 labels", "4 images", "train-labels-idx1-ubyte"});
}

// A gzip head and the begin of a stored block with the first 16 bytes of an idx file that claims 60,000 x 28 x 28, and nothing
// else.
TEST_F(BadInput, IdxGzipClaimBeyondWhatItCanHold) {
  const std::string head_only(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x00\x00\x01\xff\xfe\x00\x00\x08\x03\x00\x00\xea\x60\x00\x00\x00\x1c\x00\x00\x00"
      "\x1c",
      31);
  td::write(folder / "train-images-idx3-ubyte.gz", head_only + std::string(8, '\0'));
  expect_refused(folder.path(), ErrorCode::kCorrupt, {"claims 47040000 bytes", "39 compressed bytes"});
}

// The same head in a sparse file so long that its claim of 2^46 bytes is none that it cannot hold. The zeros behind it are no
// deflate block.
TEST_F(BadInput, IdxGzipClaimIsNoReasonToTakeMemory) {
  const std::string path = folder / "train-images-idx3-ubyte.gz";
  td::write(path, std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x00\x00\x01\xff\xfe", 15) +
                      idx_header(1u << 16, 1u << 15, 1u << 15));
  std::filesystem::resize_file(path, std::uintmax_t{1} << 36);
  expect_refused(folder.path(), ErrorCode::kCorrupt, {path, "damaged"});
}

TEST_F(BadInput, IdxGzipTruncatedOrDamaged) {
  const std::string source = "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz";
  if (!std::filesystem::exists(source)) GTEST_SKIP() << "package dataset-fashion-mnist is not installed";
  td::make_idx(folder.path(), "t10k", 10'000, 10, 2);
  std::filesystem::remove(folder / "t10k-labels-idx1-ubyte");
  std::ifstream in(source, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  const std::string path = folder / "t10k-labels-idx1-ubyte.gz";
  td::write(path, whole.substr(0, whole.size() / 2));
  expect_refused(folder.path(), ErrorCode::kCorrupt, {path, "truncated"});
  td::write(path, whole.substr(0, whole.size() - 1));
  expect_refused(folder.path(), ErrorCode::kCorrupt, {path, "truncated"});
  std::string damaged = whole;
  damaged[whole.size() / 2] = static_cast<char>(damaged[whole.size() / 2] ^ 0x10);
  td::write(path, damaged);
  expect_refused(folder.path(), ErrorCode::kCorrupt, {path});
  td::write(path, whole);
  EXPECT_EQ(open_dataset(folder.path())->labels(0).front(), 9);
}

TEST_F(BadInput, IdxFolderOfSeveralDataSets) {
  td::make_idx(folder.path(), "emnist-letters-train", 2, 2, 8);
  td::make_idx(folder.path(), "emnist-letters-test", 2, 2, 8);
  EXPECT_EQ(dataset_splits(folder.path()), (std::vector<std::string>{"train", "test"}));
  EXPECT_EQ(open_dataset(folder.path())->key(2), "emnist-letters-test/00000");
  td::make_idx(folder.path(), "emnist-digits-train", 2, 2, 8);
  expect_refused(folder.path(), ErrorCode::kInvalidArgument, {"several idx data sets", "train-images"});
  EXPECT_EQ(open_dataset(folder / "emnist-digits-train-images-idx3-ubyte")->size(), 2u);
}

// ---- CIFAR-10

TEST_F(BadInput, CifarTruncated) {
  td::make_cifar(folder.path(), 1, 2);
  std::filesystem::resize_file(folder / "data_batch_1.bin", 3073 * 2 - 1);
  expect_refused(folder.path(), ErrorCode::kCorrupt, {"data_batch_1.bin", "6145 bytes", "3073"});
}

TEST_F(BadInput, CifarEmpty) {
  td::write(folder / "test_batch.bin", "");
  expect_refused(folder.path(), ErrorCode::kCorrupt, {"test_batch.bin", "0 bytes"});
}

TEST_F(BadInput, CifarLabelOutOfRange) {
  td::write(folder / "test_batch.bin",
            td::cifar_record(3, td::picture(0, 0, 32, 32, 3)) + td::cifar_record(10, td::picture(0, 1, 32, 32, 3)));
  expect_refused(folder.path(), ErrorCode::kCorrupt, {"offset 3073", "label 10"});
}

TEST_F(BadInput, CifarWrongNumberOfNames) {
  td::make_cifar(folder.path(), 1, 1);
  td::write(folder / "batches.meta.txt", "a\nb\n");
  expect_refused(folder.path(), ErrorCode::kCorrupt, {"batches.meta.txt", "2 class names"});
}

// ---- files that somebody writes to while a data set is open

TEST_F(BadInput, FilesThatAreCutShortAfterOpeningFailAtGet) {
  td::make_idx(folder / "idx", "train", 4, 2, 8);
  td::make_cifar(folder / "cifar", 1, 2);
  td::make_tar(folder / "x.tar", td::class_files(2, 2, 8));
  const auto expect_cut = [&](const std::string& data, const std::string& file) {
    const auto dataset = open_dataset(folder / data);
    EXPECT_NO_THROW(dataset->get(0));
    std::filesystem::resize_file(folder / file, 0);  // of a mapping the first byte would kill
    expect_error([&] { dataset->get(0); }, ErrorCode::kIo, {file, "became shorter"});
  };
  expect_cut("idx", "idx/train-images-idx3-ubyte");
  expect_cut("cifar", "cifar/data_batch_1.bin");
  expect_cut("x.tar", "x.tar");
}

TEST_F(BadInput, TarMembersOverTheLimitOfBytesFailAtGet) {
  td::make_tar(folder / "x.tar", td::class_files(1, 1, 8));
  DatasetOptions options;
  options.limits.max_bytes = 10;
  expect_error([&] { open_dataset(folder / "x.tar", options)->get(0); }, ErrorCode::kInvalidArgument,
               {"x.tar:class0/0000.png", "at most 10"});
}

// ---- folder

TEST_F(BadInput, UnreadablePicturesFailOnlyAtGetWithTheirKey) {
  td::make_class_folder(folder.path(), 2, 2, 8);
  td::write(folder / "class0/0001.png", "no picture");
  td::write(folder / "class1/gone.gif", "GIF89a....");
  std::filesystem::create_symlink("nowhere", folder / "class1/dangling.jpg");
  std::filesystem::create_symlink("loop.jpg", folder / "class1/loop.jpg");
  const auto dataset = open_dataset(folder.path());
  ASSERT_EQ(dataset->size(), 7u);
  expect_error([&] { dataset->get(1); }, ErrorCode::kCorrupt, {"class0/0001.png"});
  expect_error([&] { dataset->get(4); }, ErrorCode::kNotFound, {"class1/dangling.jpg"});
  expect_error([&] { dataset->get(5); }, ErrorCode::kUnsupported, {"class1/gone.gif", "GIF"});
  expect_error([&] { dataset->get(6); }, ErrorCode::kIo, {"class1/loop.jpg"});
  EXPECT_EQ(dataset->get(0).image, td::picture(0, 0, 8, 8, 3));
}

TEST_F(BadInput, PictureRemovedAfterOpening) {
  td::make_class_folder(folder.path(), 1, 2, 8);
  const auto dataset = open_dataset(folder.path());
  std::filesystem::remove(folder / "class0/0000.png");
  expect_error([&] { dataset->get(0); }, ErrorCode::kNotFound, {"class0/0000.png"});
}

TEST_F(BadInput, SymbolicLinkLoopOfFoldersIsLeftOut) {
  td::make_class_folder(folder.path(), 2, 1, 8);
  std::filesystem::create_directory_symlink(folder.path(), folder / "class0/again");
  const auto dataset = open_dataset(folder.path());
  EXPECT_EQ(dataset->size(), 2u);
  ASSERT_EQ(dataset->left_out().size(), 1u);
  EXPECT_EQ(dataset->left_out()[0].find(folder / "class0/again: is a symbolic link that leads back"), 0u)
      << dataset->left_out()[0];
  EXPECT_NE(dataset->describe().find("1 folder that cannot be read left out"), std::string::npos) << dataset->describe();
  const DatasetSummary summary = summarise_dataset(folder.path());
  ASSERT_EQ(summary.problems.size(), 1u);
  EXPECT_EQ(summary.problems[0], dataset->left_out()[0]);
  std::filesystem::remove(folder / "class0/0000.png");
  std::filesystem::remove(folder / "class1/0000.png");
  expect_refused(folder.path(), ErrorCode::kIo, {folder.path() + ": holds no pictures", "class0/again: is a symbolic link"});
}

TEST_F(BadInput, ALinkToAFolderAboveBringsInNothing) {
  td::make_class_folder(folder / "pictures", 2, 1, 8);
  td::make_class_folder(folder / "others", 1, 1, 8);
  std::filesystem::create_directory_symlink("..", folder / "pictures/class0/up");
  std::filesystem::create_directory_symlink("../..", folder / "pictures/class0/further");
  const auto dataset = open_dataset(folder / "pictures");
  EXPECT_EQ(dataset->size(), 2u);
  ASSERT_EQ(dataset->left_out().size(), 2u);
  EXPECT_EQ(dataset->left_out()[0].find(folder / "pictures/class0/further: is a symbolic link"), 0u) << dataset->left_out()[0];
}

TEST_F(BadInput, FoldersTooDeep) {
  std::string name = "a";
  for (int depth = 0; depth < 70; ++depth) name += "/b";
  td::write(folder / (name + "/c.png"), "x");
  expect_refused(folder.path(), ErrorCode::kInvalidArgument, {"more than 64 folders"});
}

TEST_F(BadInput, PipeNamedLikeAPictureIsLeftOut) {
  td::make_class_folder(folder.path(), 1, 1, 8);
  std::filesystem::create_symlink("/dev/zero", folder / "class0/endless.png");
  EXPECT_EQ(open_dataset(folder.path())->size(), 1u);
}

TEST_F(BadInput, UnreadableFolderIsLeftOutBelowTheRootAlone) {
  if (::getuid() == 0) GTEST_SKIP() << "root may read everything";
  td::make_class_folder(folder.path(), 2, 1, 8);
  std::filesystem::permissions(folder / "class0", std::filesystem::perms::none);
  const auto dataset = open_dataset(folder.path());
  EXPECT_EQ(dataset->size(), 1u);
  ASSERT_EQ(dataset->left_out().size(), 1u);
  EXPECT_NE(dataset->left_out()[0].find("cannot list " + (folder / "class0")), std::string::npos) << dataset->left_out()[0];
  expect_refused(folder / "class0", ErrorCode::kIo, {folder / "class0"});
  std::filesystem::permissions(folder / "class0", std::filesystem::perms::owner_all);
}

// ---- tar

TEST_F(BadInput, TarEmpty) { expect_tar_refused("", ErrorCode::kCorrupt, {"x.tar", "is empty"}); }

TEST_F(BadInput, TarThatIsNone) {
  expect_tar_refused("hello", ErrorCode::kCorrupt, {"shorter than one block"});
  expect_tar_refused(std::string(600, 'x'), ErrorCode::kCorrupt, {"no tar header", "offset 0"});
}

TEST_F(BadInput, TarWithoutPictures) {
  expect_tar_refused(td::tar_member("a.txt", "hello") + td::tar_end(), ErrorCode::kInvalidArgument, {"holds no pictures"});
}

TEST_F(BadInput, TarTruncatedAtEveryBlock) {
  std::string archive;
  for (const auto& [name, content] : td::class_files(2, 1, 8)) archive += td::tar_member(name, content);
  const std::size_t whole = archive.size();
  archive += td::tar_end();
  for (std::size_t size = 1; size <= whole; size += 37) {
    td::write(folder / "x.tar", archive.substr(0, size));
    expect_refused(folder / "x.tar", ErrorCode::kCorrupt, {"x.tar", "offset"});
  }
}

TEST_F(BadInput, TarWithAFlippedByteInItsHeader) {
  const std::string good = td::tar_member("a/b.png", "x") + td::tar_member("a/c.png", "y") + td::tar_end();
  for (std::size_t at = 0; at < 512; ++at) {
    std::string bad = good;
    bad[1024 + at] = static_cast<char>(bad[1024 + at] ^ 0x01);
    td::write(folder / "x.tar", bad);
    try {
      open_dataset(folder / "x.tar");  // a flip of a digit of the checksum's own padding may pass: it changes no meaning
      EXPECT_TRUE(at >= 148 && at < 156) << at;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << at;
    }
  }
}

TEST_F(BadInput, TarClaimsMoreThanItHolds) {
  expect_tar_refused(td::tar_header("a.png", 0777'7777'7777) + td::tar_end(), ErrorCode::kCorrupt, {"claims 8589934591 bytes"});
}

TEST_F(BadInput, TarPathsThatEscape) {
  for (const char* name : {"../a.png", "a/../../b.png", "a/..", "/etc/a.png"}) {
    expect_tar_refused(td::tar_member(name, "x") + td::tar_end(), ErrorCode::kCorrupt,
                       {"x.tar", name[0] == '/' ? "absolute" : ".."});
  }
  const std::string name = "../a.png";
  expect_tar_refused(td::tar_member("l", name + std::string(1, '\0'), 'L') + td::tar_member("b.png", "x") + td::tar_end(),
                     ErrorCode::kCorrupt, {".."});
}

TEST_F(BadInput, TarCompressed) {
  expect_tar_refused("\x1f\x8b\x08 and so on", ErrorCode::kUnsupported, {"compressed", "unpack"});
}

TEST_F(BadInput, TarSymbolicLinkToAPicture) {
  expect_tar_refused(td::tar_header("a/b.png", 0, '2', "c.png") + td::tar_end(), ErrorCode::kUnsupported,
                     {"symbolic link a/b.png", "--dereference"});
}

TEST_F(BadInput, TarHardLinkToNothing) {
  expect_tar_refused(td::tar_header("a/b.png", 0, '1', "c.png") + td::tar_end(), ErrorCode::kCorrupt, {"a/b.png", "c.png"});
}

TEST_F(BadInput, TarSparse) {
  expect_tar_refused(td::tar_header("a/b.png", 0, 'S') + td::tar_end(), ErrorCode::kUnsupported, {"sparse"});
  expect_tar_refused(td::tar_member("p", "22 GNU.sparse.major=1\n", 'x') + td::tar_member("a/b.png", "x") + td::tar_end(),
                     ErrorCode::kUnsupported, {"sparse"});
}

TEST_F(BadInput, TarDamagedPaxRecord) {
  for (const char* record :
       {"99 path=a.png\n", "0 path=a.png\n", "path=a.png\n", "6 path\n", "18446744073709551617 path=x\n", "12 size=abcd\n"}) {
    expect_tar_refused(td::tar_member("p", record, 'x') + td::tar_member("b.png", "x") + td::tar_end(), ErrorCode::kCorrupt,
                       {"pax"});
  }
}

// ---- manifest

TEST_F(BadInput, ManifestEmpty) {
  expect_csv_refused("", ErrorCode::kCorrupt, {"x.csv", "is empty"});
  expect_csv_refused("\n\r\n", ErrorCode::kCorrupt, {"no lines"});
  expect_csv_refused("key,label\n", ErrorCode::kInvalidArgument, {"header and no lines"});
}

TEST_F(BadInput, ManifestDuplicateKeys) {
  expect_csv_refused("key,label\na.png,x\nb.png,x\na.png,y\n", ErrorCode::kInvalidArgument, {"line 4", "a.png", "line 2"});
}

TEST_F(BadInput, ManifestOpenQuote) {
  expect_csv_refused("key,label\n\"a.png,x\nb.png,y\n", ErrorCode::kCorrupt, {"line 2", "quote"});
}

TEST_F(BadInput, ManifestTextBehindAQuote) {
  expect_csv_refused("key,label\n\"a\"b.png,x\n", ErrorCode::kCorrupt, {"line 2", "closing quote"});
}

TEST_F(BadInput, ManifestUnevenColumns) {
  expect_csv_refused("key,label\na.png\n", ErrorCode::kCorrupt, {"line 2", "1 column,", "2 columns"});
  expect_csv_refused("\"a\nb.png\",x\nc.png,y,z\n", ErrorCode::kCorrupt, {"line 3"});
}

TEST_F(BadInput, ManifestTooManyColumnsWithoutHeader) {
  expect_csv_refused("a.png,b,c,d\n", ErrorCode::kCorrupt, {"line 1", "4 columns", "no header"});
}

TEST_F(BadInput, ManifestEmptyKey) { expect_csv_refused("key,label\n,x\n", ErrorCode::kCorrupt, {"line 2", "no key"}); }

TEST_F(BadInput, ManifestBinary) {
  expect_csv_refused(std::string("key,label\na\0.png,x\n", 20), ErrorCode::kCorrupt, {"line 2", "NUL"});
  expect_csv_refused("\xFF\xFEk", ErrorCode::kUnsupported, {"UTF-16"});
}

TEST_F(BadInput, ManifestPictureThatIsMissingFailsAtGet) {
  td::write(folder / "x.csv", "key,label\nnone.png,x\n");
  const auto dataset = open_dataset(folder / "x.csv");
  expect_error([&] { dataset->get(0); }, ErrorCode::kNotFound, {"none.png"});
}

}  // namespace
}  // namespace signet
