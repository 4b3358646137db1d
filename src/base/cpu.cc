#include "signet/base/cpu.h"

#include <cstdint>
#include <cstring>

#include "signet/base/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace signet {
namespace {

#if defined(__x86_64__)

constexpr bool has_bit(unsigned word, unsigned bit) { return ((word >> bit) & 1U) != 0; }

// Which register states the operating system saves: without them an instruction set that the CPU has must not be used.
std::uint64_t enabled_states() noexcept {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

// Brand strings of virtual machines leave out the generation ("AMD EPYC"), which family and model tell.
std::string family_and_model() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return "";
  const unsigned base = a >> 8 & 15;
  return concat(" (family ", base == 15 ? base + (a >> 20 & 255) : base, ", model ", (a >> 4 & 15) | (a >> 12 & 0xf0), ")");
}

CpuFeatures detect() noexcept {
  CpuFeatures found;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return found;
  found.sse42 = has_bit(c, 20);
  found.popcnt = has_bit(c, 23);
  const bool has_xsave = has_bit(c, 27);  // OSXSAVE: xgetbv may be executed
  const bool has_avx = has_bit(c, 28);
  const std::uint64_t states = has_xsave ? enabled_states() : 0;
  const bool ymm = has_avx && (states & 0x06U) == 0x06U;  // XMM and upper YMM halves
  const bool zmm = ymm && (states & 0xe0U) == 0xe0U;      // mask registers, upper ZMM halves, ZMM16-31
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return found;
  found.avx2 = ymm && has_bit(b, 5);
  found.avx512f = zmm && has_bit(b, 16);
  found.avx512bw = found.avx512f && has_bit(b, 30);
  found.avx512vl = found.avx512f && has_bit(b, 31);
  found.avx512vpopcntdq = found.avx512f && has_bit(c, 14);
  return found;
}

#else

CpuFeatures detect() noexcept {
  CpuFeatures found;
#if defined(__aarch64__)
  found.neon = true;  // part of the base architecture
#endif
  return found;
}

#endif

}  // namespace

const CpuFeatures& cpu_features() noexcept {
  static const CpuFeatures kFeatures = detect();
  return kFeatures;
}

std::string cpu_name() {
#if defined(__x86_64__)
  unsigned words[12] = {};
  if (static_cast<unsigned>(__get_cpuid_max(0x80000000U, nullptr)) >= 0x80000004U) {
    for (unsigned leaf = 0; leaf < 3; ++leaf) {
      unsigned* w = &words[std::size_t{4} * leaf];
      __get_cpuid(0x80000002U + leaf, w, w + 1, w + 2, w + 3);
    }
    char text[sizeof words + 1] = {};
    std::memcpy(text, words, sizeof words);
    std::string name(text);
    const std::size_t first = name.find_first_not_of(' ');
    const std::size_t last = name.find_last_not_of(' ');
    if (first != std::string::npos) return name.substr(first, last - first + 1) + family_and_model();
  }
#endif
  return "unknown";
}

}  // namespace signet
