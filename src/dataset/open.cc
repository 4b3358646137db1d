#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataset/gzip.h"
#include "dataset/readers.h"
#include "dataset/tar.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"
#include "signet/dataset/dataset.h"

namespace signet {
namespace {

constexpr std::array<std::pair<std::string_view, DatasetFormat>, 6> kFormats{{{"auto", DatasetFormat::kAuto},
                                                                              {"idx", DatasetFormat::kIdx},
                                                                              {"cifar", DatasetFormat::kCifar},
                                                                              {"folder", DatasetFormat::kFolder},
                                                                              {"tar", DatasetFormat::kTar},
                                                                              {"manifest", DatasetFormat::kManifest}}};

bool ends_with_any(const std::string& path, std::initializer_list<std::string_view> endings) {
  std::string small = path;
  std::transform(small.begin(), small.end(), small.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) { return small.ends_with(ending); });
}

bool is_idx_head(std::span<const std::byte> head) {
  return head.size() >= 4 && head[0] == std::byte{0} && head[1] == std::byte{0} && head[2] == std::byte{8};
}

bool is_picture(std::span<const std::byte> bytes, const std::string& path) {
  try {
    read_image_header(bytes, path);
    return true;
  } catch (const Error&) {
    return false;
  }
}

// What a file is. `compressed_tar` tells a .tar.gz, which is known but not read.
std::optional<DatasetFormat> detect_file(const std::string& path, bool& compressed_tar) {
  const std::unique_ptr<MappedFile> file = real_file_system().map(path);
  const std::span<const std::byte> bytes = file->data();
  if (ends_with_any(path, {".csv", ".tsv"})) return DatasetFormat::kManifest;
  if (ends_with_any(path, {".tar"})) return DatasetFormat::kTar;
  if (reader::is_gzip(bytes)) {
    std::array<std::byte, 512> head{};
    std::size_t got = 0;
    try {
      got = reader::GzipReader(bytes, path).read(head);
    } catch (const Error&) {  // damaged: its reader says where, if the name tells which
      return path.find("idx") != std::string::npos ? std::optional(DatasetFormat::kIdx) : std::nullopt;
    }
    compressed_tar = reader::looks_like_tar(std::span(head).first(got));
    return is_idx_head(std::span(head).first(got)) || path.find("idx") != std::string::npos ? std::optional(DatasetFormat::kIdx)
                                                                                            : std::nullopt;
  }
  if (is_idx_head(bytes)) return DatasetFormat::kIdx;
  if (ends_with_any(path, {".bin"}) &&
      (reader::is_cifar_size(bytes.size()) || file_name(path).find("_batch") != std::string::npos)) {
    return DatasetFormat::kCifar;
  }
  if (reader::looks_like_tar(bytes)) return DatasetFormat::kTar;
  if (reader::has_picture_name(path) || is_picture(bytes, path)) return DatasetFormat::kFolder;
  if (path.find("idx") != std::string::npos && path.find("ubyte") != std::string::npos) return DatasetFormat::kIdx;
  return std::nullopt;
}

std::optional<DatasetFormat> detect(const std::string& path, bool& compressed_tar) {
  if (!real_file_system().exists(path)) {
    fail(ErrorCode::kNotFound, path,
         ": does not exist; a folder of pictures, idx or CIFAR-10 files, a .tar or a .csv manifest would be right");
  }
  if (!reader::is_folder(path)) return detect_file(path, compressed_tar);
  if (reader::has_idx_files(path)) return DatasetFormat::kIdx;
  if (reader::has_cifar_files(path)) return DatasetFormat::kCifar;
  return DatasetFormat::kFolder;
}

DatasetFormat resolve(const std::string& path, DatasetFormat format) {
  if (format != DatasetFormat::kAuto) {
    if (!real_file_system().exists(path))
      fail(ErrorCode::kNotFound, path, ": does not exist; ", dataset_format_name(format), " data was asked for");
    return format;
  }
  bool compressed_tar = false;
  const std::optional<DatasetFormat> found = detect(path, compressed_tar);
  if (found) return *found;
  if (compressed_tar)
    fail(ErrorCode::kUnsupported, path,
         ": is a compressed tar, in which pictures cannot be reached one by one; unpack it to a plain .tar first");
  if (real_file_system().size(path) == 0) fail(ErrorCode::kCorrupt, path, ": is empty; a data set or a picture would be right");
  fail(ErrorCode::kUnsupported, path,
       ": is no data set that signet reads; a folder of pictures, idx or CIFAR-10 files, a .tar or a .csv manifest would be "
       "right");
}

}  // namespace

DatasetFormat parse_dataset_format(const std::string& name) {
  std::string names;
  for (const auto& [known, format] : kFormats) {
    if (name == known) return format;
    names += concat(names.empty() ? "" : ", ", known);
  }
  fail(ErrorCode::kUsage, "there is no data format \"", name, "\"; one of ", names, " would be right");
}

const char* dataset_format_name(DatasetFormat format) noexcept {
  for (const auto& [name, known] : kFormats) {
    if (known == format) return name.data();
  }
  return "unknown";
}

std::optional<DatasetFormat> detect_dataset_format(const std::string& path) {
  bool compressed_tar = false;
  return detect(path, compressed_tar);
}

std::shared_ptr<const Dataset> open_dataset(const std::string& path, const DatasetOptions& options) {
  switch (resolve(path, options.format)) {
    case DatasetFormat::kIdx:
      return reader::open_idx(path, options);
    case DatasetFormat::kCifar:
      return reader::open_cifar(path, options);
    case DatasetFormat::kTar:
      return reader::open_tar(path, options);
    case DatasetFormat::kManifest:
      return reader::open_manifest(path, options);
    case DatasetFormat::kFolder:
    case DatasetFormat::kAuto:
      break;
  }
  return reader::open_folder(path, options);
}

std::vector<std::string> dataset_files(const std::string& path, const DatasetOptions& options) {
  switch (resolve(path, options.format)) {
    case DatasetFormat::kIdx:
      return reader::idx_files(path);
    case DatasetFormat::kCifar:
      return reader::cifar_files(path);
    case DatasetFormat::kTar:
      return reader::tar_files(path);
    case DatasetFormat::kManifest:
      return {};
    case DatasetFormat::kFolder:
    case DatasetFormat::kAuto:
      break;
  }
  return reader::is_folder(path) ? reader::tar_files(path) : std::vector<std::string>();
}

std::vector<std::string> dataset_splits(const std::string& path, const DatasetOptions& options) {
  switch (resolve(path, options.format)) {
    case DatasetFormat::kIdx:
      return reader::idx_splits(path);
    case DatasetFormat::kCifar:
      return reader::cifar_splits(path);
    case DatasetFormat::kTar:
      return reader::tar_splits(path);
    case DatasetFormat::kManifest:
      return reader::manifest_splits(path);
    case DatasetFormat::kFolder:
    case DatasetFormat::kAuto:
      break;
  }
  return reader::folder_splits(path);
}

}  // namespace signet
