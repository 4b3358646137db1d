#include "kernel/kernels.h"

// A stub that says so: the name "neon" exists, supported() is false until the kernel is written and measured on such a machine,
// and the functions are the portable ones so that nothing can call into nothing.
namespace signet::kernel_neon {
const bool kCompiled = false;
}  // namespace signet::kernel_neon
