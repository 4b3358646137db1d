#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "signet/base/error.h"

// What all targets share. A reader may give a value or throw signet::Error; anything else (another exception, a sanitizer's
// report, a time-out, an allocation beyond what the input justifies) is a finding.
namespace signet::fuzz {

// A property that every accepted input must have.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "property violated: %s\n", what);
  std::abort();
}

// Runs the reader under test. kInternal stands for a broken invariant of signet itself: no input may bring it about.
template <typename Action>
void value_or_error(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInternal) {
      std::fprintf(stderr, "internal error: %s\n", error.what());
      std::abort();
    }
    require(error.what()[0] != '\0', "an error says something");
  }
}

inline std::span<const std::byte> input(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}

// Cuts the first part off an input that stands for two files: two bytes of length (little-endian), then both.
struct Pair {
  std::span<const std::byte> first, second;
};
inline Pair cut(std::span<const std::byte> bytes) {
  if (bytes.size() < 2) return {bytes, {}};
  const std::size_t wanted = std::to_integer<std::size_t>(bytes[0]) | std::to_integer<std::size_t>(bytes[1]) << 8;
  const std::span<const std::byte> rest = bytes.subspan(2);
  const std::size_t length = wanted < rest.size() ? wanted : rest.size();
  return {rest.first(length), rest.subspan(length)};
}

}  // namespace signet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);
