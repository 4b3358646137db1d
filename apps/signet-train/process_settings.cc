#include "apps/signet-train/process_settings.h"

#include <unistd.h>

#include <cstdlib>

#include "signet/base/cpu.h"

namespace signet::cli {

void restart_with_settings(char** arguments) {
  if (std::getenv("SIGNET_TRAIN_SETTINGS") != nullptr) return;
  setenv("SIGNET_TRAIN_SETTINGS", "1", 1);
  setenv("MALLOC_MMAP_MAX_", "0", 0);
  setenv("MALLOC_TRIM_THRESHOLD_", "100000000000", 0);
  setenv("MALLOC_TOP_PAD_", "268435456", 0);
  setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 0);
  if (cpu_features().avx512f && cpu_features().avx512bw) setenv("ATEN_CPU_CAPABILITY", "avx512", 0);
  execv("/proc/self/exe", arguments);
}

}  // namespace signet::cli
