#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>

#include "signet/image/image.h"

namespace signet {

// The memory of all pictures that are worked on, clients' and those of the collection, counted before it is asked for: a file of
// some kilobytes may be a picture of hundreds of megabytes. Safe from many threads.
class PictureMemory {
 public:
  // What one picture holds of it, given back at its end. Must not outlive the memory.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept;
    Share& operator=(Share&& other) noexcept;
    ~Share() { shrink(0); }
    void shrink(std::uint64_t bytes) noexcept;  // holds so many from now on, where it held more

   private:
    friend class PictureMemory;
    Share(PictureMemory& memory, std::uint64_t bytes) : memory_(&memory), bytes_(bytes) {}
    PictureMemory* memory_ = nullptr;
    std::uint64_t bytes_ = 0;
  };

  explicit PictureMemory(std::uint64_t most) : most_(most) {}
  PictureMemory(const PictureMemory&) = delete;
  PictureMemory& operator=(const PictureMemory&) = delete;
  // So many bytes, or all where there are no more. Who comes waits behind those who wait already, so that large pictures have
  // their turn too; throws kBusy after `wait_seconds`. Who holds a share must not wait for another: all might.
  Share take(std::uint64_t bytes, double wait_seconds);
  std::uint64_t held() const noexcept;
  std::size_t waiting() const noexcept;

 private:
  using Line = std::list<std::uint64_t>;  // the bytes that each wants
  std::uint64_t left_for(Line::const_iterator place) const noexcept;
  void give_back(std::uint64_t bytes) noexcept;

  const std::uint64_t most_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t held_ = 0;
  Line line_;
};

// Bytes that a picture of so many pixels needs while it is decoded: red, green, blue and alpha, and beside them the picture that
// they become. Some codecs use as much again for themselves.
std::uint64_t decoding_bytes(std::uint64_t pixels) noexcept;

struct DecodedPicture {
  Image image;
  PictureMemory::Share memory;
};

}  // namespace signet
