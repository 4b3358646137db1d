#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "dataset/readers.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"

// CIFAR-10's binary version (www.cs.toronto.edu/~kriz/cifar.html): records of 1 label byte and 3 planes of 32 x 32 bytes, red,
// green, blue.
namespace signet::reader {
namespace {

constexpr std::uint32_t kSide = 32;
constexpr std::size_t kPlane = std::size_t{kSide} * kSide, kRecord = 1 + 3 * kPlane;
constexpr std::array<const char*, 10> kNames{"airplane", "automobile", "bird",  "cat",  "deer",
                                             "dog",      "frog",       "horse", "ship", "truck"};

struct CifarBatch {
  std::unique_ptr<ReadableFile> file;
  std::string path, prefix, split;  // prefix: "data_batch_1", split: "train"
  std::size_t first = 0, count = 0;
};

class CifarDataset final : public Dataset {
 public:
  CifarDataset(std::vector<CifarBatch> parts, std::vector<std::int32_t> labels, std::vector<std::string> names)
      : parts_(std::move(parts)), labels_(std::move(labels)), class_names_(std::move(names)) {}

  std::size_t size() const noexcept override { return labels_.size(); }
  const std::vector<std::string>& class_names() const noexcept override { return class_names_; }
  std::string describe() const override {
    return concat("CIFAR-10 binary, ", counted(size(), "image"), " 32x32x3, ", counted(class_names_.size(), "class"));
  }

  std::string split(std::size_t i) const override { return part_of(i).split; }

  std::string key(std::size_t i) const override {
    const CifarBatch& part = part_of(i);
    std::ostringstream text;
    text << part.prefix << '/' << std::setw(5) << std::setfill('0') << i - part.first;
    return std::move(text).str();
  }

  std::span<const std::int32_t> labels(std::size_t i) const override {
    part_of(i);
    return std::span(labels_).subspan(i, 1);
  }

  Sample get(std::size_t i) const override {
    const CifarBatch& part = part_of(i);
    std::array<std::byte, 3 * kPlane> planes{};
    read_fully(*part.file, (i - part.first) * kRecord + 1, planes, part.path);
    Sample sample{{kSide, kSide, 3, std::vector<std::uint8_t>(3 * kPlane)}, {labels_[i]}, key(i)};
    for (std::size_t p = 0; p < kPlane; ++p) {
      for (std::size_t c = 0; c < 3; ++c) sample.image.pixels[3 * p + c] = std::to_integer<std::uint8_t>(planes[c * kPlane + p]);
    }
    return sample;
  }

 private:
  const CifarBatch& part_of(std::size_t i) const {
    if (i >= size()) fail_range(*this, i);
    std::size_t p = 0;
    while (i >= parts_[p].first + parts_[p].count) ++p;
    return parts_[p];
  }

  std::vector<CifarBatch> parts_;
  std::vector<std::int32_t> labels_;
  std::vector<std::string> class_names_;
};

bool is_train_name(const std::string& name) { return name.starts_with("data_batch_") && name.ends_with(".bin"); }
bool is_test_name(const std::string& name) { return name == "test_batch.bin"; }

std::string split_of(const std::string& name) { return is_train_name(name) ? "train" : is_test_name(name) ? "test" : ""; }

// The batches in a folder, training first; the path itself where it is a file.
std::vector<std::string> batches_at(const std::string& path) {
  if (!is_folder(path)) return {path};
  std::vector<std::string> train, test;
  for (const std::string& name : real_file_system().list(path)) {
    if (is_train_name(name)) train.push_back(join_path(path, name));
    if (is_test_name(name)) test.push_back(join_path(path, name));
  }
  train.insert(train.end(), test.begin(), test.end());
  return train;
}

std::string names_path(const std::string& folder) { return join_path(folder, "batches.meta.txt"); }

// One name a line; what is no list of ten names is an error, because labels would silently get wrong names.
std::vector<std::string> read_names(const std::string& folder) {
  const std::string path = names_path(folder);
  if (!real_file_system().exists(path)) return {kNames.begin(), kNames.end()};
  constexpr std::uint64_t kLimit = 1 << 16;
  std::istringstream text(read_text_file(real_file_system(), path, kLimit));
  std::vector<std::string> names;
  for (std::string line; std::getline(text, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.size() != kNames.size())
    fail(ErrorCode::kCorrupt, path, ": holds ", names.size(), " class names; ", kNames.size(), " would be right");
  return names;
}

CifarBatch open_batch(const std::string& path, std::vector<std::int32_t>& labels) {
  CifarBatch part{.file = real_file_system().open(path),
                  .path = path,
                  .prefix = file_name(path),
                  .split = split_of(file_name(path)),
                  .first = labels.size()};
  if (part.prefix.ends_with(".bin")) part.prefix.resize(part.prefix.size() - 4);
  const std::uint64_t size = part.file->size();
  if (!is_cifar_size(size)) {
    fail(ErrorCode::kCorrupt, path, ": has ", size, " bytes; CIFAR-10 files hold records of ", kRecord,
         " bytes, at least one and nothing else");
  }
  part.count = size / kRecord;
  constexpr std::size_t kAtOnce = 256;
  std::vector<std::byte> some(std::min(part.count, kAtOnce) * kRecord);
  for (std::size_t i = 0; i < part.count; ++i) {
    if (i % kAtOnce == 0)
      read_fully(*part.file, i * kRecord, std::span(some).first(std::min(part.count - i, kAtOnce) * kRecord), path);
    const auto label = std::to_integer<std::int32_t>(some[i % kAtOnce * kRecord]);
    if (label >= static_cast<std::int32_t>(kNames.size())) {
      fail(ErrorCode::kCorrupt, path, ": the record at offset ", i * kRecord, " has label ", label, "; 0 to 9 would be right");
    }
    labels.push_back(label);
  }
  return part;
}

}  // namespace

bool is_cifar_size(std::uint64_t bytes) noexcept { return bytes > 0 && bytes % kRecord == 0; }

bool has_cifar_files(const std::string& folder) {
  const std::vector<std::string> names = real_file_system().list(folder);
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return is_train_name(name) || is_test_name(name); });
}

std::vector<std::string> cifar_files(const std::string& path) {
  std::vector<std::string> files = batches_at(path);
  if (files.empty()) return files;
  const std::string names = names_path(parent_path(files.front()));
  if (real_file_system().exists(names)) files.push_back(names);
  return files;
}

std::vector<std::string> cifar_splits(const std::string& path) {
  std::vector<std::string> splits;
  for (const std::string& batch : batches_at(path)) {
    const std::string split = split_of(file_name(batch));
    if (!split.empty()) splits.push_back(split);
  }
  return in_split_order(std::move(splits));
}

std::shared_ptr<const Dataset> open_cifar(const std::string& path, const DatasetOptions& options) {
  const std::vector<std::string> batches = batches_at(path);
  if (batches.empty()) fail(ErrorCode::kNotFound, path, ": holds no data_batch_*.bin or test_batch.bin of CIFAR-10");
  const std::string split = select_split(path, cifar_splits(path), options.split);
  std::vector<CifarBatch> parts;
  std::vector<std::int32_t> labels;
  for (const std::string& batch : batches) {
    if (split.empty() || split_of(file_name(batch)) == split) parts.push_back(open_batch(batch, labels));
  }
  return std::make_shared<CifarDataset>(std::move(parts), std::move(labels), read_names(parent_path(batches.front())));
}

}  // namespace signet::reader
