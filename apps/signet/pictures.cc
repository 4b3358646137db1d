#include "apps/signet/pictures.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "apps/signet/data.h"
#include "signet/base/base64.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"

namespace signet::cli {
namespace {

namespace fs = std::filesystem;

bool is_file(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Image enlarge(const Image& image, std::uint32_t factor) {
  Image large{image.width * factor, image.height * factor, image.channels, {}};
  large.pixels.reserve(std::size_t{large.width} * large.height * large.channels);
  for (std::uint32_t y = 0; y < large.height; ++y) {
    const auto row = image.row(y / factor);
    for (std::uint32_t x = 0; x < large.width; ++x) {
      const auto* pixel = row.data() + std::size_t{x / factor} * image.channels;
      large.pixels.insert(large.pixels.end(), pixel, pixel + image.channels);
    }
  }
  return large;
}

}  // namespace

const PictureLibrary::Opened& PictureLibrary::open(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto [at, fresh] = opened_.try_emplace(path);
  Opened& opened = at->second;
  if (!fresh) return opened;
  try {
    opened.data = open_dataset(path, DatasetOptions{DatasetFormat::kAuto, "", limits_});
    opened.position.reserve(opened.data->size());
    for (std::size_t i = 0; i < opened.data->size(); ++i) opened.position.emplace(opened.data->key(i), i);
  } catch (const Error& error) {
    opened.why = error.what();
  }
  return opened;
}

std::string PictureLibrary::path_of(const std::string& key) const {
  if (root_.empty() || fs::path(key).is_absolute()) return key;
  // A manifest's keys are relative to the folder that it lies in; other files (a tar) hold theirs.
  const std::string beside = join_path(parent_path(root_), key);
  return is_file(root_) && is_file(beside) ? beside : join_path(root_, key);
}

std::optional<Image> PictureLibrary::find(const std::string& key, std::string* why) {
  const std::string path = path_of(key);
  std::string reason = "no such file";
  try {
    if (is_file(path)) return read_picture(path, limits_);
    // The longest part that exists is the data set, the rest is the name inside it.
    for (std::string container = parent_path(path); container.size() > 1; container = parent_path(container)) {
      if (!exists(container)) continue;
      const Opened& opened = open(container);
      if (opened.data == nullptr) {
        reason = opened.why;
        break;
      }
      const auto at = opened.position.find(path.substr(container.size() + 1));
      if (at != opened.position.end()) return opened.data->get(at->second).image;
      break;
    }
  } catch (const Error& error) {
    reason = error.what();
  }
  if (why != nullptr) *why = reason;
  return std::nullopt;
}

std::string thumbnail_base64(const Image& image, std::uint32_t side) {
  const std::uint32_t longest = std::max(image.width, image.height);
  if (longest == 0) return {};
  if (longest * 2 <= side) return to_base64(encode_png(enlarge(image, side / longest)));
  if (longest <= side) return to_base64(encode_png(image));
  const double scale = static_cast<double>(side) / longest;
  const auto scaled = [&](std::uint32_t length) {
    return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(std::lround(length * scale)));
  };
  return to_base64(encode_png(resize(image, scaled(image.width), scaled(image.height))));
}

std::string escape_html(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace signet::cli
