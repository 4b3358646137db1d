#include "serve/picture_memory.h"

#include <algorithm>
#include <chrono>
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
  memory_->give_back(bytes_ - bytes);
  bytes_ = bytes;
}

PictureMemory::Share PictureMemory::take(std::uint64_t bytes, double wait_seconds) {
  const std::uint64_t wanted = std::min(bytes, most_);
  std::unique_lock lock(mutex_);
  const auto place = line_.insert(line_.end(), wanted);
  const bool given =
      changed_.wait_for(lock, std::chrono::duration<double>(wait_seconds), [&] { return wanted <= left_for(place); });
  const std::uint64_t left = left_for(place);
  line_.erase(place);
  if (given) {
    held_ += wanted;
    return {*this, wanted};
  }
  changed_.notify_all();  // those behind have one less before them
  fail(ErrorCode::kBusy, "this picture needs ", wanted, " bytes, and the pictures that are worked on or wait before it leave ",
       left, " of ", most_, "; ask again in a moment");
}

// What those who hold shares, and those who wait before this place, leave.
std::uint64_t PictureMemory::left_for(Line::const_iterator place) const noexcept {
  std::uint64_t left = most_ - held_;  // never more held than that
  for (auto before = line_.begin(); before != place; ++before) left -= std::min(left, *before);
  return left;
}

void PictureMemory::give_back(std::uint64_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  held_ -= bytes;
  changed_.notify_all();
}

std::uint64_t PictureMemory::held() const noexcept {
  const std::lock_guard lock(mutex_);
  return held_;
}

std::size_t PictureMemory::waiting() const noexcept {
  const std::lock_guard lock(mutex_);
  return line_.size();
}

std::uint64_t decoding_bytes(std::uint64_t pixels) noexcept {
  constexpr std::uint64_t kBytes = 7, kMost = std::uint64_t{1} << 60;  // no picture has more
  return std::min(pixels, kMost) * kBytes;
}

}  // namespace signet
