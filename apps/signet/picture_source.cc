#include "apps/signet/picture_source.h"

#include <sys/stat.h>

#include <filesystem>
#include <string_view>

#include "apps/signet/data.h"
#include "signet/base/file_system.h"
#include "signet/base/sha256.h"

namespace signet::cli {

std::optional<FileStamp> stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return FileStamp{static_cast<std::uint64_t>(status.st_size),
                   std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

const char* key_defect(const std::string& key) {
  if (key.find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos) return "its name has a line break or a zero byte";
  return key.size() > kMaxKeyBytes ? "its name is too long for a key" : nullptr;
}

PictureSource::PictureSource(std::shared_ptr<const Dataset> data, const std::string& path, DatasetFormat format)
    : data_(std::move(data)), root_(absolute_path(path)), container_(stamp_of(root_)) {
  if (format == DatasetFormat::kAuto) format = detect_dataset_format(path).value_or(format);
  lists_folder_ = format == DatasetFormat::kFolder && !container_;
  // Keys of a manifest are relative to the folder that it lies in; so is the name of one picture.
  if (container_ && (format == DatasetFormat::kManifest || format == DatasetFormat::kFolder)) {
    root_ = parent_path(root_);
    container_.reset();
  }
}

std::string PictureSource::key(std::size_t i) const {
  return std::filesystem::path(join_path(root_, data_->key(i))).lexically_normal().string();
}

Image PictureSource::load(std::size_t i, const DecodeLimits& limits, ImageRecord& record) const {
  const auto stamp = own_file(i);
  record.modified_ns = stamp ? stamp->modified_ns : container_time();
  const std::vector<std::byte> bytes = stamp ? read_file(real_file_system(), record.key, limits.max_bytes) : data_->encoded(i);
  if (stamp || !bytes.empty()) {
    record.bytes = bytes.size();
    record.sha256 = sha256_hex(bytes);
    const ImageHeader header = read_image_header(bytes, record.key);
    record.width = header.width;
    record.height = header.height;
    return decode_image(bytes, record.key, limits);
  }
  Image image = data_->get(i).image;
  record.bytes = image.pixels.size();
  record.sha256 = sha256_hex(std::as_bytes(std::span(image.pixels)));
  record.width = image.width;
  record.height = image.height;
  return image;
}

}  // namespace signet::cli
