#include "dataset/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>

#include "signet/base/error.h"

namespace signet::reader {

struct GzipReader::State {
  z_stream stream{};
  std::span<const std::byte> left;  // not yet handed to zlib
  std::string name;
  bool at_end = false;

  // zlib counts in 32 bits: input is handed over in pieces.
  void feed() {
    if (stream.avail_in > 0 || left.empty()) return;
    const std::size_t count = std::min<std::size_t>(left.size(), std::numeric_limits<uInt>::max() / 2);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(left.data()));  // zlib only reads it
    stream.avail_in = static_cast<uInt>(count);
    left = left.subspan(count);
  }

  // After the end of a member: another one, or the end. Zero bytes behind the last are padding.
  void next_member() {
    feed();
    while (stream.avail_in > 0 && *stream.next_in == 0) {
      ++stream.next_in;
      --stream.avail_in;
      feed();
    }
    at_end = stream.avail_in == 0;
    if (!at_end && inflateReset(&stream) != Z_OK) fail(ErrorCode::kInternal, name, ": zlib cannot go on");
  }
};

bool is_gzip(std::span<const std::byte> head) noexcept {
  return head.size() >= 2 && head[0] == std::byte{0x1F} && head[1] == std::byte{0x8B};
}

GzipReader::GzipReader(std::span<const std::byte> compressed, const std::string& name) : state_(std::make_unique<State>()) {
  state_->left = compressed;
  state_->name = name;
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  if (inflateInit2(&state_->stream, kGzipOnly) != Z_OK) fail(ErrorCode::kInternal, name, ": zlib cannot start");
}

GzipReader::~GzipReader() { inflateEnd(&state_->stream); }

std::size_t GzipReader::read(std::span<std::byte> target) {
  State& s = *state_;
  std::size_t done = 0;
  while (done < target.size() && !s.at_end) {
    s.feed();
    const std::size_t wanted = std::min<std::size_t>(target.size() - done, std::numeric_limits<uInt>::max() / 2);
    s.stream.next_out = reinterpret_cast<Bytef*>(target.data() + done);
    s.stream.avail_out = static_cast<uInt>(wanted);
    const int status = inflate(&s.stream, Z_NO_FLUSH);
    done += wanted - s.stream.avail_out;
    if (status == Z_STREAM_END) {
      s.next_member();
    } else if (status == Z_BUF_ERROR || (status == Z_OK && s.stream.avail_out > 0 && s.stream.avail_in == 0 && s.left.empty())) {
      fail(ErrorCode::kCorrupt, s.name, ": this gzip file is truncated; a complete file would be right");
    } else if (status != Z_OK) {
      fail(ErrorCode::kCorrupt, s.name, ": this gzip file is damaged (", s.stream.msg != nullptr ? s.stream.msg : "no gzip data",
           ")");
    }
  }
  return done;
}

}  // namespace signet::reader
