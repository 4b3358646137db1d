#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "dataset/gzip.h"
#include "dataset/readers.h"
#include "signet/base/crc32c.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"

// The idx format of MNIST (yann.lecun.com/exdb/mnist): 0, 0, element type, dimensions, then one big-endian 32-bit size a
// dimension, then data.
namespace signet::reader {
namespace {

constexpr std::uint8_t kUnsignedByte = 0x08;

std::uint32_t big32(std::span<const std::byte> b, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(b[at + i]);
  return value;
}

// An idx file, whose data is read where it is asked for, or was inflated into memory where the file is a .gz.
struct IdxFile {
  std::string path;
  std::vector<std::uint32_t> sizes;
  std::unique_ptr<ReadableFile> plain;  // null: inflated
  std::size_t head_size = 0;            // of the plain file: where its data begins
  std::vector<std::byte> inflated;
  void read(std::size_t offset, std::span<std::byte> out) const {
    if (plain != nullptr) return read_fully(*plain, head_size + offset, out, path);
    std::copy_n(inflated.data() + offset, out.size(), out.begin());
  }
};

// Checks the head and gives the sizes. `what`: "images" with 3 dimensions or "labels" with 1.
std::vector<std::uint32_t> parse_head(std::span<const std::byte> head, const std::string& path, std::size_t dimensions,
                                      const char* what) {
  if (head.empty()) fail(ErrorCode::kCorrupt, path, ": is empty; an idx file of ", what, " would be right");
  const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(head[i]); };
  const bool magic = head.size() >= 4 && at(0) == 0 && at(1) == 0;
  if (!magic)
    fail(ErrorCode::kCorrupt, path, ": does not begin with an idx magic number (0, 0, 8, ", dimensions, "); an idx file of ",
         what, " would be right");
  if (at(2) != kUnsignedByte || at(3) != dimensions) {
    fail(ErrorCode::kUnsupported, path, ": is an idx file of type ", at(2), " with ", at(3), " dimensions; ", what,
         " need type 8 (bytes) and ", dimensions);
  }
  if (head.size() < 4 + 4 * dimensions) fail(ErrorCode::kCorrupt, path, ": this idx file ends inside its header");
  std::vector<std::uint32_t> sizes;
  for (std::size_t i = 0; i < dimensions; ++i) sizes.push_back(big32(head, 4 + 4 * i));
  return sizes;
}

// Bytes that the header claims; saturates, for the comparison that follows.
std::uint64_t claimed_bytes(const std::vector<std::uint32_t>& sizes) {
  std::uint64_t bytes = 1;
  for (const std::uint32_t size : sizes) {
    if (size != 0 && bytes > UINT64_MAX / size) return UINT64_MAX;
    bytes *= size;
  }
  return bytes;
}

// As many bytes as are claimed, or those that there are. Memory grows with what has been inflated, not with what is claimed.
std::vector<std::byte> inflate_up_to(std::uint64_t claimed, GzipReader& reader) {
  constexpr std::uint64_t kFirst = std::uint64_t{1} << 22;
  std::vector<std::byte> data;
  std::size_t held = 0;
  while (held == data.size() && held < claimed) {
    data.resize(std::min(claimed, std::max(kFirst, std::uint64_t{2} * held)));
    held += reader.read(std::span(data).subspan(held));
  }
  data.resize(held);
  return data;
}

// Sizes and data of a .gz. Its compressed bytes are mapped and not read into memory: nothing bounds their number.
void inflate_idx(IdxFile& file, std::size_t dimensions, const char* what) {
  const std::string& path = file.path;
  const std::unique_ptr<MappedFile> mapped = real_file_system().map(path);
  const std::span<const std::byte> raw = mapped->data();
  GzipReader reader(raw, path);
  std::array<std::byte, 16> head{};
  const std::size_t got = reader.read(std::span(head).first(4 + 4 * dimensions));
  file.sizes = parse_head(std::span(head).first(got), path, dimensions, what);
  const std::uint64_t claimed = claimed_bytes(file.sizes);
  if (claimed > raw.size() * kMaxExpansion) {
    fail(ErrorCode::kCorrupt, path, ": this idx file claims ", claimed, " bytes of ", what, ", more than its ", raw.size(),
         " compressed bytes can hold");
  }
  file.inflated = inflate_up_to(claimed, reader);
  const std::size_t held = file.inflated.size();
  std::byte more{};
  if (held != claimed || reader.read(std::span(&more, 1)) != 0) {
    fail(ErrorCode::kCorrupt, path, ": this idx file claims ", claimed, " bytes of ", what, " and holds ",
         held == claimed ? "more" : std::to_string(held), "; both should be equal");
  }
}

IdxFile read_idx(const std::string& path, std::size_t dimensions, const char* what) {
  IdxFile file;
  file.path = path;
  file.head_size = 4 + 4 * dimensions;
  file.plain = real_file_system().open(path);
  const std::uint64_t size = file.plain->size();
  std::vector<std::byte> head(std::min<std::uint64_t>(size, file.head_size));
  read_fully(*file.plain, 0, head, path);
  if (is_gzip(head)) {
    file.plain.reset();
    inflate_idx(file, dimensions, what);
    return file;
  }
  file.sizes = parse_head(head, path, dimensions, what);
  const std::uint64_t claimed = claimed_bytes(file.sizes);
  if (claimed != size - file.head_size) {
    fail(ErrorCode::kCorrupt, path, ": this idx file claims ", claimed, " bytes of ", what, " and holds ", size - file.head_size,
         "; both should be equal");
  }
  return file;
}

// The published label files, so that their classes have names: count and CRC-32C of the labels.
struct KnownLabels {
  std::size_t count;
  std::uint32_t crc;
  bool fashion;
};
constexpr std::array<KnownLabels, 4> kKnown{
    {{60000, 0x0047f202, true}, {10000, 0xe898e67e, true}, {60000, 0x67426fdf, false}, {10000, 0xaf322062, false}}};
constexpr std::array<const char*, 10> kFashionNames{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                                    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

const KnownLabels* recognise(std::span<const std::byte> labels) {
  for (const KnownLabels& known : kKnown) {
    if (labels.size() == known.count && crc32c(labels) == known.crc) return &known;
  }
  return nullptr;
}

// What all labels files of a folder are; null where one of them is not published, or two are of different sets.
const KnownLabels* agreed(const std::vector<const KnownLabels*>& files) {
  const bool agree = std::all_of(files.begin(), files.end(), [&](const KnownLabels* one) {
    return one != nullptr && one->fashion == files.front()->fashion;
  });
  return agree && !files.empty() ? files.front() : nullptr;
}

// An images file and its labels file.
struct IdxPair {
  std::string images, labels;  // labels empty: there are none
  std::string split, prefix;   // "test" and "t10k" for t10k-images-idx3-ubyte
};

// For each name of an images file of this kind, the part before and behind "images" and "idx3".
std::optional<IdxPair> pair_of(const std::string& path) {
  const std::string folder = parent_path(path), name = file_name(path);
  IdxPair pair{.images = path, .labels = {}, .split = {}, .prefix = {}};
  const std::size_t images = name.find("images"), idx = name.find("idx3");
  std::string stem = name;
  if (stem.ends_with(".gz")) stem.resize(stem.size() - 3);
  pair.prefix = images == std::string::npos ? stem : name.substr(0, images);
  while (pair.prefix.ends_with('-') || pair.prefix.ends_with('.') || pair.prefix.ends_with('_')) pair.prefix.pop_back();
  if (pair.prefix.empty()) pair.prefix = "images";
  // "emnist-letters-train" is of the split that its last word names.
  pair.split = canonical_split(pair.prefix.substr(pair.prefix.find_last_of("-_.") + 1)).value_or("");
  if (images == std::string::npos) return pair;
  std::string labels = name;
  if (idx != std::string::npos) labels.replace(idx, 4, "idx1");  // before the other: "images" and "labels" have equal length
  labels.replace(images, 6, "labels");
  const std::string plain = labels.ends_with(".gz") ? labels.substr(0, labels.size() - 3) : labels;
  for (const std::string& candidate : {labels, plain, plain + ".gz"}) {
    const std::string where = join_path(folder, candidate);
    if (real_file_system().exists(where)) {
      pair.labels = where;
      break;
    }
  }
  return pair;
}

bool is_images_name(const std::string& name) {
  return name.find("images") != std::string::npos && name.find("idx3") != std::string::npos;
}

// The pairs in a folder, "train" first, one a split: a plain file before its .gz.
std::vector<IdxPair> pairs_in(const std::string& folder) {
  std::vector<IdxPair> pairs;
  for (const std::string& name : real_file_system().list(folder)) {  // sorted: the plain name comes before name.gz
    if (!is_images_name(name) || is_folder(join_path(folder, name))) continue;
    IdxPair pair = *pair_of(join_path(folder, name));
    const bool twin = std::any_of(pairs.begin(), pairs.end(), [&](const IdxPair& other) { return other.prefix == pair.prefix; });
    if (!twin) pairs.push_back(std::move(pair));
  }
  for (const IdxPair& pair : pairs) {
    const auto of_split = [&](const IdxPair& other) { return other.split == pair.split; };
    if (std::count_if(pairs.begin(), pairs.end(), of_split) > 1) {
      fail(ErrorCode::kInvalidArgument, folder, ": holds several idx data sets, among them ", file_name(pair.images),
           "; name one images file, or put each set into a folder of its own");
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const IdxPair& a, const IdxPair& b) { return (a.split == "train") > (b.split == "train"); });
  return pairs;
}

std::vector<IdxPair> pairs_at(const std::string& path) {
  if (is_folder(path)) return pairs_in(path);
  return {*pair_of(path)};
}

// One images file with its labels.
struct IdxPart {
  IdxFile images;
  std::vector<std::int32_t> labels;  // empty where unknown
  std::string prefix, split;
  std::size_t first = 0;  // position of its first image in the data set
  int digits = 5;
  std::size_t count() const noexcept { return images.sizes[0]; }
};

class IdxDataset final : public Dataset {
 public:
  IdxDataset(std::vector<IdxPart> parts, std::vector<std::string> class_names, std::string description)
      : parts_(std::move(parts)), class_names_(std::move(class_names)), description_(std::move(description)) {
    for (IdxPart& part : parts_) {
      part.first = size_;
      size_ += part.count();
      part.digits = std::max(5, static_cast<int>(std::to_string(part.count() == 0 ? 0 : part.count() - 1).size()));
    }
  }

  std::size_t size() const noexcept override { return size_; }
  const std::vector<std::string>& class_names() const noexcept override { return class_names_; }
  std::string describe() const override { return description_; }
  std::string split(std::size_t i) const override { return part_of(i).split; }

  std::string key(std::size_t i) const override {
    const IdxPart& part = part_of(i);
    std::ostringstream text;
    text << part.prefix << '/' << std::setw(part.digits) << std::setfill('0') << i - part.first;
    return std::move(text).str();
  }

  std::span<const std::int32_t> labels(std::size_t i) const override {
    const IdxPart& part = part_of(i);
    if (part.labels.empty()) return {};
    return std::span(part.labels).subspan(i - part.first, 1);
  }

  Sample get(std::size_t i) const override {
    const IdxPart& part = part_of(i);
    const std::uint32_t height = part.images.sizes[1], width = part.images.sizes[2];
    const std::size_t bytes = std::size_t{width} * height;
    Sample sample{{width, height, 1, std::vector<std::uint8_t>(bytes)}, {}, key(i)};
    part.images.read((i - part.first) * bytes, std::as_writable_bytes(std::span(sample.image.pixels)));
    const std::span<const std::int32_t> list = labels(i);
    sample.labels.assign(list.begin(), list.end());
    return sample;
  }

 private:
  const IdxPart& part_of(std::size_t i) const {
    if (i >= size_) fail_range(*this, i);
    std::size_t p = 0;
    while (i >= parts_[p].first + parts_[p].count()) ++p;
    return parts_[p];
  }

  std::vector<IdxPart> parts_;
  std::vector<std::string> class_names_;
  std::string description_;
  std::size_t size_ = 0;
};

IdxPart read_images(const IdxPair& pair, const DecodeLimits& limits) {
  IdxPart part{.images = read_idx(pair.images, 3, "images"), .labels = {}, .prefix = pair.prefix, .split = pair.split};
  const std::vector<std::uint32_t>& sizes = part.images.sizes;
  if (sizes[0] == 0) fail(ErrorCode::kInvalidArgument, pair.images, ": holds no images");
  if (sizes[1] == 0 || sizes[2] == 0)
    fail(ErrorCode::kCorrupt, pair.images, ": claims images of ", sizes[2], " x ", sizes[1], " pixels");
  if (std::uint64_t{sizes[1]} * sizes[2] > limits.max_pixels) {
    fail(ErrorCode::kInvalidArgument, pair.images, ": claims images of ", sizes[2], " x ", sizes[1], " pixels; at most ",
         limits.max_pixels, " are read");
  }
  return part;
}

// The labels of a pair, and what published ones they are; `count`: of its images, 0 where they are not opened.
std::vector<std::int32_t> read_labels(const IdxPair& pair, std::size_t count, std::vector<const KnownLabels*>& recognised) {
  if (pair.labels.empty()) return {};
  const IdxFile file = read_idx(pair.labels, 1, "labels");
  const std::size_t held = file.sizes[0];  // as many as there are, which was checked
  if (count > 0 && held != count) {
    fail(ErrorCode::kCorrupt, pair.labels, ": holds ", held, " labels, but ", pair.images, " holds ", count,
         " images; both should be equal");
  }
  std::vector<std::byte> data(held);
  file.read(0, data);
  recognised.push_back(recognise(data));
  std::vector<std::int32_t> labels(held);
  std::transform(data.begin(), data.end(), labels.begin(), [](std::byte b) { return std::to_integer<std::int32_t>(b); });
  return labels;
}

std::string describe_idx(const std::vector<IdxPart>& parts, std::size_t classes, const KnownLabels* known) {
  std::size_t count = 0;
  for (const IdxPart& part : parts) count += part.count();
  const std::vector<std::uint32_t>& sizes = parts.front().images.sizes;
  const char* set = known == nullptr ? "idx" : known->fashion ? "Fashion-MNIST idx" : "MNIST idx";
  return concat(set, ", ", counted(count, "image"), " ", sizes[2], "x", sizes[1], "x1, ",
                classes == 0 ? "unlabelled" : counted(classes, "class"));
}

}  // namespace

bool has_idx_files(const std::string& folder) {
  const std::vector<std::string> names = real_file_system().list(folder);
  return std::any_of(names.begin(), names.end(), is_images_name);
}

std::vector<std::string> idx_files(const std::string& path) {
  std::vector<std::string> files;
  for (const IdxPair& pair : pairs_at(path)) {
    files.push_back(pair.images);
    if (!pair.labels.empty()) files.push_back(pair.labels);
  }
  return files;
}

std::vector<std::string> idx_splits(const std::string& path) {
  std::vector<std::string> splits;
  for (const IdxPair& pair : pairs_at(path)) {
    if (!pair.split.empty()) splits.push_back(pair.split);
  }
  return in_split_order(std::move(splits));
}

std::shared_ptr<const Dataset> open_idx(const std::string& path, const DatasetOptions& options) {
  const std::vector<IdxPair> pairs = pairs_at(path);
  if (pairs.empty()) {
    fail(ErrorCode::kNotFound, path,
         ": holds no idx files of images; files named like train-images-idx3-ubyte or train-images-idx3-ubyte.gz would be right");
  }
  const std::string split = select_split(path, idx_splits(path), options.split);
  std::vector<IdxPart> parts;
  std::int32_t most = -1;
  std::vector<const KnownLabels*> recognised;
  for (const IdxPair& pair : pairs) {
    const bool wanted = split.empty() || pair.split == split;
    IdxPart part;
    if (wanted) part = read_images(pair, options.limits);
    // Labels of the other split are read too, so that both splits name the same classes.
    std::vector<std::int32_t> labels = read_labels(pair, wanted ? part.count() : 0, recognised);
    for (const std::int32_t label : labels) most = std::max(most, label);
    if (!wanted) continue;
    part.labels = std::move(labels);
    parts.push_back(std::move(part));
  }
  const KnownLabels* const known = agreed(recognised);
  std::vector<std::string> names;
  for (std::int32_t label = 0; label <= most; ++label) {
    names.push_back(known != nullptr && known->fashion && most < 10 ? kFashionNames[static_cast<std::size_t>(label)]
                                                                    : std::to_string(label));
  }
  std::string description = describe_idx(parts, names.size(), known);
  return std::make_shared<IdxDataset>(std::move(parts), std::move(names), std::move(description));
}

}  // namespace signet::reader
