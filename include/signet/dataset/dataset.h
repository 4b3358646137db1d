#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "signet/image/image.h"

namespace signet {

struct Sample {
  Image image;
  std::vector<std::int32_t> labels;  // class indices; several where the data is multi-label; empty where unknown
  std::string key;                   // the user's name for the image: path inside the folder or tar, "t10k/00017" for idx
};

// A finite, ordered set of images. get() may read and decode; the rest is cheap. Immutable after opening; all functions are safe
// from many threads at once. Samples are ordered by class name, then file name, for folder and tar; by position for idx and
// CIFAR. A file that is cut short after it was opened makes get() throw kIo; one that is written to gives what stands in it.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::size_t size() const noexcept = 0;
  virtual Sample get(std::size_t i) const = 0;  // throws Error naming the key where the image is unreadable
  virtual std::string key(std::size_t i) const = 0;
  virtual std::span<const std::int32_t> labels(std::size_t i) const = 0;
  virtual const std::vector<std::string>& class_names() const noexcept = 0;  // empty where unlabelled
  virtual std::string describe() const = 0;  // "Fashion-MNIST idx, 60000 images 28x28x1, 10 classes"
  // Folders that were found but could not be looked through, one sentence each. Only what open_dataset returns knows them.
  virtual std::span<const std::string> left_out() const noexcept { return {}; }
  // "train", "val", "test" or another name; empty where the source makes no difference.
  virtual std::string split(std::size_t i) const;
  // Bytes of the encoded picture that get(i) holds beside its pixels; 0 where pixels lie in the file as they are, or where a
  // picture is a file of its own. Only what open_dataset returns knows them.
  virtual std::uint64_t encoded_bytes(std::size_t /*i*/) const { return 0; }
  // Those bytes; none where encoded_bytes is 0. Throws as get(), but for what decoding alone finds.
  virtual std::vector<std::byte> encoded(std::size_t /*i*/) const { return {}; }
};

enum class DatasetFormat { kAuto, kIdx, kCifar, kFolder, kTar, kManifest };

struct DatasetOptions {
  DatasetFormat format = DatasetFormat::kAuto;
  std::string split;  // "train", "val" or "test" where the source holds splits; empty = everything it holds
  DecodeLimits limits;
};

// Opens what `path` is (docs/data.md): a folder with idx files ({train,t10k}-{images,labels}..., plain or .gz) or one images file
// (its labels file is found beside it); CIFAR-10 official binaries (data_batch_*.bin, test_batch.bin); a folder with one folder
// per class; a flat folder of images (unlabelled); train/ and test/ folders of either; a .tar of all these (its members like the
// folder's); a folder of tars named by split; a .csv/.tsv manifest `key,label[,split]` with several labels separated by ';' and
// keys relative to the manifest; one picture file. Throws Error{kNotFound, kCorrupt, kUnsupported, kInvalidArgument}: one
// sentence with the file and what would be right. A split has several names ("test" and "t10k"; "val" and "validation"); where
// there is "val" but no "test", "test" selects it.
std::shared_ptr<const Dataset> open_dataset(const std::string& path, const DatasetOptions& options = {});

DatasetFormat parse_dataset_format(const std::string& name);  // auto|idx|cifar|folder|tar|manifest; throws kUsage
const char* dataset_format_name(DatasetFormat format) noexcept;

// What kAuto takes `path` for, by looking at names and first bytes; nothing where it is no data set that signet reads. kNotFound
// where it does not exist.
std::optional<DatasetFormat> detect_dataset_format(const std::string& path);

// The files that a data set of many pictures a file lies in (idx with its labels, CIFAR-10, tar), whose change makes what
// open_dataset has returned another data set; empty where each picture is a file of its own. Looks at names, opens nothing but to
// detect the format. Throws as open_dataset.
std::vector<std::string> dataset_files(const std::string& path, const DatasetOptions& options = {});

// Names of the splits that `path` holds, of "train", "val", "test" first in this order; empty where it makes no difference
// between images.
std::vector<std::string> dataset_splits(const std::string& path, const DatasetOptions& options = {});

// What `signet inspect` says of a data set. Decodes at most `look_at` pictures, evenly spread.
struct DatasetSummary {
  std::string format, description;
  std::size_t images = 0, unlabelled = 0;
  std::vector<std::string> splits;
  std::vector<std::size_t> split_sizes;  // one per split
  std::vector<std::string> class_names;
  std::vector<std::size_t> class_counts;  // one per class; a picture of several classes counts in each
  std::uint32_t min_width = 0, max_width = 0, min_height = 0, max_height = 0;  // of the pictures looked at
  bool grey = false, colour = false;                                           // such pictures were seen
  std::vector<std::string> problems;  // messages of folders left out, and of pictures looked at that cannot be read
};
DatasetSummary summarise_dataset(const std::string& path, const DatasetOptions& options = {}, std::size_t look_at = 64);

// Decorators: small, sharing the source.
std::shared_ptr<const Dataset> subset(std::shared_ptr<const Dataset> source, std::vector<std::size_t> indices);
std::shared_ptr<const Dataset> concatenate(std::vector<std::shared_ptr<const Dataset>> parts);  // class names must be equal
struct SplitIndices {
  std::vector<std::size_t> first, second;  // ascending
};
// Moves `share` (0 <= share < 1) of every class to `second`, chosen by seed; a class keeps at least one image in `first`.
SplitIndices stratified_split(const Dataset& source, double share, std::uint64_t seed);

// As many images as `source` has, each made of one to four of its images at half size in the cells of a 2 x 2 grid (the other
// cells black), which of them and where drawn by (seed, i) alone; labels: those of its parts together. Several labels an image
// and graded similarity from data that has one. get() throws kInvalidArgument where images differ in size or channels, or are one
// pixel wide or high; kInvalidArgument for an empty source.
std::shared_ptr<const Dataset> compose(std::shared_ptr<const Dataset> source, std::uint64_t seed);
// `source` without the images that `others` holds too, by equal pixels. Reads everything, on all CPUs; images that cannot be read
// stay, and equal none.
std::shared_ptr<const Dataset> without_copies(std::shared_ptr<const Dataset> source, const Dataset& others);

// SHA-256 over width, height, channels (4 bytes each, little-endian) and pixels, 64 hex digits: equal exactly for equal images.
std::string pixel_digest(const Image& image);

// Images of `a` that occur in `b` by equal pixels (SHA-256 of size and pixels), in ascending order, each with the first image of
// `b` that it equals; at most `limit`. Reads everything, on all CPUs; images that cannot be read equal none.
struct Overlap {
  std::size_t first, second;
};
std::vector<Overlap> find_overlap(const Dataset& a, const Dataset& b, std::size_t limit);

}  // namespace signet
