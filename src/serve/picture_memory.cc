#include "serve/picture_memory.h"

#include <algorithm>
#include <utility>

#include "signet/base/error.h"

namespace signet {

PictureMemory::Share::Share(Share&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

PictureMemory::Share& PictureMemory::Share::operator=(Share&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

void PictureMemory::Share::shrink(std::uint64_t bytes) noexcept {
  if (bytes >= bytes_) return;
  memory_->held_.fetch_sub(bytes_ - bytes);
  bytes_ = bytes;
}

PictureMemory::Share PictureMemory::take(std::uint64_t bytes) {
  std::uint64_t held = held_.load();
  do {
    if (bytes > most_ - held) {  // never more held than that
      fail(ErrorCode::kBusy, "this picture needs ", bytes, " bytes, and the pictures that are worked on leave ", most_ - held,
           " of ", most_, "; ask again in a moment");
    }
  } while (!held_.compare_exchange_weak(held, held + bytes));
  return {*this, bytes};
}

std::uint64_t decoding_bytes(std::uint64_t pixels) noexcept {
  constexpr std::uint64_t kBytes = 7, kMost = std::uint64_t{1} << 60;  // no picture has more
  return std::min(pixels, kMost) * kBytes;
}

}  // namespace signet
