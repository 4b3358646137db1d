#include "dataset/tar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dataset/readers.h"
#include "signet/base/error.h"
#include "signet/base/file_system.h"

namespace signet::reader {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kMaxMeta = std::size_t{1} << 20;  // of a long name or a pax record: far beyond any path

std::string_view field(std::span<const std::byte> block, std::size_t at, std::size_t length) {
  const std::string_view raw(reinterpret_cast<const char*>(block.data()) + at, length);
  return raw.substr(0, raw.find('\0'));
}

// Octal digits between blanks, or GNU's base-256 with the highest bit set. False: no number of at most 63 bits.
bool parse_number(std::span<const std::byte> block, std::size_t at, std::size_t length, std::uint64_t& value) {
  value = 0;
  const auto byte = [&](std::size_t i) { return std::to_integer<std::uint8_t>(block[at + i]); };
  if (byte(0) & 0x80) {
    if (byte(0) != 0x80) return false;  // negative, or more than 2^88
    for (std::size_t i = 1; i < length; ++i) {
      if (value >> 55 != 0) return false;
      value = value << 8 | byte(i);
    }
    return true;
  }
  std::size_t i = 0;
  while (i < length && byte(i) == ' ') ++i;
  for (; i < length && byte(i) != ' ' && byte(i) != 0; ++i) {
    if (byte(i) < '0' || byte(i) > '7') return false;
    value = value << 3 | (byte(i) - '0');  // at most 11 digits: 33 bits
  }
  return true;
}

bool is_zero(std::span<const std::byte> block) noexcept {
  for (const std::byte b : block) {
    if (b != std::byte{0}) return false;
  }
  return true;
}

// The sum of all bytes with the checksum's own field as blanks; old tars summed signed bytes.
bool checksum_fits(std::span<const std::byte> block) noexcept {
  std::uint64_t stored = 0;
  if (!parse_number(block, 148, 8, stored)) return false;
  std::uint64_t plain = 0;
  std::int64_t with_sign = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const std::uint8_t b = i >= 148 && i < 156 ? ' ' : std::to_integer<std::uint8_t>(block[i]);
    plain += b;
    with_sign += static_cast<std::int8_t>(b);
  }
  return stored == plain || (with_sign >= 0 && stored == static_cast<std::uint64_t>(with_sign));
}

bool is_compressed(std::span<const std::byte> head) noexcept {
  const auto starts = [&](std::string_view magic) {
    return head.size() >= magic.size() && std::memcmp(head.data(), magic.data(), magic.size()) == 0;
  };
  return starts("\x1F\x8B") || starts("BZh") ||
         starts(
             "\xFD"
             "7zXZ") ||
         starts("\x28\xB5\x2F\xFD");
}

// An archive by its size and a function that fills a span with the bytes from an offset on, all of them inside.
struct ArchiveBytes {
  std::uint64_t size;
  std::function<void(std::uint64_t offset, std::span<std::byte> out)> read;
};

class Lister {
 public:
  Lister(ArchiveBytes archive, const std::string& name) : archive_(std::move(archive)), name_(name) {}

  std::vector<TarMember> run() {
    if (archive_.size == 0) fail(ErrorCode::kCorrupt, name_, ": is empty; a tar archive would be right");
    const std::span<std::byte> head = std::span(block_).first(std::min<std::uint64_t>(archive_.size, kBlock));
    archive_.read(0, head);
    if (is_compressed(head)) {
      fail(ErrorCode::kUnsupported, name_,
           ": is compressed, and pictures in it cannot be reached one by one; unpack it to a plain .tar first");
    }
    while (next()) {
    }
    return std::move(members_);
  }

 private:
  [[noreturn]] void corrupt(const std::string& why) const {
    fail(ErrorCode::kCorrupt, name_, ": this tar ", why, " at offset ", at_, "; a complete archive would be right");
  }

  bool next() {
    if (archive_.size - at_ < kBlock) corrupt(at_ == 0 ? "is shorter than one block" : "ends without its end mark");
    archive_.read(at_, block_);
    const std::span<const std::byte> block = block_;
    if (is_zero(block)) {
      if (at_ == 0 && archive_.size % kBlock != 0) corrupt("has no header");
      return false;
    }
    if (!checksum_fits(block)) corrupt(at_ == 0 ? "has no tar header" : "has a damaged header");
    std::uint64_t size = 0;
    if (!parse_number(block, 124, 12, size)) corrupt("has a size that is no number");
    const char type = static_cast<char>(block[156]);
    const bool file = type == '0' || type == '\0' || type == '7';
    const bool meta = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    if (!meta && pax_size_ >= 0) size = static_cast<std::uint64_t>(pax_size_);
    const bool has_data =
        file || meta || (type != '1' && type != '2' && type != '3' && type != '4' && type != '5' && type != '6');
    if (!has_data) size = 0;
    const std::size_t begin = at_ + kBlock;
    if (size > archive_.size - begin) corrupt(concat("claims ", size, " bytes where ", archive_.size - begin, " are left,"));
    if (meta) {
      read_meta(type, begin, static_cast<std::size_t>(size));
    } else {
      read_member(type, block, begin, static_cast<std::size_t>(size));
      long_name_.clear();
      long_link_.clear();
      pax_size_ = -1;
    }
    const std::size_t padded = (static_cast<std::size_t>(size) + kBlock - 1) / kBlock * kBlock;
    if (padded > archive_.size - begin) corrupt("ends inside a member");
    at_ = begin + padded;
    return true;
  }

