#pragma once

// SIGNET_CLONES before a function: one build runs on every x86-64, as the compiler emits the function for each of these
// instruction sets and the loader picks. Sanitizers cannot start before the loader has picked, so they get the plain function.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define SIGNET_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SIGNET_CLONES
#endif
