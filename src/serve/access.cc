#include "signet/serve/access.h"

#include <sys/stat.h>

#include <algorithm>
#include <span>

#include "signet/base/error.h"
#include "signet/base/sha256.h"

namespace signet {
namespace {

constexpr std::size_t kLeast = 16, kMost = 256;

std::string digest(std::string_view key) { return sha256_hex(std::as_bytes(std::span(key.data(), key.size()))); }

bool is_key(std::string_view text) {
  return text.size() >= kLeast && text.size() <= kMost &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 32 && c < 127; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  volatile unsigned char differs = 0;  // volatile: so that no compiler leaves the loop at the first difference
  for (std::size_t i = 0; i < a.size(); ++i) differs = static_cast<unsigned char>(differs | (a[i] ^ b[i]));
  return differs == 0;
}

AccessKeys AccessKeys::from_file(FileSystem& fs, const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IRWXO) != 0) {
    fail(ErrorCode::kInvalidArgument, path,
         ": everybody on this machine may read or write the file of keys; chmod 640 closes it");
  }
  return parse(read_text_file(fs, path, std::uint64_t{1} << 20), path);
}

AccessKeys AccessKeys::parse(std::string_view text, const std::string& name) {
  AccessKeys keys;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const std::size_t blank = std::min(line.find_first_of(" \t"), line.size());
    const std::string_view word = line.substr(0, blank), key = trimmed(line.substr(blank));
    if ((word != "read" && word != "write") || !is_key(key)) {
      // The line itself is not shown: it may hold a key.
      fail(ErrorCode::kInvalidArgument, name, " line ", number, " is not \"read KEY\" or \"write KEY\" with a key of ", kLeast,
           " to ", kMost, " printable characters without blanks");
    }
    keys.keys_.push_back({digest(key), word == "read" ? Access::kRead : Access::kWrite});
  }
  if (keys.keys_.empty()) fail(ErrorCode::kInvalidArgument, name, " holds no key; it needs a line such as \"read KEY\"");
  return keys;
}

bool AccessKeys::can_write() const noexcept {
  return std::any_of(keys_.begin(), keys_.end(), [](const Key& key) { return key.access == Access::kWrite; });
}

AccessKeys::Match AccessKeys::match(std::string_view authorization) const {
  constexpr std::string_view kScheme = "bearer ";
  Match best;
  if (keys_.empty() || authorization.size() <= kScheme.size() || authorization.size() > kScheme.size() + kMost) return best;
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = authorization[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != kScheme[i]) return best;
  }
  const std::string shown = digest(trimmed(authorization.substr(kScheme.size())));
  for (const Key& key : keys_) {
    if (equal_in_constant_time(shown, key.digest)) best = {std::max(best.access, key.access), key.digest};
  }
  return best;
}

}  // namespace signet
