#pragma once

#include <string>

namespace signet {

// Instruction sets that the CPU and the operating system both allow, read once.
struct CpuFeatures {
  bool sse42 = false;
  bool popcnt = false;
  bool avx2 = false;
  bool avx512f = false;
  bool avx512bw = false;
  bool avx512vl = false;
  bool avx512vpopcntdq = false;
  bool neon = false;
};
const CpuFeatures& cpu_features() noexcept;
std::string cpu_name();  // "AMD EPYC 9B14 (family 25, model 17)", or "unknown"

}  // namespace signet
