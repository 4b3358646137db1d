#pragma once

namespace signet::cli {

// Starts this program once more with settings that training gains from and that are read before main() begins
// (docs/decisions/0050-process-settings.md has the figures). Memory that a step frees is kept for the next step instead of being
// returned to the system and faulted in again; and libtorch's elementwise kernels use 512-bit vectors, which version 1.13 leaves
// off unless asked. What the user has set stays as it is. Where the second start fails, the first one goes on: only time is lost.
void restart_with_settings(char** arguments);

}  // namespace signet::cli