  void read_meta(char type, std::size_t begin, std::size_t size) {
    if (size > kMaxMeta) corrupt(concat("has a name record of ", size, " bytes"));
    std::vector<std::byte> data(size);
    archive_.read(begin, data);
    const std::string_view text = as_text(data);
    if (type == 'L') long_name_ = text.substr(0, text.find('\0'));
    if (type == 'K') long_link_ = text.substr(0, text.find('\0'));
    if (type == 'x') read_pax(text);
  }

  // "length key=value\n", the length counting itself (POSIX.1-2001 pax).
  void read_pax(std::string_view text) {
    while (!text.empty() && text.front() != '\0') {
      std::size_t length = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
      const std::size_t digits = static_cast<std::size_t>(end - text.data());
      if (error != std::errc{} || length > text.size() || length < digits + 3 || text[digits] != ' ' ||
          text[length - 1] != '\n') {
        corrupt("has a damaged pax record");
      }
      const std::string_view record = text.substr(digits + 1, length - digits - 2);
      const std::size_t equals = record.find('=');
      if (equals == std::string_view::npos) corrupt("has a pax record without a value");
      take_pax(record.substr(0, equals), record.substr(equals + 1));
      text.remove_prefix(length);
    }
  }

  void take_pax(std::string_view key, std::string_view value) {
    if (key == "path") long_name_ = value;
    if (key == "linkpath") long_link_ = value;
    if (key == "size") {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), pax_size_);
      if (error != std::errc{} || end != value.data() + value.size() || pax_size_ < 0)
        corrupt("has a pax size that is no number");
    }
    if (key.starts_with("GNU.sparse")) {
      fail(ErrorCode::kUnsupported, name_, ": this tar holds sparse files, which signet does not read; pack it without --sparse");
    }
  }

  void read_member(char type, std::span<const std::byte> block, std::size_t begin, std::size_t size) {
    std::string raw = long_name_;
    if (raw.empty()) {
      const bool ustar = field(block, 257, 5) == "ustar" && block[262] == std::byte{0};  // GNU's own magic has no prefix field
      const std::string_view prefix = ustar ? field(block, 345, 155) : std::string_view();
      raw = prefix.empty() ? std::string(field(block, 0, 100)) : concat(prefix, "/", field(block, 0, 100));
    }
    if (type == 'S') fail(ErrorCode::kUnsupported, name_, ": this tar holds the sparse file ", raw, "; pack it without --sparse");
    if (type == '5') return;
    const std::string path = normalise(raw);
    if (type == '2') {
      if (has_picture_name(path)) {
        fail(ErrorCode::kUnsupported, name_, ": this tar holds the symbolic link ", path,
             "; pack the pictures themselves (tar --dereference)");
      }
      return;
    }
    if (type == '1') {
      const std::string target = normalise(long_link_.empty() ? std::string(field(block, 157, 100)) : long_link_);
      const auto found = positions_.find(target);
      if (found == positions_.end()) {
        if (!has_picture_name(path)) return;
        corrupt(concat("links ", path, " to ", target, ", which is not before it,"));
      }
      begin = members_[found->second].offset;
      size = members_[found->second].size;
    } else if (type == '3' || type == '4' || type == '6') {
      return;  // devices, pipes
    }
    if (path.empty()) corrupt("has a member without a name");
    const auto [position, fresh] = positions_.try_emplace(path, members_.size());
    if (fresh) {
      members_.push_back({path, begin, size});
    } else {
      members_[position->second] = {path, begin, size};
    }
  }

  // Takes "." and doubled slashes out; refuses paths that would leave the folder they are unpacked in.
  std::string normalise(std::string_view raw) const {
    if (raw.starts_with('/')) corrupt(concat("has the absolute path ", raw));
    std::string path;
    while (!raw.empty()) {
      const std::size_t slash = std::min(raw.find('/'), raw.size());
      const std::string_view part = raw.substr(0, slash);
      if (part == "..") corrupt("has a path with \"..\", which leads out of it,");
      if (!part.empty() && part != ".") path.append(path.empty() ? "" : "/").append(part);
      raw.remove_prefix(std::min(slash + 1, raw.size()));
    }
    return path;
  }

  const ArchiveBytes archive_;
  const std::string& name_;
  std::array<std::byte, kBlock> block_{};
  std::size_t at_ = 0;
  std::string long_name_, long_link_;  // for the next member
  std::int64_t pax_size_ = -1;         // for the next member; -1: none
  std::vector<TarMember> members_;
  std::unordered_map<std::string, std::size_t> positions_;
};

}  // namespace

bool looks_like_tar(std::span<const std::byte> head) noexcept {
  return head.size() >= kBlock && !is_zero(head.first(kBlock)) && checksum_fits(head.first(kBlock));
}

std::vector<TarMember> list_tar(const ReadableFile& archive, const std::string& name) {
  const auto read = [&](std::uint64_t offset, std::span<std::byte> out) { read_fully(archive, offset, out, name); };
  return Lister({archive.size(), read}, name).run();
}

std::vector<TarMember> list_tar(std::span<const std::byte> archive, const std::string& name) {
  const auto read = [&](std::uint64_t offset, std::span<std::byte> out) {
    const std::span<const std::byte> part = archive.subspan(offset, out.size());
    std::copy(part.begin(), part.end(), out.begin());
  };
  return Lister({archive.size(), read}, name).run();
}

}  // namespace signet::reader
