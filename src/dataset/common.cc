#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataset/readers.h"
#include "signet/base/error.h"

namespace signet::reader {
namespace {

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

constexpr std::array<std::string_view, 3> kSplits{"train", "val", "test"};

std::size_t split_rank(const std::string& split) {
  return static_cast<std::size_t>(std::find(kSplits.begin(), kSplits.end(), split) - kSplits.begin());
}

}  // namespace

std::optional<std::string> canonical_split(const std::string& name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kNames{{{"train", "train"},
                                                                                  {"training", "train"},
                                                                                  {"val", "val"},
                                                                                  {"valid", "val"},
                                                                                  {"validation", "val"},
                                                                                  {"dev", "val"},
                                                                                  {"public-test", "val"},  // FER-2013's names
                                                                                  {"publictest", "val"},
                                                                                  {"test", "test"},
                                                                                  {"testing", "test"},
                                                                                  {"t10k", "test"},
                                                                                  {"private-test", "test"},
                                                                                  {"privatetest", "test"},
                                                                                  {"eval", "test"}}};
  const std::string small = lower(name);
  for (const auto& [known, split] : kNames) {
    if (small == known) return std::string(split);
  }
  return std::nullopt;
}

std::vector<std::string> in_split_order(std::vector<std::string> splits) {
  std::sort(splits.begin(), splits.end(), [](const std::string& a, const std::string& b) {
    return std::pair(split_rank(a), std::string_view(a)) < std::pair(split_rank(b), std::string_view(b));
  });
  splits.erase(std::unique(splits.begin(), splits.end()), splits.end());
  return splits;
}

std::string select_split(const std::string& path, const std::vector<std::string>& held, const std::string& wanted) {
  if (wanted.empty()) return {};
  const auto holds = [&](const std::string& split) { return std::find(held.begin(), held.end(), split) != held.end(); };
  if (holds(wanted)) return wanted;
  std::string split = canonical_split(wanted).value_or(wanted);
  if (holds(split)) return split;
  if (split == "test" && holds("val")) return "val";
  if (held.empty()) {
    fail(ErrorCode::kNotFound, path, ": holds no splits, so \"", wanted,
         "\" cannot be chosen; leave the split away or point to data with train and test parts");
  }
  std::string names;
  for (const std::string& name : held) names += (names.empty() ? "" : ", ") + name;
  fail(ErrorCode::kNotFound, path, ": holds no split \"", wanted, "\"; it holds ", names);
}

bool is_folder(const std::string& path) noexcept {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool has_picture_name(const std::string& name) {
  constexpr std::array<std::string_view, 20> kEndings{"jpg", "jpeg", "jpe", "jfif", "png", "bmp",  "dib",  "webp", "tif", "tiff",
                                                      "pbm", "pgm",  "ppm", "pnm",  "gif", "heic", "heif", "avif", "jp2", "jxl"};
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return false;
  return std::find(kEndings.begin(), kEndings.end(), lower(name.substr(dot + 1))) != kEndings.end();
}

std::string counted(std::size_t count, const char* noun) {
  const std::string_view word(noun);
  return concat(count, " ", noun, count == 1 ? "" : word.ends_with('s') ? "es" : "s");
}

void read_fully(const ReadableFile& file, std::uint64_t offset, std::span<std::byte> out, const std::string& path) {
  for (std::size_t done = 0; done < out.size();) {
    const std::size_t got = file.read(offset + done, out.subspan(done));
    if (got == 0) {
      fail(ErrorCode::kIo, path, ": became shorter after it was opened, bytes at offset ", offset + done,
           " are missing; open it anew when nobody writes it");
    }
    done += got;
  }
}

void fail_range(const Dataset& dataset, std::size_t i) {
  fail(ErrorCode::kInvalidArgument, dataset.describe(), ": there is no image ", i, "; 0 to ", dataset.size(),
       " less 1 would be right");
}

}  // namespace signet::reader
