#pragma once

#include <cstddef>
#include <cstdint>

#include "signet/kernel/hamming.h"

// One namespace an instruction set, three functions each (contracts: signet/kernel/hamming.h). Their files are compiled with
// flags of their own and therefore must not use anything inline from the standard library: the linker keeps one copy of an inline
// function, and it could keep the one that was compiled for a newer CPU than the one it then runs on.
namespace signet {

// Asks for the memory two pages ahead, because the hardware's prefetchers stop at the end of a page: one query over 80 MB of
// codes reads 1.3 times as much a second as without (AVX-512, Zen 5). Nothing is read, so an address behind the last code does no
// harm.
static inline void ask_ahead(const std::uint8_t* codes, std::size_t bytes) noexcept {
  constexpr std::uintptr_t kAhead = 8192;
  const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(codes) + kAhead;
  // By numbers, since adding to a pointer may not lead out of its array.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  for (std::size_t at = 0; at < bytes; at += 64) __builtin_prefetch(reinterpret_cast<const void*>(first + at));
}

namespace kernel_portable {
void scan(const std::uint8_t* query, const std::uint8_t* codes, std::size_t count, std::size_t row,
          std::uint16_t* distances) noexcept;
std::size_t select(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes, std::size_t count,
                   std::size_t row, const std::uint16_t* bounds, KernelHit* hits) noexcept;
void gather(const std::uint8_t* query, const std::uint8_t* codes, const std::uint64_t* positions, std::size_t count,
            std::size_t row, std::uint16_t* distances) noexcept;
}  // namespace kernel_portable

namespace kernel_avx2 {
extern const bool kCompiled;  // false where the compiler does not aim at x86
void scan(const std::uint8_t* query, const std::uint8_t* codes, std::size_t count, std::size_t row,
          std::uint16_t* distances) noexcept;
std::size_t select(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes, std::size_t count,
                   std::size_t row, const std::uint16_t* bounds, KernelHit* hits) noexcept;
void gather(const std::uint8_t* query, const std::uint8_t* codes, const std::uint64_t* positions, std::size_t count,
            std::size_t row, std::uint16_t* distances) noexcept;
}  // namespace kernel_avx2

namespace kernel_avx512 {
extern const bool kCompiled;
void scan(const std::uint8_t* query, const std::uint8_t* codes, std::size_t count, std::size_t row,
          std::uint16_t* distances) noexcept;
std::size_t select(const std::uint8_t* query_rows, std::size_t queries, const std::uint8_t* codes, std::size_t count,
                   std::size_t row, const std::uint16_t* bounds, KernelHit* hits) noexcept;
void gather(const std::uint8_t* query, const std::uint8_t* codes, const std::uint64_t* positions, std::size_t count,
            std::size_t row, std::uint16_t* distances) noexcept;
}  // namespace kernel_avx512

namespace kernel_neon {
extern const bool kCompiled;  // false: not written yet
}  // namespace kernel_neon
}  // namespace signet
