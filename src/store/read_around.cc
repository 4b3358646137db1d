#include "store/read_around.h"

#include <algorithm>

#include "signet/base/error.h"

namespace signet::store {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 18;
constexpr std::size_t kPage = 4096;  // the least that the system reads, and that is given up where a read fails

class MemoryContent final : public MappedFile {
 public:
  explicit MemoryContent(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
  std::span<const std::byte> data() const noexcept override { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

// The error's sentence where nothing could be read.
std::string read_some(const ReadableFile& file, const std::string& path, std::uint64_t at, std::span<std::byte> out,
                      std::size_t& count) {
  try {
    count = file.read(at, out);
    return count > 0 ? "" : concat("cannot read ", path, ": it became shorter while it was read");
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

std::string unreadable_text(const Unreadable& part) { return concat("bytes ", part.from, " to ", part.to - 1, ": ", part.why); }

std::vector<Unreadable> read_around(FileSystem& fs, const std::string& path,
                                    const std::function<void(std::span<const std::byte>)>& take) {
  const std::unique_ptr<ReadableFile> file = fs.open(path);
  std::vector<Unreadable> parts;
  std::vector<std::byte> buffer(kPiece);
  bool careful = false;  // page by page
  for (std::uint64_t at = 0; at < file->size();) {
    const std::uint64_t most = careful ? kPage - at % kPage : kPiece;
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(most, file->size() - at));
    std::size_t count = 0;
    const std::string why = read_some(*file, path, at, piece, count);
    if (!why.empty() && !careful) {
      careful = true;
      continue;
    }
    careful = !why.empty();
    if (careful) {
      count = piece.size();
      std::ranges::fill(piece, std::byte{0});
      if (parts.empty() || parts.back().to != at) parts.push_back({at, at, why});
      parts.back().to += count;
    }
    take(piece.first(count));
    at += count;
  }
  return parts;
}

ReadFile read_around(FileSystem& fs, const std::string& path) {
  ReadFile whole;
  whole.unreadable = read_around(fs, path, [](std::span<const std::byte>) {});
  if (whole.unreadable.empty()) return whole;
  std::vector<std::byte> bytes;
  bytes.reserve(fs.size(path));
  whole.unreadable =
      read_around(fs, path, [&](std::span<const std::byte> piece) { bytes.insert(bytes.end(), piece.begin(), piece.end()); });
  whole.content = std::make_unique<MemoryContent>(std::move(bytes));
  return whole;
}

}  // namespace signet::store
