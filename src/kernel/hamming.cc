#include "signet/kernel/hamming.h"

#include <array>
#include <cstdlib>

#include "kernel/kernels.h"
#include "signet/base/cpu.h"
#include "signet/base/error.h"

namespace signet {
namespace {

// In this file, compiled for the oldest CPU, so that asking is safe everywhere. Every flag that a kernel's file is compiled with
// (CMakeLists.txt) is asked for: the compiler may use its instructions anywhere.
bool portable_supported() noexcept { return true; }

#if defined(__x86_64__)
bool has_bit_instructions() noexcept {
  return cpu_features().popcnt && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}
bool has_bitalg() noexcept { return __builtin_cpu_supports("avx512bitalg"); }
#else
bool has_bit_instructions() noexcept { return false; }
bool has_bitalg() noexcept { return false; }
#endif

bool avx2_supported() noexcept { return kernel_avx2::kCompiled && cpu_features().avx2 && has_bit_instructions(); }
bool avx512_supported() noexcept {
  const CpuFeatures& cpu = cpu_features();
  return kernel_avx512::kCompiled && cpu.avx512f && cpu.avx512bw && cpu.avx512vl && cpu.avx512vpopcntdq && has_bitalg() &&
         has_bit_instructions();
}
bool neon_supported() noexcept { return kernel_neon::kCompiled && cpu_features().neon; }

constexpr HammingKernel kPortable{"portable", portable_supported, kernel_portable::scan, kernel_portable::select,
                                  kernel_portable::gather};
constexpr HammingKernel kAvx2{"avx2", avx2_supported, kernel_avx2::scan, kernel_avx2::select, kernel_avx2::gather};
constexpr HammingKernel kAvx512{"avx512", avx512_supported, kernel_avx512::scan, kernel_avx512::select, kernel_avx512::gather};
constexpr HammingKernel kNeon{"neon", neon_supported, kernel_portable::scan, kernel_portable::select, kernel_portable::gather};
constexpr std::array<const HammingKernel*, 4> kKernels{&kAvx512, &kAvx2, &kNeon, &kPortable};

std::string supported_names() {
  std::string names;
  for (const HammingKernel* kernel : kKernels) {
    if (kernel->supported()) names += concat(names.empty() ? "" : ", ", kernel->name);
  }
  return names;
}

const HammingKernel& find(std::string_view name, const char* asked_by) {
  for (const HammingKernel* kernel : kKernels) {
    if (name != kernel->name) continue;
    if (kernel->supported()) return *kernel;
    fail(ErrorCode::kUsage, asked_by, " \"", name, "\" is not supported on this machine or not written yet; use one of ",
         supported_names());
  }
  fail(ErrorCode::kUsage, asked_by, " \"", name, "\" does not exist; use one of ", supported_names());
}

}  // namespace

std::span<const HammingKernel* const> hamming_kernels() noexcept { return kKernels; }

const HammingKernel& find_hamming_kernel(std::string_view name) { return find(name, "Hamming kernel"); }

const HammingKernel& hamming_kernel() {
  static const HammingKernel& chosen = []() -> const HammingKernel& {
    const char* forced = std::getenv("SIGNET_KERNEL");
    if (forced != nullptr && *forced != '\0') return find(forced, "SIGNET_KERNEL");
    for (const HammingKernel* kernel : kKernels) {
      if (kernel->supported()) return *kernel;
    }
    return kPortable;
  }();
  return chosen;
}

}  // namespace signet
