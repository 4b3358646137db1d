#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace signet::reader {

// Deflate expands a byte to at most 1,032 (zlib.net/zlib_tech.html): what a .gz may claim to hold can be bounded before anything
// is allocated.
inline constexpr std::uint64_t kMaxExpansion = 1032;

bool is_gzip(std::span<const std::byte> head) noexcept;

// A gzip stream (RFC 1952, several members one after another allowed) in memory, read forward. Checks the stored CRCs.
class GzipReader {
 public:
  GzipReader(std::span<const std::byte> compressed, const std::string& name);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  // Fills `target` or stops at the end; returns the bytes read. Throws kCorrupt for damaged data or a file that ends inside a
  // member.
  std::size_t read(std::span<std::byte> target);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace signet::reader
