#include "apps/signet/picture_source.h"

#include <sys/stat.h>

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

PictureSource::PictureSource(std::shared_ptr<const Dataset> data, const std::string& path)
    : data_(std::move(data)), prefix_(absolute_path(path)) {
  container_ = stamp_of(prefix_);
  // Keys of a manifest are relative to the folder that it lies in.
  if (container_ && data_->size() > 0 && stamp_of(join_path(parent_path(prefix_), data_->key(0)))) prefix_ = parent_path(prefix_);
}

std::string PictureSource::key(std::size_t i) const { return join_path(prefix_, data_->key(i)); }

Image PictureSource::load(std::size_t i, const DecodeLimits& limits, ImageRecord& record) const {
  if (const auto stamp = own_file(i)) {
    const std::vector<std::byte> bytes = read_file(real_file_system(), record.key, limits.max_bytes);
    record.bytes = bytes.size();
    record.modified_ns = stamp->modified_ns;
    record.sha256 = sha256_hex(bytes);
    const ImageHeader header = read_image_header(bytes, record.key);
    record.width = header.width;
    record.height = header.height;
    return decode_image(bytes, record.key, limits);
  }
  Image image = data_->get(i).image;
  record.bytes = image.pixels.size();
  record.modified_ns = container_time();
  record.sha256 = sha256_hex(std::as_bytes(std::span(image.pixels)));
  record.width = image.width;
  record.height = image.height;
  return image;
}

}  // namespace signet::cli
